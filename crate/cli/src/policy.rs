//! `bellgate policy`: checks, explains and delivers policies.

use std::process::ExitCode;

use clap::Subcommand;

/// What can be done with a policy.
#[derive(Subcommand)]
pub enum Verb {
    /// Prints the schema of the extension's managed storage, as `extension/schema.json`.
    Schema,
}

/// Does what was asked.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Schema => {
            let schema = bellgate_core::policy::managed_schema();
            println!("{}", serde_json::to_string_pretty(&schema)?);
        }
    }
    Ok(ExitCode::SUCCESS)
}
