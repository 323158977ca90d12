//! `POST /v1/events`: from a request's body to an answer that a queue can act on.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;

use crate::app::App;
use crate::auth::{self, Signer};
use crate::clock::now_ms;
use crate::enrol::revoked;
use crate::error::Refusal;
use crate::event::{self, Batch, RejectedEvent};
use crate::store::{Delivery, Receipt};
use crate::writer::WriteError;

/// What became of each event of a batch; every id stands in exactly one list.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Stored now, and on the disk.
    stored: Vec<String>,
    /// Stored before, or twice in this batch.
    duplicate: Vec<String>,
    /// Never to be stored.
    rejected: Vec<RejectedEvent>,
}

/// Takes a batch.
///
/// # Errors
/// A refusal of the whole batch; then nothing of it is stored.
pub async fn take_events(
    State(app): State<Arc<App>>,
    request: Request<Body>,
) -> Result<Json<Outcome>, Refusal> {
    require_json(request.headers())?;
    let limits = &app.limits;
    let (parts, body) = request.into_parts();
    let body = read_body(body, limits.body_max_bytes, limits.read_timeout).await?;
    let signer = auth::signer(&app, &parts, &body).await?;
    let received_ms = now_ms();

    let batch = event::parse_batch(&body, limits.batch_max_events)?;
    let tenant = app.tenant(&batch.tenant)?;
    check_sender(&app, &batch, tenant, signer.as_ref())?;
    let mut rejected = Vec::new();
    let mut events = Vec::with_capacity(batch.events.len());
    for (index, raw) in batch.events.iter().enumerate() {
        match event::parse(raw, index, received_ms) {
            Ok(event) => events.push(event),
            Err(Ok(rejection)) => rejected.push(rejection),
            Err(Err(refusal)) => return Err(refusal),
        }
    }

    let ids: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
    let delivery = Delivery {
        tenant,
        signer,
        received_ms,
        events,
    };
    let new = match app.writer.write(delivery).await.map_err(refuse_write)? {
        Receipt::Stored(new) => new,
        Receipt::Replayed => return Err(replayed()),
        Receipt::Revoked => return Err(revoked()),
    };
    let (mut stored, mut duplicate) = (Vec::new(), Vec::new());
    for (id, is_new) in ids.into_iter().zip(new) {
        if is_new { &mut stored } else { &mut duplicate }.push(id);
    }
    Ok(Json(Outcome {
        stored,
        duplicate,
        rejected,
    }))
}

/// A signed batch is of its own device and school; an unsigned one only where
/// the school enrols no devices.
fn check_sender(
    app: &App,
    batch: &Batch<'_>,
    tenant: i64,
    signer: Option<&Signer>,
) -> Result<(), Refusal> {
    let Some(signer) = signer else {
        if app.enrols(&batch.tenant) {
            return Err(Refusal::new(
                StatusCode::UNAUTHORIZED,
                "signature_required",
                "this school takes signed batches only; enrol, then sign as docs/endpoint.md says",
            ));
        }
        return Ok(());
    };
    if signer.tenant != tenant {
        return Err(Refusal {
            path: Some("/tenant".into()),
            ..Refusal::new(
                StatusCode::FORBIDDEN,
                "wrong_tenant",
                "the device is enrolled with another tenant; enrol with this one",
            )
        });
    }
    if batch.device.as_ref() != Some(&signer.id) {
        return Err(Refusal::invalid(
            "wrong_device",
            "/device",
            "the batch is not of the device that signed it; send the id of `Bellgate-Device`",
        ));
    }
    Ok(())
}

fn replayed() -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "replayed",
        "the sequence is not above the last one taken; sign again with a higher one",
    )
}

fn refuse_write(error: WriteError) -> Refusal {
    match error {
        WriteError::Full => Refusal::unavailable(
            "busy",
            "more arrives than can be written; send the batch again later",
            5,
        ),
        WriteError::Store(error) => error.into(),
    }
}

/// Requires `Content-Type: application/json`, in UTF-8 if a charset is named.
pub fn require_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_ascii_lowercase();
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next() == Some("application/json");
    let is_utf8 = parts.all(|part| !part.starts_with("charset=") || part == "charset=utf-8");
    if is_json && is_utf8 {
        Ok(())
    } else {
        Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "the body is not declared as JSON; send `Content-Type: application/json`",
        ))
    }
}

/// Reads a body to its end, no further than `max_bytes` and no longer than `timeout`.
///
/// # Errors
/// 413 for one too large, 408 for one too slow, 400 for one that breaks off.
pub async fn read_body(body: Body, max_bytes: usize, timeout: Duration) -> Result<Bytes, Refusal> {
    let limited = Limited::new(body, max_bytes);
    match tokio::time::timeout(timeout, limited.collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body is over {max_bytes} bytes; send smaller batches"),
        )),
        Ok(Err(_)) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "body_incomplete",
            "the body broke off; send the batch again",
        )),
        Err(_) => Err(Refusal::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            "the body did not arrive in time; send the batch again",
        )),
    }
}
