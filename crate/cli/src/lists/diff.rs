//! `bellgate lists diff`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::list::Pack;
use clap::Args;
use serde_json::json;

use super::check::blocked_by;
use super::folder::for_each_line;
use super::pack_file;

/// Which packs are held against each other.
#[derive(Args)]
pub struct Arguments {
    /// The earlier pack.
    earlier: PathBuf,
    /// The later pack.
    later: PathBuf,
    /// Popular domains, one a line, plain or `.zst`; those whose blocking changes are shown.
    #[arg(long)]
    popular: Option<PathBuf>,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Shows the difference.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let earlier = pack_file::open(&arguments.earlier, None)?;
    let later = pack_file::open(&arguments.later, None)?;
    let before = counts(&earlier)?;
    let after = counts(&later)?;
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let rows: Vec<(&String, u64, u64)> = names
        .into_iter()
        .map(|name| {
            (
                name,
                before.get(name).copied().unwrap_or(0),
                after.get(name).copied().unwrap_or(0),
            )
        })
        .filter(|(_, before, after)| before != after)
        .collect();
    let changed = earlier.changed_entries(&later)?;
    let touched = match &arguments.popular {
        Some(path) => touched(&earlier, &later, path)?,
        None => Vec::new(),
    };
    if arguments.json {
        let categories: Vec<_> = rows
            .iter()
            .map(|(name, before, after)| json!({ "name": name, "before": before, "after": after }))
            .collect();
        let popular: Vec<_> = touched
            .iter()
            .map(|(host, before, after)| json!({ "host": host, "before": before, "after": after }))
            .collect();
        let entries = changed.map(|changed| {
            json!({ "added": changed.added, "removed": changed.removed, "recategorised": changed.recategorised })
        });
        println!(
            "{}",
            json!({ "entries": entries, "categories": categories, "popular": popular })
        );
        return Ok(ExitCode::SUCCESS);
    }
    match changed {
        Some(changed) => println!(
            "{} entries added, {} removed, {} in other categories",
            changed.added, changed.removed, changed.recategorised
        ),
        None => println!(
            "the packs have different seeds or sizes, so single entries cannot be compared"
        ),
    }
    for (name, before, after) in rows {
        println!(
            "{name:<24} {before:>10} -> {after:>10} {:>+10}",
            after as i64 - before as i64
        );
    }
    for (host, before, after) in touched {
        println!("{host}: [{}] -> [{}]", before.join(", "), after.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

fn counts(pack: &Pack) -> anyhow::Result<BTreeMap<String, u64>> {
    let counts = pack.count_by_category()?;
    let rows = pack.categories().iter();
    Ok(rows
        .map(|category| (category.name.clone(), counts[category.number as usize].0))
        .collect())
}

type Touched = Vec<(String, Vec<String>, Vec<String>)>;

fn touched(earlier: &Pack, later: &Pack, path: &std::path::Path) -> anyhow::Result<Touched> {
    let mut touched = Vec::new();
    for_each_line(path, |_, host| {
        let text = format!("https://{host}/");
        let mut scratch = Scratch::new();
        let Ok(url) = CanonicalUrl::parse(&text, &mut scratch) else {
            return;
        };
        let (before, after) = (blocked_by(earlier, &url), blocked_by(later, &url));
        if before != after {
            touched.push((host.to_owned(), before, after));
        }
    })?;
    Ok(touched)
}
