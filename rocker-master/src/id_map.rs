//! The id maps of a guard's user namespace (`user_namespaces(7)`).

use rocker_proto::Request;
use rocker_sys::raw::general::O_WRONLY;
use rocker_sys::{Decimal, Result, StackPath, fs};

/// The text of a map.
type Map = heapless::Vec<u8, 32>;

/// Writes `setgroups`, `gid_map` and `uid_map` of a guard that waits for them: one id each, the same inside and outside.
///
/// A client that owns the user namespace can leave its groups nowhere but inside, so there `setgroups` stays allowed. The
/// App has no capability for it. Its owner has, and by that loses nothing but groups that deny it something, which a sandbox
/// gives it the means for in any case: an App of its own uid has none of its groups.
///
/// `pid` is a child of this process that has not been reaped, so it is nobody else.
pub(crate) fn write(pid: i32, request: &Request<'_>, is_owned: bool) -> Result<()> {
    if !is_owned {
        // First: it is refused once there is a gid_map.
        put(pid, b"/setgroups", b"deny")?;
    }
    put(pid, b"/gid_map", &identity(request.gid))?;
    put(pid, b"/uid_map", &identity(request.uid))
}

/// `ID ID 1`: one id, inside as outside.
fn identity(id: u32) -> Map {
    let id = Decimal::of(id);
    let mut map = Map::new();
    for piece in &[id.as_bytes(), b" ", id.as_bytes(), b" 1\n"] {
        // Two numbers of ten digits and five more bytes fit.
        map.extend_from_slice(piece).unwrap_or_default();
    }
    map
}

fn put(pid: i32, file: &[u8], content: &[u8]) -> Result<()> {
    let path = StackPath::<32>::numbered(b"/proc/", pid.unsigned_abs(), file)?;
    let file = fs::open(path.as_c_str(), O_WRONLY)?;
    // The kernel takes a map in one write, or not at all.
    fs::write(file.raw(), content)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_identities() {
        assert_eq!(identity(1000), b"1000 1000 1\n");
        assert_eq!(identity(u32::MAX - 1), b"4294967294 4294967294 1\n");
    }
}
