//! `bellgate lists build`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use bellgate_core::list::Pack;
use bellgate_core::list::SigningKey;
use bellgate_core::list::build::{BuildError, BuiltPack, PackBuilder, PackOptions};
use clap::Args;
use serde_json::{Value, json};

use super::compile::{OwnLists, SourceReport};
use super::folder::{Folders, Rejected};
use super::sources::SourcesFile;
use super::stamp::Stamp;
use super::{check, core, pack_file};

/// What is built, from what, to where.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("input").required(true))]
pub struct Arguments {
    /// A folder of `<category>.txt` (or `.txt.zst`) files, a host or host/path a line, and
    /// `.tsv` files of `category<TAB>entry`; every entry is kept. May be given repeatedly.
    #[arg(long, group = "input")]
    from: Vec<PathBuf>,
    /// A file of sources, with categories, help, sign-in and allowlist beside it; what was
    /// fetched is transformed and held against those.
    #[arg(long, group = "input")]
    sources: Option<PathBuf>,
    /// The pack to write.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    stamp: Stamp,
    /// A file for the report: counts, every rejected line and dropped entry, as JSON.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Where `lists fetch` put its copies.
    #[arg(long, default_value = ".cache/lists")]
    cache: PathBuf,
    /// Sources to build with besides those that are enabled, by id.
    #[arg(long)]
    with: Vec<String>,
    /// Sources to leave out, by id.
    #[arg(long)]
    without: Vec<String>,
    #[command(flatten)]
    probes: check::Probes,
}

/// Compiles, and tries the next seed in the rare case that two entries collide.
pub fn compile<T>(
    mut options: PackOptions,
    key: Option<&SigningKey>,
    fill: impl Fn(&mut PackBuilder) -> anyhow::Result<T>,
) -> anyhow::Result<(BuiltPack, T)> {
    const MAX_TRIES: usize = 8;
    for _ in 0..MAX_TRIES {
        let mut builder = PackBuilder::new(options.clone());
        let filled = fill(&mut builder)?;
        match builder.build_signed(key) {
            Err(BuildError::Collision { seed }) if options.secret_key.is_none() => {
                options.hash_seed = seed.wrapping_add(1);
            }
            result => return Ok((result?, filled)),
        }
    }
    bail!("no seed tells all entries apart; are the same lists given under many names?")
}

/// Builds the pack and says what came of it.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let built = if let Some(sources) = &arguments.sources {
        from_sources(arguments, sources)?
    } else {
        from_folders(arguments)?
    };
    pack_file::write(&arguments.out, &built.bytes)?;
    println!(
        "{} entries ({} with a path), {} bytes, {:.2} bytes an entry, {:.1} s",
        built.entries,
        built.path_entries,
        built.bytes.len(),
        built.bytes.len() as f64 / built.entries.max(1) as f64,
        started.elapsed().as_secs_f64(),
    );
    Ok(ExitCode::SUCCESS)
}

fn from_folders(arguments: &Arguments) -> anyhow::Result<BuiltPack> {
    let folders = Folders::find(&arguments.from)?;
    let (options, key) = arguments.stamp.options(folders.newest)?;
    let (built, rejected) = compile(options, key.as_ref(), |builder| folders.add_to(builder))?;
    show_rejected(&rejected);
    write_report(arguments, &built, json!({ "rejected": rejected }))?;
    Ok(built)
}

