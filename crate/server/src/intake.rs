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
use crate::clock::now_ms;
use crate::error::Refusal;
use crate::event::{self, RejectedEvent};
use crate::store::Arrival;
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
    let body = read_body(
        request.into_body(),
        limits.body_max_bytes,
        limits.read_timeout,
    )
    .await?;
    let received_ms = now_ms();

    let batch = event::parse_batch(&body, limits.batch_max_events)?;
    let tenant = app.tenant(&batch.tenant)?;
    let mut rejected = Vec::new();
    let mut arrivals = Vec::with_capacity(batch.events.len());
    for (index, raw) in batch.events.iter().enumerate() {
        match event::parse(raw, index, received_ms) {
            Ok(event) => arrivals.push(Arrival {
                tenant,
                device: batch.device.clone(),
                verified: false,
                received_ms,
                event,
            }),
            Err(Ok(rejection)) => rejected.push(rejection),
            Err(Err(refusal)) => return Err(refusal),
        }
    }

    let ids: Vec<String> = arrivals.iter().map(|a| a.event.id.to_string()).collect();
    let new = if arrivals.is_empty() {
        Vec::new()
    } else {
        app.writer.write(arrivals).await.map_err(refuse_write)?
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
fn require_json(headers: &HeaderMap) -> Result<(), Refusal> {
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
