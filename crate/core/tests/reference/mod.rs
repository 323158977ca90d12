//! The plain reference: a sorted map of every entry's text, a walk over the suffixes of
//! the host, the prefixes of the path. It shares nothing with the core but `url`.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;

use url::{Host, Position, Url};

/// Entries as text, with masks of what they hold and what they are exceptions from.
#[derive(Default)]
pub struct Reference {
    entries: BTreeMap<String, (u128, u128)>,
}

impl Reference {
    pub fn insert(&mut self, entry: &str, category: u8, exception: bool) {
        let masks = self.entries.entry(entry.to_owned()).or_default();
        if exception {
            masks.1 |= 1 << category;
        } else {
            masks.0 |= 1 << category;
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Every match as entry, mask, whether an exception; longest first.
    pub fn matches(&self, url: &str) -> Vec<(String, u128, bool)> {
        let mut matches = Vec::new();
        for (host, path) in expressions(url) {
            let text = format!("{host}{path}");
            if let Some(&(holds, excepts)) = self.entries.get(&text) {
                if excepts != 0 {
                    matches.push((host.clone(), text.clone(), excepts, true));
                }
                if holds != 0 {
                    matches.push((host, text, holds, false));
                }
            }
        }
        matches.sort_by(|one, other| {
            (other.1.len(), other.0.len(), other.3).cmp(&(one.1.len(), one.0.len(), one.3))
        });
        matches
            .into_iter()
            .map(|(_, text, mask, exception)| (text, mask, exception))
            .collect()
    }
}

/// Every expression of a URL, as host and path.
pub fn expressions(url: &str) -> Vec<(String, String)> {
    let url = Url::parse(url).unwrap();
    let hosts: Vec<String> = match url.host() {
        None => return Vec::new(),
        Some(Host::Domain(name)) => {
            let labels: Vec<&str> = name.trim_end_matches('.').split('.').collect();
            (0..labels.len())
                .map(|from| labels[from..].join("."))
                .collect()
        }
        Some(address) => vec![address.to_string()],
    };
    let path = plain_path(&url);
    let mut prefixes = vec![String::new()];
    let mut query = false;
    for (at, letter) in path.char_indices().skip(1) {
        if matches!(letter, '/' | '?' | '#') || (query && letter == '&') {
            prefixes.push(path[..at].to_owned());
        }
        query |= matches!(letter, '?' | '#');
    }
    prefixes.push(path.clone());
    prefixes.retain(|prefix| !prefix.ends_with('/'));
    prefixes.dedup();
    let mut all = Vec::new();
    for host in &hosts {
        for prefix in &prefixes {
            all.push((host.clone(), prefix.clone()));
        }
    }
    all
}

/// Path, query and fragment with escapes and slashes in their one form.
fn plain_path(url: &Url) -> String {
    let mut decoded = String::new();
    let mut rest = &url[Position::BeforePath..];
    while let Some(at) = rest.find('%') {
        decoded.push_str(&rest[..at]);
        let escape = rest.get(at + 1..at + 3).unwrap_or("");
        let whole = escape.len() == 2 && escape.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u8::from_str_radix(escape, 16) {
            Ok(byte) if whole => {
                let letter = char::from(byte);
                if letter.is_ascii_alphanumeric() || "-._~".contains(letter) {
                    decoded.push(letter);
                } else {
                    decoded.push('%');
                    decoded.push_str(&escape.to_ascii_uppercase());
                }
                rest = &rest[at + 3..];
            }
            _ => {
                decoded.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    decoded.push_str(rest);
    let path_end = decoded.find(['?', '#']).unwrap_or(decoded.len());
    let (path, tail) = decoded.split_at(path_end);
    let mut single = String::new();
    for letter in path.chars() {
        let doubled = letter == '/' && single.ends_with('/') && !single.ends_with(":/");
        if !doubled {
            single.push(letter);
        }
    }
    single + tail
}
