//! What beats what: the one table of layers.
//!
//! A request is put to the layers in this order and the first that applies decides.
//! `docs/precedence.md` is this table in words, and a test keeps the two equal.

use crate::reason::ReasonCode;

/// One layer of the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// The reason it gives.
    pub code: ReasonCode,
    /// What it can answer.
    pub answers: Answers,
    /// When it applies, in a sentence for administrators.
    pub applies: &'static str,
}

/// What a layer can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// It only opens.
    Allow,
    /// It only blocks.
    Block,
    /// It opens what it names and blocks the rest.
    Either,
    /// It asks first.
    Notice,
}

/// The layers, strongest first.
pub const LAYERS: [Layer; 18] = [
    layer(
        ReasonCode::Illegal,
        Answers::Block,
        "the URL is on a locked list of illegal material; nothing lifts this, at any hour",
    ),
    layer(
        ReasonCode::NotWeb,
        Answers::Allow,
        "the address is not of the web (`chrome:`, an extension's own page); Chrome's own policies rule those",
    ),
    layer(
        ReasonCode::Help,
        Answers::Allow,
        "the URL is a help service; in an examination only crisis lines count as such",
    ),
    layer(
        ReasonCode::SignIn,
        Answers::Allow,
        "the URL is a sign-in page, a captive portal or the Admin console",
    ),
    layer(
        ReasonCode::OutsideSchoolHours,
        Answers::Allow,
        "the school does not manage websites at this time",
    ),
    layer(
        ReasonCode::Exception,
        Answers::Allow,
        "a supervised exception that holds now opens the URL, its category or the closed period",
    ),
    layer(
        ReasonCode::Exam,
        Answers::Either,
        "an examination is on: what it names is open, all else is blocked",
    ),
    layer(
        ReasonCode::Grant,
        Answers::Allow,
        "a club or other named grant that holds now names the URL",
    ),
    layer(
        ReasonCode::Closed,
        Answers::Block,
        "the period is closed for this cohort",
    ),
    layer(
        ReasonCode::Acceptance,
        Answers::Block,
        "the acceptable use policy has not been accepted, and the URL is not open until then",
    ),
    layer(
        ReasonCode::UrlRule,
        Answers::Either,
        "an allow or block entry of the school covers the URL; the longer entry wins, and a block wins a tie",
    ),
    layer(
        ReasonCode::Allowlist,
        Answers::Allow,
        "only an allowlist is open, and it covers the URL",
    ),
    layer(
        ReasonCode::NotOnAllowlist,
        Answers::Block,
        "only an allowlist is open, and it does not cover the URL",
    ),
    layer(
        ReasonCode::Category,
        Answers::Block,
        "a blocked category holds for the URL; beaten by an education or allowlist entry at least as long as the category's longest",
    ),
    layer(
        ReasonCode::Notice,
        Answers::Notice,
        "the URL's category, or the whole period, wants an acknowledgement first",
    ),
    layer(
        ReasonCode::Education,
        Answers::Allow,
        "a blocked category would hold, but the education allowlist opens the URL",
    ),
    layer(
        ReasonCode::NotListed,
        Answers::Allow,
        "nothing speaks against the URL",
    ),
    layer(
        ReasonCode::Fault,
        Answers::Block,
        "something unexpected went wrong while deciding",
    ),
];

const fn layer(code: ReasonCode, answers: Answers, applies: &'static str) -> Layer {
    Layer {
        code,
        answers,
        applies,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_stand_in_the_order_of_their_codes() {
        for (layer, code) in LAYERS.iter().zip(ReasonCode::ALL) {
            assert_eq!(layer.code, code);
        }
    }

    #[test]
    fn the_document_is_this_table() {
        let document = include_str!("../../../docs/precedence.md");
        let rows: Vec<Vec<&str>> = document
            .lines()
            .filter(|line| line.starts_with("| ") && !line.starts_with("| | "))
            .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
            .collect();
        let table: Vec<Vec<String>> = LAYERS
            .iter()
            .enumerate()
            .map(|(number, layer)| {
                let answers = match layer.answers {
                    Answers::Allow => "allow",
                    Answers::Block => "block",
                    Answers::Either => "either",
                    Answers::Notice => "notice",
                };
                vec![
                    (number + 1).to_string(),
                    format!("`{}`", layer.code.as_str()),
                    answers.to_owned(),
                    layer.applies.to_owned(),
                ]
            })
            .collect();
        assert_eq!(rows, table);
    }
}
