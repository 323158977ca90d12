//! `bellgate lists check`: what a pack blocks that it should not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::list::{Match, Pack, SpecialCategory};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::compile::OwnLists;
use super::folder::for_each_line;
use super::{core, pack_file};

/// Which pack is held against what.
#[derive(Args)]
pub struct Arguments {
    /// The pack.
    pack: PathBuf,
    /// The folder with help, sign-in and allowlist; every entry of those has to be open.
    #[arg(long, default_value = "lists")]
    lists: PathBuf,
    #[command(flatten)]
    probes: Probes,
}

/// URLs and hosts to try.
#[derive(Args, Default)]
pub struct Probes {
    /// URLs that a school must be able to open, one a line, plain or `.zst`.
    #[arg(long)]
    school_urls: Option<PathBuf>,
    /// Popular domains, one a line, most popular first, plain or `.zst`.
    #[arg(long)]
    popular: Option<PathBuf>,
    /// The blocks among the school's URLs that are accepted, each with its reason.
    #[arg(long, default_value = "lists/accepted-blocks.toml")]
    accepted: PathBuf,
}

/// What the probes found.
#[derive(Debug, Default, Serialize)]
pub struct Found {
    /// Hosts of school URLs that are blocked, by category, and not accepted.
    pub school_hosts: BTreeMap<String, BTreeSet<String>>,
    /// Those that are accepted.
    pub accepted: BTreeSet<String>,
    /// Popular domains that are blocked, by category, in order of rank.
    pub popular: BTreeMap<String, Vec<String>>,
}

impl Found {
    /// Whether a block of a school's URL is not accepted.
    pub fn unaccepted(&self) -> bool {
        !self.school_hosts.is_empty()
    }

    /// Prints the findings.
    pub fn show(&self) {
        for (category, hosts) in &self.school_hosts {
            let all: Vec<&str> = hosts.iter().map(String::as_str).collect();
            println!(
                "{category} blocks hosts of schools' URLs: {}",
                all.join(" ")
            );
        }
        for (category, hosts) in &self.popular {
            let first: Vec<&str> = hosts.iter().take(12).map(String::as_str).collect();
            println!(
                "{category} blocks {} popular domains: {}",
                hosts.len(),
                first.join(" ")
            );
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptedFile {
    #[serde(rename = "schema")]
    _schema: u32,
    accepted: Vec<Accepted>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    host: String,
    category: String,
    reason: String,
}

/// The most blocks that may be accepted.
const MAX_ACCEPTED: usize = 20;

impl Probes {
    /// Tries every probe.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn run<B: AsRef<[u8]>>(&self, pack: &Pack<B>) -> anyhow::Result<Found> {
        let mut found = Found::default();
        if let Some(path) = &self.school_urls {
            let accepted = read_accepted(&self.accepted)?;
            let mut by_host: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for_each_line(path, |_, url| {
                let mut scratch = Scratch::new();
                if let Ok(parsed) = CanonicalUrl::parse(url, &mut scratch) {
                    let categories = blocked_by(pack, &parsed);
                    if !categories.is_empty() {
                        let host = parsed.host().as_str().to_owned();
                        by_host.entry(host).or_default().extend(categories);
                    }
                }
            })?;
            for (host, categories) in by_host {
                for category in categories {
                    if accepted
                        .iter()
                        .any(|one| one.host == host && one.category == category)
                    {
                        found.accepted.insert(host.clone());
                    } else {
                        found
                            .school_hosts
                            .entry(category)
                            .or_default()
                            .insert(host.clone());
                    }
                }
            }
        }
        if let Some(path) = &self.popular {
            for_each_line(path, |_, host| {
                let mut scratch = Scratch::new();
                let url = format!("https://{host}/");
                if let Ok(parsed) = CanonicalUrl::parse(&url, &mut scratch) {
                    for category in blocked_by(pack, &parsed) {
                        found
                            .popular
                            .entry(category)
                            .or_default()
                            .push(host.to_owned());
                    }
                }
            })?;
        }
        Ok(found)
    }
}

fn read_accepted(path: &Path) -> anyhow::Result<Vec<Accepted>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let file: AcceptedFile =
        toml::from_str(&text).with_context(|| format!("in `{}`", path.display()))?;
    if file.accepted.len() > MAX_ACCEPTED {
        bail!(
            "`{}` accepts more than {MAX_ACCEPTED} blocks; take some of them out at their source",
            path.display()
        );
    }
    if let Some(row) = file
        .accepted
        .iter()
        .find(|row| row.reason.trim().is_empty())
    {
        bail!(
            "`{}` gives no reason for `{}`; say why the block is right",
            path.display(),
            row.host
        );
    }
    Ok(file.accepted)
}

/// The categories that a policy which blocks everything would block the URL by: those whose
/// longest entry is longer than every exception, and than every education entry; none
/// where a help or sign-in entry matches.
pub fn blocked_by<B: AsRef<[u8]>>(pack: &Pack<B>, url: &CanonicalUrl<'_>) -> Vec<String> {
    match pack.lookup(url) {
        Ok(0) => return Vec::new(),
        Ok(_) => {}
        Err(error) => return vec![error.to_string()],
    }
    let mut matches: Vec<Match> = Vec::new();
    if let Err(error) = pack.matches(url, &mut matches) {
        return vec![error.to_string()];
    }
    let longest = |number: u8, exception: bool| {
        matches
            .iter()
            .find(|found| found.exception == exception && found.categories >> number & 1 == 1)
            .map_or(0, |found| found.entry.len())
    };
    let mut education = 0;
    for category in pack.categories() {
        let length = longest(category.number, false);
        match category.special {
            Some(SpecialCategory::Education) => education = education.max(length),
            Some(_) if length > 0 => return Vec::new(),
            _ => {}
        }
    }
    pack.categories()
        .iter()
        .filter(|category| category.special.is_none())
        .filter(|category| {
            let length = longest(category.number, false);
            length > education && length > longest(category.number, true)
        })
        .map(|category| category.name.clone())
        .collect()
}

/// Checks the pack against the lists and the probes.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let pack = pack_file::open(&arguments.pack, None)?;
    let (texts, _) = core::read(&arguments.lists)?;
    let own = OwnLists::read(&texts)?;
    let mut wrong = Vec::new();
    for (entry, category) in &own.special {
        let text = format!("https://{entry}");
        let mut scratch = Scratch::new();
        let url = CanonicalUrl::parse(&text, &mut scratch)?;
        let number = pack.category_number(category).with_context(|| {
            format!("the pack has no category `{category}`; build it from sources")
        })?;
        if pack.lookup(&url)? >> number & 1 == 0 {
            wrong.push(format!("`{entry}` is not in the pack as {category}"));
        }
        for by in blocked_by(&pack, &url) {
            wrong.push(format!("`{entry}` ({category}) is blocked as {by}"));
        }
    }
    let found = arguments.probes.run(&pack)?;
    found.show();
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    if found.unaccepted() {
        bail!(
            "the pack blocks what schools need; drop the entry at its source, or accept the block with its reason"
        );
    }
    println!(
        "{} entries of help, sign-in and allowlist are open; {} accepted blocks",
        own.special.len(),
        found.accepted.len()
    );
    Ok(ExitCode::SUCCESS)
}
