//! Filters: what is blocked, asked about and allowed while filtering.

use std::sync::Arc;

use super::Policy;
use super::categories::{CATEGORIES, is_category};
use super::fault::{FaultCode, Findings, suggestion};
use super::names::Names;
use super::person::CohortKind;
use super::walk::{At, Fields};
use crate::expression::{Entry, EntryError};
use crate::list::EntrySet;
use crate::standing::{Filter, YoutubeRestriction};

/// The keys of a filter.
pub(super) const FILTER_KEYS: &[&str] = &[
    "extends",
    "block",
    "without",
    "notice",
    "allow",
    "deny",
    "safe_search",
    "youtube",
    "download_types",
];

/// The words for YouTube's restricted mode.
const YOUTUBE: [(&str, YoutubeRestriction); 3] = [
    ("none", YoutubeRestriction::None),
    ("moderate", YoutubeRestriction::Moderate),
    ("strict", YoutubeRestriction::Strict),
];

/// Reads `filters`; those that others extend are worked out first.
pub(super) fn read(at: &At, names: &mut Names, findings: &mut Findings) -> Vec<Arc<Filter>> {
    let Some(written) = names.map_names(at, "filter", findings) else {
        return Vec::new();
    };
    names.filters = written.iter().map(|(name, _)| name.clone()).collect();
    let bodies: Vec<(String, Option<Fields>)> = written
        .iter()
        .map(|(name, at)| (name.clone(), at.object(FILTER_KEYS, findings)))
        .collect();
    let parents: Vec<Option<usize>> = bodies
        .iter()
        .map(|(_, fields)| {
            let at = fields.as_ref()?.get("extends")?;
            names.filter_number(&at, findings)
        })
        .collect();
    for (number, (name, fields)) in bodies.iter().enumerate() {
        let mut seen = vec![number];
        let mut next = parents[number];
        while let Some(parent) = next {
            if parent == number {
                let path = fields
                    .as_ref()
                    .map_or(at.path.as_str(), |fields| &fields.path);
                findings.fault(
                    &format!("{path}/extends"),
                    FaultCode::Contradiction,
                    format!(
                        "`{name}` extends itself in a circle; let one of the circle stand alone"
                    ),
                );
                break;
            }
            if seen.contains(&parent) {
                break;
            }
            seen.push(parent);
            next = parents[parent];
        }
    }
    let mut done: Vec<Option<Filter>> = vec![None; bodies.len()];
    // Each round works out at least one more level; a circle is a fault already.
    for _ in 0..bodies.len() {
        for number in 0..bodies.len() {
            let base = match parents[number] {
                _ if done[number].is_some() => continue,
                None => Filter::default(),
                Some(parent) => match &done[parent] {
                    Some(parent) => parent.clone(),
                    None => continue,
                },
            };
            let (name, fields) = &bodies[number];
            let filter = match fields {
                Some(fields) => extend(base, name, fields, names, findings),
                None => base,
            };
            done[number] = Some(filter);
        }
    }
    done.into_iter()
        .map(|filter| Arc::new(filter.unwrap_or_default()))
        .collect()
}

/// A filter that starts from another and says what differs.
fn extend(
    mut filter: Filter,
    name: &str,
    fields: &Fields,
    names: &Names,
    findings: &mut Findings,
) -> Filter {
    name.clone_into(&mut filter.name);
    let mut categories = |key: &str| -> Vec<(String, String)> {
        let items = fields.get(key).and_then(|at| at.list(findings));
        items
            .unwrap_or_default()
            .iter()
            .filter_map(|item| Some((category(item, names, findings)?, item.path.clone())))
            .collect()
    };
    let (block, without, notice) = (
        categories("block"),
        categories("without"),
        categories("notice"),
    );
    for (category, path) in &without {
        let inherited = filter.block.contains(category) || filter.notice.contains(category);
        if !inherited {
            findings.warn(
                path,
                FaultCode::Pointless,
                format!("`{category}` is not in the filter that this one extends; take it out of `without`"),
            );
        }
        filter.block.retain(|blocked| blocked != category);
        filter.notice.retain(|noticed| noticed != category);
    }
    for (category, path) in &notice {
        if block.iter().any(|(blocked, _)| blocked == category) {
            findings.fault(
                path,
                FaultCode::Contradiction,
                format!(
                    "`{category}` is both blocked and allowed after a notice; keep one of the two"
                ),
            );
        }
        filter.block.retain(|blocked| blocked != category);
        add(&mut filter.notice, category);
    }
    for (category, path) in &block {
        if without.iter().any(|(left_out, _)| left_out == category) {
            findings.fault(
                path,
                FaultCode::Contradiction,
                format!("`{category}` stands in `block` and in `without`; keep one of the two"),
            );
        }
        filter.notice.retain(|noticed| noticed != category);
        add(&mut filter.block, category);
    }
    if let Some(at) = fields.get("allow") {
        filter.allow = Arc::new(joined(&filter.allow, &at, findings));
    }
    if let Some(at) = fields.get("deny") {
        filter.deny = Arc::new(joined(&filter.deny, &at, findings));
    }
    if let Some(at) = fields.get("safe_search") {
        filter.safe_search = at.flag(findings).unwrap_or(filter.safe_search);
    }
    if let Some(at) = fields.get("youtube") {
        filter.youtube = at.choice(&YOUTUBE, findings).unwrap_or(filter.youtube);
    }
    if let Some(at) = fields.get("download_types") {
        filter.download_types = at
            .list(findings)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| download_type(item, findings))
            .collect();
    }
    filter
}

