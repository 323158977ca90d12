//! What is asked: a URL, what kind of resource it is for, and who started it.

use serde::{Deserialize, Serialize};

/// The kind of resource a request is for, with Chrome's own names.
///
/// The numbers cross from JavaScript and are never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ResourceType {
    /// The document of a tab.
    MainFrame = 0,
    /// The document of a frame in a page.
    SubFrame = 1,
    /// A stylesheet.
    Stylesheet = 2,
    /// A script, worker scripts included.
    Script = 3,
    /// An image.
    Image = 4,
    /// A font.
    Font = 5,
    /// What a plug-in loads.
    Object = 6,
    /// `fetch`, `XMLHttpRequest`, `EventSource`.
    Xmlhttprequest = 7,
    /// A ping or beacon.
    Ping = 8,
    /// A report of a content security policy.
    CspReport = 9,
    /// Audio or video.
    Media = 10,
    /// A WebSocket handshake.
    Websocket = 11,
    /// A WebTransport handshake.
    Webtransport = 12,
    /// A signed web bundle.
    Webbundle = 13,
    /// Anything else.
    Other = 14,
}

impl ResourceType {
    /// Every type, in the order of its number.
    pub const ALL: [ResourceType; 15] = [
        ResourceType::MainFrame,
        ResourceType::SubFrame,
        ResourceType::Stylesheet,
        ResourceType::Script,
        ResourceType::Image,
        ResourceType::Font,
        ResourceType::Object,
        ResourceType::Xmlhttprequest,
        ResourceType::Ping,
        ResourceType::CspReport,
        ResourceType::Media,
        ResourceType::Websocket,
        ResourceType::Webtransport,
        ResourceType::Webbundle,
        ResourceType::Other,
    ];

    /// The type with this number; an unknown number is [`ResourceType::Other`].
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        Self::ALL
            .get(number as usize)
            .copied()
            .unwrap_or(ResourceType::Other)
    }

    /// The type with Chrome's name for it, such as `main_frame`.
    ///
    /// # Errors
    /// [`UnknownResourceType`] when Chrome has no such type.
    pub fn from_name(name: &str) -> Result<Self, UnknownResourceType> {
        serde_json::from_value(serde_json::Value::from(name))
            .map_err(|_| UnknownResourceType(name.to_owned()))
    }

    /// Whether the request is for a page of its own, in a tab.
    #[must_use]
    pub fn is_page(self) -> bool {
        self == ResourceType::MainFrame
    }
}

/// A resource type that Chrome does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown resource type `{0}`; use one of Chrome's names, such as `main_frame`, `sub_frame`, `script`, `image`, `xmlhttprequest`, `websocket`"
)]
pub struct UnknownResourceType(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_agree() {
        for (number, kind) in ResourceType::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number);
            assert_eq!(ResourceType::from_number(number as u32), kind);
            let name = serde_json::to_value(kind).unwrap();
            assert_eq!(ResourceType::from_name(name.as_str().unwrap()), Ok(kind));
        }
    }

    #[test]
    fn an_unknown_name_says_what_would_do() {
        let error = ResourceType::from_name("document").unwrap_err();
        assert!(error.to_string().contains("`document`; use one of"));
    }
}
