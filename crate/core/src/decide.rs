//! One decision: a request, a standing and the lists in; an action and its reason out.

use serde::{Deserialize, Serialize};

use crate::canonical::CanonicalUrl;
use crate::list::{EntrySet, HostHashes, LookupError, Pack};
use crate::lists::{Hit, Lists, LockedSlot, PackMasks, longest_hit};
use crate::reason::{Reason, ReasonCode};
use crate::request::ResourceType;
use crate::standing::{HelpScope, Mode, Opening, OpeningKind, Standing};

/// What is done with a request. Numbers cross into JavaScript and are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Action {
    /// It goes through.
    Allow = 0,
    /// It is stopped before a connection is made.
    Block = 1,
    /// It goes through once a notice is acknowledged.
    Notice = 2,
}

/// Who started a request.
#[derive(Debug, Clone, Copy)]
pub struct Initiator<'a> {
    /// The page's URL, or its origin where that is all Chrome tells.
    pub url: &'a CanonicalUrl<'a>,
    /// Whether only the origin is known.
    ///
    /// A page on a host of which only some paths are open can only be one of those
    /// paths, since the others were never opened: so an origin counts as open when any
    /// entry that is open lies on its host.
    pub is_origin: bool,
}

/// An action and what led to it, borrowed from the standing and the lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// What is done.
    pub action: Action,
    /// The layer that decided.
    pub code: ReasonCode,
    /// The rule, grant, examination or filter that applied.
    pub rule: Option<&'a str>,
    /// Which category of which pack, where one decided.
    pub category: Option<CategoryHit>,
    /// The policy entry that matched, where one decided.
    pub entry: Option<&'a str>,
    /// Which list of the locked layer has the URL, where that layer decided.
    pub locked: Option<LockedSlot>,
}

/// A category that holds for a URL; the entry is looked up only when it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CategoryHit {
    /// Whether the built-in pack has it, or else the school's.
    pub built_in: bool,
    /// The bits of that pack that hold.
    pub mask: u128,
}

/// Decides one request.
///
/// The layers of [`crate::precedence::LAYERS`] are tried in their order. Nothing here
/// allocates unless a listed category holds for the URL.
///
/// # Errors
/// [`Undecided`] when a pack is damaged: it must be dropped and the question asked again.
pub fn decide<'a>(
    url: &CanonicalUrl<'_>,
    kind: ResourceType,
    initiator: Option<Initiator<'_>>,
    standing: &'a Standing,
    masks: &PackMasks,
    lists: &'a Lists,
) -> Result<Outcome<'a>, Undecided> {
    let slot = locked(url, lists);
    if let Ok(Some(slot)) = slot {
        return Ok(Outcome {
            locked: Some(slot),
            ..block(ReasonCode::Illegal, None)
        });
    }
    let outcome = decide_unlocked(url, kind, initiator, standing, masks, lists)?;
    match slot {
        Err(damaged) if outcome.action != Action::Block && !opened_by_name(&outcome) => {
            Err(damaged)
        }
        _ => Ok(outcome),
    }
}

/// Whether somebody named what is open: no damaged list closes help services, sign-in
/// pages or what the school itself opens.
fn opened_by_name(outcome: &Outcome<'_>) -> bool {
    outcome.action == Action::Allow
        && matches!(
            outcome.code,
            ReasonCode::NotWeb
                | ReasonCode::Help
                | ReasonCode::SignIn
                | ReasonCode::Allowlist
                | ReasonCode::UrlRule
                | ReasonCode::Exam
                | ReasonCode::Grant
                | ReasonCode::Exception
                | ReasonCode::Education
        )
}

/// The layers below the locked one.
fn decide_unlocked<'a>(
    url: &CanonicalUrl<'_>,
    kind: ResourceType,
    initiator: Option<Initiator<'_>>,
    standing: &'a Standing,
    masks: &PackMasks,
    lists: &'a Lists,
) -> Result<Outcome<'a>, Undecided> {
    let found = Found::look_up(url, lists)?;
    if let Some(opened) = always_open(url, found, standing, masks) {
        return Ok(opened);
    }
    if standing.mode == Mode::Open {
        return Ok(allow(ReasonCode::OutsideSchoolHours, Some(&standing.rule)));
    }
    if let Some(opened) = excepted(url, standing) {
        return Ok(opened);
    }
    let opened_page = match initiator.filter(|_| !kind.is_page()) {
        Some(initiator) => is_open_page(initiator, standing, masks, lists)?,
        None => false,
    };
    if !opened_page && let Some(outcome) = gates(url, standing) {
        if outcome.code != ReasonCode::Allowlist {
            return Ok(outcome);
        }
        // An allowlist is still filtered by category; a longer category entry wins.
        let length = outcome.entry.map_or(0, str::len);
        let blocked = by_category(url, kind, found, standing, masks, lists, length)?
            .filter(|outcome| outcome.action == Action::Block);
        return Ok(blocked.unwrap_or(outcome));
    }
    let mut allowed_length = 0;
    if let Some(outcome) = url_rule(url, standing) {
        if outcome.action == Action::Block || !opened_page {
            return Ok(outcome);
        }
        allowed_length = outcome.entry.map_or(0, str::len);
    }
    Ok(
        by_category(url, kind, found, standing, masks, lists, allowed_length)?
            .unwrap_or_else(|| allow(ReasonCode::NotListed, Some(&standing.rule))),
    )
}

