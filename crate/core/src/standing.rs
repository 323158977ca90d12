//! What holds for one pupil at one moment, before any URL is looked at.
//!
//! The policy turns a [`Context`](crate::context::Context) and an instant into a
//! [`Standing`]; a decision then needs only the standing and the lists. A standing
//! is constant from the instant it was made for until `next_change_at_ms`, so the
//! schedule costs nothing while the period lasts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::list::EntrySet;

/// How the web stands for a pupil; the later variant is the stricter.
///
/// Where several rules hold at once the strictest wins, in this one order (closed,
/// exam, allowlist, notice, filtered, open).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Not managed by the school: nothing filtered but the locked layer, nothing recorded.
    Open,
    /// Filtered by category.
    Filtered,
    /// Filtered by category, after a notice is acknowledged.
    Notice,
    /// Only what an allowlist names, filtered by category.
    Allowlist,
    /// Only what the examination names.
    Exam,
    /// Nothing but help services and sign-in pages.
    Closed,
}

/// What holds for one pupil from the instant it was made for until `next_change_at_ms`.
#[derive(Debug, Clone)]
pub struct Standing {
    /// How the web stands.
    pub mode: Mode,
    /// The name of the rule, examination or fallback that set the mode.
    pub rule: String,
    /// The period of the school day, if one is on.
    pub period: Option<Period>,
    /// The first instant at which the standing may differ, in Unix epoch milliseconds.
    pub next_change_at_ms: Option<i64>,
    /// What may be recorded of a block.
    pub recording: Recording,
    /// How much of a URL and a name an event may carry.
    pub reporting: Reporting,
    /// Which categories and entries are blocked, asked about or allowed.
    pub filter: Arc<Filter>,
    /// What is open although the mode would close it: the allowlist of
    /// [`Mode::Allowlist`], what an examination names, clubs and other grants.
    pub openings: Vec<Opening>,
    /// Which help services stay open.
    pub help: HelpScope,
    /// Help entries that the school closed, each by name and with a logged reason.
    pub help_closed: Arc<EntrySet>,
    /// Whether blocks are counted but not carried out (*observe*).
    pub observe: bool,
    /// Why lesson rules are held although the policy could not say so.
    pub doubt: Option<Doubt>,
    /// The acceptable use policy that has not been accepted yet.
    pub acceptance: Option<Acceptance>,
    /// The ids of the supervised exceptions that hold now.
    pub exceptions: Vec<ActiveException>,
}

/// A period of the school day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// As the timetable names it, such as `Period 3`.
    pub name: String,
    /// Its kind, such as `lesson`, `break`, `lunch`, `registration`.
    pub kind: String,
    /// Its first instant, in Unix epoch milliseconds.
    pub starts_at_ms: i64,
    /// The first instant after it, in Unix epoch milliseconds.
    pub ends_at_ms: i64,
}

/// What may be recorded of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recording {
    /// Nothing at all.
    Nothing,
    /// Numbers without names or URLs.
    Counts,
    /// A pupil's own top-level navigation, by name.
    Named,
}

/// How much of a URL and a name an event may carry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reporting {
    /// How much of a blocked URL.
    pub url: UrlDetail,
    /// How the user is named.
    pub subject: SubjectDetail,
}

/// How much of a blocked URL an event carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UrlDetail {
    /// The host alone.
    #[default]
    Host,
    /// Host and path, without the query.
    HostPath,
    /// Host, path and query.
    Full,
}

/// How an event names its user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectDetail {
    /// Not at all.
    None,
    /// By a pseudonym that only the school can turn back into an address.
    #[default]
    Pseudonym,
    /// By the signed-in address.
    Address,
}

/// What is blocked, asked about and allowed while filtering.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Its name in the policy.
    pub name: String,
    /// Blocked categories.
    pub block: Vec<String>,
    /// Categories that still want an acknowledgement.
    pub notice: Vec<String>,
    /// The school's own allow entries.
    pub allow: Arc<EntrySet>,
    /// The school's own block entries.
    pub deny: Arc<EntrySet>,
    /// Safe search for search engines (T42).
    pub safe_search: bool,
    /// YouTube's restricted mode (T42).
    pub youtube: YoutubeRestriction,
    /// File name endings that may not be downloaded, lower case, without the dot (T54).
    pub download_types: Vec<String>,
}

/// YouTube's restricted mode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YoutubeRestriction {
    /// As the user has it.
    #[default]
    None,
    /// The header value `Moderate`.
    Moderate,
    /// The header value `Strict`.
    Strict,
}

/// Entries that are open in a mode that would close them.
#[derive(Debug, Clone)]
pub struct Opening {
    /// What opened them.
    pub kind: OpeningKind,
    /// The name of the allowlist, examination or grant.
    pub rule: String,
    /// What is open.
    pub entries: Arc<EntrySet>,
}

/// What opened something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpeningKind {
    /// The allowlist of the mode.
    Allowlist,
    /// What the examination names.
    Exam,
    /// A club or other named grant (T173).
    Grant,
}

/// Which help services stay open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HelpScope {
    /// All of them.
    All,
    /// Crisis lines only (examinations).
    CrisisOnly,
    /// None: an examination's rule closed those too, by name.
    None,
}

/// Why lesson rules are held although the policy could not say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// There has never been a valid policy on this device.
    NoPolicy,
    /// The clock is wrong and the right time is not known.
    Clock,
    /// No cohort is known for the user.
    Pupil,
}

/// The acceptable use policy that has not been accepted yet (T47).
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// The version to accept.
    pub version: String,
    /// What is open until then.
    pub entries: Arc<EntrySet>,
}

/// A supervised exception that holds now.
#[derive(Debug, Clone)]
pub struct ActiveException {
    /// Its id.
    pub id: String,
    /// Entries it opens.
    pub entries: EntrySet,
    /// Categories it opens.
    pub categories: Vec<String>,
    /// Whether it turns a closed period into a filtered one.
    pub opens_closed_period: bool,
}

impl Standing {
    /// Whether the school manages websites now, so that blocks may be recorded (T37).
    #[must_use]
    pub fn is_managed(&self) -> bool {
        self.mode != Mode::Open
    }
}
