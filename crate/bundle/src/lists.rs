//! What the extension's pages and its last resort know of the lists.
//!
//! The core decides by the list pack. Three modules are made beside it: the words
//! for the block page, the few hosts that stay open even when the core itself
//! cannot run, and the hosts that Chrome keeps closed while it does not.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::archive::Files;
use crate::glue::HEADER;

/// Categories of which no page may open while no worker runs: what does harm at the first look,
/// and what would let a pupil around everything else. Of their curated lists, which hold the best
/// known hosts.
const WORST: [&str; 8] = [
    "adult",
    "extremism",
    "gambling",
    "gore",
    "hate",
    "proxies",
    "self-harm",
    "undressing",
];

#[derive(Deserialize)]
struct Categories {
    category: Vec<Category>,
}

/// A category as the block page words it.
#[derive(Deserialize, Serialize)]
struct Category {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pupil_description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_topics: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sensitive: Option<bool>,
}

#[derive(Deserialize)]
struct Help {
    topic: Vec<Topic>,
    help: Vec<Service>,
}

#[derive(Deserialize, Serialize)]
struct Topic {
    id: String,
    name: String,
    sensitive: bool,
}

/// A help service; `loads` names further hosts that its pages need.
#[derive(Deserialize, Serialize)]
struct Service {
    entry: String,
    name: String,
    topic: String,
    crisis: bool,
    #[serde(default, skip_serializing)]
    loads: Vec<String>,
}

#[derive(Deserialize)]
struct SignIn {
    sign_in: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    entry: String,
}

/// Makes the modules from the folder of lists, by path.
pub fn modules(lists: &Path) -> Result<Files> {
    let categories: Categories = read(&lists.join("categories.toml"))?;
    let help: Help = read(&lists.join("help.toml"))?;
    let sign_in: SignIn = read(&lists.join("sign-in.toml"))?;

    let catalogue = format!(
        "{HEADER}\nexport const CATEGORIES = {};\n\nexport const HELP_TOPICS = {};\n\n\
         export const HELP_SERVICES = {};\n",
        one_a_line(&categories.category)?,
        one_a_line(&help.topic)?,
        one_a_line(&help.help)?
    );

    let help_hosts = help
        .help
        .iter()
        .flat_map(|service| std::iter::once(&service.entry).chain(&service.loads));
    let sign_in_hosts = sign_in.sign_in.iter().map(|entry| &entry.entry);
    let hosts = format!(
        "{HEADER}\nexport const HELP_HOSTS = {};\n\nexport const SIGN_IN_HOSTS = {};\n",
        set(help_hosts)?,
        set(sign_in_hosts)?
    );
    let worst = worst_hosts(lists)?;
    let worst = format!(
        "{HEADER}\nexport const WORST_HOSTS = {};\n",
        set(worst.iter())?
    );
    Ok(Files::from([
        ("catalogue.js".to_owned(), catalogue.into_bytes()),
        ("help-hosts.js".to_owned(), hosts.into_bytes()),
        ("worst-hosts.js".to_owned(), worst.into_bytes()),
    ]))
}

/// The curated hosts of the worst categories; a path is too fine for a coarse layer.
fn worst_hosts(lists: &Path) -> Result<Vec<String>> {
    let mut hosts = Vec::new();
    for category in WORST {
        let path = lists.join("curated").join(format!("{category}.txt"));
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read the list `{}`", path.display()))?;
        let entries = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or("").trim());
        hosts.extend(
            entries
                .filter(|entry| !entry.is_empty() && !entry.contains('/'))
                .map(str::to_owned),
        );
    }
    Ok(hosts)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the list `{}`", path.display()))?;
    toml::from_str(&text).with_context(|| format!("in `{}`", path.display()))
}

/// A JavaScript array, one item a line.
fn one_a_line<T: Serialize>(items: &[T]) -> Result<String> {
    if items.is_empty() {
        bail!("a list is empty");
    }
    let mut text = "[\n".to_owned();
    for item in items {
        text.push_str("  ");
        text.push_str(&serde_json::to_string(item)?);
        text.push_str(",\n");
    }
    text.push(']');
    Ok(text)
}

/// A JavaScript set, sorted.
fn set<'a>(entries: impl Iterator<Item = &'a String>) -> Result<String> {
    let entries: Vec<_> = entries.collect::<BTreeSet<_>>().into_iter().collect();
    Ok(format!("new Set({})", one_a_line(&entries)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_a_help_service_loads_stay_open_too() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "categories.toml",
            "[[category]]\nid = 'games'\nname = 'Games'\nnumber = 3\nhelp_topics = ['crisis']",
        );
        write(
            "help.toml",
            "topic = [{ id = 'crisis', name = 'Now', sensitive = true }]\n\
             help = [{ entry = 'help.test', name = \"The \\\"Line\\\"\", topic = 'crisis', \
             crisis = true, loads = ['cdn.help.test'] }]",
        );
        write(
            "sign-in.toml",
            "sign_in = [{ entry = 'login.test/a', kind = 'account' }]",
        );
        std::fs::create_dir(folder.path().join("curated")).unwrap();
        for category in WORST {
            let text =
                format!("# {category}\n{category}.test # best known\n\nshared.test/{category}\n");
            write(&format!("curated/{category}.txt"), &text);
        }
        let files = modules(folder.path()).unwrap();
        let text = |name: &str| String::from_utf8(files[name].clone()).unwrap();
        let hosts = text("help-hosts.js");
        assert!(
            hosts.contains("HELP_HOSTS = new Set([\n  \"cdn.help.test\",\n  \"help.test\",\n])")
        );
        assert!(hosts.contains("SIGN_IN_HOSTS = new Set([\n  \"login.test/a\",\n])"));
        let worst = text("worst-hosts.js");
        assert!(worst.contains("WORST_HOSTS = new Set([\n  \"adult.test\",\n  \"extremism.test\""));
        assert!(!worst.contains("shared.test") && !worst.contains('#'));
        let catalogue = text("catalogue.js");
        assert!(catalogue.contains(r#"{"id":"games","name":"Games","help_topics":["crisis"]}"#));
        assert!(catalogue.contains(r#""name":"The \"Line\"","topic":"crisis","crisis":true}"#));
    }

    #[test]
    fn lists_of_the_repository_are_read() {
        let lists = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lists");
        let files = modules(&lists).unwrap();
        let hosts = String::from_utf8(files["help-hosts.js"].clone()).unwrap();
        assert!(
            hosts.contains("\"childline.org.uk\"") && hosts.contains("\"accounts.google.com\"")
        );
    }
}
