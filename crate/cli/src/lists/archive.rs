//! Members of the archives in which packages and lists come.

use std::io::{Cursor, Read};

use anyhow::{Context, bail};
use flate2::read::GzDecoder;

/// The most bytes a member may unpack to.
const MAX_MEMBER_BYTES: u64 = 1 << 30;

/// Every member whose path `wanted` accepts, as path and text.
///
/// # Errors
/// When the bytes are neither a gzipped tar nor a zip archive, or a member is too large.
pub fn members(
    bytes: &[u8],
    wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<(String, String)>> {
    if bytes.starts_with(b"PK") {
        return zip_members(bytes, wanted);
    }
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        bail!("the archive is neither `.tar.gz` nor `.zip`");
    }
    let mut archive = tar::Archive::new(GzDecoder::new(bytes));
    let mut found = Vec::new();
    for member in archive.entries()? {
        let member = member?;
        let path = member.path()?.to_string_lossy().into_owned();
        if member.header().entry_type().is_file() && wanted(&path) {
            found.push((path, text_of(member)?));
        }
    }
    Ok(found)
}

fn zip_members(
    bytes: &[u8],
    wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<(String, String)>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    let mut found = Vec::new();
    for at in 0..archive.len() {
        let member = archive.by_index(at)?;
        let path = member.name()?.into_owned();
        if member.is_file() && wanted(&path) {
            found.push((path, text_of(member)?));
        }
    }
    Ok(found)
}

/// One member, or an error that names it.
pub fn member(bytes: &[u8], path: &str) -> anyhow::Result<String> {
    let found = members(bytes, |candidate| candidate == path)?;
    let (_, text) = found
        .into_iter()
        .next()
        .with_context(|| format!("the archive holds no `{path}`"))?;
    Ok(text)
}

fn text_of(member: impl Read) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let read = member.take(MAX_MEMBER_BYTES + 1).read_to_end(&mut bytes)?;
    if read as u64 > MAX_MEMBER_BYTES {
        bail!("a member of the archive unpacks to more than {MAX_MEMBER_BYTES} bytes");
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
