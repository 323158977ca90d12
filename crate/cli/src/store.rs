//! What the verbs share that work on the endpoint's database.

use anyhow::{Context, bail};
use bellgate_server::{Database, Store};

/// Does the work of a verb, waiting for the database.
pub fn wait_for<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime cannot start")?
        .block_on(work)
}

/// The number of a school that reports to this database.
pub async fn find_tenant(store: &Store, id: &str) -> anyhow::Result<i64> {
    store.find_tenant(id).await?.with_context(|| {
        format!("no tenant `{id}` is known here; start the endpoint once with `--tenant {id}`")
    })
}

/// Opens a database that is there; a mistyped path makes no new one.
pub async fn open(database: &str) -> anyhow::Result<Store> {
    let database = Database::parse(database);
    let Database::Sqlite(path) = &database;
    if !path.exists() {
        bail!(
            "there is no database `{}`; name the endpoint's own",
            path.display()
        );
    }
    Ok(Store::open(&database).await?)
}
