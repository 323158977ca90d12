//! Entries: what a list or a policy names, a host or the start of a path on it.

use std::fmt;

use crate::canonical::{CanonicalUrl, Scratch};
use crate::host::{HostKind, HostRef, MAX_LABELS};

/// The longest entry that is accepted, in bytes of its canonical text.
pub const MAX_ENTRY_BYTES: usize = 4096;

/// An entry in canonical form: `host` or `host/path`.
///
/// A host stands for itself and every name below it; a path applies on its host and
/// every name below, and is a prefix that ends where a segment ends: `/a/b` stands for
/// `/a/b`, `/a/b/…`, `/a/b?…` and `/a/b#…`. Scheme, port, userinfo, a trailing dot and
/// trailing slashes are no part of it. An IP address has no names below it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Entry {
    text: String,
    host_len: usize,
    is_address: bool,
}

impl Entry {
    /// Reads an entry as people write it.
    ///
    /// A scheme of the web, `*.` or `.` in front, upper case, names in other scripts and
    /// spellings of addresses are brought into canonical form.
    ///
    /// # Errors
    /// [`EntryError`] says what is wrong and what to write instead.
    pub fn parse(written: &str) -> Result<Self, EntryError> {
        let trimmed = written.trim();
        if trimmed.is_empty() {
            return Err(EntryError::Empty);
        }
        if let Some(entry) = Self::from_canonical_host(trimmed) {
            return entry.bounded(written);
        }
        let rest = without_scheme(trimmed)?;
        let rest = rest
            .strip_prefix("*.")
            .or_else(|| rest.strip_prefix('.'))
            .unwrap_or(rest);
        if rest.chars().any(char::is_whitespace) {
            return Err(EntryError::Whitespace(written.to_owned()));
        }
        let host_end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        if rest[..host_end].contains('*') {
            return Err(EntryError::Wildcard(written.to_owned()));
        }
        let invalid = || EntryError::Host(written.to_owned());
        if host_end == 0 {
            return Err(invalid());
        }
        let mut scratch = Scratch::new();
        let url_text = format!("http://{rest}");
        let url = CanonicalUrl::parse_fully(&url_text, &mut scratch).map_err(|_| invalid())?;
        let host = url.host();
        if host.kind() == HostKind::Name
            && (host.as_str().starts_with('.') || host.as_str().contains(".."))
        {
            return Err(invalid());
        }
        let joined = url.host_and_path();
        let text = joined.trim_end_matches('/').to_owned();
        Self {
            host_len: host.as_str().len(),
            is_address: host.kind() == HostKind::Address,
            text,
        }
        .bounded(written)
    }

    /// Takes a host that is surely canonical already; most lines of most lists are.
    fn from_canonical_host(text: &str) -> Option<Self> {
        let mut label_start = 0;
        let bytes = text.as_bytes();
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => {}
                b'.' => {
                    if at == label_start || bytes[label_start..].starts_with(b"xn--") {
                        return None;
                    }
                    label_start = at + 1;
                }
                _ => return None,
            }
        }
        let last = &bytes[label_start..];
        if last.first()?.is_ascii_digit() || last.starts_with(b"xn--") {
            return None;
        }
        Some(Self {
            host_len: text.len(),
            is_address: false,
            text: text.to_owned(),
        })
    }

    fn bounded(self, written: &str) -> Result<Self, EntryError> {
        if self.text.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLong(self.text.len()));
        }
        if self.host().labels() > MAX_LABELS {
            return Err(EntryError::TooDeep(written.to_owned()));
        }
        Ok(self)
    }

    /// The canonical text, `host` or `host/path`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host it applies on.
    #[must_use]
    pub fn host(&self) -> HostRef<'_> {
        let kind = if self.is_address {
            HostKind::Address
        } else {
            HostKind::Name
        };
        HostRef::new_canonical(&self.text[..self.host_len], kind)
    }

    /// The path with its leading slash, or nothing for a whole host.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.text[self.host_len..]
    }

    /// Whether it names a part of a host only.
    #[must_use]
    pub fn has_path(&self) -> bool {
        self.host_len < self.text.len()
    }

    /// Refuses an entry that names a whole top-level domain, such as `uk`; some lists name
    /// whole registries on purpose, such as `ac.uk`.
    ///
    /// # Errors
    /// [`EntryError::PublicSuffix`] when it does.
    pub fn refuse_top_level(self) -> Result<Self, EntryError> {
        if self.host_len == self.text.len() && !self.is_address && !self.text.contains('.') {
            return Err(EntryError::PublicSuffix(self.text));
        }
        Ok(self)
    }

    /// Refuses an entry that names a whole public suffix, such as `uk` or `co.uk`.
    ///
    /// It knows every top-level domain, and the labels under which the registries of
    /// countries sell names; a suffix that is one in one country only, such as
    /// `tokyo.jp`, passes.
    ///
    /// # Errors
    /// [`EntryError::PublicSuffix`] when it does.
    pub fn refuse_public_suffix(self) -> Result<Self, EntryError> {
        let whole = match self.text.split_once('.') {
            None => true,
            Some((label, top)) => top.len() == 2 && REGISTRY_LABELS.contains(&label),
        };
        if whole && !self.is_address && !self.has_path() {
            return Err(EntryError::PublicSuffix(self.text));
        }
        Ok(self)
    }
}

