//! What a client sends the master. A packet that is accepted is the one packet that its request is encoded to, every path in
//! it is clean, and every id in range; one that is refused says why in numbers that we know.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rocker_proto::limits::{ID_MAX, REQUEST_MAX};
use rocker_proto::{Request, Stage};

fn is_clean(path: &core::ffi::CStr) -> bool {
    let path = path
        .to_str()
        .map_or_else(|_| path.to_string_lossy().into_owned(), str::to_owned);
    path.len() > 1
        && path.starts_with('/')
        && path[1..]
            .split('/')
            .all(|name| !matches!(name, "" | "." | ".."))
}

fuzz_target!(|packet: &[u8]| {
    let request = match Request::decode(packet) {
        Ok(request) => request,
        Err(refusal) => {
            assert!(Stage::ALL.contains(&refusal.failure.stage));
            assert!(refusal.failure.stage >= Stage::REQUEST && refusal.failure.errno > 0);
            return;
        }
    };
    assert!(packet.len() <= REQUEST_MAX);
    assert_eq!(
        request.encode().as_deref(),
        Some(packet),
        "two packets for one request"
    );
    assert!(request.app_id > 0);
    assert!((1..=ID_MAX).contains(&request.uid) && (1..=ID_MAX).contains(&request.gid));
    assert!(is_clean(request.package) && is_clean(request.exec_dir));
    assert!(request.data_dir.is_empty() || is_clean(request.data_dir));
    assert!(request.policy.is_empty() || is_clean(request.policy));
    let overlays: Vec<_> = request.overlays.iter().flatten().collect();
    for (index, overlay) in overlays.iter().enumerate() {
        assert!(is_clean(overlay));
        assert!(!overlays[..index].contains(overlay), "named twice");
        let top = overlay.to_bytes()[1..].split(|byte| *byte == b'/').next();
        assert!(!matches!(top, Some(b"proc" | b"sys" | b"dev")));
    }
});
