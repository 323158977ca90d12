//! Each layer of the decision against its neighbours, without a policy in between.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use std::sync::Arc;

use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::decide::{Action, Initiator, decide};
use bellgate_core::expression::Entry;
use bellgate_core::list::build::{PackBuilder, PackOptions};
use bellgate_core::list::{EntrySet, Pack};
use bellgate_core::lists::Lists;
use bellgate_core::reason::ReasonCode::{self, *};
use bellgate_core::request::ResourceType::{self, *};
use bellgate_core::standing::{
    ActiveException, Filter, HelpScope, Mode, Opening, OpeningKind, Period, Recording, Reporting,
    Standing,
};

fn entries(texts: &[&str]) -> EntrySet {
    let parsed: Vec<Entry> = texts
        .iter()
        .map(|text| Entry::parse(text).unwrap())
        .collect();
    parsed.iter().collect()
}

fn pack(categories: &[(&str, &[&str])]) -> Pack {
    let mut builder = PackBuilder::new(PackOptions::default());
    for (number, (name, texts)) in categories.iter().enumerate() {
        builder.add_category(number as u8, name).unwrap();
        for text in *texts {
            builder.add(&Entry::parse(text).unwrap(), number as u8);
        }
    }
    Pack::open(builder.build().unwrap().bytes).unwrap()
}

fn lists() -> Lists {
    let built_in = pack(&[
        ("help", &["childline.org.uk", "nhs.uk"]),
        ("help-crisis", &["samaritans.org"]),
        ("education", &["raspberrypi.org", "docs.google.com"]),
        ("sign-in", &["accounts.google.com"]),
        (
            "games",
            &["only-built-in.example", "school-names-it-not.example"],
        ),
        ("dating", &["dating.example"]),
    ]);
    let school = pack(&[
        ("games", &["lichess.org", "poki.com", "news.example/games"]),
        (
            "adult",
            &[
                "adult.example",
                "nhs.uk",
                "projects.raspberrypi.org",
                "raspberrypi.org",
            ],
        ),
        ("proxies", &["docs.google.com/presentation/d/unblocker"]),
        ("ai-tools", &["chatbot.example"]),
    ]);
    Lists::new(Some(built_in), Some(school))
}

fn standing(mode: Mode) -> Standing {
    Standing {
        mode,
        rule: "the rule".into(),
        period: Some(Period {
            name: "Period 1".into(),
            kind: "lesson".into(),
            starts_at_ms: 0,
            ends_at_ms: 1000,
        }),
        next_change_at_ms: Some(1000),
        recording: Recording::Named,
        reporting: Reporting::default(),
        filter: Arc::new(Filter {
            name: "pupils".into(),
            block: ["games", "adult", "proxies", "dating"]
                .map(String::from)
                .to_vec(),
            notice: vec!["ai-tools".into()],
            allow: entries(&["poki.com/education", "news.example"]).into(),
            deny: entries(&["forum.example", "poki.com/education"]).into(),
            ..Filter::default()
        }),
        openings: Vec::new(),
        help: HelpScope::All,
        help_closed: Arc::default(),
        observe: false,
        doubt: None,
        acceptance: None,
        exceptions: Vec::new(),
    }
}

fn opened(mut standing: Standing, kind: OpeningKind, texts: &[&str]) -> Standing {
    let entries = Arc::new(entries(texts));
    standing.openings.push(Opening {
        kind,
        rule: "an opening".into(),
        entries,
    });
    standing
}

fn ask_from(
    standing: &Standing,
    url: &str,
    kind: ResourceType,
    initiator: Option<&str>,
) -> (Action, ReasonCode) {
    let lists = lists();
    let (mut memory, mut initiator_memory) = (Scratch::new(), Scratch::new());
    let url = CanonicalUrl::parse(url, &mut memory).unwrap();
    let page = initiator.map(|text| CanonicalUrl::parse(text, &mut initiator_memory).unwrap());
    let initiator = page.as_ref().map(|url| Initiator {
        url,
        is_origin: initiator.is_some_and(|text| text.matches('/').count() == 2),
    });
    let masks = lists.masks(&standing.filter, &standing.exceptions);
    let outcome = decide(&url, kind, initiator, standing, &masks, &lists).unwrap();
    (outcome.action, outcome.code)
}

