//! The shapes single fields may have, each with the words of its refusal.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a text is 1 to `max_bytes` of `a-z`, `0-9`, `-` and `_`.
pub fn is_identifier(text: &str, max_bytes: usize) -> bool {
    (1..=max_bytes).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
}

/// Whether a text is 1 to `max_bytes` of visible ASCII, without spaces.
pub fn is_token(text: &str, max_bytes: usize) -> bool {
    (1..=max_bytes).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Whether a text is 1 to `max_chars` characters on one line.
pub fn is_line(text: &str, max_chars: usize) -> bool {
    !text.is_empty() && text.chars().count() <= max_chars && !text.chars().any(char::is_control)
}

/// Whether a text is 1 to `max_chars` characters, line breaks allowed.
pub fn is_prose(text: &str, max_chars: usize) -> bool {
    !text.is_empty()
        && text.chars().count() <= max_chars
        && !text.chars().any(|c| c.is_control() && c != '\n')
}

/// Whether a text is a hostname in lower case, or an IP literal.
///
/// 253 characters, labels of 1 to 63 of `a-z`, `0-9`, `-` and `_` (RFC 1035,
/// with the underscore that real names carry); no port, no trailing dot.
pub fn is_host(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().is_ok();
    }
    if text.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    (1..=253).contains(&text.len())
        && text.split('.').all(|label| {
            is_identifier(label, 63) && !label.starts_with('-') && !label.ends_with('-')
        })
}

/// Whether a text is a URL's path, with its query where a school keeps it.
pub fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text.len() <= 2048
        && text.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_canonical_names_or_addresses() {
        for good in [
            "example.org",
            "a_b.example",
            "xn--bcher-kva.example",
            "10.0.0.1",
            "[::1]",
        ] {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "example.org.",
            "Example.org",
            "exa mple.org",
            "-a.example",
            "a..b",
            "[::1",
            "example.org:80",
            "user@example.org",
            "bücher.example",
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }

    #[test]
    fn paths_start_with_a_slash_and_carry_no_fragment() {
        assert!(is_path("/a/b?c=d"));
        for bad in ["", "a", "/a#b", "/a b", "/a\nb"] {
            assert!(!is_path(bad), "{bad}");
        }
        assert!(!is_path(&format!("/{}", "a".repeat(2048))));
    }
}
