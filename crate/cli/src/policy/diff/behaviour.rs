//! What of a standing someone could notice, and how two of them differ.

use std::collections::BTreeSet;

use bellgate_core::list::EntrySet;
use bellgate_core::policy::Policy;
use bellgate_core::standing::{Mode, OpeningKind, Standing};
use serde::Serialize;

use crate::policy::person::mode_word;

/// Everything of a standing that someone could notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    mode: &'static str,
    /// Sets, each with the words for one thing more in it and for one thing less.
    sets: Vec<(&'static str, &'static str, BTreeSet<String>)>,
    /// Single values by name.
    values: Vec<(&'static str, String)>,
}

/// How two behaviours differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// The mode before, where the mode changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'static str>,
    /// The mode after, where the mode changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'static str>,
    /// What changes within the same mode, a phrase each.
    changes: Vec<String>,
}

impl Difference {
    /// The difference in a phrase.
    pub fn words(&self) -> String {
        match (self.before, self.after) {
            (Some(before), Some(after)) => format!("{before} -> {after}"),
            _ => self.changes.join("; "),
        }
    }
}

impl Behaviour {
    /// What of a standing someone could notice under this policy.
    pub fn of(policy: &Policy, standing: &Standing) -> Self {
        let filter = &standing.filter;
        let entries = |set: &EntrySet| set.iter().map(str::to_owned).collect();
        let words = |list: &[String]| list.iter().cloned().collect();
        let opened = |kind: OpeningKind| -> BTreeSet<String> {
            let openings = standing.openings.iter();
            openings
                .filter(|opening| opening.kind == kind)
                .flat_map(|opening| opening.entries.iter())
                .map(str::to_owned)
                .collect()
        };
        let mut sets = vec![
            (
                "the allowlist opens",
                "the allowlist no longer opens",
                opened(OpeningKind::Allowlist),
            ),
            (
                "the examination opens",
                "the examination no longer opens",
                opened(OpeningKind::Exam),
            ),
            (
                "a grant opens",
                "no grant opens any longer",
                opened(OpeningKind::Grant),
            ),
        ];
        let mut values = vec![
            ("recording", format!("{:?}", standing.recording)),
            ("help services", format!("{:?}", standing.help)),
            ("observing only", standing.observe.to_string()),
        ];
        if let Some(acceptance) = &standing.acceptance {
            values.push(("acceptance asked for", acceptance.version.clone()));
        }
        // Where nothing is let through by category, nobody notices a filter.
        if matches!(
            standing.mode,
            Mode::Filtered | Mode::Notice | Mode::Allowlist
        ) {
            sets.extend([
                ("blocks", "no longer blocks", words(&filter.block)),
                ("asks about", "no longer asks about", words(&filter.notice)),
                (
                    "the school allows",
                    "the school no longer allows",
                    entries(&filter.allow),
                ),
                (
                    "the school denies",
                    "the school no longer denies",
                    entries(&filter.deny),
                ),
                (
                    "no downloads of",
                    "downloads again of",
                    words(&filter.download_types),
                ),
            ]);
            values.push(("safe search", filter.safe_search.to_string()));
            values.push(("YouTube restriction", format!("{:?}", filter.youtube)));
        }
        if standing.mode == Mode::Notice {
            let text = policy.notice_text(&standing.rule).unwrap_or_default();
            values.push(("the notice says", text.to_owned()));
        }
        Self {
            mode: mode_word(standing),
            sets,
            values,
        }
    }

    /// How `after` differs from this; `None` when nobody could tell.
    pub fn against(&self, after: &Self) -> Option<Difference> {
        if self == after {
            return None;
        }
        if self.mode != after.mode {
            return Some(Difference {
                before: Some(self.mode),
                after: Some(after.mode),
                changes: Vec::new(),
            });
        }
        let mut changes = Vec::new();
        for ((more, less, old), (_, _, new)) in self.sets.iter().zip(&after.sets) {
            let listed = |these: &BTreeSet<String>, those: &BTreeSet<String>| {
                let only: Vec<&str> = these.difference(those).map(String::as_str).collect();
                only.join(", ")
            };
            let (added, removed) = (listed(new, old), listed(old, new));
            if !added.is_empty() {
                changes.push(format!("{more} {added}"));
            }
            if !removed.is_empty() {
                changes.push(format!("{less} {removed}"));
            }
        }
        let names: BTreeSet<&str> = self
            .values
            .iter()
            .chain(&after.values)
            .map(|(name, _)| *name)
            .collect();
        for name in names {
            let (old, new) = (value(&self.values, name), value(&after.values, name));
            if old != new {
                changes.push(format!("{name}: {old} -> {new}").to_lowercase());
            }
        }
        Some(Difference {
            before: None,
            after: None,
            changes,
        })
    }
}

fn value<'a>(values: &'a [(&'static str, String)], name: &str) -> &'a str {
    let found = values.iter().find(|(known, _)| *known == name);
    found.map_or("none", |(_, value)| value)
}
