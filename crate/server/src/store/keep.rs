//! How long records are kept, and one pupil's own: export and erasure.

use serde::Serialize;
use sqlx::{QueryBuilder, Row};

use super::{DeviceRecord, EventFilter, Store, StoreError, StoredEvent, device, staff};
use crate::clock::now_ms;
use crate::config::Retention;
use crate::event::Kind;

/// Events deleted in one transaction, so that no device waits long.
const DELETE_CHUNK: usize = 2000;

/// Everything that is stored about one person.
#[derive(Debug, Clone, Serialize)]
pub struct PersonalRecords {
    /// The person, as events name them.
    pub subject: String,
    /// The devices that are, or say they are, this person's.
    pub devices: Vec<DeviceRecord>,
    /// The events about this person, newest first.
    pub events: Vec<StoredEvent>,
}

impl Store {
    /// Deletes what is older than its kind may become, and ended sign-ins.
    ///
    /// Nameless figures of days stay. Answers how many events went.
    ///
    /// # Errors
    /// The database cannot be written; what was deleted before stays deleted.
    pub async fn purge(&self, retention: &Retention, now_ms: i64) -> Result<u64, StoreError> {
        sqlx::query("DELETE FROM staff_session WHERE created_ms < $1")
            .bind(now_ms - super::DAY_MS)
            .execute(&self.write)
            .await?;
        let mut deleted = 0;
        for kind in Kind::ALL {
            let before_ms = now_ms - i64::from(retention.days(kind)) * super::DAY_MS;
            loop {
                let old = sqlx::query(
                    "SELECT tenant, id FROM event WHERE kind = $1 AND at_ms < $2 LIMIT $3",
                )
                .bind(kind.as_str())
                .bind(before_ms)
                .bind(i64::try_from(DELETE_CHUNK).unwrap_or(i64::MAX))
                .fetch_all(&self.read)
                .await?;
                for rows in old.chunks(500) {
                    let mut query =
                        QueryBuilder::new("DELETE FROM event WHERE (tenant, id) IN (VALUES ");
                    let mut list = query.separated(", ");
                    for row in rows {
                        list.push("(");
                        list.push_bind_unseparated(row.try_get::<i64, _>(0)?);
                        list.push_unseparated(", ");
                        list.push_bind_unseparated(row.try_get::<Vec<u8>, _>(1)?);
                        list.push_unseparated(")");
                    }
                    query.push(")");
                    deleted += query.build().execute(&self.write).await?.rows_affected();
                }
                if old.len() < DELETE_CHUNK {
                    break;
                }
            }
        }
        if deleted > 0 {
            sqlx::query("PRAGMA incremental_vacuum")
                .execute(&self.write)
                .await?;
        }
        Ok(deleted)
    }

    /// Everything that is stored about one person of a school.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn personal_records(
        &self,
        tenant: i64,
        subject: &str,
    ) -> Result<PersonalRecords, StoreError> {
        let events = self
            .events(&EventFilter {
                tenant_number: Some(tenant),
                subject: Some(subject.to_owned()),
                ..EventFilter::default()
            })
            .await?;
        let rows = sqlx::query(
            "SELECT device.*, tenant.id AS tenant_id FROM device \
             JOIN tenant ON tenant.number = device.tenant \
             WHERE device.tenant = $1 AND device.subject = $2 ORDER BY device.number",
        )
        .bind(tenant)
        .bind(subject)
        .fetch_all(&self.read)
        .await?;
        Ok(PersonalRecords {
            subject: subject.to_owned(),
            devices: rows.iter().map(device::read).collect::<Result<_, _>>()?,
            events,
        })
    }

    /// Erases everything about one person of a school and says how many events went.
    ///
    /// The person's devices lose their name and are unverified again. The audit
    /// log gets a row that names nobody.
    ///
    /// # Errors
    /// The database cannot be written; then nothing is erased.
    pub async fn erase_person(&self, tenant: i64, subject: &str) -> Result<u64, StoreError> {
        let mut transaction = self.write.begin_with("BEGIN IMMEDIATE").await?;
        let erased = sqlx::query("DELETE FROM event WHERE tenant = $1 AND subject = $2")
            .bind(tenant)
            .bind(subject)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
        sqlx::query(
            "UPDATE device SET subject = NULL, cohort = NULL, \
             status = CASE WHEN status = 'revoked' THEN status ELSE 'unverified' END \
             WHERE tenant = $1 AND subject = $2",
        )
        .bind(tenant)
        .bind(subject)
        .execute(&mut *transaction)
        .await?;
        let detail = format!("{erased} events");
        staff::append(
            &mut transaction,
            tenant,
            "command line",
            "one person erased",
            &detail,
            now_ms(),
        )
        .await?;
        transaction.commit().await?;
        Ok(erased)
    }

    /// Writes a consistent copy of the database to a file that is not there yet.
    ///
    /// The endpoint may go on meanwhile.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub async fn back_up(&self, to: &str) -> Result<(), StoreError> {
        sqlx::query("VACUUM INTO $1")
            .bind(to)
            .execute(&self.write)
            .await?;
        Ok(())
    }

    /// Whether the database file is sound, by SQLite's own check.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn is_sound(&self) -> Result<bool, StoreError> {
        let verdict: String = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_one(&self.read)
            .await?;
        Ok(verdict == "ok")
    }
}
