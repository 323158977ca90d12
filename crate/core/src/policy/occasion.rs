//! What a school arranges beside its rules: sessions, grants, examinations, exceptions.

use std::sync::Arc;

use chrono::NaiveDate;

use super::calendar::{DateRange, DayKind, ranges};
use super::fault::{FaultCode, Findings};
use super::filter;
use super::names::Names;
use super::node::Node;
use super::person::Who;
use super::place::Where;
use super::rule::{When, need_who, read_when, read_where};
use super::timetable::{DaySet, read_span};
use super::walk::{At, DAY_MINUTES};
use crate::list::EntrySet;
use crate::standing::HelpScope;

/// The keys of a session.
pub(super) const SESSION_KEYS: &[&str] = &[
    "name",
    "kind",
    "as",
    "who",
    "days",
    "day_kinds",
    "cycle",
    "dates",
    "start",
    "end",
    "where",
];
/// The keys of a grant.
pub(super) const GRANT_KEYS: &[&str] =
    &["name", "who", "when", "where", "entries", "from", "until"];
/// The keys of an examination.
pub(super) const EXAM_KEYS: &[&str] = &[
    "name", "who", "dates", "start", "end", "where", "entries", "help",
];
/// The keys of `exceptions`.
pub(super) const EXCEPTIONS_KEYS: &[&str] =
    &["who", "closed_periods_for", "kinds", "max_minutes", "where"];

/// A part of the day outside the timetable that is school all the same.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub name: u16,
    pub kind: u8,
    /// The kind whose rules hold in it.
    pub as_kind: u8,
    pub who: Who,
    pub days: DaySet,
    /// First minute; the end of the cohort's school hours when absent.
    pub start: Option<u16>,
    /// The minute after the last; beyond 1440 when it goes on past midnight.
    pub end: u16,
    pub place: Option<Where>,
    pub path: String,
}

/// A club or other named grant.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub name: String,
    pub who: Who,
    pub when: When,
    pub place: Option<Where>,
    pub entries: Arc<EntrySet>,
    pub from: Option<NaiveDate>,
    /// The last day.
    pub until: NaiveDate,
    pub path: String,
}

/// An examination.
#[derive(Debug, Clone)]
pub(super) struct Exam {
    pub name: String,
    pub who: Who,
    /// When it is held; an examination without takes place by name alone.
    pub sitting: Option<Sitting>,
    pub place: Option<Where>,
    pub entries: Arc<EntrySet>,
    pub help: HelpScope,
    pub path: String,
}

/// The time of an examination.
#[derive(Debug, Clone)]
pub(super) struct Sitting {
    pub dates: Vec<DateRange>,
    pub start: u16,
    pub end: u16,
}

/// Which supervised exceptions hold.
#[derive(Debug, Clone)]
pub(super) struct Exceptions {
    pub who: Who,
    pub closed_periods_for: Who,
    /// A set of kinds of period that count as lessons.
    pub kinds: u64,
    pub max_minutes: u32,
    pub place: Option<Where>,
}

/// Learns the kinds and names of sessions, so that rules can name them.
pub(super) fn learn_sessions(at: &At, names: &mut Names) {
    // Faults are found when the sessions themselves are read.
    let mut unheard = Findings::default();
    for item in at.list(&mut unheard).unwrap_or_default() {
        if let Some(fields) = item.object(SESSION_KEYS, &mut unheard) {
            if let Some(kind) = fields.get("kind") {
                names.learn_kind(&kind, &mut unheard);
            }
            if let Some(name) = fields.get("name").and_then(|at| at.text(&mut unheard)) {
                names.learn_period(name);
            }
        }
    }
}

