//! The core for the extension: conversions only, no decisions.
//!
//! Strings that every request brings come through two kept buffers (`url_buffer`,
//! `initiator_buffer`) that JavaScript fills with `TextEncoder.encodeInto`: measured at a
//! quarter of the price of passing `&str`. Whole objects go through serde and are made
//! only where something is blocked, asked about or shown. Errors are `{code, message, path}`.

use bellgate_core::context::Context;
use bellgate_core::decide::Action;
use bellgate_core::engine::{self, Question};
use bellgate_core::event::{Navigation, Statement};
use bellgate_core::list::{
    Pack, PackError, PackLayout, PackSummary, PublicKey, SecretKey, Verified,
};
use bellgate_core::lists::LockedSlot;
use bellgate_core::reason::ReasonCode;
use bellgate_core::request::ResourceType;
use js_sys::Uint8Array;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// Writes a panic's place to the console before the trap; the message names no URL.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
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
                version: self
                    .inner
                    .policy()
                    .map(|policy| policy.version().to_owned()),
                errors: Vec::new(),
                warnings: warnings.iter().map(to_json).collect(),
            },
            Err(faults) => PolicyReport {
                ok: false,
                version: None,
                errors: faults.0.iter().map(to_json).collect(),
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

    /// Replaces the school's pack by one that a key of `keys` has signed and whose sequence
    /// is at least `min_sequence`.
    ///
    /// `keys` are Ed25519 public keys in base64, separated by spaces. Answers
    /// `{ok, error, version, sequence, built_at_ms, entries, head_bytes}`; a pack that is not signed,
    /// cannot be read or is older changes nothing.
    pub fn set_school_pack(
        &mut self,
        bytes: &Uint8Array,
        keys: &str,
        min_sequence: f64,
    ) -> Result<JsValue, JsValue> {
        let used = verified(bytes, keys, None).and_then(|pack| {
            let summary = at_least(&pack, min_sequence)?;
            self.inner.set_school_pack(Some(pack));
            Ok(summary)
        });
        to_js(&PackReport::of(used))
    }

    /// Opens the school's pack by its first part, header and bloom section, which suffices
    /// to say that a URL is not listed; [`Engine::attach_school_pack`] brings the rest.
    ///
    /// Takes and answers what [`Engine::set_school_pack`] does.
    pub fn open_school_pack(
        &mut self,
        head: &Uint8Array,
        keys: &str,
        min_sequence: f64,
    ) -> Result<JsValue, JsValue> {
        let used = opened(&head.to_vec())
            .and_then(|pack| signed(pack, keys))
            .and_then(|pack| {
                let summary = at_least(&pack, min_sequence)?;
                self.inner.set_school_pack(Some(pack));
                Ok(summary)
            });
        to_js(&PackReport::of(used))
    }

    /// Brings the rest of a pack that [`Engine::open_school_pack`] opened; what does not
    /// fit drops the pack. Answers what was wrong, or `null`.
    pub fn attach_school_pack(&mut self, blocks: &Uint8Array) -> Option<String> {
        let attached = self.inner.attach_school_pack(blocks.to_vec());
        attached.err().map(|error| error.to_string())
    }

    /// Loads a list of the locked illegal layer, `iwf` or `ctiru`, with its secret key in
    /// hexadecimal; nothing unloads it again, and no older one replaces it.
    ///
    /// Answers as [`Engine::set_school_pack`] does.
    pub fn lock(
        &mut self,
        slot: &str,
        bytes: &Uint8Array,
        keys: &str,
        secret: &str,
    ) -> Result<JsValue, JsValue> {
        let Some(slot) = LockedSlot::from_name(slot) else {
            let message = format!("unknown list `{slot}`; use `iwf` or `ctiru`");
            return Err(failure("bad_slot", &message));
        };
        let used = SecretKey::from_text(secret)
            .ok_or_else(|| {
                format!(
                    "the secret key of `{}` is not 32 hexadecimal digits; `bellgate lists keygen --secret` makes one",
                    slot.name()
                )
            })
            .and_then(|secret| verified(bytes, keys, Some(secret)))
            .and_then(|pack| {
                let summary = pack.summary();
                let locked = self.inner.lock(slot, pack);
                locked.map_err(|error| error.to_string()).map(|()| summary)
            });
        to_js(&PackReport::of(used))
    }

    /// What went wrong with a pack while deciding, told once, or `null`.
    ///
    /// The school's pack was dropped then and is to be handed over again.
    pub fn take_pack_fault(&mut self) -> Option<String> {
        self.inner.take_pack_fault().map(|fault| fault.to_string())
    }

    /// Drops the school's pack; the built-in lists hold alone.
    pub fn drop_school_pack(&mut self) {
        self.inner.set_school_pack(None);
    }

    /// Where to write a URL of at most `min_bytes` bytes; stays there until more is asked for,
    /// though views of the memory end when it grows.
    pub fn url_buffer(&mut self, min_bytes: usize) -> *const u8 {
        grown(&mut self.url, min_bytes)
    }

    /// Where to write an initiator; see [`Engine::url_buffer`].
    pub fn initiator_buffer(&mut self, min_bytes: usize) -> *const u8 {
        grown(&mut self.initiator, min_bytes)
    }

    /// The verdict on the URL in the buffer: bits 0-1 the action, bits 2-7 the reason's number;
    /// 255 where the rest of the school's pack must be attached first.
    ///
    /// `initiator_bytes` is 0 where Chrome names no initiator.
    pub fn verdict(
        &mut self,
        url_bytes: usize,
        kind: u32,
        initiator_bytes: usize,
        now_ms: f64,
    ) -> u32 {
        let url = self
            .url
            .get(..url_bytes)
            .and_then(|bytes| str::from_utf8(bytes).ok());
        let initiator = self
            .initiator
            .get(..initiator_bytes)
            .and_then(|bytes| str::from_utf8(bytes).ok());
        let Some(url) = url else {
            return code_of(Action::Block, ReasonCode::Fault);
        };
        let (action, reason) = self.inner.verdict(Question {
            url,
            kind: ResourceType::from_number(kind),
            initiator: initiator.filter(|text| !text.is_empty()),
            now_ms: now_ms as i64,
        });
        if self.inner.take_pending() {
            return PENDING;
        }
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
        to_js(
            &self
                .inner
                .decide(question(url, kind, initiator.as_deref(), now_ms)),
        )
    }

    /// What holds at an instant: `{mode, rule, period, next_change_at_ms, doubt, managed, observe,
    /// safe_search, youtube, download_types, open_entries}`.
    pub fn standing(&mut self, now_ms: f64) -> Result<JsValue, JsValue> {
        to_js(&self.inner.standing_report(now_ms as i64))
    }

    /// What pages say in the school's own words: `{name, contacts, pages, acceptable_use}`, or
    /// `null` while there is no policy.
    pub fn school(&self) -> Result<JsValue, JsValue> {
        to_js(&self.inner.school())
    }

    /// What leaves the device when somebody presses a button about a page, or `null`.
    ///
    /// `statement` is `notice`, `review` or `report`.
    ///
    /// # Errors
    /// `{code: "bad_statement"}` for any other word.
    pub fn statement(
        &mut self,
        statement: &str,
        url: &str,
        now_ms: f64,
    ) -> Result<JsValue, JsValue> {
        let statement = match statement {
            "notice" => Statement::Notice,
            "review" => Statement::Review,
            "report" => Statement::Report,
            other => {
                let message =
                    format!("unknown statement `{other}`; use `notice`, `review` or `report`");
                return Err(failure("bad_statement", &message));
            }
        };
        to_js(&self.inner.statement(statement, url, now_ms as i64))
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
        to_js(&self.inner.event(
            question(url, kind, initiator.as_deref(), now_ms),
            navigation,
        ))
    }
}

