//! The two example schools, moment by moment, and what the language makes of time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use bellgate_core::context::{Clock, Context, Exception, ExceptionScope, Place, PlaceProof};
use bellgate_core::policy::{LESSON_RULES, OUTSIDE_HOURS, Policy};
use bellgate_core::standing::{Doubt, HelpScope, Mode, OpeningKind, Recording, Standing};
use chrono::DateTime;

const CHROMEBOOK: &str = include_str!("../../../docs/examples/chromebook-school.json");
const OWN_DEVICE: &str = include_str!("../../../docs/examples/own-device-school.json");

fn parse(text: &str) -> Policy {
    match Policy::parse(text) {
        Ok((policy, warnings)) => {
            assert_eq!(warnings, [], "an example has no warnings");
            policy
        }
        Err(faults) => panic!("{faults}"),
    }
}

fn ms(at: &str) -> i64 {
    DateTime::parse_from_rfc3339(at).unwrap().timestamp_millis()
}

fn context(cohort: &str, address: Option<&str>) -> Context {
    Context {
        cohort: Some(cohort.into()),
        place: address.map_or(Place::Unknown, |address| Place::Address {
            address: address.parse().unwrap(),
            proof: PlaceProof::Stated,
        }),
        ..Context::default()
    }
}

fn standing(school: &str, cohort: &str, network: Option<&str>, at: &str) -> Standing {
    parse(school).standing(&context(cohort, network), ms(at))
}

fn mode(school: &str, cohort: &str, network: Option<&str>, at: &str) -> Mode {
    standing(school, cohort, network, at).mode
}

const LESSON: &str = "2026-09-07T09:00:00+01:00";
const BREAK: &str = "2026-09-07T11:00:00+01:00";
const LUNCH: &str = "2026-09-07T13:30:00+01:00";
const EVENING: &str = "2026-09-07T16:00:00+01:00";
const SIXTH_FORM_CENTRE: Option<&str> = Some("10.20.30.9");
const CLASSROOM: Option<&str> = Some("10.20.4.7");
const HOME: Option<&str> = Some("192.168.1.5");

#[test]
fn lessons_are_filtered_for_everyone() {
    for cohort in ["year-7", "year-9", "year-11", "year-12", "staff"] {
        for place in [None, CLASSROOM, HOME] {
            assert_eq!(mode(CHROMEBOOK, cohort, place, LESSON), Mode::Filtered);
        }
    }
    let year_9 = standing(CHROMEBOOK, "year-9", None, LESSON);
    assert!(year_9.filter.block.contains(&"ai-tools".to_owned()));
    assert_eq!(year_9.recording, Recording::Named);
    assert_eq!(
        year_9.next_change_at_ms,
        Some(ms("2026-09-07T09:55:00+01:00"))
    );
    let period = year_9.period.unwrap();
    assert_eq!(
        (period.name.as_str(), period.kind.as_str()),
        ("Period 1", "lesson")
    );
    assert_eq!(period.starts_at_ms, ms("2026-09-07T08:55:00+01:00"));
    let year_12 = standing(CHROMEBOOK, "year-12", None, LESSON);
    assert!(!year_12.filter.block.contains(&"social-media".to_owned()));
    assert_eq!(year_12.filter.notice, ["ai-tools"]);
    assert_eq!(
        standing(CHROMEBOOK, "staff", None, LESSON).recording,
        Recording::Counts
    );
}

#[test]
fn break_and_lunch_differ_by_cohort_and_place() {
    for at in [BREAK, LUNCH] {
        assert_eq!(mode(CHROMEBOOK, "year-9", CLASSROOM, at), Mode::Closed);
        assert_eq!(mode(CHROMEBOOK, "year-11", CLASSROOM, at), Mode::Allowlist);
        assert_eq!(
            mode(CHROMEBOOK, "year-12", SIXTH_FORM_CENTRE, at),
            Mode::Filtered
        );
        assert_eq!(mode(CHROMEBOOK, "year-12", CLASSROOM, at), Mode::Closed);
        assert_eq!(mode(CHROMEBOOK, "year-12", None, at), Mode::Closed);
        assert_eq!(mode(CHROMEBOOK, "staff", None, at), Mode::Filtered);
    }
    let year_11 = standing(CHROMEBOOK, "year-11", None, BREAK);
    assert_eq!(year_11.openings.len(), 1);
    assert_eq!(year_11.openings[0].entries.len(), 7);
    assert_eq!(
        standing(CHROMEBOOK, "year-9", None, BREAK).recording,
        Recording::Counts
    );
}

