//! Base64 of a fixed length without padding (RFC 4648), as keys are written.

/// Decodes `text`; `None` if it is not exactly `N` bytes, where `N` is a multiple of three.
pub(crate) fn decode<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let (groups, []) = text.as_chunks::<4>() else {
        return None;
    };
    let (slots, []) = bytes.as_chunks_mut::<3>() else {
        return None;
    };
    if groups.len() != slots.len() {
        return None;
    }
    for (slot, group) in slots.iter_mut().zip(groups) {
        let mut bits = 0u32;
        for letter in group {
            bits = bits.wrapping_shl(6) | u32::from(value(*letter)?);
        }
        let [_, high, middle, low] = bits.to_be_bytes();
        *slot = [high, middle, low];
    }
    Some(bytes)
}

fn value(letter: u8) -> Option<u8> {
    let (first, start) = match letter {
        b'A'..=b'Z' => (b'A', 0),
        b'a'..=b'z' => (b'a', 26),
        b'0'..=b'9' => (b'0', 52),
        b'+' => (b'+', 62),
        b'/' => (b'/', 63),
        _ => return None,
    };
    Some(letter.wrapping_sub(first).wrapping_add(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_has_its_value() {
        let all = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let bytes: [u8; 48] = decode(all).unwrap();
        let letters = bytes.as_chunks::<3>().0.iter().flat_map(|&[a, b, c]| {
            [
                a >> 2,
                (a & 3) << 4 | b >> 4,
                (b & 15) << 2 | c >> 6,
                c & 63,
            ]
        });
        assert!(letters.eq(0..64));
    }

    #[test]
    fn what_is_no_base64_of_that_length_is_refused() {
        for text in [
            "", "AAA", "AAAAA", "AAAAAAAA", "AAA=", "AA A", "AA\nA", "A-_A",
        ] {
            assert_eq!(decode::<3>(text.as_bytes()), None, "{text:?}");
        }
    }
}
