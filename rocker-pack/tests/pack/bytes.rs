//! Content for test files.

/// Bytes that no compressor shrinks; the same for the same seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Bytes that every compressor shrinks, without repeating exactly.
pub fn text(seed: u64, length: usize) -> Vec<u8> {
    let mut text = String::with_capacity(length + 64);
    let mut line = 0;
    while text.len() < length {
        text += &format!("line {line} of file {seed} says {}\n", line * seed % 977);
        line += 1;
    }
    text.into_bytes()[..length].to_vec()
}
