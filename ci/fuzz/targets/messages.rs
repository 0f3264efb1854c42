//! The messages of a fixed form: replies, reports, joins, what operators and the master say of the package cache, and how
//! one gets into a sandbox that runs. Each is accepted in one form only, the one that it is encoded to; and no bytes are two
//! kinds of message that one receiver hears.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rocker_proto::{
    CacheReply, CacheRequest, ExecReply, ExecRequest, Joined, Reply, Report, Request, Stage,
};

fuzz_target!(|bytes: &[u8]| {
    if let Some(reply) = Reply::decode(bytes) {
        assert_eq!(&reply.encode()[..], bytes);
        match reply.outcome {
            Ok(welcome) => {
                let end = welcome
                    .name
                    .iter()
                    .position(|byte| *byte == 0)
                    .expect("no NUL");
                assert!(end > 0 && welcome.name[..end].iter().all(u8::is_ascii_graphic));
                assert!(welcome.name[end..].iter().all(|byte| *byte == 0));
            }
            Err(failure) => assert_ne!(failure.stage, Stage::READY),
        }
    }
    if let Some(report) = Report::decode(bytes) {
        assert_eq!(&report.encode()[..], bytes);
        // For the log, whatever the number is.
        assert!(!report.0.stage.name().is_empty());
    }
    if let Some(joined) = Joined::decode(bytes) {
        assert_eq!(&joined.encode()[..], bytes);
    }
    if let Some(request) = CacheRequest::decode(bytes) {
        assert_eq!(&request.encode()[..], bytes);
        assert!(Request::decode(bytes).is_err(), "a launch as well");
    }
    if let Some(request) = ExecRequest::decode(bytes) {
        assert_eq!(&request.encode()[..], bytes);
        assert!(Request::decode(bytes).is_err(), "a launch as well");
        assert!(CacheRequest::decode(bytes).is_none(), "the cache as well");
    }
    if let Some(reply) = bytes.try_into().ok().and_then(ExecReply::decode) {
        assert_eq!(&reply.encode()[..], bytes);
        assert!(reply.uid > 0 && reply.gid > 0);
    }
    if let Some(reply) = CacheReply::decode(bytes) {
        assert_eq!(reply.encode().as_deref(), Some(bytes));
    }
});
