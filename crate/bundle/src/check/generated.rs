//! Made files that are committed must be what their command makes.
//!
//! Such a file says so in its first line, in whatever its comments look like:
//! ``Made by `COMMAND`; do not edit``. The command is run in the repository's
//! root and writes the file in place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Faults;

/// Runs each command once and compares; the tree is left as it was found.
pub fn made_files(root: &Path) -> Result<Faults> {
    let mut by_command: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for path in tracked(root)? {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        if let Some(command) = command_of(&text) {
            by_command.entry(command.to_owned()).or_default().push(path);
        }
    }
    let mut faults = Faults::new();
    for (command, paths) in &by_command {
        faults.extend(compare(root, command, paths)?);
    }
    println!(
        "{} made files by {} commands",
        by_command.values().map(Vec::len).sum::<usize>(),
        by_command.len()
    );
    Ok(faults)
}

fn tracked(root: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "-z"])
        .current_dir(root)
        .output()
        .context("cannot run `git ls-files`")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?
        .split_terminator('\0')
        .map(|name| root.join(name))
        .collect())
}

/// The command in a made file's first line.
fn command_of(text: &str) -> Option<&str> {
    let first = text.lines().next()?;
    let (_, rest) = first.split_once("Made by `")?;
    let (command, after) = rest.split_once('`')?;
    after.starts_with("; do not edit").then_some(command)
}

fn compare(root: &Path, command: &str, paths: &[PathBuf]) -> Result<Faults> {
    let before: Vec<Vec<u8>> = paths.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    let output = Command::new("bash")
        .args(["-c", command])
        .current_dir(root)
        .output()
        .with_context(|| format!("cannot run `{command}`"))?;
    let mut faults = Faults::new();
    if !output.status.success() {
        faults.push(format!(
            "`{command}` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    for (path, before) in paths.iter().zip(before) {
        if std::fs::read(path).ok().as_ref() != Some(&before) {
            faults.push(format!(
                "`{}` is not what `{command}` makes; run it and commit the result",
                path.display()
            ));
            std::fs::write(path, before)?;
        }
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_made_file_is_found_and_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let git = |args: &[&str]| {
            assert!(
                Command::new("git")
                    .args(args)
                    .current_dir(root)
                    .status()
                    .unwrap()
                    .success()
            );
        };
        git(&["init", "--quiet"]);
        let header = "# Made by `cp source made`; do not edit.\n";
        std::fs::write(root.join("source"), format!("{header}new\n")).unwrap();
        std::fs::write(root.join("made"), format!("{header}old\n")).unwrap();
        git(&["add", "made"]);
        let faults = made_files(root).unwrap();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].contains("made` is not what `cp source made` makes"));
        let kept = std::fs::read_to_string(root.join("made")).unwrap();
        assert!(kept.ends_with("old\n"));
        std::fs::copy(root.join("source"), root.join("made")).unwrap();
        assert!(made_files(root).unwrap().is_empty());
    }

    #[test]
    fn only_the_first_line_counts() {
        assert_eq!(command_of("# Made by `a b`; do not edit.\n"), Some("a b"));
        assert_eq!(command_of("\n# Made by `a b`; do not edit.\n"), None);
        assert_eq!(command_of("# Made by `a b`.\n"), None);
    }
}
