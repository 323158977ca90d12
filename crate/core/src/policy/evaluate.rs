//! What holds for someone at an instant, and until when.

use std::sync::Arc;

use chrono::{Datelike, Days, NaiveDate};

use super::calendar::Day;
use super::person::{Address, CohortKind, Person, Years};
use super::rule::{Hours, Rule, Session, When};
use super::settings::OutsideMode;
use super::timetable;
use super::walk::DAY_MINUTES;
use super::zone::{self, DAY_MS, MINUTE_MS, Wall};
use super::{LESSON_RULES, NO_RULE, OUTSIDE_HOURS, Policy};
use crate::context::{Clock, Context, ExceptionScope};
use crate::standing::{Doubt, Filter, HelpScope, Mode, Recording};

/// Days that are walked one by one whatever they are: a week and the day after.
const NEAR_DAYS: u64 = 8;
/// More than any zone is ahead of or behind UTC, in milliseconds.
const MAX_OFFSET_MS: i64 = 15 * 60 * MINUTE_MS;

/// Where the schedule can change at all, worked out once for a policy.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    /// The dates on which something may begin or end, ascending.
    dates: Vec<NaiveDate>,
    /// Whether days without school differ from each other.
    holidays_differ: bool,
    /// For each cohort the rules that may be for it: in school hours and outside.
    rules: Vec<[Vec<u16>; 2]>,
}

impl Reach {
    /// The dates on which something may begin or end, ascending.
    pub fn dates(&self) -> &[NaiveDate] {
        &self.dates
    }

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
            if day.kind != super::calendar::DayKind::NoSchool {
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
        let no_school = super::calendar::DayKind::NoSchool.bit();
        let in_holidays =
            |days: &timetable::DaySet| days.day_kinds & no_school != 0 && days.dates.is_none();
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

/// The most days of one range that are walked one by one.
const MAX_RANGE_DAYS: usize = 2192;

/// Everything about someone that does not depend on the moment, rules sorted out by it.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    policy: &'a Policy,
    context: &'a Context,
    pub person: Person,
    /// The school year that the person was found for.
    school_year: i32,
    /// Rules in school hours and outside, those of others left out.
    rules: [Vec<u16>; 2],
    sessions: Vec<u16>,
    grants: Vec<u16>,
    exams: Vec<u16>,
    /// When supervised exceptions hold, by their number: from and until.
    exceptions: Vec<(u16, i64, i64)>,
    /// The notices acknowledged, each with the date on the wall.
    acknowledged: Vec<(&'a str, NaiveDate)>,
    on_site: bool,
}

/// What holds at an instant, by numbers; two that are equal make equal standings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub mode: Mode,
    pub rule: RuleOf,
    pub filter: FilterOf,
    /// Which notices of the filter are acknowledged, by number.
    pub acknowledged: u128,
    pub period: Option<PeriodAt>,
    pub recording: Recording,
    pub allowlist: Option<usize>,
    pub grants: Vec<u16>,
    pub exams: Vec<u16>,
    pub help: HelpScope,
    pub acceptance: bool,
    pub exceptions: Vec<u16>,
    pub doubt: Option<Doubt>,
}

/// What set the mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RuleOf {
    Rule(u16),
    Exam(u16),
    NoRule,
    OutsideHours,
    LessonRules,
}

/// The filter in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FilterOf {
    Policy(usize),
    Doubt,
    Nothing,
}

/// A period, by numbers, on the day on which it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PeriodAt {
    pub day: Day,
    /// Its name by number; none between two periods.
    pub name: Option<u16>,
    pub kind: u8,
    /// The kind whose rules hold.
    as_kind: u8,
    pub start: u16,
    pub end: u16,
}

impl PeriodAt {
    fn is_of_kinds(&self, kinds: u64) -> bool {
        kinds >> self.kind & 1 == 1 || kinds >> self.as_kind & 1 == 1
    }
}

impl<'a> Scene<'a> {
    pub fn new(policy: &'a Policy, context: &'a Context, now_ms: i64) -> Self {
        let date = zone::wall(policy.school.zone, now_ms).date;
        Self::on(policy, context, policy.school_year(date))
    }

    fn on(policy: &'a Policy, context: &'a Context, school_year: i32) -> Self {
        Self::of(
            policy,
            context,
            policy.person(context, school_year),
            school_year,
        )
    }

