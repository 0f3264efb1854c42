//! One launch, step by step: what DESIGN calls the launch path, tried on the running kernel.

use rocker_testing::{Case, Master, Traces, eventually, launch, request, run_cases, wait_for};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    ("app_sees_its_package", app_sees_its_package),
    ("nothing_is_left", nothing_is_left),
];

fn app_sees_its_package() {
    let _master = Master::start();
    let launched = launch(&request(), &|| {
        assert_eq!(
            fs::read_to_string("/run/exec/hello").unwrap(),
            "hello from the package\n"
        );
        7
    })
    .unwrap();
    assert_eq!(wait_for(launched.app_pid), 7);
}

fn nothing_is_left() {
    let _master = Master::start();
    let request = request();
    let round = || wait_for(launch(&request, &|| 0).unwrap().app_pid);
    round();
    let data_dir = Path::new("/run/data");
    eventually("the first sandbox is gone", Duration::from_secs(1), || {
        Traces::now(data_dir).eq(&Traces::now(data_dir))
    });
    std::thread::sleep(Duration::from_millis(100));
    let before = Traces::now(data_dir);
    round();
    eventually("all is as before", Duration::from_secs(1), || {
        Traces::now(data_dir) == before
    });
}
