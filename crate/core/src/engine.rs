//! The whole of a device's filter: policy, lists and context, and the standing they make.
//!
//! One engine serves the extension and the command line. It holds what was handed to
//! it and nothing that it could forget: every answer is a function of that and of the
//! instant that is passed in.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::canonical::{CanonicalUrl, Scratch};
use crate::context::Context;
use crate::decide::{Action, Initiator, Outcome, Undecided, decide};
use crate::event::{EventBody, Navigation, Statement, record, state, subject_for};
use crate::list::{LookupError, Pack, PackError};
use crate::lists::{Lists, LockError, LockedSlot, PackMasks};
use crate::policy::{Contact, Faults, Pages, Policy, Warning, built_in_standing};
use crate::reason::{Reason, ReasonCode};
use crate::request::ResourceType;
use crate::standing::{ActiveException, Doubt, Mode, Standing, YoutubeRestriction};

/// Decides requests for one user of one device.
#[derive(Default)]
pub struct Engine {
    policy: Option<Policy>,
    lists: Lists,
    context: Context,
    subject_key: Vec<u8>,
    prepared: Option<Prepared>,
    url_memory: Scratch,
    initiator_memory: Scratch,
    pack_fault: Option<Undecided>,
    is_pending: bool,
}

/// A standing with what it needs of the packs, and since when it holds.
struct Prepared {
    from_ms: i64,
    standing: Standing,
    masks: PackMasks,
    cohort: Option<String>,
}

impl Prepared {
    fn holds_at(&self, now_ms: i64) -> bool {
        now_ms >= self.from_ms
            && self
                .standing
                .next_change_at_ms
                .is_none_or(|next| now_ms < next)
    }
}

/// A decision, whole: what `bellgate decide` prints and the block page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The URL as it was asked about.
    pub url: String,
    /// The instant it was decided for (RFC 3339, in the school's zone).
    pub at: String,
    /// What is done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The period of the school day.
    pub period: Option<DecisionPeriod>,
    /// The first instant at which another decision is possible (RFC 3339).
    pub next_change_at: Option<String>,
}

/// The period of the school day in a [`Decision`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionPeriod {
    /// As the timetable names it.
    pub name: String,
    /// Its kind, such as `lesson`.
    pub kind: String,
    /// The first instant after it (RFC 3339, in the school's zone).
    pub ends_at: String,
}

/// A question to the engine.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The URL asked for.
    pub url: &'a str,
    /// What the request is for.
    pub kind: ResourceType,
    /// Who started it: a page's URL, or an origin (`https://host`); absent or opaque
    /// (`null`) where Chrome names nobody.
    pub initiator: Option<&'a str>,
    /// The instant, in Unix epoch milliseconds.
    pub now_ms: i64,
}

