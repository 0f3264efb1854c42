//! Reading a guard's name back.

use rocker_proto::limits::NAME_SIZE;
use rocker_proto::{At, Failure, Stage};
use rocker_sys::raw::general::O_RDONLY;
use rocker_sys::{Errno, StackPath, fs};

/// The name of a process, NUL-padded: what stands between the first `(` and the last `)` of `/proc/PID/stat`
/// (`proc_pid_stat(5)`), for names may hold spaces and brackets themselves.
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
    let path = StackPath::<32>::numbered(b"/proc/", pid.unsigned_abs(), b"/stat")?;
    let file = fs::open(path.as_c_str(), O_RDONLY).map_err(|errno| {
        if errno == Errno::ENOENT {
            Errno::ESRCH
        } else {
            errno
        }
    })?;
    let mut bytes = [0; 512];
    let len = fs::read(file.raw(), &mut bytes)?;
    parse(bytes.get(..len).unwrap_or_default()).ok_or(Errno::EPROTO)
}

fn parse(stat: &[u8]) -> Option<[u8; NAME_SIZE]> {
    let open = stat.iter().position(|byte| *byte == b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let comm = stat.get(open.checked_add(1)?..close)?;
    let mut name = [0; NAME_SIZE];
    // The kernel's own names have 15 bytes at most; the last one stays NUL.
    for (slot, byte) in name.iter_mut().take(NAME_SIZE - 1).zip(comm) {
        *slot = *byte;
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_brackets_and_spaces_are_read_whole() {
        assert_eq!(&parse(b"12 (a b) S 1").unwrap()[..4], b"a b\0");
        assert_eq!(&parse(b"12 (a) (b)) S 1").unwrap()[..7], b"a) (b)\0");
        assert_eq!(&parse(b"12 () S 1").unwrap()[..1], b"\0");
        assert_eq!(parse(b"12 S 1"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn nobody_has_no_name() {
        for pid in [0, -1, i32::MIN, i32::MAX] {
            assert_eq!(read(pid), Err(Errno::ESRCH), "{pid}");
        }
        assert!(read(std::process::id().cast_signed()).is_ok());
    }
}
