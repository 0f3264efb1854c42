//! `Listener`: the socket that clients connect to.

use crate::config::Config;
use crate::must;
use core::ffi::CStr;
use rocker_sys::raw::general::{O_CREAT, O_NOFOLLOW, O_PATH, O_RDONLY, O_RDWR};
use rocker_sys::socket::{self, Address};
use rocker_sys::{Errno, Fd, ProcPath, Result, StackPath, fs, process};

/// Whoever connects when so many wait does so in `connect(2)`. Not more, because they are served in turn: a user that fills
/// the backlog keeps root waiting for as long as it takes to refuse them all.
const BACKLOG: usize = 64;

/// A name beside the socket's: `sun_path` is 108 bytes, and a suffix follows.
type Name = StackPath<128>;

fn beside(path: &CStr, suffix: &[u8]) -> Result<Name> {
    Name::of(&[path.to_bytes(), suffix])
}

/// A listening socket in the file system. Not an abstract address: on one of those anyone may squat.
pub(crate) struct Listener<'a> {
    pub(crate) socket: Fd,
    path: &'a CStr,
    /// Held for the life of the process: at most one master serves an address, and the kernel lets go of the lock when it
    /// dies, however it dies. A guard that has not closed its copy yet does not keep it.
    _lock: Fd,
    mask: Name,
}

impl<'a> Listener<'a> {
    #[inline(never)] // smaller by itself
    pub(crate) fn open(path: &'a CStr, config: &Config<'_>) -> Self {
        let address = must(Address::new(path), "no such address is possible:", path);
        must(make_parent(path), "cannot make the directory of", path);
        let lock = beside(path, b".lock").and_then(|name| lock(&name));
        let lock = must(lock, "a master serves already, or cannot lock", path);
        let mask = beside(path, b".mask").and_then(make_mask);
        let mask = must(mask, "cannot make the mask of", path);
        let socket = must(listen(path, &address), "cannot listen at", path);
        let listener = Self {
            socket,
            path,
            _lock: lock,
            mask,
        };
        must(listener.admit(config), "cannot open", path);
        listener
    }

    /// Lets those connect whom the policy names by the socket's group and mode.
    pub(crate) fn admit(&self, config: &Config<'_>) -> Result<()> {
        let (group, mode) = config.socket();
        let file = fs::open(self.path, O_PATH | O_NOFOLLOW)?;
        let file = ProcPath::new(file.raw());
        // First the group: nobody of the old one gets in by the new mode.
        fs::chown(file.as_c_str(), 0, group)?;
        fs::chmod(file.as_c_str(), mode)
    }

    /// An empty file of mode 0000.
    pub(crate) fn mask(&self) -> &CStr {
        self.mask.as_c_str()
    }

    /// Takes the address away, so that clients hear `ENOENT` and not `ECONNREFUSED`. The lock's file stays: whoever waits
    /// for it holds it open.
    pub(crate) fn remove(&self) {
        // Somebody else has removed it.
        fs::unlinkat(fs::AT_FDCWD, self.path, 0).unwrap_or_default();
    }
}

/// Makes the directory that holds the socket, one level: `/run` is there, `/run/rocker` may not be.
fn make_parent(path: &CStr) -> Result<()> {
    let bytes = path.to_bytes();
    let end = bytes.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    let parent = Name::of(&[bytes.get(..end).unwrap_or_default()])?;
    match fs::mkdirat(fs::AT_FDCWD, parent.as_c_str(), 0o755) {
        // ENOENT for the empty parent of a bare name.
        Ok(()) | Err(Errno::EEXIST) => Ok(()),
        Err(Errno::ENOENT) if end == 0 => Ok(()),
        result => result,
    }
}

fn lock(name: &Name) -> Result<Fd> {
    let file = fs::openat(
        fs::AT_FDCWD,
        name.as_c_str(),
        O_RDWR | O_CREAT | O_NOFOLLOW,
        0o600,
    )?;
    fs::try_lock_for_process(file.raw())?;
    Ok(file)
}

fn make_mask(name: Name) -> Result<Name> {
    let file = fs::openat(
        fs::AT_FDCWD,
        name.as_c_str(),
        O_RDONLY | O_CREAT | O_NOFOLLOW,
        0,
    )?;
    fs::fchown(file.raw(), 0, 0)?;
    fs::fchmod(file.raw(), 0)?;
    Ok(name)
}

fn listen(path: &CStr, address: &Address) -> Result<Fd> {
    // Whatever is left of a master that died: the lock says that none lives.
    match fs::unlinkat(fs::AT_FDCWD, path, 0) {
        Ok(()) | Err(Errno::ENOENT) => {}
        Err(errno) => return Err(errno),
    }
    let socket = socket::new()?;
    // Born with mode 0600: there is no moment in which others may connect whom the policy does not name.
    let umask = process::umask(0o177);
    let bound = socket::bind(socket.raw(), address);
    process::umask(umask);
    bound?;
    socket::set_nonblocking(socket.raw())?;
    socket::listen(socket.raw(), BACKLOG)?;
    Ok(socket)
}
