//! The language of the school day.

mod managed;

pub use managed::{MANAGED_KEYS, Managed, ManagedKey, managed_schema};
