//! The repository's own lists: categories, help services, sign-in pages, allowlist, and
//! the core pack that is made of them.

use serde::Deserialize;

use super::build::{BuildError, BuiltPack, PackBuilder, PackOptions};
use crate::expression::Entry;

/// The categories, as `lists/categories.toml` names them.
#[derive(Debug, Clone)]
pub struct Catalogue {
    categories: Vec<CatalogueRow>,
}

/// What building needs to know of a category.
#[derive(Debug, Clone, Deserialize)]
pub struct CatalogueRow {
    /// The stable id, such as `gambling`.
    pub id: String,
    /// The stable number, 0 to 127.
    pub number: u8,
    /// `block`, or `special` for one that no policy can block.
    pub kind: String,
    /// The build warns when a pack holds fewer entries.
    #[serde(default, rename = "default_minimum_entries")]
    pub minimum_entries: u64,
}

/// A mistake in a list that people write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct ListError {
    /// The file, and the line where one is known.
    pub place: String,
    /// What is wrong, and what would do.
    pub why: String,
}

impl Catalogue {
    /// Reads `categories.toml`; `place` names it in errors.
    ///
    /// # Errors
    /// [`ListError`] when it is not of the shape its own comment describes.
    pub fn parse(place: &str, text: &str) -> Result<Self, ListError> {
        #[derive(Deserialize)]
        struct File {
            category: Vec<CatalogueRow>,
        }
        let file: File = from_toml(place, text)?;
        for (at, row) in file.category.iter().enumerate() {
            let earlier = &file.category[..at];
            if row.number > 127
                || earlier
                    .iter()
                    .any(|one| one.number == row.number || one.id == row.id)
            {
                return Err(ListError {
                    place: place.to_owned(),
                    why: format!(
                        "category `{}`: id and number (0 to 127) must be its own",
                        row.id
                    ),
                });
            }
        }
        Ok(Self {
            categories: file.category,
        })
    }

    /// Every category, in the order of the file.
    #[must_use]
    pub fn rows(&self) -> &[CatalogueRow] {
        &self.categories
    }

    /// The number of a category.
    #[must_use]
    pub fn number(&self, id: &str) -> Option<u8> {
        self.categories
            .iter()
            .find(|row| row.id == id)
            .map(|row| row.number)
    }

    /// Declares every category to a builder.
    ///
    /// # Errors
    /// [`BuildError::Category`] when the builder has one of them already.
    pub fn declare(&self, builder: &mut PackBuilder) -> Result<(), BuildError> {
        self.categories
            .iter()
            .try_for_each(|row| builder.add_category(row.number, &row.id))
    }
}

/// A help service of `lists/help.toml`.
#[derive(Debug, Clone, Deserialize)]
struct HelpRow {
    entry: String,
    crisis: bool,
    #[serde(default)]
    loads: Vec<String>,
}

/// Reads `help.toml`: every entry and every host its pages load, with the special category
/// that each belongs to, `help-crisis` or `help`.
///
/// # Errors
/// One [`ListError`] for each mistake.
pub fn help_entries(place: &str, text: &str) -> Result<Vec<(Entry, &'static str)>, Vec<ListError>> {
    #[derive(Deserialize)]
    struct File {
        help: Vec<HelpRow>,
    }
    let file: File = from_toml(place, text).map_err(|error| vec![error])?;
    let rows = file.help.iter().flat_map(|row| {
        let category = if row.crisis { "help-crisis" } else { "help" };
        std::iter::once(&row.entry)
            .chain(&row.loads)
            .map(move |text| (text, category))
    });
    collect(place, rows)
}

/// Reads `sign-in.toml`.
///
/// # Errors
/// One [`ListError`] for each mistake.
pub fn sign_in_entries(place: &str, text: &str) -> Result<Vec<Entry>, Vec<ListError>> {
    #[derive(Deserialize)]
    struct File {
        sign_in: Vec<Row>,
    }
    #[derive(Deserialize)]
    struct Row {
        entry: String,
    }
    let file: File = from_toml(place, text).map_err(|error| vec![error])?;
    let rows = file.sign_in.iter().map(|row| (&row.entry, ()));
    Ok(collect(place, rows)?
        .into_iter()
        .map(|(entry, ())| entry)
        .collect())
}

/// Reads a file of entries, one a line, `#` for comments.
///
/// # Errors
/// One [`ListError`] for each line that is not an entry.
pub fn line_entries(place: &str, text: &str) -> Result<Vec<Entry>, Vec<ListError>> {
    let mut entries = Vec::new();
    let mut errors = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match Entry::parse(line).and_then(Entry::refuse_top_level) {
            Ok(entry) => entries.push(entry),
            Err(error) => errors.push(ListError {
                place: format!("{place}:{}", number + 1),
                why: error.to_string(),
            }),
        }
    }
    if errors.is_empty() {
        Ok(entries)
    } else {
        Err(errors)
    }
}

/// The texts of the repository's lists.
#[derive(Debug, Clone, Default)]
pub struct CoreTexts {
    /// `categories.toml`
    pub categories: String,
    /// `help.toml`
    pub help: String,
    /// `sign-in.toml`
    pub sign_in: String,
    /// Every file of `allow/`: its path and text.
    pub allow: Vec<(String, String)>,
    /// Every file of `curated/`: the category's id and the text.
    pub curated: Vec<(String, String)>,
}

