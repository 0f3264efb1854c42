//! A file that appears whole under its name, or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, open, renameat_with};
use rustix::io::Errno;

use crate::error::{Context, Error, Result};

/// A package being written. It has no name until [`Output::publish`], where the file system allows
/// that (`O_TMPFILE`), so even kill -9 leaves nothing; elsewhere a hidden file, removed on drop.
pub(crate) struct Output {
    pub(crate) file: File,
    target: PathBuf,
    directory: PathBuf,
    force: bool,
    /// A name that must not outlive us.
    temporary: Option<PathBuf>,
    /// Whether it is to have a name at all.
    named: bool,
}

impl Output {
    /// Opens a nameless file beside `target`, which must not exist, or be a file if `force`.
    pub(crate) fn create(target: &Path, source: &Path, force: bool) -> Result<Self> {
        let directory = directory_of(target);
        refuse_inside(target, &directory, source)?;
        Self::open(target, directory, force)
    }

    /// Opens a nameless file that is to take the place of `target`, a file, if there is one.
    pub(crate) fn replace(target: &Path) -> Result<Self> {
        Self::open(target, directory_of(target), true)
    }

    fn open(target: &Path, directory: PathBuf, force: bool) -> Result<Self> {
        refuse_existing(target, force)?;
        match open_nameless(&directory) {
            Some(file) => Ok(Self {
                file,
                target: target.into(),
                directory,
                force,
                temporary: None,
                named: true,
            }),
            None => Self::create_named(target, directory, force),
        }
    }

    /// Who owns it and who may read it, as of another file. Only root can give a file away: for others it stays theirs.
    pub(crate) fn copy_owner_and_mode(&self, of: &File) -> Result<()> {
        let metadata = of.metadata().context("stat", &self.target)?;
        match fchown(&self.file, Some(metadata.uid()), Some(metadata.gid())) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
            done => done.context("change the owner of", &self.target)?,
        }
        let done = self.file.set_permissions(metadata.permissions());
        done.context("change the mode of", &self.target)
    }

    fn create_named(target: &Path, directory: PathBuf, force: bool) -> Result<Self> {
        let name = temporary_name(target, &directory);
        let file = OpenOptions::new().write(true).create_new(true).open(&name);
        let file = file.context("create", &name)?;
        Ok(Self {
            file,
            target: target.into(),
            directory,
            force,
            temporary: Some(name),
            named: true,
        })
    }

    /// A file in `directory` that never gets a name, and so goes with its last descriptor, even after kill -9.
    pub(crate) fn nameless(directory: &Path) -> Result<Self> {
        let refused = || Error::Refused {
            path: directory.into(),
            reason: "no nameless files here (O_TMPFILE); name another directory".into(),
        };
        Ok(Self {
            file: open_nameless(directory).ok_or_else(refused)?,
            target: directory.into(),
            directory: directory.into(),
            force: false,
            temporary: None,
            named: false,
        })
    }

    /// Another descriptor of the same file.
    pub(crate) fn try_clone(&self) -> Result<File> {
        self.file.try_clone().context("open", &self.target)
    }

    /// Puts the bytes on the disk, then the name on the file.
    pub(crate) fn publish(mut self) -> Result<()> {
        self.file.sync_all().context("sync", &self.target)?;
        if !self.named {
            return Ok(());
        }
        match (&self.temporary, self.force) {
            (None, false) => self.link(&self.target).map_err(|errno| self.taken(errno))?,
            (None, true) => {
                let temporary = temporary_name(&self.target, &self.directory);
                self.link(&temporary).context("create", &temporary)?;
                self.temporary = Some(temporary);
                self.rename()?;
            }
            (Some(_), _) => self.rename()?,
        }
        let directory = File::open(&self.directory).context("open", &self.directory)?;
        directory.sync_all().context("sync", &self.directory)
    }

    fn link(&self, name: &Path) -> rustix::io::Result<()> {
        let nameless = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        linkat(CWD, nameless, CWD, name, AtFlags::SYMLINK_FOLLOW)
    }

    /// Somebody may have taken the name since the build began; without `force` that is theirs.
    fn rename(&mut self) -> Result<()> {
        let Some(temporary) = &self.temporary else {
            return Ok(());
        };
        let flags = if self.force {
            RenameFlags::empty()
        } else {
            RenameFlags::NOREPLACE
        };
        match renameat_with(CWD, temporary, CWD, &self.target, flags) {
            Ok(()) => {}
            // A file system without NOREPLACE: the check at the start must do.
            Err(Errno::INVAL | Errno::NOSYS) => {
                refuse_existing(&self.target, self.force)?;
                fs::rename(temporary, &self.target).context("rename to", &self.target)?;
            }
            Err(errno) => return Err(self.taken(errno)),
        }
        self.temporary = None;
        Ok(())
    }

    fn taken(&self, errno: Errno) -> Error {
        match errno {
            Errno::EXIST => exists(&self.target),
            errno => Error::Io {
                action: "create",
                path: self.target.clone(),
                source: errno.into(),
            },
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            drop(fs::remove_file(temporary)); // there is nothing left to do about a failure
        }
    }
}

