//! What a policy says beside its rules: the school, reporting, pages, acceptable use.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use serde::Serialize;

use super::fault::{FaultCode, Findings};
use super::filter;
use super::names::Names;
use super::person::Who;
use super::walk::{At, parse_date};
use crate::expression::Entry;
use crate::list::EntrySet;
use crate::standing::{Reporting, SubjectDetail, UrlDetail};

/// The keys of `school`.
pub(super) const SCHOOL_KEYS: &[&str] = &[
    "name",
    "domain",
    "timezone",
    "year_starts",
    "salt",
    "contacts",
];
/// The keys of `school/contacts`: who is told what.
pub(super) const CONTACTS_KEYS: &[&str] = &[
    "dsl",
    "sixth_form_dsl",
    "prevent",
    "it",
    "headteacher",
    "chair",
    "data_protection",
];
/// The keys of a contact.
pub(super) const CONTACT_KEYS: &[&str] = &["name", "email", "phone", "room"];
/// The keys of `outside_school_hours`.
pub(super) const OUTSIDE_KEYS: &[&str] = &["pupils", "staff"];
/// The keys of `acceptable_use`.
pub(super) const ACCEPTABLE_USE_KEYS: &[&str] = &["version", "who", "allow", "text"];
/// The keys of `reporting`.
pub(super) const REPORTING_KEYS: &[&str] = &["url", "subject", "staff", "retention_months"];
/// The keys of `pages`.
pub(super) const PAGES_KEYS: &[&str] = &["blocked", "closed", "notices"];
/// The keys of one of `help_closed`.
pub(super) const HELP_CLOSED_KEYS: &[&str] = &["entry", "reason"];

/// The school.
#[derive(Debug, Clone)]
pub(super) struct School {
    pub name: String,
    pub domain: Option<String>,
    pub zone: Tz,
    /// Month and day on which year groups move up.
    pub year_starts: (u32, u32),
    /// What addresses are digested with.
    pub salt: Option<String>,
    pub contacts: BTreeMap<String, Contact>,
}

/// Someone whom pupils, staff or parents are sent to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// A name or office, such as `Ms Okafor, Deputy Headteacher`.
    pub name: Option<String>,
    /// An address.
    pub email: Option<String>,
    /// A telephone number.
    pub phone: Option<String>,
    /// Where to find them.
    pub room: Option<String>,
}

/// What holds outside school hours where no rule says otherwise (T37).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutsideMode {
    /// Nothing is filtered and nothing recorded.
    Open,
    /// Filtered as in lessons; nothing recorded all the same.
    Filtered,
}

/// What holds outside school hours, for pupils and for staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outside {
    pub pupils: OutsideMode,
    pub staff: OutsideMode,
}

impl Outside {
    pub fn read(at: &At, findings: &mut Findings) -> Option<Self> {
        const MODES: [(&str, OutsideMode); 2] = [
            ("open", OutsideMode::Open),
            ("filtered", OutsideMode::Filtered),
        ];
        let fields = at.object(OUTSIDE_KEYS, findings)?;
        let pupils = fields.need("pupils", r#""open""#, findings);
        let staff = fields.need("staff", r#""open""#, findings);
        Some(Self {
            pupils: pupils?.choice(&MODES, findings)?,
            staff: staff?.choice(&MODES, findings)?,
        })
    }
}

/// The acceptable use policy to accept (T47).
#[derive(Debug, Clone)]
pub(super) struct AcceptableUse {
    pub version: String,
    pub who: Who,
    pub entries: Arc<EntrySet>,
    pub text: Option<String>,
}

/// What is reported of whom, and how long it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReportingSettings {
    /// How much of a URL and a name an event carries.
    #[serde(flatten)]
    pub detail: Reporting,
    /// Whether staff may be named in their own stream of events (T22); nameless by default.
    pub staff_named: bool,
    /// Months for which events are kept.
    pub retention_months: u32,
}

impl Default for ReportingSettings {
    fn default() -> Self {
        Self {
            detail: Reporting::default(),
            staff_named: false,
            retention_months: 12,
        }
    }
}

/// Texts of the school's own for the pages that pupils see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pages {
    /// For a blocked page.
    pub blocked: Option<String>,
    /// For a closed period.
    pub closed: Option<String>,
    /// For a category that wants an acknowledgement, by category.
    pub notices: BTreeMap<String, String>,
}

