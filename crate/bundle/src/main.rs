//! Everything around building and shipping that is not the product itself.
//!
//! The scripts are thin; what they need worked out is a verb here:
//! assembling the extension ([`assemble`]), packing and signing it ([`crx`]),
//! describing what a release contains, and the checks of the repository that no
//! ordinary tool makes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod archive;
mod assemble;
mod check;
mod crx;
mod elf;
mod glue;
mod inventory;
mod key;
mod lists;
mod manifest;
mod tally;
mod updates;

#[derive(Parser)]
#[command(about = "Assembles, packs and checks Bellgate's extension")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Makes the unpacked extension from the compiled core and the sources.
    Assemble(assemble::AssembleArgs),
    /// Packs the unpacked extension: .crx, Web Store archive, update manifest.
    Pack(assemble::PackArgs),
    /// Makes a signing key or tells the id that comes from one.
    #[command(subcommand)]
    Key(KeyVerb),
    /// Checks something of the repository in the current folder.
    #[command(subcommand)]
    Check(CheckVerb),
    /// Prints a product's software bill of materials, CycloneDX JSON.
    BillOfMaterials(inventory::ProductArgs),
    /// Prints the licence texts of the crates in a product.
    Licences(inventory::ProductArgs),
    /// Adds up the stages of a test run.
    Tally {
        /// Lines `NAME RUNNER STATUS`; the logs are `NAME.log` beside it.
        results: PathBuf,
    },
}

#[derive(Subcommand)]
enum CheckVerb {
    /// Dependencies point one way.
    Dependencies,
    /// Every permission of the manifest is explained.
    Permissions,
    /// Committed made files are what their commands make.
    Made,
    /// The npm lock file names no host.
    LockFile,
    /// A Linux program needs no shared library.
    Static {
        /// The program.
        program: PathBuf,
    },
}

#[derive(Subcommand)]
enum KeyVerb {
    /// Makes a new signing key; prints the extension's id.
    New {
        /// Where to write it; an existing file is left alone.
        #[arg(long)]
        out: PathBuf,
    },
    /// Prints the extension's id.
    Id {
        /// The private key in PEM.
        #[arg(long)]
        key: PathBuf,
        /// Refuses the development key.
        #[arg(long)]
        release: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line with its causes; never a backtrace.
            #[expect(clippy::print_stderr, reason = "the one place that reports errors")]
            {
                eprintln!("error: {error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> Result<()> {
    match verb {
        Verb::Assemble(args) => assemble::assemble(&args),
        Verb::Pack(args) => assemble::pack(&args),
        Verb::Check(verb) => check::report(match verb {
            CheckVerb::Dependencies => check::dependencies(Path::new("."))?,
            CheckVerb::Permissions => {
                check::permissions(Path::new("manifest.json"), Path::new("docs/permissions.md"))?
            }
            CheckVerb::Made => check::made_files(Path::new("."))?,
            CheckVerb::Static { program } => {
                elf::require_static(&program)?;
                Vec::new()
            }
            CheckVerb::LockFile => check::lock_file(Path::new("package-lock.json"))?,
        }),
        Verb::BillOfMaterials(args) => {
            print!("{}", inventory::bill_of_materials(&args)?);
            Ok(())
        }
        Verb::Licences(args) => {
            print!("{}", inventory::licences(&args)?);
            Ok(())
        }
        Verb::Tally { results } => tally::tally(&results),
        Verb::Key(KeyVerb::New { out }) => {
            println!("{}", key::PackageKey::create(&out)?.extension_id());
            Ok(())
        }
        Verb::Key(KeyVerb::Id { key, release }) => {
            let key = key::PackageKey::read(&key)?;
            if release {
                key.require_private()?;
            }
            println!("{}", key.extension_id());
            Ok(())
        }
    }
}
