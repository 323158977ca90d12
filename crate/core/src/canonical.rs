//! Canonical URLs: what of a URL lists and rules are matched against.
//!
//! Chrome hands over URLs that are canonical already, so a short scanner finds host
//! and path in those. Whatever the scanner is not sure of goes through the `url`
//! crate; `tests/canonical.rs` proves that both agree.
//!
//! The text that entries are matched against is the canonical host followed by the
//! *normal path*: path, query and fragment as the URL standard serialises them, then
//!
//! 1. percent-escapes of unreserved characters are decoded and the hexadecimal digits
//!    of all others are upper case (RFC 3986, 6.2.2), so that `/%67ames` is `/games`;
//! 2. in the path alone, a run of slashes is one slash, unless it follows a colon, so
//!    that `//games` is `/games` and `/web/https://a.example` keeps its form.

use std::borrow::Cow;
use std::ops::Range;

use url::{Position, Url};

use crate::host::{HostKind, HostRef};

/// The scheme of a URL, as far as filtering tells schemes apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `http:`
    Http,
    /// `https:`
    Https,
    /// `ws:`
    Ws,
    /// `wss:`
    Wss,
    /// `ftp:`
    Ftp,
    /// Any other, which has no host that a list could name.
    Other,
}

impl Scheme {
    fn from_name(name: &str) -> Self {
        match name {
            "http" => Self::Http,
            "https" => Self::Https,
            "ws" => Self::Ws,
            "wss" => Self::Wss,
            "ftp" => Self::Ftp,
            _ => Self::Other,
        }
    }
}

/// Memory for URLs that have to be rewritten, kept between parses.
#[derive(Debug, Default, Clone)]
pub struct Scratch {
    rewritten: String,
}

impl Scratch {
    /// Empty memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// A URL taken apart, borrowed from its text or from a [`Scratch`].
#[derive(Debug, Clone)]
pub struct CanonicalUrl<'a> {
    text: &'a str,
    scheme: Scheme,
    scheme_end: usize,
    host: Range<usize>,
    host_kind: HostKind,
    path_start: usize,
    /// Whether `text` is the serialisation of the `url` crate; else it was scanned and
    /// what follows the host is as given.
    rewritten: bool,
}

impl<'a> CanonicalUrl<'a> {
    /// Parses an absolute URL as the URL standard does.
    ///
    /// # Errors
    /// [`UrlError`] when the text is not an absolute URL, or its host is nothing but dots.
    pub fn parse(text: &'a str, scratch: &'a mut Scratch) -> Result<Self, UrlError> {
        match scan(text) {
            Some(url) => Ok(url),
            None => Self::parse_fully(text, scratch),
        }
    }

    /// Parses through the `url` crate, as [`CanonicalUrl::parse`] does for all that is not
    /// canonical yet.
    ///
    /// A host in the letters of the domain name system with a label that only looks like
    /// punycode (`xn--`) stays as it is, though the URL standard refuses it: real lists
    /// hold such names, and what can be listed has to be found.
    ///
    /// # Errors
    /// As for [`CanonicalUrl::parse`].
    pub fn parse_fully(text: &str, scratch: &'a mut Scratch) -> Result<Self, UrlError> {
        let url = match Url::parse(text) {
            Ok(url) => url,
            Err(source) => {
                let authority = text.find("://").map_or(0, |at| at + 3);
                let end = text[authority..].find(['/', '?', '#', '\\']);
                let end = end.map_or(text.len(), |at| authority + at);
                scratch.rewritten.clear();
                scratch.rewritten.push_str(&text[..end]);
                scratch.rewritten.make_ascii_lowercase();
                scratch
                    .rewritten
                    .push_str(if end == text.len() { "/" } else { &text[end..] });
                return scan_host(&scratch.rewritten, Punycode::Kept)
                    .filter(|_| source == url::ParseError::IdnaError)
                    .ok_or_else(|| UrlError::Syntax {
                        url: clipped(text),
                        source,
                    });
            }
        };
        let scheme = Scheme::from_name(url.scheme());
        let scheme_end = url.scheme().len();
        let host_kind = match url.host() {
            Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => HostKind::Address,
            _ => HostKind::Name,
        };
        let before_host = url[..Position::BeforeHost].len();
        let host_length = url.host_str().map_or(0, |host| {
            if host_kind == HostKind::Name {
                host.trim_end_matches('.').len()
            } else {
                host.len()
            }
        });
        let path_start = url[..Position::BeforePath].len();
        let host = if scheme == Scheme::Other {
            before_host..before_host
        } else {
            before_host..before_host + host_length
        };
        if scheme != Scheme::Other && host.is_empty() {
            return Err(UrlError::EmptyHost { url: clipped(text) });
        }
        scratch.rewritten = url.into();
        Ok(Self {
            text: &scratch.rewritten,
            scheme,
            scheme_end,
            host,
            host_kind,
            path_start,
            rewritten: true,
        })
    }

