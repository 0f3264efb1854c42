/* An App as a child of its AppMaster: how it ends, and what that leaves. Usage: life CASE [NUMBER] */
#include "host.h"

#include <sys/prctl.h>
#include <sys/time.h>

static int returns(void *status) {
    return *(int *)status;
}

static int dies(void *number) {
    raise(*(int *)number);
    pause();
    return 0;
}

static RockerResult enter(int (*app)(void *), void *argument) {
    RockerRequest req = request();
    RockerResult result = ROCKER_enter_rocker(&req, app, argument);
    CHECK(launched(result));
    return result;
}

static volatile sig_atomic_t children, child;

static void child_ended(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    children++;
    child = info->si_pid;
}

/* The exit status by wait(2), and one SIGCHLD that names the App. */
static void status(int number) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = child_ended;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    RockerResult result = enter(returns, &number);
    printf("%d\n", wait_for(result.app_pid));
    CHECK(children == 1 && child == result.app_pid);
}

static void death(int number) {
    printf("%d\n", wait_for(enter(dies, &number).app_pid));
}

/* An AppMaster that does not want to hear of its children: the kernel reaps them, also those of failed launches. */
static void unheard(int number) {
    int ends[2];
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    CHECK(pipe(ends) == 0);
    enter(returns, &number);
    close(ends[1]);
    /* The end of the file comes with the end of the App. */
    char byte;
    CHECK(read(ends[0], &byte, 1) == 0);
    CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
    RockerRequest req = request();
    char *arguments[] = {NULL};
    RockerProgram program = {"/nowhere", arguments, NULL, NULL, 0};
    CHECK(ROCKER_launch_program(&req, &program, NULL).result.err_no == ROCKER_ERR_app_exec_failed);
    CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
    puts("unheard");
}

static volatile sig_atomic_t alarms;

static void alarmed(int number) {
    (void)number;
    alarms++;
}

/* A handler without SA_RESTART every 100 us changes nothing. */
static void storm(int number) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = alarmed;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    struct itimerval timer = {{0, 100}, {0, 100}};
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    RockerRequest req = request();
    char *arguments[] = {(char *)"true", NULL};
    RockerProgram program = {"/bin/true", arguments, NULL, NULL, 0};
    for (int i = 0; i < 50; i++) {
        CHECK(wait_for(enter(returns, &number).app_pid) == number);
        RockerApp app = ROCKER_launch_program(&req, &program, NULL);
        CHECK(launched(app.result) && wait_for(app.result.app_pid) == 0);
        close(app.app_pidfd);
        close(app.guard_pidfd);
    }
    timer.it_interval.tv_usec = timer.it_value.tv_usec = 0;
    CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
    CHECK(alarms > 100);
    puts("storm");
}

static void at_exit(void) {
    printf("atexit\n");
}

/* What stands in the buffer is the parent's to write, and its handlers are the parent's to run. */
static void buffers(int number) {
    CHECK(atexit(at_exit) == 0);
    printf("buffered\n");
    CHECK(wait_for(enter(returns, &number).app_pid) == number);
    printf("after\n");
}

static int has_mask(void *mask) {
    sigset_t now;
    CHECK(sigprocmask(SIG_BLOCK, NULL, &now) == 0);
    for (int number = 1; number <= 64; number++)
        if (sigismember(&now, number) != sigismember((sigset_t *)mask, number))
            return number;
    return 0;
}

/* 200 launches that succeed and 60 that fail, with a signal mask of the host's own. */
static void unchanged(int number) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGRTMAX);
    CHECK(sigprocmask(SIG_SETMASK, &mask, NULL) == 0);
    wait_for(enter(returns, &number).app_pid);
    Host before = host_now();
    for (int i = 0; i < 260; i++) {
        RockerRequest req = request();
        if (i % 13 < 3)
            req.app_pkg_path = (char *)(i % 2 ? "/run/nothing.sqfs" : "relative");
        RockerResult result = ROCKER_enter_rocker(&req, has_mask, &mask);
        CHECK((result.err_no == ROCKER_ERR_success) == (req.app_pkg_path[0] == '/' && req.app_pkg_path[5] == 'a'));
        host_is_unchanged(&before);
        if (result.err_no == ROCKER_ERR_success)
            CHECK(wait_for(result.app_pid) == 0);
        host_has_no_child();
    }
    puts("unchanged");
}

/* The name that a launch gives is the one that is read back, until the guard is gone. */
static void guard_name(int number) {
    RockerResult result = enter(dies, &number);
    RockerResult name = ROCKER_get_guardname(result.guard_pid);
    CHECK(name.err_no == ROCKER_ERR_success && name.guard_pid == result.guard_pid);
    CHECK(memcmp(name.guard_pname, result.guard_pname, 16) == 0);
    CHECK(kill(result.guard_pid, SIGKILL) == 0);
    CHECK(wait_for(result.app_pid) == 128 + SIGKILL);
    while (ROCKER_get_guardname(result.guard_pid).err_no == ROCKER_ERR_success)
        usleep(200);
    puts("guard_name");
}

static void any_name(int number) {
    static const char *const NAMES[] = {"a) (b", "x y", ")", "((((", "fifteen letters", ") S 1 (", "two\nlines\n", "\\n", ""};
    (void)number;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char expected[16] = "";
        CHECK(prctl(PR_SET_NAME, NAMES[i]) == 0);
        strncpy(expected, NAMES[i], 15);
        RockerResult result = ROCKER_get_guardname(getpid());
        CHECK(result.err_no == ROCKER_ERR_success && result.guard_pid == getpid() && result.app_pid == -1);
        CHECK(memcmp(result.guard_pname, expected, 16) == 0);
    }
    puts("any_name");
}

/* No such process: at no number, and at that of a child that has been reaped. */
static void no_name(int number) {
    pid_t gone = fork();
    CHECK(gone >= 0);
    if (gone == 0)
        _exit(number);
    wait_for(gone);
    const int pids[] = {gone, 0, -1, -2147483647 - 1, 2147483647};
    Host before = host_now();
    for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
        static const char nothing[16];
        RockerResult result = ROCKER_get_guardname(pids[i]);
        CHECK(result.err_no == ROCKER_ERR_get_guardname_failed);
        CHECK(result.app_pid == -1 && result.guard_pid == -1 && memcmp(result.guard_pname, nothing, 16) == 0);
        RockerFailure why = ROCKER_last_failure();
        CHECK(why.stage == 82 && why.error == ESRCH && why.index == -1 && strcmp(why.text, "guard-name: ESRCH") == 0);
        host_is_unchanged(&before);
    }
    puts("no_name");
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(int);
    } CASES[] = {{"status", status}, {"death", death},         {"unheard", unheard},       {"storm", storm},
                 {"buffers", buffers}, {"unchanged", unchanged}, {"guard_name", guard_name}, {"any_name", any_name},
                 {"no_name", no_name}};
    CHECK(argc > 1);
    int number = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (strcmp(CASES[i].name, argv[1]) == 0) {
            CASES[i].run(number);
            return 0;
        }
    CHECK(!"a case");
}
