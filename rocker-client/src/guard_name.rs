//! Reading a guard's name back.

use rocker_proto::limits::NAME_SIZE;
use rocker_proto::{At, Failure, Stage};
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::{Errno, StackPath, fs};

/// The name of a process, NUL-padded: what is in `/proc/PID/comm`, without its newline (`proc_pid_comm(5)`). It may hold any
/// byte, which `/proc/PID/stat` would show in another way.
///
/// # Errors
/// `ESRCH`: no such process. Else as `open(2)`.
pub fn guard_name(pid: i32) -> Result<[u8; NAME_SIZE], Failure> {
    read(pid).at(Stage::GUARD_NAME)
}

fn read(pid: i32) -> Result<[u8; NAME_SIZE], Errno> {
    if pid <= 0 {
        return Err(Errno::ESRCH);
    }
    let path = StackPath::<32>::numbered(b"/proc/", pid.unsigned_abs(), b"/comm")?;
    let file = fs::open(path.as_c_str(), O_RDONLY).map_err(|errno| {
        if errno == Errno::ENOENT {
            Errno::ESRCH
        } else {
            errno
        }
    })?;
    let mut name = [0; NAME_SIZE];
    let len = fs::read(file.raw(), &mut name)?;
    // The newline, or what is too much: the kernel's own threads have longer names.
    let last = len.checked_sub(1).and_then(|at| name.get_mut(at));
    *last.ok_or(Errno::EPROTO)? = 0;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_no_name() {
        for pid in [0, -1, i32::MIN, i32::MAX] {
            assert_eq!(read(pid), Err(Errno::ESRCH), "{pid}");
        }
        assert!(read(std::process::id().cast_signed()).is_ok());
    }
}