/// Builds the pack that ships inside the extension, of nothing but the repository's lists.
///
/// # Errors
/// Every mistake in the texts, each with its place.
pub fn build_core_pack(
    texts: &CoreTexts,
    options: PackOptions,
) -> Result<BuiltPack, Vec<ListError>> {
    let mut errors = Vec::new();
    let catalogue =
        Catalogue::parse("categories.toml", &texts.categories).map_err(|error| vec![error])?;
    let mut builder = PackBuilder::new(options);
    let whole = |error: BuildError| {
        vec![ListError {
            place: "categories.toml".to_owned(),
            why: error.to_string(),
        }]
    };
    catalogue.declare(&mut builder).map_err(whole)?;
    let mut add = |entries: Result<Vec<(Entry, &str)>, Vec<ListError>>| match entries {
        Err(found) => errors.extend(found),
        Ok(entries) => {
            for (entry, category) in entries {
                match catalogue.number(category) {
                    Some(number) => builder.add(&entry, number),
                    None => errors.push(ListError {
                        place: category.to_owned(),
                        why: format!(
                            "category `{category}` is not in categories.toml; add it there"
                        ),
                    }),
                }
            }
        }
    };
    let named = |entries: Vec<Entry>, category| {
        entries.into_iter().map(|entry| (entry, category)).collect()
    };
    add(help_entries("help.toml", &texts.help));
    add(sign_in_entries("sign-in.toml", &texts.sign_in).map(|entries| named(entries, "sign-in")));
    for (path, text) in &texts.allow {
        add(line_entries(path, text).map(|entries| named(entries, "education")));
    }
    for (category, text) in &texts.curated {
        let place = format!("curated/{category}.txt");
        add(line_entries(&place, text).map(|entries| named(entries, category.as_str())));
    }
    if errors.is_empty() {
        builder.build().map_err(whole)
    } else {
        errors.dedup();
        Err(errors)
    }
}

fn collect<'a, T>(
    place: &str,
    rows: impl Iterator<Item = (&'a String, T)>,
) -> Result<Vec<(Entry, T)>, Vec<ListError>> {
    let mut entries = Vec::new();
    let mut errors = Vec::new();
    for (text, tag) in rows {
        match Entry::parse(text) {
            Ok(entry) => entries.push((entry, tag)),
            Err(error) => errors.push(ListError {
                place: place.to_owned(),
                why: error.to_string(),
            }),
        }
    }
    if errors.is_empty() {
        Ok(entries)
    } else {
        Err(errors)
    }
}

fn from_toml<T: for<'de> Deserialize<'de>>(place: &str, text: &str) -> Result<T, ListError> {
    toml::from_str(text).map_err(|error| ListError {
        place: place.to_owned(),
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{CanonicalUrl, Scratch};
    use crate::list::Pack;

    fn texts() -> CoreTexts {
        CoreTexts {
            categories: "[[category]]\nid='games'\nnumber=3\nkind='block'\n\
                [[category]]\nid='help'\nnumber=124\nkind='special'\n\
                [[category]]\nid='help-crisis'\nnumber=125\nkind='special'\n\
                [[category]]\nid='education'\nnumber=126\nkind='special'\n\
                [[category]]\nid='sign-in'\nnumber=127\nkind='special'\n"
                .to_owned(),
            help: "help=[{entry='a.help.test',crisis=true,loads=['cdn.help.test']},\
                {entry='b.help.test/x',crisis=false}]"
                .to_owned(),
            sign_in: "sign_in=[{entry='login.test/a',kind='account'}]".to_owned(),
            allow: vec![(
                "allow/x.txt".to_owned(),
                "# school\nschool.test\nac.uk\n".to_owned(),
            )],
            curated: vec![("games".to_owned(), "\ngames.test\n".to_owned())],
        }
    }

    #[test]
    fn the_core_pack_knows_every_kind_of_list() {
        let built = build_core_pack(&texts(), PackOptions::default()).unwrap();
        let pack = Pack::open(built.bytes).unwrap();
        for (url, number) in [
            ("https://www.games.test/", 3),
            ("https://b.help.test/x?y", 124),
            ("https://a.help.test/", 125),
            ("https://cdn.help.test/", 125),
            ("https://school.test/x", 126),
            ("https://any.ac.uk/x", 126),
            ("https://login.test/a/b", 127),
        ] {
            let mut scratch = Scratch::new();
            let url = CanonicalUrl::parse(url, &mut scratch).unwrap();
            assert_eq!(pack.lookup(&url), Ok(1 << number));
        }
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let mut wrong = texts();
        wrong.curated = vec![
            ("games".to_owned(), "good.test\nbad host\nuk\n".to_owned()),
            ("gmaes".to_owned(), "good.test\n".to_owned()),
        ];
        wrong.sign_in = "sign_in = 3".to_owned();
        let errors = build_core_pack(&wrong, PackOptions::default()).unwrap_err();
        let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let all = all.join("\n");
        for part in [
            "sign-in.toml",
            "curated/games.txt:2: `bad host` holds a space",
            "curated/games.txt:3: `uk` is",
            "`gmaes` is not",
        ] {
            assert!(all.contains(part), "{part} in {all}");
        }
    }
}
