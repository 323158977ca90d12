//! The locked illegal layer: over everything, at every hour, and never told apart from it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use bellgate_core::context::{Context, Exception, ExceptionScope};
use bellgate_core::decide::Action;
use bellgate_core::engine::{Decision, Engine, Question};
use bellgate_core::event::{EventKind, Navigation};
use bellgate_core::expression::Entry;
use bellgate_core::list::build::{PackBuilder, PackOptions};
use bellgate_core::list::{Pack, PackLayout, SecretKey};
use bellgate_core::lists::{LockError, LockedSlot};
use bellgate_core::reason::ReasonCode;
use bellgate_core::request::ResourceType;

const KEY: [u8; 16] = *b"one per school..";
const LESSON_MS: i64 = 1_795_428_000_000; // 2026-11-23T10:00:00Z, a Monday
const EVENING_MS: i64 = LESSON_MS + 10 * 3_600_000;

fn keyed(sequence: u64, texts: &[&str]) -> Pack {
    let mut builder = PackBuilder::new(PackOptions {
        sequence,
        secret_key: Some(SecretKey::from_bytes(KEY)),
        ..PackOptions::default()
    });
    builder.add_category(0, "illegal").unwrap();
    for text in texts {
        builder.add(&Entry::parse(text).unwrap(), 0);
    }
    Pack::open_keyed(builder.build().unwrap().bytes, SecretKey::from_bytes(KEY)).unwrap()
}

fn open_pack(category: &str, texts: &[&str]) -> Pack {
    let mut builder = PackBuilder::new(PackOptions::default());
    builder.add_category(0, category).unwrap();
    for text in texts {
        builder.add(&Entry::parse(text).unwrap(), 0);
    }
    Pack::open(builder.build().unwrap().bytes).unwrap()
}

fn example() -> Engine {
    let mut engine = Engine::new();
    let policy = include_str!("../../../docs/examples/chromebook-school.json");
    engine.set_policy(policy).unwrap();
    engine.set_context(Context {
        cohort: Some("year-9".into()),
        user: Some("22someone@school.example".into()),
        ..Context::default()
    });
    engine
}

fn locked() -> Engine {
    let mut engine = example();
    engine
        .lock(
            LockedSlot::Iwf,
            keyed(3, &["host.example", "mixed.example/one/page"]),
        )
        .unwrap();
    engine
        .lock(LockedSlot::Ctiru, keyed(1, &["terror.example"]))
        .unwrap();
    engine
}

fn question(url: &str, kind: ResourceType, now_ms: i64) -> Question<'_> {
    Question {
        url,
        kind,
        initiator: None,
        now_ms,
    }
}

fn decided(engine: &mut Engine, url: &str, now_ms: i64) -> Decision {
    engine.decide(question(url, ResourceType::MainFrame, now_ms))
}

#[test]
fn the_locked_layer_blocks_in_every_period_and_for_every_kind_of_request() {
    let mut engine = locked();
    for now_ms in [LESSON_MS, EVENING_MS] {
        for url in [
            "https://host.example/",
            "https://cdn.HOST.example:8443/a?b",
            "https://mixed.example/one/page",
            "https://mixed.example/one//%70age?x#y",
            "view-source:https://host.example/",
        ] {
            for kind in [
                ResourceType::MainFrame,
                ResourceType::Image,
                ResourceType::Websocket,
            ] {
                let answer = engine.verdict(question(url, kind, now_ms));
                assert_eq!(
                    answer,
                    (Action::Block, ReasonCode::Illegal),
                    "{url} {kind:?} {now_ms}"
                );
            }
        }
        for url in ["https://mixed.example/", "https://mixed.example/one/pages"] {
            assert_ne!(
                decided(&mut engine, url, now_ms).reason.code,
                ReasonCode::Illegal,
                "{url}"
            );
        }
    }
}

#[test]
fn neither_help_nor_an_allowlist_nor_an_exception_lifts_it() {
    let mut engine = locked();
    engine.set_built_in_pack(open_pack("help", &["host.example"]));
    engine.set_school_pack(Some(open_pack("education", &["terror.example"])));
    engine.set_context(Context {
        exceptions: vec![Exception {
            id: "all".into(),
            not_before_ms: 0,
            not_after_ms: i64::MAX,
            scope: ExceptionScope::Entries(vec!["host.example".into(), "terror.example".into()]),
            off_site: true,
            outside_lessons: true,
        }],
        ..Context::default()
    });
    for url in ["https://host.example/", "https://terror.example/"] {
        assert_eq!(
            decided(&mut engine, url, LESSON_MS).reason.code,
            ReasonCode::Illegal,
            "{url}"
        );
    }
}

