//! The `rocker-pack` command: arguments in, library called, words and exit code out.
#![deny(unsafe_code)]

mod advice;
mod cli;
mod progress;
mod report;
mod sign_commands;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::Parser;
use rocker_pack::{Error, Inspection, Options};

use crate::cli::{BuildArguments, Cli, Command, InspectArguments};
use crate::progress::Progress;

/// As clap's own: the request made no sense.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Build(arguments) => build(&arguments),
        Command::Inspect(arguments) => inspect(&arguments),
        Command::Keygen(arguments) => {
            sign_commands::keygen(&arguments).and_then(|text| print(&text))
        }
        Command::Sign(arguments) => {
            let epoch = std::env::var("SOURCE_DATE_EPOCH").ok();
            sign_commands::sign(&arguments, epoch.as_deref()).and_then(|text| print(&text))
        }
        Command::Verify(arguments) => {
            sign_commands::verify(&arguments).and_then(|text| print(&text))
        }
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rocker-pack: {error}");
            ExitCode::from(if matches!(error, Error::Options(_)) {
                USAGE
            } else {
                1
            })
        }
    }
}

fn build(arguments: &BuildArguments) -> Result<ExitCode, Error> {
    let epoch = std::env::var("SOURCE_DATE_EPOCH").ok(); // unset and unreadable are the same
    let options = arguments
        .options(epoch.as_deref())
        .map_err(Error::Options)?;
    let visible = !arguments.quiet && io::stderr().is_terminal();
    let progress = Progress::new(
        visible,
        arguments.advise && !arguments.quiet,
        interrupted()?,
    );
    if arguments.advise {
        return advise(arguments, options, &progress);
    }
    let result = rocker_pack::build_observed(&options, &progress);
    progress.clear();
    let summary = result?;
    for warning in &summary.warnings {
        eprintln!("rocker-pack: warning: {warning}");
    }
    if !arguments.quiet {
        print(&report::summary(&summary, &options))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the advice, and follows it if an output is named.
fn advise(
    arguments: &BuildArguments,
    options: Options,
    progress: &Progress,
) -> Result<ExitCode, Error> {
    let (mut options, output) = arguments.advise_options(options);
    if let Some(output) = output {
        options.pack.output = output.into();
        rocker_pack::check_output(&options.pack)?;
    }
    let advice = rocker_pack::advise(&options, progress);
    progress.clear();
    let advice = advice?;
    print(&advice::table(&advice, &options))?;
    let Some(choice) = &advice.choice else {
        return Ok(ExitCode::FAILURE);
    };
    if output.is_some() {
        let bytes = rocker_pack::build_candidate(choice.candidate, &options.pack, progress);
        progress.clear();
        print(&format!(
            "{:?}: {} bytes, {}\n",
            options.pack.output, bytes?, choice.candidate
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn inspect(arguments: &InspectArguments) -> Result<ExitCode, Error> {
    let inspection: Inspection = rocker_pack::inspect(&arguments.package)?;
    if arguments.list && !inspection.is_truncated() {
        let mut out = BufWriter::new(io::stdout().lock());
        let listed = rocker_pack::list(&arguments.package, &mut out);
        let flushed = listed.and_then(|()| out.flush().map_err(output_failed));
        return flushed.map(|()| ExitCode::SUCCESS).or_else(closed_pipe);
    }
    print(&inspection.to_string())?;
    // A script that asks must not take half a package for a whole one.
    Ok(if inspection.is_truncated() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// Set by the signals that ask a program to end; asked by the build between blocks.
fn interrupted() -> Result<Arc<AtomicBool>, Error> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGHUP,
    ] {
        signal_hook::flag::register(signal, Arc::clone(&flag)).map_err(|source| Error::Io {
            action: "watch signals for",
            path: "rocker-pack".into(),
            source,
        })?;
    }
    Ok(flag)
}

fn print(text: &str) -> Result<ExitCode, Error> {
    let written = io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .map_err(output_failed);
    written.map(|()| ExitCode::SUCCESS).or_else(closed_pipe)
}

fn output_failed(source: io::Error) -> Error {
    Error::Io {
        action: "write",
        path: "standard output".into(),
        source,
    }
}

/// `rocker-pack inspect --list APP.sqfs | head` is no failure.
fn closed_pipe(error: Error) -> Result<ExitCode, Error> {
    match error {
        Error::Io { ref source, .. } if source.kind() == io::ErrorKind::BrokenPipe => {
            Ok(ExitCode::SUCCESS)
        }
        error => Err(error),
    }
}
