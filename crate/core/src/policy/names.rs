//! The names a policy gives to things, and finding the thing that a name means.

use super::fault::{FaultCode, Findings, suggestion};
use super::node::Node;
use super::person::{CohortKind, MAX_COHORTS, People, Who};
use super::timetable::BETWEEN;
use super::walk::{At, Fields};

/// The kind of a session that says none.
pub(super) const SESSION: &str = "session";

/// Every name of a policy, each list in the order of the numbers that stand for them.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub cohorts: Vec<(String, CohortKind)>,
    pub groups: Vec<String>,
    pub places: Vec<String>,
    pub filters: Vec<String>,
    pub allowlists: Vec<String>,
    pub cycle: Vec<String>,
    pub kinds: Vec<String>,
    pub period_names: Vec<String>,
    pub own_categories: Vec<String>,
    /// Whether addresses may be given as salted digests.
    pub has_salt: bool,
    pub titles: Vec<String>,
}

impl Names {
    /// The names of an object whose keys the school chose, each of plain letters.
    pub fn map_names<'a>(
        &self,
        at: &At<'a>,
        what: &str,
        findings: &mut Findings,
    ) -> Option<Vec<(String, At<'a>)>> {
        let fields = at.named(findings)?;
        for (name, at) in &fields {
            check_name(name, what, &at.path, findings);
        }
        let owned = fields.into_iter().map(|(name, at)| (name.to_owned(), at));
        Some(owned.collect())
    }

    /// A `name` that nothing else decisions can quote bears.
    pub fn unique_title(
        &mut self,
        fields: &Fields,
        example: &str,
        findings: &mut Findings,
    ) -> Option<String> {
        let at = fields.need("name", &format!("\"{example}\""), findings)?;
        let title = at.text(findings)?;
        if title.chars().count() > 100 {
            findings.fault(
                &at.path,
                FaultCode::TooLarge,
                "the name is longer than 100 characters; shorten it",
            );
        }
        if self.titles.iter().any(|known| known == title) {
            findings.fault(
                &at.path,
                FaultCode::DuplicateName,
                format!("the name `{title}` is taken; decisions quote names, so give each rule, session, grant and examination its own"),
            );
        }
        self.titles.push(title.to_owned());
        Some(title.to_owned())
    }

    /// A set of cohorts.
    pub fn cohort_set(&self, at: &At, findings: &mut Findings) -> Option<u128> {
        let who = self.who(at, findings)?;
        if !who.groups.is_empty() || !who.people.is_empty() {
            findings.fault(
                &at.path,
                FaultCode::InvalidValue,
                "only cohorts can stand here, no groups and no addresses; a rule or session can name those",
            );
        }
        Some(who.cohorts)
    }

    /// Whom a list names: cohorts, groups, `@pupils`, `@staff`, `@everyone`, addresses and
    /// salted digests of addresses.
    pub fn who(&self, at: &At, findings: &mut Findings) -> Option<Who> {
        let mut who = Who::default();
        for item in at.some_list(findings)? {
            let Some(text) = item.text(findings) else {
                continue;
            };
            let of_kind = |kind: Option<CohortKind>| {
                self.cohorts
                    .iter()
                    .enumerate()
                    .filter(|(_, (_, its))| kind.is_none_or(|kind| kind == *its))
                    .fold(0_u128, |set, (number, _)| set | 1 << number)
            };
            match text {
                "@everyone" => who.cohorts |= of_kind(None),
                "@pupils" => who.cohorts |= of_kind(Some(CohortKind::Pupil)),
                "@staff" => who.cohorts |= of_kind(Some(CohortKind::Staff)),
                _ => self.add_who(text, &item, &mut who, findings),
            }
        }
        who.groups.sort_unstable();
        Some(who)
    }

    fn add_who(&self, text: &str, at: &At, who: &mut Who, findings: &mut Findings) {
        if let Some(number) = self.cohorts.iter().position(|(name, _)| name == text) {
            who.cohorts |= 1 << number;
        } else if let Some(number) = self.groups.iter().position(|name| name == text) {
            who.groups.push(number as u16);
        } else if is_person(text) {
            self.add_person(text, at, &mut who.people, findings);
        } else {
            let known: Vec<&str> = ["@everyone", "@pupils", "@staff"]
                .into_iter()
                .chain(self.cohorts.iter().map(|(name, _)| name.as_str()))
                .chain(self.groups.iter().map(String::as_str))
                .collect();
            findings.fault(
                &at.path,
                FaultCode::UnknownName,
                format!(
                    "no cohort or group is called `{text}`; {}",
                    suggestion(text, known.iter().copied())
                ),
            );
        }
    }

    /// Adds an address or a salted digest of one.
    pub fn add_person(&self, text: &str, at: &At, people: &mut People, findings: &mut Findings) {
        if let Some(hex) = text.strip_prefix("sha256:") {
            let Some(digest) = parse_hex(hex) else {
                findings.fault(
                    &at.path,
                    FaultCode::InvalidValue,
                    "a digest is `sha256:` and 64 hexadecimal digits; `bellgate policy console` makes them",
                );
                return;
            };
            if !self.has_salt {
                findings.fault(
                    &at.path,
                    FaultCode::MissingKey,
                    "a digest needs the `salt` it was made with, in `school`",
                );
            }
            people.digests.insert(digest);
            return;
        }
        let parts: Vec<&str> = text.split('@').collect();
        if parts.len() != 2 || parts.iter().any(|part| part.is_empty()) || text.contains(['*', ' '])
        {
            findings.fault(
                &at.path,
                FaultCode::InvalidValue,
                format!("`{text}` is not one address; write it like `24ahall@school.example`"),
            );
            return;
        }
        people.addresses.insert(text.to_lowercase());
    }

    pub fn place_number(&self, at: &At, findings: &mut Findings) -> Option<u16> {
        find(at, &self.places, "place", findings).map(|number| number as u16)
    }

    pub fn filter_number(&self, at: &At, findings: &mut Findings) -> Option<usize> {
        find(at, &self.filters, "filter", findings)
    }

    pub fn allowlist_number(&self, at: &At, findings: &mut Findings) -> Option<usize> {
        find(at, &self.allowlists, "allowlist", findings)
    }

    pub fn cycle_number(&self, at: &At, findings: &mut Findings) -> Option<u8> {
        find(at, &self.cycle, "week of the cycle", findings).map(|number| number as u8)
    }

    pub fn kind_number(&self, at: &At, findings: &mut Findings) -> Option<u8> {
        find(at, &self.kinds, "kind of period", findings).map(|number| number as u8)
    }

    pub fn period_number(&self, at: &At, findings: &mut Findings) -> Option<u16> {
        find(at, &self.period_names, "period", findings).map(|number| number as u16)
    }

    /// A set of kinds of period.
    pub fn kind_set(&self, at: &At, findings: &mut Findings) -> Option<u64> {
        let mut set = 0;
        for item in at.some_list(findings)? {
            set |= self
                .kind_number(&item, findings)
                .map_or(0, |number| 1 << number);
        }
        Some(set)
    }

    /// The number of a kind of period, new or known.
    pub fn learn_kind(&mut self, at: &At, findings: &mut Findings) -> Option<u8> {
        let text = at.text(findings)?;
        if let Some(number) = self.kinds.iter().position(|kind| kind == text) {
            return Some(number as u8);
        }
        check_name(text, "kind of period", &at.path, findings);
        if self.kinds.len() == 64 {
            findings.fault(
                &at.path,
                FaultCode::TooLarge,
                "there are more than 64 kinds of period; use one kind for periods of one sort",
            );
            return None;
        }
        self.kinds.push(text.to_owned());
        Some(self.kinds.len() as u8 - 1)
    }

    /// The number of the kind of minutes that no period covers.
    pub fn learn_between(&mut self) -> u8 {
        self.learn_plain_kind(BETWEEN)
    }

    /// The number of the kind of sessions that say none.
    pub fn session_kind(&mut self) -> u8 {
        self.learn_plain_kind(SESSION)
    }

    fn learn_plain_kind(&mut self, kind: &str) -> u8 {
        let node = Node::Text(kind.to_owned());
        let mut unheard = Findings::default();
        self.learn_kind(&At::new(&node, ""), &mut unheard)
            .unwrap_or_default()
    }

    /// The number of a period's name, new or known.
    pub fn learn_period(&mut self, name: &str) -> u16 {
        if let Some(number) = self.period_names.iter().position(|known| known == name) {
            return number as u16;
        }
        self.period_names.push(name.to_owned());
        self.period_names.len() as u16 - 1
    }

    /// Notes a fault where there are more cohorts than a set can hold.
    pub fn check_cohorts(&self, path: &str, findings: &mut Findings) {
        if self.cohorts.len() > MAX_COHORTS {
            findings.fault(
                path,
                FaultCode::TooLarge,
                format!(
                    "there are {} cohorts; keep to {MAX_COHORTS} at most",
                    self.cohorts.len()
                ),
            );
        }
    }
}

/// Whether a text looks like an address or a digest rather than a name.
pub(super) fn is_person(text: &str) -> bool {
    text.starts_with("sha256:") || (text.contains('@') && !text.starts_with('@'))
}

fn find(at: &At, names: &[String], what: &str, findings: &mut Findings) -> Option<usize> {
    let text = at.text(findings)?;
    let found = names.iter().position(|name| name == text);
    if found.is_none() {
        findings.fault(
            &at.path,
            FaultCode::UnknownName,
            format!(
                "no {what} is called `{text}`; {}",
                suggestion(text, names.iter().map(String::as_str))
            ),
        );
    }
    found
}

fn check_name(name: &str, what: &str, path: &str, findings: &mut Findings) {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let framed = !name.starts_with('-') && !name.ends_with('-');
    if name.is_empty() || name.len() > 64 || !plain || !framed {
        findings.fault(
            path,
            FaultCode::InvalidValue,
            format!("`{name}` cannot name a {what}; use small letters, digits and hyphens, like `year-9`"),
        );
    }
}

fn parse_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *byte = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}