impl Engine {
    /// An engine that has nothing yet: lesson rules hold.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the policy by a valid one; a faulty one changes nothing.
    ///
    /// # Errors
    /// Every fault of the text, each with its place.
    pub fn set_policy(&mut self, text: &str) -> Result<Vec<Warning>, Faults> {
        let (policy, warnings) = Policy::parse(text)?;
        self.policy = Some(policy);
        self.prepared = None;
        Ok(warnings)
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// Replaces who is asking, from where, and with what leave.
    pub fn set_context(&mut self, context: Context) {
        self.context = context;
        self.prepared = None;
    }

    /// Sets the key that makes pseudonyms; empty means that nobody can be named by one.
    pub fn set_subject_key(&mut self, key: &[u8]) {
        self.subject_key = key.to_vec();
    }

    /// Replaces the pack that ships with the extension.
    pub fn set_built_in_pack(&mut self, pack: Pack) {
        self.lists.built_in = Some(pack);
        self.prepared = None;
    }

    /// Replaces the school's pack, or goes back to the built-in lists alone.
    pub fn set_school_pack(&mut self, pack: Option<Pack>) {
        self.lists.school = pack;
        self.prepared = None;
    }

    /// Loads a list of the locked illegal layer; nothing unloads it again.
    ///
    /// # Errors
    /// [`LockError`] when it is not keyed, or older than the one that is loaded.
    pub fn lock(&mut self, slot: LockedSlot, pack: Pack) -> Result<(), LockError> {
        self.lists.lock(slot, pack)
    }

    /// Which pack was found damaged while deciding and dropped, told once.
    ///
    /// The school's pack is then to be loaded anew; the built-in lists held meanwhile.
    pub fn take_pack_fault(&mut self) -> Option<Undecided> {
        self.pack_fault.take()
    }

    /// Attaches the blocks of a school's pack that was opened by its first part.
    ///
    /// # Errors
    /// [`PackError`] when they are not what the header states, or there is no such pack; one
    /// that cannot be completed is dropped, and the built-in lists hold alone.
    pub fn attach_school_pack(&mut self, blocks: Vec<u8>) -> Result<(), PackError> {
        let attached = self
            .lists
            .school
            .as_mut()
            .ok_or(PackError::Truncated)
            .and_then(|pack| pack.attach(blocks));
        if attached.is_err() {
            self.set_school_pack(None);
        }
        attached
    }

    /// Whether the last question could not be answered because the school's pack is not
    /// whole yet, told once: it is to be asked again when it is.
    pub fn take_pending(&mut self) -> bool {
        std::mem::take(&mut self.is_pending)
    }

    /// The packs in use.
    #[must_use]
    pub fn lists(&self) -> &Lists {
        &self.lists
    }

    /// What holds at an instant.
    pub fn standing(&mut self, now_ms: i64) -> &Standing {
        &self.prepare(now_ms).standing
    }

    /// The action and its reason, and nothing more: the path every request takes.
    pub fn verdict(&mut self, question: Question<'_>) -> (Action, ReasonCode) {
        self.with_outcome(question, |outcome, _, _| (outcome.action, outcome.code))
            .unwrap_or((Action::Block, ReasonCode::Fault))
    }

    /// The whole decision, with its rule, entry, period and next change.
    pub fn decide(&mut self, question: Question<'_>) -> Decision {
        let zone = self.zone();
        let made = self.with_outcome(question, |outcome, url, view| {
            (outcome.action, outcome.reason(url, view.lists))
        });
        let (action, reason) =
            made.unwrap_or_else(|| (Action::Block, Reason::new(ReasonCode::Fault)));
        let standing = self.standing(question.now_ms);
        Decision {
            url: question.url.to_owned(),
            at: rfc3339(question.now_ms, zone),
            action,
            reason,
            period: decision_period(standing, zone),
            next_change_at: standing.next_change_at_ms.map(|at| rfc3339(at, zone)),
        }
    }

    /// What is recorded of a request, if anything.
    pub fn event(&mut self, question: Question<'_>, navigation: Navigation) -> Option<EventBody> {
        self.recorded(question, |outcome, url, view, subject| {
            record(outcome, url, question.kind, navigation, view, subject)
        })
    }

    /// What leaves the device when somebody presses a button about a page, if anything.
    pub fn statement(&mut self, statement: Statement, url: &str, now_ms: i64) -> Option<EventBody> {
        let question = Question {
            url,
            kind: ResourceType::MainFrame,
            initiator: None,
            now_ms,
        };
        self.recorded(question, |outcome, url, view, subject| {
            state(statement, outcome, url, view, subject)
        })
    }

    /// What holds at an instant, for what is shown and for what wakes the device.
    pub fn standing_report(&mut self, now_ms: i64) -> StandingReport {
        let zone = self.zone();
        let standing = self.standing(now_ms);
        StandingReport {
            mode: standing.mode,
            rule: standing.rule.clone(),
            period: decision_period(standing, zone),
            next_change_at_ms: standing.next_change_at_ms,
            doubt: standing.doubt,
            managed: standing.is_managed(),
            observe: standing.observe,
            safe_search: standing.is_managed() && standing.filter.safe_search,
            youtube: if standing.is_managed() {
                standing.filter.youtube
            } else {
                YoutubeRestriction::None
            },
            download_types: if standing.is_managed() {
                standing.filter.download_types.clone()
            } else {
                Vec::new()
            },
            open_entries: open_entries(standing),
        }
    }

    /// What pages say in the school's own words; `None` while there is no policy.
    #[must_use]
    pub fn school(&self) -> Option<School<'_>> {
        let policy = self.policy.as_ref()?;
        Some(School {
            name: policy.school_name(),
            domain: policy.school_domain(),
            contacts: policy.contacts(),
            pages: policy.pages(),
            acceptable_use: policy
                .acceptable_use()
                .map(|(version, text)| AcceptableUse { version, text }),
        })
    }

