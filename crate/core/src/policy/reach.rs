//! Where a policy's schedule can change at all, worked out once.

use chrono::{Days, NaiveDate};

use super::Policy;
use super::calendar::DayKind;
use super::rule::{Hours, Rule};
use super::timetable::DaySet;

/// The most days of one range that are walked one by one.
const MAX_RANGE_DAYS: usize = 2192;

/// Where the schedule can change at all, worked out once for a policy.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    /// The dates on which something may begin or end, ascending.
    pub dates: Vec<NaiveDate>,
    /// Whether days without school differ from each other.
    pub holidays_differ: bool,
    /// For each cohort the rules that may be for it: in school hours and outside.
    pub rules: Vec<[Vec<u16>; 2]>,
}

impl Reach {
    pub fn of(policy: &Policy) -> Self {
        let mut dates: Vec<NaiveDate> = Vec::new();
        let mut add = |date: NaiveDate| {
            dates.push(date);
            dates.extend(date.checked_add_days(Days::new(1)));
        };
        let calendar = &policy.calendar;
        for date in calendar
            .first
            .iter_days()
            .take_while(|date| *date <= calendar.last)
        {
            let day = calendar.day(date);
            if day.kind != DayKind::NoSchool {
                add(date);
            }
        }
        let whens = policy
            .rules
            .iter()
            .map(|rule| &rule.when)
            .chain(policy.grants.iter().map(|grant| &grant.when));
        let ranges = whens
            .clone()
            .filter_map(|when| when.days.dates.as_ref())
            .chain(
                policy
                    .sessions
                    .iter()
                    .filter_map(|session| session.days.dates.as_ref()),
            )
            .chain(
                policy
                    .timetables
                    .iter()
                    .filter_map(|timetable| timetable.days.dates.as_ref()),
            )
            .flatten();
        for range in ranges {
            range
                .first
                .iter_days()
                .take_while(|date| *date <= range.last)
                .take(MAX_RANGE_DAYS)
                .for_each(&mut add);
            add(range.last);
        }
        for exam in policy.exams.iter().filter_map(|exam| exam.sitting.as_ref()) {
            for range in &exam.dates {
                range
                    .first
                    .iter_days()
                    .take_while(|date| *date <= range.last)
                    .take(MAX_RANGE_DAYS)
                    .for_each(&mut add);
            }
        }
        for grant in &policy.grants {
            add(grant.until);
            grant.from.into_iter().for_each(&mut add);
        }
        dates.sort_unstable();
        dates.dedup();
        let no_school = DayKind::NoSchool.bit();
        let in_holidays = |days: &DaySet| days.day_kinds & no_school != 0 && days.dates.is_none();
        Self {
            dates,
            holidays_differ: policy
                .sessions
                .iter()
                .any(|session| in_holidays(&session.days))
                || policy
                    .timetables
                    .iter()
                    .any(|timetable| in_holidays(&timetable.days))
                || whens.clone().any(|when| {
                    when.hours != Hours::School
                        && (!when.times.is_empty() || when.days.weekdays != 0b111_1111)
                }),
            rules: (0..policy.cohorts.len())
                .map(|cohort| {
                    let of = |hours: Hours| -> Vec<u16> {
                        let may = |rule: &Rule| {
                            (rule.when.hours == hours || rule.when.hours == Hours::Always)
                                && (rule.who.has_cohort(cohort)
                                    || !rule.who.groups.is_empty()
                                    || !rule.who.people.is_empty())
                        };
                        let numbered = policy.rules.iter().enumerate();
                        numbered
                            .filter(|(_, rule)| may(rule))
                            .map(|(number, _)| number as u16)
                            .collect()
                    };
                    [of(Hours::School), of(Hours::Outside)]
                })
                .collect(),
        }
    }
}