fn ask(standing: &Standing, url: &str) -> (Action, ReasonCode) {
    ask_from(standing, url, MainFrame, None)
}

const ALLOW: Action = Action::Allow;
const BLOCK: Action = Action::Block;

#[test]
fn help_opens_in_every_mode_although_a_list_calls_it_adult() {
    for mode in [
        Mode::Open,
        Mode::Filtered,
        Mode::Notice,
        Mode::Allowlist,
        Mode::Exam,
        Mode::Closed,
    ] {
        let standing = standing(mode);
        assert_eq!(
            ask(&standing, "https://www.childline.org.uk/get-support/"),
            (ALLOW, Help)
        );
        assert_eq!(ask(&standing, "https://www.nhs.uk/"), (ALLOW, Help));
        assert_eq!(
            ask(&standing, "https://accounts.google.com/signin"),
            (ALLOW, SignIn)
        );
    }
}

#[test]
fn an_examination_keeps_crisis_lines_or_closes_them_by_its_own_rule() {
    let mut standing = standing(Mode::Exam);
    standing.help = HelpScope::CrisisOnly;
    assert_eq!(ask(&standing, "https://www.samaritans.org/"), (ALLOW, Help));
    assert_eq!(
        ask(&standing, "https://www.childline.org.uk/"),
        (BLOCK, Exam)
    );
    standing.help = HelpScope::None;
    assert_eq!(ask(&standing, "https://www.samaritans.org/"), (BLOCK, Exam));
}

#[test]
fn a_help_entry_that_the_school_closed_is_decided_like_any_other() {
    let mut standing = standing(Mode::Closed);
    standing.help_closed = Arc::new(entries(&["childline.org.uk"]));
    assert_eq!(
        ask(&standing, "https://www.childline.org.uk/"),
        (BLOCK, Closed)
    );
    assert_eq!(ask(&standing, "https://www.nhs.uk/"), (ALLOW, Help));
}

#[test]
fn outside_school_hours_nothing_is_filtered() {
    let standing = standing(Mode::Open);
    assert_eq!(
        ask(&standing, "https://adult.example/"),
        (ALLOW, OutsideSchoolHours)
    );
    assert_eq!(
        ask(&standing, "https://forum.example/"),
        (ALLOW, OutsideSchoolHours)
    );
}

#[test]
fn addresses_that_are_not_of_the_web_are_not_decided() {
    assert_eq!(
        ask(&standing(Mode::Closed), "chrome://settings/"),
        (ALLOW, NotWeb)
    );
    assert_eq!(ask(&standing(Mode::Closed), "about:blank"), (ALLOW, NotWeb));
}

#[test]
fn categories_block_and_what_is_not_listed_opens() {
    let standing = standing(Mode::Filtered);
    assert_eq!(ask(&standing, "https://adult.example/a"), (BLOCK, Category));
    assert_eq!(
        ask(&standing, "https://cdn.adult.example/"),
        (BLOCK, Category)
    );
    assert_eq!(
        ask(&standing, "https://notadult.example/"),
        (ALLOW, NotListed)
    );
    assert_eq!(
        ask_from(&standing, "wss://poki.com/", Websocket, None),
        (BLOCK, Category)
    );
}

#[test]
fn the_built_in_lists_speak_only_for_categories_that_the_school_pack_lacks() {
    let standing = standing(Mode::Filtered);
    assert_eq!(ask(&standing, "https://dating.example/"), (BLOCK, Category));
    assert_eq!(
        ask(&standing, "https://only-built-in.example/"),
        (ALLOW, NotListed)
    );
}

#[test]
fn education_opens_what_a_list_closes_unless_the_list_is_more_precise() {
    let standing = standing(Mode::Filtered);
    assert_eq!(
        ask(&standing, "https://www.raspberrypi.org/"),
        (ALLOW, Education)
    );
    assert_eq!(
        ask(&standing, "https://projects.raspberrypi.org/en"),
        (BLOCK, Category)
    );
    assert_eq!(
        ask(&standing, "https://docs.google.com/document/d/1"),
        (ALLOW, NotListed)
    );
    assert_eq!(
        ask(
            &standing,
            "https://docs.google.com/presentation/d/unblocker/pub"
        ),
        (BLOCK, Category)
    );
}

