//! `Options`: what the command line says.

use core::ffi::CStr;
use rocker_sys::{is, parse_decimal};

/// Where clients find the master if nothing else is said.
pub(crate) const DEFAULT_SOCKET: &CStr = c"/run/rocker/master.sock";

/// As long as a supervisor takes to start an App again; short, because the package's file is in use for so long.
const DEFAULT_CACHE_IDLE_MS: u64 = 10_000;

/// Where the policy is if nothing else is said.
pub(crate) const DEFAULT_CONFIG: &CStr = c"/etc/rocker/rocker.conf";

/// Where the keys are that packages may be signed by.
#[cfg(feature = "signatures")]
const DEFAULT_KEYS: &CStr = c"/etc/rocker/keys";

#[cfg(feature = "signatures")]
macro_rules! signature_help {
    () => {
        "  --require-signature
                     launch only packages signed by a trusted key
  --keys DIR         the trusted keys: *.pub, as rocker-pack keygen or minisign writes
                     them (/etc/rocker/keys)
"
    };
}
#[cfg(not(feature = "signatures"))]
macro_rules! signature_help {
    () => {
        ""
    };
}

#[cfg(feature = "policy")]
macro_rules! policy_help {
    () => {
        "  --config FILE      who may ask for what (/etc/rocker/rocker.conf, if it is
                     there), read anew at SIGHUP; without any, root alone may ask
  --check            only say what is wrong with that file; then exit status 1
"
    };
}
#[cfg(not(feature = "policy"))]
macro_rules! policy_help {
    () => {
        ""
    };
}

#[cfg(feature = "spare-guard")]
macro_rules! spare_help {
    () => {
        "  --no-spare         make guards only when asked for
"
    };
}
#[cfg(not(feature = "spare-guard"))]
macro_rules! spare_help {
    () => {
        ""
    };
}

/// The text of `--help`.
pub(crate) const HELP: &str = concat!(
    "\
rocker-master: makes sandboxes for Apps in compressed packages

usage: rocker-master [options]

",
    policy_help!(),
    "  --socket PATH      listen here; else $ROCKER_SOCKET, else /run/rocker/master.sock
  --notify-fd N      write a newline here once it serves; else $NOTIFY_SOCKET
                     is told, as systemd wants it
  --cache-idle S     keep a package that none uses mounted for S seconds (10)
",
    spare_help!(),
    "  --die-with-parent  end with who started this
",
    signature_help!(),
    "  --version
  --help

It must be root. Sandboxes outlive it.
"
);

/// What the command line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options<'a> {
    pub(crate) socket: &'a CStr,
    #[cfg(feature = "policy")]
    pub(crate) config: Option<&'a CStr>,
    /// Only look at the policy.
    #[cfg(feature = "policy")]
    pub(crate) check: bool,
    pub(crate) notify_fd: Option<i32>,
    pub(crate) die_with_parent: bool,
    /// Is there always a guard that waits?
    #[cfg(feature = "spare-guard")]
    pub(crate) keeps_spare: bool,
    /// How long a package stays mounted that no sandbox uses.
    pub(crate) cache_idle_ms: u64,
    /// Does a package need a signature?
    #[cfg(feature = "signatures")]
    pub(crate) require_signature: bool,
    /// The directory of trusted keys.
    #[cfg(feature = "signatures")]
    pub(crate) keys: &'a CStr,
}

/// Why there is nothing to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usage<'a> {
    Help,
    Version,
    Wrong(&'a CStr),
}

impl<'a> Options<'a> {
    pub(crate) fn parse(
        mut arguments: impl Iterator<Item = &'a CStr>,
        socket: Option<&'a CStr>,
    ) -> Result<Self, Usage<'a>> {
        let socket = socket.unwrap_or(DEFAULT_SOCKET);
        let mut options = Self {
            socket,
            #[cfg(feature = "policy")]
            config: None,
            #[cfg(feature = "policy")]
            check: false,
            notify_fd: None,
            die_with_parent: false,
            #[cfg(feature = "spare-guard")]
            keeps_spare: true,
            cache_idle_ms: DEFAULT_CACHE_IDLE_MS,
            #[cfg(feature = "signatures")]
            require_signature: false,
            #[cfg(feature = "signatures")]
            keys: DEFAULT_KEYS,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(Usage::Wrong(argument));
            match argument.to_bytes() {
                it if is(it, "--socket") => options.socket = value()?,
                #[cfg(feature = "policy")]
                it if is(it, "--config") => options.config = Some(value()?),
                #[cfg(feature = "policy")]
                it if is(it, "--check") => options.check = true,
                it if is(it, "--notify-fd") => options.notify_fd = Some(descriptor(value()?)?),
                it if is(it, "--cache-idle") => options.cache_idle_ms = seconds(value()?)?,
                it if is(it, "--die-with-parent") => {
                    options.die_with_parent = true;
                    // It is there for one launch.
                    #[cfg(feature = "spare-guard")]
                    {
                        options.keeps_spare = false;
                    }
                }
                #[cfg(feature = "spare-guard")]
                it if is(it, "--no-spare") => options.keeps_spare = false,
                #[cfg(feature = "signatures")]
                it if is(it, "--require-signature") => options.require_signature = true,
                #[cfg(feature = "signatures")]
                it if is(it, "--keys") => options.keys = absolute(value()?)?,
                #[cfg(feature = "weakened")]
                it if is(it, "--without") => {
                    let name = value()?;
                    if !rocker_guard::Defence::leave_out(name.to_bytes()) {
                        return Err(Usage::Wrong(name));
                    }
                }
                it if is(it, "--help") || is(it, "-h") => return Err(Usage::Help),
                it if is(it, "--version") => return Err(Usage::Version),
                _ => return Err(Usage::Wrong(argument)),
            }
        }
        Ok(options)
    }
}

