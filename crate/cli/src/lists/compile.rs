//! From sources to entries: parse, transform, drop what contradicts the school's own lists.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::expression::Entry;
use bellgate_core::list::EntrySet;
use bellgate_core::list::catalogue::{
    Catalogue, CoreTexts, help_entries, line_entries, sign_in_entries,
};
use bellgate_core::list::source::{Item, SourceFormat, read_source};
use bellgate_core::list::transform::{Transformation, drop_covered, strip_www};
use serde::Serialize;

use super::folder::Rejected;
use super::sources::{Address, Source, Trust};
use super::{archive, core, fetch};

/// What came of one source.
#[derive(Debug, Serialize)]
pub struct SourceReport {
    /// The source's id.
    pub id: String,
    /// The category's id.
    pub category: String,
    /// Who makes it, under what licence.
    pub publisher: String,
    /// SPDX expression, or words.
    pub licence: String,
    /// The entries that go into the pack.
    pub entries: usize,
    /// Lines or rules that are no entry.
    pub rejected: Vec<Rejected>,
    /// Entries taken out because an `exclude` file names them.
    pub excluded: usize,
    /// Entries below another one of the source.
    pub covered: usize,
    /// Entries dropped because help, sign-in or education lists contradict them.
    pub contradicting: Vec<String>,
}

/// The entries of a source that go into a pack; `true` marks exceptions.
pub type Entries = Vec<(Entry, bool)>;

/// The lists that beat every source.
pub struct OwnLists {
    /// The category numbers.
    pub catalogue: Catalogue,
    /// Help and sign-in entries and the education allowlist, with the special category of each.
    pub special: Vec<(Entry, &'static str)>,
    always_open: EntrySet,
    education: EntrySet,
    zones: EntrySet,
}

impl OwnLists {
    /// Reads them from their texts.
    ///
    /// # Errors
    /// Every mistake in them, at once.
    pub fn read(texts: &CoreTexts) -> anyhow::Result<Self> {
        let one = |error| core::all(&[error]);
        let all = |errors: Vec<_>| core::all(&errors);
        let catalogue = Catalogue::parse("categories.toml", &texts.categories).map_err(one)?;
        let mut special = help_entries("help.toml", &texts.help).map_err(all)?;
        let sign_in = sign_in_entries("sign-in.toml", &texts.sign_in).map_err(all)?;
        special.extend(sign_in.into_iter().map(|entry| (entry, "sign-in")));
        let always_open = special.iter().map(|(entry, _)| entry).collect();
        let mut education = EntrySet::new();
        let mut zones = EntrySet::new();
        for (path, text) in &texts.allow {
            for entry in line_entries(path, text).map_err(all)? {
                education.insert(&entry);
                if Path::new(path)
                    .file_name()
                    .is_some_and(|name| name == "zones.txt")
                {
                    zones.insert(&entry);
                }
                special.push((entry, "education"));
            }
        }
        Ok(Self {
            catalogue,
            special,
            always_open,
            education,
            zones,
        })
    }

