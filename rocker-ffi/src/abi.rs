//! The types of `lib.h`, and how a failure becomes a `ROCKER_ERR`.
#![allow(
    non_camel_case_types,
    clippy::enum_variant_names,
    reason = "the names are those of the C header"
)]

use core::ffi::{c_char, c_int};
use core::mem::{align_of, offset_of, size_of};
use core::ptr;
use rocker_client::{Failure, Launched, Stage};

/// `ROCKER_ERR` of `err_no.h`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(
    dead_code,
    missing_docs,
    reason = "all of them are part of the interface; the header documents each"
)]
pub enum ROCKER_ERR {
    ROCKER_ERR_unknown = -1,
    ROCKER_ERR_success = 0,
    ROCKER_ERR_sys,
    ROCKER_ERR_param_invalid,
    ROCKER_ERR_server_unaddr_invalid,
    ROCKER_ERR_gen_local_addr_failed,
    ROCKER_ERR_send_req_failed,
    ROCKER_ERR_recv_resp_failed,
    ROCKER_ERR_build_rocker_failed,
    ROCKER_ERR_enter_rocker_failed,
    ROCKER_ERR_app_exec_failed,
    ROCKER_ERR_get_guardname_failed,
}

/// `RockerResult` of `lib.h`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RockerResult {
    /// What happened.
    pub err_no: ROCKER_ERR,
    /// The App, a child of the caller.
    pub app_pid: c_int,
    /// Its guard.
    pub guard_pid: c_int,
    /// The guard's name.
    pub guard_pname: [c_char; 16],
}

/// `RockerRequest` of `lib.h`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RockerRequest {
    /// The caller's own number for the App.
    pub app_id: c_int,
    /// The App's user id.
    pub uid: c_int,
    /// The App's group id.
    pub gid: c_int,
    /// The package.
    pub app_pkg_path: *mut c_char,
    /// Where it is mounted.
    pub app_exec_dir: *mut c_char,
    /// Where changes are kept.
    pub app_data_dir: *mut c_char,
    /// What may be changed.
    pub app_overlay_dirs: [*mut c_char; 16],
}

#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(size_of::<RockerRequest>() == 168 && align_of::<RockerRequest>() == 8);
    assert!(
        offset_of!(RockerRequest, app_pkg_path) == 16
            && offset_of!(RockerRequest, app_overlay_dirs) == 40
    );
};
#[cfg(target_pointer_width = "32")]
const _: () = {
    assert!(size_of::<RockerRequest>() == 88 && align_of::<RockerRequest>() == 4);
    assert!(
        offset_of!(RockerRequest, app_pkg_path) == 12
            && offset_of!(RockerRequest, app_overlay_dirs) == 24
    );
};
const _: () = {
    assert!(size_of::<RockerResult>() == 28 && align_of::<RockerResult>() == 4);
    assert!(offset_of!(RockerResult, guard_pname) == 12);
};

impl RockerRequest {
    const ZERO: Self = Self {
        app_id: 0,
        uid: 0,
        gid: 0,
        app_pkg_path: ptr::null_mut(),
        app_exec_dir: ptr::null_mut(),
        app_data_dir: ptr::null_mut(),
        app_overlay_dirs: [ptr::null_mut(); 16],
    };

    /// Null pointers, and ids that are none. Cleared and then set: as one constant it would be 168 bytes of every program.
    pub(crate) fn new() -> Self {
        let mut new = Self::ZERO;
        (new.app_id, new.uid, new.gid) = (-1, -1, -1);
        new
    }
}

impl RockerResult {
    pub(crate) fn of(launched: &Launched) -> Self {
        Self {
            err_no: ROCKER_ERR::ROCKER_ERR_success,
            app_pid: launched.app_pid,
            guard_pid: launched.guard_pid,
            guard_pname: c_chars(&launched.guard_name),
        }
    }

    pub(crate) fn failed(failure: &Failure) -> Self {
        Self {
            err_no: code_of(failure.stage),
            app_pid: -1,
            guard_pid: -1,
            guard_pname: [0; 16],
        }
    }
}

/// Bytes as C characters, which are signed on some architectures.
pub(crate) fn c_chars(bytes: &[u8; 16]) -> [c_char; 16] {
    // SAFETY: the same bytes; every one is a character.
    unsafe { core::mem::transmute(*bytes) }
}

/// Where the stages of the client begin, and where those that anybody knows end.
const CLIENT: u16 = Stage::SOCKET_PATH.raw();
const END: u16 = Stage::GUARD_NAME.raw() + 1;

/// The code of a stage. Those of the client are looked up: a `match` would bring a table four times as large.
fn code_of(stage: Stage) -> ROCKER_ERR {
    #[expect(clippy::indexing_slicing, reason = "the compiler does it, once")]
    static CODES: [i8; (END - CLIENT) as usize] = {
        let mut codes = [0; (END - CLIENT) as usize];
        let mut stage = CLIENT;
        while stage < END {
            codes[(stage - CLIENT) as usize] = client_code(Stage::from_raw(stage)) as i8;
            stage += 1;
        }
        codes
    };
    if stage >= Stage::REQUEST && stage < Stage::SOCKET_PATH {
        // Everything that master and guard say, stages of newer ones included.
        return ROCKER_ERR::ROCKER_ERR_build_rocker_failed;
    }
    let code = CODES.get(usize::from(stage.raw().wrapping_sub(CLIENT)));
    let code = *code.unwrap_or(&(ROCKER_ERR::ROCKER_ERR_unknown as i8));
    // SAFETY: each is the number of one of them.
    unsafe { core::mem::transmute(i32::from(code)) }
}

const fn client_code(stage: Stage) -> ROCKER_ERR {
    use ROCKER_ERR::*;
    match stage {
        Stage::PLUMBING => ROCKER_ERR_sys,
        Stage::ARGUMENT => ROCKER_ERR_param_invalid,
        Stage::SOCKET_PATH => ROCKER_ERR_server_unaddr_invalid,
        Stage::SOCKET => ROCKER_ERR_gen_local_addr_failed,
        Stage::CONNECT | Stage::MASTER | Stage::REQUEST_SIZE | Stage::SEND => {
            ROCKER_ERR_send_req_failed
        }
        Stage::ANSWER | Stage::REPLY => ROCKER_ERR_recv_resp_failed,
        Stage::JOIN_PID
        | Stage::ANNOUNCE
        | Stage::GROUPS
        | Stage::JOIN
        | Stage::IDENTITY
        | Stage::CHDIR => ROCKER_ERR_enter_rocker_failed,
        Stage::FORK | Stage::EXEC => ROCKER_ERR_app_exec_failed,
        Stage::GUARD_NAME => ROCKER_ERR_get_guardname_failed,
        _ => ROCKER_ERR_unknown,
    }
}
