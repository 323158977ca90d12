//! `bellgate policy diff`: for whom and when two policies behave differently.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use bellgate_core::context::{Context, Place};
use bellgate_core::policy::Policy;
use bellgate_core::standing::Standing;
use chrono::{Datelike, Days, NaiveDate, Weekday};
use clap::Args;
use serde::Serialize;

use super::person::{first_instant, mode_word, shown, stretches};

/// Which two.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The policy in force.
    before: PathBuf,
    /// The policy to come.
    after: PathBuf,
    /// Prints one JSON object a line instead.
    #[arg(long)]
    json: bool,
}

/// One way in which behaviour changes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Change {
    cohort: String,
    place: String,
    start: String,
    end: String,
    before: String,
    after: String,
}

/// Prints every change of behaviour; the exit code is 1 when there is one.
pub fn run(args: &Arguments) -> anyhow::Result<ExitCode> {
    let before = super::read_policy(&args.before)?;
    let after = super::read_policy(&args.after)?;
    let changes = compare(&before, &after);
    for (change, dates) in &changes {
        if args.json {
            let dates: Vec<String> = dates.iter().map(NaiveDate::to_string).collect();
            println!(
                "{}",
                serde_json::json!({ "change": change, "dates": dates })
            );
        } else {
            println!(
                "{} ({}), {}, {}-{}: {} -> {}",
                change.cohort,
                change.place,
                days(dates),
                change.start,
                change.end,
                change.before,
                change.after
            );
        }
    }
    if changes.is_empty() && !args.json {
        println!("nobody notices a difference");
    }
    Ok(ExitCode::from(u8::from(!changes.is_empty())))
}

fn compare(before: &Policy, after: &Policy) -> BTreeMap<Change, BTreeSet<NaiveDate>> {
    let mut changes: BTreeMap<Change, BTreeSet<NaiveDate>> = BTreeMap::new();
    let cohorts: BTreeSet<(&str, &str)> = before.cohorts().chain(after.cohorts()).collect();
    let names: BTreeMap<&str, &str> = cohorts.into_iter().collect();
    let mut places: Vec<(String, Place)> = before.example_places();
    for (name, place) in after.example_places() {
        if !places.iter().any(|(_, known)| *known == place) {
            places.push((name, place));
        }
    }
    let (one, other) = (before.terms(), after.terms());
    let (first, last) = (one.0.min(other.0), one.1.max(other.1));
    for (name, label) in names {
        for (place_name, place) in &places {
            let context = Context {
                cohort: Some(name.to_owned()),
                place: *place,
                ..Context::default()
            };
            for date in first.iter_days().take_while(|date| *date <= last) {
                for (start, end, old, new) in differences(before, after, &context, date) {
                    let change = Change {
                        cohort: label.to_owned(),
                        place: place_name.clone(),
                        start,
                        end,
                        before: old,
                        after: new,
                    };
                    changes.entry(change).or_default().insert(date);
                }
            }
        }
    }
    changes
}

/// The stretches of a date over which the two differ: start, end, and both in words.
fn differences(
    before: &Policy,
    after: &Policy,
    context: &Context,
    date: NaiveDate,
) -> Vec<(String, String, String, String)> {
    let from_ms = first_instant(before, date);
    let until_ms = first_instant(before, date + Days::new(1));
    let old = stretches(before, context, from_ms, until_ms);
    let new = stretches(after, context, from_ms, until_ms);
    let mut starts: Vec<i64> = old.iter().chain(&new).map(|held| held.from_ms).collect();
    starts.sort_unstable();
    starts.dedup();
    let mut found: Vec<(i64, i64, String, String)> = Vec::new();
    for (number, start_ms) in starts.iter().enumerate() {
        let end_ms = starts.get(number + 1).copied().unwrap_or(until_ms);
        let at = |held: &[super::person::Stretch]| -> String {
            let one = held
                .iter()
                .find(|held| held.from_ms <= *start_ms && *start_ms < held.until_ms);
            one.map(|held| behaviour(&held.standing))
                .unwrap_or_default()
        };
        let (old, new) = (at(&old), at(&new));
        if old == new {
            continue;
        }
        match found.last_mut() {
            Some(last) if last.1 == *start_ms && last.2 == old && last.3 == new => last.1 = end_ms,
            _ => found.push((*start_ms, end_ms, old, new)),
        }
    }
    found
        .into_iter()
        .map(|(start_ms, end_ms, old, new)| {
            let (old, new) = apart(&old, &new);
            let end = shown(before, end_ms).1;
            let end = if end == "00:00" {
                "24:00".to_owned()
            } else {
                end
            };
            (shown(before, start_ms).1, end, old, new)
        })
        .collect()
}

