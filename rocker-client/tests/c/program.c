/* ROCKER_launch_program. Usage: program CASE */
#include "host.h"

#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

static RockerApp execute(const RockerProgram *program) {
    RockerRequest req = request();
    RockerApp app = ROCKER_launch_program(&req, program, NULL);
    CHECK(launched(app.result));
    return app;
}

/* Runs a line of shell; gives its exit status. */
static int shell(const char *line, char *const *environment, const int *keep, size_t keep_len) {
    char *arguments[] = {(char *)"sh", (char *)"-c", (char *)line, (char *)"an argument", NULL};
    RockerProgram program = {"/bin/sh", arguments, environment, keep, keep_len};
    RockerApp app = execute(&program);
    CHECK(close(app.app_pidfd) == 0 && close(app.guard_pidfd) == 0);
    return wait_for(app.result.app_pid);
}

static void identity(void) {
    CHECK(shell("[ $(id -u):$(id -g):$(id -G) = 1000:1000:1000 ] && [ $PWD = / ]", NULL, NULL, 0) == 0);
    CHECK(shell("read text < /run/exec/hello && [ \"$text\" = 'hello from the package' ]", NULL, NULL, 0) == 0);
    CHECK(shell("exit 7", NULL, NULL, 0) == 7);
    CHECK(shell("kill -TERM $$", NULL, NULL, 0) == 128 + SIGTERM);
}

static void environment(void) {
    char *none[] = {NULL}, *two[] = {(char *)"A=1", (char *)"B=two words", NULL};
    CHECK(setenv("OF_THE_HOST", "1", 1) == 0);
    CHECK(shell("[ -z \"$OF_THE_HOST$A\" ] && [ \"$0\" = 'an argument' ]", NULL, NULL, 0) == 0);
    CHECK(shell("[ -z \"$OF_THE_HOST$A\" ]", none, NULL, 0) == 0);
    CHECK(shell("[ \"$A$B\" = '1two words' ] && [ -z \"$OF_THE_HOST\" ]", two, NULL, 0) == 0);
}

/* Close-on-exec or not: what is to be kept is kept, and nothing else. */
static void kept_descriptors(void) {
    const int keep[] = {40, 41};
    for (int fd = 39; fd <= 42; fd++) {
        CHECK(dup2(1, fd) == fd);
        CHECK(fcntl(fd, F_SETFD, fd == 41 ? FD_CLOEXEC : 0) == 0);
    }
    Host before = host_now();
    CHECK(shell("set -- /proc/self/fd/*; [ \"$*\" = '/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3 "
                "/proc/self/fd/40 /proc/self/fd/41' ]", NULL, keep, 2) == 0);
    errno = SENTINEL;
    host_is_unchanged(&before);
    CHECK(fcntl(41, F_GETFD) == FD_CLOEXEC && fcntl(42, F_GETFD) == 0);
}

static void handler(int number) {
    (void)number;
}

static void has_the_signals(void) {
    sigset_t mask;
    CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
    for (int number = 1; number <= 64; number++) {
        struct sigaction action;
        CHECK(sigismember(&mask, number) == (number == SIGUSR1) || number == 32 || number == 33);
        CHECK(sigaction(number, NULL, &action) == -1 || action.sa_handler == SIG_DFL);
    }
}

/* Dispositions are the defaults, the mask is the host's. */
static void signals(void) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    CHECK(sigprocmask(SIG_SETMASK, &mask, NULL) == 0);
    CHECK(signal(SIGUSR2, handler) != SIG_ERR && signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    /* This program as the App: a shell clears its mask. */
    char *arguments[] = {(char *)"program", (char *)"has_the_signals", NULL};
    RockerProgram program = {"/run/program", arguments, NULL, NULL, 0};
    CHECK(wait_for(execute(&program).result.app_pid) == 0);
    CHECK(signal(SIGUSR2, SIG_DFL) == handler && signal(SIGPIPE, SIG_DFL) == SIG_IGN);
}