    /// The scheme's kind.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The scheme's name, lower case, without the colon.
    #[must_use]
    pub fn scheme_name(&self) -> &'a str {
        &self.text[..self.scheme_end]
    }

    /// Whether the URL has a host that lists can name.
    #[must_use]
    pub fn is_web(&self) -> bool {
        self.scheme != Scheme::Other
    }

    /// The canonical host; empty for a scheme that has none to match.
    #[must_use]
    pub fn host(&self) -> HostRef<'a> {
        HostRef::new_canonical(&self.text[self.host.clone()], self.host_kind)
    }

    /// The URL as far as it is known canonical: all of it, or for one that was scanned
    /// its text as given.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// The URL inside a `blob:`, `filesystem:` or `view-source:` one.
    #[must_use]
    pub fn inner(&self) -> Option<&'a str> {
        match self.scheme_name() {
            "blob" | "filesystem" | "view-source" => self.text.get(self.scheme_end + 1..),
            _ => None,
        }
    }

    /// The normal path: path, query and fragment, as the module describes it.
    #[must_use]
    pub fn path(&self) -> Cow<'a, str> {
        let rest = &self.text[self.path_start..];
        if is_normal(rest) {
            return Cow::Borrowed(rest);
        }
        if self.rewritten {
            return normalise_path(rest);
        }
        match Url::parse(self.text) {
            Ok(url) => Cow::Owned(normalise_path(&url[Position::BeforePath..]).into_owned()),
            // A scanned host is a valid one, and after a valid host the URL standard
            // knows no failure; the text as given is the least wrong answer.
            Err(_) => normalise_path(rest),
        }
    }

    /// Host and normal path in one piece: every entry that matches is a part of it that
    /// starts at a label of the host.
    #[must_use]
    pub fn host_and_path(&self) -> Cow<'a, str> {
        let path = self.path();
        if let Cow::Borrowed(path) = path
            && self.host.end == self.path_start
            && path.len() == self.text.len() - self.path_start
        {
            return Cow::Borrowed(&self.text[self.host.start..]);
        }
        let mut joined = String::with_capacity(self.host.len() + path.len());
        joined.push_str(&self.text[self.host.clone()]);
        joined.push_str(&path);
        Cow::Owned(joined)
    }
}

impl CanonicalUrl<'_> {
    /// Every expression of the URL, the texts of the entries that would match it: longest
    /// first, and of two of one length the one with the longer host.
    #[must_use]
    pub fn expressions(&self) -> Vec<String> {
        let joined = self.host_and_path();
        let host = self.host();
        let mut found = Vec::new();
        let mut ascent = host.ascend();
        while let Some((start, _)) = ascent.next_start() {
            let host_end = host.as_str().len();
            found.push(joined[start..host_end].to_owned());
            let ends = prefix_ends(&joined[host_end..]);
            found.extend(ends.map(|end| joined[start..host_end + end].to_owned()));
        }
        found.reverse();
        found.sort_by_key(|text| std::cmp::Reverse(text.len()));
        found
    }
}

