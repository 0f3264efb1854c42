/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What `make demo` runs: an AppMaster that knows nothing of Rocker but its headers.
 *
 *   demo PACKAGE EXEC_DIR DATA_DIR COMMAND [ARGUMENTS...]
 *
 * It runs COMMAND from the package in a sandbox and waits for it, starts an App that would run for ever, kills its guard,
 * and looks for what is left.
 */
#include "rocker_ext.h"

#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { APP_ID = 1, APP_UID = 1000, MEASURED = 21 };

static double now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static void fail(const char *what) {
    RockerFailure failure = ROCKER_last_failure();
    fprintf(stderr, "demo: %s: %s\n", what, failure.text);
    exit(1);
}

/* The App: its result, or that of the program it becomes, is its exit status. */
static int run_command(void *argv) {
    char **command = argv;
    execv(command[0], command);
    perror(command[0]);
    return 127;
}

static int run_nothing(void *unused) {
    (void)unused;
    return 0;
}

static int run_for_ever(void *unused) {
    (void)unused;
    for (;;)
        pause();
    return 0;
}

static RockerResult launch(RockerRequest *request, int (*app)(void *), void *args) {
    RockerResult result = ROCKER_enter_rocker(request, app, args);
    if (result.err_no != ROCKER_ERR_success)
        fail("launch");
    return result;
}

static int wait_for(int pid) {
    int status;
    if (waitpid(pid, &status, 0) != pid) {
        perror("waitpid");
        exit(1);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int compare(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void show_latency(RockerRequest *request) {
    double took[MEASURED];
    for (int i = 0; i < MEASURED; i++) {
        double start = now_us();
        RockerResult result = launch(request, run_nothing, NULL);
        took[i] = now_us() - start;
        wait_for(result.app_pid);
    }
    qsort(took, MEASURED, sizeof *took, compare);
    printf("\nLaunch, from the call to its return: median %.0f us, fastest %.0f us (%d launches)\n", took[MEASURED / 2],
           took[0], MEASURED);
}

/* Loop devices whose backing file is the package. */
static int count_loop_devices(const char *package) {
    glob_t found;
    int count = 0;
    if (glob("/sys/block/loop*/loop/backing_file", 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char line[4096] = "";
        FILE *file = fopen(found.gl_pathv[i], "r");
        if (file == NULL)
            continue;
        if (fgets(line, sizeof line, file) != NULL && strstr(line, package) != NULL)
            count++;
        fclose(file);
    }
    globfree(&found);
    return count;
}

static int count_mounts(const char *dir) {
    char line[8192];
    int count = 0;
    FILE *file = fopen("/proc/self/mountinfo", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        count += strstr(line, dir) != NULL;
    if (file != NULL)
        fclose(file);
    return count;
}

static void kill_the_guard(RockerRequest *request) {
    RockerApp app = ROCKER_launch_callback(request, run_for_ever, NULL, NULL);
    if (app.result.err_no != ROCKER_ERR_success)
        fail("launch");
    RockerResult name = ROCKER_get_guardname(app.result.guard_pid);
    printf("\nAn App that would run for ever: pid %d, guarded by %d, \"%s\"\n", app.result.app_pid,
           app.result.guard_pid, name.guard_pname);
    printf("  its package is on %d loop device(s)\n", count_loop_devices(request->app_pkg_path));
    double start = now_us();
    kill(app.result.guard_pid, SIGKILL);
    int status = wait_for(app.result.app_pid);
    struct pollfd guard = {app.guard_pidfd, POLLIN, 0};
    if (app.guard_pidfd >= 0)
        poll(&guard, 1, 5000);
    printf("  killed the guard: the App ended with status %d (128 + SIGKILL), all of it gone after %.0f us\n", status,
           now_us() - start);
    close(app.app_pidfd);
    close(app.guard_pidfd);
    /* It has ended, and is a zombie until the master has waited for it. */
    int gone = 0;
    for (int tries = 0; !gone && tries < 1000; tries++) {
        gone = ROCKER_get_guardname(app.result.guard_pid).err_no == ROCKER_ERR_get_guardname_failed;
        if (!gone)
            usleep(1000);
    }
    printf("  left behind: %d process(es), %d mount(s); the master keeps the package for the next launch\n", !gone,
           count_mounts(request->app_exec_dir));
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "usage: demo PACKAGE EXEC_DIR DATA_DIR COMMAND [ARGUMENTS...]\n");
        return 2;
    }
    RockerRequest request = ROCKER_request_new();
    request.app_id = APP_ID;
    request.uid = APP_UID;
    request.gid = APP_UID;
    request.app_pkg_path = argv[1];
    request.app_exec_dir = argv[2];
    request.app_data_dir = argv[3];
    request.app_overlay_dirs[0] = "/usr";
    request.app_overlay_dirs[1] = "/var";

    RockerResult result = launch(&request, run_command, &argv[4]);
    int status = wait_for(result.app_pid);
    printf("\nThe App ended with status %d\n", status);
    show_latency(&request);
    kill_the_guard(&request);
    return status;
}
