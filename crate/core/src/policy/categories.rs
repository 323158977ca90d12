//! The categories a policy may name.
//!
//! The source is `lists/categories.toml`; a test keeps the two equal.

/// A category that a policy may block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CategoryFacts {
    /// Its stable id.
    pub id: &'static str,
    /// Whether the built-in lesson rules block it for pupils.
    pub blocked_in_doubt: bool,
    /// Whether a supervised exception may open the whole category (T55).
    pub exception_may_lift: bool,
}

const fn category(
    id: &'static str,
    blocked_in_doubt: bool,
    exception_may_lift: bool,
) -> CategoryFacts {
    CategoryFacts {
        id,
        blocked_in_doubt,
        exception_may_lift,
    }
}

/// Every category that a policy may block, in the order of its number.
pub(super) const CATEGORIES: &[CategoryFacts] = &[
    category("adult", true, false),
    category("gambling", true, true),
    category("games", true, true),
    category("social-media", true, true),
    category("messaging", false, true),
    category("webmail", true, true),
    category("proxies", true, false),
    category("piracy", true, true),
    category("drugs", true, true),
    category("weapons", true, true),
    category("self-harm", true, false),
    category("hate", true, true),
    category("extremism", true, true),
    category("dating", true, true),
    category("malware", true, false),
    category("phishing", true, false),
    category("ai-tools", false, true),
    category("eating-disorders", true, false),
    category("violence", true, true),
    category("gore", true, false),
    category("undressing", true, false),
    category("ai-companions", true, true),
    category("video-streaming", false, true),
    category("music", false, true),
    category("vpn", true, false),
    category("remote-control", true, true),
    category("doh", true, false),
    category("dynamic-dns", true, true),
    category("user-hosting", false, true),
    category("url-shorteners", false, true),
    category("advertising", false, true),
    category("scams", true, false),
    category("shopping", false, true),
    category("file-sharing", true, true),
    category("forums", false, true),
    category("tobacco-vaping", true, true),
    category("alcohol", false, true),
    category("cryptocurrency", false, true),
    category("search-engines", true, true),
    category("translation", false, true),
    category("essay-mills", true, true),
    category("stalkerware", true, false),
    category("hacking", true, true),
    category("typosquat", false, false),
    category("cults", false, true),
    category("misinformation", false, true),
    category("nudity", true, true),
    category("cryptomining", true, false),
    category("disposable-email", true, true),
    category("misogyny", true, true),
    category("anonymous-chat", true, false),
    category("software-downloads", false, true),
    category("darknet", true, false),
];

/// Whether the language knows this category.
pub(super) fn is_category(id: &str) -> bool {
    CATEGORIES.iter().any(|category| category.id == id)
}

/// Whether a supervised exception may open the whole category (T55); a school's own may be.
///
/// The one answer of the language and of the decision: `exception_may_lift` of
/// `lists/categories.toml`.
pub(crate) fn may_lift(id: &str) -> bool {
    CATEGORIES
        .iter()
        .find(|category| category.id == id)
        .is_none_or(|category| category.exception_may_lift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_equals_the_lists_own() {
        let text = include_str!("../../../../lists/categories.toml");
        let table: toml::Table = text.parse().unwrap();
        let mut listed: Vec<(i64, String, bool, bool)> = table["category"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|category| category["kind"].as_str() == Some("block"))
            .map(|category| {
                (
                    category["number"].as_integer().unwrap(),
                    category["id"].as_str().unwrap().to_owned(),
                    category["default_lesson_block"].as_bool().unwrap(),
                    category["exception_may_lift"].as_bool().unwrap(),
                )
            })
            .collect();
        listed.sort();
        assert_eq!(listed.len(), CATEGORIES.len());
        for ((_, id, blocked, lift), here) in listed.iter().zip(CATEGORIES) {
            assert_eq!(
                (id.as_str(), *blocked, *lift),
                (here.id, here.blocked_in_doubt, here.exception_may_lift)
            );
        }
        for never in ["adult", "malware", "phishing", "proxies"] {
            assert!(!may_lift(never), "{never}");
        }
    }
}
