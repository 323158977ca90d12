//! How much the endpoint takes: real sockets, signed batches, one machine.
//!
//! `cargo bench -p bellgate-server --bench endpoint -- --json` runs the endpoint
//! in a process of its own, loads it with batches of 20 signed events, kills it
//! with SIGKILL in the middle, starts it again and looks for every event that
//! was acknowledged. The last line of `--json` is one object of figures.
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has failed"
)]
#![expect(clippy::print_stderr, reason = "progress goes beside the figures")]

#[path = "endpoint/client.rs"]
mod client;
#[path = "endpoint/load.rs"]
mod load;

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bellgate_server::staff::{Role, generate_account};
use bellgate_server::{Config, Database, Endpoint, Store, Tenant};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};

use load::{Load, Outcome};

const ENROLMENT_KEY: &str = "a-secret-of-the-bench";
const CONNECTIONS: usize = 64;
const DEVICES: usize = 4_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if let Some(database) = value("--serve") {
        runtime.block_on(serve(&database));
        return;
    }
    let events = value("--events").map_or(2_000_000, |text| text.parse().unwrap());
    let folder = value("--folder").map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("bellgate-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let figures = runtime.block_on(measure(&folder, events));
    std::fs::remove_dir_all(&folder).unwrap();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{figures}").unwrap();
}

/// The endpoint, as `bellgate serve` runs it, until it is killed.
async fn serve(database: &str) {
    let config = Config::new(
        Database::parse(database),
        Tenant {
            id: "school".into(),
            enrolment_key: Some(ENROLMENT_KEY.into()),
        },
    );
    let endpoint = Endpoint::open(config).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    endpoint
        .serve(listener, std::future::pending())
        .await
        .unwrap();
}

async fn measure(folder: &Path, events: usize) -> serde_json::Value {
    let fdatasync = fdatasync_median(folder);
    eprintln!(
        "fdatasync of 4 KiB: median {:.2} ms",
        fdatasync.as_secs_f64() * 1e3
    );
    let database = folder.join("events.db");
    let mut server = Server::start(&database).await;
    let mut load = Load::enrol(server.address, ENROLMENT_KEY, DEVICES, CONNECTIONS).await;
    eprintln!("{DEVICES} devices enrolled");

    let early = events / 10;
    let started = Instant::now();
    let mut outcome = load.run(server.address, early).await;
    let rss_start = server.rss_mib();
    outcome.join(load.run(server.address, events - early).await);
    let seconds = started.elapsed().as_secs_f64();
    let rss_end = server.rss_mib();
    let rate = outcome.acknowledged.len() as f64 / seconds;
    let p99_ms = outcome.latency_ms(0.99);
    eprintln!(
        "{} events in {seconds:.1} s: {rate:.0} a second, p50 {:.1} ms, p99 {p99_ms:.1} ms, \
         resident {rss_start:.0} then {rss_end:.0} MiB",
        outcome.acknowledged.len(),
        outcome.latency_ms(0.5),
    );
    let console_ms = staff_page_median_ms(&server, &database).await;
    eprintln!("staff page: median {console_ms:.1} ms");

    // Killed in the middle: whoever was acknowledged must be there.
    let killing = {
        let id = server.child.id();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            let killed = Command::new("kill")
                .args(["-KILL", &id.to_string()])
                .status();
            assert!(killed.unwrap().success());
        })
    };
    let interrupted = load.run_until_broken(server.address).await;
    killing.await.unwrap();
    server.child.wait().unwrap();
    eprintln!(
        "killed after {} more events; {} batches without an answer",
        interrupted.acknowledged.len(),
        interrupted.unanswered.len()
    );
    let mut server = Server::start(&database).await;
    let resent = load.resend(server.address, &interrupted).await;
    outcome.join(interrupted);
    outcome.join(resent);
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let (lost, doubled) = compare(&database, &outcome).await;
    json!({
        "sqlite_events_s": rate.round(),
        "sqlite_p99_ms": (p99_ms * 10.0).round() / 10.0,
        "postgres_events_s": null,
        "postgres_p99_ms": null,
        "rss_mib_start": rss_start.round(),
        "rss_mib_end": rss_end.round(),
        "console_ms_median": (console_ms * 10.0).round() / 10.0,
        "fdatasync_ms_median": (fdatasync.as_secs_f64() * 1e5).round() / 100.0,
        "lost": lost,
        "doubled": doubled,
    })
}

/// An endpoint in a process of its own, which does not outlive this one.
struct Server {
    child: Child,
    address: std::net::SocketAddr,
}

impl Server {
    async fn start(database: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("--serve")
            .arg(database)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = tokio::process::ChildStdout::from_std(child.stdout.take().unwrap()).unwrap();
        let line = BufReader::new(out)
            .lines()
            .next_line()
            .await
            .unwrap()
            .unwrap();
        Self {
            child,
            address: line.parse().unwrap(),
        }
    }

    fn rss_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already dead is as good.
        let _ = self.child.kill();
    }
}

/// What the disk itself takes to hold 4 KiB.
fn fdatasync_median(folder: &Path) -> Duration {
    let path = folder.join("fdatasync");
    let mut file = std::fs::File::create(&path).unwrap();
    let mut spans: Vec<Duration> = (0..200)
        .map(|_| {
            file.write_all(&[7; 4096]).unwrap();
            let started = Instant::now();
            file.sync_data().unwrap();
            started.elapsed()
        })
        .collect();
    std::fs::remove_file(path).unwrap();
    spans.sort();
    spans[spans.len() / 2]
}

/// Signs in as DSL and lists events 31 times.
async fn staff_page_median_ms(server: &Server, database: &Path) -> f64 {
    let account = generate_account("dsl", Role::Dsl, None, None).unwrap();
    let store = Store::open(&Database::Sqlite(database.into()))
        .await
        .unwrap();
    let tenant = store.find_tenant("school").await.unwrap().unwrap();
    store.add_account(tenant, &account).await.unwrap();
    store.close().await;
    let mut client = client::Client::connect(server.address).await.unwrap();
    let form = format!(
        "tenant=school&name=dsl&password={}&code={}",
        account.password,
        client::totp(&account.totp_secret)
    );
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    let answer = client
        .send("POST", "/staff/sign-in", headers, form.as_bytes())
        .await
        .unwrap();
    let cookie = answer
        .header("set-cookie")
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let headers = format!("Cookie: {cookie}\r\n");
    let mut spans = Vec::new();
    for _ in 0..31 {
        let started = Instant::now();
        let answer = client
            .send("GET", "/staff/events", &headers, b"")
            .await
            .unwrap();
        spans.push(started.elapsed().as_secs_f64() * 1e3);
        assert_eq!(answer.status, 200);
        assert!(answer.body.len() > 10_000, "the page lists no events");
    }
    spans.sort_by(f64::total_cmp);
    spans[spans.len() / 2]
}

/// Acknowledged events that are not there, and ids that are there twice.
async fn compare(database: &Path, outcome: &Outcome) -> (usize, usize) {
    let url = format!("sqlite://{}", database.display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    let stored: Vec<Vec<u8>> = sqlx::query_scalar("SELECT id FROM event")
        .fetch_all(&pool)
        .await
        .unwrap();
    pool.close().await;
    let ids: HashSet<[u8; 16]> = stored
        .iter()
        .map(|id| id.as_slice().try_into().unwrap())
        .collect();
    let lost = outcome
        .acknowledged
        .iter()
        .filter(|id| !ids.contains(*id))
        .count();
    (lost, stored.len() - ids.len())
}
