//! Measures lists: speed, size and cost of building, against adblock-rust.
//!
//! `bellgate-bench WORKDIR [DATADIR]` writes `5m.pack` and `urls.txt` into WORKDIR for the
//! measurement of the extension's core, and prints one line of JSON. Without DATADIR
//! it makes its lists and URLs up.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

use adblock::Engine as AdblockEngine;
use adblock::lists::{FilterSet, ParseOptions};
use adblock::request::Request;
use adblock::url_parser::{ResolvesDomain, set_domain_resolver};
use anyhow::{Context, Result};
use bellgate_core::engine::{Engine, Question};
use bellgate_core::expression::Entry;
use bellgate_core::list::build::{PackBuilder, PackOptions};
use bellgate_core::list::{Pack, SigningKey};
use bellgate_core::request::ResourceType;
use serde_json::json;

/// Rounds of each measurement; the median counts.
const ROUNDS: usize = 7;
/// URLs of each round.
const URLS: usize = 20_000;
/// An instant of a school day in 2026.
const NOW_MS: i64 = 1_788_770_400_000;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let work = PathBuf::from(arguments.next().context("usage: bellgate-bench WORKDIR [DATADIR]")?);
    let data = arguments.next().map(PathBuf::from);
    fs::create_dir_all(&work)?;
    let input = match &data {
        Some(data) => Input::read(data)?,
        None => Input::made_up(),
    };
    fs::write(work.join("urls.txt"), input.urls.join("\n"))?;
    fs::write(work.join("hosts.txt"), input.hosts.join("\n"))?;

    let mut scale = Vec::new();
    let mut per_entry_1m = 0.0;
    let mut serialised_1m = 0;
    let mut ratio_1m = 0.0;
    for size in [10_000, 100_000, 1_000_000, input.hosts.len()] {
        let hosts = sample(&input.hosts, size);
        let pack = build(&hosts, &[])?;
        let per_entry = pack.len() as f64 / hosts.len() as f64;
        let mut engine = Engine::default();
        engine.set_school_pack(Some(Pack::open(pack)?));
        let mut row = json!({ "hosts": hosts.len(), "bytes_per_entry": round(per_entry, 3) });
        if size == 1_000_000 {
            let rival = Rival::new(&hosts);
            let mut ours = Vec::new();
            let mut theirs = Vec::new();
            let mut ratios = Vec::new();
            for number in 0..ROUNDS {
                let urls = input.round(number);
                let own = time_us(&urls, |url| verdict(&mut engine, url));
                let other = time_us(&urls, |url| rival.blocks(url));
                ours.push(own);
                theirs.push(other);
                ratios.push(other / own);
            }
            row["native_us"] = round(median(&mut ours), 4).into();
            row["adblock_us"] = round(median(&mut theirs), 4).into();
            ratio_1m = median(&mut ratios);
            per_entry_1m = per_entry;
            serialised_1m = rival.serialised_bytes();
        } else {
            let mut ours: Vec<f64> = (0..ROUNDS)
                .map(|number| time_us(&input.round(number), |url| verdict(&mut engine, url)))
                .collect();
            row["native_us"] = round(median(&mut ours), 4).into();
        }
        scale.push(row);
    }

    let started = Instant::now();
    let pack = build(&input.hosts.iter().collect::<Vec<_>>(), &input.paths)?;
    let build_s = started.elapsed().as_secs_f64();
    let entries = Pack::open(&pack[..])?.summary().entries;
    fs::write(work.join("5m.pack"), &pack)?;
    fs::write(work.join("5m.key"), SigningKey::from_bytes(&[7; 32]).public_key().to_base64())?;

    let line = json!({
        "native_vs_adblock": round(ratio_1m, 2),
        "bytes_per_entry_1m": round(per_entry_1m, 3),
        "bytes_per_entry_5m": round(pack.len() as f64 / entries as f64, 3),
        "entries_5m": entries,
        "size_vs_adblock": round(serialised_1m as f64 / (per_entry_1m * 1e6), 2),
        "adblock_bytes_1m": serialised_1m,
        "build_in_memory_s": round(build_s, 2),
        "scale": scale,
        "data": data.map_or_else(|| "made up".to_owned(), |_| "lists/*.txt.zst, urls/host-path-rules.tsv.zst, traffic/page-urls.txt.zst".to_owned()),
    });
    println!("{line}");
    Ok(())
}

/// Lists and URLs.
struct Input {
    hosts: Vec<String>,
    paths: Vec<String>,
    urls: Vec<String>,
}

