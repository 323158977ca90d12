//! `bellgate lists build`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Instant, UNIX_EPOCH};

use anyhow::{Context, bail};
use bellgate_core::list::SigningKey;
use bellgate_core::list::build::{BuildError, BuiltPack, PackBuilder, PackOptions, PackSizes};
use chrono::DateTime;
use clap::Args;

use super::folder::{Folders, Rejected};
use super::pack_file;

/// What is built, from what, to where.
#[derive(Args)]
pub struct Arguments {
    /// A folder of `<category>.txt` (or `.txt.zst`) files, a host or host/path a line, and
    /// `.tsv` files of `category<TAB>entry`; every entry is kept. May be given repeatedly.
    #[arg(long, required = true)]
    from: Vec<PathBuf>,
    /// The pack to write.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    stamp: Stamp,
    /// A file for the report: counts and every rejected line, as JSON.
    #[arg(long)]
    report: Option<PathBuf>,
}

/// What goes into a pack's header besides its entries.
#[derive(Args)]
pub struct Stamp {
    /// The secret half of the key that signs the pack; without it the pack is unsigned.
    #[arg(long)]
    sign_key: Option<PathBuf>,
    /// The secret key of a keyed pack, which cannot be read or tested without it.
    #[arg(long)]
    secret_key: Option<PathBuf>,
    /// Which of two packs is newer; by default the time of building, in seconds.
    #[arg(long)]
    sequence: Option<u64>,
    /// The time of building, RFC 3339; by default when the newest source file was changed,
    /// so that the same files make the same bytes.
    #[arg(long)]
    built_at: Option<String>,
    /// An earlier pack, of which sizes and seed are kept while they suffice, so that the
    /// delta between the two stays small.
    #[arg(long)]
    like: Option<PathBuf>,
}

impl Stamp {
    /// The options of the builder, and the key that signs.
    pub fn options(
        &self,
        newest: Option<std::time::SystemTime>,
    ) -> anyhow::Result<(PackOptions, Option<SigningKey>)> {
        let built_at_ms = match &self.built_at {
            Some(text) => DateTime::parse_from_rfc3339(text)
                .with_context(|| {
                    format!("`{text}` is no time; write it like `2026-09-07T06:00:00Z`")
                })?
                .timestamp_millis(),
            None => newest
                .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
                .map_or(0, |age| age.as_secs() as i64 * 1000),
        };
        let mut options = PackOptions {
            sequence: self.sequence.unwrap_or((built_at_ms / 1000).max(1) as u64),
            built_at_ms,
            ..PackOptions::default()
        };
        if let Some(path) = &self.secret_key {
            options.secret_key = Some(pack_file::secret_key(path)?);
        }
        if let Some(path) = &self.like {
            let earlier = pack_file::open(path, options.secret_key.clone())?.summary();
            if options.secret_key.is_none() {
                options.hash_seed = earlier.hash_seed;
            }
            options.like = Some(PackSizes::from(&earlier));
        }
        let key = self.sign_key.as_deref().map(|path| {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read the signing key `{}`", path.display()))?;
            SigningKey::from_base64(&text).map_err(anyhow::Error::from)
        });
        Ok((options, key.transpose()?))
    }
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
    let folders = Folders::find(&arguments.from)?;
    let (options, key) = arguments.stamp.options(folders.newest)?;
    let (built, rejected) = compile(options, key.as_ref(), |builder| folders.add_to(builder))?;
    pack_file::write(&arguments.out, &built.bytes)?;
    report(&built, &rejected, started);
    if let Some(path) = &arguments.report {
        let report = serde_json::json!({
            "entries": built.entries,
            "path_entries": built.path_entries,
            "bytes": built.bytes.len(),
            "rejected": rejected,
        });
        pack_file::write(path, &serde_json::to_vec_pretty(&report)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(
    clippy::print_stderr,
    reason = "rejected lines are for whoever builds, not for a pipe"
)]
fn report(built: &BuiltPack, rejected: &[Rejected], started: Instant) {
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
    println!(
        "{} entries ({} with a path), {} bytes, {:.2} bytes an entry, {:.1} s; {} lines rejected",
        built.entries,
        built.path_entries,
        built.bytes.len(),
        built.bytes.len() as f64 / built.entries.max(1) as f64,
        started.elapsed().as_secs_f64(),
        rejected.len(),
    );
}