    /// Whether an entry of a source says the contrary of these lists.
    pub fn contradicts(&self, entry: &Entry, scratch: &mut Scratch) -> bool {
        let text = format!("https://{entry}");
        let Ok(url) = CanonicalUrl::parse(&text, scratch) else {
            return false;
        };
        if self.always_open.longest_match(&url).is_some() {
            return true;
        }
        let same = self.education.longest_match(&url) == Some(entry.as_str());
        same || (!entry.has_path() && self.zones.longest_match(&url).is_some())
    }
}

/// Reads, transforms and checks one source.
///
/// # Errors
/// When its copy is missing, more lines are rejected than it may have, or a curated source
/// contradicts the school's own lists.
pub fn compile(
    source: &Source,
    root: &Path,
    cache: &Path,
    own: &OwnLists,
) -> anyhow::Result<(Entries, SourceReport)> {
    let mut report = SourceReport {
        id: source.id.clone(),
        category: source.category.clone(),
        publisher: source.publisher.clone(),
        licence: source.licence.clone(),
        entries: 0,
        rejected: Vec::new(),
        excluded: 0,
        covered: 0,
        contradicting: Vec::new(),
    };
    if own.catalogue.number(&source.category).is_none() {
        bail!(
            "unknown category `{}`; name one of categories.toml",
            source.category
        );
    }
    let excluded = excluded_entries(source, root)?;
    let does = |one| source.transformations.contains(&one);
    let mut entries: Entries = Vec::new();
    let mut scratch = Scratch::new();
    let mut lines = 0usize;
    each_item(source, root, cache, |place, line, item| {
        lines += 1;
        let (mut entry, exception) = match item {
            Ok(Item::Entry(entry)) => (entry, false),
            Ok(Item::Exception(entry)) => (entry, true),
            Err(why) => return report.rejected.push(rejected(place, line, why)),
        };
        if does(Transformation::StripWww) {
            entry = strip_www(entry);
        }
        if excluded.contains(entry.as_str()) {
            report.excluded += 1;
            return;
        }
        if does(Transformation::DropPublicSuffix) {
            match entry.refuse_public_suffix() {
                Ok(kept) => entry = kept,
                Err(error) => {
                    return report
                        .rejected
                        .push(rejected(place, line, error.to_string()));
                }
            }
        }
        if !exception && own.contradicts(&entry, &mut scratch) {
            report.contradicting.push(entry.to_string());
            return;
        }
        entries.push((entry, exception));
    })?;
    if report.rejected.len() as f64 > source.reject_limit * lines as f64 {
        let first: Vec<String> = report
            .rejected
            .iter()
            .take(5)
            .map(|line| format!("{}: {}", line.place, line.why))
            .collect();
        bail!(
            "{} of {lines} lines are rejected, more than its limit of {}; the first:\n{}",
            report.rejected.len(),
            source.reject_limit,
            first.join("\n")
        );
    }
    if source.trust == Trust::Curated && !report.contradicting.is_empty() {
        bail!(
            "it contradicts help.toml, sign-in.toml or allow/: {}; take the entry out of one of them",
            report.contradicting.join(", ")
        );
    }
    if does(Transformation::DropCovered) {
        report.covered = drop_covered(&mut entries);
    }
    report.entries = entries.len();
    Ok((entries, report))
}

fn rejected(place: &str, line: usize, why: String) -> Rejected {
    Rejected {
        place: format!("{place}:{line}"),
        why,
    }
}

/// The entries that a source's exclude files name.
///
/// # Errors
/// When a file cannot be read, or a line of it is no entry.
pub fn excluded_entries(source: &Source, root: &Path) -> anyhow::Result<HashSet<String>> {
    let mut excluded = HashSet::new();
    for path in &source.exclude {
        let path = root.join(path);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        let place = path.display().to_string();
        let entries = line_entries(&place, &text).map_err(|errors| core::all(&errors))?;
        excluded.extend(entries.iter().map(Entry::to_string));
    }
    Ok(excluded)
}

/// Calls `each` with file, line and what it says, for every line of a source.
///
/// # Errors
/// When the source's copy is missing or not what it is said to be.
pub fn each_item(
    source: &Source,
    root: &Path,
    cache: &Path,
    each: impl FnMut(&str, usize, Result<Item, String>),
) -> anyhow::Result<()> {
    let address = source.address()?;
    let mut path: PathBuf = fetch::copy_path(source, cache)?;
    if matches!(address, Address::File(_)) {
        path = root.join(path);
    }
    let bytes = fs::read(&path).with_context(|| match address {
        Address::File(_) => format!("cannot read `{}`", path.display()),
        _ => format!(
            "there is no copy of it in `{}`; run `bellgate lists fetch` first",
            cache.display()
        ),
    })?;
    if let Some(wanted) = &source.sha256
        && fetch::sum(&bytes) != *wanted
    {
        bail!("its copy does not have the stated SHA-256; run `bellgate lists fetch`");
    }
    each_item_of(source, &bytes, each)
}

/// Calls `each` with file, line and what it says, for every line of a source's bytes.
///
/// # Errors
/// When they are not what the source is said to be.
pub fn each_item_of(
    source: &Source,
    bytes: &[u8],
    mut each: impl FnMut(&str, usize, Result<Item, String>),
) -> anyhow::Result<()> {
    let address = source.address()?;
    let documents: Vec<(String, String)> = match &address {
        Address::Npm { member, .. } => {
            vec![(
                member.clone(),
                archive::member(bytes, &format!("package/{member}"))?,
            )]
        }
        Address::Pypi { member, .. } => vec![(member.clone(), archive::member(bytes, member)?)],
        _ if source.format()?.is_none() => archive::members(bytes, |path| {
            path.ends_with("/domains") || path.ends_with("/urls")
        })?,
        Address::File(path) => {
            let text = String::from_utf8_lossy(bytes).into_owned();
            vec![(path.display().to_string(), text)]
        }
        Address::Web(_) => vec![(
            source.id.clone(),
            String::from_utf8_lossy(bytes).into_owned(),
        )],
    };
    if documents.is_empty() {
        bail!("its archive holds neither `domains` nor `urls`");
    }
    let format = source.format()?;
    for (place, text) in &documents {
        let own = match &format {
            Some(format) => format.clone(),
            None if place.ends_with("/domains") => SourceFormat::Domains,
            None => SourceFormat::Urls,
        };
        read_source(&own, text, |line, item| each(place, line, item));
    }
    Ok(())
}
