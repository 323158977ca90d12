//! `bellgate records`: everything about one person, to hand over or to erase.

use std::io::Write;
use std::process::ExitCode;

use crate::store::{find_tenant, open, wait_for};

/// Exports or erases everything about one person.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Prints everything about one person as JSON.
    Export(Person),
    /// Erases everything about one person.
    Erase(Person),
}

#[derive(clap::Args)]
struct Person {
    /// The endpoint's database.
    #[arg(long, value_name = "FILE")]
    database: String,
    /// The school.
    #[arg(long, value_name = "ID", default_value = "school")]
    tenant: String,
    /// The person, as events name them.
    #[arg(long)]
    subject: String,
}

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    wait_for(act(arguments.action))?;
    Ok(ExitCode::SUCCESS)
}

async fn act(action: Action) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match action {
        Action::Export(person) => {
            let store = open(&person.database).await?;
            let tenant = find_tenant(&store, &person.tenant).await?;
            let records = store.personal_records(tenant, &person.subject).await?;
            writeln!(out, "{}", serde_json::to_string_pretty(&records)?)?;
        }
        Action::Erase(person) => {
            let store = open(&person.database).await?;
            let tenant = find_tenant(&store, &person.tenant).await?;
            let erased = store.erase_person(tenant, &person.subject).await?;
            store.close().await;
            writeln!(out, "{}", serde_json::json!({"erased_events": erased}))?;
        }
    }
    Ok(())
}
