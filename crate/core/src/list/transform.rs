//! What is done to a source's entries before they go into a pack.

use std::collections::HashSet;

use crate::expression::Entry;
use crate::host::HostKind;

/// A transformation that `lists/sources.toml` can name; they are applied in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transformation {
    /// Drop a leading `www` label.
    StripWww,
    /// Reject an entry that is a public suffix.
    DropPublicSuffix,
    /// Drop an entry below another one of the source.
    DropCovered,
}

/// An entry without its leading `www` label, if it has one and is a name below it.
#[must_use]
pub fn strip_www(entry: Entry) -> Entry {
    let stripped = entry
        .as_str()
        .strip_prefix("www.")
        .filter(|_| entry.host().kind() == HostKind::Name && entry.host().labels() > 2)
        .map(Entry::parse);
    match stripped {
        Some(Ok(stripped)) => stripped,
        _ => entry,
    }
}

/// Drops every entry that another one of the same list covers: a name below a listed one, a
/// path on or below a listed host. Says how many.
pub fn drop_covered<T>(entries: &mut Vec<(Entry, T)>) -> usize {
    let hosts: HashSet<String> = entries
        .iter()
        .filter(|(entry, _)| !entry.has_path())
        .map(|(entry, _)| entry.as_str().to_owned())
        .collect();
    let before = entries.len();
    entries.retain(|(entry, _)| {
        let own = entry.host().as_str();
        !entry
            .host()
            .ascend()
            .any(|name| (entry.has_path() || name != own) && hosts.contains(name))
    });
    before - entries.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_www_goes() {
        let strip = |text: &str| strip_www(Entry::parse(text).unwrap()).to_string();
        assert_eq!(strip("www.example.org/x"), "example.org/x");
        assert_eq!(strip("www.uk"), "www.uk");
        assert_eq!(strip("wwwx.example.org"), "wwwx.example.org");
    }

    #[test]
    fn covered_entries_go() {
        let mut entries: Vec<(Entry, ())> = [
            "b.a.test",
            "a.test",
            "a.test/x",
            "ca.test",
            "c.test/x",
            "c.test/x/y",
        ]
        .iter()
        .map(|text| (Entry::parse(text).unwrap(), ()))
        .collect();
        assert_eq!(drop_covered(&mut entries), 2);
        let left: Vec<&str> = entries.iter().map(|(entry, ())| entry.as_str()).collect();
        assert_eq!(left, ["a.test", "ca.test", "c.test/x", "c.test/x/y"]);
    }
}
