/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Rocker: run an App straight from its compressed package, in a sandbox.
 *
 * Link with librocker_ffi.a or -lrocker_ffi (pkg-config rocker). Every function may be called from several threads at
 * once. None prints, exits, installs a signal handler or changes errno; none leaves a descriptor or a zombie behind.
 * What goes beyond this interface is in rocker_ext.h.
 */
#ifndef ROCKER_LIB_H
#define ROCKER_LIB_H

#include "err_no.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a call did. If it failed, both ids are -1 and the name is empty. */
typedef struct {
    ROCKER_ERR err_no;
    /* The App: a child of the caller, to be waited for with wait(2). */
    int app_pid;
    /* Its guard, PID 1 of the sandbox: kill it, and everything in the sandbox is gone. */
    int guard_pid;
    /* The guard's name (its comm): printable and unique. Compare it with ROCKER_get_guardname before you kill. */
    char guard_pname[16];
} RockerResult;

/* What to run. Paths are absolute, without "." or ".." or empty components; strings stay the caller's. */
typedef struct {
    /* Your own number for the App, above 0: it stands in the master's log. */
    int app_id;
    /* Who the App is, on the host and inside; above 0. They need not be in /etc/passwd. */
    int uid;
    int gid;
    /* The package: a squashfs or erofs image. */
    char *app_pkg_path;
    /* An existing directory, where the sandbox finds the package mounted, read-only. */
    char *app_exec_dir;
    /* An existing directory, where the App's changes to the overlaid directories are kept. Not on an overlayfs. */
    char *app_data_dir;
    /* Directories that the App may change without the host's seeing it. NULL entries are passed over; all NULL means
     * every top-level directory but /proc, /sys, /dev and /run. */
    char *app_overlay_dirs[16];
} RockerRequest;

/*
 * Makes a sandbox and runs app(app_args) in it, in a fork of the caller. The App's exit status is what app returns.
 *
 * The App has the given uid and gid, no supplementary groups, no capabilities, and starts in "/". It inherits the
 * caller's descriptors, signal handlers and signal mask. Buffers of stdio are not flushed and atexit handlers do not run
 * when it ends. As after any fork, it has only the calling thread: it must not need a lock that another thread may have
 * held. Handlers of pthread_atfork(3) run, so do not call this with a lock held that one of them takes.
 *
 * The process is made while the sandbox is built, and waits for it. If the launch fails, it has ended and is off the table
 * when this returns: a SIGCHLD may have come, and who waits for any child (-1) in a handler or in another thread may have
 * seen a process id that no call has given. If the caller dies meanwhile, it ends too.
 *
 * The master is at /run/rocker/master.sock, or at $ROCKER_SOCKET, which a program that runs with more privileges than its
 * caller does not look at (secure_getenv(3)). The caller must be root. The call takes 10 seconds at most.
 */
RockerResult ROCKER_enter_rocker(RockerRequest *req, int (*app)(void *), void *app_args) __attribute__((visibility("default")));

/* The name of a process, in guard_pname, if it is still there; guard_pid is the pid asked for. */
RockerResult ROCKER_get_guardname(int pid) __attribute__((visibility("default")));

/* A request with -1 for the three ids and NULL elsewhere. */
RockerRequest ROCKER_request_new() __attribute__((visibility("default")));

#ifdef __cplusplus
}
#endif

#endif
