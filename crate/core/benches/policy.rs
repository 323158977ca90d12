//! What the schedule adds to a decision, while a period lasts and when it changes.
//!
//! `scripts/bench policy [--json] [--rounds N]`. Each URL is decided in turn by the lists
//! alone, with a standing that is kept by hand, and by the engine, which looks at the
//! clock first; the differences are taken round by round, so that a busy machine disturbs
//! both sides alike. At a boundary the same question is asked twice at its first instant:
//! the first answer makes a new standing, the second uses it. The last line of `--json` is
//! one object of figures, in microseconds.

#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot go on has failed"
)]

use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::context::Context;
use bellgate_core::decide::decide;
use bellgate_core::engine::{Engine, Question};
use bellgate_core::list::Pack;
use bellgate_core::list::build::PackOptions;
use bellgate_core::list::catalogue::{CoreTexts, build_core_pack};
use bellgate_core::lists::Lists;
use bellgate_core::request::ResourceType;
use serde_json::{Value, json};

/// How many URLs there are.
const URLS: usize = 2_000;
/// URLs of one round, asked of each side in turn: few, so that most rounds are not
/// interrupted.
const ROUND: usize = 100;
const LESSON: &str = "2026-11-24T10:00:00Z";

/// Whose day is measured under which policy.
struct Case {
    name: &'static str,
    policy: String,
    context: Context,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let rounds = value("--rounds").map_or(1_500, |text| text.parse().unwrap());
    let mut out = std::io::stdout().lock();
    let urls = urls();
    let mut figures = serde_json::Map::new();
    for case in cases() {
        let within = within(&case, &urls, rounds);
        let boundary = boundary(&case, &urls[0]);
        writeln!(out, "{}", case.name).unwrap();
        writeln!(
            out,
            "  a period lasts   lists {:.3} us, decision {:.3} us, the schedule adds {:.3} us (middle half {:.3} to {:.3})",
            within.lookup,
            within.kept,
            within.added.median,
            within.added.low,
            within.added.high
        )
        .unwrap();
        writeln!(
            out,
            "  a period changes {:.1} us over {} boundaries of a year (99 of 100 below {:.1}, the longest {:.1})",
            boundary.median, boundary.count, boundary.p99, boundary.longest
        )
        .unwrap();
        figures.insert(
            case.name.to_owned(),
            json!({
                "lookup_us": rounded(within.lookup),
                "kept_standing_us": rounded(within.kept),
                "schedule_us": rounded(within.added.median),
                "schedule_quartiles_us": [rounded(within.added.low), rounded(within.added.high)],
                "boundary_us": rounded(boundary.median),
                "boundary_p99_us": rounded(boundary.p99),
                "boundary_longest_us": rounded(boundary.longest),
                "boundaries": boundary.count,
            }),
        );
    }
    if arguments.iter().any(|argument| argument == "--json") {
        let figures = json!({
            "bench": "policy",
            "rounds": rounds,
            "urls": urls.len(),
            "target": { "schedule_us": 0.1, "boundary_us": 50.0 },
            "cases": figures,
        });
        writeln!(out, "{figures}").unwrap();
    }
}

/// Microseconds a URL: the lists alone, a decision with a standing kept by hand, and what
/// the engine needs beyond that.
struct Within {
    lookup: f64,
    kept: f64,
    added: Spread,
}

struct Spread {
    low: f64,
    median: f64,
    high: f64,
}

