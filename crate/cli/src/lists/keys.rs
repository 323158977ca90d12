//! `bellgate lists keygen`.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use bellgate_core::list::SigningKey;
use clap::Args;

/// Where the key goes.
#[derive(Args)]
pub struct Arguments {
    /// The file for the secret half; it must not exist yet.
    #[arg(long)]
    out: PathBuf,
    /// Make the secret key of a keyed pack instead of a signing key.
    #[arg(long)]
    secret: bool,
}

/// Makes the key.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut random = [0; 32];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut random))
        .context("cannot read the system's source of randomness")?;
    let key = SigningKey::from_bytes(&random);
    let text = if arguments.secret {
        random[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    } else {
        key.to_base64()
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
        .open(&arguments.out)
        .and_then(|mut file| writeln!(file, "{text}"))
        .with_context(|| format!("cannot make `{}`", arguments.out.display()))?;
    if arguments.secret {
        println!(
            "wrote a secret key; give it to `lists build --secret-key` and to the device's policy"
        );
    } else {
        println!("{}", key.public_key().to_base64());
    }
    Ok(ExitCode::SUCCESS)
}
