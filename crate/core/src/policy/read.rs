//! Reading a policy: from text to what can be asked, or to every fault in it.

use std::sync::Arc;

use super::calendar;
use super::categories::is_category;
use super::fault::{FaultCode, Faults, Findings, Warning, finding};
use super::filter;
use super::names::Names;
use super::node::Node;
use super::occasion;
use super::person::{Cohort, CohortKind, Group, Pattern, People};
use super::place::{NamedPlace, Network};
use super::rule;
use super::settings::{self, Outside};
use super::timetable;
use super::walk::{At, Fields};
use super::{Policy, lint};
use crate::list::EntrySet;

/// The most bytes of a policy: Chrome drops more than 5 MiB of policy values (B).
pub const MAX_POLICY_BYTES: usize = 4 * 1024 * 1024;

/// The language's version.
const LANGUAGE: u32 = 1;

/// The keys of a policy.
pub(super) const POLICY_KEYS: &[&str] = &[
    "bellgate",
    "version",
    "school",
    "cohorts",
    "groups",
    "calendar",
    "places",
    "timetables",
    "own_categories",
    "filters",
    "allowlists",
    "rules",
    "outside_school_hours",
    "sessions",
    "grants",
    "exams",
    "exceptions",
    "acceptable_use",
    "reporting",
    "pages",
    "help_closed",
    "observe",
];
/// The keys of a cohort.
pub(super) const COHORT_KEYS: &[&str] = &[
    "label", "kind", "year", "match", "except", "members", "filter",
];
/// The keys of a group.
pub(super) const GROUP_KEYS: &[&str] = &["label", "match", "members"];

/// Reads a policy's text.
pub(super) fn parse(text: &str) -> Result<(Policy, Vec<Warning>), Faults> {
    if text.len() > MAX_POLICY_BYTES {
        let message = format!(
            "the policy has {} bytes; {MAX_POLICY_BYTES} at most reach a device, so move long rosters and lists out of it",
            text.len()
        );
        return Err(Faults(vec![finding("", FaultCode::TooLarge, message)]));
    }
    let node: Node = serde_json::from_str(text).map_err(|error| {
        let message = format!("this is not JSON: {error}; mend the text there");
        Faults(vec![finding("", FaultCode::NotJson, message)])
    })?;
    let mut findings = Findings::default();
    let policy = read_policy(&At::new(&node, ""), &mut findings);
    match policy {
        Some(policy) if findings.faults.is_empty() => {
            lint::note(&policy, &mut findings);
            Ok((policy, findings.warnings))
        }
        _ => Err(Faults(findings.faults)),
    }
}

