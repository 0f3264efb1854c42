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
    /* Which of app_overlay_dirs, or which byte of the seccomp policy makes no sense; -1 where that is not the question. */
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

/* Where an App's changes to the overlaid directories live while it runs. */
/* In app_data_dir, as durable as that file system; what ROCKER_enter_rocker does. */
#define ROCKER_DATA_DISK 0
/* In memory, of a limited size. At the end they are gone. */
#define ROCKER_DATA_TMPFS 1
/* In app_data_dir, but nothing that the App writes is brought to the disk for it: its fsync(2) does nothing, and after a
 * power cut the changes may be lost or damaged. Before Linux 5.10 this is ROCKER_DATA_DISK. */
#define ROCKER_DATA_VOLATILE 2

/* Which system calls the App may make. What it may not fails with an error number; nothing is killed for it. */
/* No mounts, namespaces, modules, tracing, keys or other things that sandboxed programs have no use for; what
 * ROCKER_enter_rocker does. */
#define ROCKER_SECCOMP_DEFAULT 0
/* What a plain server needs, and nothing else. */
#define ROCKER_SECCOMP_STRICT 1
/* Everything. */
#define ROCKER_SECCOMP_OFF 2
/* What the file seccomp_policy says, which is written as minijail's policies are. It must allow what your function does, or
 * execve if a program is launched. What it does not name kills the App. A launch fails if the kernel has no
 * memory for the filter; only a function with a policy is filtered after its launch has succeeded, and then ends with
 * 127. */
#define ROCKER_SECCOMP_FILE 3

/* Which network the App has. */
/* The caller's. */
#define ROCKER_NETWORK_HOST 0
/* One of its own, with nothing in it but a loopback. */
#define ROCKER_NETWORK_NONE 1

/*
 * What else a launch may be told. Start from zeroes and set size: RockerOptions options = {sizeof options}; 0 is the default
 * of every field, also of those that later versions add at the end. A library that does not know a field that is not 0
 * refuses the launch (param_invalid).
 */
typedef struct {
    size_t size;
    /* ROCKER_DATA_* */
    int data;
    /* How large a tmpfs may become, in KiB; 0 is 4096. The App gets ENOSPC beyond it. */
    unsigned int data_size;
    /* Must be 0. Reserved for writing a tmpfs to app_data_dir at the end; anything else is refused (data-keep). */
    int data_keep;
    /* Not 0: nothing is overlaid. The App sees and changes the host's own files, as far as its user may. */
    int no_overlays;
    /* ROCKER_SECCOMP_* */
    int seccomp;
    /* Not 0: what would be refused is let through and reported in the kernel's log (Linux 4.14). */
    int seccomp_log;
    /* With ROCKER_SECCOMP_FILE an absolute path, else NULL. */
    const char *seccomp_policy;
    /* ROCKER_NETWORK_* */
    int network;
} RockerOptions;

/*
 * app_data_dir may be NULL with no_overlays and with ROCKER_DATA_TMPFS. If it is named all the same, it is
 * not opened.
 */

/* ROCKER_enter_rocker with pidfds, and with options, if any. */
RockerApp ROCKER_launch_callback(const RockerRequest *req, int (*app)(void *), void *app_args, const RockerOptions *options) __attribute__((visibility("default")));

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
 * traced or dumped (PR_SET_DUMPABLE); afterwards that is as it was. options may be NULL.
 */
RockerApp ROCKER_launch_program(const RockerRequest *req, const RockerProgram *program, const RockerOptions *options) __attribute__((visibility("default")));

#ifdef __cplusplus
}
#endif

#endif
