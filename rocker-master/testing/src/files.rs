//! Paths, directories and mounts of a case.

use std::ffi::{CStr, CString, OsStr};
use std::fs;
use std::io::Error;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A path for the system.
pub fn c_path(path: impl AsRef<Path>) -> CString {
    CString::new(path.as_ref().as_os_str().as_bytes()).unwrap()
}

/// The overlays of a request.
pub fn overlays<'a>(paths: &[&'a CStr]) -> [Option<&'a CStr>; 16] {
    let mut slots = [None; 16];
    for (slot, path) in slots.iter_mut().zip(paths) {
        *slot = Some(*path);
    }
    slots
}

/// Makes a directory with its parents, and gives it this mode.
pub fn make_dir(path: impl AsRef<Path>, mode: u32) {
    fs::create_dir_all(&path).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Mounts a tmpfs at a directory, which it makes if there is none: one that is there may be the host's.
pub fn mount_tmpfs(target: impl AsRef<Path>, flags: libc::c_ulong) {
    fs::create_dir_all(&target).unwrap();
    mount(Path::new("tmpfs"), &target, "tmpfs", flags, "mode=755").unwrap();
}

/// `mount(2)`
pub fn mount(
    source: impl AsRef<Path>,
    target: impl AsRef<Path>,
    fs_type: &str,
    flags: libc::c_ulong,
    data: &str,
) -> std::io::Result<()> {
    let (source, target) = (c_path(source), c_path(target));
    let [fs_type, data] = [fs_type, data].map(|text| CString::new(text).unwrap());
    // SAFETY: four strings that outlive the call.
    let done = unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            fs_type.as_ptr(),
            flags,
            data.as_ptr().cast(),
        )
    };
    if done == 0 {
        Ok(())
    } else {
        Err(Error::last_os_error())
    }
}

/// The errno of a failure.
pub fn errno_of<T>(result: std::io::Result<T>) -> Option<i32> {
    result.err().and_then(|error| error.raw_os_error())
}

/// One mount, as `/proc/self/mountinfo` shows it to whoever calls.
#[derive(Clone, Debug)]
pub struct MountLine {
    /// Its number, unique among the mounts of now.
    pub id: u32,
    /// Where, with the escapes of mountinfo undone.
    pub point: Vec<u8>,
    /// The options of the mount itself.
    pub options: Vec<String>,
    /// The file system's type.
    pub fs_type: String,
    /// What is mounted.
    pub source: String,
}

impl MountLine {
    /// Has it this option?
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|have| have == option)
    }
}

impl MountLine {
    /// Does its path exist, that is, is it not below a mount that covers it?
    pub fn is_in_reach(&self) -> bool {
        Path::new(OsStr::from_bytes(&self.point)).exists()
    }
}

/// The topmost mount at this place.
pub fn mount_at(point: impl AsRef<Path>) -> Option<MountLine> {
    let point = point.as_ref().as_os_str().as_bytes();
    mounts().into_iter().rev().find(|line| line.point == point)
}

/// Every mount that the caller sees.
pub fn mounts() -> Vec<MountLine> {
    mounts_of("self")
}

/// Every mount that a process sees.
pub fn mounts_of(pid: impl std::fmt::Display) -> Vec<MountLine> {
    let text = fs::read(format!("/proc/{pid}/mountinfo")).unwrap();
    let lines = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines.map(parse).collect()
}

fn parse(line: &[u8]) -> MountLine {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let separator = fields.iter().position(|field| *field == b"-").unwrap();
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    MountLine {
        id: text(fields[0]).parse().unwrap(),
        point: unescape(fields[4]),
        options: text(fields[5]).split(',').map(str::to_owned).collect(),
        fs_type: text(fields[separator + 1]),
        source: text(fields[separator + 2]),
    }
}

fn unescape(field: &[u8]) -> Vec<u8> {
    let mut rest = field;
    let mut bytes = Vec::new();
    while let [first, tail @ ..] = rest {
        let octal = (*first == b'\\').then(|| std::str::from_utf8(&tail[..3]).unwrap());
        bytes.push(octal.map_or(*first, |digits| u8::from_str_radix(digits, 8).unwrap()));
        rest = if octal.is_some() { &tail[3..] } else { tail };
    }
    bytes
}