    /// The scene of a person who is known already.
    pub fn of(policy: &'a Policy, context: &'a Context, person: Person, school_year: i32) -> Self {
        let here = |place: &Option<super::place::Where>| {
            place
                .as_ref()
                .is_none_or(|place| place.holds(&context.place, &policy.places))
        };
        let kept = |numbers: &[u16]| -> Vec<u16> {
            numbers
                .iter()
                .copied()
                .filter(|number| {
                    let rule = &policy.rules[usize::from(*number)];
                    rule.who.contains(&person) && here(&rule.place)
                })
                .collect()
        };
        let rules = match person.cohort {
            Some(cohort) => {
                let [inside, outside] = &policy.reach.rules[cohort];
                [kept(inside), kept(outside)]
            }
            None => [Vec::new(), Vec::new()],
        };
        let chosen = |count: usize, holds: &dyn Fn(usize) -> bool| -> Vec<u16> {
            (0..count)
                .filter(|number| holds(*number))
                .map(|number| number as u16)
                .collect()
        };
        let exceptions = match &policy.exceptions {
            None => Vec::new(),
            Some(rules) => (context.exceptions.iter().enumerate())
                .filter(|(_, exception)| match exception.scope {
                    ExceptionScope::ClosedPeriod => rules.closed_periods_for.contains(&person),
                    ExceptionScope::Entries(_) | ExceptionScope::Categories(_) => {
                        rules.who.contains(&person)
                    }
                })
                .map(|(number, exception)| {
                    let longest_ms = i64::from(rules.max_minutes) * MINUTE_MS;
                    let end_ms = exception.not_before_ms.saturating_add(longest_ms);
                    (
                        number as u16,
                        exception.not_before_ms,
                        exception.not_after_ms.min(end_ms),
                    )
                })
                .collect(),
        };
        let zone = policy.school.zone;
        Self {
            sessions: chosen(policy.sessions.len(), &|number| {
                let session = &policy.sessions[number];
                session.who.contains(&person) && here(&session.place)
            }),
            grants: chosen(policy.grants.len(), &|number| {
                let grant = &policy.grants[number];
                grant.who.contains(&person) && here(&grant.place)
            }),
            exams: chosen(policy.exams.len(), &|number| {
                let exam = &policy.exams[number];
                context.exam.as_deref() == Some(&exam.name)
                    || (exam.sitting.is_some() && exam.who.contains(&person) && here(&exam.place))
            }),
            on_site: policy
                .exceptions
                .as_ref()
                .is_some_and(|exceptions| here(&exceptions.place)),
            acknowledged: context
                .acknowledgements
                .iter()
                .map(|notice| {
                    (
                        notice.category.as_str(),
                        zone::wall(zone, notice.at_ms).date,
                    )
                })
                .collect(),
            rules,
            exceptions,
            person,
            school_year,
            policy,
            context,
        }
    }

    /// Whether year groups moved up, so that someone found by an entry year is found anew.
    fn is_found_anew_in(&self, school_year: i32) -> bool {
        school_year != self.school_year && self.context.cohort.is_none()
    }

    /// What holds at an instant.
    pub fn content(&self, at_ms: i64) -> Content {
        let wall = zone::wall(self.policy.school.zone, at_ms);
        let school_year = self.policy.school_year(wall.date);
        if self.is_found_anew_in(school_year) {
            return Self::on(self.policy, self.context, school_year).content_at(at_ms, wall);
        }
        self.content_at(at_ms, wall)
    }

