//! The table of rules: who, when, where, and what the web is then.

use super::calendar::EVERY_DAY_KIND;
use super::fault::{FaultCode, Findings};
use super::names::Names;
use super::person::Who;
use super::place::Where;
use super::timetable::{DaySet, read_span};
use super::walk::{At, DAY_MINUTES, Fields};
use crate::context::PlaceProof;
use crate::standing::{Mode, Recording};

/// The keys of a rule.
pub(super) const RULE_KEYS: &[&str] = &["name", "who", "when", "where", "then"];
/// The keys of `when`.
pub(super) const WHEN_KEYS: &[&str] = &[
    "hours",
    "kinds",
    "periods",
    "days",
    "day_kinds",
    "cycle",
    "dates",
    "times",
];
/// The keys of one of `when/times`.
pub(super) const TIMES_KEYS: &[&str] = &["start", "end"];
/// The keys of `where`.
pub(super) const WHERE_KEYS: &[&str] = &["in", "not_in", "proof", "unknown"];
/// The keys of `then`.
pub(super) const THEN_KEYS: &[&str] = &["mode", "filter", "allowlist", "record", "notice_text"];
/// Whether a rule speaks of school hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hours {
    School,
    Outside,
    Always,
}

/// When a rule holds: every condition must.
#[derive(Debug, Clone)]
pub(super) struct When {
    pub hours: Hours,
    /// A set of kinds of period; any when absent.
    pub kinds: Option<u64>,
    /// Names of periods by number, ascending; any when absent.
    pub periods: Option<Vec<u16>>,
    pub days: DaySet,
    /// Minutes of the day, `[start, end)`; any when empty.
    pub times: Vec<(u16, u16)>,
}

/// One row of the table of rules.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub name: String,
    pub who: Who,
    pub when: When,
    pub place: Option<Where>,
    pub then: Then,
    pub path: String,
}

/// What a rule makes of the web.
#[derive(Debug, Clone)]
pub(super) struct Then {
    pub mode: Mode,
    /// The filter by number; the cohort's own when absent.
    pub filter: Option<usize>,
    /// The allowlist by number.
    pub allowlist: Option<usize>,
    /// What may be recorded at most, where the rule says so.
    pub recording: Option<Recording>,
    pub notice_text: Option<String>,
}

/// The modes that a rule may set.
const MODES: [(&str, Mode); 5] = [
    ("open", Mode::Open),
    ("filtered", Mode::Filtered),
    ("notice", Mode::Notice),
    ("allowlist", Mode::Allowlist),
    ("closed", Mode::Closed),
];

/// The words for what may be recorded.
const RECORD: [(&str, Recording); 3] = [
    ("nothing", Recording::Nothing),
    ("counts", Recording::Counts),
    ("named", Recording::Named),
];

