/* RockerOptions, through both doors. Usage: options CASE */
#include "host.h"

/* Runs a line of shell; gives its exit status, or the negative error of a launch that failed. */
static int shell(RockerRequest *req, const char *line, const RockerOptions *options) {
    char *arguments[] = {(char *)"sh", (char *)"-c", (char *)line, NULL};
    RockerProgram program = {"/bin/sh", arguments, NULL, NULL, 0};
    RockerApp app = ROCKER_launch_program(req, &program, options);
    if (app.result.err_no != ROCKER_ERR_success)
        return -(int)app.result.err_no;
    CHECK(close(app.app_pidfd) == 0 && close(app.guard_pidfd) == 0);
    return wait_for(app.result.app_pid);
}

static int count_overlays(void *unused) {
    (void)unused;
    FILE *mounts = fopen("/proc/self/mounts", "r");
    char line[4096];
    int count = 0;
    while (mounts && fgets(line, sizeof line, mounts))
        count += strstr(line, " overlay ") != NULL;
    return count;
}

/* The same by a callback; gives the number of overlays. */
static int overlays(RockerRequest *req, const RockerOptions *options) {
    RockerApp app = ROCKER_launch_callback(req, count_overlays, NULL, options);
    if (app.result.err_no != ROCKER_ERR_success)
        return -(int)app.result.err_no;
    CHECK(close(app.app_pidfd) == 0 && close(app.guard_pidfd) == 0);
    return wait_for(app.result.app_pid);
}

static void defaults(void) {
    RockerRequest req = request();
    RockerOptions zeroes = {sizeof zeroes, 0, 0, 0, 0, 0, 0, NULL, 0};
    CHECK(overlays(&req, NULL) == 1 && overlays(&req, &zeroes) == 1);
    CHECK(shell(&req, "grep -q ' overlay ' /proc/self/mounts", NULL) == 0);
    CHECK(shell(&req, "grep -q ' overlay ' /proc/self/mounts", &zeroes) == 0);
}

static void no_overlays(void) {
    RockerRequest req = request();
    req.app_overlay_dirs[0] = NULL;
    req.app_data_dir = NULL;
    RockerOptions none = {sizeof none, 0, 0, 0, 1, 0, 0, NULL, 0};
    CHECK(overlays(&req, &none) == 0);
    CHECK(shell(&req, "grep -q ' overlay ' /proc/self/mounts", &none) == 1);
    CHECK(shell(&req, "read text < /run/exec/hello && [ \"$text\" = 'hello from the package' ]", &none) == 0);
    CHECK(access("/run/data/.rocker", F_OK) == -1);
}

/* As a program passes them that was compiled with the header of a later version. */
static void later_fields(void) {
    struct {
        RockerOptions known;
        int later[4];
    } options;
    memset(&options, 0, sizeof options);
    options.known.size = sizeof options;
    RockerRequest req = request();
    CHECK(overlays(&req, &options.known) == 1);
    CHECK(shell(&req, "exit 5", &options.known) == 5);
    options.later[3] = 1;
    CHECK(overlays(&req, &options.known) == -ROCKER_ERR_param_invalid);
    CHECK(strcmp(ROCKER_last_failure().text, "argument: E2BIG") == 0);
    CHECK(shell(&req, "exit 5", &options.known) == -ROCKER_ERR_param_invalid);
}

/* A file written in one launch, and whether the next one finds it. */
static void modes(void) {
    RockerRequest req = request();
    RockerOptions tmpfs = {sizeof tmpfs, ROCKER_DATA_TMPFS, 256, 0, 0, 0, 0, NULL, 0};
    req.app_data_dir = NULL;
    CHECK(shell(&req, "echo x > /etc/new && [ $(stat -f -c %b /etc) = 64 ]", &tmpfs) == 0);
    CHECK(shell(&req, "[ -e /etc/new ]", &tmpfs) == 1);
    CHECK(shell(&req, "head -c 300000 /dev/zero > /etc/new 2> /dev/null", &tmpfs) == 1);
    CHECK(overlays(&req, &tmpfs) == 1);

    RockerOptions volatile_ = {sizeof volatile_, ROCKER_DATA_VOLATILE, 0, 0, 0, 0, 0, NULL, 0};
    CHECK(shell(&req, "exit 5", &volatile_) == -ROCKER_ERR_build_rocker_failed);
    CHECK(strcmp(ROCKER_last_failure().text, "data-dir-path: EINVAL") == 0);
    req.app_data_dir = (char *)"/run/data";
    CHECK(shell(&req, "echo x > /etc/new && grep -q 'overlay.*volatile' /proc/self/mounts", &volatile_) == 0);
    CHECK(shell(&req, "[ -e /etc/new ] && grep -q 'overlay.*volatile' /proc/self/mounts", &volatile_) == 0);
    CHECK(overlays(&req, &volatile_) == 1);
    CHECK(shell(&req, "[ -e /etc/new ] && ! grep -q 'overlay.*volatile' /proc/self/mounts", NULL) == 0);
}

static void refusals(void) {
    const size_t sizes[] = {0, 1, sizeof(RockerOptions) - 1, 4097, (size_t)-1};
    RockerRequest req = request();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        RockerOptions options = {sizes[i], 0, 0, 0, 0, 0, 0, NULL, 0};
        CHECK(overlays(&req, &options) == -ROCKER_ERR_param_invalid);
        CHECK(strcmp(ROCKER_last_failure().text, "argument: EINVAL") == 0);
        CHECK(shell(&req, "exit 5", &options) == -ROCKER_ERR_param_invalid);
    }
    const int modes[] = {-1, 3, 255, 256, 257, 1 << 30};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        RockerOptions options = {sizeof options, modes[i], 0, 0, 0, 0, 0, NULL, 0};
        CHECK(overlays(&req, &options) == -ROCKER_ERR_build_rocker_failed);
        CHECK(strcmp(ROCKER_last_failure().text, "data-mode: EINVAL") == 0);
    }
    RockerOptions size = {sizeof size, ROCKER_DATA_DISK, 64, 0, 0, 0, 0, NULL, 0}, keep = {sizeof keep, ROCKER_DATA_VOLATILE, 0, 1, 0, 0, 0, NULL, 0};
    CHECK(overlays(&req, &size) == -ROCKER_ERR_build_rocker_failed);
    CHECK(strcmp(ROCKER_last_failure().text, "data-size: EINVAL") == 0);
    CHECK(overlays(&req, &keep) == -ROCKER_ERR_build_rocker_failed);
    CHECK(strcmp(ROCKER_last_failure().text, "data-keep: EINVAL") == 0);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*run)(void);
    } CASES[] = {{"defaults", defaults}, {"no_overlays", no_overlays}, {"later_fields", later_fields}, {"modes", modes}, {"refusals", refusals}};
    CHECK(argc > 1);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        if (strcmp(CASES[i].name, argv[1]) == 0) {
            CASES[i].run();
            puts("ok");
            return 0;
        }
    CHECK(!"a case");
}
