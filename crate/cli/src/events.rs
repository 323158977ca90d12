//! `bellgate events`: what the endpoint stored, for people and scripts.

use std::io::Write;

use std::process::ExitCode;

use anyhow::bail;
use bellgate_server::{EventFilter, StoredEvent};

use crate::store::{open, wait_for};

/// Read the events that the endpoint stored.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// The newest events, a line each.
    List(Selection),
    /// Every event, as JSON lines.
    Export(Selection),
}

#[derive(clap::Args)]
struct Selection {
    /// The endpoint's database.
    #[arg(long, value_name = "FILE")]
    database: String,
    /// Only this school's events.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// Only this kind: block, notice, review, report, count, heartbeat, health.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// At most this many; 0 for all.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// JSON lines instead of a table.
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let (selection, limit, json) = match arguments.action {
        Action::List(selection) => {
            let limit = selection.limit.unwrap_or(50);
            let json = selection.json;
            (selection, limit, json)
        }
        Action::Export(selection) => {
            let limit = selection.limit.unwrap_or(0);
            (selection, limit, true)
        }
    };
    let kind = match selection.kind.as_deref() {
        None => None,
        Some(name) => match bellgate_server::event::Kind::from_name(name) {
            Some(kind) => Some(kind),
            None => bail!("unknown kind `{name}`; `bellgate events list --help` names them"),
        },
    };
    let filter = EventFilter {
        tenant: selection.tenant,
        kind,
        limit,
        ..EventFilter::default()
    };
    let events = wait_for(async {
        let store = open(&selection.database).await?;
        Ok(store.events(&filter).await?)
    })?;
    let mut out = std::io::stdout().lock();
    for event in &events {
        if json {
            writeln!(out, "{}", serde_json::to_string(event)?)?;
        } else {
            writeln!(out, "{}", line(event))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn line(event: &StoredEvent) -> String {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    format!(
        "{}  {:9} {:>5}  {:10} {:24} {:14} {}{}",
        event.at,
        event.kind,
        event.count,
        or_dash(&event.cohort),
        or_dash(&event.subject),
        or_dash(&event.category),
        or_dash(&event.host),
        event.path.as_deref().unwrap_or_default(),
    )
}
