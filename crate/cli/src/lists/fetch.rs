//! `bellgate lists fetch`: brings sources into the cache.
//!
//! Packages come through the registries' own clients, which know how a machine reaches
//! them; files on the web through `curl`. A source that fails keeps its last good copy, and
//! so does one that sends something else than a list, such as the page of a captive portal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::{Context, bail};
use clap::Args;
use sha2::{Digest, Sha256};

use super::compile::each_item_of;
use super::sources::{Address, Source, SourcesFile, is_loopback};

/// What is fetched, to where.
#[derive(Args)]
pub struct Arguments {
    /// The file of sources.
    #[arg(long, default_value = "lists/sources.toml")]
    sources: PathBuf,
    /// The folder of copies.
    #[arg(long, default_value = ".cache/lists")]
    cache: PathBuf,
    /// Only these sources, by id, whether enabled or not.
    #[arg(long)]
    only: Vec<String>,
}

/// What came of one source.
enum Outcome {
    New(u64),
    Changed { before: u64, now: u64 },
    Same(u64),
    Kept { why: String, copy: SystemTime },
    Missing(String),
}

/// Fetches, and says what changed.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let sources = SourcesFile::read(&arguments.sources)?;
    fs::create_dir_all(&arguments.cache)
        .with_context(|| format!("cannot make `{}`", arguments.cache.display()))?;
    let mut missing = 0;
    println!(
        "{:<28} {:<10} {:>14} {:>14}",
        "source", "state", "bytes", "change"
    );
    for source in &sources {
        let chosen = if arguments.only.is_empty() {
            source.enabled
        } else {
            arguments.only.contains(&source.id)
        };
        if !chosen || matches!(source.address()?, Address::File(_)) {
            continue;
        }
        let outcome = fetch(source, &arguments.cache)?;
        missing += usize::from(matches!(outcome, Outcome::Missing(_)));
        print_row(source, &outcome);
    }
    for id in &arguments.only {
        if !sources.iter().any(|source| source.id == *id) {
            bail!(
                "no source has the id `{id}`; `{}` lists them",
                arguments.sources.display()
            );
        }
    }
    if missing > 0 {
        bail!("{missing} sources have no copy at all; switch them off or try again");
    }
    Ok(ExitCode::SUCCESS)
}

fn print_row(source: &Source, outcome: &Outcome) {
    let row = |state: &str, bytes: u64, change: i64| {
        println!("{:<28} {state:<10} {bytes:>14} {change:>+14}", source.id);
    };
    match outcome {
        Outcome::New(bytes) => row("new", *bytes, *bytes as i64),
        Outcome::Changed { before, now } => row("changed", *now, *now as i64 - *before as i64),
        Outcome::Same(bytes) => row("unchanged", *bytes, 0),
        Outcome::Kept { why, copy } => {
            let copy = chrono::DateTime::<chrono::Utc>::from(*copy).format("%Y-%m-%d %H:%M UTC");
            println!(
                "{:<28} kept       the copy of {copy} stays: {why}",
                source.id
            );
        }
        Outcome::Missing(why) => {
            println!("{:<28} failed     there is no copy yet: {why}", source.id)
        }
    }
}

/// Where the copy of a source lies; archives are shared by what they hold.
pub fn copy_path(source: &Source, cache: &Path) -> anyhow::Result<PathBuf> {
    Ok(match source.address()? {
        Address::File(path) => path,
        Address::Web(_) => cache.join(&source.id),
        Address::Npm { .. } | Address::Pypi { .. } => {
            cache.join(source.sha256.as_deref().unwrap_or_default())
        }
    })
}

fn fetch(source: &Source, cache: &Path) -> anyhow::Result<Outcome> {
    let path = copy_path(source, cache)?;
    let before = fs::read(&path).ok();
    let partial = path.with_extension("part");
    let result = match source.address()? {
        Address::File(_) => return Ok(Outcome::Same(0)),
        Address::Npm { package, .. } => {
            fetch_package(source, &path, |folder| npm(&package, folder))
        }
        Address::Pypi { package, .. } => {
            fetch_package(source, &path, |folder| pip(&package, folder))
        }
        Address::Web(address) => {
            fetch_web(&address, &path, &partial, |bytes| usable(source, bytes))
        }
    };
    Ok(match (result, before) {
        (Ok(()), before) => {
            let now =
                fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
            match before {
                None => Outcome::New(now.len() as u64),
                Some(before) if before == now => Outcome::Same(now.len() as u64),
                Some(before) => Outcome::Changed {
                    before: before.len() as u64,
                    now: now.len() as u64,
                },
            }
        }
        (Err(error), Some(_)) => Outcome::Kept {
            why: format!("{error:#}"),
            copy: fs::metadata(&path)?.modified()?,
        },
        (Err(error), None) => Outcome::Missing(format!("{error:#}")),
    })
}