/// Which pack could not say whether a URL is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undecided {
    /// The one that ships with the extension.
    #[error("the built-in list pack: {0}")]
    BuiltIn(LookupError),
    /// The school's.
    #[error("the school's list pack: {0}")]
    School(LookupError),
    /// A list of the locked layer.
    #[error("the locked list `{}`: {}", .0.name(), .1)]
    Locked(LockedSlot, LookupError),
}

/// The locked list that has the URL; no exception of a list and nothing else lifts it.
fn locked(url: &CanonicalUrl<'_>, lists: &Lists) -> Result<Option<LockedSlot>, Undecided> {
    if !url.is_web() {
        return Ok(None);
    }
    for slot in LockedSlot::ALL {
        if let Some(pack) = lists.locked(slot) {
            let listed = pack.lookup(url);
            if listed.map_err(|error| Undecided::Locked(slot, error))? != 0 {
                return Ok(Some(slot));
            }
        }
    }
    Ok(None)
}

/// The layer of supervised exceptions, as far as they name entries.
fn excepted<'a>(url: &CanonicalUrl<'_>, standing: &'a Standing) -> Option<Outcome<'a>> {
    standing.exceptions.iter().find_map(|exception| {
        let entry = exception.entries.longest_match(url)?;
        Some(Outcome {
            entry: Some(entry),
            ..allow(ReasonCode::Exception, Some(&exception.id))
        })
    })
}

/// Category bits of a URL in each pack.
#[derive(Debug, Clone, Copy)]
struct Found {
    built_in: u128,
    school: u128,
}

impl Found {
    fn look_up(url: &CanonicalUrl<'_>, lists: &Lists) -> Result<Self, Undecided> {
        let mut hashes = HostHashes::default();
        let mut bits =
            |pack: Option<&Pack>| pack.map_or(Ok(0), |pack| pack.lookup_with(url, &mut hashes));
        Ok(Self {
            built_in: bits(lists.built_in.as_ref()).map_err(Undecided::BuiltIn)?,
            school: bits(lists.school.as_ref()).map_err(Undecided::School)?,
        })
    }
}

/// The layers that open in every state: other schemes, help services, sign-in pages.
fn always_open<'a>(
    url: &CanonicalUrl<'_>,
    found: Found,
    standing: &'a Standing,
    masks: &PackMasks,
) -> Option<Outcome<'a>> {
    if !url.is_web() {
        return Some(allow(ReasonCode::NotWeb, None));
    }
    if found.built_in == 0 {
        return None;
    }
    let help = match standing.help {
        HelpScope::All => masks.built_in.help,
        HelpScope::CrisisOnly => masks.built_in.help_crisis,
        HelpScope::None => 0,
    };
    if found.built_in & help != 0 && standing.help_closed.longest_match(url).is_none() {
        return Some(allow(ReasonCode::Help, None));
    }
    (found.built_in & masks.built_in.sign_in != 0).then(|| allow(ReasonCode::SignIn, None))
}

