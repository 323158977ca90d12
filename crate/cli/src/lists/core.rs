//! The repository's own lists as files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use bellgate_core::list::catalogue::{CoreTexts, ListError};

/// The texts of a `lists` folder, and when the newest was changed.
pub fn read(folder: &Path) -> anyhow::Result<(CoreTexts, Option<SystemTime>)> {
    let mut newest = None;
    let mut text = |path: &Path| -> anyhow::Result<String> {
        let unreadable = || format!("cannot read `{}`", path.display());
        newest = newest.max(Some(
            fs::metadata(path)
                .and_then(|m| m.modified())
                .with_context(unreadable)?,
        ));
        fs::read_to_string(path).with_context(unreadable)
    };
    let mut texts = CoreTexts {
        categories: text(&folder.join("categories.toml"))?,
        help: text(&folder.join("help.toml"))?,
        sign_in: text(&folder.join("sign-in.toml"))?,
        ..CoreTexts::default()
    };
    for path in text_files(&folder.join("allow"))? {
        texts.allow.push((path.display().to_string(), text(&path)?));
    }
    for path in text_files(&folder.join("curated"))? {
        let category = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        texts.curated.push((category, text(&path)?));
    }
    Ok((texts, newest))
}

/// The `.txt` files of a folder, by name.
pub fn text_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder `{}`", folder.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "txt"));
    paths.sort();
    Ok(paths)
}

/// Every mistake as one error, so that all are seen at once.
pub fn all(errors: &[ListError]) -> anyhow::Error {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    anyhow::anyhow!("{}", lines.join("\n"))
}
