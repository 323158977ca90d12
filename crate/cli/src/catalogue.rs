//! The project's own lists (`lists/`): categories, help services, sign-in pages, the
//! education allowlist and the curated blocklists.

use anyhow::{Context as _, Result, bail};
use bellgate_core::expression::Entry;
use bellgate_core::list::build::PackBuilder;
use bellgate_core::lists::special;
use include_dir::{Dir, include_dir};
use serde::Deserialize;

static CATEGORIES: &str = include_str!("../../../lists/categories.toml");
static HELP: &str = include_str!("../../../lists/help.toml");
static SIGN_IN: &str = include_str!("../../../lists/sign-in.toml");
static ALLOW: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../lists/allow");
static CURATED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../lists/curated");

/// The project's own lists, as this command was built with them.
///
/// Shapes: each file says its own at its top.
pub struct Catalogue {
    categories: Vec<Category>,
    /// Entry, name of the category.
    entries: Vec<(Entry, String)>,
}

/// A row of `lists/categories.toml`, as far as packs need it.
#[derive(Debug, Deserialize)]
struct Category {
    id: String,
    number: u8,
}

#[derive(Deserialize)]
struct CategoryFile {
    category: Vec<Category>,
}

#[derive(Deserialize)]
struct HelpFile {
    help: Vec<HelpRow>,
}

#[derive(Deserialize)]
struct HelpRow {
    entry: String,
    crisis: bool,
    #[serde(default)]
    loads: Vec<String>,
}

#[derive(Deserialize)]
struct SignInFile {
    sign_in: Vec<SignInRow>,
}

#[derive(Deserialize)]
struct SignInRow {
    entry: String,
}

impl Catalogue {
    /// Reads the lists that were built in.
    ///
    /// # Errors
    /// The first line that is no entry, with its place.
    pub fn read() -> Result<Self> {
        let categories: CategoryFile =
            toml::from_str(CATEGORIES).context("lists/categories.toml")?;
        let mut catalogue = Self { categories: categories.category, entries: Vec::new() };
        let help: HelpFile = toml::from_str(HELP).context("lists/help.toml")?;
        for row in &help.help {
            let category = if row.crisis { special::HELP_CRISIS } else { special::HELP };
            for text in std::iter::once(&row.entry).chain(&row.loads) {
                catalogue.add("lists/help.toml", text, category)?;
            }
        }
        let sign_in: SignInFile = toml::from_str(SIGN_IN).context("lists/sign-in.toml")?;
        for row in &sign_in.sign_in {
            catalogue.add("lists/sign-in.toml", &row.entry, special::SIGN_IN)?;
        }
        catalogue.add_folder("lists/allow", &ALLOW, |_| special::EDUCATION.to_owned())?;
        catalogue.add_folder("lists/curated", &CURATED, str::to_owned)?;
        Ok(catalogue)
    }

    /// Declares the categories under their stable numbers, and adds every entry.
    ///
    /// # Errors
    /// When two categories share a number or name.
    pub fn add_to(&self, builder: &mut PackBuilder) -> Result<()> {
        for category in &self.categories {
            builder.add_category(category.number, &category.id)?;
        }
        for (entry, name) in &self.entries {
            builder.add(entry, self.number(name)?);
        }
        Ok(())
    }

    fn number(&self, name: &str) -> Result<u8> {
        let category = self.categories.iter().find(|category| category.id == name);
        match category {
            Some(category) => Ok(category.number),
            None => bail!("no category `{name}` in lists/categories.toml; add it there first"),
        }
    }

    fn add(&mut self, place: &str, text: &str, category: &str) -> Result<()> {
        let entry = Entry::parse(text).with_context(|| format!("{place}: `{text}`"))?;
        self.entries.push((entry, category.to_owned()));
        Ok(())
    }

    /// Adds every `<name>.txt` of a folder under the category that `category` makes of its name.
    fn add_folder(
        &mut self,
        place: &str,
        folder: &Dir<'_>,
        category: impl Fn(&str) -> String,
    ) -> Result<()> {
        for file in folder.files() {
            let path = file.path().display().to_string();
            let Some(name) = path.strip_suffix(".txt") else { continue };
            let text = file.contents_utf8().with_context(|| format!("{place}/{path} is no text"))?;
            let category = category(name);
            self.number(&category)?;
            for (index, line) in text.lines().enumerate() {
                let line = line.split(" #").next().unwrap_or_default().trim();
                if !line.is_empty() && !line.starts_with('#') {
                    self.add(&format!("{place}/{path}:{}", index + 1), line, &category)?;
                }
            }
        }
        Ok(())
    }
}
