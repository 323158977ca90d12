//! The database: opened, migrated, and read; written by [`crate::writer`].
//!
//! SQLite runs in WAL mode with `synchronous = FULL`, so that a commit has
//! reached the disk when it returns (sqlite.org, "PRAGMA synchronous"). One
//! connection writes, a few read.

mod migrate;
mod query;
mod sqlite;

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

pub use query::{EventFilter, StoredEvent};

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
            Self::Stopped => "stopped",
        }
    }
}

/// An event with what only the endpoint knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The school's number in the database.
    pub tenant: i64,
    /// The device that signed for it, if one did.
    pub device: Option<String>,
    /// Whether that device's enrolment was verified when it arrived.
    pub verified: bool,
    /// When it arrived, in Unix milliseconds.
    pub received_ms: i64,
    /// The event.
    pub event: Event,
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

    /// Makes sure each tenant has a number and answers them by id.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn tenants<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a str> + Send,
    ) -> Result<HashMap<String, i64>, StoreError> {
        let ids: Vec<&str> = ids.into_iter().collect();
        let mut numbers = HashMap::new();
        for id in ids {
            sqlx::query("INSERT INTO tenant (id) VALUES ($1) ON CONFLICT (id) DO NOTHING")
                .bind(id)
                .execute(&self.write)
                .await?;
            let number: i64 = sqlx::query_scalar("SELECT number FROM tenant WHERE id = $1")
                .bind(id)
                .fetch_one(&self.write)
                .await?;
            numbers.insert(id.to_owned(), number);
        }
        Ok(numbers)
    }

    /// Stores arrivals in one transaction and says of each whether it was new.
    ///
    /// The answer has the arrivals' order; when it is there, the commit has
    /// reached the disk.
    ///
    /// # Errors
    /// The database cannot be written; then nothing of the group is stored.
    pub async fn insert(&self, arrivals: &[&Arrival]) -> Result<Vec<bool>, StoreError> {
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let stored = sqlite::insert(&mut transaction, arrivals).await?;
        transaction.commit().await?;
        Ok(stored)
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
