//! A second evaluator of policies: slow, and written to be seen to be right.
//!
//! It reads the JSON each time anew and compares dates and times as the text they are
//! (`"2026-09-03"`, `"08:40"`), with nothing worked out beforehand but the cycle of weeks.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

use std::collections::BTreeMap;
use std::net::IpAddr;

use bellgate_core::context::{Clock, Context, ExceptionScope, Place, PlaceProof};
use bellgate_core::standing::{OpeningKind, Standing};
use chrono::{DateTime, Datelike, Days, NaiveDate, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use serde_json::Value;

/// What holds, in words; two instants with equal ones have equal standings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    pub mode: String,
    pub rule: String,
    /// Name, kind, and the day and minute on which it began.
    pub period: Option<(String, String, String)>,
    pub recording: String,
    pub filter: String,
    pub block: Vec<String>,
    pub notice: Vec<String>,
    pub openings: Vec<String>,
    pub help: String,
    pub acceptance: bool,
    pub exceptions: Vec<String>,
    pub doubt: Option<String>,
}

/// A policy as JSON, and the weeks of its cycle.
pub struct Slow {
    policy: Value,
    zone: Tz,
    /// Monday to the name of the week.
    weeks: BTreeMap<String, String>,
}

/// What the clock on the wall shows.
struct Shown {
    date: NaiveDate,
    time: String,
}

