//! Pack files and keys, as arguments name them.

use std::fs;
use std::path::Path;

use anyhow::Context;
use bellgate_core::list::{Pack, PublicKey, SecretKey, Verified};

/// Reads a whole pack, keyed or open.
///
/// # Errors
/// When the file cannot be read or is no sound pack.
pub fn open(path: &Path, key: Option<SecretKey>) -> anyhow::Result<Pack> {
    let bytes = read(path)?;
    let pack = match key {
        Some(key) => Pack::open_keyed(bytes, key),
        None => Pack::open(bytes),
    };
    pack.with_context(|| format!("cannot open `{}`", path.display()))
}

/// Reads a file of which the name goes into the error.
pub fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// Writes a file whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let partial = path.with_extension("partial");
    fs::write(&partial, bytes)
        .and_then(|()| fs::rename(&partial, path))
        .with_context(|| format!("cannot write `{}`", path.display()))
}

/// Reads a secret key of 16 bytes in hexadecimal.
pub fn secret_key(path: &Path) -> anyhow::Result<SecretKey> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read the secret key `{}`", path.display()))?;
    SecretKey::from_text(&text).with_context(|| {
        format!(
            "`{}` does not hold a secret key of 32 hexadecimal digits; `bellgate lists keygen --secret` makes one",
            path.display()
        )
    })
}

/// What a pack's signature is worth, in words.
pub fn signature_words(pack: &Pack, keys: &[PublicKey]) -> (bool, String) {
    match pack.verify(keys) {
        Ok(Verified::Signed(key)) => (true, format!("signed by key {key}")),
        Ok(Verified::Unsigned) => (false, "unsigned".to_owned()),
        Err(error) => (false, error.to_string()),
    }
}
