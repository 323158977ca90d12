//! Dependencies point one way: core <- {wasm, cli, server}; the extension sees
//! only the made modules.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{Faults, sources};

/// Which crates of the workspace each one may use.
const ALLOWED: [(&str, &[&str]); 5] = [
    ("bellgate-core", &[]),
    ("bellgate-wasm", &["bellgate-core"]),
    ("bellgate-server", &["bellgate-core"]),
    ("bellgate-cli", &["bellgate-core", "bellgate-server"]),
    ("bellgate-bundle", &[]),
];

/// What the core's sources may not name: it has no clock, no I/O and no logging.
const IMPURE: [&str; 11] = [
    "std::fs",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "std::env",
    "std::process",
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "println!",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build` or, for ordinary dependencies, nothing.
    kind: Option<String>,
}

/// Checks crates and extension modules of the repository at `root`.
pub fn dependencies(root: &Path) -> Result<Faults> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .context("cannot run `cargo metadata`")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    let mut faults = crates(&serde_json::from_slice(&output.stdout)?);
    for (path, text) in sources(&root.join("crate/core/src"), ".rs")? {
        faults.extend(core_source(&path, &text));
    }
    for (path, text) in sources(&root.join("extension"), ".js")? {
        faults.extend(extension_module(&path, &text));
    }
    Ok(faults)
}

fn crates(metadata: &Metadata) -> Faults {
    let mut faults = Faults::new();
    for package in &metadata.packages {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
            faults.push(format!(
                "crate `{}` has no line in the table of directions",
                package.name
            ));
            continue;
        };
        for dependency in &package.dependencies {
            // Tests may look at anything.
            if dependency.kind.as_deref() != Some("dev")
                && dependency.name.starts_with("bellgate-")
                && !allowed.contains(&dependency.name.as_str())
            {
                faults.push(format!(
                    "crate `{}` may not use `{}`",
                    package.name, dependency.name
                ));
            }
        }
    }
    faults
}

fn core_source(path: &str, text: &str) -> Faults {
    let mut faults = Faults::new();
    if path == "lib.rs" && !text.contains("#![forbid(unsafe_code)]") {
        faults.push("the core does not forbid unsafe code".to_owned());
    }
    // Tests, at the end of a file by custom or a file of their own, may read files.
    let code = text.split("[cfg(test)]").next().unwrap_or_default();
    for (at, line) in code.lines().enumerate() {
        let line = line.split("//").next().unwrap_or_default();
        for word in IMPURE {
            if line.contains(word) {
                faults.push(format!("core {path}:{}: `{word}`", at + 1));
            }
        }
    }
    faults
}

fn extension_module(path: &str, text: &str) -> Faults {
    let mut faults = Faults::new();
    for (at, line) in text.lines().enumerate() {
        let code = line.trim_start();
        if code.starts_with("//") || code.starts_with('*') || code.starts_with("/*") {
            continue;
        }
        let mut fault = |what: &str| faults.push(format!("extension/{path}:{}: {what}", at + 1));
        if path != "engine.js"
            && ["wasm/bellgate.js", "wasm/bytes.js", "wasm/core-pack.js"]
                .iter()
                .any(|module| code.contains(module))
        {
            fault("only engine.js may import the core");
        }
        if path != "chrome.js" && names_chrome(code) {
            fault("only chrome.js may use the browser's interface");
        }
        if code.contains("from") && code.contains("background.js") {
            fault("background.js is the root; nothing imports it");
        }
    }
    faults
}

/// Whether `chrome.` stands in `code` as a name of its own.
fn names_chrome(code: &str) -> bool {
    code.match_indices("chrome.").any(|(at, word)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + word.len()..];
        !before.is_some_and(|c| c.is_alphanumeric() || "_./'\"`$-@".contains(c))
            && after.starts_with(|c: char| c.is_ascii_lowercase())
            && !after.starts_with("js")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(package: &str, dependency: &str, kind: Option<&str>) -> Metadata {
        Metadata {
            packages: vec![Package {
                name: package.to_owned(),
                dependencies: vec![Dependency {
                    name: dependency.to_owned(),
                    kind: kind.map(str::to_owned),
                }],
            }],
        }
    }

    #[test]
    fn core_may_use_no_crate_of_the_workspace() {
        assert_eq!(
            crates(&metadata("bellgate-core", "bellgate-server", None)).len(),
            1
        );
        assert_eq!(
            crates(&metadata("bellgate-core", "bellgate-server", Some("dev"))).len(),
            0
        );
        assert_eq!(
            crates(&metadata("bellgate-cli", "bellgate-server", None)).len(),
            0
        );
        assert_eq!(crates(&metadata("bellgate-new", "serde", None)).len(), 1);
    }

    #[test]
    fn clock_in_the_core_is_a_fault_but_not_in_its_tests_or_comments() {
        let text = "use std::time::SystemTime;\n// no std::fs here\n#[cfg(test)]\nuse std::fs;";
        assert_eq!(core_source("a.rs", text), ["core a.rs:1: `SystemTime`"]);
        let whole_file = "//! A test.\n\n#![cfg(test)]\n\nuse std::fs;";
        assert_eq!(core_source("a.rs", whole_file), Vec::<String>::new());
        assert_eq!(core_source("lib.rs", "").len(), 1);
    }

    #[test]
    fn browser_interface_is_used_in_one_module() {
        assert_eq!(
            extension_module("queue.js", "chrome.storage.local.get()").len(),
            1
        );
        assert_eq!(extension_module("queue.js", "// chrome.storage").len(), 0);
        assert_eq!(
            extension_module("queue.js", "import { a } from './chrome.js';").len(),
            0
        );
        assert_eq!(
            extension_module("queue.js", "const name = 'www.chrome.com';").len(),
            0
        );
        assert_eq!(
            extension_module("chrome.js", "chrome.storage.local.get()").len(),
            0
        );
        assert_eq!(
            extension_module("pages.js", "import './wasm/bytes.js';").len(),
            1
        );
    }
}
