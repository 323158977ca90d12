//! The school's endpoint: takes what devices report, stores each event once.
//!
//! A device posts a batch of events to `/v1/events`; the batch is validated
//! ([`event`]), handed to the one writer ([`writer`]) and answered only after
//! the transaction that holds it is committed. The answer lists, id by id,
//! what was stored, what was there already and what was refused, so that the
//! device's queue drops exactly those and nothing else.
//!
//! Invariants:
//! - An event is acknowledged only after its commit reached the disk.
//! - An event's id is stored at most once in a tenant, however often it comes.
//! - No client address is stored or logged, and no log line holds a person.
//! - An event about a help service is refused, whoever sends it.

mod app;
mod auth;
mod clock;
mod device;
mod enrol;
mod error;
pub mod event;
mod health;
mod help;
mod intake;
mod listen;
mod packs;
mod rate;
mod schema;
mod signing;
pub mod staff;
mod store;
mod writer;

mod config;

pub use config::{Config, ConfigError, Database, Limits, Retention, Tenant};
pub use error::ServeError;
pub use listen::{Endpoint, serve};
pub use rate::Rate;
pub use store::{
    AccountRecord, AuditRecord, DeviceRecord, DeviceVerdict, EventFilter, PersonalRecords, Store,
    StoreError, StoredEvent,
};
