//! Packs say of every URL exactly what a plain reference says.

#![cfg(feature = "build")]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(
    clippy::print_stderr,
    reason = "what a long run counted has to be seen"
)]

mod reference;

use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::expression::Entry;
use bellgate_core::list::build::{PackBuilder, PackOptions};
use bellgate_core::list::{LookupError, Match, Pack, PackError, PackLayout, SecretKey};
use bellgate_core::list::{PublicKey, SigningKey, Verified};
use reference::Reference;

const CATEGORIES: [&str; 4] = ["adult", "games", "education", "unlisted-name"];

fn builder(options: PackOptions) -> PackBuilder {
    let mut builder = PackBuilder::new(options);
    for (number, name) in CATEGORIES.iter().enumerate() {
        builder.add_category(number as u8 * 40, name).unwrap();
    }
    builder
}

/// A pack of `category entry` lines, and the reference of the same; `!` before the
/// category makes an exception.
fn both(lines: &[&str]) -> (Pack, Reference) {
    let mut builder = builder(PackOptions::default());
    let mut reference = Reference::default();
    for line in lines {
        let (category, text) = line.split_once(' ').unwrap();
        let name = category.trim_start_matches('!');
        let number = CATEGORIES.iter().position(|known| *known == name).unwrap() as u8 * 40;
        let entry = Entry::parse(text).unwrap();
        if category.starts_with('!') {
            builder.add_exception(&entry, number);
        } else {
            builder.add(&entry, number);
        }
        reference.insert(entry.as_str(), number, category.starts_with('!'));
    }
    let built = builder.build().unwrap();
    (Pack::open(built.bytes).unwrap(), reference)
}

fn found(pack: &Pack, url: &str) -> Vec<Match> {
    let mut scratch = Scratch::new();
    let url = CanonicalUrl::parse(url, &mut scratch).unwrap();
    let mut matches = Vec::new();
    pack.matches(&url, &mut matches).unwrap();
    let holds = matches
        .iter()
        .filter(|found| !found.exception)
        .fold(0, |mask, found| mask | found.categories);
    assert_eq!(pack.lookup(&url).unwrap(), holds);
    matches
}

fn entries(pack: &Pack, url: &str) -> Vec<String> {
    found(pack, url)
        .into_iter()
        .map(|found| found.entry)
        .collect()
}

#[test]
fn every_matching_entry_is_given_longest_first() {
    let (pack, _) = both(&[
        "games example.org",
        "adult example.org",
        "games www.example.org/play",
        "adult example.org/play/now",
        "!games www.example.org/play/school",
        "adult org",
    ]);
    assert_eq!(
        entries(&pack, "https://www.example.org/play/now?x#y"),
        [
            "www.example.org/play",
            "example.org/play/now",
            "example.org",
            "org"
        ]
    );
    let all = found(&pack, "https://www.example.org:444/play/school");
    assert!(all[0].exception && all[0].categories == 1 << 40);
    assert_eq!(all[2].categories, 1 | 1 << 40);
    assert_eq!(entries(&pack, "https://example.com/"), Vec::<String>::new());
    assert_eq!(
        entries(&pack, "data:text/html,example.org"),
        Vec::<String>::new()
    );
}

#[test]
fn path_entries_alone_are_found_below_their_host() {
    let (pack, _) = both(&["games docs.example.org/d/1", "games 10.0.0.1/x"]);
    assert_eq!(
        entries(&pack, "https://a.docs.example.org/d/1/edit").len(),
        1
    );
    assert_eq!(entries(&pack, "https://docs.example.org/d/12").len(), 0);
    assert_eq!(entries(&pack, "http://167772161/x?y").len(), 1);
    assert_eq!(entries(&pack, "http://10.0.0.2/x").len(), 0);
}

#[test]
fn a_pack_with_nothing_in_it_lists_nothing() {
    let built = builder(PackOptions::default()).build().unwrap();
    let pack = Pack::open(built.bytes).unwrap();
    assert!(entries(&pack, "https://example.org/").is_empty());
    assert_eq!(pack.category_number("education"), Some(80));
    assert_eq!(pack.category_number("nothing"), None);
}

#[test]
fn the_same_entries_in_any_order_make_the_same_bytes() {
    let texts = ["a.example", "b.example/x", "c.example", "a.example"];
    let build = |order: &[usize]| {
        let mut builder = builder(PackOptions::default());
        for &at in order {
            builder.add(&Entry::parse(texts[at]).unwrap(), (at as u8 % 2) * 40);
        }
        builder.build().unwrap().bytes
    };
    assert_eq!(build(&[0, 1, 2, 3]), build(&[3, 2, 1, 0, 0, 1]));
    assert_ne!(build(&[0, 1]), build(&[0, 1, 2]));
}