    fn recorded(
        &mut self,
        question: Question<'_>,
        make: impl FnOnce(
            &Outcome<'_>,
            &CanonicalUrl<'_>,
            View<'_>,
            Option<String>,
        ) -> Option<EventBody>,
    ) -> Option<EventBody> {
        let key = std::mem::take(&mut self.subject_key);
        let made = self.with_outcome(question, |outcome, url, view| {
            let detail = view.standing.reporting.subject;
            let subject = subject_for(detail, view.context.user.as_deref(), &key);
            make(outcome, url, view, subject)
        });
        self.subject_key = key;
        made.flatten()
    }

    /// The school's time zone; London's until a policy says otherwise.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.policy
            .as_ref()
            .map_or(Tz::Europe__London, Policy::timezone)
    }

    /// Decides, and hands what came out to `answer`; `None` for what is not a URL.
    ///
    /// A damaged school pack is dropped and the built-in lists answer: a fault neither
    /// opens the filter nor closes the school.
    fn with_outcome<T>(
        &mut self,
        question: Question<'_>,
        answer: impl FnOnce(&Outcome<'_>, &CanonicalUrl<'_>, View<'_>) -> T,
    ) -> Option<T> {
        let mut url_memory = std::mem::take(&mut self.url_memory);
        let mut initiator_memory = std::mem::take(&mut self.initiator_memory);
        let answered = self.answer(question, &mut url_memory, &mut initiator_memory, answer);
        self.url_memory = url_memory;
        self.initiator_memory = initiator_memory;
        answered
    }

    fn answer<T>(
        &mut self,
        question: Question<'_>,
        url_memory: &mut Scratch,
        initiator_memory: &mut Scratch,
        answer: impl FnOnce(&Outcome<'_>, &CanonicalUrl<'_>, View<'_>) -> T,
    ) -> Option<T> {
        let url = CanonicalUrl::parse(innermost(question.url), url_memory).ok()?;
        let initiator_url = question
            .initiator
            .and_then(|text| CanonicalUrl::parse(innermost(text), initiator_memory).ok());
        let initiator = initiator_url.as_ref().map(|url| Initiator {
            url,
            is_origin: question.initiator.is_some_and(is_origin),
        });
        for _ in 0..2 {
            self.prepare(question.now_ms);
            let prepared = self.prepared.as_ref()?;
            let Prepared {
                standing,
                masks,
                cohort,
                ..
            } = prepared;
            match decide(&url, question.kind, initiator, standing, masks, &self.lists) {
                Ok(outcome) => {
                    let view = View {
                        standing,
                        context: &self.context,
                        lists: &self.lists,
                        cohort: cohort.as_deref(),
                    };
                    return Some(answer(&outcome, &url, view));
                }
                Err(Undecided::School(LookupError::Pending)) => {
                    self.is_pending = true;
                    return None;
                }
                Err(undecided) => {
                    self.pack_fault = Some(undecided);
                    match undecided {
                        Undecided::School(_) => self.set_school_pack(None),
                        // Blocked as a fault; the extension loads the pack anew.
                        Undecided::BuiltIn(_) | Undecided::Locked(..) => return None,
                    }
                }
            }
        }
        None
    }

    fn prepare(&mut self, now_ms: i64) -> &Prepared {
        let stale = self
            .prepared
            .as_ref()
            .is_none_or(|prepared| !prepared.holds_at(now_ms));
        if stale {
            self.prepared = None;
        }
        let (policy, context, lists) = (&self.policy, &self.context, &self.lists);
        self.prepared.get_or_insert_with(|| {
            let standing = match policy {
                Some(policy) => policy.standing(context, now_ms),
                None => built_in_standing(context, now_ms, Doubt::NoPolicy),
            };
            let masks = lists.masks(&standing.filter, &standing.exceptions);
            let cohort = match policy {
                Some(policy) => policy.cohort(context, now_ms).map(str::to_owned),
                None => context.cohort.clone(),
            };
            Prepared {
                from_ms: now_ms,
                standing,
                masks,
                cohort,
            }
        })
    }
}

/// A standing as it is shown: on the toolbar, on pages, to Chrome's own rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StandingReport {
    /// How the web stands.
    pub mode: Mode,
    /// The rule that set the mode.
    pub rule: String,
    /// The period of the school day.
    pub period: Option<DecisionPeriod>,
    /// The first instant at which another decision is possible, in Unix epoch milliseconds.
    pub next_change_at_ms: Option<i64>,
    /// Why lesson rules are held although the policy could not say so.
    pub doubt: Option<Doubt>,
    /// Whether the school manages websites now.
    pub managed: bool,
    /// Whether blocks are counted but not carried out.
    pub observe: bool,
    /// Whether search engines are asked for safe results.
    pub safe_search: bool,
    /// YouTube's restricted mode.
    pub youtube: YoutubeRestriction,
    /// File name endings that may not be downloaded.
    pub download_types: Vec<String>,
    /// The entries that are open although the mode would close them, so that a second,
    /// coarser layer can leave them open; absent where entries cannot say it all.
    pub open_entries: Option<Vec<String>>,
}

