//! `Options`: what the command line of `rocker run` says, and that of `rocker exec`.

use core::ffi::CStr;
use rocker_client::{Data, DataMode, Network, Seccomp, limits};
use rocker_sys::{is, parse_decimal};

/// nobody, where there is a name for it.
const DEFAULT_ID: u32 = 65_534;
/// What to ask whoever asks for nothing.
pub(crate) const WHAT: &[u8] = b"run what? Try rocker --help";
const APP_ID_MAX: u32 = i32::MAX.unsigned_abs();

/// What is wrong with the command line, in pieces.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake<'a>(pub(crate) [&'a [u8]; 4]);

impl<'a> Mistake<'a> {
    fn of(what: &'a [u8], name: &'a [u8], why: &'a [u8]) -> Self {
        Self([what, name, why, b""])
    }
}

/// What the command line says.
pub(crate) struct Options<'a> {
    /// Of exec, the guard.
    pub(crate) package: &'a CStr,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) app_id: u32,
    pub(crate) exec_dir: Option<&'a CStr>,
    pub(crate) data_dir: Option<&'a CStr>,
    pub(crate) overlays: heapless::Vec<&'a CStr, { limits::OVERLAYS_MAX }>,
    pub(crate) data: Data,
    pub(crate) seccomp: Seccomp,
    /// The file of `Seccomp::FILE`.
    pub(crate) policy: Option<&'a CStr>,
    pub(crate) network: Network,
    pub(crate) socket: Option<&'a CStr>,
    /// Which argument is the command, counted from the program's own name.
    pub(crate) command: usize,
}

impl<'a> Options<'a> {
    const DEFAULT: Self = Self {
        package: c"",
        uid: DEFAULT_ID,
        gid: DEFAULT_ID,
        app_id: 1,
        exec_dir: None,
        data_dir: None,
        overlays: heapless::Vec::new(),
        data: Data::DISK,
        seccomp: Seccomp::DEFAULT,
        policy: None,
        network: Network::HOST,
        socket: None,
        command: 0,
    };

    /// Reads the arguments, of which the first two are `rocker run`, or `rocker exec`, of whose options it has only the one
    /// about the master; `None`: help is wanted.
    pub(crate) fn parse(
        arguments: impl Iterator<Item = &'a CStr>,
        is_exec: bool,
    ) -> Result<Option<Self>, Mistake<'a>> {
        let mut arguments = (0..).zip(arguments).skip(2);
        let mut options = Self::DEFAULT;
        let mut command = None;
        while let Some((position, argument)) = arguments.next() {
            match argument.to_bytes() {
                b"--" => {
                    command = arguments.next().map(|(position, _)| position);
                    break;
                }
                it if is(it, "--help") || is(it, "-h") => return Ok(None),
                it @ [b'-', ..] if !is_exec || it.starts_with(b"--socket") => {
                    options.take(argument, &mut || arguments.next().map(|(_, value)| value))?;
                }
                it @ [b'-', ..] => return Err(unknown(it)),
                // From a variable that is not set: what follows is not the package.
                b"" if options.package.is_empty() => break,
                _ if options.package.is_empty() => options.package = argument,
                _ => {
                    command = Some(position);
                    break;
                }
            }
        }
        if options.package.is_empty() {
            return Err(Mistake::of(WHAT, b"", b""));
        }
        let package = options.package.to_bytes();
        let none = Mistake::of(b"run which command in ", package, b"? Try rocker --help");
        options.command = command.ok_or(none)?;
        Ok(Some(options))
    }

    /// Is a data directory needed that nobody has named?
    pub(crate) fn wants_scratch(&self) -> bool {
        self.data_dir.is_none() && self.data.needs_dir()
    }

    /// One option, with the value that follows it or stands behind its `=`.
    fn take(
        &mut self,
        argument: &'a CStr,
        next: &mut dyn FnMut() -> Option<&'a CStr>,
    ) -> Result<(), Mistake<'a>> {
        let (name, behind) = split(argument);
        let mut value = || value_of(name, behind, next);
        match name {
            it if is(it, "--uid") => self.uid = number(name, value()?, limits::ID_MAX)?,
            it if is(it, "--gid") => self.gid = number(name, value()?, limits::ID_MAX)?,
            it if is(it, "--app-id") => self.app_id = number(name, value()?, APP_ID_MAX)?,
            it if is(it, "--exec-dir") => self.exec_dir = Some(value()?),
            it if is(it, "--data-dir") => self.data_dir = Some(value()?),
            it if is(it, "--socket") => self.socket = Some(value()?),
            it if is(it, "--data") => self.data.mode = mode(value()?)?,
            it if is(it, "--data-size") => self.data.size_kib = size(value()?)?,
            it if is(it, "--seccomp") => self.take_seccomp(value()?)?,
            it if is(it, "--seccomp-log") => {
                flag(name, behind, 1)?;
                self.seccomp = self.seccomp.logged();
            }
            it if is(it, "--network") => self.network = network(value()?)?,
            it if is(it, "--no-overlays") => {
                self.data.flags |= flag(name, behind, Data::NO_OVERLAYS)?
            }
            it if is(it, "--overlay") => {
                let dir = value()?;
                let full = Mistake::of(
                    b"--overlay ",
                    dir.to_bytes(),
                    b": 16 directories are the most",
                );
                self.overlays.push(dir).map_err(|_| full)?;
            }
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// A filter by its name, or a policy file, which is told by its slash. Whether it only reports is another option, before
    /// or behind this one.
    fn take_seccomp(&mut self, value: &'a CStr) -> Result<(), Mistake<'a>> {
        let is_logged = self.seccomp.is_logged();
        let (seccomp, policy) = match value.to_bytes() {
            it if is(it, "default") => (Seccomp::DEFAULT, None),
            it if is(it, "strict") => (Seccomp::STRICT, None),
            it if is(it, "off") => (Seccomp::OFF, None),
            path if path.contains(&b'/') => (Seccomp::FILE, Some(value)),
            other => {
                return Err(Mistake::of(
                    b"--seccomp wants default, strict, off or a file's path with a slash, not ",
                    other,
                    b"",
                ));
            }
        };
        self.policy = policy;
        self.seccomp = if is_logged { seccomp.logged() } else { seccomp };
        Ok(())
    }
}

fn unknown(option: &[u8]) -> Mistake<'_> {
    Mistake::of(b"no such option: ", option, b"; try rocker --help")
}

