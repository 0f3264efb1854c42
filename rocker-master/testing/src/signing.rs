//! Keys of a case, packages that they have signed, and a master that wants that.

use crate::master::{Master, binary};
use crate::{ask, launch, request};
use rocker_client::{Failure, Request, Stage};
use rocker_pack::SecretKey;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a case's trusted keys are.
pub const KEYS: &str = "/run/keys";

/// A key of this name; a trusted one, if it is called so.
pub struct Signer(SecretKey);

impl Signer {
    /// Makes one. Only that of a trusted one is put where the master looks.
    pub fn new(name: &str, is_trusted: bool) -> Self {
        fs::create_dir_all(KEYS).unwrap();
        let dir = if is_trusted { KEYS } else { "/run" };
        let public = PathBuf::from(dir).join(name).with_extension("pub");
        let secret = PathBuf::from("/run").join(name).with_extension("key");
        rocker_pack::generate(&public, &secret, None, false).unwrap();
        Self(SecretKey::read(&secret, || unreachable!("it has no password")).unwrap())
    }

    /// Signs a package.
    pub fn sign(&self, package: impl AsRef<Path>) {
        rocker_pack::sign(package.as_ref(), &self.0, "a test's").unwrap();
    }
}

/// The package that is signed.
pub const SIGNED: &str = "/run/app.sqfs";

/// A trusted key, and a request for a package that it has signed.
pub fn signed_request() -> (Signer, Request<'static>) {
    let (signer, request) = (Signer::new("trusted", true), request());
    signer.sign(SIGNED);
    (signer, request)
}

/// Writes to that package.
pub fn change_package(change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(SIGNED).unwrap();
    change(&mut bytes);
    fs::write(SIGNED, bytes).unwrap();
}

/// Launches it and sees its content.
pub fn package_starts(request: &Request<'_>) -> bool {
    ask(request, &|| fs::read_to_string("/run/exec/hello").unwrap()) == "hello from the package\n"
}

/// Launches it in vain; gives the errno, and it is the signature that is refused.
pub fn signature_refusal(request: &Request<'_>) -> i32 {
    let failure = launch(request, &|| 0).unwrap_err();
    assert_eq!(
        failure,
        Failure::new(Stage::PACKAGE_SIGNATURE, failure.errno)
    );
    failure.errno
}

/// A master that starts signed packages only, and keeps them mounted for so many seconds.
pub fn strict_master(cache_idle: u32) -> Master {
    Master::start_command(strict_command(binary("rocker-master"), cache_idle))
}

/// The command of such a master, after another program that runs it perhaps.
pub fn strict_command(program: PathBuf, cache_idle: u32) -> Command {
    let mut command = Command::new(program);
    command.args(["--require-signature", "--keys", KEYS]);
    command.args(["--cache-idle", &cache_idle.to_string()]);
    command
}
