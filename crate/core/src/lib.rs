//! Decides whether a school allows a request.

pub mod canonical;
pub mod context;
pub mod expression;
pub mod host;
pub mod list;
pub mod policy;
pub mod reason;
pub mod request;
