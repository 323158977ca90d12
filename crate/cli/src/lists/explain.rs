//! `bellgate lists explain`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bellgate_core::canonical::{CanonicalUrl, Scratch};
use bellgate_core::expression::Entry;
use bellgate_core::list::catalogue::CoreTexts;
use bellgate_core::list::source::Item;
use bellgate_core::list::transform::{Transformation, strip_www};
use clap::Args;

use super::compile::{OwnLists, each_item, excluded_entries};
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
    let looked_up = |entry: &Entry| expressions.iter().any(|text| text == entry.as_str());
    let listed = |place: &str, line: usize, text: &str, category: &str| {
        if let Ok(entry) = Entry::parse(text)
            && looked_up(&entry)
        {
            println!("{place}:{line}: `{entry}` in {category}");
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
        by_sources(path, &arguments.cache, looked_up)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows the lines of the project's own lists and of every enabled source, with what the
/// build does to them.
fn by_sources(path: &Path, cache: &Path, looked_up: impl Fn(&Entry) -> bool) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let root = folder.join("..");
    let (texts, _) = core::read(folder)?;
    let own = OwnLists::read(&texts)?;
    for (entry, category) in own.special.iter().filter(|(entry, _)| looked_up(entry)) {
        let place = place_of(folder, &texts, entry);
        println!("{place}: `{entry}` in {category}");
    }
    let mut scratch = Scratch::new();
    let sources = SourcesFile::read(path)?;
    for source in sources.iter().filter(|source| source.enabled) {
        let excluded = excluded_entries(source, &root)?;
        let strips = source.transformations.contains(&Transformation::StripWww);
        each_item(source, &root, cache, |place, line, item| {
            let (mut entry, kind) = match item {
                Ok(Item::Entry(entry)) => (entry, "in"),
                Ok(Item::Exception(entry)) => (entry, "exception from"),
                Err(_) => return,
            };
            if strips {
                entry = strip_www(entry);
            }
            if !looked_up(&entry) {
                return;
            }
            let fate = if excluded.contains(entry.as_str()) {
                ", but an exclude file takes it out"
            } else if kind == "in" && own.contradicts(&entry, &mut scratch) {
                ", but dropped: help, sign-in or allow lists contradict it"
            } else {
                ""
            };
            let (id, category) = (&source.id, &source.category);
            println!("{place}:{line}: `{entry}` {kind} {category}, source {id}{fate}");
        })?;
    }
    Ok(())
}

/// File and line of an entry of the project's own lists.
fn place_of(folder: &Path, texts: &CoreTexts, entry: &Entry) -> String {
    let same = |text: &str| Entry::parse(text).is_ok_and(|found| found == *entry);
    let tables = [("help.toml", &texts.help), ("sign-in.toml", &texts.sign_in)];
    for (name, text) in tables {
        // Strings of these files stand between quotation marks, on the line of their table.
        let at = text
            .lines()
            .position(|line| line.split('"').skip(1).step_by(2).any(same));
        if let Some(at) = at {
            return format!("{}:{}", folder.join(name).display(), at + 1);
        }
    }
    for (path, text) in &texts.allow {
        if let Some(at) = text.lines().position(|line| same(line.trim())) {
            return format!("{path}:{}", at + 1);
        }
    }
    folder.display().to_string()
}
