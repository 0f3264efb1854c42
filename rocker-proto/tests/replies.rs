//! Replies that a master would not send.

use rocker_proto::{Entrance, Failure, Reply, Stage, Welcome};

#[test]
fn doors_are_entered_with_the_user_namespace_last() {
    let all = Entrance::by_pidfd(0x4200_0000);
    assert_eq!(all.doors().collect::<Vec<_>>(), [0x5e02_0000]);
    let steps: Vec<u32> = all.one_by_one(true).doors().collect();
    let expected = [
        0x0002_0000,
        0x0200_0000,
        0x0400_0000,
        0x0800_0000,
        0x4000_0000,
        0x1000_0000,
    ];
    assert_eq!(steps, expected);
    assert!(1 + 1 + steps.len() <= Entrance::FDS_MAX);
}

fn welcome(name: [u8; 16]) -> [u8; Reply::SIZE] {
    let entrance = Entrance::by_pidfd(0);
    Reply {
        outcome: Ok(Welcome { name, entrance }),
    }
    .encode()
}

#[test]
fn reply_refuses_names_that_cannot_be_printed() {
    let mut name = [0; 16];
    assert_eq!(Reply::decode(&welcome(name)), None);
    name[..3].copy_from_slice(b"a b");
    assert_eq!(Reply::decode(&welcome(name)), None);
    name = [b'x'; 16];
    assert_eq!(Reply::decode(&welcome(name)), None);
    name[15] = 0;
    assert!(Reply::decode(&welcome(name)).is_some());
}

#[test]
fn reply_refuses_a_failure_with_the_fields_of_a_sandbox() {
    let failure = Reply {
        outcome: Err(Failure::new(Stage::LIMIT, 24)),
    };
    let bytes = failure.encode();
    assert_eq!(Reply::decode(&bytes), Some(failure));
    // Entrance and name, which it has not got.
    for at in 14..Reply::SIZE {
        let mut odd = bytes;
        odd[at] = 1;
        assert_eq!(Reply::decode(&odd), None, "byte {at}");
    }
}

#[test]
fn reply_refuses_a_sandbox_with_the_fields_of_a_failure() {
    let good = welcome(*b"rk\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    // Errno and index.
    for at in 8..14 {
        let mut odd = good;
        odd[at] ^= 1;
        assert_eq!(Reply::decode(&odd), None, "byte {at}");
    }
}

#[test]
fn reply_refuses_entrances_that_nobody_knows() {
    let good = welcome(*b"rk\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    for entrance in 0..=u16::MAX {
        let mut bytes = good;
        bytes[14..16].copy_from_slice(&entrance.to_le_bytes());
        // ipc, uts, mnt, user always; cgroup and net perhaps; a pidfd or namespaces, one of them at least.
        let known = entrance & !0x6201 == 0x1c02 && entrance & 0x2001 != 0;
        assert_eq!(Reply::decode(&bytes).is_some(), known, "{entrance}");
    }
}
