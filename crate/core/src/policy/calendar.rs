//! The school year: which days are school days, and which week of the cycle it is.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::fault::{FaultCode, Findings};
use super::names::Names;
use super::walk::At;

/// The longest calendar, in days: six years.
const MAX_DAYS: i64 = 2192;
/// Monday to Friday, Monday the lowest bit.
const MONDAY_TO_FRIDAY: u8 = 0b001_1111;

/// The keys of `calendar`.
pub(super) const CALENDAR_KEYS: &[&str] = &[
    "terms",
    "school_days",
    "extra_days",
    "no_school",
    "inset",
    "remote",
    "early_finish",
    "cycle",
];
/// The keys of a range of dates.
pub(super) const RANGE_KEYS: &[&str] = &["first", "last", "name"];
/// The keys of an early finish.
pub(super) const EARLY_FINISH_KEYS: &[&str] = &["date", "at", "cohorts"];
/// The keys of `calendar/cycle`.
pub(super) const CYCLE_KEYS: &[&str] = &["names", "anchor"];
/// The keys of `calendar/cycle/anchor`.
pub(super) const ANCHOR_KEYS: &[&str] = &["week_of", "name"];

/// What kind of day it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum DayKind {
    /// Lessons at school.
    School,
    /// Lessons at home (T180).
    Remote,
    /// Staff training without pupils.
    Inset,
    /// Weekends, holidays and everything outside the terms.
    NoSchool,
}

impl DayKind {
    /// The words of the language.
    pub const WORDS: [(&'static str, DayKind); 4] = [
        ("school", DayKind::School),
        ("remote", DayKind::Remote),
        ("inset", DayKind::Inset),
        ("no_school", DayKind::NoSchool),
    ];

    /// Its bit in a set of kinds.
    pub fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of every kind of day.
pub(super) const EVERY_DAY_KIND: u8 = 0b1111;

/// What the calendar says of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    pub date: NaiveDate,
    pub kind: DayKind,
    /// The week of the cycle, by number; none in weeks without a school day.
    pub cycle: Option<u8>,
}

impl Day {
    /// The day of the week as a bit, Monday the lowest.
    pub fn weekday_bit(&self) -> u8 {
        1 << self.date.weekday().num_days_from_monday()
    }
}

/// Dates from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DateRange {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

impl DateRange {
    pub fn contains(&self, date: NaiveDate) -> bool {
        (self.first..=self.last).contains(&date)
    }
}

/// School that ends before the timetable says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EarlyFinish {
    pub date: NaiveDate,
    pub minute: u16,
    /// A set of cohorts.
    pub cohorts: u128,
}

/// The school year, day by day.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    pub first: NaiveDate,
    pub last: NaiveDate,
    kinds: Vec<(DayKind, Option<u8>)>,
    pub early: Vec<EarlyFinish>,
    pub cycle_names: Vec<String>,
}

impl Calendar {
    /// What kind of day a date is.
    pub fn day(&self, date: NaiveDate) -> Day {
        let from_first = date.signed_duration_since(self.first).num_days();
        let known = usize::try_from(from_first)
            .ok()
            .and_then(|number| self.kinds.get(number));
        let (kind, cycle) = known.copied().unwrap_or((DayKind::NoSchool, None));
        Day { date, kind, cycle }
    }

    /// The minute at which school ends early for a cohort.
    pub fn early_finish(&self, date: NaiveDate, cohort: usize) -> Option<u16> {
        self.early
            .iter()
            .filter(|early| early.date == date && early.cohorts >> cohort & 1 == 1)
            .map(|early| early.minute)
            .min()
    }
}

