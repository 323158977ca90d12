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
use bellgate_core::expression::Entry;
use bellgate_core::list::Pack;
use bellgate_core::list::build::{PackBuilder, PackOptions};
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
