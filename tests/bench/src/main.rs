//! Measures lists: speed, size and cost of building, against adblock-rust.
//!
//! `bellgate-bench BELLGATE WORKDIR [DATADIR]`: BELLGATE is the release build of the command.
//! Writes into WORKDIR what `lists.mjs` measures the extension's core with, and
//! `native.json`. Without DATADIR lists and URLs are made up.
//!
//! Times are paired: in one round every engine is asked the same URLs, the order of the
//! engines changes from round to round, no URL comes in two rounds, and the median of the
//! rounds counts.

mod building;
mod input;
mod rival;

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::decide::Action;
use bellgate_core::engine::{Engine, Question};
use bellgate_core::expression::Entry;
use bellgate_core::list::build::{PackBuilder, PackOptions};
use bellgate_core::list::{Pack, SigningKey};
use bellgate_core::request::ResourceType;
use input::Input;
use rival::Rival;
use serde_json::json;

/// Rounds of each measurement.
const ROUNDS: usize = 800;
/// URLs of each round; few, so that a machine with other work interrupts few rounds.
const ROUND_URLS: usize = 200;
/// URLs that are asked before the first round, so that every block of the packs has been
/// checked by then, as in a browser after its first pages.
const WARM_URLS: usize = 40_000;
/// Builds, of which the median counts.
const BUILDS: usize = 3;
/// An instant of a school day in 2026, in lesson time.
const NOW_MS: i64 = 1_788_770_400_000;
/// The size at which adblock-rust is measured too.
const RIVAL_HOSTS: usize = 1_000_000;

fn main() -> Result<()> {
    let usage = "usage: bellgate-bench BELLGATE WORKDIR [DATADIR]";
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let bellgate = arguments.next().context(usage)?;
    let work = arguments.next().context(usage)?;
    fs::create_dir_all(&work)?;
    let urls = WARM_URLS + ROUND_URLS * ROUNDS;
    let input = match arguments.next() {
        Some(data) => Input::read(&data, urls)?,
        None => Input::made_up(&work, urls)?,
    };
    let hosts: Vec<&str> = input.hosts.iter().map(|host| host.0.as_str()).collect();
    fs::write(work.join("urls.txt"), input.urls.join("\n"))?;
    fs::write(work.join("hosts.txt"), hosts.join("\n"))?;
    println!("{} hosts: {}", hosts.len(), input.source);

    let sizes = [10_000, 100_000, RIVAL_HOSTS, input.hosts.len()];
    let mut engines = Vec::new();
    let mut per_entry = Vec::new();
    for size in sizes {
        let pack = build(&input, size)?;
        per_entry.push(pack.len() as f64 / size as f64);
        let mut engine = Engine::default();
        engine.set_school_pack(Some(Pack::open(pack)?));
        engines.push(engine);
    }
    let rival = Rival::new(input.sample(RIVAL_HOSTS).iter().map(|host| host.0.as_str()));
    let adblock_bytes = rival.serialised_bytes();
    let at_rival = sizes
        .iter()
        .position(|size| *size == RIVAL_HOSTS)
        .unwrap_or(0);
    let (warm, measured) = input.urls.split_at(WARM_URLS);
    compare_answers(&engines[at_rival], &rival, warm);

    let mut times = vec![Vec::new(); engines.len() + 1];
    for engine in &mut engines {
        time_us(warm, |url| verdict(engine, url));
    }
    for (number, round) in measured.chunks(ROUND_URLS).enumerate() {
        for turn in 0..times.len() {
            let at = (turn + number) % times.len();
            let spent = match engines.get_mut(at) {
                Some(engine) => time_us(round, |url| verdict(engine, url)),
                None => time_us(round, |url| rival.blocks(url)),
            };
            times[at].push(spent);
        }
    }
    let adblock_times = &times[engines.len()];
    let ratios: Vec<f64> = adblock_times
        .iter()
        .zip(&times[at_rival])
        .map(|(adblock, own)| adblock / own)
        .collect();
    let scale: Vec<_> = (0..sizes.len())
        .map(|at| {
            let mut row = json!({
                "hosts": sizes[at],
                "bytes_per_entry": rounded(per_entry[at], 3),
                "native_us": rounded(median(&times[at]), 4),
            });
            if at == at_rival {
                row["adblock_us"] = rounded(median(adblock_times), 4).into();
            }
            row
        })
        .collect();
    for row in &scale {
        println!("{row}");
    }
    drop(engines);
    drop(rival);

    let key = SigningKey::from_bytes(&[7; 32]);
    let key_file = work.join("sign.key");
    let out = work.join("all.pack");
    fs::write(&key_file, key.to_base64())?;
    fs::write(work.join("all.key"), key.public_key().to_base64())?;
    let mut costs = Vec::new();
    for _ in 0..BUILDS {
        costs.push(building::build(&bellgate, &input, &key_file, &out)?);
    }
    let bytes = fs::read(&out)?;
    let entries = Pack::open(&bytes[..])?.summary().entries;
    let line = json!({
        "native_vs_adblock": rounded(median(&ratios), 2),
        "bytes_per_entry_1m": rounded(per_entry[at_rival], 3),
        "bytes_per_entry_5m": rounded(bytes.len() as f64 / entries as f64, 3),
        "entries_5m": entries,
        "size_vs_adblock": rounded(adblock_bytes as f64 / (per_entry[at_rival] * RIVAL_HOSTS as f64), 2),
        "adblock_bytes_1m": adblock_bytes,
        "build_s": rounded(median(&costs.iter().map(|cost| cost.seconds).collect::<Vec<_>>()), 2),
        "build_mib": rounded(costs.iter().map(|cost| cost.mib).fold(0.0, f64::max), 0),
        "scale": scale,
        "data": input.source,
    });
    fs::write(work.join("native.json"), line.to_string())?;
    Ok(())
}

