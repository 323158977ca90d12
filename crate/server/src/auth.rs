//! Who signed a request: four headers, one text, one key.
//!
//! docs/endpoint.md states the protocol for whoever writes a device.

use std::time::Instant;

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::app::App;
use crate::clock::now_ms;
use crate::device::hex;
use crate::error::Refusal;

/// The device that signed a request, its signature proven.
///
/// Whether the sequence is new and the device not revoked is decided by the
/// database, in the transaction that stores what it sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The device's number in the database.
    pub number: i64,
    /// The device's id.
    pub id: String,
    /// The number of the school it enrolled with.
    pub tenant: i64,
    /// The request's sequence number.
    pub sequence: i64,
}

/// The four headers of a signed request, well-formed.
struct Claim {
    device: String,
    time_ms: i64,
    sequence: i64,
    signature: Vec<u8>,
}

/// Proves who signed a request; `None` for one without any of the headers.
///
/// # Errors
/// 400 malformed headers, 401 an unknown device, a false signature or a clock
/// too far off, 429 too many requests.
pub async fn signer(app: &App, parts: &Parts, body: &[u8]) -> Result<Option<Signer>, Refusal> {
    let Some(claim) = read_claim(&parts.headers)? else {
        return Ok(None);
    };
    let Some(device) = app.device(&claim.device).await? else {
        return Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "unknown_device",
            "no device of that id is enrolled here; enrol again",
        ));
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let text = signed_text(parts.method.as_str(), path, body, &claim);
    if !device.key.verifies(text.as_bytes(), &claim.signature) {
        return Err(Refusal::new(
            StatusCode::UNAUTHORIZED,
            "bad_signature",
            "the signature is not of this request by this device",
        ));
    }
    let now = now_ms();
    if now.abs_diff(claim.time_ms) > u64::try_from(app.limits.skew_max.as_millis()).unwrap_or(0) {
        return Err(skew(app, device.tenant, &claim, now));
    }
    app.device_rate
        .take(device.number, Instant::now())
        .map_err(too_often)?;
    Ok(Some(Signer {
        number: device.number,
        id: claim.device,
        tenant: device.tenant,
        sequence: claim.sequence,
    }))
}

/// 429 with the seconds to wait.
pub fn too_often(seconds: u32) -> Refusal {
    Refusal {
        retry_after_s: Some(seconds),
        ..Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limited",
            "too many requests; wait as long as `Retry-After` says",
        )
    }
}

/// 401 with the endpoint's own time, signed for this very request.
fn skew(app: &App, tenant: i64, claim: &Claim, now_ms: i64) -> Refusal {
    let signed = app.signing_key(tenant).map(|key| {
        key.sign(&format!(
            "bellgate-time-1\n{}\n{}\n{now_ms}",
            claim.device, claim.sequence
        ))
    });
    Refusal {
        signed_time: signed.map(|signature| (now_ms, signature)),
        ..Refusal::new(
            StatusCode::UNAUTHORIZED,
            "clock_skew",
            "the device's clock is too far off; take the time of `Bellgate-Time` and sign again",
        )
    }
}

/// The text a device signs.
fn signed_text(method: &str, path: &str, body: &[u8], claim: &Claim) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, body);
    format!(
        "bellgate-request-1\n{method}\n{path}\n{}\n{}\n{}\n{}",
        hex(digest.as_ref()),
        claim.device,
        claim.time_ms,
        claim.sequence
    )
}

fn read_claim(headers: &HeaderMap) -> Result<Option<Claim>, Refusal> {
    const NAMES: [&str; 4] = [
        "bellgate-device",
        "bellgate-time",
        "bellgate-sequence",
        "bellgate-signature",
    ];
    if !NAMES.iter().any(|name| headers.contains_key(*name)) {
        return Ok(None);
    }
    let malformed = |name: &str| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "malformed_signature",
            format!("the header `{name}` is missing, repeated or malformed; see docs/endpoint.md"),
        )
    };
    let read = |name: &str| {
        let mut values = headers.get_all(name).iter();
        match (
            values.next().and_then(|value| value.to_str().ok()),
            values.next(),
        ) {
            (Some(text), None) => Ok(text),
            _ => Err(malformed(name)),
        }
    };
    let number = |name: &str| {
        let text = read(name)?;
        let digits = text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
        match text.parse::<i64>() {
            Ok(number) if digits => Ok(number),
            _ => Err(malformed(name)),
        }
    };
    let device = read(NAMES[0])?;
    if device.len() != 32
        || !device
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    {
        return Err(malformed(NAMES[0]));
    }
    let signature = URL_SAFE_NO_PAD
        .decode(read(NAMES[3])?)
        .ok()
        .filter(|bytes| bytes.len() == 64)
        .ok_or_else(|| malformed(NAMES[3]))?;
    Ok(Some(Claim {
        device: device.to_owned(),
        time_ms: number(NAMES[1])?,
        sequence: number(NAMES[2])?,
        signature,
    }))
}
