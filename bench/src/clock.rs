//! The clock of all times here.

/// `CLOCK_MONOTONIC` in nanoseconds: the same in every process, and in the floor program.
pub(crate) fn now() -> i64 {
    // SAFETY: integers, for which zero is a value.
    let mut time: libc::timespec = unsafe { std::mem::zeroed() };
    // SAFETY: the time is written to our variable.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    #[allow(
        clippy::unnecessary_cast,
        reason = "they are narrower on other machines"
    )]
    let [seconds, nanoseconds] = [time.tv_sec as i64, time.tv_nsec as i64];
    seconds * 1_000_000_000 + nanoseconds
}
