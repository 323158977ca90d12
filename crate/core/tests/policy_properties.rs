//! What holds of every policy: random ones, and texts that were damaged at random.
//!
//! `BELLGATE_SOAK=1` tries twenty times as many.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod random;

use std::sync::OnceLock;

use bellgate_core::context::{Context, Exception, ExceptionScope};
use bellgate_core::decide::Action;
use bellgate_core::engine::{Engine, Question};
use bellgate_core::expression::Entry;
use bellgate_core::list::Pack;
use bellgate_core::list::build::{PackBuilder, PackOptions};
use bellgate_core::policy::{FaultCode, Policy};
use bellgate_core::request::ResourceType;
use serde_json::{Value, json};

use random::Random;

/// Each list of the packs, and the one host in it.
const LISTED: [(&str, &str); 10] = [
    ("help", "help.example"),
    ("help-crisis", "crisis.example"),
    ("education", "learn.example"),
    ("sign-in", "sign-in.example"),
    ("adult", "adult.example"),
    ("games", "games.example"),
    ("ai-tools", "ai.example"),
    ("shopping", "shop.example"),
    ("webmail", "mail.example"),
    ("malware", "malware.example"),
];
/// Hosts that random policies and contexts name, and one that nothing names.
const NAMED: [&str; 5] = [
    "school.example",
    "exams.example",
    "club.example",
    "video.example",
    "unlisted.example",
];

fn rounds(usual: u64) -> u64 {
    if std::env::var_os("BELLGATE_SOAK").is_some() {
        usual * 20
    } else {
        usual
    }
}

fn pack() -> Pack {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = BYTES.get_or_init(|| {
        let mut builder = PackBuilder::new(PackOptions::default());
        for (number, (category, host)) in LISTED.iter().enumerate() {
            builder.add_category(number as u8, category).unwrap();
            builder.add(&Entry::parse(host).unwrap(), number as u8);
        }
        builder.build().unwrap().bytes
    });
    Pack::open(bytes.clone()).unwrap()
}

fn engine(text: &str) -> Engine {
    let mut engine = Engine::new();
    if let Err(faults) = engine.set_policy(text) {
        panic!("{faults}\n{text}");
    }
    engine.set_built_in_pack(pack());
    engine
}

/// Action, code and rule for every host, as a page and as a picture in a page.
fn decisions(engine: &mut Engine, now_ms: i64) -> Vec<(Action, &'static str, Option<String>)> {
    let hosts = LISTED.iter().map(|(_, host)| *host).chain(NAMED);
    let mut made = Vec::new();
    for host in hosts {
        let page = format!("https://{host}/a");
        for (kind, initiator) in [
            (ResourceType::MainFrame, None),
            (ResourceType::Image, Some("https://unlisted.example/")),
        ] {
            let decision = engine.decide(Question {
                url: &page,
                kind,
                initiator,
                now_ms,
            });
            made.push((
                decision.action,
                decision.reason.code.as_str(),
                decision.reason.rule,
            ));
        }
    }
    made
}

#[test]
fn a_decision_is_the_same_until_the_next_change() {
    let mut compared = 0;
    for seed in 0..rounds(100) {
        let mut random = Random::new(seed);
        let text = random.policy();
        let context = random.context();
        let mut now_ms = random.instant();
        let mut one = engine(&text);
        one.set_context(context.clone());
        for _ in 0..8 {
            let Some(next_ms) = one.standing(now_ms).next_change_at_ms else {
                now_ms = random.instant();
                continue;
            };
            let now = decisions(&mut one, now_ms);
            let within_ms = [
                now_ms + random.below((next_ms - now_ms) as u64) as i64,
                next_ms - 1,
            ];
            for at_ms in within_ms {
                // An engine that is asked for the first time keeps nothing from before.
                let mut fresh = engine(&text);
                fresh.set_context(context.clone());
                assert_eq!(
                    decisions(&mut fresh, at_ms),
                    now,
                    "seed {seed}: from {now_ms}, at {at_ms}, next {next_ms}"
                );
                compared += 1;
            }
            now_ms = next_ms;
        }
    }
    assert!(compared > 700, "only {compared} compared");
}

/// A supervised exception that holds now, as far as the policy lets it.
fn exception(random: &mut Random, now_ms: i64) -> Exception {
    let categories = ["adult", "games", "ai-tools", "malware", "shopping"];
    let scopes = [
        ExceptionScope::Entries(vec!["games.example".into(), "adult.example".into()]),
        ExceptionScope::Categories(categories.map(str::to_owned).to_vec()),
        ExceptionScope::ClosedPeriod,
    ];
    Exception {
        id: "more".to_owned(),
        not_before_ms: now_ms - 1,
        not_after_ms: now_ms + 60_000,
        scope: scopes[random.below(3) as usize].clone(),
        off_site: random.below(2) == 0,
        outside_lessons: random.below(2) == 0,
    }
}

/// How much an action opens.
fn openness(action: Action) -> u8 {
    match action {
        Action::Block => 0,
        Action::Notice => 1,
        Action::Allow => 2,
    }
}

