/* The whole of lib.h, as somebody who knows nothing else would use it. */
#include "lib.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int app(void *args) {
    char text[64] = "";
    FILE *file = fopen("/run/exec/hello", "r");
    if (!file || !fgets(text, sizeof text, file) || strcmp(text, (char *)args) != 0)
        return 2;
    if (getuid() != 1000 || getgid() != 1000 || access("/run/exec/hello", W_OK) == 0)
        return 3;
    return 7;
}

int main(void) {
    char hello[] = "hello from the package\n";
    char package[] = "/run/app.sqfs", exec[] = "/run/exec", data[] = "/run/data", etc[] = "/etc";
    RockerRequest req = ROCKER_request_new();
    req.app_id = 1;
    req.uid = 1000;
    req.gid = 1000;
    req.app_pkg_path = package;
    req.app_exec_dir = exec;
    req.app_data_dir = data;
    req.app_overlay_dirs[0] = etc;
    RockerResult res = ROCKER_enter_rocker(&req, app, hello);
    if (res.err_no != ROCKER_ERR_success) {
        printf("err_no %d\n", res.err_no);
        return 1;
    }
    int status = 0;
    if (waitpid(res.app_pid, &status, 0) != res.app_pid || !WIFEXITED(status))
        return 1;
    printf("%d\n", WEXITSTATUS(status));
    return 0;
}
