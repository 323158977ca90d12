//! Everything a decision depends on besides the URL, the policy, the lists and the moment.
//!
//! The core keeps no state: who is asking, where, what they have acknowledged and
//! what has been granted to them comes in here, complete, with each decision. Every
//! key is optional, and an absent one means *unknown*, never *none of the rules apply*.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Who is asking, from where, with what clock and with what leave.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Context {
    /// The cohort that managed policy states for this organisational unit, such as `year-9`.
    ///
    /// Absent: the policy finds it from [`Context::user`], or the pupil is in doubt.
    pub cohort: Option<String>,
    /// The signed-in address, such as `24ahall@school.example`.
    pub user: Option<String>,
    /// Groups stated for this user, beside those the policy's roster gives.
    pub groups: Vec<String>,
    /// Where the device is.
    pub place: Place,
    /// How far the device's clock can be believed.
    pub clock: Clock,
    /// Notices that the user has acknowledged.
    pub acknowledgements: Vec<Acknowledgement>,
    /// The version of the acceptable use policy that the user has accepted (T47).
    pub accepted_version: Option<String>,
    /// Supervised exceptions that were issued to this device and verified (T55).
    pub exceptions: Vec<Exception>,
    /// An examination this device was put into by name, beside those the policy schedules.
    pub exam: Option<String>,
}

/// Where the device is, and how that is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Place {
    /// Nothing proves where the device is; every rule with a place answers for this case.
    #[default]
    Unknown,
    /// The device has this address.
    Address {
        /// The local address, or the source address the endpoint saw.
        address: IpAddr,
        /// What proves it.
        proof: PlaceProof,
    },
}

/// What proves an address, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlaceProof {
    /// ChromeOS said so (`chrome.enterprise.networkingAttributes`).
    Device,
    /// An on-site beacon signed a fresh nonce.
    Beacon,
    /// The endpoint saw this source address.
    Endpoint,
    /// Managed policy states it (the key `network`), or the command line does.
    Stated,
}

/// How far the device's clock can be believed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum Clock {
    /// Nothing speaks against it.
    #[default]
    Trusted,
    /// It was found wrong, and the moment handed to the core is already corrected.
    Corrected {
        /// What was added to the device's own time, in milliseconds.
        offset_ms: i64,
    },
    /// It is wrong and the right time is not known: lesson rules hold and nobody is named.
    Doubtful,
}

/// A notice that a user has acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// The category, or `*` for a period whose mode is *notice*.
    pub category: String,
    /// When, in Unix epoch milliseconds.
    pub at_ms: i64,
}

/// A supervised exception: narrow, and over by itself (T55).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The id under which it was issued and logged.
    pub id: String,
    /// First instant at which it holds, in Unix epoch milliseconds.
    pub not_before_ms: i64,
    /// First instant at which it no longer holds, in Unix epoch milliseconds.
    pub not_after_ms: i64,
    /// What it opens.
    pub scope: ExceptionScope,
    /// Whether it also holds off the school's network.
    #[serde(default)]
    pub off_site: bool,
    /// Whether it also holds outside lessons.
    #[serde(default)]
    pub outside_lessons: bool,
}

/// What a supervised exception opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionScope {
    /// These entries, each `host` or `host/path`.
    Entries(Vec<String>),
    /// These categories; those that may never be lifted are left out.
    Categories(Vec<String>),
    /// The closed period: what would be closed is filtered as in lessons.
    ClosedPeriod,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_context_is_all_unknown() {
        let context: Context = serde_json::from_str("{}").unwrap();
        assert_eq!(context, Context::default());
        assert_eq!(context.place, Place::Unknown);
    }

    #[test]
    fn a_whole_context_reads_back_as_written() {
        let context = Context {
            cohort: Some("year-9".into()),
            user: Some("24ahall@school.example".into()),
            groups: vec!["chess".into()],
            place: Place::Address {
                address: "10.20.4.7".parse().unwrap(),
                proof: PlaceProof::Stated,
            },
            clock: Clock::Corrected { offset_ms: -90_000 },
            acknowledgements: vec![Acknowledgement {
                category: "ai-tools".into(),
                at_ms: 5,
            }],
            accepted_version: Some("2026".into()),
            exceptions: vec![Exception {
                id: "e1".into(),
                not_before_ms: 1,
                not_after_ms: 2,
                scope: ExceptionScope::Entries(vec!["lichess.org".into()]),
                off_site: false,
                outside_lessons: true,
            }],
            exam: None,
        };
        let text = serde_json::to_string(&context).unwrap();
        assert_eq!(serde_json::from_str::<Context>(&text).unwrap(), context);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(serde_json::from_str::<Context>(r#"{"chohort":"year-9"}"#).is_err());
    }
}
