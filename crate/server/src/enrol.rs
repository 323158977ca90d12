//! `POST /v1/enrol`: the school's enrolment key for a device's own id.
//!
//! Pupils can read managed policy, so the enrolment key proves only that a
//! request comes from within the school. A device stays `unverified`, and so do
//! its events, until staff approve it as a certain person's.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::too_often;
use crate::clock::now_ms;
use crate::device::{Algorithm, PublicKey};
use crate::error::Refusal;
use crate::event::field;
use crate::intake::{read_body, require_json};
use crate::store::NewDevice;

/// What a device sends to be enrolled.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Enrolment {
    schema: u32,
    tenant: String,
    enrolment_key: String,
    algorithm: Algorithm,
    public_key: String,
    subject: Option<String>,
    cohort: Option<String>,
    signature: String,
}

/// What it gets.
#[derive(Debug, Serialize)]
pub struct Enrolled {
    device: String,
    status: String,
    last_sequence: i64,
    endpoint_key: String,
    server_time_ms: i64,
}

/// Enrols a device; the same key again gets the same id and loses nothing.
///
/// # Errors
/// 403 for a wrong tenant, enrolment key or a revoked device, 422 for a
/// malformed body or a key that did not sign it, 429 too many enrolments.
pub async fn enrol(
    State(app): State<Arc<App>>,
    request: Request<Body>,
) -> Result<Json<Enrolled>, Refusal> {
    require_json(request.headers())?;
    let limits = &app.limits;
    let body = read_body(
        request.into_body(),
        limits.body_max_bytes,
        limits.read_timeout,
    )
    .await?;
    let enrolment: Enrolment = crate::event::parse_json(&body)?;
    let tenant = app.tenant(&enrolment.tenant)?;
    app.enrol_rate
        .take(tenant, Instant::now())
        .map_err(too_often)?;
    let key = check(&app, &enrolment)?;

    let id = key.device_id(&enrolment.tenant);
    let now = now_ms();
    let device = app
        .store
        .enrol(&NewDevice {
            tenant,
            id: id.clone(),
            key,
            subject: enrolment.subject,
            cohort: enrolment.cohort,
            enrolled_ms: now,
        })
        .await?;
    if device.status == "revoked" {
        return Err(revoked());
    }
    let endpoint_key = app.signing_key(tenant).map(|key| key.public());
    Ok(Json(Enrolled {
        device: id,
        status: device.status,
        last_sequence: device.last_sequence,
        endpoint_key: endpoint_key.unwrap_or_default(),
        server_time_ms: now,
    }))
}

/// 403 for a device that staff have shut out.
pub fn revoked() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "device_revoked",
        "staff have revoked this device; ask them to approve it again",
    )
}

fn check(app: &App, enrolment: &Enrolment) -> Result<PublicKey, Refusal> {
    if enrolment.schema != 1 {
        return Err(Refusal::invalid(
            "unknown_schema",
            "/schema",
            format!(
                "schema `{}` is not known; send schema `1`",
                enrolment.schema
            ),
        ));
    }
    if !app.is_enrolment_key(&enrolment.tenant, &enrolment.enrolment_key) {
        return Err(Refusal {
            path: Some("/enrolment_key".into()),
            ..Refusal::new(
                StatusCode::FORBIDDEN,
                "wrong_enrolment_key",
                "the enrolment key is not this tenant's; check the managed key `enrolment_key`",
            )
        });
    }
    if !enrolment
        .subject
        .as_deref()
        .is_none_or(|subject| field::is_token(subject, 254))
    {
        return Err(Refusal::invalid(
            "invalid_subject",
            "/subject",
            "a subject is 1 to 254 visible ASCII characters, or null",
        ));
    }
    if !enrolment
        .cohort
        .as_deref()
        .is_none_or(|cohort| field::is_identifier(cohort, 64))
    {
        return Err(Refusal::invalid(
            "invalid_cohort",
            "/cohort",
            "a cohort is 1 to 64 of `a-z`, `0-9` and `-`, or null",
        ));
    }
    let key = URL_SAFE_NO_PAD
        .decode(&enrolment.public_key)
        .ok()
        .and_then(|bytes| PublicKey::new(enrolment.algorithm, bytes))
        .ok_or_else(|| {
            Refusal::invalid(
                "invalid_public_key",
                "/public_key",
                "a public key is in WebCrypto's `raw` format, as base64url without padding",
            )
        })?;
    let text = format!(
        "bellgate-enrol-1\n{}\n{}\n{}\n{}",
        enrolment.tenant,
        enrolment.algorithm.as_str(),
        enrolment.public_key,
        enrolment.subject.as_deref().unwrap_or_default(),
    );
    let signature = URL_SAFE_NO_PAD
        .decode(&enrolment.signature)
        .unwrap_or_default();
    if key.verifies(text.as_bytes(), &signature) {
        Ok(key)
    } else {
        Err(Refusal::invalid(
            "bad_signature",
            "/signature",
            "the enrolment is not signed by its own key; see docs/endpoint.md",
        ))
    }
}
