//! The database: opened, migrated, and read; written by [`crate::writer`].
//!
//! SQLite runs in WAL mode with `synchronous = FULL`, so that a commit has
//! reached the disk when it returns (sqlite.org, "PRAGMA synchronous"). One
//! connection writes, a few read.

mod device;
mod figure;
mod keep;
mod migrate;
mod query;
mod sqlite;
mod staff;

use std::path::Path;
use std::time::Duration;

use device::Taken;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteSynchronous,
};

pub use device::{DeviceRecord, DeviceVerdict, KnownDevice, NewDevice};
pub use figure::{DAY_MS, Figure, Stream};
pub use keep::PersonalRecords;
pub use query::{EventFilter, StoredEvent};
pub use staff::{Account, AccountRecord, AuditRecord, SignedIn};

use crate::auth::Signer;
use crate::config::Database;
use crate::event::Event;

/// What the database could not do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be opened.
    #[error("the database `{database}` cannot be opened: {source}; check the path and its rights")]
    Open {
        /// The path or URL, without a password.
        database: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The schema cannot be brought up to date.
    #[error(
        "the database's schema cannot be brought up to date: {0}; restore a backup or use a newer `bellgate`"
    )]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A statement failed.
    #[error("the database refused a statement: {0}")]
    Statement(#[from] sqlx::Error),
    /// A signing key cannot be made or read.
    #[error("the endpoint's signing key cannot be made or read; restore a backup")]
    Key,
    /// The writer has stopped.
    #[error("the writer has stopped; start the endpoint again")]
    Stopped,
}

impl StoreError {
    /// The kind of failure, without values, for the log.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Migrate(_) => "migrate",
            Self::Statement(sqlx::Error::PoolTimedOut) => "pool_timed_out",
            Self::Statement(sqlx::Error::Database(_)) => "statement",
            Self::Statement(_) => "connection",
            Self::Key => "key",
            Self::Stopped => "stopped",
        }
    }
}

/// One request's events with what only the endpoint knows of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The school's number in the database.
    pub tenant: i64,
    /// The device that signed for them, if one did.
    pub signer: Option<Signer>,
    /// When they arrived, in Unix milliseconds.
    pub received_ms: i64,
    /// The events.
    pub events: Vec<Event>,
}

/// What became of a [`Delivery`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// Of each event in order, whether it was new.
    Stored(Vec<bool>),
    /// Nothing was stored: the sequence is not above the last one taken.
    Replayed,
    /// Nothing was stored: staff have revoked the device.
    Revoked,
}

/// One row to be inserted.
struct Arrival<'a> {
    delivery: &'a Delivery,
    event: &'a Event,
    verified: bool,
}

/// The open database.
#[derive(Debug, Clone)]
pub struct Store {
    write: SqlitePool,
    read: SqlitePool,
}

impl Store {
    /// Opens the database, making it if absent, and brings its schema up to date.
    ///
    /// # Errors
    /// The file cannot be opened, or its schema is not this program's.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        let Database::Sqlite(path) = database;
        let failed = |source| StoreError::Open {
            database: path.display().to_string(),
            source,
        };
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(sqlite_options(path).auto_vacuum(SqliteAutoVacuum::Incremental))
            .await
            .map_err(failed)?;
        migrate::sqlite(&write).await?;
        let read = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(sqlite_options(path).pragma("query_only", "ON"))
            .await
            .map_err(failed)?;
        Ok(Self { write, read })
    }

    /// The name of the database's engine.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        "sqlite"
    }

    /// Reads one row.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT number FROM tenant LIMIT 1")
            .fetch_optional(&self.read)
            .await?;
        Ok(())
    }

    /// The number of a tenant, given when it is first named.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn tenant(&self, id: &str) -> Result<i64, StoreError> {
        sqlx::query("INSERT INTO tenant (id) VALUES ($1) ON CONFLICT (id) DO NOTHING")
            .bind(id)
            .execute(&self.write)
            .await?;
        Ok(
            sqlx::query_scalar("SELECT number FROM tenant WHERE id = $1")
                .bind(id)
                .fetch_one(&self.write)
                .await?,
        )
    }

    /// The number of a tenant that was named before.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn find_tenant(&self, id: &str) -> Result<Option<i64>, StoreError> {
        Ok(
            sqlx::query_scalar("SELECT number FROM tenant WHERE id = $1")
                .bind(id)
                .fetch_optional(&self.read)
                .await?,
        )
    }

    /// Stores deliveries in one transaction and says what became of each.
    ///
    /// The answer has the deliveries' order; when it is there, the commit has
    /// reached the disk.
    ///
    /// # Errors
    /// The database cannot be written; then nothing of the group is stored.
    pub async fn insert(&self, deliveries: &[&Delivery]) -> Result<Vec<Receipt>, StoreError> {
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let mut arrivals = Vec::new();
        let mut taken = Vec::with_capacity(deliveries.len());
        for &delivery in deliveries {
            let worth = worth(&mut transaction, delivery).await?;
            if let Taken::New { verified_as } = &worth {
                arrivals.extend(delivery.events.iter().map(|event| Arrival {
                    delivery,
                    event,
                    verified: is_verified(verified_as.as_ref(), event),
                }));
            }
            taken.push(worth);
        }
        let new = sqlite::insert(&mut transaction, &arrivals).await?;
        figure::add(&mut transaction, &arrivals, &new).await?;
        transaction.commit().await?;

        let mut new = new.into_iter();
        Ok(taken
            .into_iter()
            .zip(deliveries)
            .map(|(taken, delivery)| match taken {
                Taken::New { .. } => {
                    Receipt::Stored(new.by_ref().take(delivery.events.len()).collect())
                }
                Taken::Replayed => Receipt::Replayed,
                Taken::Revoked => Receipt::Revoked,
            })
            .collect())
    }

    /// Writes what the log still holds into the database file and closes it.
    pub async fn close(&self) {
        self.read.close().await;
        if sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&self.write)
            .await
            .is_err()
        {
            tracing::warn!("the write-ahead log was not folded in; the next start does it");
        }
        self.write.close().await;
    }
}

async fn worth(
    transaction: &mut SqliteConnection,
    delivery: &Delivery,
) -> Result<Taken, StoreError> {
    match &delivery.signer {
        None => Ok(Taken::New { verified_as: None }),
        Some(Signer {
            number, sequence, ..
        }) => device::take_sequence(transaction, *number, *sequence, delivery.received_ms).await,
    }
}

/// An event is verified when a verified profile sent it, and is a person's only
/// when that profile is that person's.
fn is_verified(verified_as: Option<&Option<String>>, event: &Event) -> bool {
    match (verified_as, &event.subject) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(owner), Some(subject)) => owner.as_ref() == Some(subject),
    }
}

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .pragma("journal_size_limit", "67108864")
}
