//! `Paths`: the paths of the command line, as a request wants them.
//!
//! People type `./app.sqfs`; a request has absolute paths alone, and a master refuses whatever it would have to repair. So
//! this command repairs, by the letters: it puts the current directory in front and leaves out `.` and empty components. It
//! does not touch `..`, whose meaning depends on symbolic links.

use crate::message::name;
use crate::options::{Mistake, Options};
use core::ffi::CStr;
use rocker_client::limits::REQUEST_MAX;
use rocker_sys::fs;

/// The paths in the order of a request: package, exec directory, data directory, policy, overlays. One that nobody named is
/// empty.
#[derive(Default)]
pub(crate) struct Paths {
    /// Each with its NUL.
    bytes: heapless::Vec<u8, REQUEST_MAX>,
}

impl Paths {
    /// Once, where they stay: they are large.
    pub(crate) fn fill<'a>(&mut self, options: &Options<'a>) -> Result<(), Mistake<'a>> {
        self.add(b"PACKAGE", Some(options.package))?;
        self.add(b"--exec-dir", options.exec_dir)?;
        self.add(b"--data-dir", options.data_dir)?;
        self.add(b"--seccomp", options.policy)?;
        for dir in &options.overlays {
            self.add(b"--overlay", Some(dir))?;
        }
        Ok(())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &CStr> {
        self.bytes
            .split_inclusive(|byte| *byte == 0)
            .filter_map(|path| CStr::from_bytes_until_nul(path).ok())
    }

    fn add<'a>(&mut self, option: &'a [u8], path: Option<&'a CStr>) -> Result<(), Mistake<'a>> {
        let path = path.unwrap_or_default().to_bytes();
        let mut buffer = [0; REQUEST_MAX];
        let mut directory: &[u8] = b"";
        if !matches!(path, [] | [b'/', ..]) {
            directory = current_directory(&mut buffer).map_err(|why| {
                Mistake([
                    option,
                    b": cannot tell what the current directory is: ",
                    why,
                    b"; give an absolute path",
                ])
            })?;
        }
        if path
            .split(|byte| *byte == b'/')
            .any(|component| component == b"..")
        {
            return Err(Mistake([
                option,
                b" ",
                path,
                b": holds `..`, which symbolic links make ambiguous; write the path without it",
            ]));
        }
        self.push(directory, path).ok_or(Mistake([
            option,
            b" ",
            path,
            b": E2BIG: the paths of a run have 4096 bytes together",
        ]))
    }

    fn push(&mut self, directory: &[u8], path: &[u8]) -> Option<()> {
        let start = self.bytes.len();
        for part in [directory, path] {
            let components = part.split(|byte| *byte == b'/');
            for component in components.filter(|component| !matches!(*component, b"" | b".")) {
                self.bytes.push(b'/').ok()?;
                self.bytes.extend_from_slice(component).ok()?;
            }
        }
        // Nothing but `/` and `.`: the root, which the master refuses by name.
        if self.bytes.len() == start && !path.is_empty() {
            self.bytes.push(b'/').ok()?;
        }
        self.bytes.push(0).ok()
    }
}

fn current_directory(buffer: &mut [u8]) -> Result<&[u8], &'static [u8]> {
    let len = fs::getcwd(buffer).map_err(name)?;
    match buffer.get(..len) {
        Some(path @ [b'/', ..]) => Ok(path),
        _ => Err(b"it lies outside the root directory"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn absolute(directory: &[u8], path: &[u8]) -> Vec<u8> {
        let mut paths = Paths::default();
        paths.push(directory, path).unwrap();
        paths.bytes.to_vec()
    }

    #[test]
    fn paths_become_absolute_by_their_letters() {
        assert_eq!(absolute(b"/home/x", b"app.sqfs"), b"/home/x/app.sqfs\0");
        assert_eq!(absolute(b"/home/x", b"./a//b/./c/"), b"/home/x/a/b/c\0");
        assert_eq!(absolute(b"/", b"./a"), b"/a\0");
        assert_eq!(absolute(b"/home", b"."), b"/home\0");
        assert_eq!(absolute(b"", b"//a/.b/..c/"), b"/a/.b/..c\0");
        assert_eq!(absolute(b"", b"/./"), b"/\0");
        assert_eq!(absolute(b"/", b"."), b"/\0");
        assert_eq!(absolute(b"", b""), b"\0");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut paths = Paths::default();
        assert_eq!(paths.push(b"", &[b'a'; REQUEST_MAX - 2]), Some(()));
        assert_eq!(paths.push(b"", b""), None);
        assert_eq!(Paths::default().push(b"", &[b'a'; REQUEST_MAX - 1]), None);
    }

    #[test]
    fn each_path_is_read_back() {
        let mut paths = Paths::default();
        for path in [&b"/a"[..], b"", b"/b"] {
            paths.push(b"", path).unwrap();
        }
        assert_eq!(paths.iter().collect::<Vec<_>>(), [c"/a", c"", c"/b"]);
    }
}