fn read_policy(at: &At, findings: &mut Findings) -> Option<Policy> {
    let fields = at.object(POLICY_KEYS, findings)?;
    if let Some(language) = fields.need("bellgate", "1", findings) {
        language.whole(LANGUAGE, LANGUAGE, findings);
    }
    let version = fields
        .need("version", r#""2026-11-21.1""#, findings)
        .and_then(|at| at.text(findings));
    let school = fields
        .need(
            "school",
            r#"{"name": "…", "timezone": "Europe/London"}"#,
            findings,
        )
        .and_then(|at| settings::read_school(&at, findings));

    let mut names = Names {
        has_salt: school.as_ref().is_some_and(|school| school.salt.is_some()),
        ..Names::default()
    };
    let between = names.learn_between();
    if let Some(at) = fields.get("own_categories") {
        read_own_categories(&at, &mut names, findings);
    }
    let cohorts_at = fields.need(
        "cohorts",
        r#"{"year-7": {"kind": "pupil", "filter": "pupils"}}"#,
        findings,
    );
    learn_cohorts(cohorts_at.as_ref(), &mut names, findings);
    learn_names(
        fields.get("groups"),
        "group",
        &mut names,
        findings,
        |names| &mut names.groups,
    );
    learn_names(
        fields.get("places"),
        "place",
        &mut names,
        findings,
        |names| &mut names.places,
    );
    learn_names(
        fields.get("allowlists"),
        "allowlist",
        &mut names,
        findings,
        |names| &mut names.allowlists,
    );
    for name in &names.groups {
        if names.cohorts.iter().any(|(cohort, _)| cohort == name) {
            findings.fault(
                &format!("/groups/{name}"),
                FaultCode::DuplicateName,
                format!("`{name}` names a cohort already; rules name both, so call the group something else"),
            );
        }
    }
    let filters = fields
        .need("filters", r#"{"pupils": {"block": ["adult"]}}"#, findings)
        .map(|at| filter::read(&at, &mut names, findings))
        .unwrap_or_default();
    let cohorts = read_cohorts(cohorts_at.as_ref(), &names, findings);
    let groups = read_groups(fields.get("groups"), &names, findings);
    let places = read_places(fields.get("places"), findings);
    let allowlists = read_allowlists(fields.get("allowlists"), findings);

    let calendar = fields
        .need(
            "calendar",
            r#"{"terms": [{"first": "2026-09-03", "last": "2026-12-18"}]}"#,
            findings,
        )
        .and_then(|at| calendar::read(&at, &mut names, findings));
    let timetables = fields
        .need(
            "timetables",
            r#"[{"name": "…", "days": ["mon"], "periods": []}]"#,
            findings,
        )
        .map(|at| timetable::read(&at, &mut names, findings))
        .unwrap_or_default();
    let sessions_at = fields.get("sessions");
    if let Some(at) = &sessions_at {
        names.session_kind();
        occasion::learn_sessions(at, &mut names);
    }
    let rules = fields
        .need(
            "rules",
            r#"[{"name": "Lessons", "who": ["@everyone"], "then": {"mode": "filtered"}}]"#,
            findings,
        )
        .map(|at| rule::read_rules(&at, &mut names, findings))
        .unwrap_or_default();
    let outside = fields
        .need(
            "outside_school_hours",
            r#"{"pupils": "open", "staff": "open"}"#,
            findings,
        )
        .and_then(|at| Outside::read(&at, findings));
    let sessions = sessions_at
        .map(|at| occasion::read_sessions(&at, &mut names, findings))
        .unwrap_or_default();
    let grants = fields
        .get("grants")
        .map(|at| occasion::read_grants(&at, &mut names, findings))
        .unwrap_or_default();
    let exams = fields
        .get("exams")
        .map(|at| occasion::read_exams(&at, &mut names, findings))
        .unwrap_or_default();
    let exceptions = fields
        .get("exceptions")
        .and_then(|at| occasion::read_exceptions(&at, &names, findings));
    let acceptable_use = fields
        .get("acceptable_use")
        .and_then(|at| settings::read_acceptable_use(&at, &names, findings));
    let reporting = fields
        .get("reporting")
        .and_then(|at| settings::read_reporting(&at, findings))
        .unwrap_or_default();
    let pages = fields
        .get("pages")
        .and_then(|at| settings::read_pages(&at, &names, findings))
        .unwrap_or_default();
    let help_closed = fields
        .get("help_closed")
        .map(|at| settings::read_help_closed(&at, findings))
        .unwrap_or_default();
    let observe = fields
        .get("observe")
        .and_then(|at| at.flag(findings))
        .unwrap_or(false);

    if !findings.faults.is_empty() {
        return None;
    }
    let mut policy = Policy {
        version: version?.to_owned(),
        school: school?,
        cohorts,
        groups,
        calendar: calendar?,
        places,
        timetables,
        filters,
        allowlists,
        rules,
        outside: outside?,
        sessions,
        grants,
        exams,
        exceptions,
        acceptable_use,
        reporting,
        pages,
        help_closed_entries: Arc::new(settings::help_entries(&help_closed)),
        help_closed,
        observe,
        kinds: names.kinds,
        period_names: names.period_names,
        between,
        doubt_filter: Arc::default(),
        reach: super::reach::Reach::default(),
    };
    policy.prepare();
    Some(policy)
}

fn read_own_categories(at: &At, names: &mut Names, findings: &mut Findings) {
    for item in at.list(findings).unwrap_or_default() {
        let Some(text) = item.text(findings) else {
            continue;
        };
        if is_category(text) {
            findings.fault(
                &item.path,
                FaultCode::DuplicateName,
                format!("`{text}` is one of the common categories; name your own something else"),
            );
        }
        names.own_categories.push(text.to_owned());
    }
}

fn learn_cohorts(at: Option<&At>, names: &mut Names, findings: &mut Findings) {
    const KINDS: [(&str, CohortKind); 2] =
        [("pupil", CohortKind::Pupil), ("staff", CohortKind::Staff)];
    let Some(at) = at else { return };
    for (name, at) in names.map_names(at, "cohort", findings).unwrap_or_default() {
        let kind = at.object(COHORT_KEYS, findings).and_then(|fields| {
            fields
                .need("kind", r#""pupil""#, findings)
                .and_then(|at| at.choice(&KINDS, findings))
        });
        names
            .cohorts
            .push((name, kind.unwrap_or(CohortKind::Pupil)));
    }
    names.check_cohorts(&at.path, findings);
    if names.cohorts.len() > super::person::MAX_COHORTS {
        names.cohorts.truncate(super::person::MAX_COHORTS);
    }
}

fn learn_names(
    at: Option<At>,
    what: &str,
    names: &mut Names,
    findings: &mut Findings,
    list: impl Fn(&mut Names) -> &mut Vec<String>,
) {
    let Some(at) = at else { return };
    let found = names.map_names(&at, what, findings).unwrap_or_default();
    *list(names) = found.into_iter().map(|(name, _)| name).collect();
}

fn read_cohorts(at: Option<&At>, names: &Names, findings: &mut Findings) -> Vec<Cohort> {
    // The names and kinds were read, and their faults noted, by `learn_cohorts`.
    let mut unheard = Findings::default();
    let fields = at.and_then(|at| at.named(&mut unheard)).unwrap_or_default();
    let mut cohorts = Vec::new();
    for ((name, at), (_, kind)) in fields.into_iter().zip(&names.cohorts) {
        let Some(fields) = at.object(COHORT_KEYS, &mut unheard) else {
            continue;
        };
        let filter = fields
            .need("filter", r#""pupils""#, findings)
            .and_then(|at| names.filter_number(&at, findings));
        let year = fields
            .get("year")
            .and_then(|at| at.whole(1, 14, findings))
            .map(|year| year as u8);
        let patterns = read_patterns(&fields, "match", year.is_some(), findings);
        let except = read_patterns(&fields, "except", year.is_some(), findings);
        cohorts.push(Cohort {
            label: label(&fields, name, findings),
            name: name.to_owned(),
            kind: *kind,
            year,
            patterns,
            except,
            members: read_members(&fields, names, findings),
            filter: filter.unwrap_or_default(),
            path: at.path,
        });
    }
    cohorts
}

fn read_groups(at: Option<At>, names: &Names, findings: &mut Findings) -> Vec<Group> {
    let mut unheard = Findings::default();
    let fields = at.and_then(|at| at.named(&mut unheard)).unwrap_or_default();
    let mut groups = Vec::new();
    for (name, at) in fields {
        let Some(fields) = at.object(GROUP_KEYS, findings) else {
            continue;
        };
        groups.push(Group {
            label: label(&fields, name, findings),
            name: name.to_owned(),
            patterns: read_patterns(&fields, "match", false, findings),
            members: read_members(&fields, names, findings),
            path: at.path,
        });
    }
    groups
}

fn label(fields: &Fields, name: &str, findings: &mut Findings) -> String {
    let label = fields.get("label").and_then(|at| at.text(findings));
    label.unwrap_or(name).to_owned()
}

fn read_patterns(
    fields: &Fields,
    key: &str,
    has_year: bool,
    findings: &mut Findings,
) -> Vec<Pattern> {
    let items = fields.get(key).and_then(|at| at.list(findings));
    let mut patterns = Vec::new();
    for item in items.unwrap_or_default() {
        let Some(text) = item.text(findings) else {
            continue;
        };
        match Pattern::parse(text) {
            Ok(pattern) if pattern.has_years() && !has_year => findings.fault(
                &item.path,
                FaultCode::MissingKey,
                "a pattern with a year needs the cohort's year group; add it, like `\"year\": 9`",
            ),
            Ok(pattern) => patterns.push(pattern),
            Err(message) => findings.fault(&item.path, FaultCode::InvalidValue, message),
        }
    }
    patterns
}

fn read_members(fields: &Fields, names: &Names, findings: &mut Findings) -> People {
    let mut people = People::default();
    let items = fields.get("members").and_then(|at| at.list(findings));
    for item in items.unwrap_or_default() {
        if let Some(text) = item.text(findings) {
            names.add_person(text, &item, &mut people, findings);
        }
    }
    people
}

fn read_places(at: Option<At>, findings: &mut Findings) -> Vec<NamedPlace> {
    let mut unheard = Findings::default();
    let fields = at.and_then(|at| at.named(&mut unheard)).unwrap_or_default();
    let mut places = Vec::new();
    for (name, at) in fields {
        let mut networks = Vec::new();
        for item in at.some_list(findings).unwrap_or_default() {
            match item.text(findings).map(Network::parse) {
                Some(Ok(network)) => networks.push(network),
                Some(Err(message)) => {
                    findings.fault(&item.path, FaultCode::InvalidValue, message);
                }
                None => {}
            }
        }
        places.push(NamedPlace {
            name: name.to_owned(),
            networks,
            path: at.path,
        });
    }
    places
}

fn read_allowlists(at: Option<At>, findings: &mut Findings) -> Vec<(String, Arc<EntrySet>)> {
    let mut unheard = Findings::default();
    let fields = at.and_then(|at| at.named(&mut unheard)).unwrap_or_default();
    fields
        .into_iter()
        .map(|(name, at)| (name.to_owned(), Arc::new(filter::entries(&at, findings))))
        .collect()
}
