//! Who someone is: the one cohort, the groups, and what rules say of them.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

/// The most cohorts of a policy; a set of them is a `u128`.
pub(super) const MAX_COHORTS: usize = 128;

/// A group of people who learn by one set of rules.
#[derive(Debug, Clone)]
pub(super) struct Cohort {
    pub name: String,
    pub label: String,
    pub kind: CohortKind,
    /// The year group, 7 to 13, where addresses carry an entry or leaving year.
    pub year: Option<u8>,
    pub patterns: Vec<Pattern>,
    pub except: Vec<Pattern>,
    pub members: People,
    /// The filter of its lessons, by number.
    pub filter: usize,
    pub path: String,
}

/// Whether a cohort's people are pupils.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum CohortKind {
    Pupil,
    Staff,
}

/// A group from a roster, beside the cohorts.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub name: String,
    pub label: String,
    pub patterns: Vec<Pattern>,
    pub members: People,
    pub path: String,
}

/// People by address, in plain text or as a salted digest.
#[derive(Debug, Clone, Default)]
pub(super) struct People {
    pub addresses: HashSet<String>,
    pub digests: HashSet<[u8; 32]>,
}

impl People {
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.digests.is_empty()
    }

    pub fn contains(&self, person: &Address) -> bool {
        self.addresses.contains(&person.text)
            || person
                .digest
                .is_some_and(|digest| self.digests.contains(&digest))
    }
}

/// A signed-in address: lower case, and its digest where the policy has a salt.
#[derive(Debug, Clone)]
pub(super) struct Address {
    pub text: String,
    pub digest: Option<[u8; 32]>,
}

impl Address {
    pub fn new(written: &str, salt: Option<&str>) -> Self {
        let text = written.trim().to_lowercase();
        Self {
            digest: salt.map(|salt| digest(salt, &text)),
            text,
        }
    }
}

/// The salted digest of an address in lower case: SHA-256 of salt, a line feed, address.
pub(super) fn digest(salt: &str, address: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(salt.as_bytes());
    hash.update(b"\n");
    hash.update(address.as_bytes());
    hash.finalize().into()
}

/// Someone as the rules see them.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub cohort: Option<usize>,
    /// The groups they are in, by number, ascending.
    pub groups: Vec<u16>,
    pub address: Option<Address>,
}

/// Whom a rule is for.
#[derive(Debug, Clone, Default)]
pub(super) struct Who {
    pub cohorts: u128,
    pub groups: Vec<u16>,
    pub people: People,
}

impl Who {
    pub fn has_cohort(&self, cohort: usize) -> bool {
        self.cohorts >> cohort & 1 == 1
    }

    /// Whether it is for this person.
    pub fn contains(&self, person: &Person) -> bool {
        person.cohort.is_some_and(|cohort| self.has_cohort(cohort))
            || self
                .groups
                .iter()
                .any(|group| person.groups.binary_search(group).is_ok())
            || (!self.people.is_empty()
                && person
                    .address
                    .as_ref()
                    .is_some_and(|address| self.people.contains(address)))
    }
}

/// A pattern of addresses, such as `{entry_yy}*@school.example`.
///
/// `*` is any run of characters, `?` is one, `#` is one digit; none of them is an `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    local: Vec<Token>,
    domain: Vec<Token>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Character(char),
    Any,
    One,
    Digit,
    /// A digit of a year: of which, and which one of the four.
    Year(YearOf, u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum YearOf {
    /// The year in which the year group began Year 7.
    Entry,
    /// The year in which it ends Year 13.
    Leaving,
}

/// The years that the variables of a pattern stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Years {
    pub entry: i32,
    pub leaving: i32,
}

impl Years {
    /// The years of a year group in the school year that began in `school_year`.
    pub fn of(year_group: u8, school_year: i32) -> Self {
        Self {
            entry: school_year - (i32::from(year_group) - 7),
            leaving: school_year + 14 - i32::from(year_group),
        }
    }
}

/// The variables of patterns.
const VARIABLES: [(&str, YearOf, [u8; 4], usize); 4] = [
    ("{entry_yyyy}", YearOf::Entry, [0, 1, 2, 3], 4),
    ("{entry_yy}", YearOf::Entry, [2, 3, 0, 0], 2),
    ("{leaving_yyyy}", YearOf::Leaving, [0, 1, 2, 3], 4),
    ("{leaving_yy}", YearOf::Leaving, [2, 3, 0, 0], 2),
];

impl Pattern {
    /// Reads a pattern; the error says what is wrong and what to do.
    pub fn parse(written: &str) -> Result<Self, String> {
        let text = written.trim().to_lowercase();
        let Some((local, domain)) = text.split_once('@') else {
            return Err(format!(
                "`{written}` has no `@`; write a whole address with `*` for any characters, like `{{entry_yy}}*@school.example`"
            ));
        };
        if domain.contains('@') || local.is_empty() || domain.is_empty() {
            return Err(format!(
                "`{written}` is not a pattern of addresses; write one like `{{entry_yy}}*@school.example`"
            ));
        }
        Ok(Self {
            local: tokens(local)?,
            domain: tokens(domain)?,
        })
    }

