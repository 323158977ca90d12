//! `bellgate lists explain`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::expression::Entry;
use bellgate_core::list::source::Item;
use bellgate_core::list::transform::strip_www;
use clap::Args;

use super::compile::{OwnLists, each_item};
use super::folder::{Folders, for_each_line};
use super::sources::SourcesFile;
use super::{core, pack_file};

/// Which URL is explained, by what.
#[derive(Args)]
pub struct Arguments {
    /// The URL.
    url: String,
    /// A pack to look it up in.
    #[arg(long)]
    pack: Option<PathBuf>,
    /// Folders as `lists build --from` takes them.
    #[arg(long)]
    from: Vec<PathBuf>,
    /// A file of sources, as `lists build --sources` takes it.
    #[arg(long)]
    sources: Option<PathBuf>,
    /// Where `lists fetch` put its copies.
    #[arg(long, default_value = ".cache/lists")]
    cache: PathBuf,
}

/// Explains the URL.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut scratch = Scratch::new();
    let url = CanonicalUrl::parse(&arguments.url, &mut scratch)?;
    let expressions = url.expressions();
    println!("host and path: {}", url.host_and_path());
    println!("looked up, longest first:");
    for expression in &expressions {
        println!("  {expression}");
    }
    if let Some(path) = &arguments.pack {
        let pack = pack_file::open(path, None)?;
        let mut matches = Vec::new();
        pack.matches(&url, &mut matches)?;
        for found in &matches {
            for category in pack.categories() {
                if found.categories >> category.number & 1 == 1 {
                    let kind = if found.exception {
                        "exception from"
                    } else {
                        "in"
                    };
                    println!(
                        "{}: `{}` {kind} {}",
                        path.display(),
                        found.entry,
                        category.name
                    );
                }
            }
        }
    }
    let listed = |place: &str, line: usize, text: &str, category: &str| {
        let Ok(entry) = Entry::parse(text) else {
            return;
        };
        for entry in [strip_www(entry.clone()), entry] {
            if expressions
                .iter()
                .any(|expression| expression == entry.as_str())
            {
                println!("{place}:{line}: `{entry}` in {category}");
                return;
            }
        }
    };
    if !arguments.from.is_empty() {
        let folders = Folders::find(&arguments.from)?;
        for (category, files) in &folders.categories {
            for path in files {
                let place = path.display().to_string();
                for_each_line(path, |line, text| listed(&place, line, text, category))?;
            }
        }
        for path in &folders.tables {
            let place = path.display().to_string();
            for_each_line(path, |line, text| {
                let (category, entry) = text.split_once('\t').unwrap_or_default();
                listed(&place, line, entry, category);
            })?;
        }
    }
    if let Some(path) = &arguments.sources {
        let folder = path.parent().unwrap_or(Path::new("."));
        let (texts, _) = core::read(folder)?;
        for (entry, category) in &OwnLists::read(&texts)?.special {
            listed("help, sign-in and allow", 0, entry.as_str(), category);
        }
        for source in SourcesFile::read(path)?
            .iter()
            .filter(|source| source.enabled)
        {
            each_item(
                source,
                &folder.join(".."),
                &arguments.cache,
                |place, line, item| {
                    if let Ok(Item::Entry(entry) | Item::Exception(entry)) = item {
                        listed(
                            &format!("{} ({place})", source.id),
                            line,
                            entry.as_str(),
                            &source.category,
                        );
                    }
                },
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
