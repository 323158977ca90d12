//! `bellgate database`: back the endpoint's database up and restore it.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use bellgate_server::{Database, Store};

use crate::store::{open, wait_for};

/// Backs the endpoint's database up and restores it.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Writes a consistent copy; the endpoint may go on meanwhile.
    Backup {
        /// The endpoint's database.
        #[arg(long, value_name = "FILE")]
        database: String,
        /// The copy, a file that is not there yet.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Puts a copy where no database is yet, after checking that it is sound.
    Restore {
        /// The copy.
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// Where the endpoint's database is to be.
        #[arg(long, value_name = "FILE")]
        database: PathBuf,
    },
}

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    wait_for(act(arguments.action))?;
    Ok(ExitCode::SUCCESS)
}

async fn act(action: Action) -> anyhow::Result<()> {
    match action {
        Action::Backup { database, to } => {
            if to.exists() {
                bail!("`{}` is there already; name a new file", to.display());
            }
            let to = to
                .to_str()
                .context("the copy's path is not UTF-8; name another")?;
            let store = open(&database).await?;
            store.back_up(to).await?;
            Ok(())
        }
        Action::Restore { from, database } => restore(from, database).await,
    }
}

async fn restore(from: PathBuf, database: PathBuf) -> anyhow::Result<()> {
    if database.exists() {
        bail!(
            "`{}` is there already; stop the endpoint and move it away first",
            database.display()
        );
    }
    if !from.exists() {
        bail!("there is no copy `{}`", from.display());
    }
    // Checked beside its place, then put there whole.
    let mut beside = database.clone().into_os_string();
    beside.push(".restoring");
    let beside = PathBuf::from(beside);
    std::fs::copy(&from, &beside)
        .with_context(|| format!("`{}` cannot be copied", from.display()))?;
    let checked = check(&beside).await;
    if let Err(error) = checked {
        std::fs::remove_file(&beside).context("the unsound copy cannot be removed")?;
        return Err(error);
    }
    std::fs::rename(&beside, &database)
        .with_context(|| format!("`{}` cannot be put in place", database.display()))
}

async fn check(copy: &std::path::Path) -> anyhow::Result<()> {
    let store = Store::open(&Database::Sqlite(copy.to_path_buf())).await?;
    let sound = store.is_sound().await;
    store.close().await;
    if !sound? {
        bail!("the copy `{}` is damaged; take another one", copy.display());
    }
    Ok(())
}
