//! What is allowed in a policy but can hardly be meant.

use super::Policy;
use super::fault::{FaultCode, Findings};
use super::person::Who;

/// Notes what can be seen without walking through the year.
pub(super) fn note(policy: &Policy, findings: &mut Findings) {
    unused(policy, findings);
    nobody_in(policy, findings);
    dated(policy, findings);
}

/// Filters, allowlists, places and groups that nothing refers to.
fn unused(policy: &Policy, findings: &mut Findings) {
    let mut warn = |path: String, what: &str, name: &str| {
        findings.warn(
            &path,
            FaultCode::Unused,
            format!("nothing uses the {what} `{name}`; use it or take it out"),
        );
    };
    for (number, (name, _)) in policy.allowlists.iter().enumerate() {
        if !policy
            .rules
            .iter()
            .any(|rule| rule.then.allowlist == Some(number))
        {
            warn(format!("/allowlists/{name}"), "allowlist", name);
        }
    }
    let conditions: Vec<_> = policy
        .rules
        .iter()
        .map(|rule| &rule.place)
        .chain(policy.sessions.iter().map(|session| &session.place))
        .chain(policy.grants.iter().map(|grant| &grant.place))
        .chain(policy.exams.iter().map(|exam| &exam.place))
        .chain(policy.exceptions.iter().map(|exceptions| &exceptions.place))
        .flatten()
        .collect();
    for (number, place) in policy.places.iter().enumerate() {
        let number = number as u16;
        let used = conditions
            .iter()
            .any(|place| place.inside.contains(&number) || place.outside.contains(&number));
        if !used {
            warn(place.path.clone(), "place", &place.name);
        }
    }
    let whos: Vec<&Who> = whos(policy);
    for (number, group) in policy.groups.iter().enumerate() {
        if !whos.iter().any(|who| who.groups.contains(&(number as u16))) {
            warn(group.path.clone(), "group", &group.name);
        }
    }
}

pub(super) fn whos(policy: &Policy) -> Vec<&Who> {
    let rules = policy.rules.iter().map(|rule| &rule.who);
    rules
        .chain(policy.sessions.iter().map(|session| &session.who))
        .chain(policy.grants.iter().map(|grant| &grant.who))
        .chain(policy.exams.iter().map(|exam| &exam.who))
        .chain(policy.acceptable_use.iter().map(|accept| &accept.who))
        .chain(policy.exceptions.iter().map(|exceptions| &exceptions.who))
        .chain(
            policy
                .exceptions
                .iter()
                .map(|exceptions| &exceptions.closed_periods_for),
        )
        .collect()
}

/// Cohorts that no address finds, where others are found by address.
fn nobody_in(policy: &Policy, findings: &mut Findings) {
    let by_address =
        |cohort: &super::Cohort| !cohort.patterns.is_empty() || !cohort.members.is_empty();
    if !policy.cohorts.iter().any(by_address) {
        // Every cohort is set per organisational unit.
        return;
    }
    for cohort in policy.cohorts.iter().filter(|cohort| !by_address(cohort)) {
        findings.warn(
            &cohort.path,
            FaultCode::NobodyIn,
            format!(
                "no address is in `{}`; add `match`, or be sure to set the managed key `cohort` for its unit",
                cohort.name
            ),
        );
    }
}

/// Examinations and grants on days on which they cannot hold.
fn dated(policy: &Policy, findings: &mut Findings) {
    for grant in &policy.grants {
        if grant.until < policy.calendar.first {
            findings.warn(
                &grant.path,
                FaultCode::NeverHolds,
                format!(
                    "it ended on {}, before the terms begin; take it out",
                    grant.until
                ),
            );
        }
    }
    for exam in &policy.exams {
        for range in exam.sitting.iter().flat_map(|sitting| &sitting.dates) {
            if policy.calendar.day(range.first).kind == super::calendar::DayKind::NoSchool {
                findings.warn(
                    &exam.path,
                    FaultCode::Unwise,
                    format!(
                        "there is no school on {}; the examination holds all the same",
                        range.first
                    ),
                );
            }
        }
    }
}
