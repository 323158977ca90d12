//! The least that is recorded of a decision.
//!
//! What may leave a device is decided here and nowhere else, so that it can be tested
//! without a browser: only blocks and notices, never an allowed URL; a name only for a
//! pupil's own top-level navigation in a period that is not closed; no URL for the
//! locked layer; nothing at all for help services and outside school hours.

use serde::{Deserialize, Serialize};

use crate::canonical::CanonicalUrl;
use crate::context::Clock;
use crate::decide::{Action, Outcome};
use crate::engine::View;
use crate::reason::ReasonCode;
use crate::request::ResourceType;
use crate::standing::{Mode, Recording, SubjectDetail, UrlDetail};

/// How a request came about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Navigation {
    /// The user opened the page: typed, clicked or submitted.
    Own,
    /// The browser brought it back, fetched it ahead or loads it for a page.
    #[default]
    Other,
    /// It was already open when the period began or the policy changed.
    Transition,
}

/// What an event says; the device adds its id, time and versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventBody {
    /// What happened.
    pub kind: EventKind,
    /// The user, as the school's policy wants them named; absent for counts.
    pub subject: Option<String>,
    /// The cohort.
    pub cohort: Option<String>,
    /// What was blocked; absent for counts and for the locked layer.
    pub url: Option<EventUrl>,
    /// What the request was for.
    #[serde(rename = "type")]
    pub resource_type: ResourceType,
    /// Why.
    pub reason: EventReason,
    /// The keyed id of the locked layer's entry ([`crate::list::Pack::entry_id`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_key: Option<String>,
    /// The period of the school day.
    pub period: Option<EventPeriod>,
    /// How many attempts this stands for.
    pub count: u32,
}

/// The kinds of event that a decision makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// One blocked page, with its URL.
    Block,
    /// One page that asked for an acknowledgement.
    Notice,
    /// A number without a name or a URL.
    Count,
    /// A pupil asked for a blocked page to be looked at again.
    Review,
    /// Somebody reported an unsafe page that was open (T57).
    Report,
}

/// What somebody says of a page by pressing a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statement {
    /// A notice was acknowledged.
    Notice,
    /// A block is asked to be reviewed.
    Review,
    /// An open page is reported as unsafe.
    Report,
}

/// As much of a URL as an event carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventUrl {
    /// The hostname.
    pub host: String,
    /// The path, with its query where the school wants it.
    pub path: Option<String>,
}

/// The reason without its list entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventReason {
    /// The layer.
    pub code: ReasonCode,
    /// The rule.
    pub rule: Option<String>,
    /// The category.
    pub category: Option<String>,
}

/// The period without its times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPeriod {
    /// As the timetable names it.
    pub name: String,
    /// Its kind.
    pub kind: String,
}

/// What a decision is recorded as, if at all.
///
/// `subject` is how the user is to be named, already made from the address by
/// [`subject_for`]; it is dropped wherever the event may not name anyone.
#[must_use]
pub fn record(
    outcome: &Outcome<'_>,
    url: &CanonicalUrl<'_>,
    kind: ResourceType,
    navigation: Navigation,
    view: View<'_>,
    subject: Option<String>,
) -> Option<EventBody> {
    let View {
        standing, context, ..
    } = view;
    let event_kind = match outcome.action {
        Action::Allow => return None,
        Action::Block => EventKind::Block,
        Action::Notice => EventKind::Notice,
    };
    let locked = outcome.code == ReasonCode::Illegal;
    if !locked && (!standing.is_managed() || standing.recording == Recording::Nothing) {
        return None;
    }
    if navigation == Navigation::Transition && !locked {
        return None;
    }
    let named = standing.recording == Recording::Named
        && navigation == Navigation::Own
        && kind.is_page()
        && standing.mode != Mode::Closed
        && standing.doubt.is_none()
        && context.clock != Clock::Doubtful
        && !standing.observe
        && outcome.code != ReasonCode::Fault;
    Some(EventBody {
        kind: if named { event_kind } else { EventKind::Count },
        subject: if named { subject } else { None },
        url: (named && !locked).then(|| url_detail(url, standing.reporting.url)),
        ..body(outcome, url, kind, view)
    })
}

