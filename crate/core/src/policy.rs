//! The language of the school day.
//!
//! A school writes one JSON text: its calendar, timetables, places, filters and an
//! ordered table of rules ([docs/policy.md](../../../docs/policy.md)). [`Policy::parse`]
//! reads it or names every fault in it; [`Policy::standing`] says what holds for someone
//! at an instant, and until when.
//!
//! - The schedule works on what the clock on the school's wall shows ([`zone`]).
//! - Every interval is half-open, `[start, end)`.
//! - In doubt lesson rules hold: never closed, never open, and nobody is named.

mod calendar;
pub(crate) mod categories;
mod contradiction;
mod documented;
mod evaluate;
mod fault;
mod filter;
mod identify;
mod lint;
mod managed;
mod names;
mod node;
mod occasion;
mod person;
mod place;
mod reach;
mod read;
mod rule;
mod settings;
mod timetable;
mod walk;
mod zone;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;

use self::calendar::{Calendar, DayKind};
use self::evaluate::{Content, PeriodAt, Scene};
use self::occasion::{Exam, Exceptions, Grant, Session};
use self::person::{Address, Cohort, Group};
use self::place::NamedPlace;
use self::reach::Reach;
use self::rule::Rule;
use self::settings::{AcceptableUse, Outside, School};
use self::timetable::Timetable;
use crate::context::{Context, ExceptionScope};
use crate::expression::Entry;
use crate::list::EntrySet;
use crate::standing::{
    Acceptance, ActiveException, Doubt, Filter, HelpScope, Mode, Opening, OpeningKind, Period,
    Recording, Reporting, Standing,
};

pub use self::fault::{Fault, FaultCode, Faults, Warning, suggestion};
pub use self::managed::{MANAGED_KEYS, Managed, ManagedKey, managed_schema};
pub use self::read::MAX_POLICY_BYTES;
pub use self::settings::{Contact, HelpClosed, Pages, ReportingSettings};

/// The name of the rules that hold in doubt, as decisions quote it.
pub const LESSON_RULES: &str = "built-in lesson rules";
/// The name of what holds outside school hours where no rule speaks.
pub const OUTSIDE_HOURS: &str = "outside school hours";
/// The name of what holds in school hours where no rule speaks.
pub const NO_RULE: &str = "no rule of the policy matches";
/// The name of minutes of the school day that no period covers.
pub const BETWEEN_PERIODS: &str = "between periods";

/// A school's policy, proven valid.
#[derive(Debug, Clone)]
pub struct Policy {
    version: String,
    school: School,
    cohorts: Vec<Cohort>,
    groups: Vec<Group>,
    calendar: Calendar,
    places: Vec<NamedPlace>,
    timetables: Vec<Timetable>,
    filters: Vec<Arc<Filter>>,
    allowlists: Vec<(String, Arc<EntrySet>)>,
    rules: Vec<Rule>,
    outside: Outside,
    sessions: Vec<Session>,
    grants: Vec<Grant>,
    exams: Vec<Exam>,
    exceptions: Option<Exceptions>,
    acceptable_use: Option<AcceptableUse>,
    reporting: ReportingSettings,
    pages: Pages,
    help_closed: Vec<HelpClosed>,
    help_closed_entries: Arc<EntrySet>,
    observe: bool,
    /// The kinds of period, by number.
    kinds: Vec<String>,
    /// The names of periods and sessions, by number.
    period_names: Vec<String>,
    /// The kind of minutes that no period covers.
    between: u8,
    /// What is blocked where nobody knows who is asking.
    doubt_filter: Arc<Filter>,
    reach: Reach,
}

impl Policy {
    /// Reads a policy, or names every fault in it.
    ///
    /// Unknown keys, keys that stand twice and names that nothing bears are faults.
    ///
    /// # Errors
    /// [`Faults`]: each with its place as a JSON pointer, and the remedy.
    pub fn parse(text: &str) -> Result<(Self, Vec<Warning>), Faults> {
        read::parse(text)
    }

    /// The version that the school gave this text.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The school's name.
    #[must_use]
    pub fn school_name(&self) -> &str {
        &self.school.name
    }

    /// The school's own domain.
    #[must_use]
    pub fn school_domain(&self) -> Option<&str> {
        self.school.domain.as_deref()
    }

    /// The school's time zone, of which the clock on the wall counts.
    #[must_use]
    pub fn timezone(&self) -> Tz {
        self.school.zone
    }

