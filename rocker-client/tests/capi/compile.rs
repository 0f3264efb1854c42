//! Building C programs against the library, into this case's own `/run`.

use rocker_testing::binary;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Warnings are errors: what a user of the headers may well ask for.
const STRICT: &[&str] = &["-Wall", "-Wextra", "-pedantic", "-Werror"];
/// Where the headers are.
pub const INCLUDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../include");
const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c");

/// A compiler and how it is to read the sources.
#[derive(Clone, Copy)]
pub struct Language {
    compiler: &'static str,
    /// What overrides the compiler.
    variable: &'static str,
    flags: &'static [&'static str],
}

/// C as the programs of these tests are written.
pub const C: Language = Language {
    compiler: "cc",
    variable: "CC",
    flags: &["-std=gnu11"],
};
/// The oldest C that the headers are for.
pub const C99: Language = Language {
    compiler: "cc",
    variable: "CC",
    flags: &["-x", "c", "-std=c99"],
};
/// The same sources as the oldest C++.
pub const CXX98: Language = Language {
    compiler: "c++",
    variable: "CXX",
    flags: &["-x", "c++", "-std=c++98"],
};
/// C++ with what the C programs of these tests use of C99.
pub const CXX: Language = Language {
    compiler: "c++",
    variable: "CXX",
    flags: &["-x", "c++", "-std=gnu++11"],
};
/// Against another libc.
pub const MUSL: Language = Language {
    compiler: "musl-gcc",
    variable: "MUSL_CC",
    flags: &["-std=gnu11"],
};

impl Language {
    /// The compiler itself, without options.
    pub fn program(&self) -> String {
        std::env::var(self.variable).unwrap_or_else(|_| self.compiler.to_owned())
    }

    /// Is there such a compiler?
    pub fn exists(&self) -> bool {
        let mut command = Command::new(self.program());
        command.arg("--version").stdout(Stdio::null());
        command
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    /// The compiler with the options of every build here.
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.program());
        command.env("TMPDIR", "/run").args(self.flags);
        command.args(STRICT).arg("-I").arg(INCLUDE);
        command
    }
}

/// How a program gets the library.
#[derive(Clone, Copy)]
pub enum Link {
    /// From the archive.
    Archive,
    /// From the archive, in a program that is all static.
    Static,
    /// From the shared library, by its SONAME.
    Shared,
    /// It loads the shared library itself, from `/run`.
    Plugin,
}

/// Compiles and links one source of `tests/c`; gives the program.
pub fn compile(language: Language, source: &str, link: Link) -> PathBuf {
    let program = Path::new("/run").join(source.trim_end_matches(".c"));
    let mut command = language.command();
    command.arg("-O1").arg("-pthread").arg(path_of(source));
    // The language of what follows is what its name says.
    command.args(["-x", "none"]).arg("-o").arg(&program);
    match link {
        Link::Archive => command.arg(binary("librocker_ffi.a")),
        Link::Static => command.arg(binary("librocker_ffi.a")).arg("-static"),
        Link::Shared => command
            .arg(binary("librocker_ffi.so"))
            .arg("-Wl,-rpath,/run"),
        Link::Plugin => command.arg("-ldl"),
    };
    if matches!(link, Link::Shared | Link::Plugin) {
        std::fs::copy(binary("librocker_ffi.so"), "/run/librocker_ffi.so.1").unwrap();
    }
    expect_success(&mut command);
    program
}

/// A source of `tests/c`.
pub fn path_of(source: &str) -> PathBuf {
    Path::new(SOURCES).join(source)
}

/// A test passes without trying anything if a tool is missing, but not where everything must run.
pub fn skip(tool: &str) {
    assert!(
        std::env::var_os("ROCKER_MUST_RUN").is_none(),
        "no {tool}: run ci/setup.sh"
    );
    println!("SKIP: no {tool}");
}

/// Runs a command that must succeed; gives its standard output.
pub fn expect_success(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a program of ours.
pub fn run<S: AsRef<OsStr>>(program: &Path, arguments: impl IntoIterator<Item = S>) -> String {
    expect_success(Command::new(program).args(arguments))
}

fn text(output: &Output) -> String {
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{}\n{stdout}{stderr}", output.status)
}