/// Why a text is not a URL that could be decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// The URL standard refuses it.
    #[error(
        "`{url}` is not an absolute URL ({source}); write it whole, such as `https://example.org/`"
    )]
    Syntax {
        /// The text, cut where it is long.
        url: String,
        /// What the parser said.
        source: url::ParseError,
    },
    /// The host is missing or nothing but dots.
    #[error("`{url}` has no host; write it whole, such as `https://example.org/`")]
    EmptyHost {
        /// The text, cut where it is long.
        url: String,
    },
}

fn clipped(text: &str) -> String {
    const MAX_CHARS: usize = 200;
    match text.char_indices().nth(MAX_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Takes a canonical web URL apart, or gives up.
///
/// It is sure of a host in lower-case letters, digits, `-` and `_` with no empty label,
/// no punycode and a last label that starts with no digit (an IPv4 address in any
/// spelling ends in a number), followed by a slash or a short port and a slash.
fn scan(text: &str) -> Option<CanonicalUrl<'_>> {
    scan_host(text, Punycode::GivenUp)
}

/// What the scanner does with a label that begins with `xn--`.
#[derive(Clone, Copy, PartialEq)]
enum Punycode {
    GivenUp,
    Kept,
}

#[inline]
fn scan_host(text: &str, punycode: Punycode) -> Option<CanonicalUrl<'_>> {
    let refused = |label: &[u8]| punycode == Punycode::GivenUp && label.starts_with(b"xn--");
    let bytes = text.as_bytes();
    let (scheme, scheme_end) = match bytes {
        [b'h', b't', b't', b'p', b's', b':', b'/', b'/', ..] => (Scheme::Https, 5),
        [b'h', b't', b't', b'p', b':', b'/', b'/', ..] => (Scheme::Http, 4),
        [b'w', b's', b's', b':', b'/', b'/', ..] => (Scheme::Wss, 3),
        [b'w', b's', b':', b'/', b'/', ..] => (Scheme::Ws, 2),
        _ => return None,
    };
    let start = scheme_end + 3;
    let mut label_start = start;
    let mut at = start;
    loop {
        match *bytes.get(at)? {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => at += 1,
            b'.' => {
                if at == label_start || refused(&bytes[label_start..]) {
                    return None;
                }
                at += 1;
                label_start = at;
            }
            b'/' | b':' => break,
            _ => return None,
        }
    }
    let host_end = at;
    if host_end == label_start
        || bytes[label_start].is_ascii_digit()
        || refused(&bytes[label_start..])
    {
        return None;
    }
    if bytes[at] == b':' {
        at += 1;
        let port_start = at;
        while bytes.get(at)?.is_ascii_digit() {
            at += 1;
        }
        // Four digits cannot exceed the greatest port; the rest is left to the parser.
        if at == port_start || at - port_start > 4 || bytes[at] != b'/' {
            return None;
        }
    }
    Some(CanonicalUrl {
        text,
        scheme,
        scheme_end,
        host: start..host_end,
        host_kind: HostKind::Name,
        path_start: at,
        rewritten: false,
    })
}

/// What a byte does to a path, query and fragment.
const PLAIN: u8 = 0;
const SLASH: u8 = 1;
const DOT: u8 = 2;
const QUERY: u8 = 3;
const PERCENT: u8 = 4;
const OTHER: u8 = 5;

const CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        let class = byte as u8;
        classes[byte] = match class {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => PLAIN,
            b'-' | b'_' | b'~' | b'!' | b'$' | b'&' | b'(' | b')' | b'*' | b'+' | b',' | b';'
            | b'=' | b':' | b'@' => PLAIN,
            b'/' => SLASH,
            b'.' => DOT,
            b'?' | b'#' => QUERY,
            b'%' => PERCENT,
            _ => OTHER,
        };
        byte += 1;
    }
    classes
};

