//! What a user of rocker-pack relies on, tried from outside.

mod advice;
mod bytes;
mod command;
mod errors;
mod fixture;
mod inspection;
mod minisign;
mod mounted;
mod namespace;
mod reproducible;
mod signatures;
mod signing;
mod snapshot;
