//! `Request`: one launch, as the client asks for it.

mod check;

pub(crate) use check::is_path;

use crate::limits::{OVERLAYS_MAX, REQUEST_MAX, VERSION};
use crate::reader::Reader;
use crate::{Data, DataMode, Failure, Network, Seccomp, Stage};
use core::ffi::CStr;

/// `errno(3)`; the same on every architecture of Linux but mips, alpha, parisc and sparc.
const EPROTO: i32 = 71;

/// A request on the wire.
pub type Packet = heapless::Vec<u8, REQUEST_MAX>;

/// One launch. It borrows its strings from the packet that it was decoded from, or from whoever encodes it.
///
/// Having decoded one proves that every id is in range and every path absolute, without `.`, `..` or empty components. It
/// does not prove that anything is there, or that the sender may have it.
///
/// In the order below: whatever stood behind the overlays would be too far away for the short forms of instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Request<'a> {
    /// The caller's own number for the App; only logs use it.
    pub app_id: i32,
    /// The App's user id, on the host and inside.
    pub uid: u32,
    /// The App's group id, on the host and inside.
    pub gid: u32,
    /// The package's file.
    pub package: &'a CStr,
    /// Where the package is mounted.
    pub exec_dir: &'a CStr,
    /// Where the overlays' upper layers are kept. Empty if there is none: see [`Data::needs_dir`]. One that is not needed is
    /// not opened.
    pub data_dir: &'a CStr,
    /// Where those changes live.
    pub data: Data,
    /// Which system calls the App may make.
    pub seccomp: Seccomp,
    /// The policy file of [`Seccomp::FILE`]; empty for the others.
    pub policy: &'a CStr,
    /// Which network it has.
    pub network: Network,
    /// Does the sandbox end when this connection does, whoever holds it open for however long?
    pub tied: bool,
    /// May the caller trace root's processes (CAP_SYS_PTRACE)? The client library looks for itself, whatever stands here. It
    /// decides by which [`Entrance`](crate::Entrance) the caller gets in, and nothing else.
    pub may_trace: bool,
    /// The directories that the App may change without the host's seeing it. None at all stands for every top-level
    /// directory but /proc, /sys, /dev and /run.
    pub overlays: [Option<&'a CStr>; OVERLAYS_MAX],
}

impl<'a> Request<'a> {
    /// What a caller gets who says nothing: changes on disk, the default filter, the host's network and list of overlays. The
    /// ids and paths that have to be said are missing.
    pub const DEFAULT: Self = Self {
        app_id: 0,
        uid: 0,
        gid: 0,
        package: c"",
        exec_dir: c"",
        data_dir: c"",
        data: Data::DISK,
        seccomp: Seccomp::DEFAULT,
        policy: c"",
        network: Network::HOST,
        tied: false,
        may_trace: false,
        overlays: [None; OVERLAYS_MAX],
    };

    /// `RKQ` and a zero.
    const MAGIC: u32 = u32::from_le_bytes(*b"RKQ\0");

    /// `may_trace` and `tied`, among the flags of the data, which are fewer than six.
    const MAY_TRACE: u8 = 0x80;
    const TIED: u8 = 0x40;

    /// Where the flags stand.
    const FLAGS: usize = 25;

    /// The fixed part: magic 4, version 2, total length 2, ids 4 each; size 4, mode 1 and flags 1 of the data; seccomp 1,
    /// network 1; then a length with NUL (2) for each of the four paths and sixteen overlays, 0 for one that is not there.
    const HEADER: usize = 68;

    /// Where the length of the first string stands.
    const LENGTHS: usize = 28;

    /// And that of the first overlay: behind those of package, exec directory, data directory and policy.
    const OVERLAY_LENGTHS: usize = Self::LENGTHS + 4 * 2;

    /// As it is sent. Nothing is checked but the size: that is the master's part, so that each refusal stands in one log.
    pub fn encode(&self) -> Option<Packet> {
        let mut packet = Packet::new();
        self.encode_into(&mut packet)?;
        Some(packet)
    }

    /// As [`encode`](Self::encode), into an empty packet of the caller's, which saves copying 4 KiB. `None`: it does not
    /// fit, and the packet holds what did.
    pub fn encode_into(&self, packet: &mut Packet) -> Option<()> {
        let [v0, v1] = VERSION.to_le_bytes();
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags =
            self.data.flags | flag(self.may_trace, Self::MAY_TRACE) | flag(self.tied, Self::TIED);
        let choices = [
            self.data.mode.raw(),
            flags,
            self.seccomp.raw(),
            self.network.raw(),
        ];
        let mut header = [[0; 4]; Self::HEADER / 4];
        let words = [
            Self::MAGIC.to_le_bytes(),
            [v0, v1, 0, 0],
            self.app_id.to_le_bytes(),
            self.uid.to_le_bytes(),
            self.gid.to_le_bytes(),
            self.data.size_kib.to_le_bytes(),
            choices,
        ];
        *header.first_chunk_mut()? = words;
        packet.extend_from_slice(header.as_flattened()).ok()?;
        let if_any = |path: &'a CStr| (!path.is_empty()).then_some(path);
        let paths = [
            Some(self.package),
            Some(self.exec_dir),
            if_any(self.data_dir),
            if_any(self.policy),
        ];
        append(packet, Self::LENGTHS, &paths)?;
        append(packet, Self::OVERLAY_LENGTHS, &self.overlays)?;
        put_len(packet, 6, packet.len())
    }

