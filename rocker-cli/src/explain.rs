//! What a failure means to whoever typed the command, and how to mend it.

use crate::FAILED;
use crate::message::{name, report};
use core::ffi::CStr;
use rocker_client::{Failure, Stage};
use rocker_sys::Errno;

/// The command was found and cannot be executed; the command was not found.
const CANNOT_EXECUTE: i32 = 126;
const NOT_FOUND: i32 = 127;

/// Says what failed in a launch, and where there is one, the way to mend it; gives the exit status. It was about the command,
/// the master, or something else.
pub(crate) fn explain(failure: &Failure, socket: &CStr, other: &CStr, command: &CStr) -> i32 {
    let subject = match failure.stage {
        Stage::EXEC => command,
        Stage::CONNECT | Stage::SOCKET_PATH | Stage::MASTER | Stage::ANSWER => socket,
        _ => other,
    };
    explain_about(failure, subject);
    match (failure.stage, Errno::from_raw(failure.errno)) {
        (Stage::EXEC, Errno::ENOENT) => NOT_FOUND,
        (Stage::EXEC, _) => CANNOT_EXECUTE,
        _ => FAILED,
    }
}

/// The same, with what it was about: a path, or nothing.
pub(crate) fn explain_about(failure: &Failure, subject: &CStr) {
    let errno = Errno::from_raw(failure.errno);
    let what = match what(failure.stage) {
        // A step without words of its own is named as the master's log does.
        b"" => failure.stage.name().as_bytes(),
        what => what,
    };
    let blank: &[u8] = if subject.is_empty() { b"" } else { b" " };
    let (open, remedy, close): (&[u8], _, &[u8]) = match remedy(failure.stage, errno) {
        b"" => (b"", &b""[..], b""),
        remedy => (b" (", remedy, b")"),
    };
    let subject = subject.to_bytes();
    report(&[
        what,
        blank,
        subject,
        b": ",
        name(errno),
        open,
        remedy,
        close,
    ]);
}

fn what(stage: Stage) -> &'static [u8] {
    match stage {
        Stage::PACKAGE_PATH | Stage::OPEN_PACKAGE => b"cannot open the package",
        Stage::PACKAGE_FORMAT => b"not a package:",
        Stage::MOUNT_PACKAGE => b"cannot mount the package",
        Stage::PACKAGE_SIGNATURE => b"no signature that counts on",
        Stage::LOOP_DEVICE => b"no loop device for the package",
        Stage::EXEC_DIR_PATH | Stage::OPEN_EXEC_DIR => b"cannot use the exec directory",
        Stage::DATA_DIR_PATH | Stage::OPEN_DATA_DIR | Stage::LAYER_FS => {
            b"cannot use the data directory"
        }
        Stage::OVERLAY_PATH | Stage::OPEN_OVERLAY => b"cannot overlay",
        Stage::LAYERS => b"cannot keep changes in the data directory, to",
        Stage::MOUNT_OVERLAY => b"cannot mount the overlay over",
        Stage::DATA_MODE => b"cannot keep changes as --data says",
        Stage::DATA_SIZE => b"cannot use --data-size",
        Stage::NO_OVERLAYS => b"cannot use --no-overlays",
        Stage::SECCOMP => b"cannot filter system calls as --seccomp says",
        Stage::SECCOMP_POLICY => b"cannot use the seccomp policy",
        Stage::NETWORK => b"cannot have the network that --network says",
        Stage::TMPFS => b"no tmpfs for the changes",
        Stage::CONNECT => b"cannot reach the master at",
        Stage::SOCKET_PATH => b"no address for the master is possible:",
        Stage::MASTER => b"not root's own master, at",
        Stage::ANSWER => b"no answer from the master at",
        Stage::REPLY => b"the master's answer cannot be read, at",
        Stage::PEER => b"the master does not let this user launch",
        Stage::LIMIT => b"the master has no room for another sandbox",
        Stage::ARGUMENT => b"too many environment variables",
        Stage::EXEC => b"cannot execute in the sandbox:",
        Stage::GUARD_NAME => b"no sandbox of this master has the guard",
        _ => b"",
    }
}