/// Reads `rules`.
pub(super) fn read_rules(at: &At, names: &mut Names, findings: &mut Findings) -> Vec<Rule> {
    let mut rules = Vec::new();
    for item in at.list(findings).unwrap_or_default() {
        let Some(fields) = item.object(RULE_KEYS, findings) else {
            continue;
        };
        let name = names.unique_title(&fields, "Lessons", findings);
        let who = need_who(&fields, names, findings);
        let when = read_when(fields.get("when"), names, findings);
        let place = read_where(fields.get("where"), names, findings);
        let then = fields
            .need("then", r#"{"mode": "filtered"}"#, findings)
            .and_then(|at| read_then(&at, names, findings));
        if let (Some(name), Some(who), Some(then)) = (name, who, then) {
            rules.push(Rule {
                name,
                who,
                when,
                place,
                then,
                path: item.path,
            });
        }
    }
    rules
}

/// Who is meant; it has to be said.
pub(super) fn need_who(fields: &Fields, names: &Names, findings: &mut Findings) -> Option<Who> {
    let at = fields.need("who", r#"["@pupils"]"#, findings)?;
    names.who(&at, findings)
}

/// Reads `when`; without it a rule holds throughout school hours.
pub(super) fn read_when(at: Option<At>, names: &Names, findings: &mut Findings) -> When {
    let fields = at.as_ref().and_then(|at| at.object(WHEN_KEYS, findings));
    let Some(fields) = fields else {
        return When {
            hours: Hours::School,
            kinds: None,
            periods: None,
            days: DaySet {
                weekdays: 0b111_1111,
                day_kinds: EVERY_DAY_KIND,
                cycle: None,
                dates: None,
            },
            times: Vec::new(),
        };
    };
    const HOURS: [(&str, Hours); 3] = [
        ("school", Hours::School),
        ("outside", Hours::Outside),
        ("always", Hours::Always),
    ];
    let hours = fields
        .get("hours")
        .and_then(|at| at.choice(&HOURS, findings))
        .unwrap_or(Hours::School);
    let kinds = fields
        .get("kinds")
        .and_then(|at| names.kind_set(&at, findings));
    let periods = fields.get("periods").and_then(|at| {
        let mut numbers = Vec::new();
        for item in at.some_list(findings)? {
            numbers.extend(names.period_number(&item, findings));
        }
        numbers.sort_unstable();
        Some(numbers)
    });
    if hours != Hours::School && (kinds.is_some() || periods.is_some()) {
        findings.fault(
            &format!("{}/hours", fields.path),
            FaultCode::Contradiction,
            "there are no periods outside school hours; leave out `hours`, or `kinds` and `periods`",
        );
    }
    let mut times = Vec::new();
    for item in fields
        .get("times")
        .and_then(|at| at.some_list(findings))
        .unwrap_or_default()
    {
        let Some(span) = item
            .object(TIMES_KEYS, findings)
            .and_then(|fields| read_span(&fields, findings))
        else {
            continue;
        };
        if span.1 > DAY_MINUTES {
            findings.fault(
                &item.path,
                FaultCode::InvalidValue,
                "these times go past midnight; write one until `24:00` and one from `00:00`",
            );
        }
        times.push(span);
    }
    When {
        hours,
        kinds,
        periods,
        days: DaySet::read(&fields, EVERY_DAY_KIND, names, findings),
        times,
    }
}

/// Reads `where`; every condition of place answers for an unknown one.
pub(super) fn read_where(at: Option<At>, names: &Names, findings: &mut Findings) -> Option<Where> {
    const PROOFS: [(&str, PlaceProof); 4] = [
        ("device", PlaceProof::Device),
        ("beacon", PlaceProof::Beacon),
        ("endpoint", PlaceProof::Endpoint),
        ("stated", PlaceProof::Stated),
    ];
    const UNKNOWN: [(&str, bool); 2] = [("applies", true), ("does_not_apply", false)];
    let at = at?;
    let fields = at.object(WHERE_KEYS, findings)?;
    let mut places = |key: &str| -> Vec<u16> {
        let items = fields.get(key).and_then(|at| at.some_list(findings));
        items
            .unwrap_or_default()
            .iter()
            .filter_map(|item| names.place_number(item, findings))
            .collect()
    };
    let (inside, outside) = (places("in"), places("not_in"));
    if !fields.has("in") && !fields.has("not_in") {
        findings.fault(
            &at.path,
            FaultCode::MissingKey,
            "it names no place; add `in` or `not_in`, or leave out `where`",
        );
    }
    let weakest_proof = fields
        .get("proof")
        .and_then(|at| at.choice(&PROOFS, findings))
        .unwrap_or(PlaceProof::Stated);
    let unknown = fields.need("unknown", r#""does_not_apply""#, findings)?;
    Some(Where {
        inside,
        outside,
        weakest_proof,
        unknown_applies: unknown.choice(&UNKNOWN, findings)?,
    })
}

fn read_then(at: &At, names: &Names, findings: &mut Findings) -> Option<Then> {
    let fields = at.object(THEN_KEYS, findings)?;
    let mode_at = fields.need("mode", r#""filtered""#, findings)?;
    let mode = mode_at.choice(&MODES, findings)?;
    let filter = fields
        .get("filter")
        .and_then(|at| names.filter_number(&at, findings));
    let allowlist = fields
        .get("allowlist")
        .and_then(|at| names.allowlist_number(&at, findings));
    if mode == Mode::Allowlist && !fields.has("allowlist") {
        fields.need("allowlist", r#""school-work""#, findings);
    }
    let mut only_with = |key: &str, fits: bool, modes: &str| {
        if fields.has(key) && !fits {
            findings.fault(
                &format!("{}/{key}", at.path),
                FaultCode::Contradiction,
                format!("`{key}` goes with {modes}; leave it out here, or change the mode"),
            );
        }
    };
    only_with("allowlist", mode == Mode::Allowlist, "the mode `allowlist`");
    only_with("notice_text", mode == Mode::Notice, "the mode `notice`");
    only_with("filter", mode != Mode::Open, "every mode but `open`");
    let record_at = fields.get("record");
    let recording = record_at
        .as_ref()
        .and_then(|at| at.choice(&RECORD, findings));
    let most = match mode {
        Mode::Open => Recording::Nothing,
        Mode::Closed | Mode::Exam => Recording::Counts,
        Mode::Filtered | Mode::Notice | Mode::Allowlist => Recording::Named,
    };
    if let (Some(at), Some(recording)) = (record_at, recording)
        && recording > most
    {
        let reason = if mode == Mode::Open {
            "nothing is recorded where the school does not manage websites"
        } else {
            "nobody is named in a closed period; write `counts` or `nothing`"
        };
        findings.fault(&at.path, FaultCode::Contradiction, reason);
    }
    Some(Then {
        mode,
        filter,
        allowlist,
        recording,
        notice_text: fields
            .get("notice_text")
            .and_then(|at| at.text(findings))
            .map(str::to_owned),
    })
}