fn add(list: &mut Vec<String>, category: &str) {
    if !list.iter().any(|known| known == category) {
        list.push(category.to_owned());
    }
}

/// The id of a category that a policy may block.
pub(super) fn category(at: &At, names: &Names, findings: &mut Findings) -> Option<String> {
    let text = at.text(findings)?;
    if is_category(text) || names.own_categories.iter().any(|own| own == text) {
        return Some(text.to_owned());
    }
    let known: Vec<&str> = CATEGORIES
        .iter()
        .map(|category| category.id)
        .chain(names.own_categories.iter().map(String::as_str))
        .collect();
    findings.fault(
        &at.path,
        FaultCode::UnknownName,
        format!(
            "unknown category `{text}`; {}",
            suggestion(text, known.iter().copied())
        ),
    );
    None
}

fn download_type(at: &At, findings: &mut Findings) -> Option<String> {
    let text = at.text(findings)?;
    let ending = text.strip_prefix('.').unwrap_or(text).to_lowercase();
    let plain = !ending.is_empty()
        && ending.len() <= 16
        && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !plain {
        findings.fault(
            &at.path,
            FaultCode::InvalidValue,
            format!("`{text}` is not the ending of a file name; write it like `exe`"),
        );
    }
    plain.then_some(ending)
}

/// Reads a list of entries, each `host` or `host/path`.
pub(super) fn entries(at: &At, findings: &mut Findings) -> EntrySet {
    joined(&EntrySet::default(), at, findings)
}

fn joined(inherited: &EntrySet, at: &At, findings: &mut Findings) -> EntrySet {
    let mut set = inherited.clone();
    for item in at.list(findings).unwrap_or_default() {
        let Some(text) = item.text(findings) else {
            continue;
        };
        match entry(text) {
            Ok(entry) => {
                if let Err(error) = entry.clone().refuse_public_suffix() {
                    findings.warn(&item.path, FaultCode::Unwise, error.to_string());
                }
                if !set.insert(&entry) {
                    findings.warn(
                        &item.path,
                        FaultCode::Pointless,
                        format!("`{text}` stands there already; take one of the two out"),
                    );
                }
            }
            Err(error) => {
                findings.fault(&item.path, FaultCode::InvalidValue, error.to_string());
            }
        }
    }
    set
}

/// Reads an entry; a whole top-level domain, such as `uk`, is none.
pub(super) fn entry(text: &str) -> Result<Entry, EntryError> {
    let entry = Entry::parse(text)?;
    let is_name = entry.as_str().parse::<std::net::IpAddr>().is_err();
    if is_name && !entry.has_path() && !entry.as_str().contains(['.', ':']) {
        return Err(EntryError::PublicSuffix(entry.as_str().to_owned()));
    }
    Ok(entry)
}

/// The filter of the lesson rules that hold in doubt about who is asking.
///
/// It blocks whatever any pupil's filter blocks or asks about, and the categories that
/// the built-in rules block; it allows what every pupil's filter allows.
pub(super) fn doubt_filter(policy: &Policy) -> Filter {
    let mut filter = built_in_filter();
    let pupils: Vec<&Filter> = policy
        .cohorts
        .iter()
        .filter(|cohort| cohort.kind == CohortKind::Pupil)
        .map(|cohort| policy.filters[cohort.filter].as_ref())
        .collect();
    for pupil in &pupils {
        for category in pupil.block.iter().chain(&pupil.notice) {
            if !filter.block.contains(category) {
                filter.block.push(category.clone());
            }
        }
        for ending in &pupil.download_types {
            if !filter.download_types.contains(ending) {
                filter.download_types.push(ending.clone());
            }
        }
    }
    filter.block.sort_unstable();
    filter.download_types.sort_unstable();
    let entries = |texts: Vec<&str>| -> EntrySet {
        let parsed: Vec<_> = texts
            .into_iter()
            .filter_map(|text| Entry::parse(text).ok())
            .collect();
        parsed.iter().collect()
    };
    filter.deny = Arc::new(entries(
        pupils.iter().flat_map(|pupil| pupil.deny.iter()).collect(),
    ));
    if let Some((first, others)) = pupils.split_first() {
        let common = first.allow.iter().filter(|entry| {
            others
                .iter()
                .all(|other| other.allow.iter().any(|allowed| allowed == *entry))
        });
        filter.allow = Arc::new(entries(common.collect()));
    }
    filter
}

/// What the built-in lesson rules block.
pub(super) fn built_in_filter() -> Filter {
    Filter {
        name: super::LESSON_RULES.to_owned(),
        block: CATEGORIES
            .iter()
            .filter(|category| category.blocked_in_doubt)
            .map(|category| category.id.to_owned())
            .collect(),
        safe_search: true,
        youtube: YoutubeRestriction::Strict,
        ..Filter::default()
    }
}
