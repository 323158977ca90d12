//! What goes into a pack's header besides its entries.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use bellgate_core::list::SigningKey;
use bellgate_core::list::build::{PackOptions, PackSizes};
use chrono::DateTime;
use clap::Args;

use super::pack_file;

/// What goes into a pack's header besides its entries.
#[derive(Args)]
pub struct Stamp {
    /// The secret half of the key that signs the pack; without it the pack is unsigned.
    #[arg(long)]
    sign_key: Option<PathBuf>,
    /// The secret key of a keyed pack, which cannot be read or tested without it.
    #[arg(long)]
    secret_key: Option<PathBuf>,
    /// Which of two packs is newer; by default the time of building, in seconds.
    #[arg(long)]
    sequence: Option<u64>,
    /// The time of building, RFC 3339; by default when the newest source file was changed,
    /// so that the same files make the same bytes.
    #[arg(long)]
    built_at: Option<String>,
    /// An earlier pack, of which sizes and seed are kept while they suffice, so that the
    /// delta between the two stays small.
    #[arg(long)]
    like: Option<PathBuf>,
}

impl Stamp {
    /// The options of the builder, and the key that signs.
    pub fn options(
        &self,
        newest: Option<SystemTime>,
    ) -> anyhow::Result<(PackOptions, Option<SigningKey>)> {
        let built_at_ms = match &self.built_at {
            Some(text) => DateTime::parse_from_rfc3339(text)
                .with_context(|| {
                    format!("`{text}` is no time; write it like `2026-09-07T06:00:00Z`")
                })?
                .timestamp_millis(),
            None => newest
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
                .map_or(0, |age| age.as_secs() as i64 * 1000),
        };
        let mut options = PackOptions {
            sequence: self.sequence.unwrap_or((built_at_ms / 1000).max(1) as u64),
            built_at_ms,
            ..PackOptions::default()
        };
        if let Some(path) = &self.secret_key {
            options.secret_key = Some(pack_file::secret_key(path)?);
        }
        if let Some(path) = &self.like {
            let earlier = pack_file::open(path, options.secret_key.clone())?.summary();
            if options.secret_key.is_none() {
                options.hash_seed = earlier.hash_seed;
            }
            options.like = Some(PackSizes::from(&earlier));
        }
        let key = self.sign_key.as_deref().map(|path| {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the signing key `{}`", path.display()))?;
            SigningKey::from_base64(&text).map_err(anyhow::Error::from)
        });
        Ok((options, key.transpose()?))
    }
}
