//! The routes, what they share, and the headers every answer carries.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
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
use crate::rate::RateLimit;
use crate::signing::SigningKey;
use crate::staff::PasswordChecks;
use crate::store::{KnownDevice, Store};
use crate::writer::Writer;
use crate::{enrol, health, intake, schema, staff};

/// Devices whose keys stay in memory, about 200 bytes each.
const DEVICES_KEPT_MAX: usize = 100_000;

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
    /// How often each device may send, by its number.
    pub device_rate: RateLimit<i64>,
    /// How often one name may try to sign in, by school and name.
    pub sign_in_rate: RateLimit<String>,
    /// Bounds how many passwords are hashed at once.
    pub password_checks: PasswordChecks,
    /// How often each school's devices may enrol, by its number.
    pub enrol_rate: RateLimit<i64>,
    tenants: HashMap<String, School>,
    signing_keys: HashMap<i64, SigningKey>,
    devices: RwLock<HashMap<String, Arc<KnownDevice>>>,
}

#[derive(Debug)]
struct School {
    number: i64,
    enrolment_key: Option<String>,
}

impl App {
    /// Puts the shared parts together.
    ///
    /// # Errors
    /// The pack folder cannot be read, or a tenant cannot be written.
    pub async fn new(config: Config, store: Store, writer: Writer) -> Result<Self, ServeError> {
        let mut tenants = HashMap::new();
        let mut signing_keys = HashMap::new();
        for tenant in config.tenants {
            let number = store.tenant(&tenant.id).await?;
            signing_keys.insert(number, store.signing_key(number).await?);
            tenants.insert(
                tenant.id,
                School {
                    number,
                    enrolment_key: tenant.enrolment_key,
                },
            );
        }
        Ok(Self {
            packs: config.packs.map(Packs::open).transpose()?,
            device_rate: RateLimit::new(config.limits.device_rate),
            sign_in_rate: RateLimit::new(config.limits.sign_in_rate),
            password_checks: PasswordChecks::default(),
            enrol_rate: RateLimit::new(config.limits.enrol_rate),
            limits: config.limits,
            store,
            writer,
            tenants,
            signing_keys,
            devices: RwLock::new(HashMap::new()),
        })
    }

    /// The number of a configured tenant.
    ///
    /// # Errors
    /// 403 for one that is not served here.
    pub fn tenant(&self, id: &str) -> Result<i64, Refusal> {
        let school = self.tenants.get(id).ok_or_else(|| Refusal {
            path: Some("/tenant".into()),
            ..Refusal::new(
                StatusCode::FORBIDDEN,
                "unknown_tenant",
                "this endpoint does not serve that tenant; check the managed key `tenant`",
            )
        })?;
        Ok(school.number)
    }

    /// The configured tenants in alphabetical order.
    pub fn tenant_ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.tenants.keys().map(String::as_str).collect();
        ids.sort_unstable();
        ids
    }

    /// Whether a tenant enrols devices, and so takes signed batches only.
    pub fn enrols(&self, tenant: &str) -> bool {
        self.tenants
            .get(tenant)
            .is_some_and(|school| school.enrolment_key.is_some())
    }

    /// Whether a text is a tenant's enrolment key, in a time that tells nothing.
    pub fn is_enrolment_key(&self, tenant: &str, text: &str) -> bool {
        let digest = |text: &str| ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        self.tenants
            .get(tenant)
            .and_then(|school| school.enrolment_key.as_deref())
            // Digests of equal length give away neither length nor prefix.
            .is_some_and(|key| {
                let (one, other) = (digest(key), digest(text));
                one.as_ref()
                    .iter()
                    .zip(other.as_ref())
                    .fold(0, |difference, (a, b)| difference | (a ^ b))
                    == 0
            })
    }

    /// The key with which the endpoint speaks to a tenant's devices.
    pub fn signing_key(&self, tenant: i64) -> Option<&SigningKey> {
        self.signing_keys.get(&tenant)
    }

    /// A device's key by its id; asked of the database once, since it never changes.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn device(&self, id: &str) -> Result<Option<Arc<KnownDevice>>, Refusal> {
        if let Some(known) = self
            .devices
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
        {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(device) = self.store.device(id).await? else {
            return Ok(None);
        };
        let device = Arc::new(device);
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        if devices.len() >= DEVICES_KEPT_MAX {
            devices.clear();
        }
        devices.insert(id.to_owned(), Arc::clone(&device));
        Ok(Some(device))
    }
}

/// The routes with their fallbacks and the headers of every answer.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/health", get(health::health))
        .route("/v1/enrol", post(enrol::enrol))
        .route("/v1/events", post(intake::take_events))
        .route("/v1/packs/{name}", get(packs::serve_pack))
        .route("/v1/openapi.json", get(schema::openapi))
        .route("/v1/schema/event-batch.json", get(schema::event_batch))
        .merge(staff::routes())
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