static void pidfds(void) {
    char *arguments[] = {(char *)"sh", (char *)"-c", (char *)"read line; exit 9", NULL};
    RockerProgram program = {"/bin/sh", arguments, NULL, NULL, 0};
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0 && dup2(ends[0], 0) == 0);
    RockerApp app = execute(&program);
    CHECK(fcntl(app.app_pidfd, F_GETFD) == FD_CLOEXEC && fcntl(app.guard_pidfd, F_GETFD) == FD_CLOEXEC);
    struct pollfd polls[] = {{app.app_pidfd, POLLIN, 0}, {app.guard_pidfd, POLLIN, 0}};
    CHECK(poll(polls, 2, 0) == 0);
    CHECK(write(ends[1], "go\n", 3) == 3);
    CHECK(poll(polls, 1, 10000) == 1 && polls[0].revents & POLLIN);
    siginfo_t info;
    /* P_PIDFD, which older headers lack. */
    CHECK(waitid((idtype_t)3, (id_t)app.app_pidfd, &info, WEXITED) == 0);
    CHECK(info.si_pid == app.result.app_pid && info.si_code == CLD_EXITED && info.si_status == 9);
    CHECK(poll(polls + 1, 1, 10000) == 1 && polls[1].revents & POLLIN);
    CHECK(close(app.app_pidfd) == 0 && close(app.guard_pidfd) == 0);
}

static void *launch_often(void *unused) {
    for (int i = 0; i < 10; i++) {
        CHECK(shell("exit 3", NULL, NULL, 0) == 3);
        RockerProgram missing = {"/nowhere", (char *const[]){NULL}, NULL, NULL, 0};
        RockerRequest req = request();
        CHECK(ROCKER_launch_program(&req, &missing, NULL).result.err_no == ROCKER_ERR_app_exec_failed);
    }
    return unused;
}

/* The flag is the memory's, which child and host share for a moment. */
static void dumpable(void) {
    pthread_t threads[6];
    for (int flag = 0; flag <= 1; flag++) {
        CHECK(prctl(PR_SET_DUMPABLE, flag) == 0);
        for (size_t i = 0; i < 6; i++)
            CHECK(pthread_create(&threads[i], NULL, launch_often, NULL) == 0);
        for (size_t i = 0; i < 6; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(prctl(PR_GET_DUMPABLE) == flag);
    }
}

static double milliseconds(void) {
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int order(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

static double median(double *values, size_t count) {
    qsort(values, count, sizeof *values, order);
    return values[count / 2];
}

/* 60 launches, by turns with a small and with a large memory, all of it touched. */
static void cost(void) {
    static double small[30], large[30];
    const size_t size = 200u << 20;
    char *arguments[] = {(char *)"true", NULL};
    RockerProgram program = {"/bin/true", arguments, NULL, NULL, 0};
    wait_for(execute(&program).result.app_pid);
    for (int i = 0; i < 60; i++) {
        char *memory = (char *)MAP_FAILED;
        if (i % 2) {
            memory = (char *)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            CHECK(memory != MAP_FAILED);
            memset(memory, 1, size);
        }
        double start = milliseconds();
        RockerApp app = execute(&program);
        (i % 2 ? large : small)[i / 2] = milliseconds() - start;
        wait_for(app.result.app_pid);
        close(app.app_pidfd);
        close(app.guard_pidfd);
        if (i % 2)
            CHECK(munmap(memory, size) == 0);
    }
    printf("%f\n", median(large, 30) / median(small, 30));
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } CASES[] = {{"identity", identity}, {"environment", environment}, {"kept_descriptors", kept_descriptors},
                 {"signals", signals},   {"pidfds", pidfds},           {"dumpable", dumpable},
                 {"cost", cost},         {"has_the_signals", has_the_signals}};
    CHECK(argc > 1);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (strcmp(CASES[i].name, argv[1]) == 0) {
            CASES[i].run();
            puts("ok");
            return 0;
        }
    CHECK(!"a case");
}
