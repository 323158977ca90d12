//! Decides whether a school allows a request.

pub mod context;
pub mod policy;
pub mod reason;
pub mod request;