fn remedy(stage: Stage, errno: Errno) -> &'static [u8] {
    match (stage, errno) {
        (
            Stage::PACKAGE_PATH
            | Stage::EXEC_DIR_PATH
            | Stage::DATA_DIR_PATH
            | Stage::OVERLAY_PATH
            | Stage::UID
            | Stage::GID
            | Stage::DATA_SIZE
            | Stage::SECCOMP
            | Stage::SECCOMP_POLICY,
            Errno::EPERM,
        )
        | (Stage::LIMIT, Errno::EDQUOT | Errno::EAGAIN) => b"the master's rocker.conf does not allow it",
        (Stage::EXEC, Errno::ENOENT) => b"no such file, or the interpreter that it names is not there",
        (Stage::EXEC, Errno::EACCES) => b"not an executable file for the App's user",
        (Stage::EXEC, Errno::ENOEXEC) => b"not a program of this machine, nor a script with `#!`",
        (Stage::PACKAGE_FORMAT, Errno::EMEDIUMTYPE) => b"neither squashfs nor erofs; make one with rocker-pack",
        (Stage::PACKAGE_FORMAT, Errno::ENODATA) => b"it is cut off; copy it again",
        (Stage::PACKAGE_FORMAT, Errno::EOPNOTSUPP) => b"a compression or version that no kernel mounts",
        (Stage::PACKAGE_FORMAT, _) => b"its superblock contradicts itself",
        (Stage::SECCOMP_POLICY, Errno::ENODATA) => b"files of policies are not kept",
        (Stage::PACKAGE_SIGNATURE, Errno::ENODATA) => b"it is not signed, or cut off; sign it with rocker-pack",
        (Stage::PACKAGE_SIGNATURE, Errno::ENOKEY) => b"its key is not in the master's --keys",
        (Stage::PACKAGE_SIGNATURE, Errno::EKEYREJECTED | Errno::EBADMSG) => b"it is not what was signed; copy it again",
        (Stage::PACKAGE_SIGNATURE, Errno::EPERM | Errno::ETXTBSY) => b"others than root may write to it",
        (Stage::PACKAGE_SIGNATURE, _) => b"see the master's directory of keys",
        (Stage::OPEN_PACKAGE | Stage::OPEN_OVERLAY, Errno::ENOENT) => b"it does not exist",
        (Stage::OPEN_EXEC_DIR | Stage::OPEN_DATA_DIR, Errno::ENOENT) => b"make it: mkdir -p",
        (Stage::OPEN_PACKAGE | Stage::OPEN_EXEC_DIR | Stage::OPEN_DATA_DIR | Stage::OPEN_OVERLAY, Errno::ELOOP) => {
            b"a symbolic link that somebody other than root could have made; name what it leads to"
        }
        (Stage::OPEN_EXEC_DIR | Stage::OPEN_DATA_DIR | Stage::OPEN_OVERLAY, Errno::ENOTDIR) => b"not a directory",
        (Stage::PACKAGE_PATH | Stage::EXEC_DIR_PATH | Stage::DATA_DIR_PATH, _) => b"it may not be `/`",
        (Stage::OVERLAY_PATH, Errno::EEXIST) => b"named twice",
        (Stage::OVERLAY_PATH, _) => b"it may not be `/`, nor lie in /proc, /sys or /dev",
        (Stage::DATA_MODE | Stage::REQUEST, _) => b"the master does not know it: is it older than this command?",
        (Stage::DATA_SIZE, _) => b"only with --data tmpfs",
        (Stage::NO_OVERLAYS, _) => b"neither --overlay nor --data goes with it",
        (Stage::LAYER_FS, _) => {
            b"it lies on an overlayfs, which cannot hold an overlay's changes; choose --data-dir on another file system"
        }
        (Stage::MOUNT_PACKAGE, Errno::EINVAL | Errno::ENODEV) => {
            b"this kernel may lack the file system or its compression: see `rocker check`"
        }
        (Stage::LOOP_DEVICE | Stage::USER_NAMESPACE | Stage::CLONE, _) => b"see `rocker check`",
        (Stage::CONNECT, Errno::ENOENT | Errno::ECONNREFUSED) => {
            b"none runs; start `rocker-master` as root, or run this as root"
        }
        (Stage::CONNECT, Errno::EACCES) | (Stage::PEER, _) => b"run this as root",
        (Stage::GUARD_NAME, Errno::ESRCH) => b"see `ps -A`",
        (Stage::ARGUMENT, _) => b"1022 are the most; run this with fewer: env -i",
        (Stage::SOCKET_PATH, _) => b"107 bytes are the most",
        (Stage::ANSWER, _) => b"see its log",
        (Stage::REPLY, Errno::EPROTO) => b"is it of another version? See its log",
        _ => b"",
    }
}
