//! `keygen`, `sign` and `verify`.

use std::io::{self, BufRead, IsTerminal};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rocker_pack::{Error, PublicKey, SecretKey, Signed, read_public_key};

use crate::cli::{KeygenArguments, SignArguments, VerifyArguments};

/// Each gives what is to be printed.
pub fn keygen(arguments: &KeygenArguments) -> Result<String, Error> {
    let [public, secret] = ["pub", "key"].map(|extension| {
        let mut name = arguments.name.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        name
    });
    let password = match arguments.no_password {
        true => None,
        false => Some(new_password()?),
    };
    rocker_pack::generate(public.as_ref(), secret.as_ref(), password, arguments.force)?;
    Ok(format!(
        "{public:?}: for devices\n{secret:?}: for you alone\n"
    ))
}

pub fn sign(arguments: &SignArguments, epoch: Option<&str>) -> Result<String, Error> {
    let package = &arguments.package;
    if let (Some(signature), Some(public)) = (&arguments.attach, &arguments.public) {
        let signed = rocker_pack::attach(package, signature, &[read_public_key(public)?])?;
        return Ok(said(package, &signed));
    }
    // Clap has seen to it that there is one.
    let secret = arguments.secret.as_deref().unwrap_or(Path::new(""));
    let secret = SecretKey::read(secret, || password("Password: "))?;
    let comment = match &arguments.comment {
        Some(comment) => comment.clone(),
        None => default_comment(package, epoch)?,
    };
    if arguments.detached {
        let path = rocker_pack::sign_detached(package, &secret, &comment)?;
        return Ok(format!("{path:?}: signature of {package:?}\n"));
    }
    rocker_pack::sign(package, &secret, &comment)?;
    let signed = rocker_pack::verify(package, &[secret.public()])?;
    Ok(said(package, &signed))
}

pub fn verify(arguments: &VerifyArguments) -> Result<String, Error> {
    let keys = arguments.public.iter().map(|path| read_public_key(path));
    let keys = keys.collect::<Result<Vec<PublicKey>, Error>>()?;
    let package = &arguments.package;
    let signed = if arguments.detached {
        rocker_pack::verify_detached(package, &rocker_pack::detached_path(package), &keys)?
    } else {
        rocker_pack::verify(package, &keys)?
    };
    Ok(said(package, &signed))
}

fn said(package: &Path, signed: &Signed) -> String {
    let Signed { key, comment } = signed;
    format!("{package:?}: signed by key {key}, {comment:?}\n")
}

/// As minisign has it.
fn default_comment(package: &Path, epoch: Option<&str>) -> Result<String, Error> {
    let time = match epoch {
        Some(epoch) => epoch.parse().map_err(|_| {
            Error::Options(format!(
                "SOURCE_DATE_EPOCH is {epoch:?}, not seconds since 1970"
            ))
        })?,
        None => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs()),
    };
    let name = package.file_name().unwrap_or_default().to_string_lossy();
    let name = name.replace(char::is_control, "?");
    Ok(format!("timestamp:{time}\tfile:{name}"))
}

fn new_password() -> Result<String, Error> {
    let first = password("Password for the secret key: ")?;
    if io::stdin().is_terminal() && password("Once more: ")? != first {
        return Err(Error::Options("the two passwords differ".into()));
    }
    Ok(first)
}

/// From the terminal, or a line of standard input.
fn password(prompt: &str) -> Result<String, Error> {
    let failed = |source| Error::Io {
        action: "read the password from",
        path: "standard input".into(),
        source,
    };
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt).map_err(failed);
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok(line.trim_end_matches(['\n', '\r']).into())
}
