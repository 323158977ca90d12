//! `GET /v1/health`: whether the endpoint and its database answer.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::app::App;
use crate::clock::{format_ms, now_ms};
use crate::error::Refusal;

/// The answer of a healthy endpoint.
#[derive(Serialize)]
pub struct Health {
    status: &'static str,
    version: &'static str,
    database: &'static str,
    time: String,
}

/// Asks the database for one row, so that a dead disk is not called healthy.
pub async fn health(State(app): State<Arc<App>>) -> Result<Json<Health>, Refusal> {
    app.store.ping().await?;
    Ok(Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        database: app.store.engine(),
        time: format_ms(now_ms()),
    }))
}
