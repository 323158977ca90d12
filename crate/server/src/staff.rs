//! The plain staff pages: sign in, list events with filters, export, figures, audit.
//!
//! Every page is HTML without script. What a person sees follows from the role
//! alone ([`Role::sight`]); reading a named record is itself a row of the audit
//! log (T46). No page has a picture of, or a link to, what was blocked (T65).

mod account;
mod page;
mod role;
mod routes;
mod session;

pub use account::{NewAccount, generate_account};
pub use role::Role;
pub(crate) use routes::routes;
pub(crate) use session::PasswordChecks;