/// Reads `calendar`.
pub(super) fn read(at: &At, names: &mut Names, findings: &mut Findings) -> Option<Calendar> {
    let fields = at.object(CALENDAR_KEYS, findings)?;
    let terms = fields.need(
        "terms",
        r#"[{"first": "2026-09-03", "last": "2026-12-18"}]"#,
        findings,
    )?;
    let terms: Vec<(DateRange, String)> = ranges(&terms, true, findings)?;
    let school_days = fields
        .get("school_days")
        .and_then(|at| at.weekdays(findings))
        .unwrap_or(MONDAY_TO_FRIDAY);
    let mut dates = |key: &str| -> Vec<(DateRange, String)> {
        fields
            .get(key)
            .and_then(|at| ranges(&at, false, findings))
            .unwrap_or_default()
    };
    let (extra, no_school) = (dates("extra_days"), dates("no_school"));
    let (inset, remote) = (dates("inset"), dates("remote"));

    let first = terms.iter().map(|(term, _)| term.first).min()?;
    let last = terms.iter().map(|(term, _)| term.last).max()?;
    let outside = |range: &DateRange| range.first < first || range.last > last;
    for (range, path) in extra.iter().chain(&inset).chain(&remote).chain(&no_school) {
        if outside(range) {
            findings.fault(
                path,
                FaultCode::InvalidValue,
                format!(
                    "this lies outside the terms, {first} to {last}; correct the date or the terms"
                ),
            );
        }
    }
    let days = last.signed_duration_since(first).num_days() + 1;
    if days > MAX_DAYS {
        findings.fault(
            &at.path,
            FaultCode::TooLarge,
            format!("the terms span {days} days; keep to {MAX_DAYS} at most"),
        );
        return None;
    }
    exclude(&inset, "an INSET day", &remote, "a remote day", findings);
    exclude(
        &no_school,
        "a day without school",
        &remote,
        "a remote day",
        findings,
    );
    exclude(
        &no_school,
        "a day without school",
        &inset,
        "an INSET day",
        findings,
    );
    exclude(
        &no_school,
        "a day without school",
        &extra,
        "an extra day",
        findings,
    );

    let holds =
        |ranges: &[(DateRange, String)], date| ranges.iter().any(|(range, _)| range.contains(date));
    let kind = |date: NaiveDate| {
        let weekday = 1 << date.weekday().num_days_from_monday();
        let is_day = holds(&extra, date) || (holds(&terms, date) && school_days & weekday != 0);
        if holds(&inset, date) {
            DayKind::Inset
        } else if !is_day || holds(&no_school, date) {
            DayKind::NoSchool
        } else if holds(&remote, date) {
            DayKind::Remote
        } else {
            DayKind::School
        }
    };
    let mut kinds: Vec<(DayKind, Option<u8>)> = first
        .iter_days()
        .take_while(|date| *date <= last)
        .map(|date| (kind(date), None))
        .collect();
    for (range, path) in &remote {
        if !range_days(*range).any(|date| kind(date) == DayKind::Remote) {
            findings.warn(
                path,
                FaultCode::NeverHolds,
                "no school day is among these; a remote day must be a school day otherwise",
            );
        }
    }
    if let Some(cycle) = fields.get("cycle") {
        read_cycle(&cycle, first, &mut kinds, names, findings);
    }
    let calendar = Calendar {
        first,
        last,
        cycle_names: names.cycle.clone(),
        early: read_early(fields.get("early_finish"), names, findings),
        kinds,
    };
    for (number, early) in calendar.early.iter().enumerate() {
        if calendar.day(early.date).kind == DayKind::NoSchool {
            findings.warn(
                &format!("{}/early_finish/{number}", at.path),
                FaultCode::NeverHolds,
                format!(
                    "there is no school on {}, so nothing ends early",
                    early.date
                ),
            );
        }
    }
    Some(calendar)
}

fn exclude(
    these: &[(DateRange, String)],
    this: &str,
    those: &[(DateRange, String)],
    that: &str,
    findings: &mut Findings,
) {
    for (one, _) in these {
        for (other, path) in those {
            if one.first <= other.last && other.first <= one.last {
                let date = one.first.max(other.first);
                findings.fault(
                    path,
                    FaultCode::Contradiction,
                    format!("{date} is both {this} and {that}; take it out of one of the two"),
                );
            }
        }
    }
}

fn range_days(range: DateRange) -> impl Iterator<Item = NaiveDate> {
    range
        .first
        .iter_days()
        .take_while(move |date| *date <= range.last)
}