/// The verdict on a URL that may be listed in the part of the pack that is not there yet.
const PENDING: u32 = 255;

/// What a policy was answered with.
#[derive(Serialize)]
struct PolicyReport {
    ok: bool,
    version: Option<String>,
    errors: Vec<serde_json::Value>,
    warnings: Vec<serde_json::Value>,
}

/// What a pack was answered with.
#[derive(Default, Serialize)]
struct PackReport {
    ok: bool,
    error: Option<String>,
    version: Option<String>,
    sequence: Option<f64>,
    built_at_ms: Option<f64>,
    entries: Option<f64>,
    /// How many bytes of the file are its first part.
    head_bytes: Option<f64>,
}

impl PackReport {
    fn of(used: Result<PackSummary, String>) -> Self {
        match used {
            Ok(summary) => Self {
                ok: true,
                error: None,
                version: Some(summary.sequence.to_string()),
                sequence: Some(summary.sequence as f64),
                built_at_ms: Some(summary.built_at_ms as f64),
                entries: Some(summary.entries as f64),
                head_bytes: Some((summary.layout.header_bytes + summary.layout.bloom_bytes) as f64),
            },
            Err(error) => Self {
                error: Some(error),
                ..Self::default()
            },
        }
    }
}

/// An error as it crosses into JavaScript.
#[derive(Serialize)]
struct Failure<'a> {
    code: &'a str,
    message: &'a str,
    path: Option<&'a str>,
}

