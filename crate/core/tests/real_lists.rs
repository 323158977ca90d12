//! Packs of real lists say of every real URL what the plain reference says.
//!
//! Millions of entries: ignored in everyday runs, run by `scripts/soak`. The lists lie
//! beside the repository (`../shared/data`, or where `BELLGATE_DATA` says); without them
//! the test says that it is skipped.

#![cfg(feature = "build")]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(clippy::print_stderr, reason = "what was skipped has to be seen")]

mod reference;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::decide::Action;
use bellgate_core::engine::{Engine, Question};
use bellgate_core::expression::Entry;
use bellgate_core::list::Pack;
use bellgate_core::list::build::{PackBuilder, PackOptions};
use bellgate_core::list::catalogue::{CoreTexts, build_core_pack, help_entries};
use bellgate_core::reason::ReasonCode;
use bellgate_core::request::ResourceType;
use reference::Reference;

fn data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("BELLGATE_DATA").map_or(beside, PathBuf::from);
    if folder.join("lists").is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no real lists in {}", folder.display());
    None
}

fn lines(path: &Path) -> impl Iterator<Item = String> {
    let decoder = zstd::Decoder::new(File::open(path).unwrap()).unwrap();
    BufReader::new(decoder)
        .split(b'\n')
        .map(|line| String::from_utf8_lossy(&line.unwrap()).trim().to_owned())
        .filter(|line| !line.is_empty())
}