fn read_early(at: Option<At>, names: &Names, findings: &mut Findings) -> Vec<EarlyFinish> {
    let items = at.and_then(|at| at.list(findings)).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| {
            let fields = item.object(EARLY_FINISH_KEYS, findings)?;
            let date = fields.need("date", r#""2026-12-18""#, findings)?;
            let minute = fields.need("at", r#""12:15""#, findings)?;
            let cohorts = match fields.get("cohorts") {
                Some(at) => names.cohort_set(&at, findings)?,
                None => u128::MAX,
            };
            Some(EarlyFinish {
                date: date.date(findings)?,
                minute: minute.time(findings)?,
                cohorts,
            })
        })
        .collect()
}

/// Reads the cycle of weeks and numbers the weeks by it.
///
/// Only weeks with a school or remote day count, so that the cycle goes on after a
/// holiday where it stopped before.
fn read_cycle(
    at: &At,
    first: NaiveDate,
    days: &mut [(DayKind, Option<u8>)],
    names: &mut Names,
    findings: &mut Findings,
) -> Option<()> {
    let fields = at.object(CYCLE_KEYS, findings)?;
    let listed = fields.need("names", r#"["A", "B"]"#, findings)?;
    for item in listed.some_list(findings)? {
        let name = item.text(findings)?;
        if names.cycle.iter().any(|known| known == name) {
            findings.fault(
                &item.path,
                FaultCode::DuplicateName,
                format!("the week `{name}` stands twice in the cycle; name each week once"),
            );
        }
        names.cycle.push(name.to_owned());
    }
    if names.cycle.len() > 32 {
        findings.fault(
            &listed.path,
            FaultCode::TooLarge,
            "a cycle has 32 weeks at most",
        );
        return None;
    }
    let anchor = fields.need(
        "anchor",
        r#"{"week_of": "2026-09-07", "name": "A"}"#,
        findings,
    )?;
    let anchor = anchor.object(ANCHOR_KEYS, findings)?;
    let week_of = anchor.need("week_of", r#""2026-09-07""#, findings)?;
    let anchor_name = anchor.need("name", r#""A""#, findings)?;
    let anchor_week = monday(week_of.date(findings)?);
    let anchor_number = names.cycle_number(&anchor_name, findings)?;

    let mut weeks: Vec<(NaiveDate, bool)> = Vec::new();
    for (number, (kind, _)) in days.iter().enumerate() {
        let week = monday(first + Days::new(number as u64));
        let counts = matches!(kind, DayKind::School | DayKind::Remote);
        match weeks.last_mut() {
            Some((last, any)) if *last == week => *any |= counts,
            _ => weeks.push((week, counts)),
        }
    }
    let counted: Vec<NaiveDate> = weeks
        .into_iter()
        .filter_map(|(week, counts)| counts.then_some(week))
        .collect();
    let Some(anchor_at) = counted.iter().position(|week| *week == anchor_week) else {
        findings.fault(
            &week_of.path,
            FaultCode::InvalidValue,
            format!("the week of {anchor_week} has no school day; anchor the cycle in a week that has one"),
        );
        return None;
    };
    let length = names.cycle.len() as i64;
    for (number, day) in days.iter_mut().enumerate() {
        let week = monday(first + Days::new(number as u64));
        if let Ok(place) = counted.binary_search(&week) {
            let steps = place as i64 - anchor_at as i64 + i64::from(anchor_number);
            day.1 = Some(steps.rem_euclid(length) as u8);
        }
    }
    Some(())
}

/// The Monday of a date's week.
pub(super) fn monday(date: NaiveDate) -> NaiveDate {
    date.week(Weekday::Mon).first_day()
}

/// Reads a list of dates and ranges of dates, each with its place.
pub(super) fn ranges(
    at: &At,
    must_have_one: bool,
    findings: &mut Findings,
) -> Option<Vec<(DateRange, String)>> {
    let items = if must_have_one {
        at.some_list(findings)?
    } else {
        at.list(findings)?
    };
    let ranges = items
        .iter()
        .filter_map(|item| Some((range(item, findings)?, item.path.clone())));
    Some(ranges.collect())
}

fn range(at: &At, findings: &mut Findings) -> Option<DateRange> {
    if matches!(at.node, super::node::Node::Text(_)) {
        let date = at.date(findings)?;
        return Some(DateRange {
            first: date,
            last: date,
        });
    }
    let fields = at.object(RANGE_KEYS, findings)?;
    let first = fields.need("first", r#""2026-10-26""#, findings);
    let last = fields.need("last", r#""2026-10-30""#, findings);
    if let Some(name) = fields.get("name") {
        name.text(findings);
    }
    let range = DateRange {
        first: first?.date(findings)?,
        last: last?.date(findings)?,
    };
    if range.last < range.first {
        findings.fault(
            &at.path,
            FaultCode::InvalidValue,
            format!(
                "it ends on {} before it begins on {}; swap the two",
                range.last, range.first
            ),
        );
        return None;
    }
    Some(range)
}
