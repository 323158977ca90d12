//! One thing a device reports, proven to be well-formed and no more than allowed.
//!
//! An [`Event`] exists only by way of [`parse`], which reads one JSON object,
//! refuses unknown keys and holds the rules of what may be known about whom:
//! a person stands only in events of a pupil's own top-level navigation, counts
//! are nameless, and a help service makes no event at all.

pub(crate) mod field;
mod wire;

pub(crate) use wire::{Batch, RejectedEvent, parse, parse_batch, parse_json};

/// Resource types as Chrome names them in `webRequest.ResourceType`.
pub const RESOURCE_TYPES: [&str; 17] = [
    "main_frame",
    "sub_frame",
    "stylesheet",
    "script",
    "image",
    "font",
    "object",
    "xmlhttprequest",
    "ping",
    "csp_report",
    "media",
    "websocket",
    "webtransport",
    "webbundle",
    "prefetch",
    "worker",
    "other",
];

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A top-level navigation was blocked.
    Block,
    /// A notice was acknowledged.
    Notice,
    /// Somebody asks for a block to be looked at again.
    Review,
    /// Somebody reports an open page as unsuitable (T57).
    Report,
    /// A nameless number of blocks.
    Count,
    /// The device is there and filters.
    Heartbeat,
    /// Something on the device is not as it should be.
    Health,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 7] = [
        Kind::Block,
        Kind::Notice,
        Kind::Review,
        Kind::Report,
        Kind::Count,
        Kind::Heartbeat,
        Kind::Health,
    ];

    /// The kind as it stands in events and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Block => "block",
            Kind::Notice => "notice",
            Kind::Review => "review",
            Kind::Report => "report",
            Kind::Count => "count",
            Kind::Heartbeat => "heartbeat",
            Kind::Health => "health",
        }
    }

    /// The kind of a name, if it is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether such an event may say who did it.
    #[must_use]
    pub fn may_name(self) -> bool {
        matches!(
            self,
            Kind::Block | Kind::Notice | Kind::Review | Kind::Report
        )
    }
}

/// The id of an event: a UUID of version 7, made on the device.
///
/// Ordered as its bytes are, hence by the time it was made (RFC 9562, 5.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(pub [u8; 16]);

impl EventId {
    /// Reads the 36 characters of a version 7 UUID in lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != 36 {
            return None;
        }
        let mut bytes = [0_u8; 16];
        let mut digits = 0_usize;
        for (index, &byte) in text.iter().enumerate() {
            if matches!(index, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return None;
                }
                continue;
            }
            let value = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return None,
            };
            bytes[digits / 2] = (bytes[digits / 2] << 4) | value;
            digits += 1;
        }
        (bytes[6] >> 4 == 7 && bytes[8] >> 6 == 0b10).then_some(Self(bytes))
    }

    /// Takes an id back from the database's 16 bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// A host and, where the policy lets it leave the device, a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A canonical hostname or IP literal, in lower case.
    pub host: String,
    /// From the first `/`, without a fragment.
    pub path: Option<String>,
}

/// Why the device decided as it did, in the decision's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The reason's stable code.
    pub code: String,
    /// The policy's rule.
    pub rule: Option<String>,
    /// The category.
    pub category: Option<String>,
}

/// The period of the school day in which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Its name, such as `lunch`.
    pub name: Option<String>,
    /// Its kind, such as `closed`.
    pub kind: Option<String>,
}

/// One well-formed event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The id made on the device.
    pub id: EventId,
    /// What it is about.
    pub kind: Kind,
    /// When it happened by the device's clock, in Unix milliseconds.
    pub at_ms: i64,
    /// Whom it is about: a pseudonym, or an address where the school chose so.
    pub subject: Option<String>,
    /// The cohort, such as `year-9`.
    pub cohort: Option<String>,
    /// What was opened; absent in the locked layer and in nameless events.
    pub place: Option<Place>,
    /// The keyed id of an entry of the locked layer.
    pub entry_key: Option<String>,
    /// One of [`RESOURCE_TYPES`].
    pub resource_type: Option<String>,
    /// Why; every kind but heartbeats, health and reports has one.
    pub cause: Option<Cause>,
    /// The period.
    pub period: Option<Period>,
    /// How many; 1 but for [`Kind::Count`].
    pub count: i64,
    /// Which policy decided.
    pub policy_version: Option<String>,
    /// Which list pack decided.
    pub pack_version: Option<String>,
    /// Which extension decided.
    pub extension_version: Option<String>,
    /// The words of a review request, report or health message.
    pub comment: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_as_it_was_read() {
        let text = "01932b1e-7c00-7abc-8def-0123456789ab";
        assert_eq!(
            EventId::parse(text).map(|id| id.to_string()).as_deref(),
            Some(text)
        );
    }

    #[test]
    fn ids_of_other_versions_and_shapes_are_refused() {
        for text in [
            "01932b1e-7c00-4abc-8def-0123456789ab",
            "01932b1e-7c00-7abc-cdef-0123456789ab",
            "01932B1E-7C00-7ABC-8DEF-0123456789AB",
            "01932b1e7c007abc8def0123456789ab",
            "01932b1e-7c00-7abc-8def-0123456789a",
            "",
        ] {
            assert_eq!(EventId::parse(text), None, "{text}");
        }
    }
}
