use super::*;

const TREE: Figures = Figures {
    kernel_memory: 0,
    cold_start: Duration::from_millis(100),
    warm_start: Duration::from_millis(50),
    cold_read: 100.0,
    random_read: Duration::from_micros(100),
    from_device: None,
};

const TERMS: Terms = Terms {
    prefer: Prefer::Flash,
    memory_limit: 640,
    on_disk: 1000,
    unpacked: Some(TREE),
};

fn candidate(compression: Compression, kib: u32) -> Candidate {
    Candidate::Squashfs {
        compression,
        block_size: kib << 10,
    }
}

/// zstd of this block size, with a size, a kernel memory, a cold start in ms and a cold reading speed.
fn trial(kib: u32, bytes: u64, memory: u64, start: u64, read: f64) -> Trial {
    Trial {
        candidate: candidate(Compression::Zstd, kib),
        bytes,
        figures: Some(Figures {
            kernel_memory: memory,
            cold_start: Duration::from_millis(start),
            cold_read: read,
            ..TREE
        }),
    }
}

fn chosen(trials: &[Trial], prefer: Prefer) -> (Candidate, usize) {
    let choice = recommend(trials, &Terms { prefer, ..TERMS }).unwrap();
    (choice.candidate, choice.given_up.len())
}

#[test]
fn each_preference_takes_the_best_within_all_limits() {
    let trials = [
        trial(256, 200, 900, 80, 130.0), // too much memory
        trial(128, 250, 600, 90, 110.0),
        trial(64, 300, 500, 70, 120.0),
        trial(16, 350, 200, 85, 115.0),
        trial(4, 450, 100, 60, 140.0), // saves too little
    ];
    for (prefer, kib) in [
        (Prefer::Flash, 128),
        (Prefer::Speed, 64),
        (Prefer::Memory, 16),
    ] {
        assert_eq!(
            chosen(&trials, prefer),
            (candidate(Compression::Zstd, kib), 0)
        );
    }
}

#[test]
fn what_is_nearly_as_small_and_starts_sooner_is_taken() {
    let trials = [
        trial(128, 300, 500, 90, 110.0),
        trial(64, 306, 500, 70, 110.0),
    ];
    assert_eq!(
        chosen(&trials, Prefer::Flash).0,
        candidate(Compression::Zstd, 64)
    );
    let trials = [
        trial(128, 300, 500, 90, 110.0),
        trial(64, 307, 500, 70, 110.0),
    ];
    assert_eq!(
        chosen(&trials, Prefer::Flash).0,
        candidate(Compression::Zstd, 128)
    );
}

#[test]
fn as_few_limits_as_possible_are_given_up_and_that_of_reading_first() {
    let slow = trial(64, 300, 500, 90, 80.0);
    let sluggish = trial(32, 290, 500, 201, 110.0);
    let hungry = trial(128, 280, 700, 90, 110.0);
    let large = trial(16, 500, 500, 90, 120.0);
    let all = [large, hungry, sluggish, slow];
    for (count, taken) in [(4, slow), (3, sluggish), (2, hungry), (1, large)] {
        assert_eq!(chosen(&all[..count], Prefer::Flash), (taken.candidate, 1));
    }
    // Two limits missed are worse than any one.
    let slow_and_large = trial(8, 500, 500, 90, 80.0);
    assert_eq!(
        chosen(&[slow_and_large, hungry], Prefer::Flash).0,
        hungry.candidate
    );
}

#[test]
fn what_was_not_measured_while_others_were_is_not_taken() {
    let unmounted = Trial {
        figures: None,
        ..trial(128, 100, 0, 0, 0.0)
    };
    let mounted = trial(64, 300, 500, 90, 110.0);
    assert_eq!(
        chosen(&[unmounted, mounted], Prefer::Flash).0,
        mounted.candidate
    );
    assert_eq!(recommend(&[unmounted], &TERMS), None);
    assert_eq!(recommend(&[], &TERMS), None);
}

#[test]
fn without_measurements_flash_and_the_estimate_of_memory_decide_and_xz_is_not_taken() {
    let unmeasured = |compression, kib, bytes| Trial {
        candidate: candidate(compression, kib),
        bytes,
        figures: None,
    };
    let trials = [
        unmeasured(Compression::Xz, 64, 200),
        unmeasured(Compression::Zstd, 128, 300),
        unmeasured(Compression::Zstd, 64, 320),
        unmeasured(Compression::Gzip, 64, 360),
    ];
    let terms = Terms {
        unpacked: None,
        memory_limit: 640 << 10,
        ..TERMS
    };
    let choice = recommend(&trials, &terms).unwrap();
    assert_eq!(choice.candidate, candidate(Compression::Zstd, 64));
    assert_eq!(choice.given_up, [""; 0]);
}
