//! From the bytes of a batch to events, each judged on its own.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{Cause, Event, EventId, Kind, Period, Place, RESOURCE_TYPES, field};
use crate::clock::parse_ms;
use crate::error::Refusal;
use crate::help;

/// How long before its arrival an event may have happened: 400 days.
const PAST_MAX_MS: i64 = 400 * 24 * 60 * 60 * 1000;
/// How far ahead of the endpoint's clock an event may say it happened: a day.
const FUTURE_MAX_MS: i64 = 24 * 60 * 60 * 1000;
/// The most blocks one count may stand for.
const COUNT_MAX: i64 = 1_000_000;

/// How much of a path is kept.
const PATH_KEPT_BYTES: usize = 2048;

/// A batch whose envelope is sound; its events are still to be judged.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch<'a> {
    /// The version of this shape: 1.
    pub schema: u32,
    /// The school.
    pub tenant: String,
    /// The device's id once it is enrolled.
    pub device: Option<String>,
    /// When the device sent it, RFC 3339.
    pub sent_at: String,
    /// The events, unread.
    #[serde(borrow)]
    pub events: Vec<&'a RawValue>,
}

/// An event that will not be stored, however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RejectedEvent {
    /// The id as it was sent.
    pub id: String,
    /// The stable code.
    pub code: &'static str,
    /// What is wrong and how to mend it.
    pub message: String,
    /// Where in the batch, as a JSON pointer.
    pub path: String,
}

/// Reads a batch's envelope.
///
/// # Errors
/// Not JSON (400), a wrong or unknown key (422), an unknown schema (422), a
/// malformed tenant, device or instant (422), or more than `max_events` (413).
pub fn parse_batch(body: &[u8], max_events: usize) -> Result<Batch<'_>, Refusal> {
    let batch: Batch<'_> = parse_json(body)?;
    if batch.schema != 1 {
        return Err(Refusal::invalid(
            "unknown_schema",
            "/schema",
            format!("schema `{}` is not known; send schema `1`", batch.schema),
        ));
    }
    if !crate::config::is_tenant_id(&batch.tenant) {
        return Err(Refusal::invalid(
            "invalid_tenant",
            "/tenant",
            "a tenant is 1 to 64 of `a-z`, `0-9` and `-`",
        ));
    }
    if let Some(device) = &batch.device
        && !field::is_identifier(device, 64)
    {
        return Err(Refusal::invalid(
            "invalid_device",
            "/device",
            "a device is the id that enrolment answered, or null",
        ));
    }
    if parse_ms(&batch.sent_at).is_none() {
        return Err(Refusal::invalid("invalid_time", "/sent_at", TIME_WANTED));
    }
    if batch.events.len() > max_events {
        return Err(Refusal {
            path: Some("/events".into()),
            ..Refusal::new(
                axum::http::StatusCode::PAYLOAD_TOO_LARGE,
                "too_many_events",
                format!(
                    "{} events in one batch; send at most {max_events}",
                    batch.events.len()
                ),
            )
        });
    }
    Ok(batch)
}

/// Reads a body that is one JSON object of a known shape.
///
/// # Errors
/// Not JSON (400), or a wrong or unknown key (422) with its place.
pub fn parse_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| refuse_json(&error))?;
    reader.end().map_err(|_| {
        Refusal::new(
            axum::http::StatusCode::BAD_REQUEST,
            "malformed_json",
            "text follows the closing brace; send one JSON object",
        )
    })?;
    Ok(value)
}

/// Reads and judges one event of a batch.
///
/// # Errors
/// `Err(Err(refusal))` refuses the whole batch: the event has no id by which
/// it could be rejected. `Err(Ok(rejected))` rejects this event alone.
pub fn parse(
    raw: &RawValue,
    index: usize,
    now_ms: i64,
) -> Result<Event, Result<RejectedEvent, Refusal>> {
    let wire: Wire = match serde_json::from_str(raw.get()) {
        Ok(wire) => wire,
        Err(_) => return Err(explain(raw, index)),
    };
    let id = wire.id.clone();
    wire.judge(now_ms).map_err(|fault| {
        Ok(RejectedEvent {
            id,
            code: fault.code,
            message: fault.message,
            path: format!("/events/{index}{}", fault.path),
        })
    })
}

