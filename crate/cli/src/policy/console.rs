//! `bellgate policy console`: what to paste in the Admin console's box, exactly.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use bellgate_core::policy::{MAX_POLICY_BYTES, Policy, address_digest};
use clap::Args;
use serde_json::{Value, json};

use super::diff::bare;

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
    super::known_cohort(&policy, args.cohort.as_deref())?;
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
    super::put(&format!("{pasted}\n"))?;
    super::say(&remarks(args, pasted.len()));
    Ok(ExitCode::SUCCESS)
}

/// The size against the limit, and where to paste it.
fn remarks(args: &Arguments, bytes: usize) -> String {
    let whom = match &args.cohort {
        Some(cohort) => format!("the organisational unit or group of `{cohort}`"),
        None => "the unit of all pupils, and the same once more for the unit of staff".to_owned(),
    };
    let tenths = bytes * 1000 / MAX_POLICY_BYTES;
    let mut text = format!(
        "{bytes} bytes of the {MAX_POLICY_BYTES} that a device reads ({}.{} %)\n\
         paste the one line above into the box *Policy for extensions* for {whom}",
        tenths / 10,
        tenths % 10
    );
    if args.enrolment_key.is_some() {
        text.push_str(
            "\nwhoever can open chrome://policy on a device can read the enrolment key: \
             block that page (`bellgate policy lint --chrome`)",
        );
    }
    text
}

/// The policy as pupils' devices get it: comments left out, every address a digest.
fn delivered(text: &str) -> anyhow::Result<String> {
    let mut policy: Value = serde_json::from_str(text)?;
    refuse_people_in_patterns(&policy)?;
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
    Ok(serde_json::to_string(&bare(&policy))?)
}

/// Refuses patterns that fit one address only: they cannot be delivered as digests.
fn refuse_people_in_patterns(policy: &Value) -> anyhow::Result<()> {
    for section in ["cohorts", "groups"] {
        for (name, thing) in policy[section].as_object().into_iter().flatten() {
            for key in ["match", "except"] {
                let patterns = thing[key].as_array().into_iter().flatten();
                for (number, pattern) in patterns.filter_map(Value::as_str).enumerate() {
                    let names_one = pattern
                        .split_once('@')
                        .is_some_and(|(user, _)| !user.contains(['*', '?', '#', '{']));
                    if names_one {
                        bail!(
                            "/{section}/{name}/{key}/{number}: `{pattern}` is one person's address, \
                             which every device would get; put it into `members` of the right \
                             cohort or group instead, where it is delivered as a digest and wins \
                             over patterns"
                        );
                    }
                }
            }
        }
    }
    Ok(())
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
