//! `bellgate lists built-in`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::pack_file;

/// Where the built-in pack goes.
#[derive(Args)]
pub struct Arguments {
    /// The pack to write; the same lists make the same bytes.
    #[arg(long)]
    out: PathBuf,
}

/// Writes the built-in pack.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    pack_file::write(&arguments.out, &crate::built_in::bytes()?)?;
    Ok(ExitCode::SUCCESS)
}
