/* One launch by a door, with a request, limits and forbidden system calls as the arguments say:
 *
 *   probe enter|callback|program KEY=VALUE...
 *
 * Prints what the launch said. Fails if a failed launch has changed anything of the host's. */
#include "host.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

static RockerRequest req;
static RockerRequest *req_pointer = &req;
static int (*app_pointer)(void *);
static const char *path = "/bin/true";
static char *const arguments[] = {(char *)"true", NULL};
static RockerProgram program;

static int app(void *unused) {
    (void)unused;
    return 0;
}

static const struct {
    const char *name;
    int number;
} CALLS[] = {
    {"clone", SYS_clone},           {"sendmsg", SYS_sendmsg},       {"setns", SYS_setns},
    {"setgroups", SYS_setgroups},   {"setresgid", SYS_setresgid},   {"setresuid", SYS_setresuid},
    {"chdir", SYS_chdir},           {"socketpair", SYS_socketpair}, {"rt_sigprocmask", SYS_rt_sigprocmask},
    {"pidfd_open", SYS_pidfd_open}, {"prctl", SYS_prctl},           {"capset", SYS_capset},
};

static void filter(int number, unsigned argument, unsigned value, int any, unsigned action) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * argument),
        BPF_JUMP(BPF_JMP | (any ? BPF_JGE : BPF_JEQ) | BPF_K, any ? 0 : value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog all = {sizeof code / sizeof *code, code};
    CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &all) == 0);
}

/* NAME:ERRNO or NAME:ERRNO:ARGUMENT:VALUE; the errno 0 stands for being killed. */
static void deny(const char *rule) {
    char name[32];
    unsigned error, argument = 0, value = 0;
    int fields = sscanf(rule, "%31[^:]:%u:%u:%i", name, &error, &argument, (int *)&value);
    CHECK(fields == 2 || fields == 4);
    for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++)
        if (strcmp(CALLS[i].name, name) == 0) {
            unsigned action = error ? SECCOMP_RET_ERRNO | error : SECCOMP_RET_KILL_PROCESS;
            filter(CALLS[i].number, argument, value, fields == 2, action);
            return;
        }
    CHECK(!"a call of the table");
}

static void limit_descriptors(int number) {
    struct rlimit limit = {(rlim_t)number, (rlim_t)number};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void become(int id) {
    CHECK(syscall(SYS_setgroups, 0, NULL) == 0);
    CHECK(setresgid((gid_t)id, (gid_t)id, (gid_t)id) == 0 && setresuid((uid_t)id, (uid_t)id, (uid_t)id) == 0);
}

static void alarmed(int number) {
    (void)number;
}

/* A handler without SA_RESTART, every so many microseconds. */
static void storm(int interval) {
    struct sigaction action;
    struct itimerval timer = {{0, interval}, {0, interval}};
    memset(&action, 0, sizeof action);
    action.sa_handler = alarmed;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static int is(const char *option, const char *key, const char **value) {
    size_t length = strlen(key);
    *value = option + length + 1;
    return strncmp(option, key, length) == 0 && option[length] == '=';
}

static void set(const char *option) {
    static int keep;
    const char *value;
    if (is(option, "app_id", &value)) req.app_id = (int)strtol(value, NULL, 10);
    else if (is(option, "uid", &value)) req.uid = (int)strtol(value, NULL, 10);
    else if (is(option, "gid", &value)) req.gid = (int)strtol(value, NULL, 10);
    else if (is(option, "package", &value)) req.app_pkg_path = *value ? (char *)value : NULL;
    else if (is(option, "exec", &value)) req.app_exec_dir = *value ? (char *)value : NULL;
    else if (is(option, "data", &value)) req.app_data_dir = *value ? (char *)value : NULL;
    else if (is(option, "overlay2", &value)) req.app_overlay_dirs[2] = (char *)value;
    else if (is(option, "path", &value)) path = *value ? value : NULL;
    else if (is(option, "null", &value)) {
        if (strcmp(value, "req") == 0) req_pointer = NULL;
        else if (strcmp(value, "app") == 0) app_pointer = NULL;
        else if (strcmp(value, "argv") == 0) program.argv = NULL;
        else program.keep_fds_len = 1;
    } else if (is(option, "keep", &value)) {
        keep = (int)strtol(value, NULL, 10);
        program.keep_fds = &keep;
        program.keep_fds_len = 1;
    } else if (is(option, "deny", &value)) deny(value);
    else if (is(option, "nofile", &value)) limit_descriptors((int)strtol(value, NULL, 10));
    else if (is(option, "storm", &value)) storm((int)strtol(value, NULL, 10));
    else if (is(option, "become", &value)) become((int)strtol(value, NULL, 10));
    else CHECK(!"a known option");
}

static RockerResult launch(const char *door) {
    if (strcmp(door, "enter") == 0)
        return ROCKER_enter_rocker(req_pointer, app_pointer, NULL);
    program.path = path;
    RockerApp made = strcmp(door, "program") == 0 ? ROCKER_launch_program(req_pointer, &program, NULL)
                                                  : ROCKER_launch_callback(req_pointer, app_pointer, NULL, NULL);
    if (made.result.err_no == ROCKER_ERR_success) {
        CHECK(close(made.app_pidfd) == 0 && close(made.guard_pidfd) == 0);
        errno = SENTINEL;
    } else
        CHECK(made.app_pidfd == -1 && made.guard_pidfd == -1);
    return made.result;
}

int main(int argc, char **argv) {
    static const char nothing[16];
    CHECK(argc > 1);
    req = request();
    app_pointer = app;
    program.argv = arguments;
    Host before = host_now();
    for (int i = 2; i < argc; i++)
        set(argv[i]);
    errno = SENTINEL;
    RockerResult result = launch(argv[1]);
    CHECK(errno == SENTINEL);
    for (int fd = 0; fd < FDS; fd++)
        CHECK((fcntl(fd, F_GETFD) != -1) == before.open[fd]);
    if (result.err_no == ROCKER_ERR_success) {
        printf("0 %d\n", wait_for(result.app_pid));
        return 0;
    }
    CHECK(result.app_pid == -1 && result.guard_pid == -1);
    CHECK(memcmp(result.guard_pname, nothing, sizeof nothing) == 0);
    host_has_no_child();
    RockerFailure why = ROCKER_last_failure();
    printf("%d %d %d %d %s\n", result.err_no, why.stage, why.error, why.index, why.text);
    return 0;
}