#[test]
fn nothing_older_and_nothing_open_replaces_what_is_locked() {
    let mut engine = locked();
    let older = engine.lock(LockedSlot::Iwf, keyed(2, &["other.example"]));
    assert_eq!(
        older,
        Err(LockError::Older {
            offered: 2,
            held: 3
        })
    );
    let open = engine.lock(LockedSlot::Ctiru, open_pack("illegal", &["other.example"]));
    assert_eq!(open, Err(LockError::NotKeyed));
    for url in ["https://host.example/", "https://terror.example/"] {
        assert_eq!(
            decided(&mut engine, url, LESSON_MS).action,
            Action::Block,
            "{url}"
        );
    }
    engine
        .lock(LockedSlot::Iwf, keyed(4, &["other.example"]))
        .unwrap();
    assert_eq!(
        decided(&mut engine, "https://other.example/", LESSON_MS).action,
        Action::Block
    );
}

#[test]
fn a_decision_names_the_list_and_never_the_entry() {
    let mut engine = locked();
    for (url, list) in [
        ("https://mixed.example/one/page", "iwf"),
        ("https://terror.example/", "ctiru"),
    ] {
        let reason = decided(&mut engine, url, LESSON_MS).reason;
        assert_eq!(reason.category.as_deref(), Some(list));
        assert_eq!((reason.rule, reason.entry), (None, None));
    }
}

#[test]
fn an_event_carries_the_keyed_id_of_the_entry_and_no_address() {
    let mut engine = locked();
    engine.set_subject_key(b"key");
    let page = |url| question(url, ResourceType::MainFrame, LESSON_MS);
    let one = engine
        .event(page("https://host.example/a"), Navigation::Own)
        .unwrap();
    let other = engine
        .event(page("https://www.host.example/b"), Navigation::Own)
        .unwrap();
    let third = engine
        .event(page("https://terror.example/"), Navigation::Own)
        .unwrap();
    assert_eq!(one.kind, EventKind::Block);
    assert_eq!(one.url, None);
    let id = one.entry_key.unwrap();
    assert!(
        id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()),
        "{id}"
    );
    assert_eq!(
        other.entry_key.as_deref(),
        Some(id.as_str()),
        "one entry has one id"
    );
    assert_ne!(third.entry_key.as_deref(), Some(id.as_str()));
    assert!(
        !serde_json::to_string(&engine.event(page("https://host.example/a"), Navigation::Own))
            .unwrap()
            .contains("host.example")
    );
}

#[test]
fn outside_school_hours_it_is_a_number_without_a_name() {
    let mut engine = locked();
    engine.set_subject_key(b"key");
    let page = question("https://host.example/", ResourceType::MainFrame, EVENING_MS);
    let event = engine.event(page, Navigation::Own).unwrap();
    assert_eq!(
        (event.kind, event.subject, event.url),
        (EventKind::Count, None, None)
    );
}

#[test]
fn a_damaged_locked_list_blocks_what_it_cannot_tell_but_closes_no_help() {
    let mut builder = PackBuilder::new(PackOptions {
        secret_key: Some(SecretKey::from_bytes(KEY)),
        ..PackOptions::default()
    });
    builder.add_category(0, "illegal").unwrap();
    for host in ["host.example", "childline.org.uk"] {
        builder.add(&Entry::parse(host).unwrap(), 0);
    }
    // The blocks are not there: whatever passes the bloom filter cannot be told.
    let bytes = builder.build().unwrap().bytes;
    let layout = PackLayout::read(&bytes).unwrap();
    let (header, rest) = bytes.split_at(layout.header_bytes);
    let bloom = rest[..layout.bloom_bytes].to_vec();
    let part = Pack::open_parts(header, bloom, Some(SecretKey::from_bytes(KEY))).unwrap();

    let mut engine = example();
    engine.set_built_in_pack(open_pack("help", &["childline.org.uk"]));
    engine.lock(LockedSlot::Iwf, part).unwrap();
    let blocked = decided(&mut engine, "https://host.example/", LESSON_MS);
    assert_eq!(
        (blocked.action, blocked.reason.code),
        (Action::Block, ReasonCode::Fault)
    );
    assert!(engine.take_pack_fault().is_some());
    let help = decided(&mut engine, "https://www.childline.org.uk/", LESSON_MS);
    assert_eq!(
        (help.action, help.reason.code),
        (Action::Allow, ReasonCode::Help)
    );
}