/// Builds from a file of sources; every source that fails is told before the build fails.
fn from_sources(arguments: &Arguments, path: &Path) -> anyhow::Result<BuiltPack> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let root = folder.join("..");
    let (texts, mut newest) = core::read(folder)?;
    let own = OwnLists::read(&texts)?;
    let sources = SourcesFile::read(path)?;
    let mut compiled = Vec::new();
    let mut failures = Vec::new();
    for source in sources.iter().filter(|source| {
        (source.enabled || arguments.with.contains(&source.id))
            && !arguments.without.contains(&source.id)
    }) {
        match super::compile::compile(source, &root, &arguments.cache, &own) {
            Ok((entries, report)) => {
                let copy = super::fetch::copy_path(source, &arguments.cache)?;
                let changed = std::fs::metadata(&copy).and_then(|copy| copy.modified());
                newest = newest.max(changed.ok());
                compiled.push((source, entries, report));
            }
            Err(error) => failures.push(format!("source `{}`: {error:#}", source.id)),
        }
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    let (options, key) = arguments.stamp.options(newest)?;
    let (built, ()) = compile(options, key.as_ref(), |builder| {
        own.catalogue.declare(builder)?;
        let number = |id: &str| {
            own.catalogue
                .number(id)
                .context("a category is not declared")
        };
        for (entry, category) in &own.special {
            builder.add(entry, number(category)?);
        }
        for (source, entries, _) in &compiled {
            let category = number(&source.category)?;
            for (entry, exception) in entries {
                if *exception {
                    builder.add_exception(entry, category);
                } else {
                    builder.add(entry, category);
                }
            }
        }
        Ok(())
    })?;
    let reports: Vec<&SourceReport> = compiled.iter().map(|(_, _, report)| report).collect();
    show_sources(&reports);
    let pack = Pack::open(&built.bytes[..])?;
    let warnings = small_categories(&pack, &own)?;
    for warning in &warnings {
        println!("warning: {warning}");
    }
    let found = arguments.probes.run(&pack)?;
    found.show();
    write_report(
        arguments,
        &built,
        json!({ "sources": reports, "warnings": warnings, "blocked": found }),
    )?;
    if found.unaccepted() {
        bail!(
            "the pack blocks what schools need; drop the entry at its source, or accept the block with its reason"
        );
    }
    Ok(built)
}

/// Categories with fewer entries than a school should expect.
fn small_categories(pack: &Pack<&[u8]>, own: &OwnLists) -> anyhow::Result<Vec<String>> {
    let counts = pack.count_by_category()?;
    let rows = own.catalogue.rows().iter();
    Ok(rows
        .filter(|row| counts[row.number as usize].0 < row.minimum_entries)
        .map(|row| {
            format!(
                "category `{}` has {} entries, fewer than {}; switch on a source for it",
                row.id, counts[row.number as usize].0, row.minimum_entries
            )
        })
        .collect())
}

fn show_sources(reports: &[&SourceReport]) {
    println!(
        "{:<28} {:<18} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "source", "category", "entries", "rejected", "excluded", "covered", "dropped"
    );
    for report in reports {
        println!(
            "{:<28} {:<18} {:>9} {:>9} {:>9} {:>9} {:>9}",
            report.id,
            report.category,
            report.entries,
            report.rejected.len(),
            report.excluded,
            report.covered,
            report.contradicting.len()
        );
    }
}

fn write_report(arguments: &Arguments, built: &BuiltPack, more: Value) -> anyhow::Result<()> {
    let Some(path) = &arguments.report else {
        return Ok(());
    };
    let mut report = json!({
        "entries": built.entries,
        "path_entries": built.path_entries,
        "bytes": built.bytes.len(),
    });
    if let (Value::Object(report), Value::Object(more)) = (&mut report, more) {
        report.extend(more);
    }
    pack_file::write(path, &serde_json::to_vec_pretty(&report)?)
}

#[expect(
    clippy::print_stderr,
    reason = "rejected lines are for whoever builds, not for a pipe"
)]
fn show_rejected(rejected: &[Rejected]) {
    const SHOWN: usize = 20;
    for line in rejected.iter().take(SHOWN) {
        eprintln!("{}: {}", line.place, line.why);
    }
    if rejected.len() > SHOWN {
        eprintln!(
            "and {} more rejected lines; --report FILE lists all",
            rejected.len() - SHOWN
        );
    }
    if !rejected.is_empty() {
        eprintln!("{} lines rejected", rejected.len());
    }
}
