//! What the verbs about signatures accept.

use std::path::PathBuf;

use clap::Args;

pub const KEYGEN_HELP: &str = "\
NAME.pub is for devices: put it into /etc/rocker/keys there. NAME.key is for you alone: it is created
with mode 0600, and encrypted with the password that you are asked for. Both are minisign's own files.";

pub const SIGN_HELP: &str = "\
The signature goes to the end of the package, as a page of 4 KiB that the kernel does not look at;
one that is there already is replaced. The package appears signed as a whole, or stays as it was.

It is a signature of minisign's first form, which 'minisign -V' checks too:
  rocker-pack sign --detached -s NAME.key APP.sqfs
  head -c -4096 APP.sqfs > unsigned                  (if APP.sqfs is signed)
  minisign -V -p NAME.pub -m unsigned -x APP.sqfs.minisig
The other way round, for keys that rocker-pack may not see:
  minisign -S -l -s NAME.key -m APP.sqfs
  rocker-pack sign --attach APP.sqfs.minisig -p NAME.pub APP.sqfs

The same package, key and comment give the same signature. Without --comment, it is the time
(SOURCE_DATE_EPOCH, else now) and the file's name.";

pub const VERIFY_HELP: &str = "\
Exit codes: 0 signed by one of the keys, 1 not, or it cannot be told.";

/// What `keygen` accepts.
#[derive(Args)]
pub struct KeygenArguments {
    /// The files are NAME.pub and NAME.key
    #[arg(value_name = "NAME")]
    pub name: PathBuf,
    /// Do not encrypt the secret key
    #[arg(short = 'W', long)]
    pub no_password: bool,
    /// Replace existing files
    #[arg(short, long)]
    pub force: bool,
}

/// What `sign` accepts.
#[derive(Args)]
pub struct SignArguments {
    /// The package
    #[arg(value_name = "APP.sqfs")]
    pub package: PathBuf,
    /// The secret key
    #[arg(
        short,
        long,
        value_name = "NAME.key",
        required_unless_present = "attach"
    )]
    pub secret: Option<PathBuf>,
    /// What is to be signed along with the package, in one line
    #[arg(short = 't', long, value_name = "TEXT", conflicts_with = "attach")]
    pub comment: Option<String>,
    /// Write the signature to APP.sqfs.minisig, and leave the package as it is
    #[arg(long, conflicts_with = "attach")]
    pub detached: bool,
    /// Take this signature, if the key given by --public has made it
    #[arg(
        long,
        value_name = "SIGNATURE",
        conflicts_with = "secret",
        requires = "public"
    )]
    pub attach: Option<PathBuf>,
    /// The public key, with --attach
    #[arg(short, long, value_name = "NAME.pub", requires = "attach")]
    pub public: Option<PathBuf>,
}

/// What `verify` accepts.
#[derive(Args)]
pub struct VerifyArguments {
    /// The package
    #[arg(value_name = "APP.sqfs")]
    pub package: PathBuf,
    /// A key that is trusted; may be repeated
    #[arg(short, long, value_name = "NAME.pub", required = true)]
    pub public: Vec<PathBuf>,
    /// Check by the signature in APP.sqfs.minisig
    #[arg(long)]
    pub detached: bool,
}
