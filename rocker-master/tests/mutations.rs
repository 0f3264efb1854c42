//! Ten thousand packages that something has happened to: with signatures none of them gets to the kernel, and without,
//! nothing comes of them but a refusal or a sandbox.

use rocker_client::{Data, Request, Stage};
use rocker_testing::{
    Case, Master, Signer, Traces, ask, binary, eventually, launch, package_of, request, run_cases,
    strict_command, wait_for, with_package,
};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("no_mutation_of_a_signed_package_is_mounted_1", || {
        no_mutation_is_mounted(1)
    }),
    ("no_mutation_of_a_signed_package_is_mounted_2", || {
        no_mutation_is_mounted(2)
    }),
    ("no_mutation_of_a_signed_package_is_mounted_3", || {
        no_mutation_is_mounted(3)
    }),
    ("no_mutation_of_a_signed_package_is_mounted_4", || {
        no_mutation_is_mounted(4)
    }),
    ("a_mutation_is_refused_or_starts_1", || {
        a_mutation_is_refused_or_starts(1)
    }),
    ("a_mutation_is_refused_or_starts_2", || {
        a_mutation_is_refused_or_starts(2)
    }),
    ("a_mutation_is_refused_or_starts_3", || {
        a_mutation_is_refused_or_starts(3)
    }),
    ("a_mutation_is_refused_or_starts_4", || {
        a_mutation_is_refused_or_starts(4)
    }),
];

/// In each case: a case may take two minutes at the most, also on a busy machine.
const MUTATIONS: u32 = 2_500;
const PAGE: usize = 4096;
const MUTANT: &str = "/run/mutant.sqfs";

/// Always the same numbers: xorshift64* (Marsaglia, Vigna).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % limit
    }
}

/// A package with every kind of table, in files of one block, of several, and of a fragment; what is before its tables, and
/// where its footer begins.
struct Original {
    bytes: Vec<u8>,
    tables: usize,
    footer: usize,
}

impl Original {
    fn new(signer: &Signer) -> Self {
        let tree = Path::new("/run/mutant.tree");
        fs::create_dir_all(tree.join("sub/dir")).unwrap();
        let mut numbers = Numbers(7);
        for (name, len) in [("hello", 20), ("sub/block", 4096), ("sub/dir/blocks", 9000)] {
            let noise: Vec<u8> = (0..len).map(|_| numbers.below(256) as u8).collect();
            fs::write(tree.join(name), noise).unwrap();
        }
        symlink("sub/block", tree.join("link")).unwrap();
        package_of(tree, Path::new(MUTANT), |options| options.block_size = 4096);
        signer.sign(MUTANT);
        let bytes = fs::read(MUTANT).unwrap();
        // `squashfs_fs.h`: the inodes' table is the first.
        let tables = u64::from_le_bytes(bytes[64..72].try_into().unwrap());
        Self {
            footer: bytes.len() - PAGE,
            tables: tables.try_into().unwrap(),
            bytes,
        }
    }

    /// Another package each time, and never this one.
    fn mutant(&self, numbers: &mut Numbers) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        match numbers.below(10) {
            0 => bytes.truncate(numbers.below(bytes.len())),
            1 => {
                let more = 1 + numbers.below(2 * PAGE);
                bytes.extend((0..more).map(|_| numbers.below(256) as u8));
            }
            part => {
                for _ in 0..=numbers.below(4) {
                    let (start, end) = match part {
                        2..=4 => (0, 96),
                        5..=7 => (self.tables, self.footer),
                        8 => (self.footer, self.bytes.len()),
                        _ => (0, self.bytes.len()),
                    };
                    bytes[start + numbers.below(end - start)] ^= 1 << numbers.below(8);
                }
            }
        }
        if bytes == self.bytes {
            bytes[0] ^= 1;
        }
        bytes
    }
}

/// A request for the mutant.
fn mutant_s() -> Request<'static> {
    with_package(&request(), c"/run/mutant.sqfs")
}

/// Everything that mounts something, or makes a device of a file.
const MOUNTING: &str =
    "trace=mount,fsopen,fsconfig,fsmount,move_mount,open_tree,mount_setattr,ioctl";

