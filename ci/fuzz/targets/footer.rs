//! The last page of a signed package, and the file of a public key. A footer is accepted in one form only; its key and
//! signatures may be any bytes, for which the check says yes or no.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rocker_signature::{COMMENT_MAX, Check, Footer, PAGE, PublicKey};

/// Of the first test of RFC 8032, 7.1.
const KEY: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

fuzz_target!(|input: (u64, &[u8], &[u8])| {
    let (signed, start, file) = input;
    let mut page = [0; PAGE];
    let len = start.len().min(PAGE);
    page[..len].copy_from_slice(&start[..len]);
    // As long as the page says that it is, and as long as it does not.
    let claimed = u64::from_le_bytes(page[16..24].try_into().expect("eight bytes"));
    for signed in [signed, claimed] {
        let Ok(footer) = Footer::decode(&page, signed) else {
            continue;
        };
        assert_eq!(footer.signed, signed);
        assert!(footer.comment.len() <= COMMENT_MAX);
        assert_eq!(footer.encode(), Some(page), "two pages for one footer");
        // Any key may be asked. Of a real one nobody here knows the secret half.
        let any = PublicKey {
            id: *footer.key,
            point: *start.last_chunk().unwrap_or(&[7; 32]),
        };
        footer.comment_holds(&any);
        let key = PublicKey { point: KEY, ..any };
        assert!(
            !footer.comment_holds(&key),
            "nobody has signed this comment"
        );
        assert!(
            !Check::new(&key, footer.signature).holds(),
            "nobody has signed this package"
        );
    }
    if let Ok(key) = PublicKey::parse(file) {
        // A comment may stand before it, and blank lines behind it.
        let padded = [b"untrusted comment: a key\n", file, b"\n\n"].concat();
        assert_eq!(PublicKey::parse(&padded), Ok(key));
    }
});