#[test]
fn nothing_is_recorded_outside_school_hours() {
    let monday_night = standing(CHROMEBOOK, "year-9", HOME, "2026-09-07T22:00:00+01:00");
    assert_eq!(monday_night.mode, Mode::Open);
    assert_eq!(monday_night.recording, Recording::Nothing);
    assert_eq!(monday_night.rule, OUTSIDE_HOURS);
    assert_eq!(
        monday_night.next_change_at_ms,
        Some(ms("2026-09-08T08:40:00+01:00"))
    );
    for holiday in [
        "2026-10-27T10:00:00Z",
        "2027-05-03T10:00:00+01:00",
        "2026-09-05T10:00:00+01:00",
    ] {
        assert_eq!(mode(CHROMEBOOK, "year-9", CLASSROOM, holiday), Mode::Open);
    }
}

#[test]
fn homework_club_is_lessons_on_the_schools_network_alone() {
    assert_eq!(
        mode(CHROMEBOOK, "year-9", CLASSROOM, EVENING),
        Mode::Filtered
    );
    assert_eq!(mode(CHROMEBOOK, "year-9", HOME, EVENING), Mode::Open);
    assert_eq!(mode(CHROMEBOOK, "year-9", None, EVENING), Mode::Open);
    assert_eq!(
        mode(CHROMEBOOK, "year-9", CLASSROOM, "2026-09-07T17:00:00+01:00"),
        Mode::Open
    );
    assert_eq!(
        mode(CHROMEBOOK, "year-9", CLASSROOM, "2026-09-11T16:00:00+01:00"),
        Mode::Open
    );
    assert_eq!(
        mode(CHROMEBOOK, "staff", CLASSROOM, "2026-09-11T17:59:00+01:00"),
        Mode::Filtered
    );
    assert_eq!(
        mode(CHROMEBOOK, "staff", CLASSROOM, "2026-09-11T18:00:00+01:00"),
        Mode::Open
    );
    let club = standing(CHROMEBOOK, "year-9", CLASSROOM, EVENING);
    assert_eq!(club.period.unwrap().name, "Homework club");
}

#[test]
fn training_days_are_for_staff() {
    let at = "2026-11-27T10:00:00Z";
    assert_eq!(mode(CHROMEBOOK, "year-9", CLASSROOM, at), Mode::Open);
    assert_eq!(mode(CHROMEBOOK, "staff", None, at), Mode::Filtered);
    assert_eq!(
        mode(CHROMEBOOK, "staff", None, "2026-11-27T15:30:00Z"),
        Mode::Open
    );
}

#[test]
fn friday_of_week_b_has_an_early_lunch() {
    // A in the week of 7 September; the week of half-term does not count.
    let lunch_at = |date: &str| {
        let at = format!("{date}T12:30:00Z");
        standing(CHROMEBOOK, "year-9", None, &at)
            .period
            .unwrap()
            .kind
    };
    assert_eq!(lunch_at("2026-11-06"), "lunch");
    assert_eq!(lunch_at("2026-11-13"), "lesson");
    assert_eq!(lunch_at("2026-12-11"), "lesson");
    assert_eq!(lunch_at("2027-01-08"), "lesson");
    assert_eq!(lunch_at("2027-01-15"), "lunch");
    assert_eq!(lunch_at("2027-02-12"), "lunch");
    let first = standing(CHROMEBOOK, "year-9", None, "2026-09-04T12:30:00+01:00");
    assert_eq!(first.period.unwrap().kind, "lunch");
}

#[test]
fn a_remote_day_is_free_at_break() {
    assert_eq!(
        mode(CHROMEBOOK, "year-9", HOME, "2027-02-12T09:00:00Z"),
        Mode::Filtered
    );
    assert_eq!(
        mode(CHROMEBOOK, "year-9", HOME, "2027-02-12T11:00:00Z"),
        Mode::Open
    );
    assert_eq!(
        mode(CHROMEBOOK, "year-9", HOME, "2027-02-12T12:30:00Z"),
        Mode::Open
    );
}

#[test]
fn school_ends_early_before_christmas() {
    let at = "2026-12-18T12:00:00Z";
    let last = standing(CHROMEBOOK, "year-9", CLASSROOM, at);
    assert_eq!(last.mode, Mode::Filtered);
    assert_eq!(last.next_change_at_ms, Some(ms("2026-12-18T12:15:00Z")));
    let after = standing(CHROMEBOOK, "year-9", CLASSROOM, "2026-12-18T12:15:00Z");
    assert_eq!(after.mode, Mode::Open);
    assert_eq!(after.next_change_at_ms, Some(ms("2027-01-06T08:40:00Z")));
    assert_eq!(
        mode(CHROMEBOOK, "staff", CLASSROOM, "2026-12-18T14:00:00Z"),
        Mode::Filtered
    );
}

