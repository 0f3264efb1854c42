//! `Launch`: what is launched, as both sides understand it.

use rocker_client::{Data, DataMode};
use std::path::{Path, PathBuf};

/// How the App gets its program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// It is a fork of the AppMaster, which calls a function.
    #[default]
    Callback,
    /// The AppMaster names a program.
    Program,
}

/// One kind of launch.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The package.
    pub package: PathBuf,
    /// Its file system, as mount(2) calls it.
    pub fs_type: &'static str,
    /// Where it is mounted.
    pub exec_dir: PathBuf,
    /// Where upper layers are.
    pub data_dir: PathBuf,
    /// Directories below overlays.
    pub overlays: Vec<PathBuf>,
    /// Mebibytes that the AppMaster holds besides its own.
    pub ballast: u32,
    /// How the App gets its program.
    pub way: Way,
    /// Where the App's changes live; ours alone.
    pub data: Data,
    /// Is the package unmounted before every launch, so that each one is the first? Ours alone: the floor's always are.
    pub is_first_use: bool,
    /// Options of the floor program alone: `-s` a shared package, `-r` read-only overlays, `-u` a shared user namespace,
    /// `-g` and a directory the cgroup to be born in, `-m` to be moved there instead.
    pub floor: Vec<String>,
}

impl Launch {
    /// The same, changed.
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// As arguments of the floor program.
    pub fn arguments(&self) -> Vec<String> {
        [self.shared_arguments(), self.floor.clone()].concat()
    }

    /// As arguments of our own AppMaster.
    pub(crate) fn own_arguments(&self) -> Vec<String> {
        let mut arguments = self.shared_arguments();
        let Data {
            mode,
            flags,
            size_kib,
        } = self.data;
        let data = format!("{},{flags},{size_kib}", mode.raw());
        arguments.extend(["-D".to_owned(), data]);
        if self.is_first_use {
            arguments.push("-f".to_owned());
        }
        arguments
    }

    fn shared_arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut put = |option: &str, value: &Path| {
            arguments.extend([option.to_owned(), value.display().to_string()]);
        };
        put("-p", &self.package);
        put("-x", &self.exec_dir);
        put("-d", &self.data_dir);
        for overlay in &self.overlays {
            put("-o", overlay);
        }
        put("-t", Path::new(self.fs_type));
        if self.ballast > 0 {
            put("-b", Path::new(&self.ballast.to_string()));
        }
        if self.way == Way::Program {
            arguments.push("-v".to_owned());
        }
        arguments
    }

    /// Reads [`Launch::own_arguments`] back.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut launch = Self {
            package: PathBuf::new(),
            fs_type: "",
            exec_dir: PathBuf::new(),
            data_dir: PathBuf::new(),
            overlays: Vec::new(),
            ballast: 0,
            way: Way::Callback,
            data: Data::DISK,
            is_first_use: false,
            floor: Vec::new(),
        };
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().expect("a value");
            match option.as_str() {
                "-p" => launch.package = value().into(),
                "-x" => launch.exec_dir = value().into(),
                "-d" => launch.data_dir = value().into(),
                "-o" => launch.overlays.push(value().into()),
                "-b" => launch.ballast = value().parse().expect("a number"),
                "-v" => launch.way = Way::Program,
                "-D" => launch.data = parse_data(&value()),
                "-f" => launch.is_first_use = true,
                "-t" => drop(value()),
                _ => panic!("{option}"),
            }
        }
        launch
    }
}

fn parse_data(text: &str) -> Data {
    let mut numbers = text.split(',').map(|word| word.parse::<u32>());
    let mut next = || numbers.next().and_then(Result::ok).expect("a number");
    let mut byte = || u8::try_from(next()).expect("a byte");
    Data {
        mode: DataMode::from_raw(byte()),
        flags: byte(),
        size_kib: next(),
    }
}
