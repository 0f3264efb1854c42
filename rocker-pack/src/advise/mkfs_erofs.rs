//! `mkfs.erofs`, which writes erofs packages for us where it is installed.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Command;

use crate::advise::candidate::Candidate;
use crate::advise::child;
use crate::error::{Context, Error, Result};
use crate::observer::Observer;
use crate::options::{Options, Owner, Time};

const PROGRAM: &str = "mkfs.erofs";

/// zstd's level: mkfs.erofs 1.8 tries each cluster many times, and at 15 takes eight times as long for 6 % less.
const ZSTD_LEVEL: u32 = 9;

/// What the installed program can do.
#[derive(Clone, Debug)]
pub(crate) struct MkfsErofs {
    help: String,
}

impl MkfsErofs {
    /// Asks the installed program for its help, which lists its compressors; nothing if there is none.
    pub(crate) fn find() -> Option<Self> {
        let output = Command::new(PROGRAM).arg("--help").output().ok()?; // not installed
        let text = [output.stdout, output.stderr].concat();
        Some(Self {
            help: String::from_utf8_lossy(&text).into_owned(),
        })
    }

    /// Whether it has the compressor of this candidate.
    pub(crate) fn knows(&self, candidate: Candidate) -> bool {
        match candidate {
            Candidate::Erofs { compressor, .. } => compressor.is_none_or(|name| self.has(name)),
            Candidate::Squashfs { .. } => false,
        }
    }

    /// Whether it has this compressor.
    pub(crate) fn has(&self, compressor: &str) -> bool {
        let letter = |letter: char| letter.is_ascii_alphanumeric();
        let mut words = self.help.split(|c| !letter(c));
        words.any(|word| word == compressor)
    }

    /// Writes a package into an open file; its size.
    pub(crate) fn write(
        &self,
        candidate: Candidate,
        options: &Options,
        file: &File,
        observer: &dyn Observer,
    ) -> Result<u64> {
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        let mut command = Command::new(PROGRAM);
        command.args(self.arguments(candidate, options));
        command.arg(&path).arg(&options.source);
        let status = child::run(&mut command, observer)?;
        if !status.success() {
            return Err(Error::Codec {
                codec: "erofs",
                what: format!("{PROGRAM} ended with {status}"),
            });
        }
        file.sync_all().context("sync", path.as_ref())?;
        Ok(file.metadata().context("stat", path.as_ref())?.len())
    }

    fn arguments(&self, candidate: Candidate, options: &Options) -> Vec<String> {
        let mut arguments = Vec::new();
        if let Candidate::Erofs {
            compressor: Some(compressor),
            cluster_size,
        } = candidate
        {
            arguments.push(match compressor {
                "zstd" => format!("-zzstd,level={ZSTD_LEVEL}"),
                // 1.8 wants the word, 1.5 the number alone.
                other if self.help.contains("level=") => format!("-z{other},level=12"),
                other => format!("-z{other},12"),
            });
            arguments.push(format!("-C{cluster_size}"));
            // Versions that do not know one of these ignore it.
            arguments.push("-Efragments,ztailpacking".into());
        }
        match options.time {
            Time::Set(time) => arguments.extend([format!("-T{time}"), "--ignore-mtime".into()]),
            Time::Keep => arguments.push("--preserve-mtime".into()),
        }
        if let Owner::Set { uid, gid } = options.owner {
            arguments.extend([format!("--force-uid={uid}"), format!("--force-gid={gid}")]);
        }
        if !options.xattrs {
            arguments.push("-x-1".into());
        }
        arguments
    }
}
