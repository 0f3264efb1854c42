//! The other way round: reading blocks of a package that somebody else may have made.

use liblzma::stream::{Action, Status, Stream};

use crate::compression::Compression;

/// More than any squashfs block's dictionary needs, so that a hostile header cannot take all memory.
const XZ_MEMORY_LIMIT: u64 = 64 << 20;

/// The decompressed bytes of a block, at most `limit`, or what was wrong with it.
///
/// The input is not trusted: every decompressor here checks its bounds.
pub(crate) fn decode(
    compression: Compression,
    input: &[u8],
    limit: usize,
) -> Result<Vec<u8>, String> {
    let mut output = vec![0; limit];
    let length = match compression {
        Compression::None => {
            return Err("a compressed block in a package without compression".into());
        }
        Compression::Gzip => libdeflater::Decompressor::new()
            .zlib_decompress(input, &mut output)
            .map_err(|e| format!("gzip: {e:?}"))?,
        Compression::Zstd => zstd::bulk::decompress_to_buffer(input, &mut output)
            .map_err(|e| format!("zstd: {e}"))?,
        Compression::Lzo => {
            lzokay::decompress::decompress(input, &mut output).map_err(|e| format!("lzo: {e:?}"))?
        }
        Compression::Lz4 => lz4::block::decompress_to_buffer(
            input,
            Some(i32::try_from(limit).map_err(|_| "lz4: limit".to_string())?),
            &mut output,
        )
        .map_err(|e| format!("lz4: {e}"))?,
        Compression::Xz => return xz(input, limit),
    };
    output.truncate(length);
    Ok(output)
}

fn xz(input: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let mut stream =
        Stream::new_stream_decoder(XZ_MEMORY_LIMIT, 0).map_err(|e| format!("xz: {e}"))?;
    let mut output = Vec::with_capacity(limit);
    match stream.process_vec(input, &mut output, Action::Finish) {
        Ok(Status::StreamEnd) if output.len() <= limit => Ok(output),
        Ok(status) => Err(format!("xz: {status:?}")),
        Err(error) => Err(format!("xz: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::{Encoder, Encoding};

    const ALL: [Compression; 5] = [
        Compression::Gzip,
        Compression::Xz,
        Compression::Lzo,
        Compression::Lz4,
        Compression::Zstd,
    ];

    #[test]
    fn every_compression_reads_back_what_it_wrote() {
        let input: Vec<u8> = (0..8192u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        for compression in ALL {
            let level = compression.default_level();
            let encoding = Encoding {
                compression,
                level,
                block_size: 1 << 16,
            };
            let packed = Encoder::new(encoding)
                .unwrap()
                .encode(&input)
                .unwrap()
                .unwrap();
            assert_eq!(
                decode(compression, &packed, input.len()).unwrap(),
                input,
                "{compression}"
            );
        }
    }

    #[test]
    fn noise_is_left_uncompressed() {
        let mut noise = vec![0; 4096];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        for compression in ALL {
            let level = compression.default_level();
            let encoding = Encoding {
                compression,
                level,
                block_size: 1 << 16,
            };
            assert_eq!(
                Encoder::new(encoding).unwrap().encode(&noise).unwrap(),
                None,
                "{compression}"
            );
        }
    }

    #[test]
    fn decode_refuses_every_truncation() {
        let input = vec![7; 5000];
        for compression in ALL {
            let level = compression.default_level();
            let encoding = Encoding {
                compression,
                level,
                block_size: 1 << 16,
            };
            let packed = Encoder::new(encoding)
                .unwrap()
                .encode(&input)
                .unwrap()
                .unwrap();
            for end in 0..packed.len() {
                let cut = decode(compression, &packed[..end], input.len());
                assert_ne!(
                    cut.as_deref().ok(),
                    Some(&input[..]),
                    "{compression} cut to {end}"
                );
            }
        }
    }
}
