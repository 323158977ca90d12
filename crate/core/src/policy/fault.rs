//! What is wrong with a policy, and what is merely odd.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The stable code of a fault or warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultCode {
    /// The text is not JSON.
    NotJson,
    /// The text, or a list in it, is larger than a policy may be.
    TooLarge,
    /// A key stands twice in one object.
    DuplicateKey,
    /// A key that the language does not have.
    UnknownKey,
    /// A key that must be there is not.
    MissingKey,
    /// A number where text is wanted, and the like.
    WrongType,
    /// The right type with a value that cannot be.
    InvalidValue,
    /// A name that nothing in the policy bears.
    UnknownName,
    /// Two things bear one name.
    DuplicateName,
    /// Two parts of the policy exclude each other.
    Contradiction,
    /// Warning: a rule that can never decide anything.
    NeverMatches,
    /// Warning: minutes of the school day that no period covers.
    Gap,
    /// Warning: a cohort, group, filter or place that nothing uses.
    Unused,
    /// Warning: nobody can be found to be in a cohort.
    NobodyIn,
    /// Warning: a dated thing that falls on a day on which it cannot hold.
    NeverHolds,
    /// Warning: a moment of the school day for which no rule speaks.
    NoRule,
    /// Warning: an entry that another one covers, or that is always blocked.
    Pointless,
    /// Warning: something that is allowed, but that a school should think about.
    Unwise,
}

impl FaultCode {
    /// Every code.
    pub const ALL: [FaultCode; 18] = [
        FaultCode::NotJson,
        FaultCode::TooLarge,
        FaultCode::DuplicateKey,
        FaultCode::UnknownKey,
        FaultCode::MissingKey,
        FaultCode::WrongType,
        FaultCode::InvalidValue,
        FaultCode::UnknownName,
        FaultCode::DuplicateName,
        FaultCode::Contradiction,
        FaultCode::NeverMatches,
        FaultCode::Gap,
        FaultCode::Unused,
        FaultCode::NobodyIn,
        FaultCode::NeverHolds,
        FaultCode::NoRule,
        FaultCode::Pointless,
        FaultCode::Unwise,
    ];
}

/// One thing that is wrong, with its place and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fault {
    /// JSON pointer to the place, such as `/rules/2/then/mode`; empty for the whole text.
    pub path: String,
    /// The stable code.
    pub code: FaultCode,
    /// What is wrong and what to do about it, in lower case.
    pub message: String,
}

/// One thing that is allowed but odd, with its place and what to do about it.
pub type Warning = Fault;

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() {
            "/"
        } else {
            &self.path
        };
        write!(formatter, "{path}: {}", self.message)
    }
}

/// Everything that is wrong with a policy, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.0.iter().enumerate() {
            if number > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// Faults and warnings as they are found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub faults: Vec<Fault>,
    pub warnings: Vec<Warning>,
}

impl Findings {
    pub fn fault(&mut self, path: &str, code: FaultCode, message: impl Into<String>) {
        self.faults.push(finding(path, code, message.into()));
    }

    pub fn warn(&mut self, path: &str, code: FaultCode, message: impl Into<String>) {
        self.warnings.push(finding(path, code, message.into()));
    }
}

pub(super) fn finding(path: &str, code: FaultCode, message: String) -> Fault {
    Fault {
        path: path.to_owned(),
        code,
        message,
    }
}

/// The end of a message about a name that does not exist: the nearest that does, or all.
pub fn suggestion<'a>(written: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let longest_typo = 1 + written.chars().count() / 4;
    let nearest = known
        .clone()
        .into_iter()
        .map(|name| (distance(written, name), name))
        .filter(|(distance, _)| *distance <= longest_typo)
        .min();
    if let Some((_, name)) = nearest {
        return format!("did you mean `{name}`?");
    }
    let mut names: Vec<&str> = known.into_iter().collect();
    names.sort_unstable();
    match names.len() {
        0 => "there are none".to_owned(),
        1..=24 => format!("use one of `{}`", names.join("`, `")),
        more => format!("there are {more} to choose from"),
    }
}

/// The edits (a swap of neighbours counts as one) between two names.
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.to_lowercase().chars().take(64).collect();
    let to: Vec<char> = to.to_lowercase().chars().take(64).collect();
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for (row, cells) in rows.iter_mut().enumerate() {
        cells[0] = row;
    }
    for (column, cell) in rows[0].iter_mut().enumerate() {
        *cell = column;
    }
    for row in 1..=from.len() {
        for column in 1..=to.len() {
            let changed = usize::from(from[row - 1] != to[column - 1]);
            let mut best = (rows[row - 1][column] + 1)
                .min(rows[row][column - 1] + 1)
                .min(rows[row - 1][column - 1] + changed);
            let swapped = row > 1
                && column > 1
                && from[row - 1] == to[column - 2]
                && from[row - 2] == to[column - 1];
            if swapped {
                best = best.min(rows[row - 2][column - 2] + 1);
            }
            rows[row][column] = best;
        }
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_gets_the_name_that_was_meant() {
        let known = ["games", "gambling", "adult"];
        assert_eq!(suggestion("gmaes", known), "did you mean `games`?");
        assert_eq!(suggestion("Games", known), "did you mean `games`?");
        assert_eq!(
            suggestion("knitting", known),
            "use one of `adult`, `gambling`, `games`"
        );
        assert_eq!(suggestion("x", []), "there are none");
    }

    #[test]
    fn codes_are_stable() {
        let names: Vec<String> = FaultCode::ALL
            .iter()
            .map(|code| {
                serde_json::to_value(code)
                    .unwrap()
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert_eq!(
            names.join(" "),
            "not_json too_large duplicate_key unknown_key missing_key wrong_type \
             invalid_value unknown_name duplicate_name contradiction never_matches gap \
             unused nobody_in never_holds no_rule pointless unwise"
        );
    }
}