#[test]
fn the_longer_entry_of_the_school_wins_and_a_block_wins_a_tie() {
    let standing = standing(Mode::Filtered);
    assert_eq!(ask(&standing, "https://forum.example/"), (BLOCK, UrlRule));
    assert_eq!(
        ask(&standing, "https://poki.com/education/"),
        (BLOCK, UrlRule)
    );
    assert_eq!(ask(&standing, "https://news.example/"), (ALLOW, UrlRule));
    // The school allowed the host by name; that beats a list's path on it.
    assert_eq!(
        ask(&standing, "https://news.example/games"),
        (ALLOW, UrlRule)
    );
}

#[test]
fn a_notice_is_asked_of_documents_only() {
    let standing = standing(Mode::Filtered);
    let url = "https://chatbot.example/";
    assert_eq!(ask(&standing, url), (Action::Notice, Notice));
    assert_eq!(
        ask_from(&standing, url, SubFrame, None),
        (Action::Notice, Notice)
    );
    assert_eq!(ask_from(&standing, url, Script, None), (ALLOW, NotListed));
}

#[test]
fn a_notice_mode_asks_for_every_page_and_still_blocks_categories() {
    let standing = standing(Mode::Notice);
    assert_eq!(
        ask(&standing, "https://plain.example/"),
        (Action::Notice, Notice)
    );
    assert_eq!(ask(&standing, "https://adult.example/"), (BLOCK, Category));
    assert_eq!(
        ask_from(&standing, "https://plain.example/", Image, None),
        (ALLOW, NotListed)
    );
}

#[test]
fn closed_closes_all_but_a_grant() {
    let standing = opened(standing(Mode::Closed), OpeningKind::Grant, &["lichess.org"]);
    assert_eq!(ask(&standing, "https://school.example/"), (BLOCK, Closed));
    assert_eq!(ask(&standing, "https://docs.google.com/"), (BLOCK, Closed));
    assert_eq!(ask(&standing, "https://lichess.org/"), (ALLOW, Grant));
}

#[test]
fn an_allowlist_opens_what_it_names_and_is_still_filtered() {
    let allowlist = [
        "bbc.co.uk/bitesize",
        "docs.google.com",
        "school.example",
        "poki.com",
    ];
    let standing = opened(
        standing(Mode::Allowlist),
        OpeningKind::Allowlist,
        &allowlist,
    );
    assert_eq!(
        ask(&standing, "https://www.bbc.co.uk/bitesize/a"),
        (ALLOW, Allowlist)
    );
    assert_eq!(
        ask(&standing, "https://www.bbc.co.uk/news"),
        (BLOCK, NotOnAllowlist)
    );
    assert_eq!(
        ask(&standing, "https://news.example/"),
        (BLOCK, NotOnAllowlist)
    );
    assert_eq!(
        ask(
            &standing,
            "https://docs.google.com/presentation/d/unblocker"
        ),
        (BLOCK, Category)
    );
    // The school named this very host: no list is more precise than that.
    assert_eq!(ask(&standing, "https://poki.com/"), (ALLOW, Allowlist));
    assert_eq!(
        ask(&standing, "https://poki.com/education"),
        (BLOCK, UrlRule)
    );
}

#[test]
fn an_open_page_loads_what_it_needs_but_nothing_listed() {
    let allowlist = ["bbc.co.uk/bitesize"];
    let standing = opened(
        standing(Mode::Allowlist),
        OpeningKind::Allowlist,
        &allowlist,
    );
    let from = |initiator, kind, url| ask_from(&standing, url, kind, Some(initiator));
    let page = "https://www.bbc.co.uk/bitesize/topic";
    assert_eq!(
        from(page, Script, "https://cdn.example/a.js"),
        (ALLOW, NotListed)
    );
    assert_eq!(
        from("https://www.bbc.co.uk", Script, "https://cdn.example/a.js"),
        (ALLOW, NotListed)
    );
    assert_eq!(
        from(page, Image, "https://adult.example/a.png"),
        (BLOCK, Category)
    );
    assert_eq!(
        from(page, MainFrame, "https://cdn.example/"),
        (BLOCK, NotOnAllowlist)
    );
    assert_eq!(
        from("https://other.example/", Script, "https://cdn.example/a.js"),
        (BLOCK, NotOnAllowlist)
    );
}

