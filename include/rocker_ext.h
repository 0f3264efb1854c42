/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What Rocker offers beyond lib.h. Structures may grow at their ends with the library's major version only. */
#ifndef ROCKER_EXT_H
#define ROCKER_EXT_H

#include "lib.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why a launch failed, more closely than a ROCKER_ERR can say. */
typedef struct {
    /* The step, as a number that never changes its meaning; 0 if this thread has had no failure. */
    int stage;
    /* Why, as in errno(3). */
    int error;
    /* Which of app_overlay_dirs, or -1 where that is not the question. */
    int index;
    /* The same in words, such as "mount-overlay[2]: EINVAL". */
    char text[52];
} RockerFailure;

/* The last failure of a call of this library in the calling thread. Successful calls leave it alone. */
RockerFailure ROCKER_last_failure(void) __attribute__((visibility("default")));

/* What a launch gives. The pidfds (pidfd_open(2)) are close-on-exec and the caller's to close; -1 before Linux 5.3. */
typedef struct {
    RockerResult result;
    int app_pidfd;
    int guard_pidfd;
} RockerApp;

/* ROCKER_enter_rocker with pidfds. */
RockerApp ROCKER_launch_callback(const RockerRequest *req, int (*app)(void *), void *app_args) __attribute__((visibility("default")));

/* A program file to execute. */
typedef struct {
    /* The file as the sandbox sees it; a relative path starts at "/". $PATH is not searched. */
    const char *path;
    /* Its arguments, argv[0] first; the array ends with NULL. */
    char *const *argv;
    /* Its environment; the array ends with NULL. NULL is an empty environment. */
    char *const *envp;
    /* Descriptors that it keeps besides 0, 1 and 2. All others are closed. One that is not open is param_invalid. */
    const int *keep_fds;
    size_t keep_fds_len;
} RockerProgram;

/*
 * Executes a program in a new sandbox, as a child of the caller. The caller is not copied: the cost does not grow with its
 * memory. Signal dispositions are the defaults, the signal mask is the caller's. While the call lasts, the caller cannot be
 * traced or dumped (PR_SET_DUMPABLE); afterwards that is as it was.
 */
RockerApp ROCKER_launch_program(const RockerRequest *req, const RockerProgram *program) __attribute__((visibility("default")));

#ifdef __cplusplus
}
#endif

#endif
