/* A request with nothing in it, in memory that was not empty. */
#include "lib.h"

#include <stdio.h>
#include <string.h>

int main(void) {
    RockerRequest req;
    memset(&req, 0x5a, sizeof req);
    req = ROCKER_request_new();
    int filled = req.app_pkg_path || req.app_exec_dir || req.app_data_dir;
    for (int i = 0; i < 16; i++)
        filled = filled || req.app_overlay_dirs[i];
    printf("%d %d %d %s\n", req.app_id, req.uid, req.gid, filled ? "filled" : "empty");
    return filled;
}
