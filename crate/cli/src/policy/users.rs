//! `bellgate policy check --users`: who of Google's user export is found where.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use bellgate_core::policy::Policy;
use serde::Serialize;

use super::person::natural;

/// Counts of an export's users.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Users {
    /// How many there are.
    pub users: usize,
    /// How many each cohort has, those with none included.
    pub cohorts: BTreeMap<String, usize>,
    /// How many each group has.
    pub groups: BTreeMap<String, usize>,
    /// Addresses that no cohort has.
    pub unmatched: Vec<String>,
    /// Addresses that more than one cohort has, with their names.
    pub double_matched: BTreeMap<String, Vec<String>>,
}

/// Counts the users of an export, as they are found at an instant.
pub fn count(policy: &Policy, file: &Path, now_ms: i64) -> anyhow::Result<Users> {
    let text = super::read_text(file, "user export")?;
    count_text(policy, &text, now_ms)
        .with_context(|| format!("`{}` is not a user export", file.display()))
}

fn count_text(policy: &Policy, text: &str, now_ms: i64) -> anyhow::Result<Users> {
    let mut lines = records(text).into_iter();
    let header = lines
        .next()
        .context("it is empty; download the users as CSV")?;
    let address = header
        .iter()
        .position(|name| name.to_lowercase().starts_with("email"));
    let Some(address) = address else {
        bail!("no column is called `Email Address`; download the users as CSV, with all columns");
    };
    let mut users = Users::default();
    for (name, _) in policy.cohorts() {
        users.cohorts.insert(name.to_owned(), 0);
    }
    for (name, _) in policy.groups() {
        users.groups.insert(name.to_owned(), 0);
    }
    for record in lines {
        let Some(address) = record.get(address).filter(|address| address.contains('@')) else {
            continue;
        };
        users.users += 1;
        match policy.cohorts_of_address(address, now_ms).as_slice() {
            [] => users.unmatched.push(address.clone()),
            [one] => *users.cohorts.entry((*one).to_owned()).or_default() += 1,
            more => {
                let mut names: Vec<String> = more.iter().map(|name| (*name).to_owned()).collect();
                names.sort_by_key(|name| natural(name));
                users.double_matched.insert(address.clone(), names);
            }
        }
        for group in policy.groups_of_address(address) {
            *users.groups.entry(group.to_owned()).or_default() += 1;
        }
    }
    Ok(users)
}

/// Addresses of one sort that are shown to people; `--json` has them all.
const SHOWN: usize = 20;

/// The counts for people.
pub fn words(users: &Users) -> String {
    let mut text = format!("{} users in the export\n", users.users);
    let mut line = |what: &str, count: usize| {
        text.push_str(&format!("  {what:<28} {count:>6}\n"));
    };
    let mut cohorts: Vec<(&String, &usize)> = users.cohorts.iter().collect();
    cohorts.sort_by_key(|(name, _)| natural(name));
    for (name, count) in cohorts {
        line(&format!("cohort {name}"), *count);
    }
    for (name, count) in &users.groups {
        line(&format!("group {name}"), *count);
    }
    line("in no cohort", users.unmatched.len());
    line("in more than one cohort", users.double_matched.len());
    let unmatched = users
        .unmatched
        .iter()
        .map(|address| format!("no cohort: {address}"));
    let double = users
        .double_matched
        .iter()
        .map(|(address, names)| format!("more than one: {address}: {}", names.join(", ")));
    for lines in [
        unmatched.collect::<Vec<String>>(),
        double.collect::<Vec<String>>(),
    ] {
        for one in lines.iter().take(SHOWN) {
            text.push_str(&format!("  {one}\n"));
        }
        if lines.len() > SHOWN {
            text.push_str(&format!(
                "  and {} more; --json prints all\n",
                lines.len() - SHOWN
            ));
        }
    }
    if !users.unmatched.is_empty() || !users.double_matched.is_empty() {
        text.push_str(
            "lesson rules hold at every hour for those in no cohort or in more than one, and \
             nobody names them, unless managed policy states their cohort; otherwise add \
             `match`, `except` or `members` in /cohorts\n",
        );
    }
    text
}

/// The records of a CSV text (RFC 4180): quoted fields may hold commas and line ends.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let mut record = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut characters = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            other => field.push(other),
        }
    }
    if !field.is_empty() || !record.is_empty() {
        record.push(field);
        records.push(record);
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_counted_by_cohort() {
        let example = include_str!("../../../../docs/examples/chromebook-school.json");
        let (policy, _) = Policy::parse(example).unwrap();
        let export = "First Name [Required],Last Name [Required],Email Address [Required],Org Unit Path [Required]\r\n\
            Anna,\"Hall, the younger\",24ahall@school.example,/Students\r\n\
            Bo,\"Kaur \"\"B\"\"\",25bkaur@school.example,/Students\r\n\
            Jo,Marsh,j.marsh@school.example,/Staff\r\n\
            Old,Girl,15old@school.example,/Leavers\r\n";
        let now_ms = chrono::DateTime::parse_from_rfc3339("2026-11-21T10:00:00Z")
            .unwrap()
            .timestamp_millis();
        let users = count_text(&policy, export, now_ms).unwrap();
        assert_eq!(users.users, 4);
        assert_eq!(users.cohorts["year-9"], 1);
        assert_eq!(users.cohorts["year-8"], 1);
        assert_eq!(users.cohorts["staff"], 1);
        assert_eq!(users.unmatched, ["15old@school.example"]);
        assert!(users.double_matched.is_empty());
    }

    #[test]
    fn another_file_is_refused() {
        let example = include_str!("../../../../docs/examples/chromebook-school.json");
        let (policy, _) = Policy::parse(example).unwrap();
        assert!(count_text(&policy, "a,b\n1,2\n", 0).is_err());
        assert!(count_text(&policy, "", 0).is_err());
    }
}
