//! `bellgate policy`: checks, explains and delivers policies.

mod check;
mod chrome;
mod console;
mod diff;
mod new;
mod person;
mod rows;
mod simulate;
mod users;
mod week;

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use bellgate_core::policy::{Policy, suggestion};
use clap::Subcommand;

/// What can be done with a policy.
#[derive(Subcommand)]
pub enum Verb {
    /// Names every fault and every oddity of a policy, each with its place.
    Check(check::Arguments),
    /// Shows a week as a grid, in the terminal or as a picture.
    Week(week::Arguments),
    /// Decides a batch of who, when, where and URL.
    Simulate(simulate::Arguments),
    /// Says for whom and when two policies behave differently.
    Diff(diff::Arguments),
    /// Prints exactly what to paste in the Admin console's box.
    Console(console::Arguments),
    /// Prints a start for a UK secondary school.
    New(new::Arguments),
    /// Names each of Chrome's own doors that stands open.
    Lint {
        /// The Chrome policies that `chrome://policy` exported as JSON.
        #[arg(long, value_name = "FILE")]
        chrome: PathBuf,
        /// The id of the extension that must be force-installed; any when left out.
        #[arg(long, value_name = "ID")]
        extension: Option<String>,
        /// Prints JSON instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// Goes through what schools' own rules ask for, and what carries it in this policy.
    Rows {
        /// The policy, as JSON.
        file: PathBuf,
        /// Prints JSON instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// Prints the schema of the extension's managed storage, as `extension/schema.json`.
    Schema,
}

/// Does what was asked.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Week(arguments) => week::run(&arguments),
        Verb::Simulate(arguments) => simulate::run(&arguments),
        Verb::Diff(arguments) => diff::run(&arguments),
        Verb::Console(arguments) => console::run(&arguments),
        Verb::New(arguments) => new::run(&arguments),
        Verb::Lint {
            chrome,
            extension,
            json,
        } => chrome::run(&chrome, extension.as_deref(), json),
        Verb::Rows { file, json } => rows::run(&file, json),
        Verb::Schema => {
            let schema = bellgate_core::policy::managed_schema();
            put(&format!("{}\n", serde_json::to_string_pretty(&schema)?))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The text of a file that a person named.
fn read_text(file: &Path, what: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the {what} `{}`", file.display()))
}

/// A policy that must be valid for what was asked.
fn read_policy(file: &Path) -> anyhow::Result<Policy> {
    match Policy::parse(&read_text(file, "policy")?) {
        Ok((policy, _)) => Ok(policy),
        Err(faults) => bail!("the policy `{}` is faulty:\n{faults}", file.display()),
    }
}

/// Writes an answer; a reader who has seen enough of it (`| head`) is no error.
fn put(answer: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(answer.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write the answer"),
    }
}

/// Refuses a cohort that the policy has not.
fn known_cohort(policy: &Policy, cohort: Option<&str>) -> anyhow::Result<()> {
    let names: Vec<&str> = policy.cohorts().map(|(name, _)| name).collect();
    known("cohort", &names, cohort.into_iter())
}

/// Refuses a group that the policy has not.
fn known_groups(policy: &Policy, groups: &[String]) -> anyhow::Result<()> {
    let names: Vec<&str> = policy.groups().map(|(name, _)| name).collect();
    known("group", &names, groups.iter().map(String::as_str))
}

fn known<'a>(
    what: &str,
    names: &[&str],
    mut given: impl Iterator<Item = &'a str>,
) -> anyhow::Result<()> {
    match given.find(|name| !names.contains(name)) {
        None => Ok(()),
        Some(stranger) => bail!(
            "no {what} is called `{stranger}`; {}",
            suggestion(stranger, names.iter().copied())
        ),
    }
}

/// A remark beside the output, which may be piped.
fn say(remark: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{remark}");
}
