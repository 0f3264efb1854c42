//! Writes the seeds that each target starts from, made by the encoders themselves: nothing that could go stale is kept.
//!
//! usage: seeds DIRECTORY

use rocker_proto::limits::NAME_SIZE;
use rocker_proto::{
    CacheReply, CacheRequest, Data, Entrance, ExecReply, ExecRequest, Failure, Joined, Network,
    Reply, Report, Request, Seccomp, Stage, Welcome,
};
use rocker_signature::{Footer, PAGE};
use std::path::Path;
use std::{env, fs, io};

const REQUEST: Request<'static> = Request {
    app_id: 7,
    uid: 1000,
    gid: 1001,
    package: c"/data/packages/a.sqfs",
    exec_dir: c"/run/apps/a",
    data_dir: c"/data/apps/a",
    ..Request::DEFAULT
};

fn requests() -> Vec<Vec<u8>> {
    let mut full = REQUEST;
    full.overlays[0] = Some(c"/etc");
    full.overlays[15] = Some(c"/var/lib/a");
    (full.seccomp, full.policy) = (Seccomp::FILE.logged(), c"/etc/rocker/a.policy");
    (full.tied, full.may_trace, full.network) = (true, true, Network::NONE);
    let bare = Request {
        data: Data {
            flags: Data::NO_OVERLAYS,
            ..Data::DISK
        },
        data_dir: c"",
        ..REQUEST
    };
    [REQUEST, full, bare]
        .iter()
        .filter_map(Request::encode)
        .map(|packet| packet.to_vec())
        .collect()
}

fn messages() -> Vec<Vec<u8>> {
    let welcome = Welcome {
        name: *b"rk0ebt68q000001\0",
        entrance: Entrance::by_pidfd(0),
    };
    let failure = Failure::indexed(Stage::MOUNT_OVERLAY, 22, 3);
    const { assert!(NAME_SIZE == 16) };
    let entry = CacheReply {
        users: 2,
        idle_ms: 0,
        package: Some(c"/data/packages/a.sqfs"),
    };
    vec![
        Reply {
            outcome: Ok(welcome),
        }
        .encode()
        .to_vec(),
        Reply {
            outcome: Err(failure),
        }
        .encode()
        .to_vec(),
        Report(failure).encode().to_vec(),
        Joined.encode().to_vec(),
        CacheRequest::List.encode().to_vec(),
        CacheRequest::Drop.encode().to_vec(),
        ExecRequest {
            name: *b"rk0123456abcdef\0",
        }
        .encode()
        .to_vec(),
        ExecReply { uid: 1, gid: 2 }.encode().to_vec(),
        entry
            .encode()
            .map(|packet| packet.to_vec())
            .unwrap_or_default(),
    ]
}

fn policies() -> Vec<Vec<u8>> {
    let full = b"socket-mode 0660\nsocket-group 1000\nrequire-signature no\n\n[peer uid=1000-1009] # us\npackage-dir /data/packages\n\
exec-dir /run/apps\ndata-dir /data/apps\noverlay-dir /etc\napp-uid 10000-10999\napp-gid 10000\nsandboxes 16\nlaunches 8\ndata-size 4M\n\
[peer gid=5]\n[peer uid=0]\nrequire-signature yes\n";
    vec![
        full.to_vec(),
        b"[peer uid=1]\npackage-dir /\n".to_vec(),
        Vec::new(),
    ]
}

/// What a policy of minijail's may hold, each thing once; then what people put together of it.
fn seccomp_policies() -> Vec<Vec<u8>> {
    [
        "read: 1\nwrite: 1\n257: 1\nclose: return EBADF\nfsync: return 5\n@default allow\n@frequency ./x\n# said\n",
        "socket: arg0 == AF_UNIX || arg0 == AF_INET && arg1 & 1; return EAFNOSUPPORT\n",
        "mmap: arg2 in ~PROT_EXEC || arg2 in ~PROT_WRITE\nmprotect: arg2 in PROT_READ|PROT_WRITE\n",
        "ioctl: arg1 == TCGETS || \\\n  arg1 == 0x5413\nprctl: arg0 != -1 && arg1 < 010 && arg2 <= 9 && arg3 > 1 && arg4 >= (1|2)\n",
        "exit: return EPERM\nclone: arg0 & ~~0x10000000; return ENOSYS\n",
        "@include /etc/other.policy\n",
        "read: return EIO\nread: 1\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

/// The size comes last: so does libFuzzer's `arbitrary` take a number and bytes apart.
fn superblocks() -> Vec<Vec<u8>> {
    let put = |bytes: &mut Vec<u8>, at: usize, value: &[u8]| {
        bytes[at..at + value.len()].copy_from_slice(value)
    };
    let mut squashfs = vec![0; 1152];
    for (at, value) in [
        (0, &b"hsqs"[..]),
        (4, &[3]),
        (12, &[0, 0, 1]),
        (20, &[6]),
        (22, &[16]),
        (26, &[1]),
        (28, &[4]),
    ] {
        put(&mut squashfs, at, value);
    }
    for (at, value) in [(40, 4000u64), (48, 3900), (64, 200), (72, 300)] {
        put(&mut squashfs, at, &value.to_le_bytes());
    }
    let mut erofs = vec![0; 1152];
    put(&mut erofs, 1024, &0xe0f5_e1e2u32.to_le_bytes());
    put(&mut erofs, 1036, &[12]);
    put(&mut erofs, 1060, &[1]);
    [squashfs, erofs]
        .map(|head| [&4096u64.to_le_bytes()[..], &head].concat())
        .to_vec()
}

fn footers() -> Vec<Vec<u8>> {
    let footer = Footer {
        signed: 8192,
        key: b"12345678",
        signature: &[1; 64],
        global: &[2; 64],
        comment: b"timestamp:1",
    };
    let page = footer.encode().unwrap_or([0; PAGE]);
    vec![[&8192u64.to_le_bytes()[..], &page[..256]].concat()]
}

fn layer_names() -> Vec<Vec<u8>> {
    vec![
        b"/var/lib".to_vec(),
        b"/a+b/c%2Bd".to_vec(),
        [b"/", &[b'x'; 300][..]].concat(),
    ]
}

fn main() -> io::Result<()> {
    let root = env::args_os().nth(1).ok_or(io::ErrorKind::InvalidInput)?;
    let seeds = [
        ("request", requests()),
        ("request_fields", Vec::new()),
        ("messages", messages()),
        ("policy", policies()),
        ("seccomp_policy", seccomp_policies()),
        ("seccomp_rules", Vec::new()),
        ("superblock", superblocks()),
        ("footer", footers()),
        ("layer_name", layer_names()),
    ];
    for (target, seeds) in seeds {
        let directory = Path::new(&root).join(target);
        fs::create_dir_all(&directory)?;
        for (number, seed) in seeds.iter().enumerate() {
            fs::write(directory.join(format!("seed{number}")), seed)?;
        }
    }
    Ok(())
}
