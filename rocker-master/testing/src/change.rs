//! The same launch with one thing changed.

use crate::files::overlays;
use rocker_client::Request;
use std::ffi::CStr;

/// Other ids.
pub fn with_ids<'a>(request: &Request<'a>, app_id: i32, uid: u32, gid: u32) -> Request<'a> {
    Request {
        app_id,
        uid,
        gid,
        ..*request
    }
}

/// Another package.
pub fn with_package<'a>(request: &Request<'a>, package: &'a CStr) -> Request<'a> {
    Request {
        package,
        ..*request
    }
}

/// Another exec directory.
pub fn with_exec_dir<'a>(request: &Request<'a>, exec_dir: &'a CStr) -> Request<'a> {
    Request {
        exec_dir,
        ..*request
    }
}

/// Another data directory.
pub fn with_data_dir<'a>(request: &Request<'a>, data_dir: &'a CStr) -> Request<'a> {
    Request {
        data_dir,
        ..*request
    }
}

/// Other overlays.
pub fn with_overlays<'a>(request: &Request<'a>, paths: &[&'a CStr]) -> Request<'a> {
    Request {
        overlays: overlays(paths),
        ..*request
    }
}
