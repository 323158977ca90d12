//! Which categories a supervised exception lifts: those of lists/categories.toml, in the
//! language and in the decision alike.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use bellgate_core::context::{Context, Exception, ExceptionScope};
use bellgate_core::engine::{Engine, Question};
use bellgate_core::expression::Entry;
use bellgate_core::list::Pack;
use bellgate_core::list::build::{PackBuilder, PackOptions};
use bellgate_core::lists::Lists;
use bellgate_core::request::ResourceType;
use bellgate_core::standing::{ActiveException, Filter};
use serde_json::json;

/// A category that a policy may block: its id, and whether an exception lifts it.
fn categories() -> Vec<(String, bool)> {
    let text = include_str!("../../../lists/categories.toml");
    let table: toml::Table = text.parse().unwrap();
    let rows = table["category"].as_array().unwrap().iter();
    rows.filter(|row| row["kind"].as_str() == Some("block"))
        .map(|row| {
            let id = row["id"].as_str().unwrap().to_owned();
            (id, row["exception_may_lift"].as_bool().unwrap())
        })
        .collect()
}

/// A host for each category.
fn pack() -> Pack {
    let mut builder = PackBuilder::new(PackOptions::default());
    for (number, (id, _)) in categories().iter().enumerate() {
        builder.add_category(number as u8, id).unwrap();
        let host = Entry::parse(&format!("{id}.example")).unwrap();
        builder.add(&host, number as u8);
    }
    Pack::open(builder.build().unwrap().bytes).unwrap()
}

#[test]
fn a_decision_lifts_what_the_catalogue_lets_it_lift() {
    let all: Vec<String> = categories().into_iter().map(|(id, _)| id).collect();
    let policy = json!({
        "bellgate": 1,
        "version": "1",
        "school": {"name": "School", "timezone": "Europe/London"},
        "cohorts": {"pupils": {"kind": "pupil", "filter": "pupils"}},
        "calendar": {"terms": [{"first": "2026-09-03", "last": "2026-12-18"}]},
        "timetables": [{"name": "Day", "periods": [
            {"name": "Lessons", "kind": "lesson", "start": "09:00", "end": "15:30"}]}],
        "filters": {"pupils": {"block": all}},
        "rules": [{"name": "Lessons", "who": ["@everyone"], "then": {"mode": "filtered"}}],
        "outside_school_hours": {"pupils": "open", "staff": "open"},
        "exceptions": {"who": ["@everyone"], "kinds": ["lesson"], "max_minutes": 60}
    });
    let now_ms = chrono::DateTime::parse_from_rfc3339("2026-11-23T10:00:00Z")
        .unwrap()
        .timestamp_millis();
    let mut engine = Engine::new();
    assert!(engine.set_policy(&policy.to_string()).is_ok());
    engine.set_school_pack(Some(pack()));
    let asked = categories();
    assert!(asked.len() > 50, "{}", asked.len());
    for (id, may_lift) in asked {
        let context = |exceptions| Context {
            cohort: Some("pupils".to_owned()),
            exceptions,
            ..Context::default()
        };
        let mut decide = |exceptions| {
            engine.set_context(context(exceptions));
            let decision = engine.decide(Question {
                url: &format!("https://{id}.example/"),
                kind: ResourceType::MainFrame,
                initiator: None,
                now_ms,
            });
            decision.reason.code.as_str()
        };
        assert_eq!(decide(Vec::new()), "category", "{id}");
        let lifted = decide(vec![Exception {
            id: "e".to_owned(),
            not_before_ms: now_ms - 1,
            not_after_ms: now_ms + 60_000,
            scope: ExceptionScope::Categories(vec![id.clone()]),
            off_site: false,
            outside_lessons: false,
        }]);
        let wanted = if may_lift { "exception" } else { "category" };
        assert_eq!(lifted, wanted, "{id}");
    }
}

#[test]
fn the_decision_alone_refuses_what_a_faulty_caller_would_lift() {
    let lists = Lists::new(None, Some(pack()));
    let all: Vec<String> = categories().into_iter().map(|(id, _)| id).collect();
    let filter = Filter {
        block: all.clone(),
        ..Filter::default()
    };
    let exception = ActiveException {
        id: "e".to_owned(),
        entries: bellgate_core::list::EntrySet::default(),
        categories: all,
        opens_closed_period: false,
    };
    let masks = lists.masks(&filter, &[exception]).school;
    for (number, (id, may_lift)) in categories().iter().enumerate() {
        assert_eq!(masks.lifted >> number & 1 == 1, *may_lift, "{id}");
    }
}
