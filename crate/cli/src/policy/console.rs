//! `bellgate policy console`: what to paste in the Admin console's box, exactly.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use bellgate_core::policy::{MAX_POLICY_BYTES, Policy, address_digest};
use clap::Args;
use serde_json::{Map, Value, json};

/// What to put in the box.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The policy, as JSON.
    file: PathBuf,
    /// The cohort of the organisational unit; without it the policy finds each from the address.
    #[arg(long, value_name = "ID")]
    cohort: Option<String>,
    /// Base URL of the school's endpoint.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The secret that devices exchange for a key of their own.
    #[arg(long, value_name = "SECRET")]
    enrolment_key: Option<String>,
    /// Where the compiled lists are.
    #[arg(long, value_name = "URL")]
    pack_url: Option<String>,
    /// Public keys of the lists, in base64.
    #[arg(long = "pack-key", value_name = "KEY")]
    pack_keys: Vec<String>,
    /// The school's id at the endpoint.
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
}

/// Prints the box's content; its size and what to do with it go to standard error.
pub fn run(args: &Arguments) -> anyhow::Result<ExitCode> {
    let text = super::read_text(&args.file, "policy")?;
    let policy = super::read_policy(&args.file)?;
    if let Some(cohort) = &args.cohort
        && !policy.cohorts().any(|(name, _)| name == cohort)
    {
        let names: Vec<&str> = policy.cohorts().map(|(name, _)| name).collect();
        bail!(
            "no cohort is called `{cohort}`; use one of `{}`",
            names.join("`, `")
        );
    }
    let delivered = delivered(&text)?;
    if let Err(faults) = Policy::parse(&delivered) {
        bail!("the policy could not be made fit to deliver:\n{faults}");
    }
    let keys = args.pack_keys.join(" ");
    let values = [
        ("policy", Some(delivered.as_str())),
        ("cohort", args.cohort.as_deref()),
        ("endpoint", args.endpoint.as_deref()),
        ("enrolment_key", args.enrolment_key.as_deref()),
        ("pack_url", args.pack_url.as_deref()),
        (
            "pack_keys",
            Some(keys.as_str()).filter(|keys| !keys.is_empty()),
        ),
        ("tenant", args.tenant.as_deref()),
    ];
    let given = values
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), json!({ "Value": value? }))));
    let pasted = serde_json::to_string(&Value::Object(given.collect()))?;
    println!("{pasted}");
    super::say(&format!(
        "{} bytes of {MAX_POLICY_BYTES} that reach a device ({}%); paste the line above as the extension's policy for {}",
        pasted.len(),
        pasted.len() * 100 / MAX_POLICY_BYTES,
        args.cohort
            .as_deref()
            .map_or("students, and once more for staff".to_owned(), |cohort| {
                format!("the organisational unit or group of `{cohort}`")
            }),
    ));
    Ok(ExitCode::SUCCESS)
}

/// The policy as pupils' devices get it: comments left out, every address a digest.
fn delivered(text: &str) -> anyhow::Result<String> {
    let mut policy: Value = serde_json::from_str(text)?;
    let salt = match policy["school"]["salt"].as_str() {
        Some(salt) => salt.to_owned(),
        None => {
            // It need not be secret; it only keeps tables made for other schools from fitting.
            let own = format!("{}\n{}", policy["school"]["name"], policy["version"]);
            address_digest("bellgate", &own)[7..39].to_owned()
        }
    };
    let mut digests = 0;
    for section in [
        "rules",
        "sessions",
        "grants",
        "exams",
        "exceptions",
        "acceptable_use",
    ] {
        for key in ["who", "closed_periods_for"] {
            let things = match policy.get_mut(section) {
                Some(Value::Array(things)) => things.iter_mut().collect(),
                Some(thing @ Value::Object(_)) => vec![thing],
                _ => Vec::new(),
            };
            for thing in things {
                digests += digest_all(thing.get_mut(key), &salt);
            }
        }
    }
    for section in ["cohorts", "groups"] {
        for thing in policy
            .get_mut(section)
            .and_then(Value::as_object_mut)
            .into_iter()
            .flatten()
        {
            digests += digest_all(thing.1.get_mut("members"), &salt);
        }
    }
    if digests > 0 {
        policy["school"]["salt"] = json!(salt);
    }
    without_comments(&mut policy);
    Ok(serde_json::to_string(&policy)?)
}

/// Turns every address of a list into a digest; gives their number.
fn digest_all(list: Option<&mut Value>, salt: &str) -> usize {
    let mut count = 0;
    for item in list.and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(text) = item.as_str() else { continue };
        let is_address = text.contains('@') && !text.starts_with('@');
        if is_address && !text.starts_with("sha256:") {
            *item = json!(address_digest(salt, text));
            count += 1;
        }
    }
    count
}

fn without_comments(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_comments),
        Value::Object(fields) => {
            let kept: Map<String, Value> = std::mem::take(fields)
                .into_iter()
                .filter(|(key, _)| key != "$comment")
                .collect();
            *fields = kept;
            fields.values_mut().for_each(without_comments);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../../docs/examples/chromebook-school.json");

    #[test]
    fn no_pupils_address_is_delivered_to_others() {
        let text = delivered(EXAMPLE).unwrap();
        assert!(EXAMPLE.contains("24ahall@"));
        assert!(!text.contains("24ahall@") && !text.contains("25bkaur@"));
        assert!(!text.contains("$comment"));
    }

    #[test]
    fn a_delivered_grant_still_finds_its_pupil() {
        use bellgate_core::context::Context;
        let (policy, _) = Policy::parse(&delivered(EXAMPLE).unwrap()).unwrap();
        let lunch_ms = chrono::DateTime::parse_from_rfc3339("2026-12-15T13:20:00Z")
            .unwrap()
            .timestamp_millis();
        let openings = |user: &str| {
            let context = Context {
                user: Some(user.to_owned()),
                ..Context::default()
            };
            policy.standing(&context, lunch_ms).openings.len()
        };
        assert_eq!(openings("24ahall@school.example"), 1);
        assert_eq!(openings("24other@school.example"), 0);
    }
}