    /// What holds at an instant at which the clock on the wall shows this.
    pub fn content_at(&self, at_ms: i64, wall: Wall) -> Content {
        if self.context.clock == Clock::Doubtful {
            return self.lesson_rules(Doubt::Clock, wall);
        }
        let Some(cohort) = self.person.cohort else {
            return self.lesson_rules(Doubt::Pupil, wall);
        };
        let policy = self.policy;
        let period = self.period(wall, cohort);
        let day = period.map_or_else(|| policy.calendar.day(wall.date), |period| period.day);
        let list = &self.rules[usize::from(period.is_none())];
        let found = list.iter().copied().find(|number| {
            let when = &policy.rules[usize::from(*number)].when;
            holds(when, period.as_ref(), &day, wall.minute)
        });
        let kind = policy.cohorts[cohort].kind;
        let own_filter = policy.cohorts[cohort].filter;
        let mut content = Content {
            mode: Mode::Filtered,
            rule: RuleOf::NoRule,
            filter: FilterOf::Policy(own_filter),
            acknowledged: 0,
            period,
            recording: self.most_recorded(Mode::Filtered, kind),
            allowlist: None,
            grants: Vec::new(),
            exams: Vec::new(),
            help: HelpScope::All,
            acceptance: false,
            exceptions: Vec::new(),
            doubt: None,
        };
        match found {
            Some(number) => {
                let then = &policy.rules[usize::from(number)].then;
                let most = self.most_recorded(then.mode, kind);
                content.mode = then.mode;
                content.rule = RuleOf::Rule(number);
                content.filter = FilterOf::Policy(then.filter.unwrap_or(own_filter));
                content.allowlist = then.allowlist;
                content.recording = then.recording.unwrap_or(most).min(most);
                if then.mode == Mode::Notice && self.has_acknowledged("*", wall.date) {
                    content.mode = Mode::Filtered;
                }
            }
            None if period.is_none() => {
                content.rule = RuleOf::OutsideHours;
                content.recording = Recording::Nothing;
                let outside = match kind {
                    CohortKind::Pupil => policy.outside.pupils,
                    CohortKind::Staff => policy.outside.staff,
                };
                if outside == OutsideMode::Open {
                    content.mode = Mode::Open;
                }
            }
            None => {}
        }
        content.exams = self.exams_at(wall);
        if let Some(first) = content.exams.first() {
            content.mode = Mode::Exam;
            content.rule = RuleOf::Exam(*first);
            content.allowlist = None;
            content.filter = FilterOf::Policy(own_filter);
            content.recording = self.most_recorded(Mode::Exam, kind);
            let none = |number: &u16| policy.exams[usize::from(*number)].help == HelpScope::None;
            content.help = if content.exams.iter().any(none) {
                HelpScope::None
            } else {
                HelpScope::CrisisOnly
            };
        }
        if content.mode == Mode::Open {
            content.filter = FilterOf::Nothing;
            return content;
        }
        content.acknowledged = self.acknowledged_of(content.filter, wall.date);
        content.grants = self.grants_at(period.as_ref(), &day, wall);
        content.exceptions = self.exceptions_at(at_ms, content.mode, period.as_ref());
        content.acceptance = policy.acceptable_use.as_ref().is_some_and(|use_policy| {
            self.context.accepted_version.as_deref() != Some(&use_policy.version)
                && use_policy.who.contains(&self.person)
        });
        content
    }

    /// Lesson rules, which hold where the policy cannot say what does.
    fn lesson_rules(&self, doubt: Doubt, wall: Wall) -> Content {
        let filter = match self.person.cohort {
            Some(cohort) => FilterOf::Policy(self.policy.cohorts[cohort].filter),
            None => FilterOf::Doubt,
        };
        Content {
            mode: Mode::Filtered,
            rule: RuleOf::LessonRules,
            filter,
            acknowledged: self.acknowledged_of(filter, wall.date),
            period: None,
            recording: Recording::Nothing,
            allowlist: None,
            grants: Vec::new(),
            exams: Vec::new(),
            help: HelpScope::All,
            acceptance: false,
            exceptions: Vec::new(),
            doubt: Some(doubt),
        }
    }

    /// The most that may be recorded of someone.
    fn most_recorded(&self, mode: Mode, kind: CohortKind) -> Recording {
        let policy = self.policy;
        let nameless = policy.observe
            || (kind == CohortKind::Staff && !policy.reporting.staff_named)
            || matches!(mode, Mode::Closed | Mode::Exam);
        match mode {
            Mode::Open => Recording::Nothing,
            _ if nameless => Recording::Counts,
            _ => Recording::Named,
        }
    }

    fn has_acknowledged(&self, category: &str, date: NaiveDate) -> bool {
        self.acknowledged.contains(&(category, date))
    }

    fn acknowledged_of(&self, filter: FilterOf, date: NaiveDate) -> u128 {
        let FilterOf::Policy(number) = filter else {
            return 0;
        };
        if self.acknowledged.is_empty() {
            return 0;
        }
        let notices = self.policy.filters[number]
            .notice
            .iter()
            .enumerate()
            .take(128);
        notices
            .filter(|(_, category)| self.has_acknowledged(category, date))
            .fold(0, |set, (number, _)| set | 1 << number)
    }

