//! One command more in a sandbox that runs: `rocker exec` in turns with the same command started outside, and with
//! util-linux's `nsenter`, which enters the same namespaces without asking anybody, and drops no capability.

use crate::pair::group;
use bench::{Herd, World, median};
use criterion::Criterion;
use std::process::Command;
use std::time::{Duration, Instant};

/// How each side starts `true`, and what the times are called that are set against ours.
struct Side {
    name: &'static str,
    words: Vec<String>,
    taken: Vec<f64>,
}

impl Side {
    fn new(name: &'static str, words: &[&str]) -> Self {
        Self {
            name,
            words: words.iter().map(ToString::to_string).collect(),
            taken: Vec::new(),
        }
    }

    fn time(&mut self) -> Duration {
        let start = Instant::now();
        let status = Command::new(&self.words[0]).args(&self.words[1..]).status();
        let took = start.elapsed();
        assert!(status.is_ok_and(|status| status.success()), "{}", self.name);
        self.taken.push(took.as_secs_f64() * 1e6);
        took
    }
}

pub(crate) fn exec(criterion: &mut Criterion, world: &World) {
    let mut herd = Herd::new(&world.launch("data"));
    herd.grow_to(1);
    let [guard, app] = herd.members[0].pids;
    let comm = std::fs::read_to_string(format!("/proc/{guard}/comm")).expect("its name");
    let rocker = rocker_testing::binary("rocker").display().to_string();
    let busybox = world.launch("data").exec_dir.join("busybox");
    let busybox = busybox.display().to_string();
    let inside = format!("/proc/{app}/root{busybox}");
    let app = app.to_string();
    let mut sides = Vec::from([
        Side::new(
            "rocker exec",
            &[&rocker, "exec", comm.trim(), &busybox, "true"],
        ),
        Side::new("outside", &[&inside, "true"]),
    ]);
    let has_nsenter = Command::new("nsenter").arg("--version").output().is_ok();
    if has_nsenter {
        let words = [
            "nsenter", "-a", "-t", &app, "-S", "1000", "-G", "1000", &busybox, "true",
        ];
        sides.push(Side::new("nsenter", &words));
    } else {
        println!("SKIP exec, nsenter: not installed");
    }
    group(criterion, "exec").bench_function("whole command", |bencher| {
        bencher.iter_custom(|rounds| {
            let round = |_| {
                let times: Vec<Duration> = sides.iter_mut().map(Side::time).collect();
                times[0]
            };
            (0..rounds).map(round).sum()
        });
    });
    let mut others = sides.into_iter();
    let Some(ours) = others.next().filter(|ours| !ours.taken.is_empty()) else {
        return;
    };
    let ours = median(ours.taken);
    for Side { name, taken, .. } in others {
        let other = median(taken);
        println!(
            "    exec: median {ours:.0} us, {name} {other:.0} us, ratio {:.2}",
            ours / other
        );
    }
}
