/* The headers against the frozen numbers, as the compiler sees them. It is compiled and never run, so that it serves for
 * every target that there is a compiler for. With -DOFF_BY=1 every line is wrong. */
#include "rocker_ext.h"

#ifndef OFF_BY
#define OFF_BY 0
#endif

/* An array of -1 elements does not compile. C99 and C++98 have no static assertion. */
#define SAME(name, seen, frozen) typedef char same_##name[(long)(seen) == (long)(frozen) + OFF_BY ? 1 : -1]

#ifdef __LP64__
#define WIDTH(lp64, ilp32) lp64
#else
#define WIDTH(lp64, ilp32) ilp32
#endif

#define ALIGNED(type, frozen) \
    struct align_##type { \
        char before; \
        type it; \
    }; \
    SAME(align_of_##type, offsetof(struct align_##type, it), frozen)
#define SIZED(type, lp64, ilp32) SAME(size_of_##type, sizeof(type), WIDTH(lp64, ilp32))
#define FIELD(type, field, lp64, ilp32) SAME(type##_##field, offsetof(type, field), WIDTH(lp64, ilp32))

SIZED(RockerRequest, 168, 88);
ALIGNED(RockerRequest, WIDTH(8, 4));
FIELD(RockerRequest, app_id, 0, 0);
FIELD(RockerRequest, uid, 4, 4);
FIELD(RockerRequest, gid, 8, 8);
FIELD(RockerRequest, app_pkg_path, 16, 12);
FIELD(RockerRequest, app_exec_dir, 24, 16);
FIELD(RockerRequest, app_data_dir, 32, 20);
FIELD(RockerRequest, app_overlay_dirs, 40, 24);

SIZED(RockerResult, 28, 28);
ALIGNED(RockerResult, 4);
FIELD(RockerResult, err_no, 0, 0);
FIELD(RockerResult, app_pid, 4, 4);
FIELD(RockerResult, guard_pid, 8, 8);
FIELD(RockerResult, guard_pname, 12, 12);

SIZED(RockerFailure, 64, 64);
FIELD(RockerFailure, stage, 0, 0);
FIELD(RockerFailure, error, 4, 4);
FIELD(RockerFailure, index, 8, 8);
FIELD(RockerFailure, text, 12, 12);

SIZED(RockerApp, 36, 36);
FIELD(RockerApp, result, 0, 0);
FIELD(RockerApp, app_pidfd, 28, 28);
FIELD(RockerApp, guard_pidfd, 32, 32);

SIZED(RockerProgram, 40, 20);
FIELD(RockerProgram, path, 0, 0);
FIELD(RockerProgram, argv, 8, 4);
FIELD(RockerProgram, envp, 16, 8);
FIELD(RockerProgram, keep_fds, 24, 12);
FIELD(RockerProgram, keep_fds_len, 32, 16);

SIZED(RockerOptions, 48, 36);
FIELD(RockerOptions, size, 0, 0);
FIELD(RockerOptions, data, 8, 4);
FIELD(RockerOptions, data_size, 12, 8);
FIELD(RockerOptions, data_keep, 16, 12);
FIELD(RockerOptions, no_overlays, 20, 16);
FIELD(RockerOptions, seccomp, 24, 20);
FIELD(RockerOptions, seccomp_log, 28, 24);
FIELD(RockerOptions, seccomp_policy, 32, 28);
FIELD(RockerOptions, network, 40, 32);

SIZED(ROCKER_ERR, 4, 4);
/* Each value is a macro of its own name too: where it is not, #ifdef would take the other branch. */
#if defined ROCKER_ERR_unknown && defined ROCKER_ERR_success && defined ROCKER_ERR_sys
SAME(unknown, ROCKER_ERR_unknown, -1);
SAME(success, ROCKER_ERR_success, 0);
SAME(sys, ROCKER_ERR_sys, 1);
#else
#error "a macro is missing"
#endif
#if defined ROCKER_ERR_param_invalid && defined ROCKER_ERR_server_unaddr_invalid \
    && defined ROCKER_ERR_gen_local_addr_failed
SAME(param_invalid, ROCKER_ERR_param_invalid, 2);
SAME(server_unaddr_invalid, ROCKER_ERR_server_unaddr_invalid, 3);
SAME(gen_local_addr_failed, ROCKER_ERR_gen_local_addr_failed, 4);
#else
#error "a macro is missing"
#endif
#if defined ROCKER_ERR_send_req_failed && defined ROCKER_ERR_recv_resp_failed \
    && defined ROCKER_ERR_build_rocker_failed
SAME(send_req_failed, ROCKER_ERR_send_req_failed, 5);
SAME(recv_resp_failed, ROCKER_ERR_recv_resp_failed, 6);
SAME(build_rocker_failed, ROCKER_ERR_build_rocker_failed, 7);
#else
#error "a macro is missing"
#endif
#if defined ROCKER_ERR_enter_rocker_failed && defined ROCKER_ERR_app_exec_failed \
    && defined ROCKER_ERR_get_guardname_failed
SAME(enter_rocker_failed, ROCKER_ERR_enter_rocker_failed, 8);
SAME(app_exec_failed, ROCKER_ERR_app_exec_failed, 9);
SAME(get_guardname_failed, ROCKER_ERR_get_guardname_failed, 10);
#else
#error "a macro is missing"
#endif

/* Compiles only if the functions are of exactly these types. */
extern RockerResult (*enter)(RockerRequest *, int (*)(void *), void *);
RockerResult (*enter)(RockerRequest *, int (*)(void *), void *) = ROCKER_enter_rocker;
extern RockerResult (*name)(int);
RockerResult (*name)(int) = ROCKER_get_guardname;
extern RockerRequest (*empty)(void);
RockerRequest (*empty)(void) = ROCKER_request_new;
extern RockerFailure (*why)(void);
RockerFailure (*why)(void) = ROCKER_last_failure;
extern RockerApp (*callback)(const RockerRequest *, int (*)(void *), void *, const RockerOptions *);
RockerApp (*callback)(const RockerRequest *, int (*)(void *), void *, const RockerOptions *) = ROCKER_launch_callback;
extern RockerApp (*path)(const RockerRequest *, const RockerProgram *, const RockerOptions *);
RockerApp (*path)(const RockerRequest *, const RockerProgram *, const RockerOptions *) = ROCKER_launch_program;
