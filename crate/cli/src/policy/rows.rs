//! `bellgate policy rows`: what schools' own rules ask for, and what carries it here.

use std::path::Path;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The rows, in the project's own words.
const ROWS: &str = include_str!("../../../../docs/school-rules.json");

/// One thing that schools' policies ask for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The paragraphs that it comes from.
    refs: String,
    /// What is asked.
    rule: String,
    /// What of a policy carries it: JSON pointers, or `category:NAME`; any one will do.
    carried_by: Vec<String>,
    /// What the product does, whatever the policy says.
    #[serde(default)]
    product: Option<String>,
}

/// A row and what was found of it.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    refs: &'a str,
    rule: &'a str,
    /// Places of the policy that carry it.
    carried_by: Vec<&'a str>,
    product: Option<&'a str>,
    silent: bool,
}

/// Prints each row and the setting that carries it, or that the policy is silent.
pub fn run(file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    super::read_policy(file)?;
    let policy: Value = serde_json::from_str(&super::read_text(file, "policy")?)?;
    let rows: Vec<Row> = serde_json::from_str(ROWS)?;
    let answers: Vec<Answer> = rows.iter().map(|row| answer(row, &policy)).collect();
    if json {
        println!("{}", serde_json::to_string(&answers)?);
        return Ok(ExitCode::SUCCESS);
    }
    for answer in &answers {
        println!("{:<24} {}", answer.refs, answer.rule);
        if !answer.carried_by.is_empty() {
            println!(
                "{:<24}   in this policy: {}",
                "",
                answer.carried_by.join(", ")
            );
        } else if answer.silent {
            println!("{:<24}   this policy is silent", "");
        }
        if let Some(product) = answer.product {
            println!("{:<24}   always: {product}", "");
        }
    }
    let silent = answers.iter().filter(|answer| answer.silent).count();
    println!("{} rows; this policy is silent on {silent}", answers.len());
    Ok(ExitCode::SUCCESS)
}

fn answer<'a>(row: &'a Row, policy: &Value) -> Answer<'a> {
    let carried_by: Vec<&str> = row
        .carried_by
        .iter()
        .map(String::as_str)
        .filter(|place| carries(place, policy))
        .collect();
    Answer {
        silent: carried_by.is_empty() && !row.carried_by.is_empty(),
        refs: &row.refs,
        rule: &row.rule,
        product: row.product.as_deref(),
        carried_by,
    }
}

/// Whether a policy has something at a place; `*` in a pointer stands for any key or item.
fn carries(place: &str, policy: &Value) -> bool {
    if let Some(category) = place.strip_prefix("category:") {
        let filters = policy["filters"].as_object();
        return filters.into_iter().flatten().any(|(_, filter)| {
            ["block", "notice"].into_iter().any(|key| {
                let list = filter[key].as_array();
                list.is_some_and(|list| list.iter().any(|item| item == category))
            })
        });
    }
    let (pointer, wanted) = match place.split_once('=') {
        Some((pointer, wanted)) => (pointer, Some(wanted)),
        None => (place, None),
    };
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    has(policy, &steps, wanted)
}

fn has(value: &Value, steps: &[&str], wanted: Option<&str>) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        return match (value, wanted) {
            (Value::String(text), Some(wanted)) => text == wanted,
            (Value::Array(items), Some(wanted)) => items.iter().any(|item| item == wanted),
            (value, Some(wanted)) => *value.to_string() == *wanted,
            (Value::Null, None) => false,
            (Value::Array(items), None) => !items.is_empty(),
            (Value::Object(fields), None) => !fields.is_empty(),
            (_, None) => true,
        };
    };
    match value {
        Value::Array(items) => items.iter().any(|item| has(item, rest, wanted)),
        Value::Object(fields) if *step == "*" => {
            fields.values().any(|field| has(field, rest, wanted))
        }
        Value::Object(fields) => fields
            .get(*step)
            .is_some_and(|field| has(field, rest, wanted)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(text: &str) -> Vec<(String, bool)> {
        let policy: Value = serde_json::from_str(text).unwrap();
        let rows: Vec<Row> = serde_json::from_str(ROWS).unwrap();
        rows.iter()
            .map(|row| (row.refs.clone(), answer(row, &policy).silent))
            .collect()
    }

    #[test]
    fn every_row_is_carried_by_something() {
        let rows: Vec<Row> = serde_json::from_str(ROWS).unwrap();
        assert!(rows.len() >= 35, "{}", rows.len());
        for row in rows {
            assert!(
                !row.carried_by.is_empty() || row.product.is_some(),
                "{}",
                row.refs
            );
        }
    }

    #[test]
    fn the_chromebook_school_speaks_where_a_bare_policy_is_silent() {
        let example = answers(include_str!(
            "../../../../docs/examples/chromebook-school.json"
        ));
        let bare = answers(include_str!("../../../../tests/policies/good/minimal.json"));
        let silent = |rows: &[(String, bool)]| rows.iter().filter(|(_, silent)| *silent).count();
        assert!(silent(&example) < silent(&bare));
        let is_silent = |rows: &[(String, bool)], refs: &str| {
            rows.iter().find(|(known, _)| known == refs).unwrap().1
        };
        assert!(!is_silent(&example, "T176, T177"));
        assert!(is_silent(&bare, "T176, T177"));
    }
}
