//! What the endpoint is told when it starts.

use std::path::PathBuf;
use std::time::Duration;

use crate::event::Kind;
use crate::rate::Rate;

/// Everything [`crate::serve`] needs besides its listener.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where events are stored.
    pub database: Database,
    /// The schools this endpoint serves; at least one.
    pub tenants: Vec<Tenant>,
    /// The folder whose files `/v1/packs/{name}` serves, if any.
    pub packs: Option<PathBuf>,
    /// How long events are kept.
    pub retention: Retention,
    /// Bounds on what one client may ask.
    pub limits: Limits,
}

impl Config {
    /// A configuration with one tenant, no packs and the usual limits.
    #[must_use]
    pub fn new(database: Database, tenant: Tenant) -> Self {
        Self {
            database,
            tenants: vec![tenant],
            packs: None,
            retention: Retention::default(),
            limits: Limits::default(),
        }
    }

    /// Checks what can be checked without touching the disk.
    ///
    /// # Errors
    /// No tenant, a tenant named twice, or a name that is not an identifier.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.tenants.is_empty() {
            return Err(ConfigError::NoTenant);
        }
        for (index, tenant) in self.tenants.iter().enumerate() {
            if !is_tenant_id(&tenant.id) {
                return Err(ConfigError::TenantId(tenant.id.clone()));
            }
            if self.tenants[..index]
                .iter()
                .any(|other| other.id == tenant.id)
            {
                return Err(ConfigError::TenantTwice(tenant.id.clone()));
            }
        }
        Ok(())
    }
}

/// How many days events are kept, by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// For kinds that are not named below.
    pub default_days: u32,
    /// For single kinds; the last one counts.
    pub by_kind: Vec<(Kind, u32)>,
}

impl Retention {
    /// The days for which a kind is kept.
    #[must_use]
    pub fn days(&self, kind: Kind) -> u32 {
        self.by_kind
            .iter()
            .rev()
            .find(|(other, _)| *other == kind)
            .map_or(self.default_days, |(_, days)| *days)
    }
}

impl Default for Retention {
    /// Twelve months, as the schools' policies ask for a yearly review.
    fn default() -> Self {
        Self {
            default_days: 365,
            by_kind: Vec::new(),
        }
    }
}

/// Which database holds the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// An embedded SQLite file, made if absent.
    Sqlite(PathBuf),
}

impl Database {
    /// Reads the `--database` argument: a file's path.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::Sqlite(PathBuf::from(text))
    }
}

/// One school of the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The id devices send as `tenant`: `[a-z0-9-]`, 1 to 64 characters.
    pub id: String,
    /// The secret a device exchanges for its own id.
    ///
    /// Without one the tenant takes unsigned batches, all marked unverified.
    pub enrolment_key: Option<String>,
}

/// Bounds on what one client may ask.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The largest body of one request, in bytes.
    pub body_max_bytes: usize,
    /// The most events in one batch.
    pub batch_max_events: usize,
    /// How long a client may take to send its headers or its body.
    pub read_timeout: Duration,
    /// How many batches may wait for the writer before others get 503.
    pub queue_max_batches: usize,
    /// How far a device's clock may be off when it signs.
    pub skew_max: Duration,
    /// How often one device may send.
    pub device_rate: Rate,
    /// How often a school's devices may enrol, all together.
    pub enrol_rate: Rate,
    /// How often one name may try to sign in.
    pub sign_in_rate: Rate,
    /// How long open requests may take after the shutdown signal.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_max_bytes: 256 * 1024,
            batch_max_events: 100,
            read_timeout: Duration::from_secs(10),
            queue_max_batches: 4096,
            skew_max: Duration::from_secs(300),
            device_rate: Rate {
                burst: 120.0,
                per_second: 2.0,
            },
            enrol_rate: Rate {
                burst: 500.0,
                per_second: 50.0,
            },
            sign_in_rate: Rate {
                burst: 5.0,
                per_second: 1.0 / 180.0,
            },
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

/// What is wrong with a [`Config`].
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No tenant was given.
    #[error("no tenant is configured; name one with `--tenant`")]
    NoTenant,
    /// A tenant's id is not an identifier.
    #[error("tenant `{0}` is not an id; use 1 to 64 of `a-z`, `0-9` and `-`")]
    TenantId(String),
    /// A tenant is named twice.
    #[error("tenant `{0}` is named twice; name each once")]
    TenantTwice(String),
    /// The folder of packs cannot be read.
    #[error("the pack folder `{0}` cannot be read; make it or leave `--packs` out")]
    Packs(PathBuf),
}

/// Whether a text is a tenant's id.
pub(crate) fn is_tenant_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
