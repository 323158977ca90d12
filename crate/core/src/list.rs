//! Lists: whether a URL is on one, exactly, for millions of entries.
//!
//! [`EntrySet`] holds the few entries a school writes itself, as text. [`Pack`] reads the
//! compiled form of large lists ([docs/format.md](../../../docs/format.md)): a bloom
//! filter says no to almost every URL, and what it lets through is confirmed against a
//! fingerprint of every entry. Both match by the same rules, those of
//! [`Entry`](crate::expression::Entry).

mod block;
#[cfg(feature = "build")]
pub mod build;
#[cfg(feature = "build")]
pub mod catalogue;
mod entry_set;
mod filter;
mod format;
mod hash;
mod pack;
mod signature;
#[cfg(feature = "build")]
pub mod source;
#[cfg(feature = "build")]
pub mod transform;

pub use entry_set::EntrySet;
pub use format::{PackCategory, PackError, PackLayout, SpecialCategory};
pub use hash::{HashKind, SecretKey};
pub(crate) use pack::HostHashes;
pub use pack::{ChangedEntries, LookupError, Match, Pack, PackSummary};
#[cfg(feature = "build")]
pub use signature::SigningKey;
pub use signature::{KeyError, KeyId, PublicKey, Verified};
