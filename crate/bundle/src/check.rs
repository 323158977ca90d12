//! Checks of the repository that no ordinary tool makes.
//!
//! Each returns everything it found wrong, not only the first thing.

use std::path::Path;

use anyhow::{Result, bail};

use crate::archive;
use crate::manifest::Manifest;

mod direction;
mod generated;

pub use direction::dependencies;
pub use generated::made_files;

/// What is wrong, one line each; empty when all is well.
pub type Faults = Vec<String>;

/// Prints the faults and fails if there are any.
pub fn report(faults: Faults) -> Result<()> {
    for fault in &faults {
        println!("{fault}");
    }
    match faults.len() {
        0 => Ok(()),
        count => bail!("{count} faults"),
    }
}

/// Every permission in the manifest is explained in `page`, named as code.
pub fn permissions(manifest: &Path, page: &Path) -> Result<Faults> {
    let manifest = Manifest::read(manifest)?;
    let text = std::fs::read_to_string(page)?;
    let asked = manifest.permissions();
    if asked.is_empty() {
        bail!("the manifest asks for no permission at all; is this the right file?");
    }
    Ok(asked
        .into_iter()
        .filter(|permission| !text.contains(&format!("`{permission}`")))
        .map(|permission| format!("`{}` does not explain `{permission}`", page.display()))
        .collect())
}

/// The lock file of npm names no host: an address in it would tie every
/// installation to one registry.
pub fn lock_file(lock: &Path) -> Result<Faults> {
    let text = std::fs::read_to_string(lock)?;
    Ok(text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("\"resolved\"") && line.contains("://"))
        .map(|(at, line)| {
            format!(
                "{}:{}: names a host: {}",
                lock.display(),
                at + 1,
                line.trim()
            )
        })
        .collect())
}

/// Reads the files below `folder` whose names end in `end`, as text.
fn sources(folder: &Path, end: &str) -> Result<Vec<(String, String)>> {
    let files = archive::read_folder(folder, &|path| path == "wasm" || path == "target")?;
    files
        .into_iter()
        .filter(|(path, _)| path.ends_with(end))
        .map(|(path, content)| Ok((path, String::from_utf8(content)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permission_without_explanation_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let (manifest, page) = (folder.path().join("m.json"), folder.path().join("p.md"));
        std::fs::write(
            &manifest,
            r#"{"permissions": ["storage", "tabs"], "host_permissions": ["<all_urls>"]}"#,
        )
        .unwrap();
        std::fs::write(
            &page,
            "`storage` keeps the queue, `<all_urls>` is what a filter is",
        )
        .unwrap();
        let faults = permissions(&manifest, &page).unwrap();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains("`tabs`"));
    }

    #[test]
    fn host_in_the_lock_file_is_a_fault() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("package-lock.json");
        std::fs::write(
            &lock,
            "{\n\"resolved\": \"https://registry.test/a.tgz\",\n\"link\": 1}",
        )
        .unwrap();
        let faults = lock_file(&lock).unwrap();
        assert!(faults[0].contains(":2: names a host"), "{faults:?}");
        std::fs::write(&lock, "{\"resolved\": \"extension\"}").unwrap();
        assert!(lock_file(&lock).unwrap().is_empty());
    }
}
