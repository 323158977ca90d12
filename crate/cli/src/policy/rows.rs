//! `bellgate policy rows`: what schools' own rules ask for, and what carries it here.

use std::fmt::Write as _;
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
    /// Places of the policy that carry it: JSON pointers, and what is said there.
    carried_by: Vec<String>,
    /// Settings of the policy that could carry it and do not, where none does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    would_carry: Vec<&'a str>,
    product: Option<&'a str>,
    silent: bool,
}

/// Places of one row that are shown to people; `--json` has them all.
const SHOWN: usize = 5;

/// Prints each row and the setting that carries it, or that the policy is silent.
pub fn run(file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    super::read_policy(file)?;
    let policy: Value = serde_json::from_str(&super::read_text(file, "policy")?)?;
    let rows: Vec<Row> = serde_json::from_str(ROWS)?;
    let answers: Vec<Answer> = rows.iter().map(|row| answer(row, &policy)).collect();
    if json {
        super::put(&format!("{}\n", serde_json::to_string(&answers)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text: String = answers.iter().map(in_words).collect();
    let silent = answers.iter().filter(|answer| answer.silent).count();
    let _ = writeln!(
        text,
        "{} rows: this policy answers {}, is silent on {silent}; {} are not a policy's to answer",
        answers.len(),
        answers
            .iter()
            .filter(|answer| !answer.carried_by.is_empty())
            .count(),
        answers
            .iter()
            .filter(|answer| answer.carried_by.is_empty() && !answer.silent)
            .count(),
    );
    super::put(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn in_words(answer: &Answer) -> String {
    let mut text = format!("{}\n    {}\n", answer.refs, answer.rule);
    if answer.silent {
        let _ = writeln!(
            text,
            "    SILENT         the policy does not say; it could in {}",
            answer.would_carry.join(", ")
        );
    }
    for (number, place) in answer.carried_by.iter().take(SHOWN).enumerate() {
        let head = if number == 0 { "in the policy" } else { "" };
        let _ = writeln!(text, "    {head:<14} {place}");
    }
    if answer.carried_by.len() > SHOWN {
        let more = answer.carried_by.len() - SHOWN;
        let _ = writeln!(text, "    {:<14} and in {more} more places", "");
    }
    if let Some(product) = answer.product {
        let _ = writeln!(text, "    {:<14} {product}", "the product");
    }
    text
}

fn answer<'a>(row: &'a Row, policy: &Value) -> Answer<'a> {
    let carried_by: Vec<String> = row
        .carried_by
        .iter()
        .flat_map(|place| carrying(place, policy))
        .collect();
    let silent = carried_by.is_empty() && !row.carried_by.is_empty();
    Answer {
        silent,
        refs: &row.refs,
        rule: &row.rule,
        product: row.product.as_deref(),
        would_carry: if silent {
            row.carried_by.iter().map(String::as_str).collect()
        } else {
            Vec::new()
        },
        carried_by,
    }
}

/// Where a policy has something at a place; `*` in a pointer stands for any key or item.
fn carrying(place: &str, policy: &Value) -> Vec<String> {
    if let Some(category) = place.strip_prefix("category:") {
        let filters = policy["filters"].as_object().into_iter().flatten();
        let verbs = [("block", "blocks"), ("notice", "asks about")];
        let named = filters.flat_map(|(name, filter)| {
            verbs.into_iter().filter_map(move |(key, verb)| {
                let list = filter[key].as_array()?;
                list.iter()
                    .any(|item| item == category)
                    .then(|| format!("/filters/{name}/{key}: {verb} {category}"))
            })
        });
        return named.collect();
    }
    let (pointer, wanted) = match place.split_once('=') {
        Some((pointer, wanted)) => (pointer, Some(wanted)),
        None => (place, None),
    };
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    let mut found = Vec::new();
    collect(policy, "", None, &steps, wanted, &mut found);
    found
}

/// Collects the places that a pointer fits, each with the name of what it is in.
fn collect(
    value: &Value,
    path: &str,
    name: Option<&str>,
    steps: &[&str],
    wanted: Option<&str>,
    found: &mut Vec<String>,
) {
    let name = value["name"].as_str().or(name);
    let Some((step, rest)) = steps.split_first() else {
        let fits = match (value, wanted) {
            (Value::String(text), Some(wanted)) => text == wanted,
            (Value::Array(items), Some(wanted)) => items.iter().any(|item| item == wanted),
            (value, Some(wanted)) => *value.to_string() == *wanted,
            (Value::Null, None) => false,
            (Value::Array(items), None) => !items.is_empty(),
            (Value::Object(fields), None) => !fields.is_empty(),
            (_, None) => true,
        };
        if fits {
            let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
            let said = wanted.map(|wanted| format!(": {wanted}"));
            let scalar = match value {
                Value::String(_) | Value::Number(_) | Value::Bool(_) => Some(format!(": {value}")),
                _ => None,
            };
            let said = said.or(scalar).unwrap_or_default();
            found.push(format!("{path}{said}{name}"));
        }
        return;
    };
    match value {
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                collect(item, &format!("{path}/{number}"), name, rest, wanted, found);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                if key != "$comment" && (*step == "*" || step == key) {
                    collect(field, &format!("{path}/{key}"), name, rest, wanted, found);
                }
            }
        }
        _ => {}
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
