//! Walking through the year to find what a policy says in vain, or does not say.

use std::collections::HashSet;
use std::net::IpAddr;

use chrono::NaiveDate;

use super::evaluate::{RuleOf, Scene};
use super::fault::{FaultCode, Findings, Warning};
use super::person::{Address, Person, Who};
use super::timetable::{self, time_text};
use super::zone::{self, Wall};
use super::{Policy, Session};
use crate::context::{Context, Place, PlaceProof};

impl Policy {
    /// An unknown place, one on each network of each named place, and one in none of them.
    #[must_use]
    pub fn example_places(&self) -> Vec<(String, Place)> {
        let at = |address: IpAddr| Place::Address {
            address,
            proof: PlaceProof::Device,
        };
        let mut places = vec![("unknown".to_owned(), Place::Unknown)];
        for place in &self.places {
            let networks = place.networks.iter();
            places.extend(networks.map(|network| (place.name.clone(), at(network.address()))));
        }
        let elsewhere: [IpAddr; 3] = [
            IpAddr::from([203, 0, 113, 1]),
            IpAddr::from([198, 51, 100, 1]),
            IpAddr::from([192, 0, 2, 1]),
        ];
        let free = elsewhere
            .into_iter()
            .find(|one| !self.places.iter().any(|place| place.contains(*one)));
        places.extend(free.map(|address| ("elsewhere".to_owned(), at(address))));
        places
    }

    /// Rules that can never decide, sessions and timetables that are never used, moments
    /// of the school day for which no rule speaks.
    ///
    /// It tries every cohort and group in every place on every sort of day of the
    /// calendar, so it is for whoever writes a policy, not for a device.
    #[must_use]
    pub fn contradictions(&self) -> Vec<Warning> {
        let mut walk = YearWalk::new(self);
        let days = distinct_days(self);
        for (_, place) in self.example_places() {
            let context = Context {
                cohort: Some(String::new()),
                place,
                ..Context::default()
            };
            for person in people(self) {
                walk.through(&days, &context, person);
            }
        }
        walk.warnings()
    }
}

/// What was seen to be of use.
struct YearWalk<'a> {
    policy: &'a Policy,
    rules: HashSet<u16>,
    timetables: HashSet<usize>,
    /// Sessions by the number of their name.
    sessions: HashSet<u16>,
    grants: HashSet<u16>,
    unruled: Vec<Option<(NaiveDate, u16)>>,
}

impl<'a> YearWalk<'a> {
    fn new(policy: &'a Policy) -> Self {
        Self {
            policy,
            rules: HashSet::new(),
            timetables: HashSet::new(),
            sessions: HashSet::new(),
            grants: HashSet::new(),
            unruled: vec![None; policy.cohorts.len()],
        }
    }

    fn through(&mut self, days: &[NaiveDate], context: &Context, person: Person) {
        let policy = self.policy;
        let Some(cohort) = person.cohort else { return };
        let scene = Scene::of(policy, context, person, 0);
        let mut minutes = Vec::new();
        for date in days {
            minutes.clear();
            scene.minutes(*date, &mut minutes);
            let day = policy.calendar.day(*date);
            let used = timetable::of_day(&policy.timetables, &day, cohort);
            let number = policy
                .timetables
                .iter()
                .position(|timetable| used.is_some_and(|used| std::ptr::eq(used, timetable)));
            self.timetables.extend(number);
            for minute in minutes.iter().copied().filter(|minute| *minute < 1440) {
                let at_ms = zone::naive_ms(*date, minute);
                let content = scene.content_at(
                    at_ms,
                    Wall {
                        date: *date,
                        minute,
                    },
                );
                match content.rule {
                    RuleOf::Rule(number) => {
                        self.rules.insert(number);
                    }
                    RuleOf::NoRule => {
                        self.unruled[cohort].get_or_insert((*date, minute));
                    }
                    RuleOf::Exam(_) | RuleOf::OutsideHours | RuleOf::LessonRules => {}
                }
                self.sessions
                    .extend(content.period.and_then(|period| period.name));
                self.grants.extend(content.grants);
            }
        }
    }

