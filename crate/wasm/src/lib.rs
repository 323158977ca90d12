//! The core for the extension: conversions only, no decisions.
//!
//! Strings that every request brings come through two kept buffers (`url_buffer`,
//! `initiator_buffer`) that JavaScript fills with `TextEncoder.encodeInto`: measured at a
//! quarter of the price of passing `&str`. Whole objects go through serde and are made
//! only where something is blocked, asked about or shown. Errors are `{code, message, path}`.

use bellgate_core::context::Context;
use bellgate_core::decide::Action;
use bellgate_core::engine::{self, Question, rfc3339};
use bellgate_core::event::Navigation;
use bellgate_core::list::Pack;
use bellgate_core::reason::ReasonCode;
use bellgate_core::request::ResourceType;
use js_sys::Uint8Array;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// Writes a panic's place to the console before the trap; the message names no URL.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        web_sys::console::error_1(&JsValue::from(format!("bellgate: panic at {place}")));
    }));
}

/// The filter of one device.
#[wasm_bindgen]
#[derive(Default)]
pub struct Engine {
    inner: engine::Engine,
    url: Vec<u8>,
    initiator: Vec<u8>,
}

#[wasm_bindgen]
impl Engine {
    /// An engine that has nothing yet: lesson rules hold.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces the policy by a valid one; a faulty one changes nothing.
    ///
    /// Answers `{ok, version, errors: [{code, message, path}], warnings: […]}`.
    pub fn set_policy(&mut self, text: &str) -> Result<JsValue, JsValue> {
        let report = match self.inner.set_policy(text) {
            Ok(warnings) => PolicyReport {
                ok: true,
                version: self.inner.policy().map(|policy| policy.version().to_owned()),
                errors: Vec::new(),
                warnings: warnings.iter().map(|w| to_json(w)).collect(),
            },
            Err(faults) => PolicyReport {
                ok: false,
                version: None,
                errors: faults.iter().map(|f| to_json(f)).collect(),
                warnings: Vec::new(),
            },
        };
        to_js(&report)
    }

    /// Replaces who is asking, from where, and with what leave (`Context` as JSON object).
    ///
    /// # Errors
    /// `{code: "bad_context"}` when the object is not of that shape; nothing changes then.
    pub fn set_context(&mut self, context: JsValue) -> Result<(), JsValue> {
        let context: Context = serde_wasm_bindgen::from_value(context)
            .map_err(|error| failure("bad_context", &error.to_string()))?;
        self.inner.set_context(context);
        Ok(())
    }

    /// Sets the key that makes pseudonyms.
    pub fn set_subject_key(&mut self, key: &str) {
        self.inner.set_subject_key(key.as_bytes());
    }

    /// Replaces the pack that ships with the extension.
    ///
    /// # Errors
    /// `{code: "bad_pack"}` when the bytes are not a usable pack; nothing changes then.
    pub fn set_built_in_pack(&mut self, bytes: &Uint8Array) -> Result<(), JsValue> {
        self.inner.set_built_in_pack(open(bytes)?);
        Ok(())
    }

    /// Drops the school's pack; the built-in lists hold alone.
    pub fn drop_school_pack(&mut self) {
        self.inner.set_school_pack(None);
    }

    /// Where to write a URL of at most `min_bytes` bytes; valid until the next call to the engine
    /// that may allocate, so take it anew for each URL.
    pub fn url_buffer(&mut self, min_bytes: usize) -> *const u8 {
        grown(&mut self.url, min_bytes)
    }

    /// Where to write an initiator; see [`Engine::url_buffer`].
    pub fn initiator_buffer(&mut self, min_bytes: usize) -> *const u8 {
        grown(&mut self.initiator, min_bytes)
    }

    /// The verdict on the URL in the buffer: bits 0-1 the action, bits 2-7 the reason's number.
    ///
    /// `initiator_bytes` is 0 where Chrome names no initiator.
    pub fn verdict(
        &mut self,
        url_bytes: usize,
        kind: u32,
        initiator_bytes: usize,
        now_ms: f64,
    ) -> u32 {
        let url = self.url.get(..url_bytes).and_then(|bytes| str::from_utf8(bytes).ok());
        let initiator =
            self.initiator.get(..initiator_bytes).and_then(|bytes| str::from_utf8(bytes).ok());
        let Some(url) = url else {
            return code_of(Action::Block, ReasonCode::Fault);
        };
        let (action, reason) = self.inner.verdict(Question {
            url,
            kind: ResourceType::from_number(kind),
            initiator: initiator.filter(|text| !text.is_empty()),
            now_ms: now_ms as i64,
        });
        code_of(action, reason)
    }

    /// The whole decision on a URL, as `bellgate decide --json` prints it.
    pub fn decide(
        &mut self,
        url: &str,
        kind: u32,
        initiator: Option<String>,
        now_ms: f64,
    ) -> Result<JsValue, JsValue> {
        to_js(&self.inner.decide(question(url, kind, initiator.as_deref(), now_ms)))
    }

    /// What is recorded of a request, or `null`.
    ///
    /// `navigation` is `own`, `other` or `transition`.
    ///
    /// # Errors
    /// `{code: "bad_navigation"}` for any other word.
    pub fn event(
        &mut self,
        url: &str,
        kind: u32,
        initiator: Option<String>,
        now_ms: f64,
        navigation: &str,
    ) -> Result<JsValue, JsValue> {
        let navigation = match navigation {
            "own" => Navigation::Own,
            "other" => Navigation::Other,
            "transition" => Navigation::Transition,
            other => {
                let message =
                    format!("unknown navigation `{other}`; use `own`, `other` or `transition`");
                return Err(failure("bad_navigation", &message));
            }
        };
        to_js(&self.inner.event(question(url, kind, initiator.as_deref(), now_ms), navigation))
    }
}

fn question<'a>(url: &'a str, kind: u32, initiator: Option<&'a str>, now_ms: f64) -> Question<'a> {
    Question { url, kind: ResourceType::from_number(kind), initiator, now_ms: now_ms as i64 }
}

fn code_of(action: Action, reason: ReasonCode) -> u32 {
    action as u32 | (reason as u32) << 2
}

fn grown(buffer: &mut Vec<u8>, min_bytes: usize) -> *const u8 {
    if buffer.len() < min_bytes {
        buffer.resize(min_bytes.next_power_of_two(), 0);
    }
    buffer.as_ptr()
}
