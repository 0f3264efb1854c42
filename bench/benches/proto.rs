//! Encoding and decoding of the messages.

use criterion::Criterion;
use rocker_proto::{Entrance, Failure, Reply, Request, Stage, Welcome};
use std::hint::black_box;

/// Three overlays, and paths as long as they usually are.
fn request() -> Request<'static> {
    let mut overlays = [None; 16];
    for (slot, dir) in overlays.iter_mut().zip([c"/etc", c"/var", c"/usr"]) {
        *slot = Some(dir);
    }
    Request {
        app_id: 7,
        uid: 1000,
        gid: 1000,
        package: c"/opt/apps/gateway-1.4.2.sqfs",
        exec_dir: c"/var/gateway/exec",
        data_dir: c"/var/gateway/data",
        overlays,
        ..Request::DEFAULT
    }
}

fn proto(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("proto");
    let request = request();
    let packet = request.encode().expect("it fits");
    group.bench_function("encode a request", |bencher| {
        bencher.iter(|| black_box(&request).encode());
    });
    group.bench_function("decode a request", |bencher| {
        bencher.iter(|| Request::decode(black_box(&packet)).is_ok());
    });
    let ready = Reply {
        outcome: Ok(Welcome {
            name: *b"rocker-1-1\0\0\0\0\0\0",
            entrance: Entrance::by_pidfd(0),
        }),
    };
    let failed = Reply {
        outcome: Err(Failure::new(Stage::OPEN_PACKAGE, 2)),
    };
    for (name, reply) in [("ready", ready), ("failed", failed)] {
        let bytes = reply.encode();
        group.bench_function(format!("encode a reply, {name}"), |bencher| {
            bencher.iter(|| black_box(&reply).encode());
        });
        group.bench_function(format!("decode a reply, {name}"), |bencher| {
            bencher.iter(|| Reply::decode(black_box(&bytes)).is_some());
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(std::time::Duration::from_millis(200))
        .measurement_time(std::time::Duration::from_secs(1))
        .configure_from_args();
    proto(&mut criterion);
    criterion.final_summary();
}
