//! The shapes single fields may have, each with the words of its refusal.

use std::net::Ipv6Addr;

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

/// Whether a text is a host as Chrome writes it in a URL.
///
/// 1 to 255 visible ASCII characters in lower case, not dots alone, none of them a forbidden
/// domain code point (URL Standard, 3.5), hence no port, user or path; an IPv6
/// literal stands in brackets.
pub fn is_host(text: &str) -> bool {
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().is_ok();
    }
    (1..=255).contains(&text.len())
        && text.bytes().any(|b| b != b'.')
        && text.bytes().all(|b| {
            b.is_ascii_graphic() && !b.is_ascii_uppercase() && !b"#%/:<>?@[\\]^|".contains(&b)
        })
}

/// Whether a text is a URL's path, with its query where a school keeps it.
pub fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
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
            "-odd.example",
            "10.0.0.1",
            "[::1]",
        ] {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "Example.org",
            "exa mple.org",
            "a/b",
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
    }
}