    /// The period of a minute: of the timetable, or else of the first session that holds.
    fn period(&self, wall: Wall, cohort: usize) -> Option<PeriodAt> {
        let policy = self.policy;
        let found = timetable::at_minute(
            &policy.timetables,
            &policy.calendar,
            wall.date,
            wall.minute,
            cohort,
        );
        if let Some(found) = found {
            let kind = found.period.map_or(policy.between, |(_, kind)| kind);
            return Some(PeriodAt {
                day: found.day,
                name: found.period.map(|(name, _)| name),
                kind,
                as_kind: kind,
                start: found.start,
                end: found.end,
            });
        }
        self.sessions.iter().find_map(|number| {
            let session = &policy.sessions[usize::from(*number)];
            let yesterday = wall.date.checked_sub_days(Days::new(1));
            [
                (Some(wall.date), wall.minute),
                (yesterday, wall.minute + DAY_MINUTES),
            ]
            .into_iter()
            .find_map(|(date, minute)| {
                let day = policy.calendar.day(date?);
                let (start, end) = self.session_span(session, &day, cohort)?;
                (start..end).contains(&minute).then_some(PeriodAt {
                    day,
                    name: Some(session.name),
                    kind: session.kind,
                    as_kind: session.as_kind,
                    start,
                    end,
                })
            })
        })
    }

    /// The minutes of a session on a day, from the end of school where it says so.
    fn session_span(&self, session: &Session, day: &Day, cohort: usize) -> Option<(u16, u16)> {
        if !session.days.holds(day) {
            return None;
        }
        let start = match session.start {
            Some(start) => start,
            None => {
                let policy = self.policy;
                timetable::school_hours(&policy.timetables, &policy.calendar, day, cohort)?.1
            }
        };
        (start < session.end).then_some((start, session.end))
    }

    fn exams_at(&self, wall: Wall) -> Vec<u16> {
        let holds = |number: &u16| {
            let exam = &self.policy.exams[usize::from(*number)];
            self.context.exam.as_deref() == Some(&exam.name)
                || exam.sitting.as_ref().is_some_and(|sitting| {
                    (sitting.start..sitting.end).contains(&wall.minute)
                        && sitting.dates.iter().any(|range| range.contains(wall.date))
                })
        };
        self.exams.iter().copied().filter(holds).collect()
    }

    fn grants_at(&self, period: Option<&PeriodAt>, day: &Day, wall: Wall) -> Vec<u16> {
        let holds_now = |number: &u16| {
            let grant = &self.policy.grants[usize::from(*number)];
            let fits = match grant.when.hours {
                Hours::School => period.is_some(),
                Hours::Outside => period.is_none(),
                Hours::Always => true,
            };
            fits && day.date <= grant.until
                && grant.from.is_none_or(|from| from <= day.date)
                && holds(&grant.when, period, day, wall.minute)
        };
        self.grants.iter().copied().filter(holds_now).collect()
    }

    fn exceptions_at(&self, at_ms: i64, mode: Mode, period: Option<&PeriodAt>) -> Vec<u16> {
        let Some(rules) = &self.policy.exceptions else {
            return Vec::new();
        };
        let holds_now = |(number, from_ms, until_ms): &(u16, i64, i64)| {
            let exception = &self.context.exceptions[usize::from(*number)];
            let in_time = (*from_ms..*until_ms).contains(&at_ms);
            let on_site = self.on_site || exception.off_site;
            let fits = match exception.scope {
                ExceptionScope::ClosedPeriod => matches!(mode, Mode::Closed | Mode::Allowlist),
                ExceptionScope::Entries(_) | ExceptionScope::Categories(_) => {
                    exception.outside_lessons
                        || period.is_some_and(|period| period.is_of_kinds(rules.kinds))
                }
            };
            (in_time && on_site && fits).then_some(*number)
        };
        self.exceptions.iter().filter_map(holds_now).collect()
    }

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
            let on_such_a_day = days.iter().flatten().any(|day| when.days.holds(day));
            if on_such_a_day && (in_school || when.hours != Hours::School) {
                minutes.extend(when.times.iter().flat_map(|(start, end)| [*start, *end]));
            }
        }
    }
}

