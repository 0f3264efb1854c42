//! A false master's side of a connection: it leads its client into somebody else's namespaces.

use rocker_proto::{Entrance, Reply, Welcome};
use rocker_sys::socket;
use rocker_sys::{Fd, time};

/// Gives a client that asks for a sandbox this pidfd to enter by, says that all is ready, and waits until it has left.
pub fn let_in(client: &Fd, door: &Fd) {
    let hear = || {
        time::wait_readable(client.raw(), u64::MAX).unwrap();
        let heard = socket::receive(client.raw(), &mut [0; 4096], socket::DONT_WAIT);
        heard.map_or(0, |heard| heard.len)
    };
    // Nothing: a client that refuses the master.
    if hear() == 0 {
        return;
    }
    let welcome = Welcome {
        name: *b"rkfalse\0\0\0\0\0\0\0\0\0",
        entrance: Entrance::by_pidfd(0),
    };
    let reply = Reply {
        outcome: Ok(welcome),
    };
    socket::send(client.raw(), &reply.encode(), &[door.raw()]).unwrap();
    socket::send(client.raw(), &reply.encode(), &[]).unwrap();
    while hear() > 0 {}
}
