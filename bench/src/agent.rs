//! `Agent`: a process that launches when it is told to, and measures by itself.

use crate::Launch;
use crate::app_master::MARK;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letter {
    /// The App executes `busybox true` from the package.
    Execute = b'e' as isize,
    /// The App waits until its guard is killed.
    Pause = b'p' as isize,
    /// The App waits, and is kept until the agent ends.
    Keep = b'k' as isize,
}

/// What it took, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Call to the App's first instruction; with a program, to the return of the call that has executed it.
    pub start: f64,
    /// Call to the App's end, if it executes.
    pub done: f64,
    /// Guard killed to everything gone: processes and mounts; with the floor, which shares no package, the loop device too.
    pub gone: f64,
    /// The process ids of guard and App; ours only.
    pub pids: [i32; 2],
}

/// A launcher that waits for its next letter. It ends when this is dropped, and with it every App that it kept.
#[derive(Debug)]
pub struct Agent {
    child: Child,
    letters: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Agent {
    /// The bare kernel. On another machine than the one that built it, `$ROCKER_FLOOR` says where the program is.
    pub fn floor(launch: &Launch) -> Self {
        let floor = std::env::var_os("ROCKER_FLOOR").unwrap_or_else(|| env!("FLOOR").into());
        Self::spawn(Command::new(floor).args(launch.arguments()))
    }

    /// Rocker, by the master at the usual place.
    pub fn ours(launch: &Launch) -> Self {
        let this = std::env::current_exe().expect("its own path");
        Self::spawn(Command::new(this).arg(MARK).args(launch.own_arguments()))
    }

    /// Ours of another build: by its own `compare`, if there is one in the directory.
    pub fn of_build(dir: &Path, launch: &Launch) -> Self {
        let other = dir.join("compare");
        if !other.exists() {
            return Self::ours(launch);
        }
        Self::spawn(Command::new(other).arg(MARK).args(launch.own_arguments()))
    }

    fn spawn(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the agent starts");
        let letters = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self {
            child,
            letters,
            answers,
        }
    }

    /// One launch.
    pub fn one(&mut self, letter: Letter) -> Times {
        self.tell(letter);
        self.hear()
    }

    /// Begins a launch.
    pub fn tell(&mut self, letter: Letter) {
        let pipe = self.letters.as_mut().expect("open until dropped");
        pipe.write_all(&[letter as u8]).expect("the agent lives");
    }

    /// Waits for the answer to a launch.
    pub fn hear(&mut self) -> Times {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("a pipe");
        let mut numbers = line.split_whitespace().map(|word| word.parse::<i64>());
        let mut next = || numbers.next().and_then(Result::ok);
        let (Some(start), Some(done), Some(gone)) = (next(), next(), next()) else {
            panic!("the agent failed; it answered {line:?}")
        };
        let [start, done, gone] = [start, done, gone].map(|ns| ns as f64 / 1000.0);
        let mut pid = || next().and_then(|pid| i32::try_from(pid).ok()).unwrap_or(0);
        let pids = [pid(), pid()];
        Times {
            start,
            done,
            gone,
            pids,
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // The end of its letters is the end of the agent.
        drop(self.letters.take());
        self.child.wait().expect("a child");
    }
}
