//! The `bellgate` command: one file a verb, this one only dispatches.

mod built_in;
mod database;
mod decide;
mod devices;
mod events;
mod lists;
mod policy;
mod records;
mod serve;
mod staff;
mod store;

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
    /// Says what a given person gets for a URL at a given time, and why.
    Decide(Box<decide::Arguments>),
    /// Compiles, reads and explains list packs.
    Lists {
        #[command(subcommand)]
        verb: lists::Verb,
    },
    /// Checks, explains and delivers policies.
    Policy {
        #[command(subcommand)]
        verb: policy::Verb,
    },
    /// Runs the school endpoint.
    Serve(serve::Arguments),
    /// Reads the events that the endpoint stored.
    Events(events::Arguments),
    /// Exports or erases everything about one person.
    Records(records::Arguments),
    /// Backs the endpoint's database up and restores it.
    Database(database::Arguments),
    /// Adds, lists and removes those who may sign in to the staff pages.
    Staff(staff::Arguments),
    /// Lists, approves and revokes enrolled devices.
    Devices(devices::Arguments),
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().verb {
        Verb::Decide(arguments) => decide::run(*arguments),
        Verb::Lists { verb } => lists::run(verb),
        Verb::Policy { verb } => policy::run(verb),
        Verb::Serve(arguments) => serve::run(arguments),
        Verb::Events(arguments) => events::run(arguments),
        Verb::Staff(arguments) => staff::run(arguments),
        Verb::Records(arguments) => records::run(arguments),
        Verb::Database(arguments) => database::run(arguments),
        Verb::Devices(arguments) => devices::run(arguments),
    }
}
