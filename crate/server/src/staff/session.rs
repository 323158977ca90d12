//! Signing in and staying signed in.

use std::time::Instant;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::Semaphore;

use super::account::{self, NO_ONES_HASH};
use crate::app::App;
use crate::clock::now_ms;
use crate::error::Refusal;
use crate::store::{Account, SignedIn};

/// The cookie; the prefix makes browsers insist on `Secure` and the whole host.
const COOKIE: &str = "__Host-bellgate-staff";
/// How long a sign-in lasts without use, and at most.
const IDLE_MAX_MS: i64 = 30 * 60 * 1000;
const LIFE_MAX_MS: i64 = 8 * 60 * 60 * 1000;

/// Bounds how many passwords are hashed at once, each 19 MiB.
#[derive(Debug)]
pub struct PasswordChecks(Semaphore);

impl Default for PasswordChecks {
    fn default() -> Self {
        Self(Semaphore::new(2))
    }
}

/// Why somebody was not signed in; the page says the same for each.
#[derive(Debug)]
pub enum SignInError {
    /// Tenant, name, password or code is wrong.
    Wrong,
    /// Too many tries for this name; seconds to wait.
    TooOften(u32),
    /// The database did not answer.
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for SignInError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// What somebody typed to sign in.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The school.
    pub tenant: String,
    /// The name.
    pub name: String,
    /// The password.
    pub password: String,
    /// The six digits.
    pub code: String,
}

/// Signs in and answers the `Set-Cookie` value.
///
/// # Errors
/// See [`SignInError`]; an unknown name takes as long as a wrong password.
pub async fn sign_in(app: &App, typed: Credentials) -> Result<String, SignInError> {
    let key = format!("{}\n{}", typed.tenant, typed.name.to_lowercase());
    app.sign_in_rate
        .take(key, Instant::now())
        .map_err(SignInError::TooOften)?;
    let account = match app.tenant(&typed.tenant) {
        Ok(tenant) => app.store.account(tenant, &typed.name).await?,
        Err(_) => None,
    };
    let hash = account
        .as_ref()
        .map_or(NO_ONES_HASH, |account| account.password_hash.as_str())
        .to_owned();
    let is_password = check_password(app, hash, typed.password).await;
    let account = account.filter(|_| is_password).ok_or(SignInError::Wrong)?;
    let now = now_ms();
    let step = account::code_step(
        &account.totp_secret,
        &typed.code,
        now,
        account.totp_last_step,
    )
    .ok_or(SignInError::Wrong)?;
    open_session(app, &account, step, now).await
}

async fn check_password(app: &App, hash: String, password: String) -> bool {
    let Ok(_permit) = app.password_checks.0.acquire().await else {
        return false;
    };
    tokio::task::spawn_blocking(move || account::is_password(&hash, &password))
        .await
        .unwrap_or(false)
}

async fn open_session(
    app: &App,
    account: &Account,
    step: i64,
    now: i64,
) -> Result<String, SignInError> {
    let no_randomness = |_| {
        Refusal::unavailable(
            "no_randomness",
            "the endpoint has no randomness; try again",
            5,
        )
    };
    let token = URL_SAFE_NO_PAD.encode(account::random::<32>().map_err(no_randomness)?);
    let form_token = URL_SAFE_NO_PAD.encode(account::random::<32>().map_err(no_randomness)?);
    // A second sign-in with the same code comes too late here.
    let opened = app
        .store
        .open_session(account, step, &token_hash(&token), &form_token, now)
        .await?;
    if !opened {
        return Err(SignInError::Wrong);
    }
    Ok(format!(
        "{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={}",
        LIFE_MAX_MS / 1000
    ))
}

/// The person whose cookie a request carries, if it still holds.
///
/// # Errors
/// The database did not answer.
pub async fn signed_in(app: &App, headers: &HeaderMap) -> Result<Option<SignedIn>, Refusal> {
    let Some(token) = read_cookie(headers) else {
        return Ok(None);
    };
    let now = now_ms();
    Ok(app
        .store
        .session(
            &token_hash(token),
            now,
            now - IDLE_MAX_MS,
            now - LIFE_MAX_MS,
        )
        .await?)
}

/// Ends the sign-in of a request and answers the `Set-Cookie` value that clears it.
///
/// # Errors
/// The database did not answer.
pub async fn sign_out(app: &App, headers: &HeaderMap) -> Result<String, Refusal> {
    if let Some(token) = read_cookie(headers) {
        app.store.close_session(&token_hash(token)).await?;
    }
    Ok(format!(
        "{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
    ))
}

/// Whether a form was sent by one of the endpoint's own pages.
///
/// Browsers name the sending page in `Origin`; a request that names another
/// host was made by a page elsewhere.
pub fn is_own_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin
            .split_once("://")
            .is_some_and(|(_, origin_host)| origin_host == host),
        (Some(_), None) => false,
    }
}

fn read_cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, token)| token)
}

fn token_hash(token: &str) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, token.as_bytes())
        .as_ref()
        .to_vec()
}
