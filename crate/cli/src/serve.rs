//! `bellgate serve`: the school endpoint until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;

use std::process::ExitCode;

use anyhow::{Context, bail};
use bellgate_server::event::Kind;
use bellgate_server::{Config, Database, Endpoint, Limits, Retention, Tenant};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Run the school endpoint.
///
/// When it is ready it prints one line of JSON with the address it is bound to
/// on standard output; SIGTERM or SIGINT ends it after the open requests.
#[derive(clap::Args)]
pub struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// The SQLite file that holds the events; made if absent.
    #[arg(long, value_name = "FILE", default_value = "bellgate.db")]
    database: String,
    /// The folder whose files are served at /v1/packs/.
    #[arg(long, value_name = "DIR")]
    packs: Option<PathBuf>,
    /// A school that reports here; repeat it for several.
    #[arg(long, value_name = "ID", default_value = "school")]
    tenant: Vec<String>,
    /// The enrolment key of each `--tenant`, in the same order.
    #[arg(long, value_name = "KEY")]
    enrolment_key: Vec<String>,
    /// How many days events are kept.
    #[arg(long, value_name = "DAYS", default_value_t = 365)]
    retention_days: u32,
    /// How many days one kind is kept, such as `heartbeat=30`; repeatable.
    #[arg(long, value_name = "KIND=DAYS", value_parser = read_retention)]
    retention: Vec<(Kind, u32)>,
}

fn read_retention(text: &str) -> Result<(Kind, u32), String> {
    text.split_once('=')
        .and_then(|(kind, days)| Kind::from_name(kind).zip(days.parse().ok()))
        .ok_or_else(|| format!("`{text}` is no kind and days; write it as `heartbeat=30`"))
}

pub fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot start")?
        .block_on(serve(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    let tenants = pair(arguments.tenant, arguments.enrolment_key)?;
    let config = Config {
        database: Database::parse(&arguments.database),
        tenants,
        packs: arguments.packs,
        retention: Retention {
            default_days: arguments.retention_days,
            by_kind: arguments.retention,
        },
        limits: Limits::default(),
    };
    let listener = TcpListener::bind(arguments.listen).await.with_context(|| {
        format!(
            "cannot listen on `{}`; is the port taken?",
            arguments.listen
        )
    })?;
    let endpoint = Endpoint::open(config).await?;
    let address = listener.local_addr()?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    println!(
        "{}",
        serde_json::json!({
            "ready": true,
            "address": address.to_string(),
            "url": format!("http://{address}"),
        })
    );
    endpoint
        .serve(listener, async move {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = interrupted.recv() => {}
            }
        })
        .await?;
    Ok(())
}

fn pair(tenants: Vec<String>, keys: Vec<String>) -> anyhow::Result<Vec<Tenant>> {
    if !keys.is_empty() && keys.len() != tenants.len() {
        bail!(
            "{} enrolment keys for {} tenants; give each tenant one, in the same order",
            keys.len(),
            tenants.len()
        );
    }
    let mut keys = keys.into_iter();
    Ok(tenants
        .into_iter()
        .map(|id| Tenant {
            id,
            enrolment_key: keys.next(),
        })
        .collect())
}
