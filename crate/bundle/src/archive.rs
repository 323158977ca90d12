//! Reproducible zip archives: sorted names, one fixed time, no owners.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Files by their path inside the extension, `/` between folders.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Reads every file below `folder`, except those whose path `skip` names.
pub fn read_folder(folder: &Path, skip: &dyn Fn(&str) -> bool) -> Result<Files> {
    let mut files = Files::new();
    read_into(&mut files, folder, "", skip)?;
    if files.is_empty() {
        bail!("`{}` holds no files", folder.display());
    }
    Ok(files)
}

fn read_into(
    files: &mut Files,
    folder: &Path,
    prefix: &str,
    skip: &dyn Fn(&str) -> bool,
) -> Result<()> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder `{}`", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            bail!("`{}` is not valid UTF-8", entry.path().display());
        };
        let path = format!("{prefix}{name}");
        if skip(&path) {
            continue;
        }
        let kind = entry.file_type()?;
        if kind.is_dir() {
            read_into(files, &entry.path(), &format!("{path}/"), skip)?;
        } else if kind.is_file() {
            files.insert(path, std::fs::read(entry.path())?);
        } else {
            bail!(
                "`{}` is neither a file nor a folder; links are not packed",
                entry.path().display()
            );
        }
    }
    Ok(())
}

/// Writes `files` as a zip. The same files always make the same bytes.
pub fn zip(files: &Files) -> Result<Vec<u8>> {
    // The oldest time a zip can state, so that no clock gets in.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        writer.start_file(path.as_str(), options)?;
        writer.write_all(content)?;
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn folder_is_read_whole_and_sorted() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("page")).unwrap();
        std::fs::write(folder.path().join("page/b.js"), "b").unwrap();
        std::fs::write(folder.path().join("a.js"), "a").unwrap();
        std::fs::write(folder.path().join("secret.pem"), "s").unwrap();
        let files = read_folder(folder.path(), &|path| path.ends_with(".pem")).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["a.js", "page/b.js"]);
    }

    #[test]
    fn archive_is_reproducible_and_holds_the_content() {
        let files = Files::from([("z".to_owned(), vec![7; 5000]), ("a/b".to_owned(), vec![1])]);
        let bytes = zip(&files).unwrap();
        assert_eq!(bytes, zip(&files).unwrap());
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        assert_eq!(archive.by_index(0).unwrap().name().unwrap(), "a/b");
        let mut file = archive.by_name("z").unwrap();
        let stated = file.last_modified().unwrap();
        assert_eq!((stated.year(), stated.month(), stated.day()), (1980, 1, 1));
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert_eq!(content, vec![7; 5000]);
    }

    #[test]
    fn empty_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_folder(folder.path(), &|_| false).is_err());
    }
}