impl Input {
    fn read(data: &Path) -> Result<Self> {
        let mut files: Vec<PathBuf> = fs::read_dir(data.join("lists"))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        let mut hosts = Vec::new();
        for file in files {
            hosts.extend(lines(&file)?);
        }
        hosts.sort_unstable();
        hosts.dedup();
        let paths = lines(&data.join("urls/host-path-rules.tsv.zst"))?
            .into_iter()
            .filter_map(|line| Some(line.split_once('\t')?.1.to_owned()))
            .collect();
        let urls = lines(&data.join("traffic/page-urls.txt.zst"))?;
        Ok(Self {
            hosts,
            paths,
            urls: spread(&urls, URLS * ROUNDS),
        })
    }

    fn made_up() -> Self {
        let mut state = 1u64;
        let mut draw = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % bound
        };
        let ends = ["com", "net", "org", "co.uk", "info", "de", "ru", "xyz"];
        let mut host = |wide: u64| format!("h{:x}.{}", draw(wide), ends[draw(8) as usize]);
        let hosts: Vec<String> = (0..5_400_000u64).map(|_| host(1 << 40)).collect();
        let paths = (0..1_000_000u64).map(|n| format!("{}/p{n}/q", host(1 << 20))).collect();
        let urls = (0..URLS * ROUNDS)
            .map(|n| format!("https://www.{}/section/{n}/page-with-a-name.html?from=list&number={n}", host(1 << 40)))
            .collect();
        Self { hosts, paths, urls }
    }

    /// The URLs of one round; none comes twice.
    fn round(&self, number: usize) -> Vec<&str> {
        self.urls.iter().skip(number * URLS).take(URLS).map(String::as_str).collect()
    }
}

fn lines(path: &Path) -> Result<Vec<String>> {
    let file = File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    BufReader::new(zstd::Decoder::new(file)?)
        .split(b'\n')
        .map(|line| Ok(String::from_utf8_lossy(&line?).trim().to_owned()))
        .collect()
}

fn spread(all: &[String], count: usize) -> Vec<String> {
    let step = (all.len() / count).max(1);
    all.iter().step_by(step).take(count).cloned().collect()
}

fn sample(hosts: &[String], count: usize) -> Vec<&String> {
    let step = (hosts.len() / count).max(1);
    hosts.iter().step_by(step).take(count).collect()
}

/// A pack of hosts and paths, in the category that the built-in lesson rules block.
fn build(hosts: &[&String], paths: &[String]) -> Result<Vec<u8>> {
    let mut builder = PackBuilder::new(PackOptions::default());
    builder.add_category(1, "adult")?;
    for text in hosts.iter().copied().chain(paths) {
        if let Ok(entry) = Entry::parse(text) {
            builder.add(&entry, 1);
        }
    }
    Ok(builder.build_signed(Some(&SigningKey::from_bytes(&[7; 32])))?.bytes)
}

fn verdict(engine: &mut Engine, url: &str) -> bool {
    let (action, reason) = engine.verdict(Question {
        url,
        kind: ResourceType::MainFrame,
        initiator: None,
        now_ms: NOW_MS,
    });
    black_box(reason);
    action == bellgate_core::decide::Action::Block
}

/// Finds the registrable domain by its shape; adblock-rust's own way, a compiled public
/// suffix list, is slower to ask and takes minutes to compile.
struct Shape;

impl ResolvesDomain for Shape {
    fn get_host_domain(&self, host: &str) -> (usize, usize) {
        let start = host.rmatch_indices('.').nth(1).map_or(0, |(at, _)| at + 1);
        (start, host.len())
    }
}

/// adblock-rust with the same hosts.
struct Rival {
    engine: AdblockEngine,
}

impl Rival {
    fn new(hosts: &[&String]) -> Self {
        let _ = set_domain_resolver(Box::new(Shape));
        let mut filters = FilterSet::new(false);
        filters.add_filters(hosts.iter().map(|host| format!("||{host}^")), ParseOptions::default());
        Self {
            engine: AdblockEngine::new_with_filter_set(filters),
        }
    }

    fn blocks(&self, url: &str) -> bool {
        Request::new(url, "https://school.example/", "script", "GET")
            .is_ok_and(|request| self.engine.check_network_request(&request).matched)
    }

    fn serialised_bytes(&self) -> usize {
        self.engine.serialize().len()
    }
}

/// The time of one URL, in microseconds, mean of a round.
fn time_us(urls: &[&str], mut ask: impl FnMut(&str) -> bool) -> f64 {
    let started = Instant::now();
    let mut listed = 0;
    for url in urls {
        listed += usize::from(ask(url));
    }
    black_box(listed);
    started.elapsed().as_secs_f64() * 1e6 / urls.len() as f64
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn round(value: f64, digits: i32) -> f64 {
    let unit = 10f64.powi(digits);
    (value * unit).round() / unit
}
