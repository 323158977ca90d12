//! The HTML of the staff pages: no script, one style sheet, everything escaped.

use std::fmt::Write;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use super::Role;
use crate::store::{AuditRecord, DeviceRecord, Figure, SignedIn, StoredEvent};

/// What the pages may load and where their forms may go.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// The style sheet.
pub const STYLE: &str = "\
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}\
body{margin:0 auto;max-width:76rem;padding:1rem}\
nav{display:flex;flex-wrap:wrap;gap:1rem;align-items:center;border-bottom:1px solid;padding-bottom:.5rem}\
nav form{margin-left:auto}\
form.filter{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end;margin:1rem 0}\
label{display:block}\
input,select,button{font:inherit;padding:.35rem .5rem}\
table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8886;vertical-align:top;overflow-wrap:anywhere}\
.wrong{border-left:.3rem solid #b00;padding-left:.75rem}\
.scroll{overflow-x:auto}";

/// A page with its status, or an answer that is none.
pub fn respond(status: StatusCode, html: String) -> Response {
    let mut response = (status, Html(html)).into_response();
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    response
}

/// The sign-in form.
pub fn sign_in(tenants: &[&str], problem: Option<&str>) -> String {
    let mut main = String::from("<h1>Sign in</h1>");
    if let Some(problem) = problem {
        push(
            &mut main,
            format_args!("<p class=\"wrong\" role=\"alert\">{}</p>", escape(problem)),
        );
    }
    main.push_str("<form method=\"post\" action=\"/staff/sign-in\">");
    if let [only] = tenants {
        push(
            &mut main,
            format_args!(
                "<input type=\"hidden\" name=\"tenant\" value=\"{}\">",
                escape(only)
            ),
        );
    } else {
        main.push_str("<label>School <select name=\"tenant\">");
        for tenant in tenants {
            push(
                &mut main,
                format_args!("<option>{}</option>", escape(tenant)),
            );
        }
        main.push_str("</select></label>");
    }
    main.push_str(
        "<p><label>Name <input name=\"name\" autocomplete=\"username\" required></label></p>\
         <p><label>Password <input name=\"password\" type=\"password\" \
         autocomplete=\"current-password\" required></label></p>\
         <p><label>Six-digit code <input name=\"code\" inputmode=\"numeric\" \
         autocomplete=\"one-time-code\" pattern=\"[0-9]{6}\" required></label></p>\
         <button>Sign in</button></form>",
    );
    whole("Sign in", "", &main)
}

