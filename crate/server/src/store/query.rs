//! Reading events back, newest first.

use serde::Serialize;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{QueryBuilder, Row};

use super::{Store, StoreError, Stream};
use crate::clock::format_ms;
use crate::event::{EventId, Kind};

/// Which events to read; an absent condition holds for all.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only this school's.
    pub tenant: Option<String>,
    /// Only this school's, by its number.
    pub tenant_number: Option<i64>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only of this cohort.
    pub cohort: Option<String>,
    /// Only of one of these cohorts.
    pub cohorts: Option<&'static [&'static str]>,
    /// Only pupils' or only staff's.
    pub stream: Option<Stream>,
    /// Only of this category.
    pub category: Option<String>,
    /// Only about this person.
    pub subject: Option<String>,
    /// Never those about this person.
    pub not_subject: Option<String>,
    /// Only those that happened at or after this instant, in Unix milliseconds.
    pub from_ms: Option<i64>,
    /// Only those that happened before this instant, in Unix milliseconds.
    pub until_ms: Option<i64>,
    /// Only those older than this id; the way to the next page.
    pub before: Option<EventId>,
    /// At most this many; 0 means all.
    pub limit: u32,
}

/// An event as it stands in the database, with the names the wire uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(
    missing_docs,
    reason = "the fields are those of docs/endpoint.md, one by one"
)]
pub struct StoredEvent {
    pub id: String,
    pub tenant: String,
    pub received_at: String,
    pub at: String,
    pub kind: String,
    pub device: Option<String>,
    pub verified: bool,
    pub subject: Option<String>,
    pub cohort: Option<String>,
    pub host: Option<String>,
    pub path: Option<String>,
    pub entry_key: Option<String>,
    #[serde(rename = "type")]
    pub resource_type: Option<String>,
    pub reason_code: Option<String>,
    pub rule: Option<String>,
    pub category: Option<String>,
    pub period_name: Option<String>,
    pub period_kind: Option<String>,
    pub count: i64,
    pub policy_version: Option<String>,
    pub pack_version: Option<String>,
    pub extension_version: Option<String>,
    pub comment: Option<String>,
}

impl Store {
    /// The events a filter leaves, newest first.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT event.*, tenant.id AS tenant_id FROM event \
             JOIN tenant ON tenant.number = event.tenant WHERE 1 = 1",
        );
        narrow(&mut query, filter);
        query.push(" ORDER BY event.id DESC");
        if filter.limit > 0 {
            query.push(" LIMIT ").push_bind(i64::from(filter.limit));
        }
        let rows = query.build().fetch_all(&self.read).await?;
        rows.iter().map(read).collect()
    }

    /// How many events a filter leaves.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn count_events(&self, filter: &EventFilter) -> Result<i64, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT COUNT(*) FROM event JOIN tenant ON tenant.number = event.tenant WHERE 1 = 1",
        );
        narrow(&mut query, filter);
        Ok(query.build_query_scalar().fetch_one(&self.read).await?)
    }
}

fn narrow(query: &mut QueryBuilder<Sqlite>, filter: &EventFilter) {
    let texts = [
        (" AND tenant.id = ", filter.tenant.clone()),
        (
            " AND event.kind = ",
            filter.kind.map(|kind| kind.as_str().to_owned()),
        ),
        (" AND event.cohort = ", filter.cohort.clone()),
        (" AND event.category = ", filter.category.clone()),
        (" AND event.subject = ", filter.subject.clone()),
    ];
    for (condition, value) in texts {
        if let Some(value) = value {
            query.push(condition).push_bind(value);
        }
    }
    if let Some(number) = filter.tenant_number {
        query.push(" AND event.tenant = ").push_bind(number);
    }
    if let Some(cohorts) = filter.cohorts {
        query.push(" AND event.cohort IN (");
        let mut list = query.separated(", ");
        for cohort in cohorts {
            list.push_bind(*cohort);
        }
        query.push(")");
    }
    match filter.stream {
        None => {}
        Some(Stream::Pupils) => {
            query.push(" AND (event.cohort IS NULL OR event.cohort <> 'staff')");
        }
        Some(Stream::Staff) => {
            query.push(" AND event.cohort = 'staff'");
        }
    }
    if let Some(person) = &filter.not_subject {
        query
            .push(" AND (event.subject IS NULL OR event.subject <> ")
            .push_bind(person.clone())
            .push(")");
    }
    if let Some(from_ms) = filter.from_ms {
        query.push(" AND event.at_ms >= ").push_bind(from_ms);
    }
    if let Some(until_ms) = filter.until_ms {
        query.push(" AND event.at_ms < ").push_bind(until_ms);
    }
    if let Some(before) = filter.before {
        query.push(" AND event.id < ").push_bind(before.0.to_vec());
    }
}

fn read(row: &SqliteRow) -> Result<StoredEvent, StoreError> {
    let id: Vec<u8> = row.try_get("id")?;
    Ok(StoredEvent {
        id: EventId::from_bytes(&id)
            .map(|id| id.to_string())
            .unwrap_or_default(),
        tenant: row.try_get("tenant_id")?,
        received_at: format_ms(row.try_get("received_ms")?),
        at: format_ms(row.try_get("at_ms")?),
        kind: row.try_get("kind")?,
        device: row.try_get("device")?,
        verified: row.try_get("verified")?,
        subject: row.try_get("subject")?,
        cohort: row.try_get("cohort")?,
        host: row.try_get("host")?,
        path: row.try_get("path")?,
        entry_key: row.try_get("entry_key")?,
        resource_type: row.try_get("resource_type")?,
        reason_code: row.try_get("reason_code")?,
        rule: row.try_get("rule")?,
        category: row.try_get("category")?,
        period_name: row.try_get("period_name")?,
        period_kind: row.try_get("period_kind")?,
        count: row.try_get("count")?,
        policy_version: row.try_get("policy_version")?,
        pack_version: row.try_get("pack_version")?,
        extension_version: row.try_get("extension_version")?,
        comment: row.try_get("comment")?,
    })
}