fn failure(code: &str, message: &str) -> JsValue {
    let failure = Failure {
        code,
        message,
        path: None,
    };
    to_js(&failure).unwrap_or_else(|_| JsValue::from(message))
}

fn to_json(value: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value
        .serialize(&serializer)
        .map_err(|error| JsValue::from(error.to_string()))
}

fn open(bytes: &Uint8Array) -> Result<Pack, JsValue> {
    pack_of(bytes, None).map_err(|error| failure("bad_pack", &error.to_string()))
}

/// Copies a pack out of JavaScript's memory part by part, so that the bloom section is not
/// held twice.
fn pack_of(bytes: &Uint8Array, secret: Option<SecretKey>) -> Result<Pack, PackError> {
    let part = |start: usize, end: usize| bytes.subarray(start as u32, end as u32).to_vec();
    let layout = PackLayout::read(&part(0, PackLayout::NEEDED_BYTES))?;
    if bytes.length() as usize != layout.total_bytes() {
        return Err(PackError::Truncated);
    }
    let bloom_end = layout.header_bytes + layout.bloom_bytes;
    let header = part(0, layout.header_bytes);
    let mut pack = Pack::open_parts(&header, part(layout.header_bytes, bloom_end), secret)?;
    pack.attach(part(bloom_end, layout.total_bytes()))?;
    Ok(pack)
}

/// A whole pack that one of the keys has signed.
fn verified(bytes: &Uint8Array, keys: &str, secret: Option<SecretKey>) -> Result<Pack, String> {
    let pack = pack_of(bytes, secret).map_err(|error| error.to_string())?;
    signed(pack, keys)
}

/// The first part of an open pack.
fn opened(head: &[u8]) -> Result<Pack, String> {
    let layout = PackLayout::read(head).map_err(|error| error.to_string())?;
    let (header, bloom) = head
        .split_at_checked(layout.header_bytes)
        .ok_or_else(|| PackError::Truncated.to_string())?;
    Pack::open_parts(header, bloom.to_vec(), None).map_err(|error| error.to_string())
}

/// The pack, if one of the keys has signed it.
fn signed(pack: Pack, keys: &str) -> Result<Pack, String> {
    let keys = PublicKey::set_from_text(keys).map_err(|error| error.to_string())?;
    match pack.verify(&keys).map_err(|error| error.to_string())? {
        Verified::Signed(_) => Ok(pack),
        Verified::Unsigned => Err("the list pack is not signed; sign it with `bellgate lists build --sign-key` and give the public key in the managed key `pack_keys`".to_owned()),
    }
}

/// The pack's summary, if its sequence is high enough.
fn at_least(pack: &Pack, min_sequence: f64) -> Result<PackSummary, String> {
    let summary = pack.summary();
    if (summary.sequence as f64) < min_sequence {
        return Err(format!(
            "the list pack's sequence {} is lower than {min_sequence}; publish the newer pack again, or build one with a higher sequence",
            summary.sequence
        ));
    }
    Ok(summary)
}

fn question<'a>(url: &'a str, kind: u32, initiator: Option<&'a str>, now_ms: f64) -> Question<'a> {
    Question {
        url,
        kind: ResourceType::from_number(kind),
        initiator,
        now_ms: now_ms as i64,
    }
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
