//! A folder of `<category>.txt` files, each line an entry, kept whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail};
use bellgate_core::expression::Entry;
use bellgate_core::list::build::PackBuilder;

/// Files by category.
#[derive(Debug, Default)]
pub struct Folders {
    /// The category's name and the files of its entries.
    pub categories: BTreeMap<String, Vec<PathBuf>>,
    /// Files of `category<TAB>entry` lines.
    pub tables: Vec<PathBuf>,
    /// When the newest of the files was changed.
    pub newest: Option<SystemTime>,
}

/// A line that is no entry.
#[derive(Debug, serde::Serialize)]
pub struct Rejected {
    /// `file:line`
    pub place: String,
    /// What is wrong, and what would do.
    pub why: String,
}

impl Folders {
    /// Finds the files of folders: `<category>.txt`, and tables `*.tsv`, plain or `.zst`.
    pub fn find(folders: &[PathBuf]) -> anyhow::Result<Self> {
        let mut found = Self::default();
        for folder in folders {
            let mut paths: Vec<PathBuf> = fs::read_dir(folder)
                .with_context(|| format!("cannot read the folder `{}`", folder.display()))?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<_, _>>()?;
            paths.sort();
            for path in paths {
                found.take(path)?;
            }
        }
        if found.categories.is_empty() && found.tables.is_empty() {
            bail!(
                "no `<category>.txt` or `.txt.zst` is in the folder; put a file for each category there"
            );
        }
        for table in found.tables.clone() {
            let mut names = Vec::new();
            for_each_line(&table, |_, line| {
                let name = line.split('\t').next().unwrap_or_default();
                if names.last().is_none_or(|last| last != name) {
                    names.push(name.to_owned());
                }
            })?;
            for name in names {
                found.categories.entry(name).or_default();
            }
        }
        Ok(found)
    }

    fn take(&mut self, path: PathBuf) -> anyhow::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.strip_suffix(".zst").unwrap_or(&name).to_owned();
        if let Some(category) = name.strip_suffix(".txt") {
            let files = self.categories.entry(category.to_owned()).or_default();
            files.push(path.clone());
        } else if name.ends_with(".tsv") {
            self.tables.push(path.clone());
        } else {
            return Ok(());
        }
        let changed = fs::metadata(&path)?.modified()?;
        self.newest = self.newest.max(Some(changed));
        Ok(())
    }

    /// Declares the categories in the order of their names, and adds every entry.
    pub fn add_to(&self, builder: &mut PackBuilder) -> anyhow::Result<Vec<Rejected>> {
        let mut numbers = BTreeMap::new();
        for (number, name) in self.categories.keys().enumerate() {
            let number = u8::try_from(number).context("a pack holds 128 categories at most")?;
            builder.add_category(number, name)?;
            numbers.insert(name.as_str(), number);
        }
        let mut rejected = Vec::new();
        let mut reject = |path: &Path, number: usize, why: String| {
            rejected.push(Rejected {
                place: format!("{}:{number}", path.display()),
                why,
            });
        };
        for (name, files) in &self.categories {
            let category = numbers[name.as_str()];
            for path in files {
                for_each_line(path, |number, line| match Entry::parse(line) {
                    Ok(entry) => builder.add(&entry, category),
                    Err(error) => reject(path, number, error.to_string()),
                })?;
            }
        }
        for path in &self.tables {
            for_each_line(path, |number, line| match line.split_once('\t') {
                Some((name, text)) => match Entry::parse(text) {
                    Ok(entry) => builder.add(&entry, numbers[name]),
                    Err(error) => reject(path, number, error.to_string()),
                },
                None => reject(
                    path,
                    number,
                    "no tab; write `category`, a tab, an entry".to_owned(),
                ),
            })?;
        }
        Ok(rejected)
    }
}

/// Calls `each` with the number of every line that is neither empty nor a comment.
pub fn for_each_line(path: &Path, mut each: impl FnMut(usize, &str)) -> anyhow::Result<()> {
    let unreadable = || format!("cannot read `{}`", path.display());
    let file = File::open(path).with_context(unreadable)?;
    let mut reader: Box<dyn BufRead> = if path.extension().is_some_and(|end| end == "zst") {
        Box::new(BufReader::new(
            zstd::Decoder::new(file).with_context(unreadable)?,
        ))
    } else {
        Box::new(BufReader::with_capacity(1 << 18, file))
    };
    let mut bytes = Vec::new();
    let mut number = 0;
    loop {
        bytes.clear();
        if reader
            .read_until(b'\n', &mut bytes)
            .with_context(unreadable)?
            == 0
        {
            return Ok(());
        }
        number += 1;
        let line = String::from_utf8_lossy(&bytes);
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            each(number, line);
        }
    }
}