/// Everything of a standing that someone could notice, in words; the parts after `; `.
fn behaviour(standing: &Standing) -> String {
    let mut parts = vec![mode_word(standing).to_owned()];
    let sorted = |list: &[String]| {
        let mut list = list.to_vec();
        list.sort();
        list.join(" ")
    };
    let entries = |set: &bellgate_core::list::EntrySet| {
        let mut entries: Vec<&str> = set.iter().collect();
        entries.sort_unstable();
        entries.join(" ")
    };
    parts.push(format!("blocks {}", sorted(&standing.filter.block)));
    parts.push(format!("asks about {}", sorted(&standing.filter.notice)));
    parts.push(format!(
        "the school allows {}",
        entries(&standing.filter.allow)
    ));
    parts.push(format!(
        "the school blocks {}",
        entries(&standing.filter.deny)
    ));
    let mut opened: Vec<String> = standing
        .openings
        .iter()
        .map(|opening| entries(&opening.entries))
        .collect();
    opened.sort();
    parts.push(format!("opens {}", opened.join(" ")));
    parts.push(format!("records {:?}", standing.recording).to_lowercase());
    parts.push(format!("help {:?}", standing.help).to_lowercase());
    parts.push(format!("safe search {}", standing.filter.safe_search));
    parts.push(format!("youtube {:?}", standing.filter.youtube).to_lowercase());
    parts.push(format!(
        "downloads without {}",
        sorted(&standing.filter.download_types)
    ));
    parts.push(format!("observing {}", standing.observe));
    if let Some(acceptance) = &standing.acceptance {
        parts.push(format!("after accepting {}", acceptance.version));
    }
    parts.join("; ")
}

/// The parts in which two behaviours differ; the mode is always among them.
fn apart(old: &str, new: &str) -> (String, String) {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split("; ").collect(), new.split("; ").collect());
    let only = |these: &[&str], those: &[&str]| -> String {
        let differing = these
            .iter()
            .enumerate()
            .filter(|(number, part)| *number == 0 || !those.contains(part));
        let parts: Vec<&str> = differing.map(|(_, part)| *part).collect();
        parts.join(", ")
    };
    // Where the mode differs, the rest follows from it.
    if old[0] != new[0] {
        return (old[0].to_owned(), new[0].to_owned());
    }
    (only(&old, &new), only(&new, &old))
}

/// Dates in words: days of the week and how many, or the one date.
fn days(dates: &BTreeSet<NaiveDate>) -> String {
    match dates.iter().collect::<Vec<_>>().as_slice() {
        [] => "never".to_owned(),
        [only] => only.to_string(),
        [first, .., last] => {
            let weekdays: BTreeSet<u32> = dates
                .iter()
                .map(|date| date.weekday().num_days_from_monday())
                .collect();
            let names: Vec<String> = weekdays
                .into_iter()
                .filter_map(|day| Weekday::try_from(day as u8).ok())
                .map(|day| day.to_string())
                .collect();
            format!(
                "{} days ({}) from {first} to {last}",
                dates.len(),
                names.join(" ")
            )
        }
    }
}
