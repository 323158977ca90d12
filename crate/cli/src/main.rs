//! The `bellgate` command.

mod policy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A school's web filter: policies, lists, decisions and the school's endpoint.
#[derive(Parser)]
#[command(name = "bellgate", version, about)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Checks, explains and delivers policies.
    Policy {
        #[command(subcommand)]
        verb: policy::Verb,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().verb {
        Verb::Policy { verb } => policy::run(verb),
    }
}