    /// Whom to send pupils, staff and parents to, by role such as `dsl` or `it`.
    #[must_use]
    pub fn contacts(&self) -> &BTreeMap<String, Contact> {
        &self.school.contacts
    }

    /// What is reported of whom, and how long it is kept.
    #[must_use]
    pub fn reporting(&self) -> &ReportingSettings {
        &self.reporting
    }

    /// Texts of the school's own for the pages that pupils see.
    #[must_use]
    pub fn pages(&self) -> &Pages {
        &self.pages
    }

    /// Help services that the school closed by name, with its reasons.
    #[must_use]
    pub fn help_closed(&self) -> &[HelpClosed] {
        &self.help_closed
    }

    /// Whether it only watches: it decides and counts, blocks nothing and names nobody.
    #[must_use]
    pub fn observes(&self) -> bool {
        self.observe
    }

    /// The text of a rule whose mode is *notice*, by the rule's name.
    #[must_use]
    pub fn notice_text(&self, rule: &str) -> Option<&str> {
        let rule = self.rules.iter().find(|known| known.name == rule)?;
        rule.then.notice_text.as_deref()
    }

    /// The version and the school's words of the acceptable use policy to accept (T47).
    #[must_use]
    pub fn acceptable_use(&self) -> Option<(&str, Option<&str>)> {
        let accept = self.acceptable_use.as_ref()?;
        Some((&accept.version, accept.text.as_deref()))
    }

    /// Every cohort: its name and its label.
    pub fn cohorts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.cohorts
            .iter()
            .map(|cohort| (cohort.name.as_str(), cohort.label.as_str()))
    }

    /// Every group: its name and its label.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &str)> {
        self.groups
            .iter()
            .map(|group| (group.name.as_str(), group.label.as_str()))
    }

    /// The first and the last day of the terms.
    #[must_use]
    pub fn terms(&self) -> (NaiveDate, NaiveDate) {
        (self.calendar.first, self.calendar.last)
    }

    /// The name of a date's week in the cycle, such as `A`; none in weeks without school.
    #[must_use]
    pub fn week_name(&self, date: NaiveDate) -> Option<&str> {
        let number = self.calendar.day(date).cycle?;
        Some(&self.calendar.cycle_names[usize::from(number)])
    }

    /// What is special about a date, in words; nothing for a day of lessons at school.
    #[must_use]
    pub fn day_words(&self, date: NaiveDate) -> Option<&'static str> {
        match self.calendar.day(date).kind {
            DayKind::School => {
                let early = self.calendar.early.iter();
                early
                    .map(|early| early.date)
                    .any(|early| early == date)
                    .then_some("early finish")
            }
            DayKind::Remote => Some("remote day"),
            DayKind::Inset => Some("INSET day"),
            DayKind::NoSchool => Some("no school"),
        }
    }

    /// The cohorts that an address is found in at an instant: one, if all is well.
    #[must_use]
    pub fn cohorts_of_address(&self, address: &str, now_ms: i64) -> Vec<&str> {
        let address = Address::new(address, self.school.salt.as_deref());
        let school_year = self.school_year(zone::wall(self.school.zone, now_ms).date);
        let found = self.cohorts_of(&address, school_year).into_iter();
        found
            .map(|number| self.cohorts[number].name.as_str())
            .collect()
    }

    /// The groups that an address is in.
    #[must_use]
    pub fn groups_of_address(&self, address: &str) -> Vec<&str> {
        let context = Context {
            user: Some(address.to_owned()),
            ..Context::default()
        };
        let groups = self.person(&context, 0).groups.into_iter();
        groups
            .map(|number| self.groups[usize::from(number)].name.as_str())
            .collect()
    }

    /// The cohort that someone is in at an instant; `None` when in doubt.
    #[must_use]
    pub fn cohort(&self, context: &Context, now_ms: i64) -> Option<&str> {
        let cohort = Scene::new(self, context, now_ms).person.cohort?;
        Some(&self.cohorts[cohort].name)
    }

    /// What holds for someone at an instant, and until when.
    ///
    /// In doubt about clock or pupil these are lesson rules, and the standing says why.
    #[must_use]
    pub fn standing(&self, context: &Context, now_ms: i64) -> Standing {
        let scene = Scene::new(self, context, now_ms);
        let content = scene.content(now_ms);
        Standing {
            next_change_at_ms: scene.next_change(now_ms, &content),
            mode: content.mode,
            rule: self.rule_name(content.rule).to_owned(),
            period: content.period.map(|period| self.period(period, now_ms)),
            recording: content.recording,
            reporting: self.reporting.detail,
            filter: self.filter_of(&content),
            openings: self.openings(&content),
            help: content.help,
            help_closed: Arc::clone(&self.help_closed_entries),
            observe: self.observe,
            doubt: content.doubt,
            acceptance: self
                .acceptable_use
                .as_ref()
                .filter(|_| content.acceptance)
                .map(|accept| Acceptance {
                    version: accept.version.clone(),
                    entries: Arc::clone(&accept.entries),
                }),
            exceptions: content
                .exceptions
                .iter()
                .map(|number| active(&context.exceptions[usize::from(*number)]))
                .collect(),
        }
    }

    /// Works out what is the same for every question.
    fn prepare(&mut self) {
        self.doubt_filter = Arc::new(filter::doubt_filter(self));
        self.reach = Reach::of(self);
    }

    fn period(&self, period: PeriodAt, now_ms: i64) -> Period {
        let start_ms = zone::naive_ms(period.day.date, period.start);
        let end_ms = zone::naive_ms(period.day.date, period.end);
        let (starts_at_ms, ends_at_ms) =
            zone::run_around(self.school.zone, now_ms, start_ms, end_ms);
        let name = period.name.map_or(BETWEEN_PERIODS, |name| {
            &self.period_names[usize::from(name)]
        });
        Period {
            name: name.to_owned(),
            kind: self.kinds[usize::from(period.kind)].clone(),
            starts_at_ms,
            ends_at_ms,
        }
    }

    fn openings(&self, content: &Content) -> Vec<Opening> {
        let allowlist = content.allowlist.map(|number| Opening {
            kind: OpeningKind::Allowlist,
            rule: self.rule_name(content.rule).to_owned(),
            entries: Arc::clone(&self.allowlists[number].1),
        });
        let exams = content.exams.iter().map(|number| {
            let exam = &self.exams[usize::from(*number)];
            Opening {
                kind: OpeningKind::Exam,
                rule: exam.name.clone(),
                entries: Arc::clone(&exam.entries),
            }
        });
        let grants = content.grants.iter().map(|number| {
            let grant = &self.grants[usize::from(*number)];
            Opening {
                kind: OpeningKind::Grant,
                rule: grant.name.clone(),
                entries: Arc::clone(&grant.entries),
            }
        });
        allowlist.into_iter().chain(exams).chain(grants).collect()
    }
}