/// What pages say in the school's own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct School<'a> {
    /// The school's name.
    pub name: &'a str,
    /// The school's domain.
    pub domain: Option<&'a str>,
    /// Whom pupils are sent to, by role.
    pub contacts: &'a BTreeMap<String, Contact>,
    /// Texts for the pages that pupils see.
    pub pages: &'a Pages,
    /// The acceptable use policy.
    pub acceptable_use: Option<AcceptableUse<'a>>,
}

/// The acceptable use policy of a [`School`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AcceptableUse<'a> {
    /// Its version.
    pub version: &'a str,
    /// Its text or where it is.
    pub text: Option<&'a str>,
}

/// What an outcome was made from.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// What holds now.
    pub standing: &'a Standing,
    /// Who is asking.
    pub context: &'a Context,
    /// Where it was looked up.
    pub lists: &'a Lists,
    /// The cohort, as managed policy states it or the policy finds it.
    pub cohort: Option<&'a str>,
}

/// What allowlists, examinations, grants and exceptions open by name.
///
/// `None` while an exception opens categories or a whole closed period: no list of
/// entries says what is open then.
fn open_entries(standing: &Standing) -> Option<Vec<String>> {
    let exceptions = &standing.exceptions;
    let by_name = |exception: &ActiveException| {
        exception.categories.is_empty() && !exception.opens_closed_period
    };
    if !exceptions.iter().all(by_name) {
        return None;
    }
    let openings = standing
        .openings
        .iter()
        .flat_map(|opening| opening.entries.iter());
    let excepted = exceptions
        .iter()
        .flat_map(|exception| exception.entries.iter());
    Some(openings.chain(excepted).map(str::to_owned).collect())
}

fn decision_period(standing: &Standing, zone: Tz) -> Option<DecisionPeriod> {
    standing.period.as_ref().map(|period| DecisionPeriod {
        name: period.name.clone(),
        kind: period.kind.clone(),
        ends_at: rfc3339(period.ends_at_ms, zone),
    })
}

/// An instant as RFC 3339 text in a zone, to the second or, where it has them, milliseconds.
#[must_use]
pub fn rfc3339(at_ms: i64, zone: Tz) -> String {
    let at = DateTime::<Utc>::from_timestamp_millis(at_ms).unwrap_or(DateTime::UNIX_EPOCH);
    at.with_timezone(&zone)
        .to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// The URL inside `blob:`, `filesystem:` and `view-source:`, which is the one that counts.
fn innermost(text: &str) -> &str {
    const WRAPPERS: [&str; 3] = ["blob:", "filesystem:", "view-source:"];
    let mut inner = text;
    while let Some(rest) = WRAPPERS
        .iter()
        .find_map(|wrapper| inner.strip_prefix(wrapper))
    {
        inner = rest;
    }
    inner
}

/// Whether an initiator is an origin, with no path after its host.
fn is_origin(text: &str) -> bool {
    text.split_once("://")
        .is_some_and(|(_, rest)| !rest.trim_end_matches('/').contains('/'))
}