#[test]
fn the_first_part_suffices_for_what_is_not_listed() {
    let mut builder = builder(PackOptions::default());
    builder.add(&Entry::parse("a.example").unwrap(), 0);
    let bytes = builder.build().unwrap().bytes;
    let layout = PackLayout::read(&bytes).unwrap();
    let (header, rest) = bytes.split_at(layout.header_bytes);
    let (bloom, blocks) = rest.split_at(layout.bloom_bytes);
    let mut pack = Pack::<Vec<u8>>::open_parts(header, bloom.to_vec(), None).unwrap();
    let mut scratch = Scratch::new();
    let url = CanonicalUrl::parse("https://b.test/", &mut scratch).unwrap();
    assert_eq!(pack.lookup(&url), Ok(0));
    let mut scratch = Scratch::new();
    let url = CanonicalUrl::parse("https://a.example/", &mut scratch).unwrap();
    assert_eq!(pack.lookup(&url), Err(LookupError::Pending));
    assert_eq!(pack.attach(blocks[1..].to_vec()), Err(PackError::Truncated));
    pack.attach(blocks.to_vec()).unwrap();
    assert_eq!(pack.lookup(&url), Ok(1));
    pack.check_all().unwrap();
}

#[test]
fn a_keyed_pack_opens_with_its_key_alone() {
    let key = SecretKey::from_bytes(*b"0123456789abcdef");
    let mut builder = builder(PackOptions {
        secret_key: Some(key.clone()),
        ..PackOptions::default()
    });
    builder.add(&Entry::parse("a.example/x").unwrap(), 0);
    let bytes = builder.build().unwrap().bytes;
    assert_eq!(Pack::open(&bytes[..]).unwrap_err(), PackError::Key);
    let right = Pack::open_keyed(&bytes[..], key).unwrap();
    let wrong = Pack::open_keyed(&bytes[..], SecretKey::from_bytes([0; 16])).unwrap();
    let mut scratch = Scratch::new();
    let url = CanonicalUrl::parse("https://a.example/x", &mut scratch).unwrap();
    assert_eq!(right.lookup(&url), Ok(1));
    assert_eq!(wrong.lookup(&url), Ok(0));
}

#[test]
fn a_signature_is_worth_what_the_keys_say() {
    let signer = SigningKey::from_bytes(&[7; 32]);
    let other = SigningKey::from_bytes(&[8; 32]).public_key();
    let mut builder = builder(PackOptions::default());
    builder.add(&Entry::parse("a.example").unwrap(), 0);
    let mut bytes = builder.build_signed(Some(&signer)).unwrap().bytes;
    let keys = [other.clone(), signer.public_key()];
    let pack = Pack::open(&bytes[..]).unwrap();
    assert_eq!(
        pack.verify(&keys),
        Ok(Verified::Signed(signer.public_key().id()))
    );
    let unknown = pack.verify(&[other]).unwrap_err();
    assert!(matches!(unknown, PackError::UnknownSigner(_)));
    let at = PackLayout::read(&bytes).unwrap().header_bytes - 1;
    bytes[at] ^= 1;
    let forged = Pack::open(&bytes[..]).unwrap().verify(&keys).unwrap_err();
    assert!(matches!(forged, PackError::Signature(_)));
    let text = format!(" {}\n", signer.public_key().to_base64());
    assert_eq!(
        PublicKey::set_from_text(&text).unwrap(),
        [signer.public_key()]
    );
    assert!(PublicKey::set_from_text("AAAA").is_err());
}

#[test]
fn a_damaged_block_is_an_error_and_never_a_no() {
    let mut builder = builder(PackOptions::default());
    let entry = Entry::parse("a.example").unwrap();
    builder.add(&entry, 0);
    let bytes = builder.build().unwrap().bytes;
    let layout = PackLayout::read(&bytes).unwrap();
    let start = layout.header_bytes + layout.bloom_bytes;
    let mut scratch = Scratch::new();
    let url = CanonicalUrl::parse("https://a.example/", &mut scratch).unwrap();
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x10;
        match Pack::open(&damaged[..]) {
            Err(_) => {}
            // The signature is looked at by `verify` alone.
            Ok(pack) => {
                assert!(
                    (layout.header_bytes - 72..layout.header_bytes).contains(&at),
                    "{at}"
                );
                assert!(pack.verify(&[]).is_err());
                assert_eq!(pack.lookup(&url), Ok(1));
            }
        }
    }
    for length in 0..bytes.len() {
        assert!(Pack::open(&bytes[..length]).is_err(), "{length}");
    }
    assert!(start < bytes.len());
}