/// Whether path, query and fragment are surely in their normal form already.
///
/// Never wrong when it says yes; a no costs time alone.
fn is_normal(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    if bytes.first() != Some(&b'/') {
        return false;
    }
    let mut in_path = true;
    let mut at = 0;
    while at < bytes.len() {
        match CLASSES[bytes[at] as usize] {
            PLAIN => {}
            SLASH => {
                if in_path && matches!(bytes.get(at + 1), Some(b'/' | b'.')) {
                    return false;
                }
            }
            DOT => {}
            QUERY => in_path = false,
            PERCENT => match bytes.get(at + 1..at + 3) {
                Some(&[high, low]) if is_kept_escape(high, low) => at += 2,
                _ => return false,
            },
            _ => return false,
        }
        at += 1;
    }
    true
}

/// Whether `%` followed by these is an escape that the normal form keeps as it is.
fn is_kept_escape(high: u8, low: u8) -> bool {
    let upper = |digit: u8| matches!(digit, b'0'..=b'9' | b'A'..=b'F');
    upper(high)
        && upper(low)
        && !is_unreserved(hex_value(high).unwrap_or(0) << 4 | hex_value(low).unwrap_or(0))
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// Unreserved characters, RFC 3986, 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Brings a path, query and fragment that the URL standard has serialised into the
/// normal form.
pub(crate) fn normalise_path(rest: &str) -> Cow<'_, str> {
    if is_normal(rest) {
        return Cow::Borrowed(rest);
    }
    let bytes = rest.as_bytes();
    let mut normal: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut in_path = true;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                let digits = bytes
                    .get(at + 1..at + 3)
                    .and_then(|pair| Some((hex_value(pair[0])?, hex_value(pair[1])?)));
                if let Some((high, low)) = digits {
                    let decoded = high << 4 | low;
                    if is_unreserved(decoded) {
                        normal.push(decoded);
                    } else {
                        normal.push(b'%');
                        normal.push(bytes[at + 1].to_ascii_uppercase());
                        normal.push(bytes[at + 2].to_ascii_uppercase());
                    }
                    at += 3;
                    continue;
                }
                normal.push(b'%');
            }
            b'/' if in_path && normal.ends_with(b"/") && !normal.ends_with(b":/") => {}
            // The URL standard escapes it in paths since 2023; the `url` crate does not yet.
            b'^' if in_path => normal.extend_from_slice(b"%5E"),
            byte => {
                in_path &= !matches!(byte, b'?' | b'#');
                normal.push(byte);
            }
        }
        at += 1;
    }
    // Only ASCII was added, and whole escapes only were taken out.
    String::from_utf8(normal).map_or(Cow::Borrowed(rest), Cow::Owned)
}

