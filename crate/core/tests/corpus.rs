//! The corpus: who asks for what, when and where, and what must come out and why.
//!
//! `tests/corpus/*.toml` holds the cases and `tests/corpus/lists.toml` the lists. The same
//! cases go through the extension's wasm, and those marked `browser` through Chromium.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use bellgate_core::context::{
    Acknowledgement, Context, Exception, ExceptionScope, Place, PlaceProof,
};
use bellgate_core::engine::{Engine, Question};
use bellgate_core::expression::Entry;
use bellgate_core::list::Pack;
use bellgate_core::list::build::{PackBuilder, PackOptions};
use bellgate_core::request::ResourceType;
use chrono::DateTime;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    policy: String,
    case: Vec<Case>,
}

/// A question, and the answer as far as the case states it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    cohort: Option<String>,
    user: Option<String>,
    #[serde(default)]
    groups: Vec<String>,
    network: Option<String>,
    at: String,
    url: String,
    r#type: Option<String>,
    initiator: Option<String>,
    /// Category and instant of each notice acknowledged.
    #[serde(default)]
    acknowledged: Vec<(String, String)>,
    accepted: Option<String>,
    exam: Option<String>,
    exception: Option<CaseException>,
    action: String,
    code: String,
    rule: Option<String>,
    category: Option<String>,
    entry: Option<String>,
    /// Name of the period.
    period: Option<String>,
    /// Kind of the period.
    kind: Option<String>,
    /// The next change.
    next: Option<String>,
    /// Whether it is also asked in Chromium.
    #[serde(default)]
    browser: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseException {
    id: String,
    from: String,
    until: String,
    entries: Option<Vec<String>>,
    categories: Option<Vec<String>>,
    #[serde(default)]
    closed_period: bool,
    #[serde(default)]
    off_site: bool,
}

#[derive(Deserialize)]
struct ListFile {
    built_in: BTreeMap<String, Vec<String>>,
    school: BTreeMap<String, Vec<String>>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn pack(categories: &BTreeMap<String, Vec<String>>) -> Pack {
    let mut builder = PackBuilder::new(PackOptions::default());
    for (number, (name, texts)) in categories.iter().enumerate() {
        builder.add_category(number as u8, name).unwrap();
        for text in texts {
            builder.add(&Entry::parse(text).unwrap(), number as u8);
        }
    }
    Pack::open(builder.build().unwrap().bytes).unwrap()
}

fn engine(policy: &str, lists: &ListFile) -> Engine {
    let mut engine = Engine::new();
    let text = fs::read_to_string(root().join(policy)).unwrap();
    if let Err(faults) = engine.set_policy(&text) {
        panic!("{policy}: {faults}");
    }
    engine.set_built_in_pack(pack(&lists.built_in));
    engine.set_school_pack(Some(pack(&lists.school)));
    engine
}

fn ms(at: &str) -> i64 {
    DateTime::parse_from_rfc3339(at).unwrap().timestamp_millis()
}

fn context(case: &Case) -> Context {
    let exceptions = case.exception.iter().map(|exception| Exception {
        id: exception.id.clone(),
        not_before_ms: ms(&exception.from),
        not_after_ms: ms(&exception.until),
        scope: match (&exception.entries, &exception.categories) {
            (Some(entries), _) => ExceptionScope::Entries(entries.clone()),
            (None, Some(categories)) => ExceptionScope::Categories(categories.clone()),
            (None, None) => {
                assert!(
                    exception.closed_period,
                    "{}: an exception for nothing",
                    case.name
                );
                ExceptionScope::ClosedPeriod
            }
        },
        off_site: exception.off_site,
        outside_lessons: false,
    });
    Context {
        cohort: case.cohort.clone(),
        user: case.user.clone(),
        groups: case.groups.clone(),
        place: case
            .network
            .as_ref()
            .map_or(Place::Unknown, |address| Place::Address {
                address: address.parse().unwrap(),
                proof: PlaceProof::Stated,
            }),
        acknowledgements: case
            .acknowledged
            .iter()
            .map(|(category, at)| Acknowledgement {
                category: category.clone(),
                at_ms: ms(at),
            })
            .collect(),
        accepted_version: case.accepted.clone(),
        exam: case.exam.clone(),
        exceptions: exceptions.collect(),
        ..Context::default()
    }
}

/// What differs from what the case states.
fn differences(case: &Case, engine: &mut Engine) -> Vec<String> {
    engine.set_context(context(case));
    let kind = case.r#type.as_deref().unwrap_or("main_frame");
    let decision = engine.decide(Question {
        url: &case.url,
        kind: ResourceType::from_name(kind).unwrap(),
        initiator: case.initiator.as_deref(),
        now_ms: ms(&case.at),
    });
    let action = serde_json::to_value(decision.action).unwrap();
    let period = decision.period.as_ref();
    let next = decision.next_change_at.map(|at| ms(&at).to_string());
    let wanted = |wanted: &Option<String>| wanted.clone();
    let pairs = [
        (
            "action",
            Some(case.action.clone()),
            action.as_str().map(str::to_owned),
        ),
        (
            "code",
            Some(case.code.clone()),
            Some(decision.reason.code.as_str().to_owned()),
        ),
        ("rule", wanted(&case.rule), decision.reason.rule),
        ("category", wanted(&case.category), decision.reason.category),
        ("entry", wanted(&case.entry), decision.reason.entry),
        (
            "period",
            wanted(&case.period),
            period.map(|period| period.name.clone()),
        ),
        (
            "kind",
            wanted(&case.kind),
            period.map(|period| period.kind.clone()),
        ),
        (
            "next",
            case.next.as_deref().map(|at| ms(at).to_string()),
            next,
        ),
    ];
    pairs
        .into_iter()
        .filter(|(_, wanted, found)| wanted.is_some() && wanted != found)
        .map(|(what, wanted, found)| format!("{what}: {wanted:?} wanted, {found:?} found"))
        .collect()
}

#[test]
fn every_case_of_the_corpus_is_decided_as_it_states() {
    let folder = root().join("tests/corpus");
    let lists = fs::read_to_string(folder.join("lists.toml")).unwrap();
    let lists: ListFile = toml::from_str(&lists).unwrap();
    let mut engines: HashMap<String, Engine> = HashMap::new();
    let (mut asked, mut in_browser, mut wrong) = (0, 0, Vec::new());
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let is_list = path.file_name().is_some_and(|name| name == "lists.toml");
        if is_list || path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let file: File = toml::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let engine = engines
            .entry(file.policy.clone())
            .or_insert_with(|| engine(&file.policy, &lists));
        for case in &file.case {
            asked += 1;
            in_browser += usize::from(case.browser);
            let differences = differences(case, engine);
            if !differences.is_empty() {
                wrong.push(format!("{}: {}", case.name, differences.join("; ")));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {asked} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    // So that none can vanish.
    assert!(asked >= 536, "only {asked} cases");
    assert!(in_browser >= 25, "only {in_browser} cases for the browser");
}