/// The layers that close everything but what they name.
fn gates<'a>(url: &CanonicalUrl<'_>, standing: &'a Standing) -> Option<Outcome<'a>> {
    let lifted = standing
        .exceptions
        .iter()
        .find(|exception| exception.opens_closed_period);
    match standing.mode {
        Mode::Exam => {
            return Some(match opening(url, standing, OpeningKind::Exam) {
                Some((rule, entry)) => Outcome {
                    entry: Some(entry),
                    ..allow(ReasonCode::Exam, Some(rule))
                },
                None => block(ReasonCode::Exam, Some(&standing.rule)),
            });
        }
        Mode::Open | Mode::Filtered | Mode::Notice | Mode::Allowlist | Mode::Closed => {}
    }
    if let Some((rule, entry)) = opening(url, standing, OpeningKind::Grant) {
        return Some(Outcome {
            entry: Some(entry),
            ..allow(ReasonCode::Grant, Some(rule))
        });
    }
    if standing.mode == Mode::Closed && lifted.is_none() {
        return Some(block(ReasonCode::Closed, Some(&standing.rule)));
    }
    if let Some(acceptance) = &standing.acceptance
        && acceptance.entries.longest_match(url).is_none()
    {
        return Some(block(ReasonCode::Acceptance, Some(&acceptance.version)));
    }
    if standing.mode != Mode::Allowlist || lifted.is_some() {
        return None;
    }
    if let Some(blocked) = url_rule(url, standing).filter(|rule| rule.action == Action::Block) {
        return Some(blocked);
    }
    Some(match opening(url, standing, OpeningKind::Allowlist) {
        Some((rule, entry)) => Outcome {
            entry: Some(entry),
            ..allow(ReasonCode::Allowlist, Some(rule))
        },
        None => block(ReasonCode::NotOnAllowlist, Some(&standing.rule)),
    })
}

/// The longest entry among the openings of one kind.
fn opening<'a>(
    url: &CanonicalUrl<'_>,
    standing: &'a Standing,
    kind: OpeningKind,
) -> Option<(&'a str, &'a str)> {
    standing
        .openings
        .iter()
        .filter(|opening| opening.kind == kind)
        .filter_map(|opening| Some((opening.rule.as_str(), opening.entries.longest_match(url)?)))
        .max_by_key(|(_, entry)| entry.len())
}

/// The school's own entries; the longer wins, and a block wins a tie.
fn url_rule<'a>(url: &CanonicalUrl<'_>, standing: &'a Standing) -> Option<Outcome<'a>> {
    let filter = &standing.filter;
    let denied = filter.deny.longest_match(url);
    let allowed = filter.allow.longest_match(url);
    let rule = Some(filter.name.as_str());
    match (denied, allowed) {
        (None, None) => None,
        (Some(denied), allowed) if allowed.is_none_or(|allowed| allowed.len() <= denied.len()) => {
            Some(Outcome {
                entry: Some(denied),
                ..block(ReasonCode::UrlRule, rule)
            })
        }
        (_, allowed) => Some(Outcome {
            entry: allowed,
            ..allow(ReasonCode::UrlRule, rule)
        }),
    }
}

/// Blocked categories, notices and the education allowlist.
///
/// An entry of `allowed_length` bytes already speaks for the URL: only a longer
/// category entry beats it.
fn by_category<'a>(
    url: &CanonicalUrl<'_>,
    kind: ResourceType,
    found: Found,
    standing: &'a Standing,
    masks: &PackMasks,
    lists: &'a Lists,
    allowed_length: usize,
) -> Result<Option<Outcome<'a>>, Undecided> {
    let rule = Some(standing.rule.as_str());
    let is_document = matches!(kind, ResourceType::MainFrame | ResourceType::SubFrame);
    let hit = |school_mask: u128, built_in_mask: u128| {
        let school = found.school & school_mask;
        let built_in = found.built_in & built_in_mask;
        match (school, built_in) {
            (0, 0) => None,
            (0, mask) => Some(CategoryHit {
                built_in: true,
                mask,
            }),
            (mask, _) => Some(CategoryHit {
                built_in: false,
                mask,
            }),
        }
    };
    let blocked = hit(masks.school.block, masks.built_in.block);
    let asked = hit(masks.school.notice, masks.built_in.notice).filter(|_| is_document);
    for (category, outcome) in [
        (blocked, block(ReasonCode::Category, rule)),
        (asked, ask(rule)),
    ] {
        let Some(category) = category else { continue };
        // Nothing is left where the lists' own exceptions take the category away.
        let listed = category.length(url, lists)?;
        if listed <= allowed_length {
            continue;
        }
        if education_length(url, found, masks, lists)? >= listed {
            return Ok(Some(Outcome {
                category: Some(category),
                ..allow(ReasonCode::Education, rule)
            }));
        }
        let lifted = if category.built_in {
            masks.built_in.lifted
        } else {
            masks.school.lifted
        };
        if category.mask & !lifted == 0 {
            let lifting = standing
                .exceptions
                .iter()
                .find(|e| !e.categories.is_empty());
            return Ok(Some(Outcome {
                category: Some(category),
                ..allow(
                    ReasonCode::Exception,
                    lifting.map(|exception| exception.id.as_str()),
                )
            }));
        }
        return Ok(Some(Outcome {
            category: Some(category),
            ..outcome
        }));
    }
    Ok((standing.mode == Mode::Notice && kind.is_page()).then(|| ask(rule)))
}

