//! The packs a decision looks in, and what their category numbers mean to a standing.

use crate::canonical::CanonicalUrl;
use crate::list::{HashKind, LookupError, Match, Pack};
use crate::policy::categories::may_lift;
use crate::standing::{ActiveException, Filter};

/// Categories that mean something to the filter itself; no policy can block them.
pub mod special {
    /// Help services.
    pub const HELP: &str = "help";
    /// Help services that are crisis lines.
    pub const HELP_CRISIS: &str = "help-crisis";
    /// The education allowlist.
    pub const EDUCATION: &str = "education";
    /// Sign-in pages, captive portals, the Admin console.
    pub const SIGN_IN: &str = "sign-in";
}

/// The list packs that are loaded.
///
/// The built-in pack ships inside the extension. It alone says what is a help service
/// and what is a sign-in page, so that no fetched pack can close either; its categories
/// count where the school's pack has none of that name, so that a school's pack adds to
/// the core lists and never silently takes one away.
#[derive(Default)]
pub struct Lists {
    /// The pack that ships with the extension.
    pub built_in: Option<Pack>,
    /// The pack the school chose.
    pub school: Option<Pack>,
    /// The locked illegal layer, by [`LockedSlot`].
    locked: [Option<Pack>; 2],
}

/// The two lists of the locked illegal layer, each licensed by its own publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum LockedSlot {
    /// Child sexual abuse material, in the manner of the Internet Watch Foundation's list.
    Iwf = 0,
    /// Terrorist material, in the manner of the Counter Terrorism Internet Referral Unit's.
    Ctiru = 1,
}

impl LockedSlot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Iwf, Self::Ctiru];

    /// How settings, decisions and events name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Iwf => "iwf",
            Self::Ctiru => "ctiru",
        }
    }

    /// The slot of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.name() == name)
    }
}

/// Why a pack cannot be the list of a [`LockedSlot`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Anyone who holds an open pack can test URLs against it.
    #[error("the list is not keyed, so its entries could be tested; build it with a secret key")]
    NotKeyed,
    /// What is locked is never replaced by something older.
    #[error("the list's sequence {offered} is lower than {held}, which is loaded; it is kept")]
    Older {
        /// The sequence of the list that was offered.
        offered: u64,
        /// The sequence of the list that is loaded.
        held: u64,
    },
}

/// Bits of one pack that a standing cares about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Masks {
    /// Blocked categories.
    pub block: u128,
    /// Categories that want an acknowledgement.
    pub notice: u128,
    /// Blocked categories that a supervised exception has lifted.
    pub lifted: u128,
    /// The education allowlist.
    pub education: u128,
    /// Help services.
    pub help: u128,
    /// Help services that are crisis lines.
    pub help_crisis: u128,
    /// Sign-in pages.
    pub sign_in: u128,
}

/// The bits of both packs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackMasks {
    /// Those of the built-in pack.
    pub built_in: Masks,
    /// Those of the school's pack.
    pub school: Masks,
}

impl Lists {
    /// These packs, and nothing locked.
    #[must_use]
    pub fn new(built_in: Option<Pack>, school: Option<Pack>) -> Self {
        Self {
            built_in,
            school,
            locked: [None, None],
        }
    }

    /// Loads a list of the locked layer, or replaces it by one that is not older; there is
    /// no way to unload one.
    ///
    /// # Errors
    /// [`LockError`]; what was loaded stays.
    pub fn lock(&mut self, slot: LockedSlot, pack: Pack) -> Result<(), LockError> {
        let offered = pack.summary();
        if offered.hash != HashKind::Keyed {
            return Err(LockError::NotKeyed);
        }
        if let Some(held) = self.locked(slot).map(|held| held.summary().sequence)
            && offered.sequence < held
        {
            return Err(LockError::Older {
                offered: offered.sequence,
                held,
            });
        }
        self.locked[slot as usize] = Some(pack);
        Ok(())
    }

    /// The list of a slot of the locked layer, where one is loaded.
    #[must_use]
    pub fn locked(&self, slot: LockedSlot) -> Option<&Pack> {
        self.locked[slot as usize].as_ref()
    }

    /// What the packs' category numbers mean under a filter and the exceptions that hold.
    #[must_use]
    pub fn masks(&self, filter: &Filter, exceptions: &[ActiveException]) -> PackMasks {
        let mut masks = PackMasks::default();
        if let Some(pack) = &self.school {
            masks.school = masks_of(pack, filter, exceptions, |_| true);
            masks.school.help = 0;
            masks.school.help_crisis = 0;
            masks.school.sign_in = 0;
        }
        if let Some(pack) = &self.built_in {
            masks.built_in = masks_of(pack, filter, exceptions, |name| {
                self.school
                    .as_ref()
                    .is_none_or(|school| school.category_number(name).is_none())
            });
        }
        masks
    }
}

/// Where an entry of a pack matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The category's name.
    pub category: String,
    /// The entry as the list has it.
    pub entry: String,
}

/// The longest entry of `pack` that matches `url` and has a category in `mask`, with the
/// lowest-numbered such category; an exception at least as long takes its categories away.
///
/// # Errors
/// [`LookupError`] when the pack cannot say.
pub fn longest_hit(
    pack: &Pack,
    url: &CanonicalUrl<'_>,
    mask: u128,
) -> Result<Option<Hit>, LookupError> {
    let mut matches: Vec<Match> = Vec::new();
    pack.matches(url, &mut matches)?;
    let excepted = |length: usize| {
        matches
            .iter()
            .filter(|found| found.exception && found.entry.len() >= length)
            .fold(0, |bits, found| bits | found.categories)
    };
    let longest = matches
        .iter()
        .filter(|found| !found.exception)
        .find_map(|found| {
            let bits = found.categories & mask & !excepted(found.entry.len());
            (bits != 0).then(|| (bits.trailing_zeros(), &found.entry))
        });
    Ok(longest.and_then(|(number, entry)| {
        let category = pack
            .categories()
            .iter()
            .find(|c| u32::from(c.number) == number)?;
        Some(Hit {
            category: category.name.clone(),
            entry: entry.clone(),
        })
    }))
}

fn masks_of(
    pack: &Pack,
    filter: &Filter,
    exceptions: &[ActiveException],
    counts: impl Fn(&str) -> bool,
) -> Masks {
    let bit = |name: &str| {
        pack.category_number(name)
            .map_or(0, |number| 1u128 << number)
    };
    let mut masks = Masks {
        education: bit(special::EDUCATION),
        help: bit(special::HELP) | bit(special::HELP_CRISIS),
        help_crisis: bit(special::HELP_CRISIS),
        sign_in: bit(special::SIGN_IN),
        ..Masks::default()
    };
    let special = masks.education | masks.help | masks.sign_in;
    for name in filter.block.iter().filter(|name| counts(name)) {
        masks.block |= bit(name) & !special;
    }
    for name in filter.notice.iter().filter(|name| counts(name)) {
        masks.notice |= bit(name) & !special & !masks.block;
    }
    for name in exceptions
        .iter()
        .flat_map(|exception| &exception.categories)
    {
        if may_lift(name) {
            masks.lifted |= bit(name) & (masks.block | masks.notice);
        }
    }
    masks
}