/// Reads `sessions`.
pub(super) fn read_sessions(at: &At, names: &mut Names, findings: &mut Findings) -> Vec<Session> {
    let mut sessions = Vec::new();
    for item in at.list(findings).unwrap_or_default() {
        let Some(fields) = item.object(SESSION_KEYS, findings) else {
            continue;
        };
        let name = names.unique_title(&fields, "Homework club", findings);
        let who = need_who(&fields, names, findings);
        let kind = match fields.get("kind") {
            Some(at) => names.learn_kind(&at, findings),
            None => Some(names.session_kind()),
        };
        let as_kind = match fields.get("as") {
            Some(at) => names.kind_number(&at, findings),
            None => kind,
        };
        let days = DaySet::read(&fields, DayKind::School.bit(), names, findings);
        let from_end_of_school = fields
            .get("start")
            .is_some_and(|at| matches!(at.node, Node::Text(text) if text == "end_of_school"));
        let span = if from_end_of_school {
            let end = fields.need("end", r#""18:00""#, findings);
            end.and_then(|at| at.time(findings)).map(|end| (None, end))
        } else {
            read_span(&fields, findings).map(|(start, end)| (Some(start), end))
        };
        let place = read_where(fields.get("where"), names, findings);
        if let (Some(name), Some(who), Some(kind), Some(as_kind), Some((start, end))) =
            (name, who, kind, as_kind, span)
        {
            sessions.push(Session {
                name: names.learn_period(&name),
                kind,
                as_kind,
                who,
                days,
                start,
                end,
                place,
                path: item.path,
            });
        }
    }
    sessions
}

/// Reads `grants`.
pub(super) fn read_grants(at: &At, names: &mut Names, findings: &mut Findings) -> Vec<Grant> {
    let mut grants = Vec::new();
    for item in at.list(findings).unwrap_or_default() {
        let Some(fields) = item.object(GRANT_KEYS, findings) else {
            continue;
        };
        let name = names.unique_title(&fields, "Online chess club", findings);
        let who = need_who(&fields, names, findings);
        let when = read_when(fields.get("when"), names, findings);
        let place = read_where(fields.get("where"), names, findings);
        let entries = fields
            .need("entries", r#"["lichess.org"]"#, findings)
            .map(|at| filter::entries(&at, findings));
        let from = fields.get("from").and_then(|at| at.date(findings));
        let until = fields
            .need("until", r#""2026-12-15""#, findings)
            .and_then(|at| at.date(findings));
        if let (Some(from), Some(until)) = (from, until)
            && until < from
        {
            findings.fault(
                &item.path,
                FaultCode::InvalidValue,
                format!("it ends on {until} before it begins on {from}; swap the two"),
            );
        }
        if let (Some(name), Some(who), Some(entries), Some(until)) = (name, who, entries, until) {
            grants.push(Grant {
                name,
                who,
                when,
                place,
                entries: Arc::new(entries),
                from,
                until,
                path: item.path,
            });
        }
    }
    grants
}

/// Reads `exams`.
pub(super) fn read_exams(at: &At, names: &mut Names, findings: &mut Findings) -> Vec<Exam> {
    const HELP: [(&str, HelpScope); 2] =
        [("crisis", HelpScope::CrisisOnly), ("none", HelpScope::None)];
    let mut exams = Vec::new();
    for item in at.list(findings).unwrap_or_default() {
        let Some(fields) = item.object(EXAM_KEYS, findings) else {
            continue;
        };
        let name = names.unique_title(&fields, "Mock examination", findings);
        let who = need_who(&fields, names, findings);
        let dated = ["dates", "start", "end"].iter().any(|key| fields.has(key));
        let sitting = if dated {
            let dates = fields.need("dates", r#"["2027-01-11"]"#, findings);
            let dates = dates.and_then(|at| ranges(&at, true, findings));
            let span = read_span(&fields, findings);
            if span.is_some_and(|(_, end)| end > DAY_MINUTES) {
                findings.fault(
                    &item.path,
                    FaultCode::InvalidValue,
                    "an examination ends on the day on which it begins; correct `start` or `end`",
                );
            }
            match (dates, span) {
                (Some(dates), Some((start, end))) => Some(Sitting {
                    dates: dates.into_iter().map(|(range, _)| range).collect(),
                    start,
                    end,
                }),
                _ => None,
            }
        } else {
            None
        };
        let place = read_where(fields.get("where"), names, findings);
        let entries = fields
            .need("entries", r#"["exams.example"]"#, findings)
            .map(|at| filter::entries(&at, findings));
        let help = fields
            .get("help")
            .and_then(|at| at.choice(&HELP, findings))
            .unwrap_or(HelpScope::CrisisOnly);
        if let (Some(name), Some(who), Some(entries)) = (name, who, entries) {
            exams.push(Exam {
                name,
                who,
                sitting,
                place,
                entries: Arc::new(entries),
                help,
                path: item.path,
            });
        }
    }
    exams
}

/// Reads `exceptions`.
pub(super) fn read_exceptions(
    at: &At,
    names: &Names,
    findings: &mut Findings,
) -> Option<Exceptions> {
    let fields = at.object(EXCEPTIONS_KEYS, findings)?;
    let who = need_who(&fields, names, findings)?;
    let closed_periods_for = match fields.get("closed_periods_for") {
        Some(at) => names.who(&at, findings)?,
        None => who.clone(),
    };
    let kinds = fields
        .need("kinds", r#"["lesson"]"#, findings)
        .and_then(|at| names.kind_set(&at, findings));
    let max_minutes = fields
        .need("max_minutes", "60", findings)
        .and_then(|at| at.whole(1, 480, findings));
    Some(Exceptions {
        who,
        closed_periods_for,
        kinds: kinds?,
        max_minutes: max_minutes?,
        place: read_where(fields.get("where"), names, findings),
    })
}
