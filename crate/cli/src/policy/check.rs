//! `bellgate policy check`: every fault and every oddity, each with its place.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use bellgate_core::policy::{Fault, Policy, Warning};
use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;

use super::users::{self, Users};

/// What to check.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The policy, as JSON.
    file: PathBuf,
    /// Google's export of users as CSV: counts them by cohort and group.
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// When to count them, as RFC 3339; now when left out.
    #[arg(long, value_name = "RFC3339")]
    at: Option<String>,
    /// Prints one JSON object instead of lines.
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    version: Option<&'a str>,
    faults: &'a [Fault],
    warnings: &'a [Warning],
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<&'a Users>,
}

/// Checks a policy; the exit code is 1 when it is faulty.
pub fn run(args: &Arguments) -> anyhow::Result<ExitCode> {
    let text = super::read_text(&args.file, "policy")?;
    let (policy, faults, warnings) = match Policy::parse(&text) {
        Ok((policy, mut warnings)) => {
            warnings.extend(policy.contradictions());
            (Some(policy), Vec::new(), warnings)
        }
        Err(faults) => (None, faults.0, Vec::new()),
    };
    let users = match (&args.users, &policy) {
        (Some(file), Some(policy)) => Some(users::count(policy, file, instant(args)?)?),
        _ => None,
    };
    if args.json {
        let report = Report {
            ok: policy.is_some(),
            version: policy.as_ref().map(Policy::version),
            faults: &faults,
            warnings: &warnings,
            users: users.as_ref(),
        };
        super::put(&format!("{}\n", serde_json::to_string(&report)?))?;
    } else {
        let mut text = words(&args.file, policy.as_ref(), &faults, &warnings);
        if let Some(users) = &users {
            text.push_str(&users::words(users));
        }
        super::put(&text)?;
    }
    if args.users.is_some() && users.is_none() {
        super::say("the users were not counted; correct the faults first");
    }
    Ok(ExitCode::from(u8::from(policy.is_none())))
}

/// The instant that was asked for, or now.
fn instant(args: &Arguments) -> anyhow::Result<i64> {
    let Some(at) = &args.at else {
        return Ok(Utc::now().timestamp_millis());
    };
    let at = DateTime::parse_from_rfc3339(at)
        .with_context(|| format!("`{at}` is not a time; write it like `2026-11-23T11:00:00Z`"))?;
    Ok(at.timestamp_millis())
}

fn words(file: &Path, policy: Option<&Policy>, faults: &[Fault], warnings: &[Warning]) -> String {
    let faults_first = faults.iter().map(|fault| format!("fault    {fault}\n"));
    let then_warnings = warnings
        .iter()
        .map(|warning| format!("warning  {warning}\n"));
    let mut text: String = faults_first.chain(then_warnings).collect();
    let counted =
        |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let verdict = match policy {
        Some(policy) => format!(
            "{}: version {} of {} is valid; {}, {}\n",
            file.display(),
            policy.version(),
            policy.school_name(),
            counted(policy.cohorts().count(), "cohort"),
            counted(warnings.len(), "warning"),
        ),
        None => format!(
            "{}: {}; devices keep the policy they have\n",
            file.display(),
            counted(faults.len(), "fault"),
        ),
    };
    text.push_str(&verdict);
    text
}
