//! What a request is refused with, and what stops the endpoint as a whole.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::config::ConfigError;
use crate::store::StoreError;

/// Why the endpoint could not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be opened or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The listener failed.
    #[error("the listener failed: {0}; check that the address is free and reachable")]
    Listener(#[from] std::io::Error),
}

/// A request refused as a whole: a status and `{"error":{code,message,path}}`.
///
/// Codes are stable; docs/endpoint.md lists each with its status.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable code.
    pub code: &'static str,
    /// What is wrong and how to mend it.
    pub message: String,
    /// Where in the body, as a JSON pointer, when the fault has a place.
    pub path: Option<String>,
    /// Seconds after which to try again, for 429 and 503.
    pub retry_after_s: Option<u32>,
    /// The endpoint's time in Unix milliseconds and its signature.
    pub signed_time: Option<(i64, String)>,
}

impl Refusal {
    /// A refusal without a place in the body.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            path: None,
            retry_after_s: None,
            signed_time: None,
        }
    }

    /// A malformed body: 422 with the place of the fault.
    pub fn invalid(
        code: &'static str,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            path: Some(path.into()),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
        }
    }

    /// The endpoint cannot take it now: 503 with `Retry-After`.
    pub fn unavailable(code: &'static str, message: impl Into<String>, retry_after_s: u32) -> Self {
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        // The database's own words may quote values: they go nowhere.
        tracing::error!(kind = error.kind(), "the database failed");
        Self::unavailable(
            "database_unavailable",
            "the database did not take the request; send it again later",
            10,
        )
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Body<'a>,
}

#[derive(Serialize)]
struct Body<'a> {
    code: &'a str,
    message: &'a str,
    path: Option<&'a str>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = Json(Envelope {
            error: Body {
                code: self.code,
                message: &self.message,
                path: self.path.as_deref(),
            },
        });
        let mut response = (self.status, body).into_response();
        if let Some(seconds) = self.retry_after_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some((time_ms, signature)) = self.signed_time
            && let Ok(signature) = HeaderValue::from_str(&signature)
        {
            let headers = response.headers_mut();
            headers.insert("bellgate-time", HeaderValue::from(time_ms));
            headers.insert("bellgate-signature", signature);
        }
        response
    }
}
