//! The real evaluator against a slow one: every minute of a school year for both example
//! schools, and random policies at every boundary and at random instants.
//!
//! `BELLGATE_SOAK=1` walks every cohort in every place and ten times as many policies.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod random;
mod slow;

use bellgate_core::context::{Context, Place, PlaceProof};
use bellgate_core::policy::Policy;
use chrono::DateTime;

use random::Random;
use slow::{Held, Slow, words};

const MINUTE_MS: i64 = 60_000;

fn ms(at: &str) -> i64 {
    DateTime::parse_from_rfc3339(at).unwrap().timestamp_millis()
}

fn soaking() -> bool {
    std::env::var_os("BELLGATE_SOAK").is_some()
}

/// Walks a year minute by minute, asking the real evaluator only when it said that
/// something changes; gives the number of changes.
fn walk_year(policy: &Policy, slow: &Slow, context: &Context) -> usize {
    let (mut now_ms, end_ms) = (ms("2026-08-30T23:00:00Z"), ms("2027-09-03T23:00:00Z"));
    let mut standing = policy.standing(context, now_ms);
    let mut real = words(&standing, slow.zone());
    let mut before: Option<Held> = None;
    let mut changes = 0;
    while now_ms < end_ms {
        let held = slow.held(context, now_ms);
        let due = standing
            .next_change_at_ms
            .is_some_and(|next| next <= now_ms);
        if due {
            assert_eq!(
                standing.next_change_at_ms,
                Some(now_ms),
                "a change within a minute"
            );
            standing = policy.standing(context, now_ms);
            real = words(&standing, slow.zone());
            changes += 1;
            assert_ne!(before.as_ref(), Some(&held), "nothing changed at {now_ms}");
        }
        assert_eq!(real, held, "at {now_ms} for {context:?}");
        before = Some(held);
        now_ms += MINUTE_MS;
    }
    changes
}

fn walk_school(text: &str, walks: &[(&str, Option<&str>)]) {
    let (policy, _) = Policy::parse(text).unwrap();
    let slow = Slow::new(text);
    for (who, network) in walks {
        let (cohort, user) = match who.contains('@') {
            true => (None, Some((*who).to_owned())),
            false => (Some((*who).to_owned()), None),
        };
        let context = Context {
            cohort,
            user,
            place: network.map_or(Place::Unknown, |address| Place::Address {
                address: address.parse().unwrap(),
                proof: PlaceProof::Stated,
            }),
            ..Context::default()
        };
        let changes = walk_year(&policy, &slow, &context);
        assert!(changes > 400, "{who} has only {changes} changes in a year");
    }
}

fn chosen<'a>(
    some: &[(&'a str, Option<&'a str>)],
    places: &[Option<&'a str>],
) -> Vec<(&'a str, Option<&'a str>)> {
    const COHORTS: [&str; 8] = [
        "year-7", "year-8", "year-9", "year-10", "year-11", "year-12", "year-13", "staff",
    ];
    if !soaking() {
        return some.to_vec();
    }
    let pairs = COHORTS
        .iter()
        .flat_map(|cohort| places.iter().map(|place| (*cohort, *place)));
    some.iter().copied().chain(pairs).collect()
}

#[test]
fn every_minute_of_a_year_at_the_chromebook_school() {
    walk_school(
        include_str!("../../../docs/examples/chromebook-school.json"),
        &chosen(
            &[
                ("24ahall@school.example", Some("10.20.4.7")),
                ("year-11", None),
                ("staff", Some("10.20.4.7")),
            ],
            &[
                None,
                Some("10.20.4.7"),
                Some("10.20.30.4"),
                Some("192.168.0.9"),
            ],
        ),
    );
}

#[test]
fn every_minute_of_a_year_at_the_own_device_school() {
    walk_school(
        include_str!("../../../docs/examples/own-device-school.json"),
        &chosen(
            &[("year-9", None), ("year-13", Some("10.8.40.4"))],
            &[
                None,
                Some("10.8.1.1"),
                Some("10.8.40.4"),
                Some("192.168.0.9"),
            ],
        ),
    );
}

/// Follows the changes of a random policy, looking between them at random instants.
fn follow(random: &mut Random, steps: usize) -> usize {
    let text = random.policy();
    let policy = match Policy::parse(&text) {
        Ok((policy, _)) => policy,
        Err(faults) => panic!("{faults}\n{text}"),
    };
    let slow = Slow::new(&text);
    let context = random.context();
    let mut now_ms = random.instant();
    let mut followed = 0;
    for _ in 0..steps {
        let standing = policy.standing(&context, now_ms);
        let held = slow.held(&context, now_ms);
        let where_at = || format!("at {now_ms} for {context:?}\n{text}");
        let mut real = words(&standing, slow.zone());
        // A clock change cuts a period in two runs; its own start is not a run's start.
        if let (Some(real), Some(held)) = (&mut real.period, &held.period) {
            real.2.clone_from(&held.2);
        }
        if held.doubt.is_some() && held.filter == "built-in lesson rules" {
            // What it blocks is tested by itself.
            real.block.clear();
            real.notice.clear();
        }
        assert_eq!(real, held, "{}", where_at());
        let Some(next_ms) = standing.next_change_at_ms else {
            for days in [1, 8, 30, 90] {
                let later_ms = now_ms + days * 1440 * MINUTE_MS;
                assert_eq!(slow.held(&context, later_ms), held, "{} {days}", where_at());
            }
            now_ms = random.instant();
            continue;
        };
        assert!(next_ms > now_ms, "{}", where_at());
        assert_eq!(
            slow.held(&context, next_ms - 1),
            held,
            "before {next_ms} {}",
            where_at()
        );
        assert_ne!(
            slow.held(&context, next_ms),
            held,
            "at {next_ms} {}",
            where_at()
        );
        for _ in 0..3 {
            let between_ms = now_ms + random.below((next_ms - now_ms) as u64) as i64;
            assert_eq!(
                slow.held(&context, between_ms),
                held,
                "{between_ms} {}",
                where_at()
            );
        }
        if let Some(period) = &standing.period {
            assert!(
                period.starts_at_ms <= now_ms && now_ms < period.ends_at_ms,
                "{}",
                where_at()
            );
        }
        followed += 1;
        now_ms = if random.below(8) == 0 {
            random.instant()
        } else {
            next_ms
        };
    }
    followed
}

#[test]
fn a_thousand_random_policies_at_every_boundary() {
    let policies = if soaking() { 10_000 } else { 1_000 };
    let mut followed = 0;
    for seed in 0..policies {
        let mut random = Random::new(seed);
        followed += follow(&mut random, 25);
    }
    // Not every walk meets changes, but most do.
    assert!(
        followed > policies as usize * 10,
        "only {followed} changes followed"
    );
}