impl CategoryHit {
    /// The entry behind the hit, with the name of its category.
    ///
    /// # Errors
    /// [`Undecided`] when the pack cannot say.
    pub fn longest(self, url: &CanonicalUrl<'_>, lists: &Lists) -> Result<Option<Hit>, Undecided> {
        let (pack, undecided) = self.pack(lists);
        pack.map_or(Ok(None), |pack| longest_hit(pack, url, self.mask))
            .map_err(undecided)
    }

    /// The bytes of that entry; 0 where there is none.
    fn length(self, url: &CanonicalUrl<'_>, lists: &Lists) -> Result<usize, Undecided> {
        let (pack, undecided) = self.pack(lists);
        pack.map_or(Ok(0), |pack| pack.longest_length(url, self.mask))
            .map_err(undecided)
    }

    fn pack(self, lists: &Lists) -> (Option<&Pack>, fn(LookupError) -> Undecided) {
        if self.built_in {
            (lists.built_in.as_ref(), Undecided::BuiltIn)
        } else {
            (lists.school.as_ref(), Undecided::School)
        }
    }
}

/// The length of the longest education entry for the URL; 0 where there is none.
fn education_length(
    url: &CanonicalUrl<'_>,
    found: Found,
    masks: &PackMasks,
    lists: &Lists,
) -> Result<usize, Undecided> {
    let longest = |mask: u128, built_in: bool| match mask {
        0 => Ok(0),
        mask => CategoryHit { built_in, mask }.length(url, lists),
    };
    let school = longest(found.school & masks.school.education, false)?;
    Ok(school.max(longest(found.built_in & masks.built_in.education, true)?))
}

/// Whether a page that may start requests is open in a mode that closes others.
fn is_open_page(
    initiator: Initiator<'_>,
    standing: &Standing,
    masks: &PackMasks,
    lists: &Lists,
) -> Result<bool, Undecided> {
    let found = Found::look_up(initiator.url, lists)?;
    let opened = always_open(initiator.url, found, standing, masks);
    if opened.is_some_and(|outcome| outcome.code != ReasonCode::NotWeb) {
        return Ok(true);
    }
    let names = |entries: &EntrySet| {
        if initiator.is_origin {
            entries.covers_host(initiator.url.host())
        } else {
            entries.longest_match(initiator.url).is_some()
        }
    };
    let counts = |opening: &Opening| match standing.mode {
        Mode::Exam => opening.kind == OpeningKind::Exam,
        Mode::Closed => opening.kind == OpeningKind::Grant,
        Mode::Open | Mode::Filtered | Mode::Notice | Mode::Allowlist => {
            opening.kind != OpeningKind::Exam
        }
    };
    Ok(standing
        .openings
        .iter()
        .any(|opening| counts(opening) && names(&opening.entries))
        || standing
            .exceptions
            .iter()
            .any(|exception| names(&exception.entries))
        || standing
            .acceptance
            .as_ref()
            .is_some_and(|acceptance| names(&acceptance.entries)))
}

fn allow(code: ReasonCode, rule: Option<&str>) -> Outcome<'_> {
    Outcome {
        action: Action::Allow,
        code,
        rule,
        category: None,
        entry: None,
        locked: None,
    }
}

fn block(code: ReasonCode, rule: Option<&str>) -> Outcome<'_> {
    Outcome {
        action: Action::Block,
        ..allow(code, rule)
    }
}

fn ask(rule: Option<&str>) -> Outcome<'_> {
    Outcome {
        action: Action::Notice,
        ..allow(ReasonCode::Notice, rule)
    }
}

impl Outcome<'_> {
    /// The reason, whole, with the category and entry looked up.
    #[must_use]
    pub fn reason(&self, url: &CanonicalUrl<'_>, lists: &Lists) -> Reason {
        let hit = self
            .category
            .and_then(|category| category.longest(url, lists).ok().flatten());
        let (category, entry) = match (hit, self.locked) {
            (Some(hit), _) => (Some(hit.category), Some(hit.entry)),
            (None, Some(slot)) => (Some(slot.name().to_owned()), None),
            (None, None) => (None, None),
        };
        Reason {
            code: self.code,
            rule: self.rule.map(str::to_owned),
            category,
            entry: self.entry.map(str::to_owned).or(entry),
        }
    }
}
