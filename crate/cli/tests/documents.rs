//! What the documents for administrators say of tests, files and Chrome's policies.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The text and the target of each link of a document.
fn links(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("](") {
        let (before, after) = (&text[..at], &text[at + 2..]);
        let (Some(open), Some((target, _))) = (before.rfind('['), after.split_once(')')) else {
            continue;
        };
        found.push((&before[open + 1..], target));
    }
    found
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

#[test]
fn every_test_and_file_that_a_document_names_is_there() {
    let mut named = 0;
    for name in [
        "uksic.md",
        "admin-deployment.md",
        "policy.md",
        "precedence.md",
    ] {
        let text = std::fs::read_to_string(docs().join(name)).unwrap();
        for (words, target) in links(&text) {
            let file = docs().join(target);
            assert!(file.exists(), "{name}: {target} is not there");
            let Some(code) = words
                .strip_prefix('`')
                .and_then(|code| code.strip_suffix('`'))
            else {
                continue;
            };
            let source = std::fs::read_to_string(&file).unwrap();
            assert!(source.contains(code), "{name}: {target} has no `{code}`");
            named += 1;
        }
    }
    assert!(named >= 30, "only {named} tests are named");
}

#[test]
fn no_row_of_the_regulators_list_is_without_colour_and_no_green_one_without_proof() {
    let text = std::fs::read_to_string(docs().join("uksic.md")).unwrap();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| "))
        .filter(|line| !line.starts_with("| row") && !line.starts_with("| heading"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert!(rows.len() >= 40, "{} rows", rows.len());
    for row in rows {
        assert_eq!(row.len(), 3, "{row:?}");
        match row[1] {
            "**green**" => assert!(row[2].contains("]("), "{row:?}"),
            "**amber**" | "**red**" => {}
            other => panic!("`{other}` is no colour: {row:?}"),
        }
    }
}

#[test]
fn there_are_as_many_curated_entries_as_the_document_says() {
    let text = std::fs::read_to_string(docs().join("uksic.md")).unwrap();
    let mut counted = 0;
    for (at, _) in text.match_indices("` (") {
        let (Some(open), Some((number, _))) =
            (text[..at].rfind('`'), text[at + 3..].split_once(')'))
        else {
            continue;
        };
        let Ok(number) = number.parse::<usize>() else {
            continue;
        };
        let category = &text[open + 1..at];
        let file = docs().join(format!("../lists/curated/{category}.txt"));
        let list = std::fs::read_to_string(&file).unwrap();
        let entries = list
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert!(entries.count() >= number, "{category}");
        counted += 1;
    }
    assert!(counted >= 20, "only {counted} counts");
}

#[test]
fn the_deployment_page_has_every_door_that_the_linter_knows() {
    let text = std::fs::read_to_string(docs().join("admin-deployment.md")).unwrap();
    let (_, section) = text.split_once("## 5.").unwrap();
    let (section, _) = section.split_once("## 6.").unwrap();
    let told: BTreeSet<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(policy, _)| policy)
        .collect();
    let export = std::env::temp_dir().join(format!("bellgate-doors-{}.json", std::process::id()));
    std::fs::write(&export, r#"{"chromePolicies":{}}"#).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_bellgate"))
        .args(["policy", "lint", "--json", "--chrome"])
        .arg(&export)
        .output()
        .unwrap();
    std::fs::remove_file(&export).unwrap();
    let doors: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let known: BTreeSet<&str> = doors
        .iter()
        .map(|door| door["policy"].as_str().unwrap())
        .collect();
    assert_eq!(told, known);
    let fault = |door: &&Value| door["policy"] == "URLBlocklist";
    let pages = doors.iter().find(fault).unwrap()["fault"].as_str().unwrap();
    let pages: Vec<&str> = pages.split('`').skip(1).step_by(2).collect();
    assert!(pages.len() >= 7, "{pages:?}");
    for page in pages {
        assert!(section.contains(&format!("`{page}`")), "{page}");
    }
}
