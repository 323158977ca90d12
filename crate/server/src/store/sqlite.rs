//! Writing many events to SQLite with few statements.

use std::collections::HashSet;
use std::sync::LazyLock;

use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection};
use sqlx::{AssertSqlSafe, Row, SqlSafeStr, SqlStr};

use super::{Arrival, StoreError};

/// The columns of `event` in the order in which [`bind`] binds them.
const COLUMNS: &str = "tenant, id, received_ms, at_ms, kind, device, verified, subject, cohort, \
     host, path, entry_key, resource_type, reason_code, rule, category, period_name, period_kind, \
     count, policy_version, pack_version, extension_version, comment";
const COLUMN_COUNT: usize = 23;

/// Rows in one statement: few enough to prepare quickly, many enough to spare
/// most round trips to the connection's thread.
const ROWS_A_STATEMENT: usize = 64;

static INSERT_MANY: LazyLock<SqlStr> = LazyLock::new(|| statement(ROWS_A_STATEMENT));
static INSERT_ONE: LazyLock<SqlStr> = LazyLock::new(|| statement(1));

/// Inserts the arrivals and says of each whether it was new.
pub async fn insert(
    connection: &mut SqliteConnection,
    arrivals: &[Arrival<'_>],
) -> Result<Vec<bool>, StoreError> {
    let mut stored = Vec::with_capacity(arrivals.len());
    let chunks = arrivals.chunks_exact(ROWS_A_STATEMENT);
    let rest = chunks.remainder();
    for chunk in chunks {
        insert_chunk(connection, &INSERT_MANY, chunk, &mut stored).await?;
    }
    for one in rest.chunks(1) {
        insert_chunk(connection, &INSERT_ONE, one, &mut stored).await?;
    }
    Ok(stored)
}

async fn insert_chunk(
    connection: &mut SqliteConnection,
    statement: &SqlStr,
    chunk: &[Arrival<'_>],
    stored: &mut Vec<bool>,
) -> Result<(), StoreError> {
    let mut query = sqlx::query(statement.clone());
    for arrival in chunk {
        query = bind(query, arrival);
    }
    let rows = query.fetch_all(connection).await?;
    if rows.len() == chunk.len() {
        stored.extend(std::iter::repeat_n(true, chunk.len()));
        return Ok(());
    }
    // The first of two equal ids is the one that was stored.
    let mut new: HashSet<(i64, Vec<u8>)> = rows
        .iter()
        .map(|row| (row.get::<i64, _>(0), row.get::<Vec<u8>, _>(1)))
        .collect();
    stored.extend(
        chunk
            .iter()
            .map(|arrival| new.remove(&(arrival.delivery.tenant, arrival.event.id.0.to_vec()))),
    );
    Ok(())
}

fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    arrival: &'q Arrival<'_>,
) -> Query<'q, Sqlite, SqliteArguments> {
    let Arrival {
        delivery, event, ..
    } = arrival;
    let place = event.place.as_ref();
    let cause = event.cause.as_ref();
    let period = event.period.as_ref();
    query
        .bind(delivery.tenant)
        .bind(event.id.0.to_vec())
        .bind(delivery.received_ms)
        .bind(event.at_ms)
        .bind(event.kind.as_str())
        .bind(delivery.signer.as_ref().map(|signer| signer.id.as_str()))
        .bind(arrival.verified)
        .bind(event.subject.as_deref())
        .bind(event.cohort.as_deref())
        .bind(place.map(|place| place.host.as_str()))
        .bind(place.and_then(|place| place.path.as_deref()))
        .bind(event.entry_key.as_deref())
        .bind(event.resource_type.as_deref())
        .bind(cause.map(|cause| cause.code.as_str()))
        .bind(cause.and_then(|cause| cause.rule.as_deref()))
        .bind(cause.and_then(|cause| cause.category.as_deref()))
        .bind(period.and_then(|period| period.name.as_deref()))
        .bind(period.and_then(|period| period.kind.as_deref()))
        .bind(event.count)
        .bind(event.policy_version.as_deref())
        .bind(event.pack_version.as_deref())
        .bind(event.extension_version.as_deref())
        .bind(event.comment.as_deref())
}

fn statement(rows: usize) -> SqlStr {
    let row = format!("({})", vec!["?"; COLUMN_COUNT].join(", "));
    let rows = vec![row; rows].join(", ");
    AssertSqlSafe(format!(
        "INSERT INTO event ({COLUMNS}) VALUES {rows} ON CONFLICT DO NOTHING RETURNING tenant, id"
    ))
    .into_sql_str()
}