    /// Whether it needs to know the year group.
    pub fn has_years(&self) -> bool {
        let mut both = self.local.iter().chain(&self.domain);
        both.any(|token| matches!(token, Token::Year(..)))
    }

    /// Whether an address in lower case is of this pattern.
    pub fn matches(&self, address: &str, years: Option<Years>) -> bool {
        let Some((local, domain)) = address.split_once('@') else {
            return false;
        };
        matches_tokens(&self.local, local, years) && matches_tokens(&self.domain, domain, years)
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if character == '{' {
            let variable = VARIABLES.iter().find(|(name, ..)| rest.starts_with(name));
            let Some((name, of, places, count)) = variable else {
                return Err(format!(
                    "`{rest}` begins with no variable; use one of `{{entry_yy}}`, `{{entry_yyyy}}`, `{{leaving_yy}}`, `{{leaving_yyyy}}`"
                ));
            };
            tokens.extend(
                places[..*count]
                    .iter()
                    .map(|place| Token::Year(*of, *place)),
            );
            rest = &rest[name.len()..];
            continue;
        }
        tokens.push(match character {
            '*' => Token::Any,
            '?' => Token::One,
            '#' => Token::Digit,
            other => Token::Character(other),
        });
        rest = &rest[character.len_utf8()..];
    }
    Ok(tokens)
}

fn matches_tokens(tokens: &[Token], text: &str, years: Option<Years>) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let (mut token, mut at) = (0, 0);
    // The last `*` and where the text behind it was tried from.
    let mut back: Option<(usize, usize)> = None;
    while at < characters.len() {
        let one = tokens.get(token).is_some_and(|token| match token {
            Token::Character(wanted) => *wanted == characters[at],
            Token::One => true,
            Token::Digit => characters[at].is_ascii_digit(),
            Token::Year(of, place) => {
                years.is_some_and(|years| year_digit(years, *of, *place) == Some(characters[at]))
            }
            Token::Any => false,
        });
        if tokens.get(token) == Some(&Token::Any) {
            back = Some((token + 1, at));
            token += 1;
        } else if one {
            token += 1;
            at += 1;
        } else if let Some((after, tried)) = back {
            token = after;
            at = tried + 1;
            back = Some((after, tried + 1));
        } else {
            return false;
        }
    }
    tokens[token..].iter().all(|token| *token == Token::Any)
}

fn year_digit(years: Years, of: YearOf, place: u8) -> Option<char> {
    let year = match of {
        YearOf::Entry => years.entry,
        YearOf::Leaving => years.leaving,
    };
    let digit = year / 10_i32.pow(3 - u32::from(place)) % 10;
    char::from_digit(u32::try_from(digit).ok()?, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, address: &str) -> bool {
        let years = Years::of(9, 2026);
        Pattern::parse(pattern)
            .unwrap()
            .matches(address, Some(years))
    }

    #[test]
    fn an_entry_year_finds_the_year_group() {
        assert!(matches(
            "{entry_yy}*@school.example",
            "24ahall@school.example"
        ));
        assert!(!matches(
            "{entry_yy}*@school.example",
            "25bkaur@school.example"
        ));
        assert!(matches(
            "*.{entry_yyyy}@*",
            "a.hall.2024@pupils.school.example"
        ));
        // Year 9 of 2026/27 leaves Year 13 in the summer of 2031.
        assert!(matches(
            "{leaving_yy}-*@school.example",
            "31-hall@school.example"
        ));
    }

    #[test]
    fn wildcards_stay_on_their_side_of_the_at() {
        assert!(matches("*@school.example", "a.b@school.example"));
        assert!(!matches("*@school.example", "a@evil.example"));
        assert!(!matches("*@school.example", "a@pupils.school.example"));
        assert!(matches("##?*@school.example", "24ahall@school.example"));
        assert!(!matches("##?*@school.example", "2ahall@school.example"));
        assert!(matches("a*b*c@x", "aXbYbZc@x".to_lowercase().as_str()));
    }

    #[test]
    fn a_faulty_pattern_says_what_would_do() {
        for wrong in [
            "24*",
            "@school.example",
            "a@",
            "a@b@c",
            "{entry}*@school.example",
        ] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_digest_stands_for_an_address_in_any_case() {
        let people = People {
            digests: HashSet::from([digest("salt", "24ahall@school.example")]),
            ..People::default()
        };
        assert!(people.contains(&Address::new("24AHall@school.example ", Some("salt"))));
        assert!(!people.contains(&Address::new("24ahall@school.example", Some("other"))));
        assert!(!people.contains(&Address::new("24ahall@school.example", None)));
    }
}