    fn warnings(self) -> Vec<Warning> {
        let mut findings = Findings::default();
        let policy = self.policy;
        for (number, rule) in policy.rules.iter().enumerate() {
            if !self.rules.contains(&(number as u16)) {
                let message = format!(
                    "`{}` never decides anything: no such moment comes, or a rule above it always matches first; move it up, correct it or take it out",
                    rule.name
                );
                findings.warn(&rule.path, FaultCode::NeverMatches, message);
            }
        }
        for (number, timetable) in policy.timetables.iter().enumerate() {
            if !self.timetables.contains(&number) {
                let message = format!(
                    "`{}` is never used: on no day of the calendar is it the first that fits; move it up, correct its days or take it out",
                    timetable.name
                );
                findings.warn(&timetable.path, FaultCode::NeverMatches, message);
            }
        }
        for session in &policy.sessions {
            if !self.sessions.contains(&session.name) {
                findings.warn(
                    &session.path,
                    FaultCode::NeverMatches,
                    never_held(policy, session),
                );
            }
        }
        for (number, grant) in policy.grants.iter().enumerate() {
            if !self.grants.contains(&(number as u16)) {
                let message = format!(
                    "`{}` opens nothing: its conditions never hold for anybody it names while the school manages websites; correct them",
                    grant.name
                );
                findings.warn(&grant.path, FaultCode::NeverMatches, message);
            }
        }
        for (cohort, unruled) in policy.cohorts.iter().zip(&self.unruled) {
            if let Some((date, minute)) = unruled {
                let message = format!(
                    "no rule speaks for {} on {date} at {}; until one does it is filtered as in lessons, so add a rule at the end of the table",
                    cohort.label,
                    time_text(*minute)
                );
                findings.warn("/rules", FaultCode::NoRule, message);
            }
        }
        findings.warnings
    }
}

fn never_held(policy: &Policy, session: &Session) -> String {
    format!(
        "`{}` never takes place: no such day or hour comes, or the timetable covers it already; correct its days and times",
        policy.period_names[usize::from(session.name)]
    )
}

/// One date of each sort: dates on which the same things may hold are one sort.
fn distinct_days(policy: &Policy) -> Vec<NaiveDate> {
    let mut seen = HashSet::new();
    let mut days = Vec::new();
    for date in &policy.reach.dates {
        let day = policy.calendar.day(*date);
        let rules = policy.rules.iter().map(|rule| &rule.when.days);
        let grants = policy.grants.iter().map(|grant| &grant.when.days);
        let sets = policy
            .timetables
            .iter()
            .map(|timetable| &timetable.days)
            .chain(policy.sessions.iter().map(|session| &session.days))
            .chain(rules)
            .chain(grants);
        let mut sort: Vec<bool> = sets.map(|set| set.holds(&day)).collect();
        sort.extend(
            policy
                .grants
                .iter()
                .map(|grant| *date <= grant.until && grant.from.is_none_or(|from| from <= *date)),
        );
        sort.extend(policy.exams.iter().map(|exam| {
            exam.sitting
                .as_ref()
                .is_some_and(|sitting| sitting.dates.iter().any(|range| range.contains(*date)))
        }));
        let early: Vec<_> = policy
            .calendar
            .early
            .iter()
            .filter(|early| early.date == *date)
            .map(|early| (early.minute, early.cohorts))
            .collect();
        if seen.insert((sort, early)) {
            days.push(*date);
        }
    }
    days
}

/// Someone of each cohort, of each cohort and group, and each person named.
fn people(policy: &Policy) -> Vec<Person> {
    let mut found = Vec::new();
    let whos: Vec<&Who> = super::lint::whos(policy)
        .into_iter()
        .filter(|who| !who.people.is_empty())
        .collect();
    for cohort in 0..policy.cohorts.len() {
        let mut add = |groups: Vec<u16>, address: Option<Address>| {
            found.push(Person {
                cohort: Some(cohort),
                groups,
                address,
            });
        };
        add(Vec::new(), None);
        for group in 0..policy.groups.len() {
            add(vec![group as u16], None);
        }
        for who in &whos {
            // One of the people stands for all of them.
            let address = who.people.addresses.iter().min().map(|text| Address {
                text: text.clone(),
                digest: None,
            });
            let digest = who.people.digests.iter().min().map(|digest| Address {
                text: String::new(),
                digest: Some(*digest),
            });
            add(Vec::new(), address.or(digest));
        }
    }
    found
}
