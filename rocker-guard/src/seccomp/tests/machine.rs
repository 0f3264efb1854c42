//! What the kernel does with a filter (`seccomp(2)`), for one call.

/// `struct seccomp_data`
#[derive(Clone, Copy, Debug, Default)]
pub struct Call {
    pub number: u32,
    pub architecture: u32,
    pub arguments: [u64; 6],
}

impl Call {
    fn word(&self, offset: u32) -> u32 {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.architecture.to_le_bytes());
        bytes.extend_from_slice(&[0xa5; 8]);
        for argument in self.arguments {
            bytes.extend_from_slice(&argument.to_le_bytes());
        }
        assert_eq!(offset % 4, 0, "the kernel refuses to load that");
        let at = offset as usize;
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    }
}

/// What the program says, and how many instructions that took.
pub fn run(program: &[u8], call: &Call) -> (u32, usize) {
    let (instructions, []) = program.as_chunks::<8>() else {
        panic!("not whole instructions");
    };
    let (mut at, mut accumulator) = (0usize, 0u32);
    for steps in 1.. {
        let [c0, c1, holds, fails, operand @ ..] = instructions[at];
        let operand = u32::from_ne_bytes(operand);
        at += 1;
        match u16::from_ne_bytes([c0, c1]) {
            0x20 => accumulator = call.word(operand),
            0x06 => return (operand, steps),
            0x05 => at += operand as usize,
            code @ (0x15 | 0x25 | 0x35 | 0x45) => {
                let is_true = match code {
                    0x15 => accumulator == operand,
                    0x25 => accumulator > operand,
                    0x35 => accumulator >= operand,
                    _ => accumulator & operand != 0,
                };
                at += usize::from(if is_true { holds } else { fails });
            }
            code => panic!("no such instruction: {code:#x}"),
        }
    }
    unreachable!()
}