fn descriptor(text: &CStr) -> Result<i32, Usage<'_>> {
    number(text)
        .and_then(|fd| fd.try_into().ok())
        .filter(|fd| *fd > 2)
        .ok_or(Usage::Wrong(text))
}

/// Guards look at it from another directory.
#[cfg(feature = "signatures")]
fn absolute(path: &CStr) -> Result<&CStr, Usage<'_>> {
    let is_absolute = path.to_bytes().starts_with(b"/");
    is_absolute.then_some(path).ok_or(Usage::Wrong(path))
}

/// Whole seconds, in milliseconds.
fn seconds(text: &CStr) -> Result<u64, Usage<'_>> {
    let seconds = number(text).ok_or(Usage::Wrong(text))?;
    Ok(u64::from(seconds).saturating_mul(1000))
}

fn number(text: &CStr) -> Option<u32> {
    parse_decimal(text.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let parse = |arguments: &[&'static CStr]| Options::parse(arguments.iter().copied(), None);
        assert_eq!(parse(&[]).unwrap().socket, DEFAULT_SOCKET);
        let all = parse(&[
            c"--socket",
            c"/x",
            c"--notify-fd",
            c"5",
            c"--die-with-parent",
            #[cfg(feature = "spare-guard")]
            c"--no-spare",
            c"--cache-idle",
            c"7",
        ]);
        assert_eq!(
            all,
            Ok(Options {
                socket: c"/x",
                #[cfg(feature = "policy")]
                config: None,
                #[cfg(feature = "policy")]
                check: false,
                notify_fd: Some(5),
                die_with_parent: true,
                #[cfg(feature = "spare-guard")]
                keeps_spare: false,
                cache_idle_ms: 7000,
                #[cfg(feature = "signatures")]
                require_signature: false,
                #[cfg(feature = "signatures")]
                keys: DEFAULT_KEYS,
            })
        );
        assert_eq!(parse(&[c"--socket"]), Err(Usage::Wrong(c"--socket")));
        assert_eq!(parse(&[c"--notify-fd", c"x"]), Err(Usage::Wrong(c"x")));
        assert_eq!(parse(&[c"--notify-fd", c"2"]), Err(Usage::Wrong(c"2")));
        let wrong = parse(&[c"--cache-idle", c"-1"]);
        assert_eq!(wrong, Err(Usage::Wrong(c"-1")));
        assert_eq!(parse(&[c"-h", c"--bad"]), Err(Usage::Help));
        assert_eq!(parse(&[c"bad"]), Err(Usage::Wrong(c"bad")));
    }

    #[cfg(feature = "policy")]
    #[test]
    fn a_policy_is_read_or_looked_at() {
        let arguments = [c"--config", c"/c", c"--check"];
        let options = Options::parse(arguments.into_iter(), None).unwrap();
        assert_eq!(options.config, Some(c"/c"));
        assert!(options.check);
    }

    #[cfg(feature = "signatures")]
    #[test]
    fn signatures_are_required_on_demand() {
        let arguments = [c"--require-signature", c"--keys", c"/keys"];
        let options = Options::parse(arguments.into_iter(), None).unwrap();
        assert!(options.require_signature);
        assert_eq!(options.keys, c"/keys");
        let wrong = Options::parse([c"--keys", c"keys"].into_iter(), None);
        assert_eq!(wrong, Err(Usage::Wrong(c"keys")));
    }

    #[test]
    fn the_environment_comes_after_the_option() {
        assert_eq!(
            Options::parse([].into_iter(), Some(c"/e")).unwrap().socket,
            c"/e"
        );
        assert_eq!(
            Options::parse([c"--socket", c"/o"].into_iter(), Some(c"/e"))
                .unwrap()
                .socket,
            c"/o"
        );
    }
}
