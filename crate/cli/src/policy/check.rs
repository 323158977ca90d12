//! `bellgate policy check`: every fault and every oddity, each with its place.

use std::path::Path;
use std::process::ExitCode;

use bellgate_core::policy::{Fault, Policy, Warning};
use serde::Serialize;

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    ok: bool,
    version: Option<&'a str>,
    faults: &'a [Fault],
    warnings: &'a [Warning],
}

/// Checks a policy; the exit code is 1 when it is faulty.
pub fn run(file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let text = super::read_text(file, "policy")?;
    let (policy, faults, warnings) = match Policy::parse(&text) {
        Ok((policy, mut warnings)) => {
            warnings.extend(policy.contradictions());
            (Some(policy), Vec::new(), warnings)
        }
        Err(faults) => (None, faults.0, Vec::new()),
    };
    if json {
        let report = Report {
            ok: policy.is_some(),
            version: policy.as_ref().map(Policy::version),
            faults: &faults,
            warnings: &warnings,
        };
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(file, policy.as_ref(), &faults, &warnings);
    }
    Ok(ExitCode::from(u8::from(policy.is_none())))
}

fn print(file: &Path, policy: Option<&Policy>, faults: &[Fault], warnings: &[Warning]) {
    for fault in faults {
        println!("fault    {fault}");
    }
    for warning in warnings {
        println!("warning  {warning}");
    }
    let counted =
        |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    match policy {
        Some(policy) => println!(
            "{}: version {} of {} is valid; {}, {}",
            file.display(),
            policy.version(),
            policy.school_name(),
            counted(policy.cohorts().count(), "cohort"),
            counted(warnings.len(), "warning"),
        ),
        None => println!(
            "{}: {}; devices keep the policy they have",
            file.display(),
            counted(faults.len(), "fault"),
        ),
    }
}
