//! Whom a question about a policy is for.

use std::net::IpAddr;

use anyhow::bail;
use bellgate_core::context::{Context, Place, PlaceProof};
use bellgate_core::policy::Policy;
use bellgate_core::standing::Standing;
use chrono::{NaiveDate, NaiveTime, TimeDelta, TimeZone};
use clap::Args;

/// Who, and where.
#[derive(Debug, Args)]
pub struct PersonArgs {
    /// The cohort, such as `year-9`.
    #[arg(long, value_name = "ID")]
    cohort: Option<String>,
    /// The signed-in address.
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// The device's address on the network; without it the place is unknown.
    #[arg(long, value_name = "IP")]
    network: Option<IpAddr>,
    /// A group that the user belongs to; may be repeated.
    #[arg(long = "group", value_name = "ID")]
    groups: Vec<String>,
}

impl PersonArgs {
    /// Refuses nobody, and cohorts and groups that the policy has not.
    pub fn check(&self, policy: &Policy) -> anyhow::Result<()> {
        super::known_cohort(policy, self.cohort.as_deref())?;
        super::known_groups(policy, &self.groups)?;
        if self.cohort.is_none() && self.user.is_none() {
            let names: Vec<&str> = policy.cohorts().map(|(name, _)| name).collect();
            bail!(
                "it is not said who is meant; give `--user` with an address, or `--cohort` with one of `{}`",
                names.join("`, `")
            );
        }
        Ok(())
    }

    /// The context of a decision for them.
    pub fn context(&self) -> Context {
        Context {
            cohort: self.cohort.clone(),
            user: self.user.clone(),
            groups: self.groups.clone(),
            place: self
                .network
                .map_or(Place::Unknown, |address| Place::Address {
                    address,
                    proof: PlaceProof::Stated,
                }),
            ..Context::default()
        }
    }

    /// Who it is, in words.
    pub fn words(&self, policy: &Policy) -> String {
        let label = self.cohort.as_ref().map(|name| {
            let known = policy.cohorts().find(|(known, _)| known == name);
            known.map_or(name.as_str(), |(_, label)| label).to_owned()
        });
        let mut who = match (label, &self.user) {
            (Some(label), Some(user)) => format!("{user}, {label}"),
            (Some(label), None) => label,
            (None, Some(user)) => user.clone(),
            (None, None) => "nobody known".to_owned(),
        };
        if !self.groups.is_empty() {
            who.push_str(&format!(" in {}", self.groups.join(", ")));
        }
        match self.network {
            Some(address) => format!("{who} at {address}"),
            None => format!("{who}, place unknown"),
        }
    }
}

/// A stretch of time over which one standing holds.
pub struct Stretch {
    /// The first instant, in Unix epoch milliseconds.
    pub from_ms: i64,
    /// The first instant after it.
    pub until_ms: i64,
    /// What holds.
    pub standing: Standing,
}

/// What holds for someone over `[from_ms, until_ms)`, stretch by stretch.
pub fn stretches(policy: &Policy, context: &Context, from_ms: i64, until_ms: i64) -> Vec<Stretch> {
    let mut found = Vec::new();
    let mut at_ms = from_ms;
    while at_ms < until_ms {
        let standing = policy.standing(context, at_ms);
        let next_ms = standing.next_change_at_ms.unwrap_or(until_ms).min(until_ms);
        found.push(Stretch {
            from_ms: at_ms,
            until_ms: next_ms,
            standing,
        });
        at_ms = next_ms;
    }
    found
}

/// The first instant of a date in the school's zone.
pub fn first_instant(policy: &Policy, date: NaiveDate) -> i64 {
    let zone = policy.timezone();
    // Where midnight is skipped, the day begins when the clock has moved on.
    let mut wall = date.and_time(NaiveTime::MIN);
    for _ in 0..24 {
        if let Some(at) = zone.from_local_datetime(&wall).earliest() {
            return at.timestamp_millis();
        }
        wall += TimeDelta::minutes(15);
    }
    wall.and_utc().timestamp_millis()
}

/// What the clock on the school's wall shows at an instant: date and `hh:mm`.
pub fn shown(policy: &Policy, at_ms: i64) -> (NaiveDate, String) {
    let at = policy.timezone().timestamp_millis_opt(at_ms).single();
    let wall = at.map(|at| at.naive_local()).unwrap_or_default();
    (wall.date(), wall.time().format("%H:%M").to_string())
}

/// The word for a standing's mode.
pub fn mode_word(standing: &Standing) -> &'static str {
    use bellgate_core::standing::Mode;
    match standing.mode {
        Mode::Open => "open",
        Mode::Filtered => "filtered",
        Mode::Notice => "notice",
        Mode::Allowlist => "allowlist",
        Mode::Exam => "exam",
        Mode::Closed => "closed",
    }
}

/// A name by its text and then its number, so that `year-10` comes after `year-9`.
pub fn natural(name: &str) -> (String, u64) {
    let text = name.trim_end_matches(|character: char| character.is_ascii_digit());
    (
        text.to_owned(),
        name[text.len()..].parse().unwrap_or_default(),
    )
}
