//! Numbers of each day, kept when events are stored.

use std::collections::BTreeMap;

use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::{Arrival, Store, StoreError};

/// Milliseconds of a day in UTC.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How much of one kind and category happened in a span of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The kind of event.
    pub kind: String,
    /// The category, or nothing.
    pub category: String,
    /// How many.
    pub total: i64,
}

/// Adds what was newly stored to its days' numbers.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    arrivals: &[Arrival<'_>],
    stored: &[bool],
) -> Result<(), StoreError> {
    let mut totals: BTreeMap<(i64, i64, &str, &str, &str), i64> = BTreeMap::new();
    for (arrival, _) in arrivals.iter().zip(stored).filter(|(_, is_new)| **is_new) {
        let event = arrival.event;
        let category = event
            .cause
            .as_ref()
            .and_then(|cause| cause.category.as_deref());
        let key = (
            arrival.delivery.tenant,
            event.at_ms.div_euclid(DAY_MS),
            event.kind.as_str(),
            event.cohort.as_deref().unwrap_or_default(),
            category.unwrap_or_default(),
        );
        *totals.entry(key).or_default() += event.count;
    }
    for ((tenant, day, kind, cohort, category), total) in totals {
        sqlx::query(
            "INSERT INTO figure (tenant, day, kind, cohort, category, total) \
             VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (tenant, day, kind, cohort, category) \
             DO UPDATE SET total = figure.total + excluded.total",
        )
        .bind(tenant)
        .bind(day)
        .bind(kind)
        .bind(cohort)
        .bind(category)
        .bind(total)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

impl Store {
    /// A school's numbers of the days `[from_day, until_day)`, largest first.
    ///
    /// The staff's own stream is counted apart from pupils': `staff` chooses which.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn figures(
        &self,
        tenant: i64,
        from_day: i64,
        until_day: i64,
        stream: Stream,
    ) -> Result<Vec<Figure>, StoreError> {
        let condition = match stream {
            Stream::Pupils => "cohort <> 'staff'",
            Stream::Staff => "cohort = 'staff'",
        };
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT kind, category, CAST(SUM(total) AS BIGINT) AS total FROM figure \
             WHERE tenant = $1 AND day >= $2 AND day < $3 AND {condition} \
             GROUP BY kind, category ORDER BY 3 DESC, 1, 2"
        )))
        .bind(tenant)
        .bind(from_day)
        .bind(until_day)
        .fetch_all(&self.read)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Figure {
                    kind: row.try_get(0)?,
                    category: row.try_get(1)?,
                    total: row.try_get(2)?,
                })
            })
            .collect()
    }
}

/// Whose events: pupils' and staff's are never mixed (T22).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stream {
    /// Everybody but staff.
    #[default]
    Pupils,
    /// Staff, without names.
    Staff,
}
