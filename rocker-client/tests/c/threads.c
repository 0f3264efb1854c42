/* Eight threads of an AppMaster launch at once, while others keep malloc busy. Usage: threads enter|mixed */
#include "host.h"

#include <dirent.h>
#include <pthread.h>

#define THREADS 8
#define ROUNDS 8

static char own[FDS];
static int mixed;
static volatile int busy = 1;
static int prepared, in_parent;
static pthread_mutex_t guarded = PTHREAD_MUTEX_INITIALIZER;

static void prepare(void) {
    pthread_mutex_lock(&guarded);
    prepared++;
}

static void parent(void) {
    in_parent++;
    pthread_mutex_unlock(&guarded);
}

static void release(void) {
    pthread_mutex_unlock(&guarded);
}

/* Pidfds of finished path launches are their callers', who close them: an App may have been forked in between. */
static int may_have(const char *link) {
    return mixed && strstr(link, "pidfd");
}

/* The App: malloc works, and so does what an atfork handler guards; every descriptor was the host's before. */
static int app(void *unused) {
    int count = 0, strange = 0;
    (void)unused;
    char *memory = (char *)malloc(100000);
    if (!memory || pthread_mutex_lock(&guarded) != 0)
        return 2;
    DIR *list = opendir("/proc/self/fd");
    if (!list)
        return 3;
    for (struct dirent *entry; (entry = readdir(list)) != NULL; count++) {
        char path[300], link[200] = "";
        int fd = (int)strtol(entry->d_name, NULL, 10);
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(list) || (fd < FDS && own[fd]))
            continue;
        if (readlink(path, link, sizeof link - 1) < 0 || !may_have(link)) {
            dprintf(2, "an App has %d: %s\n", fd, link);
            strange++;
        }
    }
    free(memory);
    /* Two dots, the standard three, the list itself. */
    return strange || count < 6 ? 4 : 7;
}

static void enter(void) {
    RockerRequest req = request();
    RockerResult result = ROCKER_enter_rocker(&req, app, NULL);
    CHECK(launched(result));
    CHECK(wait_for(result.app_pid) == 7);
}

/* The shell lists what it has: 0, 1, 2 and the descriptor of the list. */
static void execute(void) {
    static char script[] = "set -- /proc/self/fd/*; [ \"$*\" = '/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3' ]";
    char *arguments[] = {(char *)"sh", (char *)"-c", script, NULL};
    RockerProgram program = {"/bin/sh", arguments, NULL, NULL, 0};
    RockerRequest req = request();
    RockerApp made = ROCKER_launch_program(&req, &program, NULL);
    CHECK(launched(made.result));
    CHECK(close(made.app_pidfd) == 0 && close(made.guard_pidfd) == 0);
    CHECK(wait_for(made.result.app_pid) == 0);
}

static void *launch_often(void *number) {
    for (int round = 0; round < ROUNDS; round++)
        if (mixed && (round + (int)(size_t)number) % 2)
            execute();
        else
            enter();
    /* Another thread's failures are not this one's. */
    CHECK(ROCKER_last_failure().stage == 0);
    return NULL;
}

static void *keep_malloc_busy(void *unused) {
    for (size_t size = 1; busy; size = size % 60000 + 777) {
        char *memory = (char *)malloc(size);
        CHECK(memory);
        memory[size / 2] = 1;
        free(memory);
    }
    return unused;
}

static void *fail_often(void *unused) {
    while (busy)
        CHECK(ROCKER_enter_rocker(NULL, app, NULL).err_no == ROCKER_ERR_param_invalid);
    CHECK(ROCKER_last_failure().stage == 81);
    return unused;
}

int main(int argc, char **argv) {
    pthread_t launchers[THREADS], others[3];
    CHECK(argc > 1);
    mixed = strcmp(argv[1], "mixed") == 0;
    CHECK(pthread_atfork(prepare, parent, release) == 0);
    Host before = host_now();
    memcpy(own, before.open, sizeof own);
    enter();
    int forks = prepared;
    CHECK(pthread_create(&others[0], NULL, keep_malloc_busy, NULL) == 0);
    CHECK(pthread_create(&others[1], NULL, keep_malloc_busy, NULL) == 0);
    CHECK(pthread_create(&others[2], NULL, fail_often, NULL) == 0);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&launchers[i], NULL, launch_often, (void *)i) == 0);
    for (size_t i = 0; i < THREADS; i++)
        CHECK(pthread_join(launchers[i], NULL) == 0);
    busy = 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        CHECK(pthread_join(others[i], NULL) == 0);
    /* A path launch is no fork. */
    CHECK(prepared - forks == THREADS * ROUNDS / (mixed ? 2 : 1) && prepared == in_parent);
    errno = SENTINEL;
    host_is_unchanged(&before);
    host_has_no_child();
    puts("ok");
    return 0;
}
