//! `bellgate policy`: checks, explains and delivers policies.

mod check;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

/// What can be done with a policy.
#[derive(Subcommand)]
pub enum Verb {
    /// Names every fault and every oddity of a policy, each with its place.
    Check {
        /// The policy, as JSON.
        file: PathBuf,
        /// Prints one JSON object instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// Prints the schema of the extension's managed storage, as `extension/schema.json`.
    Schema,
}

/// Does what was asked.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Check { file, json } => check::run(&file, json),
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
