//! A real server as App: the MQTT broker of Debian's package mosquitto, with its libraries, from one package file.

mod broker;
mod support;

use broker::Broker;
use rocker_testing::{Case, Traces, kill, make_dir, run_cases, status_of};
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use support::{outcome, run};

fn main() -> ExitCode {
    let missing = Broker::missing();
    if let (Some(program), None) = (missing, std::env::var_os("ROCKER_MUST_RUN")) {
        println!(
            "SKIP {} tests: no {program}: apt-get install mosquitto mosquitto-clients",
            CASES.len()
        );
        return ExitCode::SUCCESS;
    }
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("every_program_is_installed", every_program_is_installed),
    (
        "the_broker_runs_from_its_package_as_its_user",
        the_broker_runs_from_its_package_as_its_user,
    ),
    (
        "real_clients_exchange_200_messages",
        real_clients_exchange_200_messages,
    ),
    (
        "a_retained_message_survives_a_restart_in_the_data_dir",
        a_retained_message_survives_a_restart_in_the_data_dir,
    ),
    (
        "sigterm_ends_the_broker_and_nothing_is_left",
        sigterm_ends_the_broker_and_nothing_is_left,
    ),
];

/// Where this test stands or falls under `ROCKER_MUST_RUN`.
fn every_program_is_installed() {
    assert_eq!(Broker::missing(), None);
}

fn the_broker_runs_from_its_package_as_its_user() {
    let broker = Broker::start();
    let app = broker.app();
    let uid = broker::UID;
    assert_eq!(status_of(app, "Uid"), format!("{uid} {uid} {uid} {uid}"));
    assert_eq!(status_of(app, "CapEff"), "0000000000000000");
    // Program text is what is mapped to be executed: loader, program and every library.
    let maps = fs::read_to_string(format!("/proc/{app}/maps")).unwrap();
    let text: Vec<&str> = maps
        .lines()
        .filter(|line| line.split(' ').nth(1).unwrap().contains('x'))
        .filter_map(|line| line.find('/').map(|at| &line[at..]))
        .collect();
    assert!(text.len() > 5, "{maps}");
    assert!(
        text.iter().all(|file| file.starts_with("/run/exec/")),
        "{text:#?}"
    );
    assert!(text.contains(&"/run/exec/bin/mosquitto"), "{text:#?}");
    // The host sees nothing there.
    assert!(fs::read_dir("/run/exec").unwrap().next().is_none());
    broker.end();
}

fn real_clients_exchange_200_messages() {
    let broker = Broker::start();
    let reader = ["-i", "reader", "-c", "-q", "1", "-t", "news/#"];
    // The broker keeps for a known reader what comes while it is away.
    broker.subscribe(&reader, &["-E"]);
    let lines: Vec<String> = (0..199).map(|number| format!("message {number}")).collect();
    broker.publish(&["-q", "1", "-t", "news/many", "-l"], &lines.join("\n"));
    broker.publish(&["-q", "1", "-t", "news/kept", "-r", "-m", "retained"], "");
    let mut got = broker.subscribe(&reader, &["-C", "200"]);
    assert_eq!(got.pop().as_deref(), Some("retained"));
    assert_eq!(got, lines);
    // A newcomer hears what was retained and nothing else.
    let newcomer = ["-t", "news/#", "-v"];
    assert_eq!(
        broker.subscribe(&newcomer, &["-C", "1"]),
        ["news/kept retained"]
    );
    broker.end();
}

fn a_retained_message_survives_a_restart_in_the_data_dir() {
    let broker = Broker::start();
    broker.publish(&["-q", "1", "-t", "state", "-r", "-m", "survived"], "");
    let broker = broker.restart();
    assert_eq!(
        broker.subscribe(&["-t", "state"], &["-C", "1"]),
        ["survived"]
    );
    broker.end();
    // In the data directory, by the App's user, and not in the host's own.
    assert!(fs::read_dir("/run/state").unwrap().next().is_none());
    let found = outcome(
        Command::new("find")
            .args(["/run/data", "-name", "mosquitto.db", "-uid"])
            .arg(broker::UID.to_string()),
    );
    assert_eq!(found.1.lines().count(), 1, "{found:?}");
    // Without the data directory there is nothing to remember.
    let (status, stdout, _) = outcome(&mut run(&["ls", "/run/state"]));
    assert_eq!((status, stdout.as_str()), (0, ""));
}

fn sigterm_ends_the_broker_and_nothing_is_left() {
    make_dir("/run/rocker/app", 0o755);
    Broker::prepare();
    let before = Traces::now(Path::new("/run/rocker"));
    let broker = Broker::start();
    kill(broker.pid(), libc::SIGTERM);
    let log = broker.end();
    assert!(log.contains("terminating"), "{log}");
    assert_eq!(Traces::now(Path::new("/run/rocker")), before);
}