/// What every event says: why, in which period, of which cohort.
fn body(
    outcome: &Outcome<'_>,
    url: &CanonicalUrl<'_>,
    kind: ResourceType,
    view: View<'_>,
) -> EventBody {
    let reason = outcome.reason(url, view.lists);
    EventBody {
        kind: EventKind::Count,
        subject: None,
        cohort: view.cohort.map(str::to_owned),
        url: None,
        resource_type: kind,
        reason: EventReason {
            code: reason.code,
            rule: reason.rule,
            category: reason.category,
        },
        entry_key: outcome
            .locked
            .and_then(|slot| view.lists.locked(slot)?.entry_id(url)),
        period: view.standing.period.as_ref().map(|period| EventPeriod {
            name: period.name.clone(),
            kind: period.kind.clone(),
        }),
        count: 1,
    }
}

/// What leaves the device when somebody presses a button about a page, if anything may.
///
/// Nothing does outside school hours or for a help service. A report carries the page
/// although it was allowed: that is what the button is for.
#[must_use]
pub fn state(
    statement: Statement,
    outcome: &Outcome<'_>,
    url: &CanonicalUrl<'_>,
    view: View<'_>,
    subject: Option<String>,
) -> Option<EventBody> {
    let View {
        standing, context, ..
    } = view;
    let recorded = standing.is_managed() && standing.recording != Recording::Nothing;
    if !recorded || matches!(outcome.code, ReasonCode::Help | ReasonCode::Illegal) {
        return None;
    }
    let named = standing.recording == Recording::Named
        && standing.doubt.is_none()
        && context.clock != Clock::Doubtful;
    let detail = match statement {
        Statement::Report => standing.reporting.url.max(UrlDetail::HostPath),
        Statement::Notice | Statement::Review => standing.reporting.url,
    };
    Some(EventBody {
        kind: match statement {
            Statement::Notice => EventKind::Notice,
            Statement::Review => EventKind::Review,
            Statement::Report => EventKind::Report,
        },
        subject: if named { subject } else { None },
        url: Some(url_detail(url, detail)),
        ..body(outcome, url, ResourceType::MainFrame, view)
    })
}

/// How an event names a user: not at all, by pseudonym or by address.
///
/// The pseudonym is the first 16 bytes of HMAC-SHA-256 over the lower-case address, in
/// hexadecimal, keyed with the school's enrolment key: the school, which holds that key
/// and its roll, can make the table of pseudonyms, and nobody else who sees an event can.
#[must_use]
pub fn subject_for(detail: SubjectDetail, user: Option<&str>, key: &[u8]) -> Option<String> {
    let address = user?.trim().to_ascii_lowercase();
    match detail {
        SubjectDetail::None => None,
        SubjectDetail::Address => Some(address),
        SubjectDetail::Pseudonym if key.is_empty() => None,
        SubjectDetail::Pseudonym => Some(pseudonym(&address, key)),
    }
}

fn pseudonym(address: &str, key: &[u8]) -> String {
    use hmac::{Hmac, Mac};
    use std::fmt::Write as _;

    // HMAC takes a key of any length, so there is no failure to report here.
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(b"bellgate subject 1\0");
    mac.update(address.as_bytes());
    let mut text = String::with_capacity(32);
    for byte in &mac.finalize().into_bytes()[..16] {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn url_detail(url: &CanonicalUrl<'_>, detail: UrlDetail) -> EventUrl {
    let until = |marks: &[char]| {
        let path = url.path();
        let end = path.find(marks).unwrap_or(path.len());
        path[..end].to_owned()
    };
    let path = match detail {
        UrlDetail::Host => None,
        UrlDetail::HostPath => Some(until(&['?', '#'])),
        UrlDetail::Full => Some(until(&['#'])),
    };
    EventUrl {
        host: url.host().as_str().to_owned(),
        path,
    }
}
