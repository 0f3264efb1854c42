//! The id maps of a guard's user namespace (`user_namespaces(7)`).

use core::ffi::CStr;
use rocker_proto::Request;
use rocker_sys::raw::general::O_WRONLY;
use rocker_sys::{Errno, Result, fs};

/// Writes `setgroups`, `gid_map` and `uid_map` of a guard that waits for them: one id each, the same inside and outside.
///
/// `pid` is a child of this process that has not been reaped, so it is nobody else.
pub(crate) fn write(pid: i32, request: &Request<'_>) -> Result<()> {
    // First: a gid_map without it would let the App drop groups that deny it something.
    put(pid, "setgroups", &Text::new().with(b"deny"))?;
    put(pid, "gid_map", &identity(request.gid))?;
    put(pid, "uid_map", &identity(request.uid))
}

/// `ID ID 1`: one id, inside as outside.
fn identity(id: u32) -> Text {
    Text::new().number(id).with(b" ").number(id).with(b" 1\n")
}

fn put(pid: i32, file: &str, content: &Text) -> Result<()> {
    let path = Text::new()
        .with(b"/proc/")
        .number(pid.unsigned_abs())
        .with(b"/")
        .with(file.as_bytes())
        .with(b"\0");
    let path = CStr::from_bytes_until_nul(&path.0).map_err(|_| Errno::EINVAL)?;
    let file = fs::open(path, O_WRONLY)?;
    // The kernel takes a map in one write, or not at all.
    fs::write(file.raw(), &content.0)?;
    Ok(())
}

/// A short text: three numbers of ten digits and their separators fit.
struct Text(heapless::Vec<u8, 40>);

impl Text {
    fn new() -> Self {
        Self(heapless::Vec::new())
    }

    fn with(mut self, bytes: &[u8]) -> Self {
        // Everything put here is shorter than the capacity: see the callers above.
        self.0.extend_from_slice(bytes).unwrap_or_default();
        self
    }

    fn number(self, number: u32) -> Self {
        let mut digits = [0; 10];
        let mut rest = number;
        let mut count = 0usize;
        for slot in digits.iter_mut().rev() {
            *slot = b'0'.wrapping_add((rest % 10) as u8);
            rest /= 10;
            count = count.wrapping_add(1);
            if rest == 0 {
                break;
            }
        }
        let start = digits.len().wrapping_sub(count);
        self.with(digits.get(start..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_identities() {
        assert_eq!(identity(1000).0.as_slice(), b"1000 1000 1\n");
        assert_eq!(
            identity(u32::MAX - 1).0.as_slice(),
            b"4294967294 4294967294 1\n"
        );
    }
}
