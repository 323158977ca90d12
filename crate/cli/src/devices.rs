//! `bellgate devices`: who is enrolled, and as whom.

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use bellgate_server::DeviceVerdict;

use crate::store::{find_tenant, open, wait_for};

/// Lists, approves and revokes enrolled devices.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Every device, the last enrolled first.
    List {
        /// The endpoint's database.
        #[arg(long, value_name = "FILE")]
        database: String,
        /// Only this school's devices.
        #[arg(long, value_name = "ID")]
        tenant: Option<String>,
        /// JSON lines instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Says that a device is a certain person's, whose events are then verified.
    Approve {
        /// The endpoint's database.
        #[arg(long, value_name = "FILE")]
        database: String,
        /// The device's id.
        #[arg(long, value_name = "ID")]
        device: String,
        /// The person, named as the device's events name them.
        #[arg(long, value_name = "SUBJECT")]
        subject: String,
    },
    /// Shuts a device out; its requests are refused from then on.
    Revoke {
        /// The endpoint's database.
        #[arg(long, value_name = "FILE")]
        database: String,
        /// The device's id.
        #[arg(long, value_name = "ID")]
        device: String,
    },
}

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    wait_for(act(arguments.action))?;
    Ok(ExitCode::SUCCESS)
}

async fn act(action: Action) -> anyhow::Result<()> {
    match action {
        Action::List {
            database,
            tenant,
            json,
        } => {
            let store = open(&database).await?;
            let tenant = match &tenant {
                Some(id) => Some(find_tenant(&store, id).await?),
                None => None,
            };
            let mut out = std::io::stdout().lock();
            for device in store.devices(tenant).await? {
                if json {
                    writeln!(out, "{}", serde_json::to_string(&device)?)?;
                } else {
                    writeln!(
                        out,
                        "{}  {:10}  {:10}  {:24}  {}",
                        device.id,
                        device.status,
                        device.cohort.as_deref().unwrap_or("-"),
                        device.subject.as_deref().unwrap_or("-"),
                        device.last_seen_at,
                    )?;
                }
            }
            Ok(())
        }
        Action::Approve {
            database,
            device,
            subject,
        } => judge(&database, &device, &DeviceVerdict::Verified { subject }).await,
        Action::Revoke { database, device } => {
            judge(&database, &device, &DeviceVerdict::Revoked).await
        }
    }
}

async fn judge(database: &str, device: &str, verdict: &DeviceVerdict) -> anyhow::Result<()> {
    let store = open(database).await?;
    let found = store
        .judge_device(None, device, verdict, "command line")
        .await?;
    store.close().await;
    if !found {
        bail!("no device `{device}` is enrolled; `bellgate devices list` names them");
    }
    Ok(())
}