/// The list of events with its filter.
pub fn events(
    person: &SignedIn,
    chosen: &[(&'static str, String)],
    events: &[StoredEvent],
    next: Option<&str>,
) -> String {
    let value = |name: &str| {
        chosen
            .iter()
            .find(|(key, _)| *key == name)
            .map_or("", |(_, value)| value.as_str())
    };
    let mut main = String::from("<h1>Events</h1><form class=\"filter\" action=\"/staff/events\">");
    for (name, label) in [
        ("kind", "Kind"),
        ("cohort", "Cohort"),
        ("category", "Category"),
        ("subject", "Person"),
    ] {
        if name == "subject" && !person.role.sight().names {
            continue;
        }
        push(
            &mut main,
            format_args!(
                "<label>{label} <input name=\"{name}\" value=\"{}\"></label>",
                escape(value(name))
            ),
        );
    }
    for (name, label) in [("from", "From"), ("until", "Until, not included")] {
        push(
            &mut main,
            format_args!(
                "<label>{label} <input type=\"date\" name=\"{name}\" value=\"{}\"></label>",
                escape(value(name))
            ),
        );
    }
    if person.role.sight().staff_stream {
        let mark = if value("stream") == "staff" {
            " selected"
        } else {
            ""
        };
        push(
            &mut main,
            format_args!(
                "<label>Stream <select name=\"stream\"><option value=\"\">pupils</option>\
                 <option value=\"staff\"{mark}>staff</option></select></label>"
            ),
        );
    }
    let query = query(chosen);
    push(
        &mut main,
        format_args!(
            "<button>Show</button></form>\
             <p><a href=\"/staff/events.csv?{}\">Export as CSV</a></p>",
            escape(&query)
        ),
    );
    main.push_str(
        "<div class=\"scroll\"><table><thead><tr><th>When</th><th>Kind</th><th>Number</th>\
         <th>Cohort</th><th>Person</th><th>Verified</th><th>Category</th><th>What</th>\
         <th>Rule</th><th>Comment</th></tr></thead><tbody>",
    );
    for event in events {
        let what = format!(
            "{}{}",
            event.host.as_deref().unwrap_or_default(),
            event.path.as_deref().unwrap_or_default()
        );
        main.push_str("<tr>");
        for cell in [
            event.at.as_str(),
            &event.kind,
            &event.count.to_string(),
            event.cohort.as_deref().unwrap_or_default(),
            event.subject.as_deref().unwrap_or_default(),
            if event.verified { "yes" } else { "no" },
            event.category.as_deref().unwrap_or_default(),
            &what,
            event.rule.as_deref().unwrap_or_default(),
            event.comment.as_deref().unwrap_or_default(),
        ] {
            push(&mut main, format_args!("<td>{}</td>", escape(cell)));
        }
        main.push_str("</tr>");
    }
    main.push_str("</tbody></table></div>");
    if events.is_empty() {
        main.push_str("<p>No events.</p>");
    }
    if let Some(next) = next {
        let separator = if query.is_empty() { "" } else { "&" };
        push(
            &mut main,
            format_args!(
                "<p><a href=\"/staff/events?{}{}before={}\">Older</a></p>",
                escape(&query),
                escape(separator),
                escape(next)
            ),
        );
    }
    whole("Events", &navigation(person), &main)
}

/// The figures of the last days; those under `figure_min` are not told.
pub fn figures(person: &SignedIn, days: i64, figures: &[Figure]) -> String {
    let least = person.role.sight().figure_min;
    let mut main = format!(
        "<h1>Figures of the last {days} days</h1><table><thead><tr><th>Kind</th>\
         <th>Category</th><th>Number</th></tr></thead><tbody>"
    );
    for figure in figures {
        let total = if figure.total < least {
            format!("under {least}")
        } else {
            figure.total.to_string()
        };
        push(
            &mut main,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td>{total}</td></tr>",
                escape(&figure.kind),
                escape(&figure.category)
            ),
        );
    }
    main.push_str("</tbody></table>");
    whole("Figures", &navigation(person), &main)
}

/// The enrolled devices, each with its forms.
pub fn devices(person: &SignedIn, devices: &[DeviceRecord]) -> String {
    let mut main = String::from(
        "<h1>Devices</h1><div class=\"scroll\"><table><thead><tr><th>Device</th><th>Status</th>\
         <th>Says it is</th><th>Cohort</th><th>Last seen</th><th>Decide</th></tr></thead><tbody>",
    );
    for device in devices {
        main.push_str("<tr>");
        for cell in [
            device.id.as_str(),
            &device.status,
            device.subject.as_deref().unwrap_or_default(),
            device.cohort.as_deref().unwrap_or_default(),
            &device.last_seen_at,
        ] {
            push(&mut main, format_args!("<td>{}</td>", escape(cell)));
        }
        push(
            &mut main,
            format_args!(
                "<td><form method=\"post\" action=\"/staff/devices\">{}\
                 <input type=\"hidden\" name=\"device\" value=\"{}\">\
                 <label>Person <input name=\"subject\" value=\"{}\"></label> \
                 <button name=\"verdict\" value=\"verified\">Approve</button> \
                 <button name=\"verdict\" value=\"revoked\">Revoke</button></form></td></tr>",
                form_token(person),
                escape(&device.id),
                escape(device.subject.as_deref().unwrap_or_default()),
            ),
        );
    }
    main.push_str("</tbody></table></div>");
    whole("Devices", &navigation(person), &main)
}

/// The newest rows of the audit log.
pub fn audit(person: &SignedIn, rows: &[AuditRecord], broken: Option<i64>) -> String {
    let mut main = String::from("<h1>Audit log</h1>");
    if let Some(number) = broken {
        push(
            &mut main,
            format_args!(
                "<p class=\"wrong\" role=\"alert\">The log was changed at or before row {number}: \
                 its chain of hashes does not hold.</p>"
            ),
        );
    }
    main.push_str(
        "<table><thead><tr><th>Row</th><th>When</th><th>Who</th><th>What</th><th>Detail</th>\
         </tr></thead><tbody>",
    );
    for row in rows {
        push(
            &mut main,
            format_args!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                row.number,
                escape(&row.at),
                escape(&row.actor),
                escape(&row.action),
                escape(&row.detail)
            ),
        );
    }
    main.push_str("</tbody></table>");
    whole("Audit log", &navigation(person), &main)
}

/// A page that says why there is no other.
pub fn problem(title: &str, text: &str) -> String {
    whole(
        title,
        "",
        &format!(
            "<h1>{}</h1><p class=\"wrong\">{}</p><p><a href=\"/staff\">Back</a></p>",
            escape(title),
            escape(text)
        ),
    )
}

/// The chosen filters as a query string.
fn query(chosen: &[(&'static str, String)]) -> String {
    chosen
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", percent_encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            push(&mut out, format_args!("%{byte:02X}"));
        }
        out
    })
}

fn navigation(person: &SignedIn) -> String {
    let sight = person.role.sight();
    let mut nav = String::from("<nav aria-label=\"Pages\">");
    for (shown, address, label) in [
        (sight.events, "/staff/events", "Events"),
        (sight.figures, "/staff/figures", "Figures"),
        (sees_devices(person.role), "/staff/devices", "Devices"),
        (sight.audit, "/staff/audit", "Audit log"),
    ] {
        if shown {
            push(&mut nav, format_args!("<a href=\"{address}\">{label}</a>"));
        }
    }
    push(
        &mut nav,
        format_args!(
            "<form method=\"post\" action=\"/staff/sign-out\">{}<span>{}, {}</span> \
             <button>Sign out</button></form></nav>",
            form_token(person),
            escape(&person.name),
            person.role.as_str()
        ),
    );
    nav
}

/// Whether a role approves devices.
pub fn sees_devices(role: Role) -> bool {
    matches!(role, Role::Headteacher | Role::Dsl | Role::It)
}

fn form_token(person: &SignedIn) -> String {
    format!(
        "<input type=\"hidden\" name=\"form_token\" value=\"{}\">",
        escape(&person.form_token)
    )
}

fn whole(title: &str, nav: &str, main: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en-GB\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title} - Bellgate</title>\
         <link rel=\"stylesheet\" href=\"/staff/style.css\"></head><body>{nav}<main>{main}</main>\
         </body></html>",
        title = escape(title)
    )
}

/// Text as HTML shows it, in elements and quoted attributes.
fn escape(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                _ => out.push(c),
            }
            out
        })
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = out.write_fmt(text);
}