/// `category, entry` of every list and path rule.
fn all_entries(data: &Path) -> Vec<(String, Entry)> {
    let mut entries = Vec::new();
    let mut files: Vec<PathBuf> = fs::read_dir(data.join("lists"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let category = name.trim_end_matches(".txt.zst").to_owned();
        for line in lines(&file) {
            entries.push((category.clone(), Entry::parse(&line).unwrap()));
        }
    }
    for line in lines(&data.join("urls/host-path-rules.tsv.zst")) {
        let (category, text) = line.split_once('\t').unwrap();
        // Some rules of real lists are no entries; the command reports them line by line.
        if let Ok(entry) = Entry::parse(text) {
            entries.push((category.to_owned(), entry));
        }
    }
    entries
}

#[test]
#[ignore = "takes minutes and gigabytes, and wants the folder named by BELLGATE_DATA"]
fn packs_equal_the_reference_on_real_lists_and_urls() {
    let Some(data) = data() else { return };
    let entries = all_entries(&data);
    let names: BTreeSet<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let mut builder = PackBuilder::new(PackOptions::default());
    for (number, name) in names.iter().enumerate() {
        builder.add_category(number as u8, name).unwrap();
    }
    let mut reference = Reference::default();
    for (name, entry) in &entries {
        let number = names.binary_search(&name.as_str()).unwrap() as u8;
        builder.add(entry, number);
        reference.insert(entry.as_str(), number, false);
    }
    let built = builder.build().unwrap();
    assert_eq!(built.entries, reference.len() as u64);
    let pack = Pack::open(built.bytes).unwrap();
    pack.check_all().unwrap();
    assert!(pack.false_positive_log2() <= -40.0);

    let mut asked = 0u64;
    let mut listed = 0u64;
    let mut ask = |url: &str| {
        let mut scratch = Scratch::new();
        let Ok(parsed) = CanonicalUrl::parse(url, &mut scratch) else {
            assert!(url::Url::parse(url).is_err(), "{url}");
            return;
        };
        if url::Url::parse(url).is_err() {
            // Faulty punycode stays findable on purpose; the reference cannot read it.
            assert!(url.to_lowercase().contains("xn--"), "{url}");
            return;
        }
        let mut matches = Vec::new();
        pack.matches(&parsed, &mut matches).unwrap();
        let given: Vec<(String, u128, bool)> = matches
            .into_iter()
            .map(|found| (found.entry, found.categories, found.exception))
            .collect();
        let expected = reference.matches(url);
        assert_eq!(given, expected, "{url}");
        let union = expected.iter().fold(0, |mask, found| mask | found.1);
        assert_eq!(pack.lookup(&parsed).unwrap(), union, "{url}");
        asked += 1;
        listed += u64::from(union != 0);
    };
    for file in ["page-urls", "subresource-urls", "school-urls"] {
        lines(&data.join(format!("traffic/{file}.txt.zst"))).for_each(|url| ask(&url));
    }
    for host in lines(&data.join("traffic/top-domains.txt.zst")) {
        ask(&format!("https://{host}/"));
    }
    // A million made-up ones: listed hosts and paths with something added or taken away.
    for (number, (_, entry)) in entries
        .iter()
        .step_by(entries.len() / 250_000 + 1)
        .enumerate()
    {
        let (host, path) = (entry.host().as_str(), entry.path());
        ask(&format!("https://{host}{path}"));
        ask(&format!("https://www{number}.{host}:8443{path}/x?y"));
        ask(&format!("http://x{host}/{number}"));
        ask(&format!("http://{host}{path}{number}"));
    }
    eprintln!("{asked} URLs asked, {listed} of them listed");
    assert!(asked > 3_000_000 && listed > 100_000);
}

/// The texts of the repository's own lists.
fn own_texts() -> CoreTexts {
    let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lists");
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let folder = |name: &str| {
        let mut files: Vec<(String, String)> = fs::read_dir(lists.join(name))
            .unwrap()
            .map(|file| file.unwrap().path())
            .map(|path| {
                let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
                (stem, read(&path))
            })
            .collect();
        files.sort();
        files
    };
    CoreTexts {
        categories: read(&lists.join("categories.toml")),
        help: read(&lists.join("help.toml")),
        sign_in: read(&lists.join("sign-in.toml")),
        allow: folder("allow"),
        curated: folder("curated"),
    }
}

#[test]
#[ignore = "takes a minute and a gigabyte, and wants the folder named by BELLGATE_DATA"]
fn every_help_entry_is_open_though_raw_lists_block_it() {
    let Some(data) = data() else { return };
    let texts = own_texts();
    let help = help_entries("help.toml", &texts.help).unwrap();
    // All raw lists as one category that the rules for lessons block.
    let mut builder = PackBuilder::new(PackOptions::default());
    builder.add_category(1, "adult").unwrap();
    for (_, entry) in all_entries(&data) {
        builder.add(&entry, 1);
    }
    let raw = Pack::open(builder.build().unwrap().bytes).unwrap();
    let core = build_core_pack(&texts, PackOptions::default()).unwrap();
    let mut engine = Engine::new();
    engine.set_built_in_pack(Pack::open(core.bytes).unwrap());
    let mut listed = 0;
    for (entry, _) in &help {
        let url = format!("https://{entry}");
        let mut scratch = Scratch::new();
        let parsed = CanonicalUrl::parse(&url, &mut scratch).unwrap();
        listed += u64::from(raw.lookup(&parsed).unwrap() != 0);
    }
    engine.set_school_pack(Some(raw));
    let mut verdict = |url: &str| {
        engine.verdict(Question {
            url,
            kind: ResourceType::MainFrame,
            initiator: None,
            // A Monday in term, in lesson time.
            now_ms: 1_788_770_400_000,
        })
    };
    for (entry, _) in &help {
        for url in [
            format!("https://{entry}"),
            format!("http://{entry}/a/b?c#d"),
        ] {
            assert_eq!(verdict(&url), (Action::Allow, ReasonCode::Help), "{url}");
        }
    }
    // The raw lists do block, so the test could fail.
    assert_eq!(verdict("https://pornhub.com/").0, Action::Block);
    eprintln!(
        "{} help entries are open, {listed} of them on raw lists",
        help.len()
    );
    assert!(help.len() >= 400 && listed > 0);
}
