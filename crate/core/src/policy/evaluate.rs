//! What holds for someone at an instant, and until when.

mod change;

use std::sync::Arc;

use chrono::{Days, NaiveDate};

use super::calendar::Day;
use super::occasion::Session;
use super::person::{CohortKind, Person};
use super::rule::{Hours, When};
use super::settings::OutsideMode;
use super::timetable;
use super::walk::DAY_MINUTES;
use super::zone::{self, MINUTE_MS, Wall};
use super::{LESSON_RULES, NO_RULE, OUTSIDE_HOURS, Policy};
use crate::context::{Clock, Context, ExceptionScope};
use crate::standing::{Doubt, Filter, HelpScope, Mode, Recording};

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