#[test]
fn an_exception_more_never_blocks_more() {
    let (mut asked, mut opened) = (0, 0);
    for seed in 0..rounds(200) {
        let mut random = Random::new(seed);
        let mut policy: Value = serde_json::from_str(&random.policy()).unwrap();
        policy["exceptions"] = json!({
            "who": ["@everyone"], "kinds": ["lesson", "break", "lunch", "prep"], "max_minutes": 60
        });
        let mut engine = engine(&policy.to_string());
        let context = random.context();
        for _ in 0..10 {
            let now_ms = random.instant();
            engine.set_context(context.clone());
            let before = decisions(&mut engine, now_ms);
            let mut with = context.clone();
            with.exceptions.push(exception(&mut random, now_ms));
            engine.set_context(with);
            let after = decisions(&mut engine, now_ms);
            for (before, after) in before.iter().zip(&after) {
                asked += 1;
                opened += usize::from(openness(after.0) > openness(before.0));
                assert!(
                    openness(after.0) >= openness(before.0),
                    "seed {seed} at {now_ms}: {before:?} became {after:?}\n{policy}"
                );
            }
        }
    }
    assert!(opened * 200 > asked, "{opened} of {asked} opened");
}

#[test]
fn a_grant_more_never_blocks_more() {
    let (mut asked, mut opened) = (0, 0);
    for seed in 0..rounds(100) {
        let mut random = Random::new(seed);
        let text = random.policy();
        let mut policy: Value = serde_json::from_str(&text).unwrap();
        policy["grants"].as_array_mut().unwrap().push(json!({
            "name": "One more", "who": ["@everyone"], "entries": ["games.example", "unlisted.example"],
            "when": {"hours": "always"}, "until": "2028-12-31"
        }));
        let (mut one, mut other) = (engine(&text), engine(&policy.to_string()));
        let context = random.context();
        one.set_context(context.clone());
        other.set_context(context);
        for _ in 0..10 {
            let now_ms = random.instant();
            let pairs = decisions(&mut one, now_ms).into_iter();
            for (before, after) in pairs.zip(decisions(&mut other, now_ms)) {
                asked += 1;
                opened += usize::from(openness(after.0) > openness(before.0));
                assert!(
                    openness(after.0) >= openness(before.0),
                    "seed {seed} at {now_ms}: {before:?} became {after:?}\n{text}"
                );
            }
        }
    }
    assert!(opened > 0, "nothing of {asked} opened");
}

/// No list of illegal material can be loaded yet, so the layer that no policy lifts is
/// stood in for by the categories that no exception lifts as a whole.
#[test]
fn a_category_that_nothing_lifts_stays_shut_whatever_exceptions_name_it() {
    let mut shut = 0;
    for seed in 0..rounds(150) {
        let mut random = Random::new(seed);
        let mut policy: Value = serde_json::from_str(&random.policy()).unwrap();
        policy["exceptions"] = json!({
            "who": ["@everyone"], "kinds": ["lesson", "break", "lunch", "prep"], "max_minutes": 480
        });
        let mut engine = engine(&policy.to_string());
        let context = random.context();
        for _ in 0..10 {
            let now_ms = random.instant();
            let mut asked = |exceptions: Vec<Exception>| {
                engine.set_context(Context {
                    exceptions,
                    ..context.clone()
                });
                let decision = engine.decide(Question {
                    url: "https://adult.example/",
                    kind: ResourceType::MainFrame,
                    initiator: None,
                    now_ms,
                });
                (decision.action, decision.reason.code.as_str())
            };
            let without = asked(Vec::new());
            let with = asked(vec![Exception {
                scope: ExceptionScope::Categories(vec!["adult".to_owned()]),
                off_site: true,
                outside_lessons: true,
                ..exception(&mut random, now_ms)
            }]);
            assert_eq!(without, with, "seed {seed} at {now_ms}");
            shut += usize::from(without == (Action::Block, "category"));
        }
    }
    assert!(shut > 250, "shut only {shut} times");
}

/// A value as JSON, the keys of every object in an order of their own.
fn shuffled(value: &Value, random: &mut Random) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| shuffled(item, random)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(fields) => {
            let mut parts: Vec<String> = fields
                .iter()
                .map(|(key, field)| format!("{}:{}", json!(key), shuffled(field, random)))
                .collect();
            for last in (1..parts.len()).rev() {
                parts.swap(last, random.below(last as u64 + 1) as usize);
            }
            format!("{{{}}}", parts.join(","))
        }
        other => other.to_string(),
    }
}

#[test]
fn the_order_of_unrelated_keys_changes_no_decision() {
    for seed in 0..rounds(100) {
        let mut random = Random::new(seed);
        let text = random.policy();
        let value: Value = serde_json::from_str(&text).unwrap();
        let other = shuffled(&value, &mut random);
        let context = random.context();
        let (mut one, mut two) = (engine(&text), engine(&other));
        one.set_context(context.clone());
        two.set_context(context);
        for _ in 0..10 {
            let now_ms = random.instant();
            assert_eq!(
                one.standing(now_ms).next_change_at_ms,
                two.standing(now_ms).next_change_at_ms,
                "seed {seed} at {now_ms}\n{other}"
            );
            assert_eq!(
                decisions(&mut one, now_ms),
                decisions(&mut two, now_ms),
                "seed {seed} at {now_ms}\n{other}"
            );
        }
    }
}

