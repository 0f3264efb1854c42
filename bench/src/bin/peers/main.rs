//! Rocker beside others who start a program in a sandbox: how long one whole command takes, what helps a sandbox in memory
//! while it runs, and what all of it takes in flash.
//!
//! `peers` prints everything; `peers --quick` takes a tenth of the rounds; `peers time`, `peers memory` and `peers flash`
//! print one part. `ci/peers.sh` installs what Debian has. What is not there is said, and is no failure.

mod flash;
mod memory;
mod time;

use bench::peers::{Docker, Site};
use bench::{Master, World};

fn main() {
    let Some(world) = World::enter() else { return };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let parts: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let is_wanted = |part| parts.iter().all(|word| word.starts_with("--")) || parts.contains(&part);
    let site = Site::make(&world);
    let _master = Master::start_with_cache();
    let docker = Docker::start(&site);
    if let Err(reason) = &docker {
        println!("docker cannot run here: {reason}\n");
    }
    if is_wanted("time") {
        time::measure(&world, &site, if quick { 6 } else { 60 });
    }
    if is_wanted("memory") {
        memory::measure(&world, &site, docker.as_ref().ok());
    }
    if is_wanted("flash") {
        flash::measure();
    }
}
