//! Why a request was decided as it was.

use serde::{Deserialize, Serialize};

/// The stable code of a reason, in the order of what beats what.
///
/// The order of the variants *is* the precedence of the layers: the first layer
/// that applies to a request decides it ([`crate::precedence`] states each one).
/// Numbers cross into JavaScript and events carry the names, so neither is ever
/// reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[non_exhaustive]
pub enum ReasonCode {
    /// The locked illegal layer (IWF, CTIRU): blocked always, lifted by nothing (T62, W13.5).
    Illegal = 0,
    /// A scheme the filter does not decide, such as `chrome:`.
    NotWeb = 1,
    /// A help service; open in every state, and never an event.
    Help = 2,
    /// A sign-in page, captive portal or the Admin console; open in every state.
    SignIn = 3,
    /// Outside the hours in which the school manages websites (T37).
    OutsideSchoolHours = 4,
    /// A supervised exception opened it (T55).
    Exception = 5,
    /// An examination: what it names is open, all else is blocked (T176).
    Exam = 6,
    /// A named grant, such as a club, opened it (T173).
    Grant = 7,
    /// The period is closed for this cohort (T173).
    Closed = 8,
    /// The acceptable use policy has not been accepted yet (T47).
    Acceptance = 9,
    /// The school's own allow or block entry.
    UrlRule = 10,
    /// Allowlist mode, and an entry of the allowlist covers it.
    Allowlist = 11,
    /// Allowlist mode, and nothing on the allowlist covers it.
    NotOnAllowlist = 12,
    /// A blocked category holds for it (T61).
    Category = 13,
    /// Allowed once a notice is acknowledged (T221).
    Notice = 14,
    /// A blocked category would hold, but the education allowlist opens it (T49).
    Education = 15,
    /// Nothing speaks against it.
    NotListed = 16,
    /// Something unexpected went wrong while deciding; blocked to be safe.
    Fault = 17,
}

impl ReasonCode {
    /// Every code, in order of precedence.
    pub const ALL: [ReasonCode; 18] = [
        ReasonCode::Illegal,
        ReasonCode::NotWeb,
        ReasonCode::Help,
        ReasonCode::SignIn,
        ReasonCode::OutsideSchoolHours,
        ReasonCode::Exception,
        ReasonCode::Exam,
        ReasonCode::Grant,
        ReasonCode::Closed,
        ReasonCode::Acceptance,
        ReasonCode::UrlRule,
        ReasonCode::Allowlist,
        ReasonCode::NotOnAllowlist,
        ReasonCode::Category,
        ReasonCode::Notice,
        ReasonCode::Education,
        ReasonCode::NotListed,
        ReasonCode::Fault,
    ];

    /// The code as it stands in decisions and events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ReasonCode::Illegal => "illegal",
            ReasonCode::NotWeb => "not_web",
            ReasonCode::Help => "help",
            ReasonCode::SignIn => "sign_in",
            ReasonCode::OutsideSchoolHours => "outside_school_hours",
            ReasonCode::Exception => "exception",
            ReasonCode::Exam => "exam",
            ReasonCode::Grant => "grant",
            ReasonCode::Closed => "closed",
            ReasonCode::Acceptance => "acceptance",
            ReasonCode::UrlRule => "url_rule",
            ReasonCode::Allowlist => "allowlist",
            ReasonCode::NotOnAllowlist => "not_on_allowlist",
            ReasonCode::Category => "category",
            ReasonCode::Notice => "notice",
            ReasonCode::Education => "education",
            ReasonCode::NotListed => "not_listed",
            ReasonCode::Fault => "fault",
        }
    }
}

/// What decided, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The layer that decided.
    pub code: ReasonCode,
    /// The name of the policy's rule, grant, examination or exception that applied.
    pub rule: Option<String>,
    /// The category that holds for the URL.
    pub category: Option<String>,
    /// The list or policy entry that matched, as written: `host` or `host/path`.
    ///
    /// Always absent for [`ReasonCode::Illegal`]: its entries are never shown.
    pub entry: Option<String>,
}

impl Reason {
    /// A reason with its code alone.
    #[must_use]
    pub fn new(code: ReasonCode) -> Self {
        Self {
            code,
            rule: None,
            category: None,
            entry: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_numbers_and_order_agree() {
        for (number, code) in ReasonCode::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, number);
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(json, format!("\"{}\"", code.as_str()));
        }
    }
}