/// Labels directly under a country's domain that registries sell names below, from the
/// ICANN part of the public suffix list: those that three countries or more have, and
/// all of the United Kingdom's.
const REGISTRY_LABELS: [&str; 29] = [
    "ac", "art", "asso", "biz", "co", "com", "ed", "edu", "firm", "gob", "gov", "gouv", "gub",
    "id", "info", "ltd", "me", "mil", "mod", "name", "net", "nhs", "nom", "or", "org", "plc",
    "police", "pro", "sch",
];

impl fmt::Display for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl AsRef<str> for Entry {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

/// Why a text is not an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// There is nothing there.
    #[error(
        "an empty entry; write a host such as `example.org`, or a host and path such as `example.org/games`"
    )]
    Empty,
    /// There is a space or tab in it.
    #[error(
        "`{0}` holds a space; write one host or one host and path, with `%20` for a space in a path"
    )]
    Whitespace(String),
    /// There is a `*` in the host.
    #[error(
        "`{0}` holds a wildcard; a host stands for every name below it already, so leave the `*` out"
    )]
    Wildcard(String),
    /// The scheme is not one of the web.
    #[error(
        "`{0}` has a scheme that no list can name; write the host alone, such as `example.org`"
    )]
    Scheme(String),
    /// The host is none.
    #[error("`{0}` does not start with a host; write it like `example.org` or `example.org/games`")]
    Host(String),
    /// It names a whole public suffix.
    #[error(
        "`{0}` is a public suffix, so every registrable domain below it would match; name the registrable domain, such as `example.{0}`"
    )]
    PublicSuffix(String),
    /// It is longer than [`MAX_ENTRY_BYTES`].
    #[error("the entry has {0} bytes; shorten the path to {MAX_ENTRY_BYTES} bytes at most")]
    TooLong(usize),
    /// The host has more than [`MAX_LABELS`] labels.
    #[error("the host of `{0}` has more than {MAX_LABELS} labels; name one further up")]
    TooDeep(String),
}

/// The text behind a scheme of the web, if there is one.
fn without_scheme(text: &str) -> Result<&str, EntryError> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok(text);
    };
    if !scheme
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'))
    {
        // The `://` is in a path or query.
        return Ok(text);
    }
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" | "ws" | "wss" | "ftp" => Ok(rest),
        _ => Err(EntryError::Scheme(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(written: &str) -> String {
        Entry::parse(written).unwrap().to_string()
    }

    #[test]
    fn entries_are_brought_into_canonical_form() {
        assert_eq!(canonical("example.org"), "example.org");
        assert_eq!(canonical(" *.Example.ORG. "), "example.org");
        assert_eq!(
            canonical("https://user@example.org:8443/a/"),
            "example.org/a"
        );
        assert_eq!(canonical(".example.org/"), "example.org");
        assert_eq!(canonical("bücher.example"), "xn--bcher-kva.example");
        assert_eq!(canonical("xn--api-hn0a.Example"), "xn--api-hn0a.example");
        assert_eq!(canonical("0x7f.1"), "127.0.0.1");
        assert_eq!(canonical("[::0:1]/x"), "[::1]/x");
        assert_eq!(
            canonical("example.org/%7euser//x?a=b"),
            "example.org/~user/x?a=b"
        );
        assert_eq!(
            canonical("a.example/r?u=http://b.example"),
            "a.example/r?u=http://b.example"
        );
        assert_eq!(canonical("example.org/?v=1#top"), "example.org/?v=1#top");
    }

    #[test]
    fn host_and_path_are_told_apart() {
        let entry = Entry::parse("docs.example/forms/d").unwrap();
        assert_eq!(
            (entry.host().as_str(), entry.path()),
            ("docs.example", "/forms/d")
        );
        assert!(entry.has_path());
        assert!(!Entry::parse("docs.example/").unwrap().has_path());
    }

    #[test]
    fn every_error_says_what_to_write() {
        for (written, word) in [
            ("  ", "write a host"),
            ("a b.example", "holds a space"),
            ("ads.*.example", "leave the `*` out"),
            ("chrome://settings", "write the host alone"),
            ("a..b.example", "does not start with a host"),
            ("/games", "does not start with a host"),
            ("exa%mple.org", "does not start with a host"),
            ("1.2.3.256", "does not start with a host"),
        ] {
            let error = Entry::parse(written).unwrap_err().to_string();
            assert!(error.contains(word), "{written}: {error}");
        }
        let long = format!("a.example/{}", "x".repeat(MAX_ENTRY_BYTES));
        assert!(matches!(Entry::parse(&long), Err(EntryError::TooLong(_))));
        let deep = "a.".repeat(80) + "example";
        assert!(matches!(Entry::parse(&deep), Err(EntryError::TooDeep(_))));
    }

    #[test]
    fn a_public_suffix_is_refused_where_asked() {
        let refused = |text: &str| {
            matches!(
                Entry::parse(text).unwrap().refuse_public_suffix(),
                Err(EntryError::PublicSuffix(_))
            )
        };
        assert!(refused("uk"));
        assert!(refused("co.uk"));
        assert!(!refused("example.co.uk"));
        assert!(!refused("github.io"));
        assert!(!refused("co.uk/x"));
        assert!(!refused("10.0.0.1"));
    }
}