/// Nothing where the file system has no `O_TMPFILE`, or no /proc to name such a file by.
fn open_nameless(directory: &Path) -> Option<File> {
    if !Path::new("/proc/self/fd").exists() {
        return None;
    }
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    open(directory, flags, Mode::from_raw_mode(0o666))
        .ok()
        .map(File::from) // the named way says why
}

fn directory_of(target: &Path) -> PathBuf {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

fn temporary_name(target: &Path, directory: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    directory.join(name)
}

/// A package inside its own source would be packed into itself, or make the next build differ.
fn refuse_inside(target: &Path, directory: &Path, source: &Path) -> Result<()> {
    let real_directory = fs::canonicalize(directory).context("open directory", directory)?;
    let real_source = fs::canonicalize(source).context("open directory", source)?;
    if real_directory.starts_with(&real_source) {
        let reason = format!("lies inside {source:?}, the tree to be packed");
        return Err(Error::Refused {
            path: target.into(),
            reason,
        });
    }
    Ok(())
}

fn refuse_existing(target: &Path, force: bool) -> Result<()> {
    match fs::symlink_metadata(target) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_symlink() => Err(Error::Refused {
            path: target.into(),
            reason: "exists and is not a file".into(),
        }),
        Ok(_) if !force => Err(exists(target)),
        Ok(_) => Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound => match target.file_name() {
            Some(_) => Ok(()),
            None => Err(Error::Refused {
                path: target.into(),
                reason: "is no file name".into(),
            }),
        },
        Err(e) => Err(e).context("stat", target),
    }
}

fn exists(target: &Path) -> Error {
    Error::Refused {
        path: target.into(),
        reason: "exists already (--force replaces it)".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The way of file systems without `O_TMPFILE`: what is left in the directory, and the result.
    fn publish_named(existing: bool, force: bool) -> (Vec<String>, Vec<u8>, Result<()>) {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("app");
        if existing {
            fs::write(&target, "theirs").unwrap();
        }
        let output = Output::create_named(&target, directory.path().into(), force).unwrap();
        fs::write(output.temporary.as_ref().unwrap(), "ours").unwrap();
        let result = output.publish();
        let names = fs::read_dir(directory.path()).unwrap();
        let names = names
            .map(|name| name.unwrap().file_name().into_string().unwrap())
            .collect();
        (names, fs::read(&target).unwrap(), result)
    }

    #[test]
    fn a_named_file_appears_under_its_target_only() {
        for (existing, force) in [(false, false), (false, true), (true, true)] {
            let (names, content, result) = publish_named(existing, force);
            assert!(result.is_ok(), "{result:?}");
            assert_eq!(
                (names, &content[..]),
                (vec!["app".to_string()], &b"ours"[..])
            );
        }
    }

    #[test]
    fn a_name_taken_meanwhile_stays_theirs() {
        let (names, content, result) = publish_named(true, false);
        assert!(result.unwrap_err().to_string().contains("exists already"));
        assert_eq!(
            (names, &content[..]),
            (vec!["app".to_string()], &b"theirs"[..])
        );
    }

    #[test]
    fn a_named_file_that_is_dropped_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("app");
        drop(Output::create_named(&target, directory.path().into(), false).unwrap());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
