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

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use bellgate_core::policy::Policy;
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
        Verb::Lint { chrome, json } => chrome::run(&chrome, json),
        Verb::Rows { file, json } => rows::run(&file, json),
        Verb::Schema => {
            let schema = bellgate_core::policy::managed_schema();
            println!("{}", serde_json::to_string_pretty(&schema)?);
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

/// A remark beside the output, which may be piped.
fn say(remark: &str) {
    // Where standard error is closed there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{remark}");
}