/// A period that is on.
struct On {
    name: Option<String>,
    kind: String,
    as_kind: String,
    date: NaiveDate,
    start: String,
}

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Slow {
    pub fn new(text: &str) -> Self {
        let policy: Value = serde_json::from_str(text).unwrap();
        let zone = policy["school"]["timezone"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let mut slow = Self {
            policy,
            zone,
            weeks: BTreeMap::new(),
        };
        slow.weeks = slow.name_weeks();
        slow
    }

    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// Names the weeks with a school day in turn, from the first to the last.
    fn name_weeks(&self) -> BTreeMap<String, String> {
        let cycle = &self.policy["calendar"]["cycle"];
        if cycle.is_null() {
            return BTreeMap::new();
        }
        let terms = self.policy["calendar"]["terms"].as_array().unwrap();
        let first = terms.iter().map(first_of).min().unwrap();
        let last = terms.iter().map(last_of).max().unwrap();
        let mut mondays: Vec<String> = Vec::new();
        let mut date: NaiveDate = first.parse().unwrap();
        while date.to_string() <= last {
            let kind = self.day_kind(date);
            let monday = date.week(Weekday::Mon).first_day().to_string();
            if (kind == "school" || kind == "remote") && mondays.last() != Some(&monday) {
                mondays.push(monday);
            }
            date = date + Days::new(1);
        }
        let names = texts(&cycle["names"]);
        let anchor: NaiveDate = cycle["anchor"]["week_of"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let anchor = anchor.week(Weekday::Mon).first_day().to_string();
        let anchor_week = mondays.iter().position(|monday| *monday == anchor).unwrap();
        let anchor_name = cycle["anchor"]["name"].as_str().unwrap();
        let mut name = names.iter().position(|name| name == anchor_name).unwrap();
        // Back from the anchor to the first week, then forward through all of them.
        for _ in 0..anchor_week {
            name = if name == 0 { names.len() - 1 } else { name - 1 };
        }
        let mut weeks = BTreeMap::new();
        for monday in mondays {
            weeks.insert(monday, names[name].clone());
            name = if name + 1 == names.len() { 0 } else { name + 1 };
        }
        weeks
    }

    fn day_kind(&self, date: NaiveDate) -> &'static str {
        let calendar = &self.policy["calendar"];
        if among(&calendar["inset"], date) {
            return "inset";
        }
        let weekday = WEEKDAYS[date.weekday().num_days_from_monday() as usize];
        let school_days = match &calendar["school_days"] {
            Value::Null => vec!["mon", "tue", "wed", "thu", "fri"],
            days => days
                .as_array()
                .unwrap()
                .iter()
                .map(|day| day.as_str().unwrap())
                .collect(),
        };
        let ordinary = among(&calendar["terms"], date) && school_days.contains(&weekday);
        if !(ordinary || among(&calendar["extra_days"], date))
            || among(&calendar["no_school"], date)
        {
            return "no_school";
        }
        if among(&calendar["remote"], date) {
            "remote"
        } else {
            "school"
        }
    }

    /// What holds at an instant.
    pub fn held(&self, context: &Context, at_ms: i64) -> Held {
        let at = DateTime::<Utc>::from_timestamp_millis(at_ms)
            .unwrap()
            .with_timezone(&self.zone);
        let shown = Shown {
            date: at.date_naive(),
            time: format!("{:02}:{:02}", at.hour(), at.minute()),
        };
        let cohort = self.cohort(context, shown.date);
        let doubt = match (&context.clock, &cohort) {
            (Clock::Doubtful, _) => Some("clock"),
            (_, None) => Some("pupil"),
            _ => None,
        };
        if let Some(doubt) = doubt {
            return self.in_doubt(doubt, cohort.as_deref(), context, &shown);
        }
        let cohort = cohort.unwrap();
        let is_pupil = self.policy["cohorts"][&cohort]["kind"] == "pupil";
        let on = self.period(context, &cohort, &shown);
        let day = on.as_ref().map_or(shown.date, |on| on.date);
        let mine = |thing: &Value| {
            self.is_for(&thing["who"], context, Some(&cohort), shown.date)
                && self.is_here(&thing["where"], context)
        };
        let rule = list(&self.policy["rules"])
            .iter()
            .find(|rule| mine(rule) && self.is_when(&rule["when"], on.as_ref(), day, &shown));

        let own_filter = self.policy["cohorts"][&cohort]["filter"].as_str().unwrap();
        let mut filter = own_filter.to_owned();
        let mut mode;
        let rule_name;
        let mut record = None;
        let mut openings: Vec<String> = Vec::new();
        match rule {
            Some(rule) => {
                let then = &rule["then"];
                mode = then["mode"].as_str().unwrap().to_owned();
                rule_name = rule["name"].as_str().unwrap().to_owned();
                if let Some(name) = then["filter"].as_str() {
                    name.clone_into(&mut filter);
                }
                record = then["record"].as_str();
                if mode == "notice" && self.acknowledged(context, "*", shown.date) {
                    mode = "filtered".to_owned();
                }
                if mode == "allowlist" {
                    openings.push(format!("allowlist {rule_name}"));
                }
            }
            None if on.is_some() => {
                mode = "filtered".to_owned();
                rule_name = "no rule of the policy matches".to_owned();
            }
            None => {
                let key = if is_pupil { "pupils" } else { "staff" };
                mode = self.policy["outside_school_hours"][key]
                    .as_str()
                    .unwrap()
                    .to_owned();
                rule_name = "outside school hours".to_owned();
                record = Some("nothing");
            }
        }
        let mut rule_name = rule_name;
        let exams: Vec<&Value> = list(&self.policy["exams"])
            .iter()
            .filter(|exam| {
                let by_name = context.exam.as_deref() == exam["name"].as_str();
                let sits = among(&exam["dates"], shown.date)
                    && exam["start"]
                        .as_str()
                        .is_some_and(|start| start <= shown.time.as_str())
                    && exam["end"]
                        .as_str()
                        .is_some_and(|end| shown.time.as_str() < end);
                by_name || (sits && mine(exam))
            })
            .collect();
        let mut help = "all";
        if let Some(exam) = exams.first() {
            mode = "exam".to_owned();
            rule_name = exam["name"].as_str().unwrap().to_owned();
            filter = own_filter.to_owned();
            record = None;
            help = "crisis_only";
            openings = Vec::new();
            for exam in &exams {
                openings.push(format!("exam {}", exam["name"].as_str().unwrap()));
                if exam["help"] == "none" {
                    help = "none";
                }
            }
        }
        let recording = self.recording(&mode, is_pupil, record);
        let mut held = Held {
            period: on.as_ref().map(|on| {
                (
                    on.name.clone().unwrap_or("between periods".to_owned()),
                    on.kind.clone(),
                    format!("{} {}", on.date, on.start),
                )
            }),
            mode,
            rule: rule_name,
            recording,
            filter: String::new(),
            block: Vec::new(),
            notice: Vec::new(),
            openings,
            help: help.to_owned(),
            acceptance: false,
            exceptions: Vec::new(),
            doubt: None,
        };
        if held.mode == "open" {
            return held;
        }
        let (block, notice) = self.filter(&filter);
        held.filter = filter;
        held.block = block;
        held.notice = notice
            .into_iter()
            .filter(|category| !self.acknowledged(context, category, shown.date))
            .collect();
        for grant in list(&self.policy["grants"]) {
            let date = day.to_string();
            let in_dates = grant["from"]
                .as_str()
                .is_none_or(|from| from <= date.as_str())
                && date.as_str() <= grant["until"].as_str().unwrap();
            if in_dates && mine(grant) && self.is_when(&grant["when"], on.as_ref(), day, &shown) {
                held.openings
                    .push(format!("grant {}", grant["name"].as_str().unwrap()));
            }
        }
        held.acceptance = self.must_accept(context, &cohort, shown.date);
        held.exceptions = self.exceptions(context, &cohort, &held.mode, on.as_ref(), at_ms, &shown);
        held
    }

    fn in_doubt(
        &self,
        doubt: &str,
        cohort: Option<&str>,
        context: &Context,
        shown: &Shown,
    ) -> Held {
        let (mut filter, mut block, mut notice) =
            ("built-in lesson rules".to_owned(), Vec::new(), Vec::new());
        if let Some(cohort) = cohort {
            self.policy["cohorts"][cohort]["filter"]
                .as_str()
                .unwrap()
                .clone_into(&mut filter);
            (block, notice) = self.filter(&filter);
            notice.retain(|category| !self.acknowledged(context, category, shown.date));
        }
        Held {
            mode: "filtered".into(),
            rule: "built-in lesson rules".into(),
            period: None,
            recording: "nothing".into(),
            filter,
            block,
            notice,
            openings: Vec::new(),
            help: "all".into(),
            acceptance: false,
            exceptions: Vec::new(),
            doubt: Some(doubt.into()),
        }
    }

    fn recording(&self, mode: &str, is_pupil: bool, record: Option<&str>) -> String {
        let staff_named = self.policy["reporting"]["staff"] == "named";
        let observe = self.policy["observe"] == true;
        let may_name = !observe && (is_pupil || staff_named) && !["closed", "exam"].contains(&mode);
        match (mode, record) {
            ("open", _) | (_, Some("nothing")) => "nothing",
            (_, Some("counts")) => "counts",
            _ if may_name => "named",
            _ => "counts",
        }
        .to_owned()
    }

    fn must_accept(&self, context: &Context, cohort: &str, date: NaiveDate) -> bool {
        let accept = &self.policy["acceptable_use"];
        !accept.is_null()
            && context.accepted_version.as_deref() != accept["version"].as_str()
            && self.is_for(&accept["who"], context, Some(cohort), date)
    }

    fn exceptions(
        &self,
        context: &Context,
        cohort: &str,
        mode: &str,
        on: Option<&On>,
        at_ms: i64,
        shown: &Shown,
    ) -> Vec<String> {
        let rules = &self.policy["exceptions"];
        if rules.is_null() {
            return Vec::new();
        }
        let minutes = rules["max_minutes"].as_i64().unwrap();
        let holds = |exception: &&bellgate_core::context::Exception| {
            let ends_ms = exception
                .not_after_ms
                .min(exception.not_before_ms + minutes * 60_000);
            let in_time = exception.not_before_ms <= at_ms && at_ms < ends_ms;
            let on_site = exception.off_site || self.is_here(&rules["where"], context);
            let closed_period = exception.scope == ExceptionScope::ClosedPeriod;
            let who = if closed_period && !rules["closed_periods_for"].is_null() {
                &rules["closed_periods_for"]
            } else {
                &rules["who"]
            };
            let in_lesson = on.is_some_and(|on| {
                let kinds = texts(&rules["kinds"]);
                kinds.contains(&on.kind) || kinds.contains(&on.as_kind)
            });
            let fits = if closed_period {
                mode == "closed" || mode == "allowlist"
            } else {
                in_lesson || exception.outside_lessons
            };
            in_time && on_site && fits && self.is_for(who, context, Some(cohort), shown.date)
        };
        let held = context.exceptions.iter().filter(holds);
        held.map(|exception| exception.id.clone()).collect()
    }

    fn acknowledged(&self, context: &Context, category: &str, date: NaiveDate) -> bool {
        context.acknowledgements.iter().any(|notice| {
            let at = DateTime::<Utc>::from_timestamp_millis(notice.at_ms).unwrap();
            notice.category == category && at.with_timezone(&self.zone).date_naive() == date
        })
    }

    fn filter(&self, name: &str) -> (Vec<String>, Vec<String>) {
        let filter = &self.policy["filters"][name];
        let (mut block, mut notice) = match filter["extends"].as_str() {
            Some(parent) => self.filter(parent),
            None => (Vec::new(), Vec::new()),
        };
        let without = texts(&filter["without"]);
        block.retain(|category| !without.contains(category));
        notice.retain(|category| !without.contains(category));
        for category in texts(&filter["notice"]) {
            block.retain(|blocked| *blocked != category);
            notice.push(category);
        }
        for category in texts(&filter["block"]) {
            notice.retain(|noticed| *noticed != category);
            block.push(category);
        }
        for list in [&mut block, &mut notice] {
            list.sort();
            list.dedup();
        }
        (block, notice)
    }

    /// The period that is on: of the timetable of the day, of the day before, or else the
    /// first session.
    fn period(&self, context: &Context, cohort: &str, shown: &Shown) -> Option<On> {
        let yesterday = shown.date - Days::new(1);
        let later = format!(
            "{:02}{}",
            shown.time[..2].parse::<u32>().unwrap() + 24,
            &shown.time[2..]
        );
        let moments = [(shown.date, shown.time.clone()), (yesterday, later)];
        for (date, time) in &moments {
            let Some((hours_start, hours_end)) = self.school_hours(cohort, *date) else {
                continue;
            };
            if *time < hours_start || *time >= hours_end {
                continue;
            }
            let timetable = self.timetable(cohort, *date).unwrap();
            let mut gap_start = hours_start;
            for (start, end, period) in spans(timetable) {
                if start <= *time && *time < end {
                    let kind = period["kind"].as_str().unwrap().to_owned();
                    return Some(On {
                        name: Some(period["name"].as_str().unwrap().to_owned()),
                        as_kind: kind.clone(),
                        kind,
                        date: *date,
                        start,
                    });
                }
                if end <= *time {
                    gap_start = gap_start.max(end);
                }
            }
            return Some(On {
                name: None,
                kind: "between".into(),
                as_kind: "between".into(),
                date: *date,
                start: gap_start,
            });
        }
        for session in list(&self.policy["sessions"]) {
            let mine = self.is_for(&session["who"], context, Some(cohort), shown.date)
                && self.is_here(&session["where"], context);
            for (date, time) in &moments {
                let usual: &[&str] = if session["dates"].is_null() {
                    &["school"]
                } else {
                    &["school", "remote", "inset", "no_school"]
                };
                if !mine || !self.is_on(session, *date, usual) {
                    continue;
                }
                let mut end = session["end"].as_str().unwrap().to_owned();
                let start = match session["start"].as_str().unwrap() {
                    "end_of_school" => match self.school_hours(cohort, *date) {
                        Some((_, hours_end)) => hours_end,
                        None => continue,
                    },
                    start => {
                        if *start > *end {
                            end = next_day(&end);
                        }
                        start.to_owned()
                    }
                };
                if start <= *time && *time < end {
                    let kind = session["kind"].as_str().unwrap_or("session").to_owned();
                    return Some(On {
                        name: Some(session["name"].as_str().unwrap().to_owned()),
                        as_kind: session["as"].as_str().unwrap_or(&kind).to_owned(),
                        kind,
                        date: *date,
                        start,
                    });
                }
            }
        }
        None
    }

    fn timetable(&self, cohort: &str, date: NaiveDate) -> Option<&Value> {
        list(&self.policy["timetables"]).iter().find(|timetable| {
            let usual: &[&str] = if timetable["dates"].is_null() {
                &["school", "remote"]
            } else {
                &["school", "remote", "inset", "no_school"]
            };
            let mine =
                timetable["cohorts"].is_null() || self.names_cohort(&timetable["cohorts"], cohort);
            mine && self.is_on(timetable, date, usual)
        })
    }

    fn school_hours(&self, cohort: &str, date: NaiveDate) -> Option<(String, String)> {
        let spans = spans(self.timetable(cohort, date)?);
        let start = spans.iter().map(|(start, ..)| start.clone()).min()?;
        let mut end = spans.iter().map(|(_, end, _)| end.clone()).max()?;
        for early in list(&self.policy["calendar"]["early_finish"]) {
            let mine = early["cohorts"].is_null() || self.names_cohort(&early["cohorts"], cohort);
            if mine && early["date"].as_str() == Some(&date.to_string()) {
                end = end.min(early["at"].as_str().unwrap().to_owned());
            }
        }
        (start < end).then_some((start, end))
    }

    /// Whether `days`, `day_kinds`, `cycle` and `dates` hold for a date.
    fn is_on(&self, thing: &Value, date: NaiveDate, usual_kinds: &[&str]) -> bool {
        let weekday = WEEKDAYS[date.weekday().num_days_from_monday() as usize];
        let kind = self.day_kind(date);
        let kinds = texts(&thing["day_kinds"]);
        let monday = date.week(Weekday::Mon).first_day().to_string();
        let week = self.weeks.get(&monday);
        (thing["days"].is_null() || texts(&thing["days"]).iter().any(|day| day == weekday))
            && if thing["day_kinds"].is_null() {
                usual_kinds.contains(&kind)
            } else {
                kinds.iter().any(|one| one == kind)
            }
            && (thing["cycle"].is_null()
                || week.is_some_and(|week| texts(&thing["cycle"]).contains(week)))
            && (thing["dates"].is_null() || among(&thing["dates"], date))
    }

    fn is_when(&self, when: &Value, on: Option<&On>, day: NaiveDate, shown: &Shown) -> bool {
        let hours = match when["hours"].as_str() {
            None | Some("school") => on.is_some(),
            Some("outside") => on.is_none(),
            _ => true,
        };
        let kinds = texts(&when["kinds"]);
        let kind = when["kinds"].is_null()
            || on.is_some_and(|on| kinds.contains(&on.kind) || kinds.contains(&on.as_kind));
        let name = when["periods"].is_null()
            || on.is_some_and(|on| {
                on.name
                    .as_ref()
                    .is_some_and(|name| texts(&when["periods"]).contains(name))
            });
        let times = when["times"].is_null()
            || list(&when["times"]).iter().any(|times| {
                times["start"].as_str().unwrap() <= shown.time.as_str()
                    && shown.time.as_str() < times["end"].as_str().unwrap()
            });
        let every = ["school", "remote", "inset", "no_school"];
        hours && kind && name && times && self.is_on(when, day, &every)
    }

    fn is_here(&self, place: &Value, context: &Context) -> bool {
        if place.is_null() {
            return true;
        }
        const STRENGTH: [&str; 4] = ["device", "beacon", "endpoint", "stated"];
        let wanted = place["proof"].as_str().unwrap_or("stated");
        let wanted = STRENGTH.iter().position(|proof| *proof == wanted).unwrap();
        let given = match &context.place {
            Place::Unknown => None,
            Place::Address { address, proof } => {
                let strength = match proof {
                    PlaceProof::Device => 0,
                    PlaceProof::Beacon => 1,
                    PlaceProof::Endpoint => 2,
                    PlaceProof::Stated => 3,
                };
                (strength <= wanted).then_some(*address)
            }
        };
        let Some(address) = given else {
            return place["unknown"] == "applies";
        };
        let lies_in = |name: &String| {
            texts(&self.policy["places"][name])
                .iter()
                .any(|network| covers(network, address))
        };
        (place["in"].is_null() || texts(&place["in"]).iter().any(lies_in))
            && !texts(&place["not_in"]).iter().any(lies_in)
    }

    fn names_cohort(&self, who: &Value, cohort: &str) -> bool {
        let is_pupil = self.policy["cohorts"][cohort]["kind"] == "pupil";
        texts(who).iter().any(|name| {
            name == cohort
                || name == "@everyone"
                || (name == "@pupils" && is_pupil)
                || (name == "@staff" && !is_pupil)
        })
    }

    fn is_for(
        &self,
        who: &Value,
        context: &Context,
        cohort: Option<&str>,
        _date: NaiveDate,
    ) -> bool {
        let user = context.user.as_ref().map(|user| user.to_lowercase());
        cohort.is_some_and(|cohort| self.names_cohort(who, cohort))
            || texts(who).iter().any(|name| {
                let group = &self.policy["groups"][name];
                let in_group = !group.is_null()
                    && (context.groups.contains(name)
                        || user
                            .as_ref()
                            .is_some_and(|user| texts(&group["members"]).contains(user)));
                in_group || user.as_ref() == Some(name)
            })
    }

    /// The cohort: as the context states it, or found by address.
    fn cohort(&self, context: &Context, date: NaiveDate) -> Option<String> {
        let cohorts = self.policy["cohorts"].as_object().unwrap();
        if let Some(name) = &context.cohort {
            return cohorts.contains_key(name).then(|| name.clone());
        }
        let user = context.user.as_ref()?.to_lowercase();
        let starts = self.policy["school"]["year_starts"]
            .as_str()
            .unwrap_or("09-01");
        let began = if date.to_string()[5..] < *starts {
            date.year() - 1
        } else {
            date.year()
        };
        let mut named = Vec::new();
        let mut matched = Vec::new();
        for (name, cohort) in cohorts {
            if name == "$comment" {
                continue;
            }
            if texts(&cohort["members"]).contains(&user) {
                named.push(name.clone());
            }
            let year = cohort["year"].as_i64().unwrap_or(0);
            let entry = format!("{:02}", (i64::from(began) - year + 7) % 100);
            let fits = |patterns: &Value| {
                texts(patterns)
                    .iter()
                    .any(|pattern| globs(&pattern.replace("{entry_yy}", &entry), &user))
            };
            if fits(&cohort["match"]) && !fits(&cohort["except"]) {
                matched.push(name.clone());
            }
        }
        let found = if named.is_empty() { matched } else { named };
        (found.len() == 1).then(|| found[0].clone())
    }
}

/// The same words for what the real evaluator made.
pub fn words(standing: &Standing, zone: Tz) -> Held {
    let word = |value: Value| value.as_str().unwrap().to_owned();
    let json = |value: &dyn erased::Json| word(value.json());
    let mut block = standing.filter.block.clone();
    let mut notice = standing.filter.notice.clone();
    block.sort();
    notice.sort();
    Held {
        mode: json(&standing.mode),
        rule: standing.rule.clone(),
        period: standing.period.as_ref().map(|period| {
            let start = DateTime::<Utc>::from_timestamp_millis(period.starts_at_ms).unwrap();
            let start = start.with_timezone(&zone).naive_local();
            (
                period.name.clone(),
                period.kind.clone(),
                start.to_string()[..16].to_owned(),
            )
        }),
        recording: json(&standing.recording),
        filter: standing.filter.name.clone(),
        block,
        notice,
        openings: standing
            .openings
            .iter()
            .map(|opening| {
                let kind = match opening.kind {
                    OpeningKind::Allowlist => "allowlist",
                    OpeningKind::Exam => "exam",
                    OpeningKind::Grant => "grant",
                };
                format!("{kind} {}", opening.rule)
            })
            .collect(),
        help: json(&standing.help),
        acceptance: standing.acceptance.is_some(),
        exceptions: standing
            .exceptions
            .iter()
            .map(|exception| exception.id.clone())
            .collect(),
        doubt: standing.doubt.as_ref().map(|doubt| json(doubt)),
    }
}

mod erased {
    /// Anything that serde can write.
    pub trait Json {
        fn json(&self) -> serde_json::Value;
    }

    impl<T: serde::Serialize> Json for T {
        fn json(&self) -> serde_json::Value {
            serde_json::to_value(self).unwrap()
        }
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn texts(value: &Value) -> Vec<String> {
    list(value)
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

fn first_of(range: &Value) -> String {
    range
        .as_str()
        .or(range["first"].as_str())
        .unwrap()
        .to_owned()
}

fn last_of(range: &Value) -> String {
    range
        .as_str()
        .or(range["last"].as_str())
        .unwrap()
        .to_owned()
}

fn among(ranges: &Value, date: NaiveDate) -> bool {
    let date = date.to_string();
    list(ranges)
        .iter()
        .any(|range| first_of(range) <= date && date <= last_of(range))
}

/// A time of the next day: `00:30` is `24:30`.
fn next_day(time: &str) -> String {
    format!(
        "{:02}{}",
        time[..2].parse::<u32>().unwrap() + 24,
        &time[2..]
    )
}

/// The periods of a timetable with start and end, in order of time.
fn spans(timetable: &Value) -> Vec<(String, String, &Value)> {
    let mut spans: Vec<(String, String, &Value)> = list(&timetable["periods"])
        .iter()
        .map(|period| {
            let start = period["start"].as_str().unwrap().to_owned();
            let end = period["end"].as_str().unwrap();
            let end = if end < start.as_str() {
                next_day(end)
            } else {
                end.to_owned()
            };
            (start, end, period)
        })
        .collect();
    spans.sort_by(|one, other| one.0.cmp(&other.0));
    spans
}

/// Whether a network of IPv4 addresses holds an address, bit by bit.
fn covers(network: &str, address: IpAddr) -> bool {
    let (first, count) = network.split_once('/').unwrap_or((network, "32"));
    let bits = |address: IpAddr| -> Vec<bool> {
        let IpAddr::V4(address) = address else {
            return Vec::new();
        };
        let octets = address.octets();
        octets
            .iter()
            .flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1 == 1))
            .collect()
    };
    let count: usize = count.parse().unwrap();
    let (first, given) = (bits(first.parse().unwrap()), bits(address));
    !given.is_empty() && first[..count] == given[..count]
}

/// Whether an address is of a pattern of `*`, `#` and letters.
fn globs(pattern: &str, address: &str) -> bool {
    let Some(token) = pattern.chars().next() else {
        return address.is_empty();
    };
    let rest = &pattern[token.len_utf8()..];
    let next = address.chars().next();
    let after = next.map(|next| &address[next.len_utf8()..]);
    match (token, next) {
        ('*', next) => {
            globs(rest, address)
                || (next.is_some_and(|next| next != '@') && globs(pattern, after.unwrap()))
        }
        ('#', Some(next)) => next.is_ascii_digit() && globs(rest, after.unwrap()),
        (token, Some(next)) => token == next && globs(rest, after.unwrap()),
        (_, None) => false,
    }
}
