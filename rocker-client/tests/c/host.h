/* What the C tests share: checks that end the program, the request that works, and what a launch may not change. */
#ifndef HOST_H
#define HOST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "rocker_ext.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            dprintf(2, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno); \
            _exit(99); \
        } \
    } while (0)

/* An errno that nothing here sets. */
#define SENTINEL EXDEV
#define FDS 1024

/* As rocker_testing::request lays it out. */
static inline RockerRequest request(void) {
    RockerRequest req = ROCKER_request_new();
    req.app_id = 7;
    req.uid = 1000;
    req.gid = 1000;
    req.app_pkg_path = (char *)"/run/app.sqfs";
    req.app_exec_dir = (char *)"/run/exec";
    req.app_data_dir = (char *)"/run/data";
    req.app_overlay_dirs[0] = (char *)"/etc";
    return req;
}

/* Prints the last failure in words, for a launch that should not have failed. */
static inline int launched(RockerResult result) {
    if (result.err_no != ROCKER_ERR_success)
        dprintf(2, "launch: %d %s\n", result.err_no, ROCKER_last_failure().text);
    return result.err_no == ROCKER_ERR_success && result.app_pid > 0 && result.guard_pid > 0 && result.guard_pname[0];
}

/* Waits for a child; gives its exit status, or 128 and the number of the signal that ended it. */
static inline int wait_for(int pid) {
    int status;
    pid_t waited;
    do
        waited = waitpid(pid, &status, 0);
    while (waited == -1 && errno == EINTR);
    CHECK(waited == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What belongs to the host: descriptors, children, signal mask, errno, and where its children are born. */
typedef struct {
    char open[FDS];
    sigset_t mask;
    char nursery[64];
} Host;

static inline Host host_now(void) {
    Host host;
    memset(&host, 0, sizeof host);
    for (int fd = 0; fd < FDS; fd++)
        host.open[fd] = fcntl(fd, F_GETFD) != -1;
    CHECK(sigprocmask(SIG_BLOCK, NULL, &host.mask) == 0);
    CHECK(readlink("/proc/thread-self/ns/pid_for_children", host.nursery, sizeof host.nursery - 1) > 0);
    errno = SENTINEL;
    return host;
}

static inline void host_is_unchanged(const Host *before) {
    CHECK(errno == SENTINEL);
    Host now = host_now();
    CHECK(memcmp(before->open, now.open, sizeof now.open) == 0);
    CHECK(strcmp(before->nursery, now.nursery) == 0);
    for (int number = 1; number <= 64; number++)
        CHECK(sigismember(&before->mask, number) == sigismember(&now.mask, number));
}

static inline void host_has_no_child(void) {
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    errno = SENTINEL;
}

#endif
