//! `bellgate lists`: compiles, reads and explains list packs.

mod archive;
mod build;
mod built_in;
mod check;
mod compile;
mod core;
mod diff;
mod explain;
mod fetch;
mod folder;
mod inspect;
mod keys;
mod lookup;
pub mod pack_file;
mod sources;
mod stamp;

use std::process::ExitCode;

use clap::Subcommand;

/// What can be done with lists.
#[derive(Subcommand)]
pub enum Verb {
    /// Brings the sources of lists into the cache, and says what changed.
    Fetch(fetch::Arguments),
    /// Compiles lists into a pack.
    Build(Box<build::Arguments>),
    /// Writes the pack that ships inside the extension: help services, sign-in pages, the
    /// education allowlist and the curated lists.
    BuiltIn(built_in::Arguments),
    /// Shows what a pack holds: sizes, categories, bounds, signature, age.
    Inspect(inspect::Arguments),
    /// Says which entries of a pack match URLs; no policy is involved.
    Lookup(lookup::Arguments),
    /// Shows each expression of a URL that is looked up, and which line of which source lists it.
    Explain(explain::Arguments),
    /// Shows what a new pack adds and removes, and which popular domains that touches.
    Diff(diff::Arguments),
    /// Checks that a pack blocks nothing that schools need.
    Check(check::Arguments),
    /// Makes a key that signs packs, and prints its public half.
    Keygen(keys::Arguments),
}

/// Runs one of them.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Fetch(arguments) => fetch::run(&arguments),
        Verb::Build(arguments) => build::run(&arguments),
        Verb::BuiltIn(arguments) => built_in::run(&arguments),
        Verb::Inspect(arguments) => inspect::run(&arguments),
        Verb::Lookup(arguments) => lookup::run(&arguments),
        Verb::Explain(arguments) => explain::run(&arguments),
        Verb::Diff(arguments) => diff::run(&arguments),
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Keygen(arguments) => keys::run(&arguments),
    }
}
