//! Policies of system calls that a file holds.

use rocker_client::{Failure, NO_INDEX, Request, Seccomp, Stage};
use rocker_testing::{
    Case, Master, Program, ask, errno, launch, request, run_cases, wait_for, wait_for_master,
};
use std::fs;
use std::process::ExitCode;

fn main() -> ExitCode {
    run_cases(CASES)
}

const CASES: &[Case] = &[
    (
        "a_policy_says_what_is_let_through",
        a_policy_says_what_is_let_through,
    ),
    (
        "what_a_policy_does_not_name_kills",
        what_a_policy_does_not_name_kills,
    ),
    (
        "a_program_s_policy_must_name_execve",
        a_program_s_policy_must_name_execve,
    ),
    (
        "mistakes_in_a_policy_are_told_with_their_place",
        mistakes_in_a_policy_are_told_with_their_place,
    ),
    (
        "policies_are_files_that_root_alone_could_have_put_there",
        policies_are_opened_carefully,
    ),
    (
        "a_policy_that_only_reports_lets_through",
        a_policy_that_only_reports_lets_through,
    ),
];

fn policy(text: &str) -> Request<'static> {
    fs::write("/run/app.policy", text).unwrap();
    Request {
        policy: c"/run/app.policy",
        seccomp: Seccomp::FILE,
        ..request()
    }
}

fn a_policy_says_what_is_let_through() {
    let _master = Master::start();
    let request = policy("write: 1\nclose: return EXDEV\ndup: arg0 < 500; return EMFILE\n");
    // A closure that makes no other call: the text is written at the end.
    let (mut answer, tell) = rocker_testing::pipe();
    let launched = launch(&request, &|| {
        let errors = [
            errno!(SYS_close, 0),
            errno!(SYS_dup, 0),
            errno!(SYS_dup, 500),
        ];
        let bytes = errors.map(|errno| errno as u8);
        // SAFETY: three bytes that outlive the call.
        unsafe {
            libc::write(
                std::os::fd::AsRawFd::as_raw_fd(&tell),
                bytes.as_ptr().cast(),
                3,
            )
        };
        7
    });
    drop(tell);
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut answer, &mut bytes).unwrap();
    assert_eq!(bytes, [libc::EXDEV as u8, 0, libc::EMFILE as u8]);
    assert_eq!(wait_for(launched.unwrap().app_pid), 7);
}

fn what_a_policy_does_not_name_kills() {
    let _master = Master::start();
    let launched = launch(&policy("write: 1\n"), &|| errno!(SYS_getppid)).unwrap();
    assert_eq!(wait_for(launched.app_pid), 128 + libc::SIGSYS);
    let launched = launch(&policy("write: 1\n"), &|| 9).unwrap();
    assert_eq!(wait_for(launched.app_pid), 9);
}

fn a_program_s_policy_must_name_execve() {
    let _master = Master::start();
    let program = Program {
        arguments: &["/bin/true"],
        ..Program::default()
    };
    let launched = program.launch(&policy("write: 1\n")).unwrap();
    assert_eq!(wait_for(launched.app_pid), 128 + libc::SIGSYS);
    let refused = program
        .launch(&policy("execve: return EPERM\n"))
        .unwrap_err();
    assert_eq!(refused, Failure::new(Stage::EXEC, libc::EPERM));
}

fn mistakes_in_a_policy_are_told_with_their_place() {
    let master = Master::start();
    let failure = launch(&policy("read: 1\nwriet: 1\n"), &|| 0).unwrap_err();
    assert_eq!(
        failure,
        Failure::indexed(Stage::SECCOMP_POLICY, libc::ENOSYS, 8)
    );
    wait_for_master();
    let said = " stage=seccomp-policy[8] path=\"/run/app.policy\" errno=ENOSYS";
    assert!(master.log().contains(said), "{}", master.log());
}

fn policies_are_opened_carefully() {
    let _master = Master::start();
    let refusal = |request: &Request<'_>| {
        let failure = launch(request, &|| 0).unwrap_err();
        assert_eq!(
            (failure.stage, failure.index),
            (Stage::SECCOMP_POLICY, NO_INDEX)
        );
        failure.errno
    };
    let request = policy("read: 1\n");
    assert_eq!(
        refusal(&Request {
            policy: c"/run/none.policy",
            ..request
        }),
        libc::ENOENT
    );
    assert_eq!(
        refusal(&Request {
            policy: c"/run",
            ..request
        }),
        libc::EINVAL
    );
    assert_eq!(
        refusal(&Request {
            policy: c"/dev/zero",
            ..request
        }),
        libc::EINVAL
    );
    rocker_testing::make_dir("/run/open", 0o777);
    std::os::unix::fs::symlink("/run/app.policy", "/run/open/link").unwrap();
    assert_eq!(
        refusal(&Request {
            policy: c"/run/open/link",
            ..request
        }),
        libc::ELOOP
    );
    fs::write("/run/long.policy", " ".repeat(40_000)).unwrap();
    assert_eq!(
        refusal(&Request {
            policy: c"/run/long.policy",
            ..request
        }),
        libc::EFBIG
    );
}

fn a_policy_that_only_reports_lets_through() {
    let _master = Master::start();
    let request = Request {
        seccomp: Seccomp::FILE.logged(),
        ..policy("write: 1\n")
    };
    let probe = || errno!(SYS_personality, 0x0040_0000).to_string();
    assert_eq!(ask(&request, &probe), "0");
}
