//! A real endpoint on a free port, asked over real sockets.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod auth;
mod common;
mod device;
mod events;
mod keep;
mod refusals;
mod schema;
mod staff;