/// Pseudo-random numbers, the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn packs_equal_the_reference_on_made_up_lists() {
    let labels = ["a", "b", "c", "ab", "x-y", "example", "org"];
    let segments = ["", "a", "b", "a.b", "%41", "c"];
    for round in 0..20 {
        let mut draw = Draw(round);
        let text = |draw: &mut Draw, deep: u64| {
            let mut host = String::from("test");
            for _ in 0..draw.below(deep) {
                host = format!("{}.{host}", labels[draw.below(7) as usize]);
            }
            for _ in 0..draw.below(4) {
                host = format!("{host}/{}", segments[draw.below(6) as usize]);
            }
            match draw.below(6) {
                0 => format!("{host}/?q={}&r", draw.below(3)),
                1 => format!("{host}/a?b#{}", draw.below(3)),
                _ => host,
            }
        };
        let lines: Vec<String> = (0..300)
            .map(|_| {
                let sign = if draw.below(9) == 0 { "!" } else { "" };
                format!(
                    "{sign}{} {}",
                    CATEGORIES[draw.below(4) as usize],
                    text(&mut draw, 4)
                )
            })
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let (pack, reference) = both(&lines);
        for _ in 0..3000 {
            let mut url = format!("https://{}", text(&mut draw, 6));
            if !url[8..].contains('/') {
                url.push('/');
            }
            let expected = reference.matches(&url);
            let given: Vec<(String, u128, bool)> = found(&pack, &url)
                .into_iter()
                .map(|found| (found.entry, found.categories, found.exception))
                .collect();
            assert_eq!(given, expected, "{url}");
        }
    }
}

/// How many damaged packs a long run opens, unless `BELLGATE_SOAK_PACKS` says otherwise.
const SOAK_PACKS: u64 = 300_000;

#[test]
#[ignore = "takes minutes; run by scripts/soak"]
fn packs_damaged_under_right_checksums_do_no_harm() {
    let packs = std::env::var("BELLGATE_SOAK_PACKS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(SOAK_PACKS);
    let mut draw = Draw(11);
    let mut builder = builder(PackOptions::default());
    let mut urls = Vec::new();
    for number in 0..300 {
        let entry = Entry::parse(&format!("a{number}.example/p{}", number % 7)).unwrap();
        urls.push(format!("https://{entry}/x?y"));
        builder.add(&entry, (number % 3) as u8);
    }
    let bytes = builder.build().unwrap().bytes;
    let layout = PackLayout::read(&bytes).unwrap();
    let bloom_start = layout.header_bytes;
    let blocks_start = bloom_start + layout.bloom_bytes;
    let mut opened = 0u64;
    for _ in 0..packs {
        let mut damaged = bytes.clone();
        for _ in 0..=draw.below(3) {
            // A third each in the header, the filter and the blocks, so that none is rare.
            let (start, end) = match draw.below(3) {
                0 => (8, layout.header_bytes - 80),
                1 => (bloom_start, blocks_start),
                _ => (blocks_start, bytes.len()),
            };
            let at = start + draw.below((end - start) as u64) as usize;
            damaged[at] = draw.below(256) as u8;
        }
        let sum = |part: &[u8]| xxhash_rust::xxh3::xxh3_64(part).to_le_bytes();
        let (bloom, blocks) = (
            sum(&damaged[bloom_start..blocks_start]),
            sum(&damaged[blocks_start..]),
        );
        damaged[108..116].copy_from_slice(&bloom);
        damaged[116..124].copy_from_slice(&blocks);
        let header_end = layout.header_bytes - 80;
        let header = sum(&damaged[..header_end]);
        damaged[header_end..header_end + 8].copy_from_slice(&header);
        let Ok(pack) = Pack::open(&damaged[..]) else {
            continue;
        };
        opened += 1;
        // Whatever it answers, it neither panics nor reads outside of its bytes.
        let _ = (pack.check_all(), pack.count_by_category(), pack.summary());
        for url in urls.iter().step_by(17) {
            let mut scratch = Scratch::new();
            let url = CanonicalUrl::parse(url, &mut scratch).unwrap();
            let _ = (pack.lookup(&url), pack.matches(&url, &mut Vec::new()));
        }
    }
    eprintln!("{packs} damaged packs, {opened} of them opened: none did harm");
    assert!(opened > packs / 20);
}
