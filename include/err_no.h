/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What a call of lib.h can say. The values are frozen. */
#ifndef ROCKER_ERR_NO_H
#define ROCKER_ERR_NO_H

typedef enum {
    /* Something that this list has no word for. */
    ROCKER_ERR_unknown = -1,
    ROCKER_ERR_success = 0,
    /* The library's own plumbing failed: a pipe, the signal mask. */
    ROCKER_ERR_sys,
    /* The request or the App's function is NULL. */
    ROCKER_ERR_param_invalid,
    /* The path of the master's socket is too long for an address. */
    ROCKER_ERR_server_unaddr_invalid,
    /* No socket could be had (EMFILE and the like). */
    ROCKER_ERR_gen_local_addr_failed,
    /* No master, or one that is not root or does not listen to us, or the request is too large for a packet. */
    ROCKER_ERR_send_req_failed,
    /* No answer before the deadline, or the master vanished. */
    ROCKER_ERR_recv_resp_failed,
    /* The request was refused, or the sandbox could not be built. */
    ROCKER_ERR_build_rocker_failed,
    /* The App's process could not enter the sandbox or take on its identity. */
    ROCKER_ERR_enter_rocker_failed,
    /* No process could be made for the App, or it could not be executed. */
    ROCKER_ERR_app_exec_failed,
    /* There is no such process, or its name could not be read. */
    ROCKER_ERR_get_guardname_failed
} ROCKER_ERR;

#define ROCKER_ERR_unknown ROCKER_ERR_unknown
#define ROCKER_ERR_success ROCKER_ERR_success
#define ROCKER_ERR_sys ROCKER_ERR_sys
#define ROCKER_ERR_param_invalid ROCKER_ERR_param_invalid
#define ROCKER_ERR_server_unaddr_invalid ROCKER_ERR_server_unaddr_invalid
#define ROCKER_ERR_gen_local_addr_failed ROCKER_ERR_gen_local_addr_failed
#define ROCKER_ERR_send_req_failed ROCKER_ERR_send_req_failed
#define ROCKER_ERR_recv_resp_failed ROCKER_ERR_recv_resp_failed
#define ROCKER_ERR_build_rocker_failed ROCKER_ERR_build_rocker_failed
#define ROCKER_ERR_enter_rocker_failed ROCKER_ERR_enter_rocker_failed
#define ROCKER_ERR_app_exec_failed ROCKER_ERR_app_exec_failed
#define ROCKER_ERR_get_guardname_failed ROCKER_ERR_get_guardname_failed

#endif
