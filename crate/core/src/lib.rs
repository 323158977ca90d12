//! Decides whether a school allows a request.

#![forbid(unsafe_code)]

pub mod canonical;
pub mod context;
pub mod decide;
pub mod engine;
pub mod event;
pub mod expression;
pub mod host;
pub mod list;
pub mod lists;
pub mod policy;
pub mod precedence;
pub mod reason;
pub mod request;
pub mod standing;
