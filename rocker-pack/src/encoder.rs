//! One thread's compressor.

use liblzma::stream::{Action, Check, Filters, LzmaOptions, Status, Stream};
use lz4::block::CompressionMode;

use crate::compression::Compression;
use crate::error::{Error, Result};

/// The kernel allocates a dictionary of one block, but never less than one of metadata (fs/squashfs/xz_wrapper.c).
const XZ_DICTIONARY_MIN: u32 = 8192;

/// What a package compresses with; an [`Encoder`] is made from it for each thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoding {
    pub(crate) compression: Compression,
    pub(crate) level: i32,
    pub(crate) block_size: u32,
}

/// Compresses blocks, one after the other, each on its own.
pub(crate) enum Encoder {
    Gzip(libdeflater::Compressor),
    Xz { level: u32, dictionary: u32 },
    Lzo(Box<lzokay::compress::Dict>),
    Lz4 { level: i32 },
    Zstd(zstd::bulk::Compressor<'static>),
    Stored,
}

impl Encoder {
    /// A compressor for `encoding`.
    pub(crate) fn new(encoding: Encoding) -> Result<Self> {
        let Encoding {
            compression,
            level,
            block_size,
        } = encoding;
        Ok(match compression {
            Compression::Gzip => Self::Gzip(libdeflater::Compressor::new(
                libdeflater::CompressionLvl::new(level)
                    .map_err(|e| failed("gzip", format!("{e:?}")))?,
            )),
            Compression::Xz => Self::Xz {
                level: level.unsigned_abs(),
                dictionary: block_size.max(XZ_DICTIONARY_MIN),
            },
            Compression::Lzo => Self::Lzo(lzokay::compress::Dict::new()),
            Compression::Lz4 => Self::Lz4 { level },
            Compression::Zstd => {
                Self::Zstd(zstd::bulk::Compressor::new(level).map_err(|e| failed("zstd", e))?)
            }
            Compression::None => Self::Stored,
        })
    }

    /// The compressed bytes, or nothing when they would not be fewer than `input`.
    pub(crate) fn encode(&mut self, input: &[u8]) -> Result<Option<Vec<u8>>> {
        let output = match self {
            Self::Stored => return Ok(None),
            Self::Gzip(compressor) => return Ok(zlib(compressor, input)),
            Self::Xz { level, dictionary } => xz(*level, *dictionary, input)?,
            Self::Lzo(dict) => lzokay::compress::compress_with_dict(input, dict)
                .map_err(|e| failed("lzo", format!("{e:?}")))?,
            Self::Lz4 { level } => {
                let mode = Some(CompressionMode::HIGHCOMPRESSION(*level));
                lz4::block::compress(input, mode, false).map_err(|e| failed("lz4", e))?
            }
            Self::Zstd(compressor) => compressor.compress(input).map_err(|e| failed("zstd", e))?,
        };
        Ok((output.len() < input.len()).then_some(output))
    }
}

fn failed(codec: &'static str, what: impl ToString) -> Error {
    Error::Codec {
        codec,
        what: what.to_string(),
    }
}

/// A buffer one byte short of the input makes libdeflate itself give up on what does not shrink.
fn zlib(compressor: &mut libdeflater::Compressor, input: &[u8]) -> Option<Vec<u8>> {
    let mut output = vec![0; input.len().saturating_sub(1)];
    let length = compressor.zlib_compress(input, &mut output).ok()?; // too small is the only failure
    output.truncate(length);
    Some(output)
}

/// The kernel's decoder is built with CRC32 always, with other checks seldom.
fn xz(level: u32, dictionary: u32, input: &[u8]) -> Result<Vec<u8>> {
    let mut options = LzmaOptions::new_preset(level).map_err(|e| failed("xz", e))?;
    let mut filters = Filters::new();
    filters.lzma2(options.dict_size(dictionary));
    let mut stream =
        Stream::new_stream_encoder(&filters, Check::Crc32).map_err(|e| failed("xz", e))?;
    // Incompressible input grows by a header, a footer and some bytes per 64 KiB.
    let mut output = Vec::with_capacity(input.len() + input.len() / 1024 + 256);
    match stream.process_vec(input, &mut output, Action::Finish) {
        Ok(Status::StreamEnd) => Ok(output),
        Ok(status) => Err(failed("xz", format!("{status:?}"))),
        Err(error) => Err(failed("xz", error)),
    }
}