/// The value of an option, behind its `=` or in the next argument.
// Once, and not for each option that has one.
#[inline(never)]
fn value_of<'a>(
    name: &'a [u8],
    behind: Option<&'a CStr>,
    next: &mut dyn FnMut() -> Option<&'a CStr>,
) -> Result<&'a CStr, Mistake<'a>> {
    let value = behind.or_else(next).filter(|value| !value.is_empty());
    value.ok_or(Mistake::of(name, b" wants a value", b""))
}

/// An option's name, and the value behind its `=`.
fn split(argument: &CStr) -> (&[u8], Option<&CStr>) {
    let bytes = argument.to_bytes_with_nul();
    match bytes.iter().position(|byte| *byte == b'=') {
        None => (argument.to_bytes(), None),
        Some(at) => (
            bytes.get(..at).unwrap_or_default(),
            bytes
                .get(at + 1..)
                .and_then(|value| CStr::from_bytes_until_nul(value).ok()),
        ),
    }
}

fn network(value: &CStr) -> Result<Network, Mistake<'_>> {
    match value.to_bytes() {
        it if is(it, "host") => Ok(Network::HOST),
        it if is(it, "none") => Ok(Network::NONE),
        other => Err(Mistake::of(
            b"--network wants host or none, not ",
            other,
            b"",
        )),
    }
}

fn mode(value: &CStr) -> Result<DataMode, Mistake<'_>> {
    match value.to_bytes() {
        it if is(it, "disk") => Ok(DataMode::DISK),
        it if is(it, "tmpfs") => Ok(DataMode::TMPFS),
        it if is(it, "volatile") => Ok(DataMode::VOLATILE),
        other => Err(Mistake::of(
            b"--data wants disk, tmpfs or volatile, not ",
            other,
            b"",
        )),
    }
}

/// A size with its unit, in KiB: a bare number would mean bytes to one reader and KiB to the next.
fn size(value: &CStr) -> Result<u32, Mistake<'_>> {
    let wrong = Mistake::of(
        b"--data-size wants a size such as 512K, 16M or 1G, not ",
        value.to_bytes(),
        b"",
    );
    let Some((unit, digits)) = value.to_bytes().split_last() else {
        return Err(wrong);
    };
    let factor = match unit {
        b'K' => 1,
        b'M' => 1 << 10,
        b'G' => 1 << 20,
        _ => return Err(wrong),
    };
    parse_decimal(digits)
        .and_then(|number| number.checked_mul(factor))
        .filter(|size| *size > 0)
        .ok_or(wrong)
}

/// An option that is there or not.
fn flag<'a>(name: &'a [u8], behind: Option<&CStr>, bit: u8) -> Result<u8, Mistake<'a>> {
    match behind {
        None => Ok(bit),
        Some(_) => Err(Mistake::of(name, b" takes no value", b"")),
    }
}

fn number<'a>(name: &'a [u8], value: &'a CStr, max: u32) -> Result<u32, Mistake<'a>> {
    let range: &[u8] = if max == APP_ID_MAX {
        b" wants a number from 1 to 2147483647, not "
    } else {
        b" wants a number from 1 to 4294967294, not "
    };
    parse_decimal(value.to_bytes())
        .filter(|number| (1..=max).contains(number))
        .ok_or(Mistake::of(name, range, value.to_bytes()))
}