#[test]
fn the_chess_club_has_its_page_at_tuesday_lunch_until_its_end() {
    let policy = parse(CHROMEBOOK);
    let openings = |user: &str, at: &str| -> usize {
        let context = Context {
            user: Some(user.into()),
            ..Context::default()
        };
        policy.standing(&context, ms(at)).openings.len()
    };
    assert_eq!(
        openings("24ahall@school.example", "2026-12-15T13:20:00Z"),
        1
    );
    assert_eq!(
        openings("25bkaur@school.example", "2026-12-15T13:20:00Z"),
        1
    );
    assert_eq!(
        openings("24other@school.example", "2026-12-15T13:20:00Z"),
        0
    );
    assert_eq!(
        openings("24ahall@school.example", "2026-12-16T13:20:00Z"),
        0
    );
    assert_eq!(
        openings("24ahall@school.example", "2027-01-12T13:20:00Z"),
        0
    );
}

#[test]
fn an_examination_sets_break_aside() {
    let exam = standing(CHROMEBOOK, "year-11", None, "2027-01-11T11:00:00Z");
    assert_eq!(exam.mode, Mode::Exam);
    assert_eq!(exam.help, HelpScope::CrisisOnly);
    assert_eq!(exam.openings[0].kind, OpeningKind::Exam);
    assert_eq!(
        mode(CHROMEBOOK, "year-10", None, "2027-01-11T10:00:00Z"),
        Mode::Filtered
    );
    assert_eq!(
        mode(CHROMEBOOK, "year-11", None, "2027-01-11T11:30:00Z"),
        Mode::Filtered
    );
}

#[test]
fn a_pupil_is_found_by_the_year_of_entry() {
    let policy = parse(CHROMEBOOK);
    let cohort = |user: &str, at: &str| {
        let context = Context {
            user: Some(user.into()),
            ..Context::default()
        };
        policy.cohort(&context, ms(at)).map(str::to_owned)
    };
    let term = "2026-11-03T09:00:00Z";
    assert_eq!(
        cohort("24ahall@school.example", term).as_deref(),
        Some("year-9")
    );
    assert_eq!(
        cohort("25BKaur@School.example", term).as_deref(),
        Some("year-8")
    );
    assert_eq!(
        cohort("20zed@school.example", term).as_deref(),
        Some("year-13")
    );
    assert_eq!(
        cohort("j.marsh@school.example", term).as_deref(),
        Some("staff")
    );
    assert_eq!(cohort("19old@school.example", term), None);
    assert_eq!(cohort("24ahall@gmail.com", term), None);
    // On the first of September year groups move up.
    assert_eq!(
        cohort("24ahall@school.example", "2027-08-31T22:59:59Z").as_deref(),
        Some("year-9")
    );
    assert_eq!(
        cohort("24ahall@school.example", "2027-08-31T23:00:00Z").as_deref(),
        Some("year-10")
    );
}

#[test]
fn in_doubt_lesson_rules_hold_and_nobody_is_named() {
    let policy = parse(CHROMEBOOK);
    let nobody = policy.standing(&Context::default(), ms(BREAK));
    let unknown = policy.standing(&context("year-99", None), ms("2026-09-07T23:00:00Z"));
    let mut wrong_clock = context("year-9", CLASSROOM);
    wrong_clock.clock = Clock::Doubtful;
    let clock = policy.standing(&wrong_clock, ms(BREAK));
    for (standing, doubt) in [
        (nobody, Doubt::Pupil),
        (unknown, Doubt::Pupil),
        (clock, Doubt::Clock),
    ] {
        assert_eq!(standing.mode, Mode::Filtered);
        assert_eq!(standing.doubt, Some(doubt));
        assert_eq!(standing.recording, Recording::Nothing);
        assert_eq!(standing.rule, LESSON_RULES);
        assert!(standing.filter.block.contains(&"ai-tools".to_owned()));
        assert!(standing.filter.block.contains(&"adult".to_owned()));
    }
}

