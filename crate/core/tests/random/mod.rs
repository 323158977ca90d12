//! Random policies and contexts, the same for the same seed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use bellgate_core::context::{
    Acknowledgement, Clock, Context, Exception, ExceptionScope, Place, PlaceProof,
};
use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};

/// A stream of random choices (SplitMix64).
pub struct Random(u64);

const KINDS: [&str; 4] = ["lesson", "break", "lunch", "prep"];
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_KINDS: [&str; 4] = ["school", "remote", "inset", "no_school"];
const COHORTS: [&str; 3] = ["year-7", "year-8", "staff"];
const FILTERS: [&str; 3] = ["young", "old", "staff"];
const PLACES: [&str; 2] = ["school", "library"];
const WHO: [&str; 9] = [
    "@everyone",
    "@everyone",
    "@pupils",
    "@staff",
    "year-7",
    "year-8",
    "staff",
    "club",
    "25kim@school.example",
];
/// Zones whose clocks change by an hour, by half an hour, at midnight, and never.
const ZONES: [&str; 7] = [
    "Europe/London",
    "Europe/London",
    "Europe/Berlin",
    "Atlantic/Azores",
    "America/Havana",
    "Australia/Lord_Howe",
    "Etc/GMT-5",
];

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len() as u64) as usize]
    }

    fn some(&mut self, from: &[&str]) -> Value {
        let mut chosen: Vec<&str> = from.iter().copied().filter(|_| self.one_in(2)).collect();
        if chosen.is_empty() {
            chosen.push(self.pick(from));
        }
        json!(chosen)
    }

    fn date(&mut self) -> NaiveDate {
        // Autumn 2027 to spring 2028: both clock changes, a year's end and a leap day.
        NaiveDate::from_ymd_opt(2027, 10, 18).unwrap() + Days::new(self.below(170))
    }

    fn range(&mut self, longest_days: u64) -> Value {
        let first = self.date();
        if self.one_in(2) {
            return json!(first.to_string());
        }
        let last = first + Days::new(self.below(longest_days));
        json!({"first": first.to_string(), "last": last.to_string()})
    }

    fn time(&mut self) -> u64 {
        // Often near the hours in which clocks change.
        if self.one_in(3) {
            self.below(20) * 15
        } else {
            self.below(288) * 5
        }
    }

    fn span(&mut self, may_cross: bool) -> (String, String) {
        let (mut start, mut end) = (self.time(), self.time());
        if start == end {
            end += 5;
        }
        if !may_cross && end < start {
            (start, end) = (end, start);
        }
        (text(start), text(end % 1440))
    }

    fn times(&mut self) -> Value {
        let (mut start, mut end) = (self.time(), self.time());
        if end < start {
            (start, end) = (end, start);
        }
        json!([{"start": text(start), "end": text((end + 5).min(1440))}])
    }

    /// An instant in or near the calendar.
    pub fn instant(&mut self) -> i64 {
        if self.one_in(3) {
            // Clocks change: in Europe, in Havana, on Lord Howe Island.
            const CHANGES: [i64; 6] = [
                1_824_944_400,
                1_837_645_200,
                1_825_563_600,
                1_836_450_000,
                1_822_491_000,
                1_838_214_000,
            ];
            let change_ms = CHANGES[self.below(6) as usize] * 1000;
            return change_ms - 7_200_000 + self.below(14_400_000) as i64;
        }
        let first = NaiveDate::from_ymd_opt(2027, 10, 10).unwrap();
        let first_ms = first
            .and_hms_opt(0, 0, 0)
            .unwrap()
            .and_utc()
            .timestamp_millis();
        first_ms + self.below(220 * 86_400_000) as i64
    }

    /// The days on which a timetable, session or rule holds.
    fn add_days(&mut self, thing: &mut Map<String, Value>) {
        if self.one_in(3) {
            thing.insert("days".into(), self.some(&DAYS));
        }
        if self.one_in(3) {
            thing.insert("day_kinds".into(), self.some(&DAY_KINDS));
        }
        if self.one_in(4) {
            thing.insert("cycle".into(), self.some(&["A", "B", "C"]));
        }
        if self.one_in(5) {
            thing.insert("dates".into(), json!([self.range(40), self.range(5)]));
        }
    }

    fn place(&mut self) -> Value {
        let mut place = json!({"unknown": self.pick(&["applies", "does_not_apply"])});
        if self.one_in(2) {
            place["in"] = self.some(&PLACES);
        } else {
            place["not_in"] = self.some(&PLACES);
        }
        if self.one_in(3) {
            place["proof"] = json!(self.pick(&["device", "beacon", "endpoint", "stated"]));
        }
        place
    }

    fn when(&mut self) -> Value {
        let mut when = Map::new();
        self.add_days(&mut when);
        match self.below(4) {
            0 => {
                when.insert("kinds".into(), self.some(&KINDS));
            }
            1 => {
                when.insert(
                    "hours".into(),
                    json!(self.pick(&["school", "outside", "always"])),
                );
            }
            _ => {}
        }
        if self.one_in(3) {
            when.insert("times".into(), self.times());
        }
        Value::Object(when)
    }

    fn timetable(&mut self, number: u64) -> Value {
        let mut timetable = Map::new();
        timetable.insert("name".into(), json!(format!("Timetable {number}")));
        self.add_days(&mut timetable);
        if self.one_in(3) {
            timetable.insert("cohorts".into(), self.some(&COHORTS));
        }
        let mut at = self.time();
        let first = at;
        let mut periods = Vec::new();
        for number in 0..=self.below(6) {
            let start = at
                + if self.one_in(4) {
                    5 * self.below(12)
                } else {
                    0
                };
            let end = start + 5 + 5 * self.below(20);
            if end > first + 1440 || start >= 1440 {
                break;
            }
            let (kind, end_text) = (
                self.pick(&KINDS),
                text(if end == 1440 { 1440 } else { end % 1440 }),
            );
            periods.push(json!({
                "name": format!("Period {number}"), "kind": kind,
                "start": text(start), "end": end_text,
            }));
            at = end;
        }
        if self.one_in(2) {
            periods.reverse();
        }
        timetable.insert("periods".into(), json!(periods));
        Value::Object(timetable)
    }

    fn rule(&mut self, number: u64) -> Value {
        let mode = self.pick(&["open", "filtered", "notice", "allowlist", "closed"]);
        let mut then = json!({"mode": mode});
        if mode == "allowlist" {
            then["allowlist"] = json!("work");
        }
        if mode != "open" && self.one_in(3) {
            then["filter"] = json!(self.pick(&FILTERS));
        }
        if mode != "open" && self.one_in(3) {
            then["record"] = json!(self.pick(&["nothing", "counts"]));
        }
        let mut rule = json!({
            "name": format!("Rule {number}"), "who": [self.pick(&WHO), self.pick(&WHO)],
            "then": then,
        });
        if !self.one_in(4) {
            rule["when"] = self.when();
        }
        if self.one_in(3) {
            rule["where"] = self.place();
        }
        rule
    }

    fn session(&mut self, number: u64) -> Value {
        let (start, end) = self.span(true);
        let mut session = Map::new();
        session.insert("name".into(), json!(format!("Session {number}")));
        session.insert("who".into(), json!([self.pick(&WHO)]));
        self.add_days(&mut session);
        let from_school = self.one_in(3);
        session.insert(
            "start".into(),
            json!(if from_school { "end_of_school" } else { &start }),
        );
        session.insert("end".into(), json!(end));
        if self.one_in(2) {
            session.insert("as".into(), json!(self.pick(&KINDS)));
        }
        if self.one_in(2) {
            session.insert("where".into(), self.place());
        }
        Value::Object(session)
    }

    /// A policy that is valid, whatever it may mean.
    pub fn policy(&mut self) -> String {
        let mut calendar = json!({
            "terms": [
                {"first": "2027-10-18", "last": "2027-12-17"},
                {"first": "2028-01-05", "last": "2028-04-05"},
            ],
            "no_school": [{"first": "2028-02-14", "last": "2028-02-18"}],
            "inset": ["2027-11-05"],
            "remote": ["2027-11-08", "2028-02-29"],
            "early_finish": [
                {"date": "2027-12-17", "at": text(self.time())},
                {"date": self.date().to_string(), "at": text(self.time()), "cohorts": ["@pupils"]},
            ],
            "cycle": {
                "names": ["A", "B", "C"],
                "anchor": {"week_of": "2027-11-10", "name": self.pick(&["A", "B", "C"])},
            },
        });
        if self.one_in(3) {
            calendar["school_days"] = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
        }
        if self.one_in(3) {
            calendar["extra_days"] = json!(["2027-10-31", "2028-03-26"]);
        }
        // Each kind of period and each week has to be known before a rule may name it.
        let every_kind: Vec<Value> = KINDS
            .iter()
            .enumerate()
            .map(|(number, kind)| {
                json!({
                    "name": format!("Only {kind}"), "kind": kind,
                    "start": text(600 + number as u64), "end": text(601 + number as u64),
                })
            })
            .collect();
        let timetables: Vec<Value> = (0..=self.below(3))
            .map(|number| self.timetable(number))
            .collect();
        let mut timetables: Vec<Value> = timetables
            .into_iter()
            .filter(|timetable| !timetable["periods"].as_array().unwrap().is_empty())
            .collect();
        timetables.push(json!({"name": "Kinds", "periods": every_kind}));
        let rules: Vec<Value> = (0..=self.below(7))
            .map(|number| self.rule(number))
            .collect();
        let sessions: Vec<Value> = (0..self.below(3))
            .map(|number| self.session(number))
            .collect();
        let grants: Vec<Value> = (0..self.below(3))
            .map(|number| {
                let mut grant = json!({
                    "name": format!("Grant {number}"), "who": [self.pick(&WHO)],
                    "when": self.when(), "entries": ["club.example"],
                    "until": self.date().to_string(),
                });
                if self.one_in(3) {
                    grant["where"] = self.place();
                }
                grant
            })
            .collect();
        let exams: Vec<Value> = (0..self.below(3))
            .map(|number| {
                let times = self.times();
                json!({
                    "name": format!("Exam {number}"), "who": [self.pick(&WHO)],
                    "dates": [self.range(10)], "start": times[0]["start"], "end": times[0]["end"],
                    "entries": ["exams.example"], "help": self.pick(&["crisis", "none"]),
                })
            })
            .collect();
        let mut policy = json!({
            "bellgate": 1, "version": "1",
            "school": {"name": "Random", "timezone": self.pick(&ZONES), "year_starts": "01-10"},
            "cohorts": {
                "year-7": {"kind": "pupil", "year": 7, "filter": "young",
                    "match": ["{entry_yy}*@school.example"]},
                "year-8": {"kind": "pupil", "year": 8, "filter": "old",
                    "match": ["{entry_yy}*@school.example"], "members": ["late@school.example"]},
                "staff": {"kind": "staff", "filter": "staff",
                    "match": ["*@school.example"], "except": ["##*@school.example"]},
            },
            "groups": {"club": {"members": ["26ann@school.example", "27bob@school.example"]}},
            "calendar": calendar,
            "places": {"school": ["10.0.0.0/8"], "library": ["10.9.0.0/16", "172.16.0.0/12"]},
            "timetables": timetables,
            "filters": {
                "young": {"block": ["adult", "games", "ai-tools"]},
                "old": {"extends": "young", "notice": ["ai-tools", "shopping"], "without": ["games"]},
                "staff": {"block": ["adult"], "notice": ["webmail"]},
            },
            "allowlists": {"work": ["school.example"]},
            "rules": rules,
            "outside_school_hours": {
                "pupils": self.pick(&["open", "filtered"]), "staff": self.pick(&["open", "filtered"]),
            },
            "sessions": sessions, "grants": grants, "exams": exams,
            "observe": self.one_in(8),
        });
        if self.one_in(2) {
            let mut exceptions = json!({
                "who": [self.pick(&WHO)], "kinds": self.some(&KINDS), "max_minutes": 5 + self.below(90),
            });
            if self.one_in(2) {
                exceptions["where"] = self.place();
            }
            if self.one_in(2) {
                exceptions["closed_periods_for"] = json!([self.pick(&WHO)]);
            }
            policy["exceptions"] = exceptions;
        }
        if self.one_in(4) {
            policy["acceptable_use"] = json!({"version": "2", "who": [self.pick(&WHO)]});
        }
        if self.one_in(3) {
            policy["reporting"] = json!({"staff": self.pick(&["named", "nameless"])});
        }
        policy.to_string()
    }

    /// Someone, somewhere.
    pub fn context(&mut self) -> Context {
        let mut context = Context::default();
        if self.one_in(2) {
            context.cohort = Some(
                self.pick(&["year-7", "year-8", "staff", "staff", "nobody"])
                    .into(),
            );
        }
        if context.cohort.is_none() || self.one_in(2) {
            let users = [
                "26ann@school.example",
                "27Bob@school.example",
                "25kim@school.example",
                "late@school.example",
                "j.marsh@school.example",
                "27zoe@school.example",
                "stranger@elsewhere.example",
            ];
            context.user = Some(self.pick(&users).into());
        }
        if self.one_in(4) {
            context.groups.push("club".into());
        }
        if !self.one_in(3) {
            let proofs = [
                PlaceProof::Device,
                PlaceProof::Beacon,
                PlaceProof::Endpoint,
                PlaceProof::Stated,
            ];
            let addresses = [
                "10.1.2.3",
                "10.9.2.3",
                "172.20.0.1",
                "192.168.1.1",
                "203.0.113.9",
            ];
            context.place = Place::Address {
                address: self.pick(&addresses).parse().unwrap(),
                proof: proofs[self.below(4) as usize],
            };
        }
        if self.one_in(20) {
            context.clock = Clock::Doubtful;
        }
        for _ in 0..self.below(4) {
            context.acknowledgements.push(Acknowledgement {
                category: self.pick(&["*", "ai-tools", "shopping", "webmail"]).into(),
                at_ms: self.instant(),
            });
        }
        for number in 0..self.below(3) {
            let from_ms = self.instant() / 60_000 * 60_000;
            let scopes = [
                ExceptionScope::Entries(vec!["video.example".into()]),
                ExceptionScope::Categories(vec!["games".into()]),
                ExceptionScope::ClosedPeriod,
            ];
            context.exceptions.push(Exception {
                id: format!("e{number}"),
                not_before_ms: from_ms,
                not_after_ms: from_ms + self.below(100) as i64 * 60_000,
                scope: scopes[self.below(3) as usize].clone(),
                off_site: self.one_in(2),
                outside_lessons: self.one_in(2),
            });
        }
        if self.one_in(4) {
            context.accepted_version = Some("2".into());
        }
        if self.one_in(20) {
            context.exam = Some("Exam 0".into());
        }
        context
    }
}

fn text(minute: u64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
