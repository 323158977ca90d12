//! What each address of the staff pages does.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use super::page;
use super::session::{self, Credentials, SignInError};
use crate::app::App;
use crate::clock::{now_ms, parse_ms};
use crate::error::Refusal;
use crate::event::{EventId, Kind, field};
use crate::store::{DAY_MS, DeviceVerdict, EventFilter, SignedIn, StoredEvent, Stream};

/// Events on one page.
const PAGE_EVENTS: u32 = 100;
/// Events in one export.
const EXPORT_MAX_EVENTS: u32 = 100_000;
/// Days that the figures cover.
const FIGURE_DAYS: i64 = 30;

type Fields = HashMap<String, String>;
/// Filters as they were typed, for the page, its links and the audit log.
type Chosen = Vec<(&'static str, String)>;
type Answer = Result<Response, StaffRefusal>;

/// The staff pages' routes.
pub fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/staff", get(|| async { Redirect::to("/staff/events") }))
        .route("/staff/style.css", get(style))
        .route("/staff/sign-in", get(sign_in_page).post(sign_in))
        .route("/staff/sign-out", post(sign_out))
        .route("/staff/events", get(events))
        .route("/staff/events.csv", get(export))
        .route("/staff/figures", get(figures))
        .route("/staff/devices", get(devices).post(judge_device))
        .route("/staff/audit", get(audit))
}

/// Why there is no page.
enum StaffRefusal {
    /// Nobody is signed in: the sign-in page is next.
    SignIn,
    /// The role does not see this.
    NotYours,
    /// A form from elsewhere, or of another sign-in.
    ForeignForm,
    /// What was typed cannot be meant.
    Typed(&'static str),
    /// The endpoint cannot answer.
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for StaffRefusal {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl IntoResponse for StaffRefusal {
    fn into_response(self) -> Response {
        let (status, title, text) = match &self {
            Self::SignIn => return Redirect::to("/staff/sign-in").into_response(),
            Self::NotYours => (
                StatusCode::FORBIDDEN,
                "Not yours to see",
                "Your role does not see this page.",
            ),
            Self::ForeignForm => (
                StatusCode::FORBIDDEN,
                "Not sent from here",
                "The form was not sent from a page of this sign-in. Open the page again.",
            ),
            Self::Typed(text) => (StatusCode::BAD_REQUEST, "Not understood", *text),
            Self::Refused(refusal) => (
                refusal.status,
                "Not possible now",
                "The endpoint cannot answer just now. Try again later.",
            ),
        };
        page::respond(status, page::problem(title, text))
    }
}

async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=3600"),
    ];
    (headers, page::STYLE).into_response()
}

async fn sign_in_page(State(app): State<Arc<App>>) -> Response {
    page::respond(StatusCode::OK, page::sign_in(&app.tenant_ids(), None))
}

async fn sign_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    form: Result<Form<Fields>, FormRejection>,
) -> Answer {
    let mut fields = own_form(&headers, form)?;
    let mut take = |name: &str| fields.remove(name).unwrap_or_default();
    let typed = Credentials {
        tenant: take("tenant"),
        name: take("name"),
        password: take("password"),
        code: take("code"),
    };
    let (status, text, wait) = match session::sign_in(&app, typed).await {
        Ok(cookie) => return with_cookie(Redirect::to("/staff/events").into_response(), &cookie),
        Err(SignInError::Refused(refusal)) => return Err(refusal.into()),
        Err(SignInError::Wrong) => (
            StatusCode::UNAUTHORIZED,
            "Name, password or code is wrong, or the code was used already.",
            None,
        ),
        Err(SignInError::TooOften(seconds)) => (
            StatusCode::TOO_MANY_REQUESTS,
            "Too many tries for this name. Wait some minutes.",
            Some(seconds),
        ),
    };
    let mut response = page::respond(status, page::sign_in(&app.tenant_ids(), Some(text)));
    if let Some(seconds) = wait {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

async fn sign_out(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    form: Result<Form<Fields>, FormRejection>,
) -> Answer {
    let person = person(&app, &headers).await?;
    let fields = own_form(&headers, form)?;
    check_form_token(&person, &fields)?;
    let cookie = session::sign_out(&app, &headers).await?;
    app.store
        .audit(person.tenant, &person.name, "signed out", "")
        .await?;
    with_cookie(Redirect::to("/staff/sign-in").into_response(), &cookie)
}

async fn events(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(fields): Query<Fields>,
) -> Answer {
    let person = person(&app, &headers).await?;
    let (filter, chosen) = filter(&person, &fields, PAGE_EVENTS)?;
    let events = read(&app, &person, &filter, "events listed", &chosen).await?;
    let next = (events.len() == PAGE_EVENTS as usize)
        .then(|| events.last().map(|event| event.id.clone()))
        .flatten();
    let html = page::events(&person, &chosen, &events, next.as_deref());
    Ok(page::respond(StatusCode::OK, html))
}

async fn export(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(fields): Query<Fields>,
) -> Answer {
    let person = person(&app, &headers).await?;
    let (filter, chosen) = filter(&person, &fields, EXPORT_MAX_EVENTS)?;
    let events = read(&app, &person, &filter, "events exported", &chosen).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"events.csv\"",
        ),
    ];
    Ok((headers, Body::from(csv(&events))).into_response())
}

