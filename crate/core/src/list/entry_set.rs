//! A small set of entries, held as text.

use std::collections::HashSet;

use crate::canonical::{CanonicalUrl, prefix_ends};
use crate::expression::Entry;
use crate::host::HostRef;

/// Entries that a school writes itself, matched like those of a pack.
#[derive(Debug, Clone, Default)]
pub struct EntrySet {
    entries: HashSet<Box<str>>,
    /// The hosts of all entries, those with paths included.
    hosts: HashSet<Box<str>>,
    /// The hosts of entries with a path.
    path_hosts: HashSet<Box<str>>,
}

impl EntrySet {
    /// A set with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry; says whether it was new.
    pub fn insert(&mut self, entry: &Entry) -> bool {
        let host = entry.host().as_str();
        self.hosts.insert(host.into());
        if entry.has_path() {
            self.path_hosts.insert(host.into());
        }
        self.entries.insert(entry.as_str().into())
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Every entry's canonical text, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(AsRef::as_ref)
    }

    /// The entry that matches the URL with the longest text; of two of one length, the one
    /// with the longer host.
    #[must_use]
    pub fn longest_match(&self, url: &CanonicalUrl<'_>) -> Option<&str> {
        if self.entries.is_empty() || !url.is_web() {
            return None;
        }
        let host = url.host();
        let mut longest: Option<&str> = None;
        let mut joined = None;
        let mut ascent = host.ascend();
        while let Some((start, _)) = ascent.next_start() {
            let name = &host.as_str()[start..];
            // Ascending: of two of one length the later has the longer host.
            if let Some(entry) = self.entries.get(name) {
                longest = longer(longest, entry);
            }
            if self.path_hosts.contains(name) {
                let joined = joined.get_or_insert_with(|| url.host_and_path());
                let host_len = host.as_str().len();
                for end in prefix_ends(&joined[host_len..]) {
                    if let Some(entry) = self.entries.get(&joined[start..host_len + end]) {
                        longest = longer(longest, entry);
                    }
                }
            }
        }
        longest
    }

    /// Whether any entry lies on the host or above it, a path on those included.
    ///
    /// It answers for a page of which only the origin is known: some page of the host may
    /// be covered.
    #[must_use]
    pub fn covers_host(&self, host: HostRef<'_>) -> bool {
        !self.hosts.is_empty() && host.ascend().any(|name| self.hosts.contains(name))
    }
}

impl<'a> FromIterator<&'a Entry> for EntrySet {
    fn from_iter<I: IntoIterator<Item = &'a Entry>>(entries: I) -> Self {
        let mut set = Self::new();
        for entry in entries {
            set.insert(entry);
        }
        set
    }
}

/// The longer of two; the second where they are equally long.
fn longer<'a>(first: Option<&'a str>, second: &'a str) -> Option<&'a str> {
    match first {
        Some(first) if first.len() > second.len() => Some(first),
        _ => Some(second),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::Scratch;

    fn set(entries: &[&str]) -> EntrySet {
        let entries: Vec<Entry> = entries
            .iter()
            .map(|text| Entry::parse(text).unwrap())
            .collect();
        entries.iter().collect()
    }

    fn longest<'a>(set: &'a EntrySet, url: &str) -> Option<&'a str> {
        let mut scratch = Scratch::new();
        set.longest_match(&CanonicalUrl::parse(url, &mut scratch).unwrap())
    }

    #[test]
    fn a_host_stands_for_every_name_below_it() {
        let set = set(&["example.org", "10.0.0.1"]);
        assert_eq!(longest(&set, "https://example.org/"), Some("example.org"));
        assert_eq!(
            longest(&set, "https://a.b.example.org/x"),
            Some("example.org")
        );
        assert_eq!(longest(&set, "https://badexample.org/"), None);
        assert_eq!(longest(&set, "https://org/"), None);
        assert_eq!(longest(&set, "http://10.0.0.1:81/x"), Some("10.0.0.1"));
        assert_eq!(longest(&set, "http://1.10.0.0.1.example/"), None);
    }

    #[test]
    fn a_path_ends_where_a_segment_ends() {
        let set = set(&["example.org/a/b"]);
        for url in ["/a/b", "/a/b/", "/a/b/c", "/a/b?x", "/a/b#x", "//a/%62"] {
            let url = format!("https://www.example.org{url}");
            assert_eq!(longest(&set, &url), Some("example.org/a/b"), "{url}");
        }
        for url in ["/a", "/a/bc", "/A/b", "/x/a/b", "/?/a/b"] {
            let url = format!("https://example.org{url}");
            assert_eq!(longest(&set, &url), None, "{url}");
        }
    }

    #[test]
    fn the_longest_entry_wins_and_then_the_longer_host() {
        let set = set(&[
            "example.org",
            "example.org/ab",
            "b.example.org",
            "b.example.org/a",
        ]);
        assert_eq!(
            longest(&set, "https://b.example.org/ab"),
            Some("example.org/ab")
        );
        assert_eq!(
            longest(&set, "https://b.example.org/a"),
            Some("b.example.org/a")
        );
        assert_eq!(
            longest(&set, "https://b.example.org/"),
            Some("b.example.org")
        );
        let tie = self::set(&["example.org/aaa", "a.example.org/a", "aaaa.example.org"]);
        assert_eq!(
            longest(&tie, "https://aaaa.example.org/aaa"),
            Some("aaaa.example.org")
        );
    }

    #[test]
    fn a_path_entry_lies_on_its_host_and_below() {
        let set = set(&["docs.example/forms"]);
        let host = |text| HostRef::new_canonical(text, crate::host::HostKind::Name);
        assert!(set.covers_host(host("docs.example")));
        assert!(set.covers_host(host("a.docs.example")));
        assert!(!set.covers_host(host("example")));
        assert!(!EntrySet::new().covers_host(host("docs.example")));
    }
}
