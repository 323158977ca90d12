//! When something else holds than now.

use chrono::{Datelike, Days, NaiveDate};

use super::{Content, Scene};
use crate::policy::rule::Hours;
use crate::policy::timetable;
use crate::policy::walk::DAY_MINUTES;
use crate::policy::zone::{self, DAY_MS, MINUTE_MS};

/// Days that are walked one by one whatever they are: a week and the day after.
const NEAR_DAYS: u64 = 8;
/// More than any zone is ahead of or behind UTC, in milliseconds.
const MAX_OFFSET_MS: i64 = 15 * 60 * MINUTE_MS;

impl Scene<'_> {
    /// The first instant after `now_ms` at which something else holds than `current`.
    pub fn next_change(&self, now_ms: i64, current: &Content) -> Option<i64> {
        let zone = self.policy.school.zone;
        let today = zone::wall(zone, now_ms).date;
        let near = today + Days::new(NEAR_DAYS);
        let rollover = self.rollover(today);
        let mut ends: Vec<i64> = self
            .exceptions
            .iter()
            .flat_map(|(_, from_ms, until_ms)| [*from_ms, *until_ms])
            .filter(|at_ms| *at_ms > now_ms)
            .collect();
        ends.sort_unstable();
        let differs = |at_ms: &i64| self.content(*at_ms) != *current;
        let mut from_ms = now_ms + 1;
        let mut candidates: Vec<i64> = Vec::new();
        loop {
            let until_ms = from_ms + DAY_MS;
            candidates.clear();
            self.boundaries(from_ms, until_ms, now_ms, &mut candidates);
            let ended = ends.iter().filter(|end| (from_ms..until_ms).contains(*end));
            candidates.extend(ended);
            candidates.sort_unstable();
            candidates.dedup();
            if let Some(found) = candidates.iter().copied().find(differs) {
                return Some(found);
            }
            from_ms = until_ms;
            let date = zone::wall(zone, from_ms).date;
            let Some(next) = self.next_date(date, near, rollover) else {
                return ends.into_iter().filter(|end| *end >= from_ms).find(differs);
            };
            let next_ms = zone::naive_ms(next, 0) - MAX_OFFSET_MS;
            if next_ms > from_ms {
                let skipped = ends.iter().filter(|end| (from_ms..next_ms).contains(*end));
                if let Some(found) = skipped.copied().find(differs) {
                    return Some(found);
                }
                from_ms = next_ms;
            }
        }
    }

    /// The first date from `date` on that may bring a change.
    fn next_date(
        &self,
        date: NaiveDate,
        near: NaiveDate,
        rollover: Option<NaiveDate>,
    ) -> Option<NaiveDate> {
        if date <= near {
            return Some(date);
        }
        let reach = &self.policy.reach;
        let next = reach.dates.partition_point(|known| *known < date);
        let in_reach = reach.dates.get(next).copied();
        let in_reach = if reach.holidays_differ && in_reach.is_some() {
            Some(date)
        } else {
            in_reach
        };
        let rollover = rollover.filter(|rollover| *rollover >= date);
        match (in_reach, rollover) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    /// The next day on which year groups move up, where that concerns this person.
    fn rollover(&self, today: NaiveDate) -> Option<NaiveDate> {
        if self.context.cohort.is_some() || self.context.user.is_none() {
            return None;
        }
        let (month, day) = self.policy.school.year_starts;
        (today.year()..=today.year() + 1)
            .filter_map(|year| NaiveDate::from_ymd_opt(year, month, day))
            .find(|date| *date > today)
    }

    /// Every instant of `[from_ms, until_ms)` at which the schedule may change.
    fn boundaries(&self, from_ms: i64, until_ms: i64, now_ms: i64, found: &mut Vec<i64>) {
        let mut minutes: Vec<u16> = Vec::new();
        for stretch in zone::stretches(self.policy.school.zone, from_ms, until_ms) {
            if stretch.from_ms > from_ms {
                found.push(stretch.from_ms);
            }
            let first = zone::wall_at_offset(stretch.from_ms, stretch.offset_ms).date;
            let last = zone::wall_at_offset(stretch.until_ms - 1, stretch.offset_ms).date;
            for date in first.iter_days().take_while(|date| *date <= last) {
                minutes.clear();
                self.minutes(date, &mut minutes);
                let instants = minutes
                    .iter()
                    .map(|minute| zone::naive_ms(date, *minute) - stretch.offset_ms)
                    .filter(|at_ms| {
                        (stretch.from_ms..stretch.until_ms).contains(at_ms) && *at_ms > now_ms
                    });
                found.extend(instants);
            }
        }
    }

    /// The minutes of a date at which something may begin or end.
    pub fn minutes(&self, date: NaiveDate, minutes: &mut Vec<u16>) {
        let policy = self.policy;
        let school_year = policy.school_year(date);
        if self.is_found_anew_in(school_year) {
            return Self::on(policy, self.context, school_year).minutes(date, minutes);
        }
        minutes.push(0);
        let Some(cohort) = self.person.cohort else {
            return;
        };
        let yesterday = date.checked_sub_days(Days::new(1));
        let mut in_school = false;
        for (date, later) in [(Some(date), 0), (yesterday, DAY_MINUTES)] {
            let Some(date) = date else { continue };
            let day = policy.calendar.day(date);
            let mut push = |minute: u16| {
                if (later..later + DAY_MINUTES).contains(&minute) {
                    minutes.push(minute - later);
                }
            };
            let hours = timetable::school_hours(&policy.timetables, &policy.calendar, &day, cohort);
            if let Some((_, last)) = hours {
                in_school = true;
                let periods = timetable::of_day(&policy.timetables, &day, cohort)
                    .map(|timetable| timetable.periods.as_slice())
                    .unwrap_or_default();
                for period in periods {
                    push(period.start.min(last));
                    push(period.end.min(last));
                }
            }
            for number in &self.sessions {
                let session = &policy.sessions[usize::from(*number)];
                if let Some((start, end)) = self.session_span(session, &day, cohort) {
                    in_school = true;
                    push(start);
                    push(end);
                }
            }
        }
        for number in &self.exams {
            let exam = &policy.exams[usize::from(*number)];
            if let Some(sitting) = &exam.sitting
                && sitting.dates.iter().any(|range| range.contains(date))
            {
                minutes.extend([sitting.start, sitting.end]);
            }
        }
        let of_rules = self
            .rules
            .iter()
            .flatten()
            .map(|number| &policy.rules[usize::from(*number)].when);
        let of_grants = self
            .grants
            .iter()
            .map(|number| &policy.grants[usize::from(*number)].when);
        // A period that began yesterday holds by yesterday's day.
        let days = [Some(date), yesterday].map(|date| Some(policy.calendar.day(date?)));
        for when in of_rules.chain(of_grants) {
            let on_such_a_day = || days.iter().flatten().any(|day| when.days.holds(day));
            let may_hold = !when.times.is_empty() && on_such_a_day();
            if may_hold && (in_school || when.hours != Hours::School) {
                minutes.extend(when.times.iter().flat_map(|(start, end)| [*start, *end]));
            }
        }
    }
}