#[test]
fn an_exception_ends_by_itself_and_stays_narrow() {
    let policy = parse(CHROMEBOOK);
    let mut context = context("year-10", CLASSROOM);
    let start = ms("2026-09-07T09:00:00+01:00");
    context.exceptions.push(Exception {
        id: "e1".into(),
        not_before_ms: start,
        not_after_ms: start + 3 * 3_600_000,
        scope: ExceptionScope::Categories(vec![
            "social-media".into(),
            "adult".into(),
            "proxies".into(),
        ]),
        off_site: false,
        outside_lessons: false,
    });
    let before = policy.standing(&context, start - 1);
    assert!(before.exceptions.is_empty());
    assert_eq!(before.next_change_at_ms, Some(start));
    let during = policy.standing(&context, start);
    assert_eq!(during.exceptions[0].categories, ["social-media"]);
    // It was issued for three hours; the policy's hour ends it, after the next period began.
    let later = policy.standing(&context, ms("2026-09-07T09:56:00+01:00"));
    assert_eq!(later.next_change_at_ms, Some(start + 3_600_000));
    assert!(
        policy
            .standing(&context, start + 3_600_000)
            .exceptions
            .is_empty()
    );
    context.place = Place::Unknown;
    assert!(policy.standing(&context, start).exceptions.is_empty());
    let mut year_9 = context.clone();
    year_9.cohort = Some("year-9".into());
    assert!(policy.standing(&year_9, start).exceptions.is_empty());
}

#[test]
fn own_devices_are_filtered_anywhere_and_recorded_at_school_alone() {
    let at = "2026-11-24T10:00:00Z";
    let inside = standing(OWN_DEVICE, "year-9", Some("10.8.1.1"), at);
    assert_eq!(
        (inside.mode, inside.recording),
        (Mode::Filtered, Recording::Named)
    );
    for place in [None, HOME] {
        let outside = standing(OWN_DEVICE, "year-9", place, at);
        assert_eq!(
            (outside.mode, outside.recording),
            (Mode::Notice, Recording::Nothing)
        );
        assert_eq!(inside.filter.block, outside.filter.block);
    }
    let lunch = "2026-11-24T13:30:00Z";
    assert_eq!(
        mode(OWN_DEVICE, "year-9", Some("10.8.1.1"), lunch),
        Mode::Closed
    );
    assert_eq!(
        mode(OWN_DEVICE, "year-12", Some("10.8.40.1"), lunch),
        Mode::Filtered
    );
    assert_eq!(
        mode(OWN_DEVICE, "year-12", Some("10.8.1.1"), lunch),
        Mode::Closed
    );
    assert_eq!(
        mode(
            OWN_DEVICE,
            "year-9",
            Some("10.8.1.1"),
            "2026-11-24T10:50:00Z"
        ),
        Mode::Filtered
    );
    assert_eq!(
        mode(
            OWN_DEVICE,
            "year-9",
            Some("10.8.1.1"),
            "2026-11-24T16:00:00Z"
        ),
        Mode::Open
    );
    let staff = |at| standing(OWN_DEVICE, "staff", None, at).filter.block.clone();
    assert!(staff(at).contains(&"social-media".to_owned()));
    assert!(!staff(lunch).contains(&"social-media".to_owned()));
    assert!(staff(lunch).contains(&"messaging".to_owned()));
}

#[test]
fn an_acknowledged_notice_holds_until_midnight() {
    use bellgate_core::context::Acknowledgement;
    let policy = parse(OWN_DEVICE);
    let mut context = context("year-9", None);
    context.acknowledgements.push(Acknowledgement {
        category: "*".into(),
        at_ms: ms("2026-11-24T10:00:00Z"),
    });
    assert_eq!(
        policy.standing(&context, ms("2026-11-24T10:00:00Z")).mode,
        Mode::Filtered
    );
    assert_eq!(
        policy.standing(&context, ms("2026-11-24T14:10:00Z")).mode,
        Mode::Filtered
    );
    assert_eq!(
        policy.standing(&context, ms("2026-11-25T10:00:00Z")).mode,
        Mode::Notice
    );
}