/// A master that signatures matter to, and all its guards, watched from their first instruction to their last. A filter in
/// the kernel stops them at these calls only, so that all launches can be watched and not a few.
fn watched_master() -> Master {
    let strict = strict_command(binary("rocker-master"), 0);
    let mut command = Command::new("strace");
    // With -D the master is this process's child, and strace its grandchild.
    command.args(["-D", "-f", "--seccomp-bpf", "-qqq", "-o", TRACE]);
    command.args(["-e", MOUNTING]);
    command.arg(strict.get_program()).args(strict.get_args());
    Master::start_command(command)
}

const TRACE: &str = "/run/trace";

/// The calls so far.
fn watched() -> String {
    fs::read_to_string(TRACE).unwrap()
}

/// A guard has a `/proc` and a closed `/sys` before it looks at its package. Whatever else it mounts on it knows by descriptor
/// (`/proc/self/fd`). Of a call in two lines the first has the arguments.
fn is_of_the_kernel(line: &str) -> bool {
    let mut quoted = line.split('"').skip(1).step_by(2);
    let place = if line.contains(" mount(") {
        quoted.nth(1)
    } else if line.contains(" mount_setattr(") {
        quoted.next()
    } else {
        return line.contains(" resumed>");
    };
    place.is_some_and(|place| {
        let is_below = place.starts_with("/proc/") && !place.starts_with("/proc/self/");
        is_below || place == "/proc" || place == "/sys"
    })
}

/// None of them comes to a call that could mount something.
fn no_mutation_is_mounted(seed: u64) {
    let request = mutant_s();
    let original = Original::new(&Signer::new("trusted", true));
    let mut master = watched_master();
    let before = Traces::now(Path::new("/run/data"));
    let start = watched();
    let mut numbers = Numbers(seed);
    for number in 0..MUTATIONS {
        fs::write(MUTANT, original.mutant(&mut numbers)).unwrap();
        let failure = launch(&request, &|| 0).unwrap_err();
        assert_eq!(
            failure.stage,
            Stage::PACKAGE_SIGNATURE,
            "mutant {number}: {failure:?}"
        );
    }
    assert!(master.is_alive());
    eventually("nothing is left", Duration::from_secs(5), || {
        Traces::now(Path::new("/run/data")) == before
    });
    let watched_since = watched();
    let mut since = watched_since.strip_prefix(&start).unwrap().lines();
    assert_eq!(since.find(|line| !is_of_the_kernel(line)), None);

    fs::write(MUTANT, &original.bytes).unwrap();
    assert_eq!(ask(&request, &|| "started".into()), "started");
    let control = watched();
    for call in ["squashfs", "LOOP_", "overlay"] {
        assert!(control.contains(call), "not watched: {call}");
    }
}

fn a_mutation_is_refused_or_starts(seed: u64) {
    let request = Request {
        overlays: [None; 16],
        data_dir: c"",
        data: Data {
            flags: Data::NO_OVERLAYS,
            ..Data::DISK
        },
        ..mutant_s()
    };
    let original = Original::new(&Signer::new("trusted", true));
    let mut master = Master::start();
    let before = Traces::now(Path::new("/run/data"));
    let mut numbers = Numbers(seed);
    let mut started = 0;
    for number in 0..MUTATIONS {
        fs::write(MUTANT, original.mutant(&mut numbers)).unwrap();
        match launch(&request, &|| 0) {
            Ok(launched) => {
                assert_eq!(wait_for(launched.app_pid), 0, "mutant {number}");
                started += 1;
            }
            Err(failure) => {
                let stages = [Stage::PACKAGE_FORMAT, Stage::MOUNT_PACKAGE];
                assert!(
                    stages.contains(&failure.stage),
                    "mutant {number}: {failure:?}"
                );
            }
        }
    }
    // Of a change to what is not looked at, a sandbox comes; of one to the superblock none.
    assert!(
        (MUTATIONS / 10..MUTATIONS * 9 / 10).contains(&started),
        "{started} have started"
    );
    assert!(master.is_alive());
    eventually("nothing is left", Duration::from_secs(5), || {
        Traces::now(Path::new("/run/data")) == before
    });
}
