//! The endpoint's own description: OpenAPI 3.1 and the JSON Schema of a batch.
//!
//! Both are kept by hand in `crate/server/schema/`; tests hold them against the
//! code and against a running endpoint.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// OpenAPI 3.1.
const OPENAPI: &str = include_str!("../schema/openapi.json");
/// JSON Schema, draft 2020-12.
const EVENT_BATCH: &str = include_str!("../schema/event-batch.json");

/// Answers the OpenAPI document.
pub async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

/// Answers the JSON Schema of a batch.
pub async fn event_batch() -> Response {
    (
        [(header::CONTENT_TYPE, "application/schema+json")],
        EVENT_BATCH,
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::event::{Kind, RESOURCE_TYPES};

    #[test]
    fn the_schema_names_the_kinds_and_types_of_the_code() {
        let schema: Value = serde_json::from_str(EVENT_BATCH).unwrap();
        let names = |pointer: &str| -> Vec<String> {
            let list = schema.pointer(pointer).unwrap().as_array().unwrap();
            list.iter()
                .filter_map(|name| name.as_str().map(Into::into))
                .collect()
        };
        let kinds: Vec<&str> = Kind::ALL.into_iter().map(Kind::as_str).collect();
        assert_eq!(names("/$defs/event/properties/kind/enum"), kinds);
        assert_eq!(names("/$defs/event/properties/type/enum"), RESOURCE_TYPES);
    }
}
