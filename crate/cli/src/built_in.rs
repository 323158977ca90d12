//! The pack that ships inside the extension, made from the project's own lists.

use anyhow::Result;
use bellgate_core::list::Pack;
use bellgate_core::list::build::{PackBuilder, PackOptions};

use crate::catalogue::Catalogue;

/// The bytes of the built-in pack; the same for the same lists.
///
/// # Errors
/// When a list holds a line that is no entry.
pub fn bytes() -> Result<Vec<u8>> {
    let mut builder = PackBuilder::new(PackOptions::default());
    Catalogue::read()?.add_to(&mut builder)?;
    Ok(builder.build()?.bytes)
}

/// The built-in pack.
///
/// # Errors
/// As for [`bytes`].
pub fn pack() -> Result<Pack> {
    Ok(Pack::open(bytes()?)?)
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
            pack.lookup(&url).unwrap() >> pack.category_number(category).unwrap() & 1 == 1
        };
        assert!(holds("https://www.childline.org.uk/get-support/", "help-crisis"));
        assert!(holds("https://accounts.google.com/ServiceLogin", "sign-in"));
        assert!(holds("https://www.raspberrypi.org/", "education"));
        assert!(!holds("https://www.example.com/", "help"));
    }

    #[test]
    fn the_same_lists_make_the_same_bytes() {
        assert_eq!(super::bytes().unwrap(), super::bytes().unwrap());
    }
}
