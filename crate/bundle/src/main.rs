//! Everything around building and shipping that is not the product itself.
//!
//! The scripts are thin; what they need worked out is a verb here:
//! assembling the extension ([`assemble`]), packing and signing it ([`crx`]),
//! describing what a release contains, and the checks of the repository that no
//! ordinary tool makes.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

mod archive;
mod assemble;
mod crx;
mod glue;
mod key;
mod manifest;
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
    },
}

fn main() -> Result<()> {
    match Cli::parse().verb {
        Verb::Assemble(args) => assemble::assemble(&args),
        Verb::Pack(args) => assemble::pack(&args),
        Verb::Key(KeyVerb::New { out }) => {
            println!("{}", key::PackageKey::create(&out)?.extension_id());
            Ok(())
        }
        Verb::Key(KeyVerb::Id { key }) => {
            println!("{}", key::PackageKey::read(&key)?.extension_id());
            Ok(())
        }
    }
}
