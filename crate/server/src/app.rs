//! The routes, what they share, and the headers every answer carries.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};

use crate::config::{Config, Limits};
use crate::error::{Refusal, ServeError};
use crate::packs::{self, Packs};
use crate::store::Store;
use crate::writer::Writer;
use crate::{health, intake};

/// What the handlers share.
#[derive(Debug)]
pub struct App {
    /// The database.
    pub store: Store,
    /// The way to write events into it.
    pub writer: Writer,
    /// The folder of packs, if one is served.
    pub packs: Option<Packs>,
    /// The bounds on requests.
    pub limits: Limits,
    tenants: HashMap<String, i64>,
}

impl App {
    /// Puts the shared parts together.
    ///
    /// # Errors
    /// The pack folder cannot be read, or a tenant cannot be written.
    pub async fn new(config: Config, store: Store, writer: Writer) -> Result<Self, ServeError> {
        let tenants = store
            .tenants(config.tenants.iter().map(|tenant| tenant.id.as_str()))
            .await?;
        Ok(Self {
            packs: config.packs.map(Packs::open).transpose()?,
            limits: config.limits,
            store,
            writer,
            tenants,
        })
    }

    /// The number of a configured tenant.
    ///
    /// # Errors
    /// 403 for one that is not served here.
    pub fn tenant(&self, id: &str) -> Result<i64, Refusal> {
        self.tenants.get(id).copied().ok_or_else(|| Refusal {
            path: Some("/tenant".into()),
            ..Refusal::new(
                StatusCode::FORBIDDEN,
                "unknown_tenant",
                "this endpoint does not serve that tenant; check the managed key `tenant`",
            )
        })
    }
}

/// The routes with their fallbacks and the headers of every answer.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/health", get(health::health))
        .route("/v1/events", post(intake::take_events))
        .route("/v1/packs/{name}", get(packs::serve_pack))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(dress))
        .with_state(app)
}

async fn not_found() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is nothing at this address; docs/endpoint.md lists what there is",
    )
}

async fn wrong_method() -> Refusal {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this address does not take this method; the `Allow` header names those it takes",
    )
}

/// Adds the headers every answer carries, and logs the request without its sender.
///
/// The log line has the route's pattern and never the address that was asked
/// for, which might hold a name.
async fn dress(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers
            .entry(name)
            .or_insert_with(|| HeaderValue::from_static(value));
    }
    tracing::info!(
        method = method.as_str(),
        route = route.as_deref().unwrap_or("none"),
        status = response.status().as_u16(),
        micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}
