//! What a package is, by its first bytes and its size. What is recognised is whole, and would be in a longer file too; a
//! head that is cut off is never recognised.
#![no_main]

#[path = "../../../rocker-guard/src/superblock.rs"]
#[allow(dead_code)]
mod superblock;

use libfuzzer_sys::fuzz_target;
use superblock::{Format, HEAD, recognise};

fn number<const N: usize>(head: &[u8], at: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes[..N].copy_from_slice(&head[at..at + N]);
    u64::from_le_bytes(bytes)
}

fuzz_target!(|input: (u64, &[u8])| {
    let (size, bytes) = input;
    let head = &bytes[..bytes.len().min(HEAD)];
    let Ok((format, said)) = recognise(head, size) else {
        return;
    };
    let (needed, used) = match format {
        Format::Squashfs => {
            assert_eq!(&head[..4], b"hsqs");
            assert_eq!(number::<4>(head, 12), 1 << number::<2>(head, 22));
            (96, number::<8>(head, 40))
        }
        Format::Erofs => {
            assert_eq!(number::<4>(head, 1024), 0xe0f5_e1e2);
            (HEAD, number::<4>(head, 1024 + 36) << head[1024 + 12])
        }
    };
    assert_eq!(said, used);
    assert!(0 < used && used <= size, "cut off");
    assert_eq!(recognise(head, used), Ok((format, used)));
    assert_eq!(recognise(head, u64::MAX), Ok((format, used)));
    assert!(recognise(head, used - 1).is_err(), "one byte is missing");
    assert!(
        recognise(&head[..needed - 1], size).is_err(),
        "one byte of the superblock is missing"
    );
});