/// A boarding school whose nights have periods: `[start, end)` each, every day of the year.
fn boarding(zone: &str, periods: &[(&str, &str)]) -> Policy {
    let periods: Vec<serde_json::Value> = periods
        .iter()
        .enumerate()
        .map(|(number, (start, end))| {
            serde_json::json!({
                "name": format!("Night {number}"), "kind": "night", "start": start, "end": end,
            })
        })
        .collect();
    let text = serde_json::json!({
        "bellgate": 1, "version": "1",
        "school": {"name": "Boarding School", "timezone": zone},
        "cohorts": {"boarders": {"kind": "pupil", "filter": "pupils"}},
        "calendar": {
            "terms": [{"first": "2026-09-01", "last": "2028-07-20"}],
            "school_days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        },
        "timetables": [{"name": "Nights", "periods": periods}],
        "filters": {"pupils": {"block": ["adult"]}},
        "rules": [{"name": "Nights", "who": ["boarders"], "then": {"mode": "filtered"}}],
        "outside_school_hours": {"pupils": "open", "staff": "open"},
    });
    Policy::parse(&text.to_string()).unwrap().0
}

/// The names of the periods from an instant on, each with the instant at which it changes.
fn follow(policy: &Policy, from: &str, count: usize) -> Vec<(String, String)> {
    let context = context("boarders", None);
    let mut now_ms = ms(from);
    (0..count)
        .map(|_| {
            let standing = policy.standing(&context, now_ms);
            let name = standing.period.map_or("-".to_owned(), |period| {
                assert!(period.starts_at_ms <= now_ms && now_ms < period.ends_at_ms);
                period.name
            });
            now_ms = standing.next_change_at_ms.unwrap();
            let until = DateTime::from_timestamp_millis(now_ms).unwrap();
            (name, format!("{:?}", until.naive_utc())[..16].to_owned())
        })
        .collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(one, other)| ((*one).to_owned(), (*other).to_owned()))
        .collect()
}

#[test]
fn a_period_that_begins_in_the_skipped_hour_begins_when_it_is_over() {
    let policy = boarding("Europe/London", &[("01:30", "03:00")]);
    assert_eq!(
        follow(&policy, "2027-03-28T00:10:00Z", 3),
        pairs(&[
            ("-", "2027-03-28T01:00"),
            ("Night 0", "2027-03-28T02:00"),
            ("-", "2027-03-29T00:30"),
        ])
    );
    // One that lies in the skipped hour alone is not held.
    let policy = boarding("Europe/London", &[("01:10", "01:50")]);
    assert_eq!(
        follow(&policy, "2027-03-28T00:10:00Z", 2),
        pairs(&[("-", "2027-03-29T00:10"), ("Night 0", "2027-03-29T00:50")])
    );
}

#[test]
fn a_period_in_the_repeated_hour_is_held_twice() {
    let policy = boarding("Europe/London", &[("01:10", "01:50")]);
    assert_eq!(
        follow(&policy, "2026-10-25T00:00:00Z", 5),
        pairs(&[
            ("-", "2026-10-25T00:10"),
            ("Night 0", "2026-10-25T00:50"),
            ("-", "2026-10-25T01:10"),
            ("Night 0", "2026-10-25T01:50"),
            ("-", "2026-10-26T01:10"),
        ])
    );
    // One that is on when the clock goes back to before its beginning is interrupted.
    let policy = boarding("Europe/London", &[("01:30", "03:00")]);
    assert_eq!(
        follow(&policy, "2026-10-25T00:40:00Z", 4),
        pairs(&[
            ("Night 0", "2026-10-25T01:00"),
            ("-", "2026-10-25T01:30"),
            ("Night 0", "2026-10-25T03:00"),
            ("-", "2026-10-26T01:30"),
        ])
    );
}

#[test]
fn a_period_goes_on_past_midnight_and_past_the_years_end() {
    let policy = boarding("Europe/London", &[("22:30", "00:30")]);
    assert_eq!(
        follow(&policy, "2026-12-31T22:00:00Z", 3),
        pairs(&[
            ("-", "2026-12-31T22:30"),
            ("Night 0", "2027-01-01T00:30"),
            ("-", "2027-01-01T22:30"),
        ])
    );
    assert_eq!(
        follow(&policy, "2028-02-28T23:00:00Z", 3),
        pairs(&[
            ("Night 0", "2028-02-29T00:30"),
            ("-", "2028-02-29T22:30"),
            ("Night 0", "2028-03-01T00:30"),
        ])
    );
}

#[test]
fn clocks_that_change_at_midnight_or_by_half_an_hour_are_followed() {
    // In Havana the clock went from 00:59 back to 00:00 on 1 November 2026.
    let policy = boarding("America/Havana", &[("00:20", "00:40")]);
    assert_eq!(
        follow(&policy, "2026-11-01T04:00:00Z", 4),
        pairs(&[
            ("-", "2026-11-01T04:20"),
            ("Night 0", "2026-11-01T04:40"),
            ("-", "2026-11-01T05:20"),
            ("Night 0", "2026-11-01T05:40"),
        ])
    );
    // On Lord Howe Island it skips from 02:00 to 02:30.
    let policy = boarding("Australia/Lord_Howe", &[("02:10", "03:00")]);
    assert_eq!(
        follow(&policy, "2026-10-03T15:00:00Z", 2),
        pairs(&[("-", "2026-10-03T15:30"), ("Night 0", "2026-10-03T16:00")])
    );
}