    /// Says in an encoded packet that the caller may trace.
    pub fn set_may_trace(packet: &mut Packet) {
        if let Some(flags) = packet.get_mut(Self::FLAGS) {
            *flags |= Self::MAY_TRACE;
        }
    }

    /// Takes a packet apart and refuses what is not exactly as it should be. With the refusal comes the app id, if the
    /// packet had one, for the log.
    pub fn decode(packet: &'a [u8]) -> Result<Self, Refusal<'a>> {
        let malformed = Refusal {
            failure: Failure::new(Stage::REQUEST, EPROTO),
            app_id: 0,
            path: None,
        };
        let request = Self::take_apart(packet).ok_or(malformed)?;
        request.check().map_err(|(failure, path)| Refusal {
            failure,
            app_id: request.app_id,
            path,
        })?;
        Ok(request)
    }

    /// The form alone: magic, version, lengths and terminators.
    #[inline(never)] // smaller by itself
    fn take_apart(packet: &'a [u8]) -> Option<Self> {
        let mut header = Reader(packet);
        let known = header.u32()? == Self::MAGIC && header.u16()? == VERSION;
        let total: usize = header.u16()?.into();
        if !known || total != packet.len() || total > REQUEST_MAX {
            return None;
        }
        let (app_id, uid, gid) = (header.i32()?, header.u32()?, header.u32()?);
        let size_kib = header.u32()?;
        let [mode, flags, seccomp, network] = header.array()?;
        let data = Data {
            mode: DataMode::from_raw(mode),
            flags: flags & !(Self::MAY_TRACE | Self::TIED),
            size_kib,
        };
        let mut strings = Reader(packet.get(Self::HEADER..)?);
        let mut next = || {
            let len = header.u16()?;
            strings.string(len.into())
        };
        let (package, exec_dir) = (next()?, next()?);
        let (data_dir, policy) = (next()?, next()?);
        let mut overlays = [None; OVERLAYS_MAX];
        for slot in &mut overlays {
            *slot = next()?;
        }
        // These two may be left out, and there is one way to say so.
        if !strings.is_empty() || data_dir == Some(c"") || policy == Some(c"") {
            return None;
        }
        // A path that is not there is a field's fault and not the packet's: `check` names it, as an empty one.
        let [package, exec_dir, data_dir, policy] =
            [package, exec_dir, data_dir, policy].map(Option::unwrap_or_default);
        Some(Self {
            app_id,
            uid,
            gid,
            package,
            exec_dir,
            data_dir,
            overlays,
            data,
            seccomp: Seccomp::from_raw(seccomp),
            policy,
            network: Network::from_raw(network),
            tied: flags & Self::TIED != 0,
            may_trace: flags & Self::MAY_TRACE != 0,
        })
    }

    /// The path that a failed stage was about, for the log. Guards send numbers, so this looks up, and never trusts, the
    /// index.
    pub fn path_of(&self, failure: &Failure) -> Option<&'a CStr> {
        match failure.stage {
            Stage::PACKAGE_PATH
            | Stage::OPEN_PACKAGE
            | Stage::PACKAGE_FORMAT
            | Stage::LOOP_DEVICE
            | Stage::MOUNT_PACKAGE => Some(self.package),
            Stage::EXEC_DIR_PATH | Stage::OPEN_EXEC_DIR => Some(self.exec_dir),
            Stage::DATA_DIR_PATH | Stage::OPEN_DATA_DIR | Stage::LAYER_FS => Some(self.data_dir),
            Stage::SECCOMP_POLICY => Some(self.policy),
            _ => self
                .overlays
                .get(usize::from(failure.index))
                .copied()
                .flatten(),
        }
    }
}

/// Why a packet was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// What the client is told.
    pub failure: Failure,
    /// The app id that the packet named, or 0.
    pub app_id: i32,
    /// The path that is wrong.
    pub path: Option<&'a CStr>,
}

/// Adds strings to the end of a packet, and their lengths to its header.
fn append(packet: &mut Packet, lengths: usize, strings: &[Option<&CStr>]) -> Option<()> {
    for (at, text) in (lengths..).step_by(2).zip(strings) {
        if let Some(text) = text {
            let bytes = text.to_bytes_with_nul();
            put_len(packet, at, bytes.len())?;
            packet.extend_from_slice(bytes).ok()?;
        }
    }
    Some(())
}

fn put_len(packet: &mut Packet, at: usize, len: usize) -> Option<()> {
    *packet.get_mut(at..)?.first_chunk_mut()? = u16::try_from(len).ok()?.to_le_bytes();
    Some(())
}