const TIME_WANTED: &str = "an instant is RFC 3339 with an offset, such as `2026-09-07T09:00:00Z`";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    id: String,
    kind: Kind,
    at: String,
    subject: Option<String>,
    cohort: Option<String>,
    url: Option<WireUrl>,
    entry_key: Option<String>,
    #[serde(rename = "type")]
    resource_type: Option<String>,
    reason: Option<WireReason>,
    period: Option<WirePeriod>,
    count: i64,
    policy_version: Option<String>,
    pack_version: Option<String>,
    extension_version: Option<String>,
    comment: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireUrl {
    host: String,
    path: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireReason {
    code: String,
    rule: Option<String>,
    category: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePeriod {
    name: Option<String>,
    kind: Option<String>,
}

struct Fault {
    code: &'static str,
    path: &'static str,
    message: String,
}

fn fault(code: &'static str, path: &'static str, message: impl Into<String>) -> Fault {
    Fault {
        code,
        path,
        message: message.into(),
    }
}

/// What is kept of a path; ASCII by now, so every place is a boundary.
fn cut(mut path: String) -> String {
    path.truncate(PATH_KEPT_BYTES);
    path
}

fn require(
    holds: bool,
    code: &'static str,
    path: &'static str,
    message: &'static str,
) -> Result<(), Fault> {
    if holds {
        Ok(())
    } else {
        Err(fault(code, path, message))
    }
}

impl Wire {
    fn judge(self, now_ms: i64) -> Result<Event, Fault> {
        let id = EventId::parse(&self.id).ok_or_else(|| {
            fault(
                "invalid_id",
                "/id",
                "an event's id is a version 7 UUID in lower case",
            )
        })?;
        let at_ms = parse_ms(&self.at).ok_or_else(|| fault("invalid_time", "/at", TIME_WANTED))?;
        require(
            at_ms > now_ms - PAST_MAX_MS && at_ms < now_ms + FUTURE_MAX_MS,
            "time_out_of_range",
            "/at",
            "the event is over 400 days old or over a day ahead; set the device's clock",
        )?;
        self.check_shapes()?;
        self.check_least()?;
        Ok(Event {
            id,
            kind: self.kind,
            at_ms,
            subject: self.subject,
            cohort: self.cohort,
            place: self.url.map(|url| Place {
                host: url.host,
                path: url.path.map(cut),
            }),
            entry_key: self.entry_key,
            resource_type: self.resource_type,
            cause: self.reason.map(|reason| Cause {
                code: reason.code,
                rule: reason.rule,
                category: reason.category,
            }),
            period: self.period.map(|period| Period {
                name: period.name,
                kind: period.kind,
            }),
            count: self.count,
            policy_version: self.policy_version,
            pack_version: self.pack_version,
            extension_version: self.extension_version,
            comment: self.comment,
        })
    }

    /// Each field by itself.
    fn check_shapes(&self) -> Result<(), Fault> {
        let is =
            |text: &Option<String>, shape: &dyn Fn(&str) -> bool| text.as_deref().is_none_or(shape);
        require(
            is(&self.subject, &|t| field::is_token(t, 254)),
            "invalid_subject",
            "/subject",
            "a subject is 1 to 254 visible ASCII characters, or null",
        )?;
        require(
            is(&self.cohort, &|t| field::is_identifier(t, 64)),
            "invalid_cohort",
            "/cohort",
            "a cohort is 1 to 64 of `a-z`, `0-9` and `-`, or null",
        )?;
        if let Some(url) = &self.url {
            require(
                field::is_host(&url.host),
                "invalid_host",
                "/url/host",
                "a host is as Chrome writes it: in lower case, without user, port and path",
            )?;
            require(
                is(&url.path, &field::is_path),
                "invalid_path",
                "/url/path",
                "a path starts with `/`, has visible ASCII characters only and no fragment",
            )?;
        }
        require(
            is(&self.entry_key, &|t| field::is_token(t, 128)),
            "invalid_entry_key",
            "/entry_key",
            "an entry's key is 1 to 128 visible ASCII characters, or null",
        )?;
        require(
            is(&self.resource_type, &|t| RESOURCE_TYPES.contains(&t)),
            "invalid_type",
            "/type",
            "a type is one of Chrome's resource types, such as `main_frame`, or null",
        )?;
        if let Some(reason) = &self.reason {
            require(
                field::is_identifier(&reason.code, 64),
                "invalid_reason",
                "/reason/code",
                "a reason's code is 1 to 64 of `a-z`, `0-9`, `-` and `_`",
            )?;
            require(
                is(&reason.rule, &|t| field::is_line(t, 1000)),
                "invalid_reason",
                "/reason/rule",
                "a rule is one line of at most 1000 characters, or null",
            )?;
            require(
                is(&reason.category, &|t| field::is_identifier(t, 64)),
                "invalid_reason",
                "/reason/category",
                "a category is 1 to 64 of `a-z`, `0-9` and `-`, or null",
            )?;
        }
        if let Some(period) = &self.period {
            require(
                is(&period.name, &|t| field::is_line(t, 1000)),
                "invalid_period",
                "/period/name",
                "a period's name is one line of at most 1000 characters, or null",
            )?;
            require(
                is(&period.kind, &|t| field::is_identifier(t, 64)),
                "invalid_period",
                "/period/kind",
                "a period's kind is 1 to 64 of `a-z`, `0-9`, `-` and `_`, or null",
            )?;
        }
        for (version, path) in [
            (&self.policy_version, "/policy_version"),
            (&self.pack_version, "/pack_version"),
            (&self.extension_version, "/extension_version"),
        ] {
            require(
                is(version, &|t| field::is_line(t, 128)),
                "invalid_version",
                path,
                "a version is one line of at most 128 characters, or null",
            )?;
        }
        require(
            is(&self.comment, &|t| field::is_prose(t, 1000)),
            "invalid_comment",
            "/comment",
            "a comment is 1 to 1000 characters without control characters, or null",
        )
    }

    /// What may be known about whom; see docs/privacy.md.
    fn check_least(&self) -> Result<(), Fault> {
        let code = self.reason.as_ref().map(|reason| reason.code.as_str());
        let category = self
            .reason
            .as_ref()
            .and_then(|reason| reason.category.as_deref());
        require(
            code != Some("help") && !matches!(category, Some("help" | "help-crisis")),
            "help_service",
            "/reason",
            "help services never make an event; drop it",
        )?;
        if let Some(url) = &self.url {
            require(
                !help::is_help(&url.host, url.path.as_deref()),
                "help_service",
                "/url",
                "help services never make an event; drop it",
            )?;
        }
        require(
            code != Some("outside_school_hours"),
            "outside_school_hours",
            "/reason/code",
            "nothing is reported outside school hours; drop it",
        )?;
        require(
            (1..=COUNT_MAX).contains(&self.count) && (self.kind == Kind::Count || self.count == 1),
            "invalid_count",
            "/count",
            "a count is 1 to 1000000 in a `count` and 1 in every other kind",
        )?;
        require(
            self.reason.is_some()
                || matches!(self.kind, Kind::Report | Kind::Heartbeat | Kind::Health),
            "reason_missing",
            "/reason",
            "this kind of event carries the decision's reason",
        )?;
        require(
            self.comment.is_none()
                || matches!(self.kind, Kind::Review | Kind::Report | Kind::Health),
            "comment_not_allowed",
            "/comment",
            "only a review request, a report or a health message carries a comment",
        )?;
        if code == Some("illegal") {
            require(
                self.url.is_none(),
                "url_not_allowed",
                "/url",
                "the locked layer reports the entry's key, never a URL",
            )?;
        } else {
            require(
                self.entry_key.is_none(),
                "entry_key_not_allowed",
                "/entry_key",
                "only the locked layer reports an entry's key",
            )?;
        }
        if !self.kind.may_name() {
            require(
                self.subject.is_none(),
                "must_be_nameless",
                "/subject",
                "counts, heartbeats and health messages name nobody",
            )?;
            require(
                self.url.is_none(),
                "url_not_allowed",
                "/url",
                "counts, heartbeats and health messages carry no URL",
            )?;
            return Ok(());
        }
        require(
            self.resource_type.as_deref() == Some("main_frame"),
            "must_be_counted",
            "/type",
            "only a top-level navigation makes such an event; send the rest as `count`",
        )?;
        require(
            !(code == Some("closed") && self.kind == Kind::Block),
            "must_be_counted",
            "/reason/code",
            "a block in a closed period is a nameless `count`",
        )
    }
}

/// Finds out why an event is not even the right shape.
fn explain(raw: &RawValue, index: usize) -> Result<RejectedEvent, Refusal> {
    #[derive(Deserialize)]
    struct IdOnly {
        id: String,
    }
    let (path, message) = match read_with_path::<Wire>(raw.get()) {
        Ok(_) => (String::new(), "the event cannot be read".to_owned()),
        Err(error) => describe(&error),
    };
    match serde_json::from_str::<IdOnly>(raw.get()) {
        Ok(IdOnly { id }) if id.len() <= 128 => Ok(RejectedEvent {
            id,
            code: "invalid_event",
            message,
            path: format!("/events/{index}{path}"),
        }),
        _ => Err(Refusal::invalid(
            "missing_id",
            format!("/events/{index}/id"),
            "an event without a readable id cannot be answered for; give each a version 7 UUID",
        )),
    }
}

fn read_with_path<T: DeserializeOwned>(
    text: &str,
) -> Result<T, serde_path_to_error::Error<serde_json::Error>> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text))
}

/// The place as a JSON pointer and the message without line and column.
fn describe(error: &serde_path_to_error::Error<serde_json::Error>) -> (String, String) {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in error.path() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{key}")),
            Segment::Enum { variant } => pointer.push_str(&format!("/{variant}")),
            Segment::Unknown => {}
        }
    }
    let mut message = error.inner().to_string();
    if let Some(at) = message.rfind(" at line ") {
        message.truncate(at);
    }
    message.truncate(message.floor_char_boundary(300));
    (pointer, message)
}

fn refuse_json(error: &serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    let (path, message) = describe(error);
    if error.inner().is_data() {
        Refusal::invalid("invalid_body", path, message)
    } else {
        Refusal::new(
            axum::http::StatusCode::BAD_REQUEST,
            "malformed_json",
            format!("the body is not JSON: {message}"),
        )
    }
}