async fn figures(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Query(fields): Query<Fields>,
) -> Answer {
    let person = person(&app, &headers).await?;
    if !person.role.sight().figures {
        return Err(StaffRefusal::NotYours);
    }
    let until_day = now_ms().div_euclid(DAY_MS) + 1;
    let figures = app
        .store
        .figures(
            person.tenant,
            until_day - FIGURE_DAYS,
            until_day,
            stream(&person, &fields)?,
        )
        .await?;
    Ok(page::respond(
        StatusCode::OK,
        page::figures(&person, FIGURE_DAYS, &figures),
    ))
}

async fn devices(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    let person = person(&app, &headers).await?;
    if !page::sees_devices(person.role) {
        return Err(StaffRefusal::NotYours);
    }
    let devices = app.store.devices(Some(person.tenant)).await?;
    Ok(page::respond(
        StatusCode::OK,
        page::devices(&person, &devices),
    ))
}

async fn judge_device(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    form: Result<Form<Fields>, FormRejection>,
) -> Answer {
    let person = person(&app, &headers).await?;
    if !page::sees_devices(person.role) {
        return Err(StaffRefusal::NotYours);
    }
    let fields = own_form(&headers, form)?;
    check_form_token(&person, &fields)?;
    let text = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let verdict = match text("verdict") {
        "verified" if field::is_token(text("subject"), 254) => DeviceVerdict::Verified {
            subject: text("subject").to_owned(),
        },
        "verified" => {
            return Err(StaffRefusal::Typed(
                "Say whose device it is, as its events name that person.",
            ));
        }
        "revoked" => DeviceVerdict::Revoked,
        _ => return Err(StaffRefusal::Typed("Choose approve or revoke.")),
    };
    let found = app
        .store
        .judge_device(Some(person.tenant), text("device"), &verdict, &person.name)
        .await?;
    if !found {
        return Err(StaffRefusal::Typed("There is no such device."));
    }
    Ok(Redirect::to("/staff/devices").into_response())
}

async fn audit(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    let person = person(&app, &headers).await?;
    if !person.role.sight().audit {
        return Err(StaffRefusal::NotYours);
    }
    let rows = app.store.audit_log(person.tenant, 500).await?;
    let broken = app.store.broken_audit_row(person.tenant).await?;
    Ok(page::respond(
        StatusCode::OK,
        page::audit(&person, &rows, broken),
    ))
}

/// Who is signed in.
async fn person(app: &App, headers: &HeaderMap) -> Result<SignedIn, StaffRefusal> {
    session::signed_in(app, headers)
        .await?
        .ok_or(StaffRefusal::SignIn)
}

/// The fields of a form that one of the endpoint's own pages sent.
fn own_form(
    headers: &HeaderMap,
    form: Result<Form<Fields>, FormRejection>,
) -> Result<Fields, StaffRefusal> {
    if !session::is_own_page(headers) {
        return Err(StaffRefusal::ForeignForm);
    }
    form.map(|Form(fields)| fields)
        .map_err(|_| StaffRefusal::Typed("The form cannot be read."))
}

fn check_form_token(person: &SignedIn, fields: &Fields) -> Result<(), StaffRefusal> {
    if fields.get("form_token") == Some(&person.form_token) {
        Ok(())
    } else {
        Err(StaffRefusal::ForeignForm)
    }
}

