//! Help services, of which nothing is ever stored.
//!
//! The device makes no event of a help service. Should one come all the same,
//! by an old extension or a faulty policy, it is refused here: the endpoint
//! carries the project's own list of help services (`lists/help.toml`).

use std::sync::OnceLock;

use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::expression::Entry;
use bellgate_core::list::EntrySet;
use serde::Deserialize;

const LIST: &str = include_str!("../../../lists/help.toml");

#[derive(Deserialize)]
struct List {
    help: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    entry: String,
    #[serde(default)]
    loads: Vec<String>,
}

/// Whether a host, or a page of it, belongs to a help service.
pub fn is_help(host: &str, path: Option<&str>) -> bool {
    static ENTRIES: OnceLock<EntrySet> = OnceLock::new();
    let entries = ENTRIES.get_or_init(|| read(LIST));
    let url = format!("https://{host}{}", path.unwrap_or("/"));
    let mut scratch = Scratch::new();
    CanonicalUrl::parse_fully(&url, &mut scratch)
        .is_ok_and(|url| entries.longest_match(&url).is_some())
}

/// Reads the list; tests prove that every entry of it can be read.
fn read(text: &str) -> EntrySet {
    let mut entries = EntrySet::new();
    if let Ok(list) = toml::from_str::<List>(text) {
        for service in &list.help {
            for written in std::iter::once(&service.entry).chain(&service.loads) {
                if let Ok(entry) = Entry::parse(written) {
                    entries.insert(&entry);
                }
            }
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_list_is_known_as_help() {
        let list: List = toml::from_str(LIST).unwrap();
        assert!(list.help.len() > 500);
        for service in &list.help {
            for written in std::iter::once(&service.entry).chain(&service.loads) {
                let (host, path) = match written.split_once('/') {
                    Some((host, path)) => (host, Some(format!("/{path}"))),
                    None => (written.as_str(), None),
                };
                assert!(is_help(host, path.as_deref()), "{written}");
            }
        }
    }

    #[test]
    fn names_below_are_help_and_neighbours_are_not() {
        assert!(is_help("www.childline.org.uk", None));
        assert!(is_help("www.childline.org.uk", Some("/info-advice/")));
        assert!(!is_help("games.example", Some("/childline.org.uk")));
        assert!(!is_help("notchildline.org.uk", None));
    }
}