/// What a supervised exception opens; whole categories that nothing may lift left out.
fn active(exception: &crate::context::Exception) -> ActiveException {
    let mut active = ActiveException {
        id: exception.id.clone(),
        entries: EntrySet::default(),
        categories: Vec::new(),
        opens_closed_period: false,
    };
    match &exception.scope {
        ExceptionScope::Entries(entries) => {
            let parsed: Vec<Entry> = entries
                .iter()
                .filter_map(|text| filter::entry(text).ok())
                .collect();
            active.entries = parsed.iter().collect();
        }
        ExceptionScope::Categories(categories) => {
            let lifted = categories.iter().filter(|id| categories::may_lift(id));
            active.categories = lifted.cloned().collect();
        }
        ExceptionScope::ClosedPeriod => active.opens_closed_period = true,
    }
    active
}

/// An address as a salted digest, `sha256:` and 64 hexadecimal digits, which a policy may
/// hold in its place.
///
/// It keeps names from being read, not from being guessed: whoever has the policy and a
/// class list can try each name.
#[must_use]
pub fn address_digest(salt: &str, address: &str) -> String {
    let digest = person::digest(salt, &address.trim().to_lowercase());
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// The lesson rules that hold without a policy: filtered, never closed, never open, and
/// nobody is named.
#[must_use]
pub fn built_in_standing(_context: &Context, _now_ms: i64, doubt: Doubt) -> Standing {
    Standing {
        mode: Mode::Filtered,
        rule: LESSON_RULES.to_owned(),
        period: None,
        next_change_at_ms: None,
        recording: Recording::Nothing,
        reporting: Reporting::default(),
        filter: Arc::new(filter::built_in_filter()),
        openings: Vec::new(),
        help: HelpScope::All,
        help_closed: Arc::default(),
        observe: false,
        doubt: Some(doubt),
        acceptance: None,
        exceptions: Vec::new(),
    }
}
