//! Makes and inspects *packages*: read-only squashfs images that the Linux kernel mounts.
//!
//! For the `rocker-pack` command and for tests that need a package; a build host needs it, a device
//! never does. [`build()`] promises: the same tree and options give the same bytes, whatever the order
//! in which directories list their entries and however many threads compress; the package appears
//! whole under its name or not at all; nothing is dropped without a [`Warning`].
//!
//! The writer is our own, because no crate keeps hard links, extended attributes and the content
//! shared by small files, and packs as tightly as mksquashfs.
//!
//! # A package on the disk
//! ```text
//! superblock | compressor options | blocks and fragments of files | inodes | directories |
//! fragment table | export table | id table | xattr table | padding to 4 KiB
//! ```
//! A signed one has a footer after that ([`sign`]).
#![deny(unsafe_code)]

mod advise;
mod blocks;
mod build;
mod bytecode;
mod compression;
mod data;
mod decoder;
mod directory;
mod encoder;
mod erofs;
mod error;
mod exclude;
mod ids;
mod image;
mod inode;
mod inode_table;
mod inspect;
mod kernel_memory;
mod listing;
mod metadata;
mod observer;
mod options;
mod output;
mod pool;
mod reader;
mod scan;
mod signing;
mod summary;
mod superblock;
mod tree;
mod utc;
mod warnings;
mod xattr;

pub use advise::{
    Advice, AdviseOptions, Candidate, Choice, Figures, Prefer, Row, Terms, Trial, advise,
    build_candidate, check_output, recommend,
};
pub use build::{build, build_observed};
pub use compression::Compression;
pub use erofs::Erofs;
pub use error::{Error, Result};
pub use inspect::{Format, Inspection, inspect};
pub use listing::list;
pub use observer::Observer;
pub use options::{
    DEFAULT_BLOCK_SIZE, DEFAULT_TIME, MAX_BLOCK_SIZE, MIN_BLOCK_SIZE, Options, Owner, Time,
};
pub use rocker_signature::{COMMENT_MAX, PublicKey};
pub use signing::{
    SecretKey, Signed, attach, detached_path, generate, read_public_key, sign, sign_detached,
    verify, verify_detached,
};
pub use summary::Summary;
pub use superblock::{Superblock, flag};
pub use warnings::Warning;