#[test]
fn a_help_page_is_whole_in_a_closed_period() {
    let standing = standing(Mode::Closed);
    let page = Some("https://www.childline.org.uk/");
    assert_eq!(
        ask_from(&standing, "https://chat.example/widget.js", Script, page),
        (ALLOW, NotListed)
    );
    assert_eq!(
        ask_from(
            &standing,
            "https://chat.example/",
            Script,
            Some("https://chat.example")
        ),
        (BLOCK, Closed)
    );
}

#[test]
fn an_examination_opens_only_what_it_names() {
    let standing = opened(standing(Mode::Exam), OpeningKind::Exam, &["exams.example"]);
    let standing = opened(standing, OpeningKind::Grant, &["lichess.org"]);
    assert_eq!(
        ask(&standing, "https://paper.exams.example/"),
        (ALLOW, Exam)
    );
    assert_eq!(ask(&standing, "https://lichess.org/"), (BLOCK, Exam));
    assert_eq!(
        ask_from(
            &standing,
            "https://x.example/",
            Script,
            Some("https://lichess.org/")
        ),
        (BLOCK, Exam)
    );
}

fn with_exception(mode: Mode, exception: ActiveException) -> Standing {
    Standing {
        exceptions: vec![exception],
        ..standing(mode)
    }
}

fn exception() -> ActiveException {
    ActiveException {
        id: "e1".into(),
        entries: EntrySet::new(),
        categories: Vec::new(),
        opens_closed_period: false,
    }
}

#[test]
fn an_exception_opens_its_entries_in_a_closed_period_and_no_others() {
    let named = ActiveException {
        entries: entries(&["poki.com"]),
        ..exception()
    };
    let standing = with_exception(Mode::Closed, named);
    assert_eq!(ask(&standing, "https://poki.com/"), (ALLOW, Exception));
    assert_eq!(ask(&standing, "https://lichess.org/"), (BLOCK, Closed));
}

#[test]
fn an_exception_lifts_a_category_but_never_adult_or_proxies() {
    let categories = ["games", "adult", "proxies"].map(String::from).to_vec();
    let standing = with_exception(
        Mode::Filtered,
        ActiveException {
            categories,
            ..exception()
        },
    );
    assert_eq!(ask(&standing, "https://lichess.org/"), (ALLOW, Exception));
    assert_eq!(ask(&standing, "https://adult.example/"), (BLOCK, Category));
    assert_eq!(
        ask(
            &standing,
            "https://docs.google.com/presentation/d/unblocker"
        ),
        (BLOCK, Category)
    );
}

#[test]
fn an_exception_turns_a_closed_period_into_a_filtered_one() {
    let lifted = ActiveException {
        opens_closed_period: true,
        ..exception()
    };
    let standing = with_exception(Mode::Closed, lifted);
    assert_eq!(ask(&standing, "https://plain.example/"), (ALLOW, NotListed));
    assert_eq!(ask(&standing, "https://adult.example/"), (BLOCK, Category));
}

#[test]
fn until_the_policy_is_accepted_only_its_own_list_is_open() {
    let mut standing = standing(Mode::Filtered);
    standing.acceptance = Some(bellgate_core::standing::Acceptance {
        version: "2026".into(),
        entries: Arc::new(entries(&["school.example"])),
    });
    assert_eq!(
        ask(&standing, "https://plain.example/"),
        (BLOCK, Acceptance)
    );
    assert_eq!(
        ask(&standing, "https://school.example/"),
        (ALLOW, NotListed)
    );
    assert_eq!(
        ask(&standing, "https://www.childline.org.uk/"),
        (ALLOW, Help)
    );
}