/// Whether the conditions of a rule or grant hold, its hours apart.
fn holds(when: &When, period: Option<&PeriodAt>, day: &Day, minute: u16) -> bool {
    let kind_fits = when
        .kinds
        .is_none_or(|kinds| period.is_some_and(|period| period.is_of_kinds(kinds)));
    let period_fits = when.periods.as_ref().is_none_or(|names| {
        period
            .and_then(|period| period.name)
            .is_some_and(|name| names.binary_search(&name).is_ok())
    });
    kind_fits
        && period_fits
        && when.days.holds(day)
        && (when.times.is_empty()
            || when
                .times
                .iter()
                .any(|(start, end)| (*start..*end).contains(&minute)))
}

impl Policy {
    /// The year in which the school year of a date began.
    pub(super) fn school_year(&self, date: NaiveDate) -> i32 {
        let (month, day) = self.school.year_starts;
        if (date.month(), date.day()) < (month, day) {
            date.year() - 1
        } else {
            date.year()
        }
    }

    /// Who someone is, in the school year that began in `school_year`.
    ///
    /// The cohort that the context states wins over one found by address. By address an
    /// explicit member wins over patterns; whoever fits two cohorts is in none.
    pub(super) fn person(&self, context: &Context, school_year: i32) -> Person {
        let address = context
            .user
            .as_deref()
            .map(|user| Address::new(user, self.school.salt.as_deref()));
        let cohort = match (&context.cohort, &address) {
            (Some(name), _) => self.cohorts.iter().position(|cohort| cohort.name == *name),
            (None, Some(address)) => match self.cohorts_of(address, school_year).as_slice() {
                [one] => Some(*one),
                _ => None,
            },
            (None, None) => None,
        };
        let groups = self
            .groups
            .iter()
            .enumerate()
            .filter(|(_, group)| {
                context.groups.contains(&group.name)
                    || address.as_ref().is_some_and(|address| {
                        group.members.contains(address)
                            || group
                                .patterns
                                .iter()
                                .any(|one| one.matches(&address.text, None))
                    })
            })
            .map(|(number, _)| number as u16)
            .collect();
        Person {
            cohort,
            groups,
            address,
        }
    }

    /// The cohorts that an address is found in: those that name it, or else by pattern.
    pub(super) fn cohorts_of(&self, address: &Address, school_year: i32) -> Vec<usize> {
        let numbered = || self.cohorts.iter().enumerate();
        let named: Vec<usize> = numbered()
            .filter(|(_, cohort)| cohort.members.contains(address))
            .map(|(number, _)| number)
            .collect();
        if !named.is_empty() {
            return named;
        }
        numbered()
            .filter(|(_, cohort)| {
                let years = cohort.year.map(|year| Years::of(year, school_year));
                let fits = |patterns: &[super::person::Pattern]| {
                    patterns.iter().any(|one| one.matches(&address.text, years))
                };
                fits(&cohort.patterns) && !fits(&cohort.except)
            })
            .map(|(number, _)| number)
            .collect()
    }

    /// The name of what set the mode, as decisions quote it.
    pub(super) fn rule_name(&self, rule: RuleOf) -> &str {
        match rule {
            RuleOf::Rule(number) => &self.rules[usize::from(number)].name,
            RuleOf::Exam(number) => &self.exams[usize::from(number)].name,
            RuleOf::NoRule => NO_RULE,
            RuleOf::OutsideHours => OUTSIDE_HOURS,
            RuleOf::LessonRules => LESSON_RULES,
        }
    }

    /// The filter in force, its acknowledged notices left out.
    pub(super) fn filter_of(&self, content: &Content) -> Arc<Filter> {
        let filter = match content.filter {
            FilterOf::Policy(number) => &self.filters[number],
            FilterOf::Doubt => &self.doubt_filter,
            FilterOf::Nothing => return Arc::default(),
        };
        if content.acknowledged == 0 {
            return Arc::clone(filter);
        }
        let notice = filter.notice.iter().enumerate();
        Arc::new(Filter {
            notice: notice
                .filter(|(number, _)| {
                    content
                        .acknowledged
                        .checked_shr(*number as u32)
                        .unwrap_or(0)
                        & 1
                        == 0
                })
                .map(|(_, category)| category.clone())
                .collect(),
            ..Filter::clone(filter)
        })
    }
}
