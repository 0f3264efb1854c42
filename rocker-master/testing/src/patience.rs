//! `patience`: for machines that are slower than the time limits of tests.

use std::time::{Duration, Instant};

/// How many times as long as written a test may take, and waits: `$ROCKER_TEST_PATIENCE`, else once. Emulated machines have
/// more than one.
pub fn patience() -> u32 {
    let times = std::env::var("ROCKER_TEST_PATIENCE");
    times.map_or(1, |text| {
        text.parse().expect("ROCKER_TEST_PATIENCE: a number")
    })
}

/// What has begun at `start` is over, and took less than `limit`, times [`patience()`].
#[track_caller]
pub fn assert_within(limit: Duration, start: Instant, what: &str) {
    let took = start.elapsed();
    assert!(took < limit * patience(), "{what}: {took:?}");
}