fn with_cookie(mut response: Response, cookie: &str) -> Answer {
    let value = HeaderValue::from_str(cookie)
        .map_err(|_| StaffRefusal::Typed("The cookie cannot be set."))?;
    response.headers_mut().insert(header::SET_COOKIE, value);
    Ok(response)
}

/// What was asked for, within what the role sees.
fn filter(
    person: &SignedIn,
    fields: &Fields,
    limit: u32,
) -> Result<(EventFilter, Chosen), StaffRefusal> {
    let sight = person.role.sight();
    if !sight.events {
        return Err(StaffRefusal::NotYours);
    }
    let typed = |name: &str| fields.get(name).filter(|text| !text.is_empty()).cloned();
    let day = |name: &str| match typed(name) {
        None => Ok(None),
        Some(day) => parse_ms(&format!("{day}T00:00:00Z"))
            .map(Some)
            .ok_or(StaffRefusal::Typed("A day is written as 2026-09-07.")),
    };
    let kind = match typed("kind") {
        None => None,
        Some(name) => Some(Kind::from_name(&name).ok_or(StaffRefusal::Typed(
            "Kinds are block, notice, review, report, count, heartbeat and health.",
        ))?),
    };
    let before = match typed("before") {
        None => None,
        Some(id) => Some(
            EventId::parse(&id)
                .ok_or(StaffRefusal::Typed("The link to older events is broken."))?,
        ),
    };
    if typed("subject").is_some() && !sight.names {
        return Err(StaffRefusal::NotYours);
    }
    let filter = EventFilter {
        tenant_number: Some(person.tenant),
        kind,
        cohort: typed("cohort"),
        cohorts: sight.cohorts,
        stream: Some(stream(person, fields)?),
        category: typed("category"),
        subject: typed("subject"),
        not_subject: person.subject.clone(),
        from_ms: day("from")?,
        until_ms: day("until")?,
        before,
        limit,
        ..EventFilter::default()
    };
    let chosen = [
        "kind", "cohort", "category", "subject", "from", "until", "stream",
    ]
    .into_iter()
    .filter_map(|name| typed(name).map(|value| (name, value)))
    .collect();
    Ok((filter, chosen))
}

fn stream(person: &SignedIn, fields: &Fields) -> Result<Stream, StaffRefusal> {
    match fields.get("stream").map(String::as_str) {
        None | Some("") => Ok(Stream::Pupils),
        Some("staff") if person.role.sight().staff_stream => Ok(Stream::Staff),
        Some(_) => Err(StaffRefusal::NotYours),
    }
}

/// Reads events as the role sees them; seeing names is a row of the audit log.
async fn read(
    app: &App,
    person: &SignedIn,
    filter: &EventFilter,
    action: &str,
    chosen: &[(&'static str, String)],
) -> Result<Vec<StoredEvent>, StaffRefusal> {
    let mut events = app.store.events(filter).await?;
    let names = person.role.sight().names && filter.stream == Some(Stream::Pupils);
    if !names {
        for event in &mut events {
            event.subject = None;
            event.device = None;
            event.comment = None;
        }
    }
    let named = events
        .iter()
        .filter(|event| event.subject.is_some())
        .count();
    if named > 0 {
        let chosen: Vec<String> = chosen
            .iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        let detail = format!("{named} named, {}", chosen.join(", "));
        app.store
            .audit(
                person.tenant,
                &person.name,
                action,
                detail.trim_end_matches(", "),
            )
            .await?;
    }
    Ok(events)
}

/// The events as CSV (RFC 4180), with a line of headings.
fn csv(events: &[StoredEvent]) -> String {
    let mut out = String::from(
        "at,kind,count,cohort,subject,verified,category,host,path,reason,rule,period,comment\r\n",
    );
    for event in events {
        let count = event.count.to_string();
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let cells = [
            event.at.clone(),
            event.kind.clone(),
            count,
            text(&event.cohort),
            text(&event.subject),
            if event.verified { "yes" } else { "no" }.to_owned(),
            text(&event.category),
            text(&event.host),
            text(&event.path),
            text(&event.reason_code),
            text(&event.rule),
            text(&event.period_name),
            text(&event.comment),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    out
}

/// A quoted cell; one that a spreadsheet would take for a formula gets an apostrophe.
fn csv_cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_and_never_a_formula() {
        assert_eq!(csv_cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv_cell("=1+1"), "\"'=1+1\"");
        assert_eq!(csv_cell("plain"), "\"plain\"");
    }
}
