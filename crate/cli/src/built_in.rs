//! The pack that ships inside the extension, made from the lists this command was
//! built with.

use anyhow::{Context as _, Result, bail};
use bellgate_core::list::Pack;
use bellgate_core::list::build::PackOptions;
use bellgate_core::list::catalogue::{CoreTexts, build_core_pack};
use include_dir::{Dir, include_dir};

static ALLOW: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../lists/allow");
static CURATED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../lists/curated");

/// The texts of `lists/`, as this command was built with them.
///
/// # Errors
/// When a list is not text.
pub fn texts() -> Result<CoreTexts> {
    Ok(CoreTexts {
        categories: include_str!("../../../lists/categories.toml").to_owned(),
        help: include_str!("../../../lists/help.toml").to_owned(),
        sign_in: include_str!("../../../lists/sign-in.toml").to_owned(),
        allow: files(&ALLOW)?,
        curated: files(&CURATED)?,
    })
}

/// The bytes of the built-in pack; the same for the same lists.
///
/// # Errors
/// Every mistake in the lists, each with its place.
pub fn bytes() -> Result<Vec<u8>> {
    match build_core_pack(&texts()?, PackOptions::default()) {
        Ok(built) => Ok(built.bytes),
        Err(errors) => {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            bail!("the lists are faulty:\n{}", lines.join("\n"))
        }
    }
}

/// The built-in pack.
///
/// # Errors
/// As for [`bytes`].
pub fn pack() -> Result<Pack> {
    Ok(Pack::open(bytes()?)?)
}

/// Name without its ending, and text, of every list in a folder, in the order of names.
fn files(folder: &Dir<'_>) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for file in folder.files() {
        let path = file.path().display().to_string();
        if let Some(name) = path.strip_suffix(".txt") {
            let text = file.contents_utf8();
            let text = text.with_context(|| format!("the list `{path}` is not text"))?;
            found.push((name.to_owned(), text.to_owned()));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use bellgate_core::canonical::{CanonicalUrl, Scratch};

    #[test]
    fn the_built_in_pack_knows_help_sign_in_and_education() {
        let pack = super::pack().unwrap();
        let holds = |url: &str, category: &str| {
            let mut memory = Scratch::new();
            let url = CanonicalUrl::parse(url, &mut memory).unwrap();
            (pack.lookup(&url).unwrap() >> pack.category_number(category).unwrap()) & 1 == 1
        };
        assert!(holds(
            "https://www.childline.org.uk/get-support/",
            "help-crisis"
        ));
        assert!(holds("https://accounts.google.com/ServiceLogin", "sign-in"));
        assert!(holds("https://www.raspberrypi.org/", "education"));
        assert!(holds("https://poki.com/", "games"));
        assert!(!holds("https://www.example.com/", "help"));
    }

    #[test]
    fn the_same_lists_make_the_same_bytes() {
        assert_eq!(super::bytes().unwrap(), super::bytes().unwrap());
    }
}