/// A help service that the school closed, by name and with a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HelpClosed {
    /// The entry, `host` or `host/path`.
    pub entry: String,
    /// Why.
    pub reason: String,
}

/// Reads `school`.
pub(super) fn read_school(at: &At, findings: &mut Findings) -> Option<School> {
    let fields = at.object(SCHOOL_KEYS, findings)?;
    let name = fields
        .need("name", r#""Example School""#, findings)
        .and_then(|at| at.text(findings));
    let zone = fields
        .need("timezone", r#""Europe/London""#, findings)
        .and_then(|at| {
            let text = at.text(findings)?;
            let zone: Option<Tz> = text.parse().ok();
            if zone.is_none() {
                findings.fault(
                    &at.path,
                    FaultCode::UnknownName,
                    format!("`{text}` is not a time zone; write one like `Europe/London`"),
                );
            }
            zone
        });
    let year_starts = fields
        .get("year_starts")
        .and_then(|at| {
            let text = at.text(findings)?;
            // A year without a leap day: a school year cannot begin on one.
            let date = parse_date(&format!("2001-{text}"));
            if date.is_none() {
                findings.fault(
                    &at.path,
                    FaultCode::InvalidValue,
                    format!("`{text}` is not a day of the year; write month and day like `09-01`"),
                );
            }
            use chrono::Datelike;
            date.map(|date| (date.month(), date.day()))
        })
        .unwrap_or((9, 1));
    let salt = fields.get("salt").and_then(|at| {
        let salt = at.text(findings)?;
        if salt.len() < 16 {
            findings.fault(
                &at.path,
                FaultCode::InvalidValue,
                "the salt is shorter than 16 characters; `bellgate policy console` makes one",
            );
        }
        Some(salt.to_owned())
    });
    let text = |key: &str, findings: &mut Findings| {
        let value = fields.get(key).and_then(|at| at.text(findings));
        value.map(str::to_owned)
    };
    let contacts = fields
        .get("contacts")
        .map(|at| read_contacts(&at, findings))
        .unwrap_or_default();
    Some(School {
        name: name?.to_owned(),
        domain: text("domain", findings),
        zone: zone?,
        year_starts,
        salt,
        contacts,
    })
}

fn read_contacts(at: &At, findings: &mut Findings) -> BTreeMap<String, Contact> {
    let mut contacts = BTreeMap::new();
    let Some(fields) = at.object(CONTACTS_KEYS, findings) else {
        return contacts;
    };
    for role in CONTACTS_KEYS {
        let Some(fields) = fields
            .get(role)
            .and_then(|at| at.object(CONTACT_KEYS, findings))
        else {
            continue;
        };
        let mut text = |key: &str| {
            let value = fields.get(key).and_then(|at| at.text(findings));
            value.map(str::to_owned)
        };
        let contact = Contact {
            name: text("name"),
            email: text("email"),
            phone: text("phone"),
            room: text("room"),
        };
        contacts.insert((*role).to_owned(), contact);
    }
    contacts
}

/// Reads `acceptable_use`.
pub(super) fn read_acceptable_use(
    at: &At,
    names: &Names,
    findings: &mut Findings,
) -> Option<AcceptableUse> {
    let fields = at.object(ACCEPTABLE_USE_KEYS, findings)?;
    let version = fields
        .need("version", r#""2026""#, findings)
        .and_then(|at| at.text(findings));
    let who = fields
        .need("who", r#"["@everyone"]"#, findings)
        .and_then(|at| names.who(&at, findings));
    let entries = fields
        .get("allow")
        .map(|at| filter::entries(&at, findings))
        .unwrap_or_default();
    let text = fields.get("text").and_then(|at| at.text(findings));
    Some(AcceptableUse {
        version: version?.to_owned(),
        who: who?,
        entries: Arc::new(entries),
        text: text.map(str::to_owned),
    })
}

/// Reads `reporting`.
pub(super) fn read_reporting(at: &At, findings: &mut Findings) -> Option<ReportingSettings> {
    const URL: [(&str, UrlDetail); 3] = [
        ("host", UrlDetail::Host),
        ("host_path", UrlDetail::HostPath),
        ("full", UrlDetail::Full),
    ];
    const SUBJECT: [(&str, SubjectDetail); 3] = [
        ("none", SubjectDetail::None),
        ("pseudonym", SubjectDetail::Pseudonym),
        ("address", SubjectDetail::Address),
    ];
    const STAFF: [(&str, bool); 2] = [("nameless", false), ("named", true)];
    let fields = at.object(REPORTING_KEYS, findings)?;
    let usual = ReportingSettings::default();
    let url = fields.get("url").and_then(|at| at.choice(&URL, findings));
    let subject = fields
        .get("subject")
        .and_then(|at| at.choice(&SUBJECT, findings));
    let staff_named = fields
        .get("staff")
        .and_then(|at| at.choice(&STAFF, findings));
    let months = fields
        .get("retention_months")
        .and_then(|at| at.whole(1, 84, findings));
    Some(ReportingSettings {
        detail: Reporting {
            url: url.unwrap_or(usual.detail.url),
            subject: subject.unwrap_or(usual.detail.subject),
        },
        staff_named: staff_named.unwrap_or(usual.staff_named),
        retention_months: months.unwrap_or(usual.retention_months),
    })
}

/// Reads `pages`.
pub(super) fn read_pages(at: &At, names: &Names, findings: &mut Findings) -> Option<Pages> {
    let fields = at.object(PAGES_KEYS, findings)?;
    let text = |key: &str, findings: &mut Findings| {
        let value = fields.get(key).and_then(|at| at.text(findings));
        value.map(str::to_owned)
    };
    let mut notices = BTreeMap::new();
    let written = fields.get("notices").and_then(|at| at.named(findings));
    for (category, at) in written.unwrap_or_default() {
        let name = super::node::Node::Text(category.to_owned());
        let known = filter::category(&At::new(&name, at.path.clone()), names, findings);
        if let (Some(known), Some(text)) = (known, at.text(findings)) {
            notices.insert(known, text.to_owned());
        }
    }
    Some(Pages {
        blocked: text("blocked", findings),
        closed: text("closed", findings),
        notices,
    })
}

/// Reads `help_closed`.
pub(super) fn read_help_closed(at: &At, findings: &mut Findings) -> Vec<HelpClosed> {
    let mut closed = Vec::new();
    for item in at.list(findings).unwrap_or_default() {
        let Some(fields) = item.object(HELP_CLOSED_KEYS, findings) else {
            continue;
        };
        let entry = fields.need("entry", r#""help.example""#, findings);
        let reason = fields.need("reason", r#""why, for the record""#, findings);
        let reason = reason.and_then(|at| at.text(findings));
        let Some(entry) = entry else { continue };
        let Some(text) = entry.text(findings) else {
            continue;
        };
        match filter::entry(text) {
            Ok(parsed) => {
                if let Some(reason) = reason {
                    closed.push(HelpClosed {
                        entry: parsed.as_str().to_owned(),
                        reason: reason.to_owned(),
                    });
                }
            }
            Err(error) => findings.fault(&entry.path, FaultCode::InvalidValue, error.to_string()),
        }
    }
    closed
}

/// The entries of `help_closed` alone.
pub(super) fn help_entries(closed: &[HelpClosed]) -> EntrySet {
    let parsed: Vec<Entry> = closed
        .iter()
        .filter_map(|closed| Entry::parse(&closed.entry).ok())
        .collect();
    parsed.iter().collect()
}
