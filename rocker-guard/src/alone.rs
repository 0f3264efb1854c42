//! Whether PID 1 is alone, where no pidfd tells (before Linux 5.3).

use rocker_sys::fs::{self, DirEntries};
use rocker_sys::raw::general::{O_DIRECTORY, O_RDONLY};
use rocker_sys::{Errno, Fd, Result, StackPath, process};

/// Is nobody alive in this pid namespace but its PID 1?
pub(crate) fn is_alone() -> bool {
    // 0 asks without sending; EPERM would mean that somebody is there. It finds zombies too, and an App is one for as long
    // as its AppMaster does not reap it.
    process::kill(-1, 0) == Err(Errno::ESRCH) || are_all_zombies().unwrap_or(false)
}

fn are_all_zombies() -> Result<bool> {
    let proc = fs::open(c"/proc", O_RDONLY | O_DIRECTORY)?;
    let mut buffer = [0; 1024];
    loop {
        let filled = fs::getdents64(proc.raw(), &mut buffer)?;
        let filled = buffer.get(..filled).unwrap_or_default();
        if filled.is_empty() {
            return Ok(true);
        }
        for entry in DirEntries::new(filled) {
            let pid = entry.name.to_bytes();
            let is_process = pid.iter().all(u8::is_ascii_digit);
            if is_process && pid != b"1" && !has_ended(&proc, pid)? {
                return Ok(false);
            }
        }
    }
}

#[inline(never)] // smaller by itself
fn has_ended(proc: &Fd, pid: &[u8]) -> Result<bool> {
    let path = StackPath::<24>::of(&[pid, b"/stat"])?;
    let mut stat = [0; 512];
    let read = fs::openat(proc.raw(), path.as_c_str(), O_RDONLY, 0)
        .and_then(|file| fs::read(file.raw(), &mut stat));
    match read {
        Ok(len) => Ok(is_zombie(stat.get(..len).unwrap_or_default())),
        Err(Errno::ENOENT | Errno::ESRCH) => Ok(true),
        Err(errno) => Err(errno),
    }
}

/// Of the fields after the name, which may hold anything, the first is the state and the eighteenth the number of threads
/// (`proc_pid_stat(5)`): a first thread that has ended is a zombie too while others go on.
fn is_zombie(stat: &[u8]) -> bool {
    let after_name = stat.rsplit(|byte| *byte == b')').next().unwrap_or_default();
    let mut fields = after_name.split(|byte| *byte == b' ').skip(1);
    let state = fields.next();
    let threads = fields.nth(16);
    state == Some(b"Z") && matches!(threads, Some(b"0" | b"1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zombies_are_told_by_state_and_threads() {
        let stat = |state: &str, threads: u32| {
            let line =
                format!("7 (a) Z (b) {state} 1 7 7 0 -1 4 1 0 0 0 0 0 0 0 20 0 {threads} 0 99");
            is_zombie(line.as_bytes())
        };
        assert!(stat("Z", 1));
        assert!(!stat("S", 1));
        assert!(!stat("Z", 2));
        assert!(!is_zombie(b""));
    }
}
