//! The schema's history, carried in the program.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::SqlitePool;

use super::StoreError;

/// Version, name and text of each step; a step once released never changes.
const SQLITE: [(i64, &str, &str); 3] = [
    (
        1,
        "event",
        include_str!("../../migrations/sqlite/0001_event.sql"),
    ),
    (
        2,
        "device",
        include_str!("../../migrations/sqlite/0002_device.sql"),
    ),
    (
        3,
        "staff",
        include_str!("../../migrations/sqlite/0003_staff.sql"),
    ),
];

/// Brings a SQLite database to this program's schema.
pub async fn sqlite(pool: &SqlitePool) -> Result<(), StoreError> {
    migrator(&SQLITE).run(pool).await?;
    Ok(())
}

fn migrator(steps: &[(i64, &'static str, &'static str)]) -> Migrator {
    Migrator::with_migrations(
        steps
            .iter()
            .map(|&(version, name, sql)| {
                Migration::new(
                    version,
                    name.into(),
                    MigrationType::Simple,
                    sql.into_sql_str(),
                    false,
                )
            })
            .collect(),
    )
}
