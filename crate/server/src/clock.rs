//! The one place that reads the clock, and how instants are written.

use chrono::{DateTime, SecondsFormat, Utc};

/// The present, in milliseconds since the Unix epoch.
#[must_use]
pub fn now_ms() -> i64 {
    Utc::now().timestamp_millis()
}

/// Writes an instant as RFC 3339 in UTC with milliseconds.
///
/// An instant outside chrono's range is written as the epoch.
#[must_use]
pub fn format_ms(at_ms: i64) -> String {
    DateTime::from_timestamp_millis(at_ms)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Reads an RFC 3339 instant with its offset, in milliseconds.
#[must_use]
pub fn parse_ms(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text)
        .ok()
        .map(|at| at.timestamp_millis())
}
