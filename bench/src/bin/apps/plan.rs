//! `Plan`: which Apps are measured, and for how long.

use crate::app::App;
use crate::broker::Broker;
use crate::nginx::Nginx;
use crate::postgres::Postgres;
use std::time::Duration;

/// What the command line asks for.
pub(crate) struct Plan {
    pub(crate) apps: Vec<Box<dyn App>>,
    pub(crate) rounds: usize,
    /// How long each load is driven in each round; whole seconds are all that wrk and pgbench understand.
    pub(crate) load: Duration,
    /// How hard the packages are compressed; `None`: as rocker-pack does unless told otherwise.
    pub(crate) level: Option<i32>,
    ask: bool,
}

impl Plan {
    /// Everything, unless told otherwise.
    pub(crate) fn from_arguments() -> Self {
        let mut plan = Self {
            apps: Vec::new(),
            rounds: 11,
            load: Duration::from_secs(3),
            level: None,
            ask: false,
        };
        let mut names = Vec::new();
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut number = || arguments.next().and_then(|word| word.parse().ok());
            match argument.as_str() {
                "--quick" => {
                    (plan.rounds, plan.load) = (2, Duration::from_secs(1));
                    plan.level = Some(3);
                }
                "--rounds" => plan.rounds = number().expect("--rounds N"),
                "--seconds" => {
                    plan.load = Duration::from_secs(number().expect("--seconds N") as u64);
                }
                "--ask" => plan.ask = true,
                _ => names.push(argument),
            }
        }
        plan.apps = every_app();
        for name in &names {
            let known = plan.apps.iter().any(|app| app.name() == name);
            assert!(known, "no App is called {name}");
        }
        plan.apps
            .retain(|app| names.is_empty() || names.iter().any(|name| app.name() == name));
        assert!(plan.rounds > 0 && !plan.load.is_zero(), "1 is the least");
        plan
    }

    /// Lets a person make the machine quiet.
    pub(crate) fn wait_for_quiet(&self) {
        if self.ask {
            println!("Packed. Enter begins.");
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).expect("a line");
        }
    }
}

fn every_app() -> Vec<Box<dyn App>> {
    vec![
        Box::new(Postgres::reading()),
        Box::new(Postgres::writing()),
        Box::new(Nginx),
        Box::new(Broker),
    ]
}