/// Fetches an archive unless the right one is there already; its sum is checked.
fn fetch_package(
    source: &Source,
    path: &Path,
    download: impl Fn(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let wanted = source.sha256.as_deref().unwrap_or_default();
    if fs::read(path).is_ok_and(|bytes| sum(&bytes) == wanted) {
        return Ok(());
    }
    let folder = path.with_extension("download");
    fs::create_dir_all(&folder)?;
    let result = download(&folder).and_then(|()| {
        let mut sums = Vec::new();
        for file in fs::read_dir(&folder)? {
            let file = file?.path();
            let found = sum(&fs::read(&file)?);
            if found == wanted {
                return fs::rename(&file, path).map_err(anyhow::Error::from);
            }
            sums.push(found);
        }
        bail!(
            "the registry's archive has SHA-256 {}, not {wanted}",
            sums.join(", ")
        )
    });
    fs::remove_dir_all(&folder)?;
    result
}

fn npm(package: &str, folder: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("npm");
    command
        .args(["pack", "--silent", "--pack-destination"])
        .arg(folder)
        .arg(package);
    run_client(&mut command, "npm")
}

fn pip(package: &str, folder: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("python3");
    command
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--dest",
        ])
        .arg(folder)
        .arg(package);
    run_client(&mut command, "python3 with pip")
}

fn run_client(command: &mut Command, name: &str) -> anyhow::Result<()> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {name}, which fetches this source; install it"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let last = text
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or_default();
        bail!("{name} failed: {last}");
    }
    Ok(())
}

/// Whether a file from the web may replace the copy that is there.
fn usable(source: &Source, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(wanted) = &source.sha256 {
        let found = sum(bytes);
        if found != *wanted {
            bail!("what was sent has SHA-256 {found}, not {wanted}");
        }
    }
    let (mut lines, mut rejected) = (0usize, Vec::new());
    each_item_of(source, bytes, |place, line, item| {
        lines += 1;
        if let Err(why) = item {
            rejected.push(format!("{place}:{line}: {why}"));
        }
    })?;
    if lines == rejected.len() || rejected.len() as f64 > source.reject_limit * lines as f64 {
        bail!(
            "what was sent is no such list: {} of {lines} lines are rejected, the first being {}",
            rejected.len(),
            rejected.first().map_or("absent", String::as_str)
        );
    }
    Ok(())
}

/// Fetches a file on the web: continues a broken download, else asks whether it changed.
fn fetch_web(
    address: &str,
    path: &Path,
    partial: &Path,
    usable: impl Fn(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let etag = path.with_extension("etag");
    let new_etag = path.with_extension("etag-new");
    if fs::metadata(partial).is_ok_and(|part| part.len() > 0)
        && let Ok(known) = fs::read_to_string(&new_etag)
        && !known.trim().is_empty()
    {
        let range = format!("If-Range: {}", known.trim());
        let resumed = curl(address)
            .args(["--continue-at", "-", "--header", &range, "--output"])
            .arg(partial)
            .arg(address)
            .output();
        if resumed.is_ok_and(|output| output.status.success()) {
            return put_in_place(partial, path, &new_etag, &etag, usable);
        }
        // The file changed meanwhile, or the server knows no ranges: begin anew.
    }
    let _ = fs::remove_file(partial);
    let mut command = curl(address);
    command
        .args(["--write-out", "%{http_code}", "--etag-save"])
        .arg(&new_etag);
    if path.exists() && etag.exists() {
        command.arg("--etag-compare").arg(&etag);
    } else if path.exists() {
        command.arg("--time-cond").arg(path);
    }
    let output = command
        .arg("--output")
        .arg(partial)
        .arg(address)
        .output()
        .context("cannot run curl, which fetches this source; install it")?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{}", text.trim().lines().last().unwrap_or("curl failed"));
    }
    if output.stdout == b"304" {
        let _ = fs::remove_file(partial);
        return Ok(());
    }
    if fs::metadata(partial).map_or(0, |part| part.len()) == 0 {
        let _ = fs::remove_file(partial);
        bail!("the server sent an empty file");
    }
    put_in_place(partial, path, &new_etag, &etag, usable)
}

fn curl(address: &str) -> Command {
    let protocols = if is_loopback(address) {
        "=http"
    } else {
        "=https"
    };
    let mut command = Command::new("curl");
    command
        .args([
            "--fail",
            "--silent",
            "--show-error",
            "--location",
            "--remote-time",
        ])
        .args(["--proto", protocols, "--proto-redir", protocols])
        .args([
            "--connect-timeout",
            "20",
            "--speed-limit",
            "1000",
            "--speed-time",
            "60",
        ]);
    command
}

fn put_in_place(
    partial: &Path,
    path: &Path,
    new_etag: &Path,
    etag: &Path,
    usable: impl Fn(&[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if let Err(error) = usable(&fs::read(partial)?) {
        // Nothing of it may be continued or taken for known later.
        fs::remove_file(partial)?;
        let _ = fs::remove_file(new_etag);
        return Err(error);
    }
    fs::rename(partial, path)?;
    // An old tag beside a new copy would hide the next change.
    let tagged = fs::read_to_string(new_etag).is_ok_and(|tag| !tag.trim().is_empty());
    if tagged {
        fs::rename(new_etag, etag)?;
    } else {
        let _ = fs::remove_file(etag);
    }
    Ok(())
}

/// A SHA-256 in hexadecimal.
pub fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
