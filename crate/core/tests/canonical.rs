//! The scanner and the URL standard's parser agree, on the web platform's own cases where
//! those are at hand, on cases of our own, and on made-up ones.

#![expect(clippy::print_stderr, reason = "what was skipped has to be seen")]

use std::path::Path;

use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::expression::Entry;

/// Asserts that both ways of parsing see the same, and gives host and path.
fn agree(text: &str) -> Option<String> {
    let (mut short, mut full) = (Scratch::new(), Scratch::new());
    let scanned = CanonicalUrl::parse(text, &mut short);
    let parsed = CanonicalUrl::parse_fully(text, &mut full);
    match (scanned, parsed) {
        (Ok(scanned), Ok(parsed)) => {
            assert_eq!(scanned.scheme(), parsed.scheme(), "{text:?}");
            assert_eq!(scanned.scheme_name(), parsed.scheme_name(), "{text:?}");
            assert_eq!(scanned.host(), parsed.host(), "{text:?}");
            assert_eq!(scanned.path(), parsed.path(), "{text:?}");
            assert_eq!(scanned.host_and_path(), parsed.host_and_path(), "{text:?}");
            scanned
                .is_web()
                .then(|| scanned.host_and_path().into_owned())
        }
        (Err(one), Err(other)) => {
            assert_eq!(one, other);
            None
        }
        (one, other) => panic!("{text:?}: {one:?} and {other:?}"),
    }
}

#[test]
fn the_web_platforms_cases_are_parsed_as_it_says() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("BELLGATE_DATA").map_or(beside, Into::into);
    let Ok(text) = std::fs::read_to_string(folder.join("traffic/wpt-urltestdata.json")) else {
        eprintln!("skipped: no wpt-urltestdata.json in {}", folder.display());
        return;
    };
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let mut checked = 0;
    for case in cases
        .iter()
        .filter(|case| case["base"].is_null() && case["input"].is_string())
    {
        let input = case["input"].as_str().unwrap();
        let given = agree(input);
        checked += 1;
        let Some(href) = case["href"].as_str() else {
            // A name that only looks like punycode stays findable on purpose.
            assert!(
                given.is_none() || input.contains("xn--"),
                "{input:?}: {given:?}"
            );
            continue;
        };
        // The serialisation has to mean the same as the input.
        assert_eq!(agree(href), given, "{input:?}");
        if let Some(given) = given {
            let host = case["hostname"].as_str().unwrap().trim_end_matches('.');
            assert!(given.starts_with(&format!("{host}/")), "{input:?}: {given}");
        }
    }
    eprintln!("{checked} cases of the web platform");
    assert!(checked > 300, "{checked}");
}

#[test]
fn hand_picked_urls_agree() {
    for text in [
        "https://example.org",
        "https://example.org?x",
        "https://example.org#x",
        "https:example.org/x",
        "https:///example.org/x",
        "https://example.org:/x",
        "https://example.org:443/x",
        "https://example.org:00080/x",
        "https://example.org:99999/x",
        "https://example.org:8a/x",
        "https://a:b@example.org/x",
        "https://example.org:80@evil.example/x",
        "https://example.org\\@evil.example/x",
        "https://example.org/\\..\\x",
        "https://xn--/x",
        "https://xn--a/x",
        "https://a.xn--bcher-kva.org/x",
        "https://a.xn--bcher-kva/x",
        "https://ex_ample.org/x",
        "https://-a-.org/x",
        "https://a..b.org/x",
        "https://.a.org/x",
        "https://a.org./x",
        "https://a.org../x",
        "https://1.2.3/x",
        "https://0x1.2/x",
        "https://a.0x1/x",
        "https://a.09/x",
        "https://1a/x",
        "https://exa\u{ad}mple.org/x",
        "https://ｅxample.org/x",
        "https://example.org/a/./b/../c/%2e%2E/d",
        "https://example.org/.../.a/..b",
        "https://example.org/a|b^c`d{e}f'g\"h i<j>",
        "https://example.org/?a|b^c`d{e}f'g\"h i<j>",
        "https://example.org/#a|b^c`d{e}f'g\"h i<j>",
        "https://example.org/\u{0}\u{1f}\t\n\rx",
        "https://example.org/é?é#é",
        "https://example.org/%C3%a9%",
        "https://example.org/a?b#c?d#e",
        "https://example.org/[x]",
        "ws://example.org/x",
        "wss://example.org:1/x",
        "ftp://example.org/x",
        "file:///x",
        "about:blank",
        "javascript:1",
        "chrome-extension://abc/x",
        "blob:https://example.org/1",
        "//example.org/x",
        "https",
        "https:/",
    ] {
        agree(text);
    }
}

#[test]
fn made_up_urls_agree() {
    let web = agree_on_made_up(1, 200_000);
    assert!(web > 60_000, "{web}");
}

/// How many URLs a long run makes up, unless `BELLGATE_SOAK_URLS` says otherwise.
const SOAK_URLS: u64 = 20_000_000;

#[test]
#[ignore = "takes minutes; run by scripts/soak"]
fn millions_of_made_up_urls_agree() {
    let urls = std::env::var("BELLGATE_SOAK_URLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(SOAK_URLS);
    // The short run's seed is 1.
    let web = agree_on_made_up(2, urls);
    eprintln!("{urls} made-up URLs, {web} of them on the web: scanner and parser agree on all");
    assert!(web > urls / 4, "{web}");
}

/// Parses so many URLs of shuffled pieces in both ways; how many of them were on the web.
fn agree_on_made_up(seed: u64, urls: u64) -> u64 {
    let pieces = [
        "http://",
        "https://",
        "ws://",
        "wss://",
        "ftp://",
        "a",
        "b.c",
        "example.org",
        ".",
        "..",
        "/",
        "//",
        "/./",
        "/../",
        "%2e",
        "%41",
        "%2f",
        "%C3%A9",
        "%",
        "%4",
        "é",
        "ß",
        "xn--",
        "xn--bcher-kva",
        "-",
        "_",
        ":",
        ":80",
        ":8080",
        ":65536",
        "@",
        "?",
        "#",
        "&",
        "=",
        "\\",
        " ",
        "\t",
        "1",
        "0x1",
        "127.0.0.1",
        "[::1]",
        "|",
        "^",
        "'",
        "\"",
        "{",
        "A",
        "~",
        "+",
        ";",
        ",",
        "\u{200d}",
        "\u{3002}",
        "!",
        "$",
        "(",
        "*",
    ];
    let mut state = seed;
    let mut draw = |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    let mut web = 0;
    for _ in 0..urls {
        let mut text = pieces[draw(5)].to_owned();
        if draw(2) == 0 {
            text.push_str(pieces[5 + draw(3)]);
        }
        for _ in 0..draw(8) {
            text.push_str(pieces[draw(pieces.len())]);
        }
        web += u64::from(agree(&text).is_some());
    }
    web
}

#[test]
fn an_entry_matches_the_url_it_was_written_from() {
    for text in [
        "Example.ORG",
        "example.org/%7Eu/",
        "bücher.example/ä?b#c",
        "0x7f.1/x",
        "a.example/b//c",
    ] {
        let entry = Entry::parse(text).unwrap();
        let url = format!("https://{}", entry.as_str());
        let joined = agree(&url).unwrap();
        assert_eq!(joined.trim_end_matches('/'), entry.as_str());
        assert_eq!(Entry::parse(entry.as_str()).unwrap(), entry);
    }
}
