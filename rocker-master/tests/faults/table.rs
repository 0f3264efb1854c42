//! Which calls fail, how, and at which stage that is.

use rocker_client::Stage;

/// Which call fails how (`inject=` of strace), on which path if not on all, and at which stage that is.
pub const BEFORE: &str = "
    clone3:error=EAGAIN:when=1       -                             clone
    socketpair:error=EMFILE:when=1   -                             clone
    close_range:error=EPERM:when=1   -                             guard
    prctl:error=EPERM:when=1         -                             guard
    chdir:error=EIO:when=1           -                             guard
    unshare:error=ENOSPC:when=1      -                             clone
    sendmsg:error=EPIPE:when=1       -                             clone
    prctl:error=EPERM:when=2         -                             seccomp
    openat2:error=EIO                /run/app.sqfs                 open-package
    pread64:error=EIO                /run/app.sqfs                 package-format
    openat2:error=EIO                /run/data                     open-data-dir
    openat2:error=EIO                /run/o1                       open-overlay[0]
    openat2:error=EIO                /run/o22                      open-overlay[1]
";

/// In a data directory without layers, so that they have to be made.
pub const LAYERS: &str = "
    mkdirat:error=ENOSPC             /run/fresh                    layers
    mkdirat:error=EDQUOT:when=1      /run/fresh/.rocker            layers[0]
    mkdirat:error=EROFS:when=2       /run/fresh/.rocker            layers[0]
    mkdirat:error=EROFS:when=4       /run/fresh/.rocker            layers[0]
    mkdirat:error=EROFS:when=6       /run/fresh/.rocker            layers[0]
    mkdirat:error=ENOSPC:when=7      /run/fresh/.rocker            layers[1]
    fchown:error=EPERM               /run/fresh/.rocker/run+o22/upper layers[1]
    fstatfs:error=EIO:when=1         -                             layer-fs
";

/// With the layers on a tmpfs.
pub const TMPFS: &str = "
    mount:error=ENODEV:when=9        -                             tmpfs
    fchdir:error=EIO:when=1          -                             tmpfs
    openat:error=EMFILE              fs                            tmpfs
    fstatfs:error=EIO:when=1         -                             tmpfs
    mount:error=ENOMEM:when=10       -                             mount-overlay[0]
";

pub const MOUNTS: &str = "
    openat:error=EMFILE:when=1       /proc                         mount-proc
    mount:error=EPERM:when=1         -                             mount-proc
    mount:error=EPERM:when=2         -                             harden-proc[0]
    mount:error=EBUSY:when=3         -                             harden-proc[1]
    openat2:error=EIO                /run/rocker/                  harden-proc
    openat:error=EMFILE              master.sock.mask              harden-proc
    mount_setattr:error=ENOMEM:when=1 -                            harden-proc
    mount_setattr:error=EBUSY:when=2 -                             harden-proc
    mount_setattr:error=ENOMEM:when=3 -                            harden-sys
    chdir:error=EIO:when=2           -                             layers
    mount:error=EINVAL:when=9        -                             mount-overlay[0]
    mount:error=ENODEV:when=10       -                             mount-overlay[1]
    mount:error=ENOMEM:when=11       -                             submount[1]
    mount:error=EPERM:when=12        -                             submount[1]
    fstatfs:error=EIO:when=2         -                             submount[1]
    setns:error=EPERM:when=1         -                             package-cache
    mkdirat:error=ENOSPC             /proc/driver                  package-cache
    openat:error=EMFILE              /proc/driver                  package-cache
    mount:error=EIO:when=13          -                             mount-package
    open_tree:error=ENOMEM           -                             package-cache
    setns:error=ENOMEM:when=2        -                             package-cache
    fchdir:error=EIO                 -                             package-cache
    chroot:error=EPERM               -                             package-cache
    openat2:error=EIO                /run/exec                     open-exec-dir
    move_mount:error=EINVAL          -                             mount-package
";

/// Where no mount can be copied by itself.
pub const COPY_OF_THE_CACHE: &str = "
    openat:error=EMFILE              /proc/driver                  package-cache
    mkdirat:error=ENOSPC             /proc/driver                  package-cache
    mount:error=EIO:when=5           -                             mount-package
    mount:error=EPERM:when=6         -                             package-cache
    mount:error=EINVAL:when=7        -                             mount-package
    mount:error=EPERM:when=8         -                             mount-proc
