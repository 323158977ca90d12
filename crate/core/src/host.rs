//! Canonical host names and the names above them.

/// What a canonical host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKind {
    /// A name of the domain name system.
    Name,
    /// An IPv4 address in dotted decimal, or an IPv6 address in brackets.
    Address,
}

/// The label count above which a name is never on a list.
///
/// A name of the domain name system has 127 labels at most (RFC 1035, 2.3.4); real
/// lists stay under 20, and the depths a pack holds fit one 64-bit mask.
pub const MAX_LABELS: u32 = 62;

/// A canonical host: lower case, IDNA applied, no trailing dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostRef<'a> {
    text: &'a str,
    kind: HostKind,
}

impl<'a> HostRef<'a> {
    /// Takes a host that is known to be canonical.
    #[must_use]
    pub(crate) fn new_canonical(text: &'a str, kind: HostKind) -> Self {
        Self { text, kind }
    }

    /// The host as text; an IPv6 address keeps its brackets.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.text
    }

    /// Whether it is a name or an address.
    #[must_use]
    pub fn kind(self) -> HostKind {
        self.kind
    }

    /// The host and every name above it, the shortest (a single label) first.
    ///
    /// An address has nothing above it and is yielded alone, at depth 1.
    #[must_use]
    pub fn ascend(self) -> Ascent<'a> {
        Ascent {
            host: self,
            end: Some(self.text.len()),
            depth: 0,
        }
    }

    /// How many labels the name has; 1 for an address.
    #[must_use]
    pub fn labels(self) -> u32 {
        match self.kind {
            HostKind::Address => 1,
            HostKind::Name => {
                let dots = self.text.bytes().filter(|&byte| byte == b'.').count();
                u32::try_from(dots).unwrap_or(u32::MAX).saturating_add(1)
            }
        }
    }
}

/// The names from a top-level label down to the whole host.
#[derive(Debug, Clone)]
pub struct Ascent<'a> {
    host: HostRef<'a>,
    /// Where the part that has not been walked yet ends; `None` when done.
    end: Option<usize>,
    depth: u32,
}

impl<'a> Ascent<'a> {
    /// The next suffix as its start in the host, and its number of labels.
    #[inline]
    pub fn next_start(&mut self) -> Option<(usize, u32)> {
        let end = self.end?;
        self.depth += 1;
        if self.host.kind == HostKind::Address {
            self.end = None;
            return Some((0, self.depth));
        }
        let bytes = self.host.text.as_bytes();
        let mut at = end;
        while at > 0 {
            if bytes[at - 1] == b'.' {
                self.end = Some(at - 1);
                return Some((at, self.depth));
            }
            at -= 1;
        }
        self.end = None;
        Some((0, self.depth))
    }
}

impl<'a> Iterator for Ascent<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let (start, _) = self.next_start()?;
        Some(&self.host.text[start..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, kind: HostKind) -> Vec<&str> {
        HostRef::new_canonical(text, kind).ascend().collect()
    }

    #[test]
    fn a_name_stands_below_every_suffix_of_labels() {
        assert_eq!(
            names("a.bc.example", HostKind::Name),
            ["example", "bc.example", "a.bc.example"]
        );
        assert_eq!(names("localhost", HostKind::Name), ["localhost"]);
    }

    #[test]
    fn an_address_has_nothing_above_it() {
        assert_eq!(names("10.20.4.7", HostKind::Address), ["10.20.4.7"]);
        assert_eq!(names("[::1]", HostKind::Address), ["[::1]"]);
    }

    #[test]
    fn empty_labels_are_labels() {
        assert_eq!(names("a..b", HostKind::Name), ["b", ".b", "a..b"]);
        assert_eq!(HostRef::new_canonical("a..b", HostKind::Name).labels(), 3);
    }
}