/// Where the prefixes of a normal path end that an entry may be: before `/`, `?` or `#`,
/// before `&` in the query, and at the end; never after a slash.
///
/// Ends are byte offsets in `path`, ascending; the root, which is the host's own entry,
/// is left out.
pub(crate) fn prefix_ends(path: &str) -> impl Iterator<Item = usize> + '_ {
    let bytes = path.as_bytes();
    let mut in_query = false;
    (1..=bytes.len()).filter(move |&end| {
        let boundary = match bytes.get(end) {
            None => true,
            Some(b'/') => true,
            Some(b'?' | b'#') => {
                in_query = true;
                true
            }
            Some(b'&') => in_query,
            Some(_) => false,
        };
        boundary && bytes[end - 1] != b'/'
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> String {
        let mut scratch = Scratch::new();
        let mut full = Scratch::new();
        let url = CanonicalUrl::parse(text, &mut scratch).unwrap();
        let reference = CanonicalUrl::parse_fully(text, &mut full).unwrap();
        assert_eq!(url.host(), reference.host(), "{text}");
        assert_eq!(url.path(), reference.path(), "{text}");
        assert_eq!(url.scheme(), reference.scheme(), "{text}");
        assert_eq!(url.host_and_path(), reference.host_and_path(), "{text}");
        url.host_and_path().into_owned()
    }

    #[test]
    fn scheme_port_userinfo_and_trailing_dot_are_left_out() {
        for text in [
            "https://example.org/a?b#c",
            "http://example.org:8080/a?b#c",
            "wss://user:secret@example.org./a?b#c",
            "HTTPS://EXAMPLE.org/a?b#c",
            "https:\\\\example.org\\a?b#c",
            " https://exam\tple.org/a?b#c",
            "https://example.org:65535/a?b#c",
            "https://example.org/x/../a?b#c",
            "https://example.org/./%2e/a?b#c",
        ] {
            assert_eq!(joined(text), "example.org/a?b#c", "{text}");
        }
    }

    #[test]
    fn every_spelling_of_an_address_is_one_address() {
        for text in [
            "http://10.20.4.7/",
            "http://0x0a.20.4.7/",
            "http://169083911/",
            "http://012.024.04.07/",
            "http://10.20.1031/",
            "http://１０.20.4.7/",
            "http://10.20.4.7./",
        ] {
            assert_eq!(joined(text), "10.20.4.7/", "{text}");
        }
        assert_eq!(joined("http://[0:0::1]:80/x"), "[::1]/x");
    }

    #[test]
    fn international_names_are_punycode() {
        assert_eq!(
            joined("https://BÜCHER.example/ü"),
            "xn--bcher-kva.example/%C3%BC"
        );
        assert_eq!(
            joined("https://xn--bcher-kva.example/"),
            "xn--bcher-kva.example/"
        );
    }

    #[test]
    fn needless_escapes_and_doubled_slashes_hide_nothing() {
        assert_eq!(
            joined("https://a.example/%67am%65s%2fx?%61=%2F"),
            "a.example/games%2Fx?a=%2F"
        );
        assert_eq!(
            joined("https://a.example//games///x?u=a//b"),
            "a.example/games/x?u=a//b"
        );
        assert_eq!(
            joined("https://a.example/web/https://b.example"),
            "a.example/web/https://b.example"
        );
        assert_eq!(joined("https://a.example/%zz%4"), "a.example/%zz%4");
        assert_eq!(joined("https://a.example/^%5e?^"), "a.example/%5E%5E?^");
    }

    #[test]
    fn the_normal_form_is_stable() {
        for path in ["/%41%2f//b:///c?//%zz", "/a/b", "/:///%25%37%45#//"] {
            let once = normalise_path(path).into_owned();
            assert_eq!(normalise_path(&once), once, "{path}");
        }
    }

    #[test]
    fn other_schemes_have_no_host_to_match() {
        let mut scratch = Scratch::new();
        let url = CanonicalUrl::parse("blob:https://a.example/1", &mut scratch).unwrap();
        assert!(!url.is_web());
        assert_eq!(url.host().as_str(), "");
        assert_eq!(url.inner(), Some("https://a.example/1"));
        let mut scratch = Scratch::new();
        let url = CanonicalUrl::parse("chrome://newtab/", &mut scratch).unwrap();
        assert_eq!((url.scheme_name(), url.host().as_str()), ("chrome", ""));
    }

    #[test]
    fn what_is_no_url_says_so() {
        for text in [
            "",
            "example.org",
            "https://",
            "https://./",
            "https://a b/",
            "http://1.2.3.256/",
        ] {
            let mut scratch = Scratch::new();
            let error = CanonicalUrl::parse(text, &mut scratch).unwrap_err();
            assert!(
                error.to_string().contains("write it whole"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn prefixes_end_at_segments() {
        let prefixes = |path: &'static str| -> Vec<&str> {
            prefix_ends(path).map(|end| &path[..end]).collect()
        };
        assert_eq!(prefixes("/"), Vec::<&str>::new());
        assert_eq!(prefixes("/a/bc/"), ["/a", "/a/bc"]);
        assert_eq!(
            prefixes("/a&b?c=d&e/f#g"),
            [
                "/a&b",
                "/a&b?c=d",
                "/a&b?c=d&e",
                "/a&b?c=d&e/f",
                "/a&b?c=d&e/f#g"
            ]
        );
        assert_eq!(prefixes("/?q"), ["/?q"]);
    }
}
