//! `Stage`: the steps of a launch that can fail.

/// A step of a launch. A number and not an enum, because it is read back from another process; numbers are only ever
/// added, and never change their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Stage(u16);

/// One table, from which the constants, the names and the list of all are made.
macro_rules! stages {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        impl Stage {
            $( $(#[$doc])* pub const $name: Stage = Stage($number); )*

            /// Every stage, in the order of a launch.
            pub const ALL: &[Stage] = &[$(Stage::$name),*];

            /// The word for it in the log and in `rocker_ext.h`.
            pub fn name(self) -> &'static str {
                // As `Errno::name` in rocker-sys: one text, where a `match` becomes a table with room for every number.
                const NAMES: &str = concat!($($text, " "),*);
                let known = Self::ALL.iter().position(|stage| *stage == self);
                known.and_then(|position| NAMES.split_ascii_whitespace().nth(position)).unwrap_or("unknown-stage")
            }
        }
    };
}

stages! {
    /// Nothing failed: the sandbox is built.
    READY = 0, "ready";
    /// The guard waits for its id maps. Only reports carry it; the index is the package's slot of the cache.
    MAPS = 1, "maps";
    /// The master has written them. Only reports carry it.
    MAPPED = 2, "mapped";
    /// Everything is mounted, and the guard needs no id maps. Only reports carry it; the index as with `MAPS`.
    MOUNTED = 3, "mounted";

    /// The packet is not a request of this version: magic, version, length, terminators.
    REQUEST = 16, "request";
    /// `app_id` is not above 0.
    APP_ID = 17, "app-id";
    /// `uid` is not above 0; `EPERM`, here and below: the policy does not let this peer name it.
    UID = 18, "uid";
    /// `gid` is not above 0.
    GID = 19, "gid";
    /// `app_pkg_path` is not an absolute path without `.`, `..` and empty components.
    PACKAGE_PATH = 20, "package-path";
    /// `app_exec_dir`, likewise.
    EXEC_DIR_PATH = 21, "exec-dir-path";
    /// `app_data_dir`, likewise.
    DATA_DIR_PATH = 22, "data-dir-path";
    /// `app_overlay_dirs[index]`, likewise; or it is named twice, or one of the kernel's own trees.
    OVERLAY_PATH = 23, "overlay-path";
    /// This peer may not ask.
    PEER = 24, "peer";
    /// The master has no room for another sandbox; `EDQUOT`: this user has as many as the policy lets it, `EAGAIN`: as many
    /// launches are under way.
    LIMIT = 25, "limit";
    /// The data mode is none that we know.
    DATA_MODE = 26, "data-mode";
    /// A size is given, and the data mode is not tmpfs; `EPERM`: it is more than the policy lets this peer have.
    DATA_SIZE = 27, "data-size";
    /// Changes are to be written back, and the data mode is not tmpfs.
    DATA_KEEP = 28, "data-keep";
    /// No overlays are wanted, and overlays or a data mode are given.
    NO_OVERLAYS = 29, "no-overlays";
    /// A flag is set that we do not know.
    FLAGS = 30, "flags";
    /// The filter of system calls: `EINVAL` is a mode that we do not know, or a kernel without filters
    /// (`CONFIG_SECCOMP_FILTER`); `EOPNOTSUPP` a kernel that does not report (before 4.14), or a machine without a filter.
    SECCOMP = 31, "seccomp";

    /// `clone3(2)` of the guard, or what must be there before it.
    CLONE = 32, "clone";
    /// `unshare(2)`, `setns(2)`, `mount(2)`, `/proc/self/mountinfo`: a mount namespace apart from the host's.
    PROPAGATION = 33, "propagation";
    /// `open(2)` of the package.
    OPEN_PACKAGE = 35, "open-package";
    /// The package's superblock: `EMEDIUMTYPE` is neither squashfs nor erofs, `ENODATA` cut off, `EOPNOTSUPP` a
    /// compression or version that no kernel mounts, `EINVAL` contradictory.
    PACKAGE_FORMAT = 36, "package-format";
    /// `open(2)` of the data directory.
    OPEN_DATA_DIR = 37, "open-data-dir";
    /// `open(2)` of an overlay directory.
    OPEN_OVERLAY = 38, "open-overlay";
    /// Making the layers of an overlay below the data directory.
    LAYERS = 39, "layers";
    /// The data directory lies on a file system that cannot hold an upper layer, such as overlayfs itself.
    LAYER_FS = 40, "layer-fs";
    /// `mount(2)` of an overlay.
    MOUNT_OVERLAY = 41, "mount-overlay";
    /// Binding back what was mounted below an overlay directory.
    SUBMOUNT = 42, "submount";
    /// `open(2)` of the exec directory.
    OPEN_EXEC_DIR = 43, "open-exec-dir";
    /// `loop(4)`: no loop device.
    LOOP_DEVICE = 44, "loop-device";
    /// `mount(2)` of the package.
    MOUNT_PACKAGE = 45, "mount-package";
    /// `mount(2)` of the new pid namespace's `/proc`.
    MOUNT_PROC = 46, "mount-proc";
    /// Making a part of `/proc` read-only or unreadable; the index counts through the guard's table.
    HARDEN_PROC = 47, "harden-proc";
    /// Making `/sys` read-only.
    HARDEN_SYS = 48, "harden-sys";
    /// `unshare(2)` of the user namespace.
    USER_NAMESPACE = 49, "user-namespace";
    /// Writing `uid_map`, `gid_map` and `setgroups` (`user_namespaces(7)`).
    ID_MAPS = 50, "id-maps";
    /// Opening the namespaces' descriptors for the client.
    NAMESPACES = 51, "namespaces";
    /// Taking the guard's own privileges away.
    HARDEN = 52, "harden";
    /// Plumbing of the guard: signalfd, epoll.
    GUARD = 53, "guard";
    /// The guard died without a word, or the client or the master left before the sandbox was ready.
    VANISHED = 54, "vanished";
    /// Mounting the tmpfs that holds the upper layers, and making them in it.
    TMPFS = 55, "tmpfs";
    /// The cache, in which packages are mounted that sandboxes share.
    PACKAGE_CACHE = 56, "package-cache";
    /// The seccomp policy: its path, `open(2)`, or what it says; then the index is the byte that makes no sense. `ENODATA`:
    /// nothing of it is kept for who enters later.
    SECCOMP_POLICY = 57, "seccomp-policy";
    /// The App's network: none that we know, or no namespace for it (`CONFIG_NET_NS`).
    NETWORK = 58, "network";
    /// A signature is required, and the package has none that this device trusts: `ENODATA` none at all, `EBADMSG` a damaged
    /// one, `ENOKEY` one by another key, `EKEYREJECTED` one of other bytes. `EPERM`: somebody but root may write to the
    /// package; `ETXTBSY`: somebody writes to it. `ENOENT`, `EACCES`, `EINVAL`, `E2BIG`: the directory of trusted keys is
    /// not there, can be written by others, holds a file that is no public key, or too many.
    PACKAGE_SIGNATURE = 59, "package-signature";

    /// The socket's path does not fit an address (`unix(7)`: 108 bytes with the NUL).
    SOCKET_PATH = 64, "socket-path";
    /// `socket(2)` of the client.
    SOCKET = 65, "socket";
    /// `connect(2)` to the master.
    CONNECT = 66, "connect";
    /// The master is neither root nor who asks.
    MASTER = 67, "master";
    /// The request does not fit a packet.
    REQUEST_SIZE = 68, "request-size";
    /// `send(2)` of the request.
    SEND = 69, "send";
    /// No answer: the deadline has passed or the peer is gone.
    ANSWER = 70, "answer";
    /// The answer is not a reply, or its descriptors are not the namespaces that it promises.
    REPLY = 71, "reply";
    /// The library's own plumbing: socket pair, signal mask.
    PLUMBING = 72, "plumbing";
    /// `setns(2)` into the pid namespace.
    JOIN_PID = 73, "join-pid";
    /// `fork(2)` or `clone(2)` of the App.
    FORK = 74, "fork";
    /// Telling the guard of the new process.
    ANNOUNCE = 75, "announce";
    /// Leaving the groups (`setgroups(2)`).
    GROUPS = 76, "groups";
    /// `setns(2)` into the ipc, uts, mount and user namespaces; the index says which. One call for all of them is 0.
    JOIN = 77, "join";
    /// `setresgid(2)`, `setresuid(2)`, `capset(2)`, `prctl(2)`.
    IDENTITY = 78, "identity";
    /// `chdir(2)` to `/`.
    CHDIR = 79, "chdir";
    /// `execve(2)` of the App.
    EXEC = 80, "exec";
    /// An argument of the C interface is a null pointer, or a descriptor that is not open.
    ARGUMENT = 81, "argument";
    /// Reading a guard's name. Of the master's: `ESRCH`, no sandbox that runs has a guard of this name.
    GUARD_NAME = 82, "guard-name";
}

impl Stage {
    /// The stage with this number, which may be none that we know.
    pub const fn from_raw(number: u16) -> Self {
        Self(number)
    }

    /// The number on the wire.
    pub const fn raw(self) -> u16 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_numbers() {
        assert_eq!(Stage::READY.name(), "ready");
        assert_eq!(Stage::OVERLAY_PATH.name(), "overlay-path");
        assert_eq!(Stage::GUARD_NAME.name(), "guard-name");
        assert_eq!(Stage::from_raw(u16::MAX).name(), "unknown-stage");
    }

    #[test]
    fn numbers_and_names_are_unique() {
        for (position, stage) in Stage::ALL.iter().enumerate() {
            for other in &Stage::ALL[position + 1..] {
                assert_ne!(stage.raw(), other.raw());
                assert_ne!(stage.name(), other.name());
            }
        }
    }
}