/// A pack of so many hosts, each in its category.
fn build(input: &Input, size: usize) -> Result<Vec<u8>> {
    let mut builder = PackBuilder::new(PackOptions::default());
    for (number, name) in input.categories.iter().enumerate() {
        builder.add_category(number as u8, name)?;
    }
    for (host, category) in input.sample(size) {
        builder.add(&Entry::parse(host)?, *category);
    }
    Ok(builder.build()?.bytes)
}

/// Says on how many URLs both agree that they are listed, so that nobody is fast by being wrong.
fn compare_answers(engine: &Engine, rival: &Rival, urls: &[String]) {
    let (mut listed, mut differing) = (0, 0);
    for url in urls {
        let mut scratch = Scratch::new();
        let own = CanonicalUrl::parse(url, &mut scratch).is_ok_and(|url| {
            let pack = engine.lists().school.as_ref();
            pack.is_some_and(|pack| pack.lookup(&url).is_ok_and(|found| found != 0))
        });
        listed += usize::from(own);
        differing += usize::from(own != rival.blocks(url));
    }
    println!(
        "of {} URLs at {RIVAL_HOSTS} hosts {listed} are listed, and adblock-rust differs in {differing}",
        urls.len()
    );
}

fn verdict(engine: &mut Engine, url: &str) -> bool {
    let (action, reason) = engine.verdict(Question {
        url,
        kind: ResourceType::MainFrame,
        initiator: None,
        now_ms: NOW_MS,
    });
    black_box(reason);
    action == Action::Block
}

/// The time of one URL, in microseconds, mean of a round.
fn time_us(urls: &[String], mut ask: impl FnMut(&str) -> bool) -> f64 {
    let started = Instant::now();
    let mut listed = 0;
    for url in urls {
        listed += usize::from(ask(url));
    }
    black_box(listed);
    started.elapsed().as_secs_f64() * 1e6 / urls.len() as f64
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn rounded(value: f64, digits: i32) -> f64 {
    let unit = 10f64.powi(digits);
    (value * unit).round() / unit
}