fn within(case: &Case, urls: &[String], rounds: usize) -> Within {
    let now_ms = ms(LESSON);
    let mut engine = engine(case);
    let lists = lists();
    let standing = engine.standing(now_ms).clone();
    let masks = lists.masks(&standing.filter, &standing.exceptions);
    let mut memory = Scratch::new();
    let mut sides: [Vec<f64>; 3] = Default::default();
    for round in 0..rounds + rounds / 10 {
        let mut took = [0.0; 3];
        let first = round * ROUND % urls.len();
        let urls = &urls[first..first + ROUND];
        // Nine turns: each side comes first, second and last once, after a turn that only
        // warms the caches.
        for turn in 0..10 {
            let side = match turn {
                0 => 0,
                turn => ((turn - 1) / 3 + turn) % 3,
            };
            let begun = Instant::now();
            for url in urls {
                match side {
                    0 => {
                        let url = CanonicalUrl::parse(url, &mut memory).unwrap();
                        let packs = [&lists.built_in, &lists.school];
                        for pack in packs.into_iter().flatten() {
                            black_box(pack.lookup(&url).unwrap());
                        }
                    }
                    1 => {
                        let url = CanonicalUrl::parse(url, &mut memory).unwrap();
                        let kind = ResourceType::MainFrame;
                        let outcome = decide(&url, kind, None, &standing, &masks, &lists);
                        black_box(outcome.unwrap().code);
                    }
                    _ => {
                        black_box(engine.verdict(question(url, now_ms)));
                    }
                }
            }
            if turn > 0 {
                took[side] += begun.elapsed().as_secs_f64() * 1e6 / urls.len() as f64 / 3.0;
            }
        }
        // The first rounds only warm the caches.
        if round >= rounds / 10 {
            for (side, took) in sides.iter_mut().zip(took) {
                side.push(took);
            }
        }
    }
    let added: Vec<f64> = sides[2].iter().zip(&sides[1]).map(|(a, b)| a - b).collect();
    Within {
        lookup: part(&sides[0], 0.5),
        kept: part(&sides[1], 0.5),
        added: Spread {
            low: part(&added, 0.25),
            median: part(&added, 0.5),
            high: part(&added, 0.75),
        },
    }
}

struct Boundary {
    median: f64,
    p99: f64,
    longest: f64,
    count: usize,
}

fn boundary(case: &Case, url: &str) -> Boundary {
    let mut engine = engine(case);
    let mut at_ms = ms("2026-09-01T00:00:00Z");
    let end_ms = ms("2027-07-31T00:00:00Z");
    // The median of five walks at each boundary, so that one interruption does not count.
    let mut boundaries = Vec::new();
    while let Some(next_ms) = engine.standing(at_ms).next_change_at_ms {
        if next_ms >= end_ms {
            break;
        }
        at_ms = next_ms;
        boundaries.push(at_ms);
    }
    let mut took: Vec<Vec<f64>> = vec![Vec::new(); boundaries.len()];
    for _ in 0..5 {
        engine.standing(boundaries[0] - 1);
        for (number, at_ms) in boundaries.iter().enumerate() {
            let begun = Instant::now();
            black_box(engine.verdict(question(url, *at_ms)));
            let made = begun.elapsed();
            let begun = Instant::now();
            black_box(engine.verdict(question(url, *at_ms)));
            let used = begun.elapsed();
            took[number].push((made.as_secs_f64() - used.as_secs_f64()) * 1e6);
        }
    }
    let medians: Vec<f64> = took.iter().map(|took| part(took, 0.5)).collect();
    Boundary {
        median: part(&medians, 0.5),
        p99: part(&medians, 0.99),
        longest: part(&medians, 1.0),
        count: medians.len(),
    }
}

fn question(url: &str, now_ms: i64) -> Question<'_> {
    Question {
        url,
        kind: ResourceType::MainFrame,
        initiator: None,
        now_ms,
    }
}

/// The value below which this part of them lies.
fn part(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}

fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

fn ms(at: &str) -> i64 {
    let at = chrono::DateTime::parse_from_rfc3339(at).unwrap();
    at.timestamp_millis()
}

