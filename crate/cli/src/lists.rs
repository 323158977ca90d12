//! `bellgate lists`: compiles, reads and explains list packs.

mod build;
mod built_in;
mod folder;
mod inspect;
mod keys;
mod lookup;
mod pack_file;

use std::process::ExitCode;

use clap::Subcommand;

/// What can be done with lists.
#[derive(Subcommand)]
pub enum Verb {
    /// Compiles lists into a pack.
    Build(build::Arguments),
    /// Writes the pack that ships inside the extension: help services, sign-in pages, the
    /// education allowlist and the curated lists.
    BuiltIn(built_in::Arguments),
    /// Shows what a pack holds: sizes, categories, bounds, signature, age.
    Inspect(inspect::Arguments),
    /// Says which entries of a pack match URLs; no policy is involved.
    Lookup(lookup::Arguments),
    /// Makes a key that signs packs, and prints its public half.
    Keygen(keys::Arguments),
}

/// Runs one of them.
pub fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Build(arguments) => build::run(&arguments),
        Verb::BuiltIn(arguments) => built_in::run(&arguments),
        Verb::Inspect(arguments) => inspect::run(&arguments),
        Verb::Lookup(arguments) => lookup::run(&arguments),
        Verb::Keygen(arguments) => keys::run(&arguments),
    }
}