";

/// The last: LOOP_CONFIGURE is not known, and of the two calls that take its place the second fails.
pub const LOOP_DEVICE: &str = "
    openat:error=EMFILE              /dev/loop-control             loop-device
    ioctl:error=ENOSPC:when=1        -                             loop-device
    ioctl:error=EIO:when=2           -                             loop-device
    ioctl:error=EINVAL:when=2..4+2   -                             loop-device
";

/// The master's own writes are setgroups, gid_map and uid_map.
pub const IDENTITY: &str = "
    setgroups:error=EPERM            -                             user-namespace
    unshare:error=ENOSPC:when=2      -                             user-namespace
    sendmsg:error=ENOBUFS:when=2     -                             id-maps
    write:error=EACCES:when=1        -                             id-maps
    write:error=EPERM:when=2         -                             id-maps
    write:error=EINVAL:when=3        -                             id-maps
    pidfd_open:error=EMFILE:when=1   -                             namespaces
    prctl:error=EPERM:when=3         -                             harden
    prctl:error=EPERM:when=4         -                             harden
    prctl:error=EPERM:when=5         -                             harden
    setresgid:error=EPERM            -                             harden
    setresuid:error=EAGAIN:when=1    -                             harden
    setresuid:error=EAGAIN:when=2    -                             harden
    capset:error=EPERM               -                             harden
    sendmsg:error=EPIPE:when=3..4    -                             vanished
    sendmsg:error=EPIPE:when=4       -                             vanished
";

/// With a seccomp policy.
pub const POLICY: &str = "
    openat2:error=EIO                /run/policy                   seccomp-policy
";

/// Without the host's network.
pub const NETWORK: &str = "
    unshare:error=ENOSPC:when=2      -                             network
    socket:error=EMFILE:when=1       -                             network
";

/// When the host's mounts have changed.
pub const FOLLOWING: &str = "
    setns:error=EPERM                -                             propagation
    unshare:error=ENOMEM             -                             propagation
    openat:error=EMFILE              /proc/self/mountinfo          propagation
    read:error=EIO                   -                             propagation
";

/// Where setns takes no pidfd.
pub const NAMESPACES: &str = "
    openat:error=EMFILE              /proc/self/ns                 namespaces
    openat:error=EMFILE              ipc                           namespaces
    openat:error=EMFILE              user                          namespaces
    pidfd_open:error=EMFILE:when=1   -                             namespaces
";

/// One row.
#[derive(Debug)]
pub struct Fault {
    pub inject: &'static str,
    pub path: Option<&'static str>,
    pub stage: &'static str,
    pub index: u16,
}

pub fn rows(table: &'static str) -> impl Iterator<Item = Fault> {
    table.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (inject, path, stage) = (words.next()?, words.next()?, words.next()?);
        let (stage, index) = match stage.strip_suffix(']') {
            Some(indexed) => indexed.split_once('[').unwrap(),
            None => (stage, "65535"),
        };
        Some(Fault {
            inject,
            path: Some(path).filter(|path| *path != "-"),
            stage,
            index: index.parse().unwrap(),
        })
    })
}

impl Fault {
    pub fn call(&self) -> &str {
        self.inject.split(':').next().unwrap()
    }

    /// What the call says is what the client is told.
    pub fn errno(&self) -> i32 {
        let name = self
            .inject
            .split(':')
            .find_map(|part| part.strip_prefix("error="));
        match name.unwrap() {
            "EPERM" => libc::EPERM,
            "ENOENT" => libc::ENOENT,
            "EIO" => libc::EIO,
            "EAGAIN" => libc::EAGAIN,
            "ENOMEM" => libc::ENOMEM,
            "EACCES" => libc::EACCES,
            "EBUSY" => libc::EBUSY,
            "ENODEV" => libc::ENODEV,
            "EINVAL" => libc::EINVAL,
            "EMFILE" => libc::EMFILE,
            "ENOSPC" => libc::ENOSPC,
            "EROFS" => libc::EROFS,
            "EPIPE" => libc::EPIPE,
            "ENOBUFS" => libc::ENOBUFS,
            "EDQUOT" => libc::EDQUOT,
            other => panic!("{other}"),
        }
    }

    pub fn stage(&self) -> Stage {
        let mut all = Stage::ALL.iter().copied();
        all.find(|stage| stage.name() == self.stage).unwrap()
    }
}