fn engine(case: &Case) -> Engine {
    let mut engine = Engine::new();
    if let Err(faults) = engine.set_policy(&case.policy) {
        panic!("{}: {faults}", case.name);
    }
    let lists = lists();
    engine.set_built_in_pack(lists.built_in.unwrap());
    engine.set_school_pack(lists.school);
    engine.set_context(case.context.clone());
    engine
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The repository's own lists, as the built-in pack and once more as a school's.
fn lists() -> Lists {
    let read = |name: &str| fs::read_to_string(root().join("lists").join(name)).unwrap();
    let folder = |name: &str| -> Vec<(String, String)> {
        let files = fs::read_dir(root().join("lists").join(name)).unwrap();
        files
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
            .map(|path| {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                (name, fs::read_to_string(path).unwrap())
            })
            .collect()
    };
    let texts = CoreTexts {
        categories: read("categories.toml"),
        help: read("help.toml"),
        sign_in: read("sign-in.toml"),
        allow: folder("allow"),
        curated: folder("curated"),
    };
    let pack = || {
        let built = build_core_pack(&texts, PackOptions::default());
        Pack::open(built.unwrap().bytes).unwrap()
    };
    Lists::new(Some(pack()), Some(pack()))
}

/// URLs as pupils ask for them: most are not listed, one in ten is.
fn urls() -> Vec<String> {
    let games = fs::read_to_string(root().join("lists/curated/games.txt")).unwrap();
    let listed: Vec<&str> = games
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    (0..URLS)
        .map(|number| {
            let host = if number % 10 == 0 {
                listed[number / 10 % listed.len()].to_owned()
            } else {
                format!("www.lesson-{number}.example.org.uk")
            };
            format!("https://{host}/year-9/unit-{number}/worksheet.html?part=2&of=5&session={number:08x}")
        })
        .collect()
}

fn cases() -> Vec<Case> {
    let school =
        |name: &str| fs::read_to_string(root().join(format!("docs/examples/{name}.json"))).unwrap();
    let cohort = |name: &str| Context {
        cohort: Some(name.to_owned()),
        ..Context::default()
    };
    let chromebook = school("chromebook-school");
    vec![
        Case {
            name: "chromebook_school",
            policy: chromebook.clone(),
            context: cohort("year-11"),
        },
        Case {
            name: "chromebook_school_by_address",
            policy: chromebook.clone(),
            context: Context {
                user: Some("24ahall@school.example".to_owned()),
                ..Context::default()
            },
        },
        Case {
            name: "own_device_school",
            policy: school("own-device-school"),
            context: cohort("year-11"),
        },
        Case {
            name: "five_hundred_rules",
            policy: many_rules(&chromebook, &by_period),
            context: cohort("year-11"),
        },
        Case {
            name: "five_hundred_rules_with_times",
            policy: many_rules(&chromebook, &by_time),
            context: cohort("year-11"),
        },
    ]
}

/// The example with 500 rules: those of its own last, the others never fitting before them.
fn many_rules(text: &str, when: &dyn Fn(usize) -> Value) -> String {
    let mut policy: Value = serde_json::from_str(text).unwrap();
    let own = policy["rules"].as_array().unwrap().clone();
    let before = (0..500 - own.len()).map(|number| {
        json!({
            "name": format!("Rule {number}"),
            "who": ["@pupils"],
            "when": when(number),
            "where": { "in": ["sixth-form-centre"], "proof": "device", "unknown": "applies" },
            "then": { "mode": "filtered" },
        })
    });
    let rules: Vec<Value> = before.chain(own).collect();
    assert_eq!(rules.len(), 500);
    policy["rules"] = json!(rules);
    policy.to_string()
}

/// A rule for a period of one day of the week in one fortnight that is over.
fn by_period(number: usize) -> Value {
    let periods = ["Period 1", "Period 2", "Period 3", "Period 4", "Period 5"];
    let days = ["mon", "tue", "wed", "thu", "fri"];
    json!({
        "periods": [periods[number % 5]],
        "days": [days[number / 5 % 5]],
        "dates": [{ "first": "2026-09-07", "last": "2026-09-18" }],
    })
}

/// A rule for five minutes of their own on Saturdays, when there is no school.
fn by_time(number: usize) -> Value {
    let minute = 510 + number % 84 * 5;
    let text = |minute: usize| format!("{:02}:{:02}", minute / 60, minute % 60);
    json!({
        "days": ["sat"],
        "times": [{ "start": text(minute), "end": text(minute + 5) }],
    })
}