/// A text with some damage: bytes, pieces, values, keys.
fn damaged(text: &str, random: &mut Random) -> String {
    const PIECES: [&str; 24] = [
        "null",
        "true",
        "-1",
        "1e400",
        "4294967296",
        "0.5",
        "\"\"",
        "[]",
        "{}",
        "[[[[",
        "\"24:00\"",
        "\"25:61\"",
        "\"2027-02-30\"",
        "\"9999-12-31\"",
        "\"0000-01-01\"",
        "\"@everyone\"",
        "\"sha256:00\"",
        "\"0.0.0.0/0\"",
        "\"::/129\"",
        "\"{entry_yy}{{{\"",
        "\"a\\u0000b\"",
        "\"\u{202e}ß.example/%zz\"",
        ",",
        "\"$comment\":1,",
    ];
    if random.below(3) == 0 {
        // A valid JSON text with one value replaced by another.
        let mut value: Value = serde_json::from_str(text).unwrap();
        let count = places(&mut value, &mut |_| false);
        let mut chosen = random.below(count as u64) as usize;
        let piece = PIECES[random.below(21) as usize];
        let with: Value = serde_json::from_str(piece).unwrap_or(Value::Null);
        places(&mut value, &mut |place| {
            if chosen == 0 {
                *place = with.clone();
                return true;
            }
            chosen -= 1;
            false
        });
        return value.to_string();
    }
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() as u64) as usize;
        let end = (at + random.below(40) as usize).min(bytes.len());
        match random.below(5) {
            0 => bytes[at] = random.below(128) as u8,
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => {
                let piece = PIECES[random.below(PIECES.len() as u64) as usize];
                bytes.splice(at..at, piece.bytes());
            }
            _ => bytes.truncate(at.max(2)),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Shows every value of a tree to `visit`, until it says that it is done; gives their number.
fn places(value: &mut Value, visit: &mut dyn FnMut(&mut Value) -> bool) -> usize {
    fn walk(
        value: &mut Value,
        count: &mut usize,
        visit: &mut dyn FnMut(&mut Value) -> bool,
    ) -> bool {
        *count += 1;
        if visit(value) {
            return true;
        }
        match value {
            Value::Array(items) => items.iter_mut().any(|item| walk(item, count, visit)),
            Value::Object(fields) => fields.values_mut().any(|field| walk(field, count, visit)),
            _ => false,
        }
    }
    let mut count = 0;
    walk(value, &mut count, visit);
    count
}

#[test]
fn a_damaged_policy_never_panics_and_every_fault_has_a_place_and_words() {
    let examples = [
        include_str!("../../../docs/examples/chromebook-school.json"),
        include_str!("../../../docs/examples/own-device-school.json"),
    ];
    let (mut refused, mut still_valid, mut faults_seen) = (0, 0, 0);
    for seed in 0..rounds(3_000) {
        let mut random = Random::new(seed);
        let whole = match random.below(4) {
            0 | 1 => random.policy(),
            number => examples[number as usize - 2].to_owned(),
        };
        let text = damaged(&whole, &mut random);
        match Policy::parse(&text) {
            Ok((policy, warnings)) => {
                still_valid += 1;
                for warning in warnings {
                    assert!(warning.path.starts_with('/'), "seed {seed}: {warning:?}");
                }
                let context = random.context();
                let now_ms = random.instant();
                let standing = policy.standing(&context, now_ms);
                assert!(
                    standing.next_change_at_ms.is_none_or(|next| next > now_ms),
                    "seed {seed}"
                );
            }
            Err(faults) => {
                refused += 1;
                assert!(!faults.0.is_empty(), "seed {seed}");
                let value: Option<Value> = serde_json::from_str(&text).ok();
                for fault in &faults.0 {
                    faults_seen += 1;
                    assert!(!fault.message.is_empty(), "seed {seed}: {fault:?}");
                    if fault.path.is_empty() {
                        // The whole text is the place.
                        continue;
                    }
                    assert!(fault.path.starts_with('/'), "seed {seed}: {fault:?}");
                    assert_ne!(fault.code, FaultCode::NotJson, "seed {seed}: {fault:?}");
                    if let Some(value) = &value {
                        let parent = fault.path.rsplit_once('/').unwrap().0;
                        assert!(
                            value.pointer(parent).is_some(),
                            "seed {seed}: nothing is at {}\n{text}",
                            fault.path
                        );
                    }
                }
            }
        }
    }
    assert!(
        refused > 1_500 && still_valid > 50,
        "{refused} refused, {still_valid} valid"
    );
    assert!(
        faults_seen > refused,
        "{faults_seen} faults of {refused} texts"
    );
}
