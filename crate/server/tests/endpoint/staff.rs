//! The staff pages: who gets in, what each role sees, what is written down.

use bellgate_server::staff::{NewAccount, Role, generate_account};
use bellgate_server::{Config, Store};
use ring::hmac;
use serde_json::{Value, json};

use crate::common::{Answer, Folder, Running, batch, block, now_ms, school};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const ORIGIN: (&str, &str) = ("Origin", "https://endpoint.test");

struct Pages {
    folder: Folder,
    endpoint: Running,
}

impl Pages {
    /// An endpoint with a block of Year 9, one of Year 12 and one of staff.
    async fn start() -> Self {
        let folder = Folder::new();
        let endpoint = Running::start(Config::new(folder.database(), school())).await;
        let pages = Self { folder, endpoint };
        pages.store_block("p-nine", "year-9", "nine.example").await;
        pages
            .store_block("p-twelve", "year-12", "twelve.example")
            .await;
        pages
            .store_block("t-colleague", "staff", "staff.example")
            .await;
        pages
    }

    async fn store_block(&self, subject: &str, cohort: &str, host: &str) {
        let mut event = block();
        event["subject"] = json!(subject);
        event["cohort"] = json!(cohort);
        event["url"]["host"] = json!(host);
        let answer = self.endpoint.post_events(&batch(&[event])).await;
        assert_eq!(answer.status, 200);
    }

    async fn store(&self) -> Store {
        Store::open(&self.folder.database()).await.unwrap()
    }

    async fn add(&self, name: &str, role: Role, subject: Option<&str>) -> NewAccount {
        let account = generate_account(name, role, subject.map(Into::into), None).unwrap();
        let store = self.store().await;
        let tenant = store.find_tenant("school").await.unwrap().unwrap();
        assert!(store.add_account(tenant, &account).await.unwrap());
        store.close().await;
        account
    }

    async fn try_sign_in(&self, name: &str, password: &str, code: &str) -> Answer {
        let form = format!("tenant=school&name={name}&password={password}&code={code}");
        self.endpoint
            .send("POST", "/staff/sign-in", &[FORM, ORIGIN], form.as_bytes())
            .await
    }

    /// Signs in and answers the cookie.
    async fn sign_in(&self, account: &NewAccount) -> String {
        let answer = self
            .try_sign_in(
                &account.name,
                &account.password,
                &code(&account.totp_secret, 0),
            )
            .await;
        assert_eq!(answer.status, 303, "{}", text(&answer));
        let cookie = answer.header("set-cookie").unwrap();
        for attribute in [
            "__Host-",
            "; Secure",
            "; HttpOnly",
            "; SameSite=Strict",
            "; Path=/",
        ] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        cookie.split(';').next().unwrap().to_owned()
    }

    async fn signed_in(&self, role: Role) -> String {
        let account = self.add(role.as_str(), role, None).await;
        self.sign_in(&account).await
    }

    async fn get(&self, cookie: &str, path: &str) -> Answer {
        self.endpoint
            .send("GET", path, &[("Cookie", cookie)], b"")
            .await
    }
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

/// The code of the present step, or of one `steps` away.
fn code(secret: &[u8], steps: i64) -> String {
    let step = now_ms() / 30_000 + steps;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 0xf);
    let number = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn form_token(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"form_token\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn nobody_gets_in_without_name_password_and_fresh_code() {
    let pages = Pages::start().await;
    let account = pages.add("dsl@school.example", Role::Dsl, None).await;
    let now = code(&account.totp_secret, 0);
    let old = code(&account.totp_secret, -10);
    for (name, password, code) in [
        ("dsl@school.example", "wrong", now.as_str()),
        ("dsl@school.example", &account.password, "000000x"),
        ("dsl@school.example", &account.password, &old),
        ("nobody@school.example", &account.password, &now),
    ] {
        let answer = pages.try_sign_in(name, password, code).await;
        assert_eq!(answer.status, 401, "{name} {code}");
        assert_eq!(answer.header("set-cookie"), None);
    }
    for path in [
        "/staff/events",
        "/staff/events.csv",
        "/staff/figures",
        "/staff/devices",
        "/staff/audit",
    ] {
        for cookie in ["", "__Host-bellgate-staff=guess"] {
            let answer = pages.get(cookie, path).await;
            assert_eq!(
                (answer.status, answer.header("location")),
                (303, Some("/staff/sign-in"))
            );
        }
    }
    pages.sign_in(&account).await;
    // The same code a second time.
    let again = pages
        .try_sign_in(&account.name, &account.password, &now)
        .await;
    assert_eq!(again.status, 401);
    // The sixth try within minutes.
    let flooded = pages
        .try_sign_in(&account.name, &account.password, &now)
        .await;
    assert_eq!(flooded.status, 429);
    assert!(flooded.header("retry-after").is_some());
    pages.endpoint.stop().await;
}

#[tokio::test]
async fn each_role_sees_its_own_part() {
    let pages = Pages::start().await;
    // role, events page, Year 9 by name, Year 9's host, Year 12 by name, staff's stream, figures, audit
    let table = [
        (Role::Headteacher, 200, true, true, true, 200, 200, 200),
        (Role::Leadership, 200, false, true, false, 403, 200, 200),
        (Role::Dsl, 200, true, true, true, 403, 200, 403),
        (Role::DslSixthForm, 200, false, false, true, 403, 403, 403),
        (Role::It, 200, false, true, false, 403, 200, 403),
        (Role::Governor, 403, false, false, false, 403, 200, 403),
        (Role::Teacher, 403, false, false, false, 403, 403, 403),
    ];
    assert_eq!(table.len(), Role::ALL.len());
    for (role, events, nine, nine_host, twelve, staff, figures, audit) in table {
        let cookie = pages.signed_in(role).await;
        let page = pages.get(&cookie, "/staff/events").await;
        assert_eq!(page.status, events, "{role:?}");
        for path in ["/staff/events", "/staff/events.csv"] {
            let shown = text(&pages.get(&cookie, path).await);
            assert_eq!(shown.contains("p-nine"), nine, "{role:?} {path}");
            assert_eq!(shown.contains("nine.example"), nine_host, "{role:?} {path}");
            assert_eq!(shown.contains("p-twelve"), twelve, "{role:?} {path}");
            assert!(!shown.contains("staff.example"), "{role:?} {path}");
            assert!(!shown.contains("t-colleague"), "{role:?} {path}");
        }
        let stream = pages.get(&cookie, "/staff/events?stream=staff").await;
        assert_eq!(stream.status, staff, "{role:?}");
        assert!(!text(&stream).contains("t-colleague"), "{role:?}");
        assert_eq!(
            text(&stream).contains("staff.example"),
            staff == 200,
            "{role:?}"
        );
        assert_eq!(
            pages.get(&cookie, "/staff/figures").await.status,
            figures,
            "{role:?}"
        );
        assert_eq!(
            pages.get(&cookie, "/staff/audit").await.status,
            audit,
            "{role:?}"
        );
        if !nine && !twelve {
            let probe = pages.get(&cookie, "/staff/events?subject=p-nine").await;
            assert_eq!(probe.status, 403, "{role:?}");
        }
    }
    pages.endpoint.stop().await;
}

#[tokio::test]
async fn filters_narrow_the_list_and_bad_ones_are_told() {
    let pages = Pages::start().await;
    let cookie = pages.signed_in(Role::Dsl).await;
    for (query, nine, twelve) in [
        ("cohort=year-9", true, false),
        ("subject=p-twelve", false, true),
        ("kind=count", false, false),
        ("category=games", true, true),
        ("category=drugs", false, false),
        ("until=2020-01-01", false, false),
        ("from=2020-01-01", true, true),
    ] {
        let page = text(&pages.get(&cookie, &format!("/staff/events?{query}")).await);
        assert_eq!(page.contains("nine.example"), nine, "{query}");
        assert_eq!(page.contains("twelve.example"), twelve, "{query}");
    }
    for query in ["kind=all", "from=yesterday", "before=x"] {
        let answer = pages.get(&cookie, &format!("/staff/events?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    pages.endpoint.stop().await;
}

#[tokio::test]
async fn nobody_sees_events_about_themselves() {
    let pages = Pages::start().await;
    let account = pages.add("dsl", Role::Dsl, Some("p-nine")).await;
    let cookie = pages.sign_in(&account).await;
    let page = text(&pages.get(&cookie, "/staff/events").await);
    assert!(!page.contains("nine.example"));
    assert!(page.contains("twelve.example"));
    pages.endpoint.stop().await;
}

#[tokio::test]
async fn reading_names_is_written_down_and_the_log_shows_tampering() {
    let pages = Pages::start().await;
    let dsl = pages.signed_in(Role::Dsl).await;
    let it = pages.signed_in(Role::It).await;
    pages.get(&dsl, "/staff/events?cohort=year-9").await;
    pages.get(&dsl, "/staff/events.csv").await;
    pages.get(&it, "/staff/events").await;
    let store = pages.store().await;
    let tenant = store.find_tenant("school").await.unwrap().unwrap();
    let log = store.audit_log(tenant, 100).await.unwrap();
    let rows: Vec<String> = log
        .iter()
        .rev()
        .map(|row| format!("{}: {} ({})", row.actor, row.action, row.detail))
        .collect();
    assert_eq!(
        rows,
        [
            "command line: account added (dsl as dsl)",
            "dsl: signed in ()",
            "command line: account added (it as it)",
            "it: signed in ()",
            "dsl: events listed (1 named, cohort year-9)",
            "dsl: events exported (2 named)",
        ]
    );
    assert_eq!(store.broken_audit_row(tenant).await.unwrap(), None);
    store.close().await;
    let Pages { folder, endpoint } = pages;
    endpoint.stop().await;

    let file = folder.0.join("events.db");
    let url = format!("sqlite://{}", file.display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    sqlx::query("UPDATE audit SET actor = 'it' WHERE number = 5")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
    let store = Store::open(&folder.database()).await.unwrap();
    assert_eq!(store.broken_audit_row(tenant).await.unwrap(), Some(5));
    store.close().await;
}

#[tokio::test]
async fn what_pupils_write_is_shown_as_text() {
    let pages = Pages::start().await;
    let mut event = block();
    event["kind"] = json!("review");
    event["comment"] = json!("<script>alert('\"&')</script>\n=1+1");
    pages.endpoint.post_events(&batch(&[event])).await;
    let cookie = pages.signed_in(Role::Dsl).await;
    let answer = pages.get(&cookie, "/staff/events?kind=review").await;
    let page = text(&answer);
    assert!(
        page.contains("&lt;script&gt;alert(&#39;&quot;&amp;&#39;)&lt;/script&gt;"),
        "{page}"
    );
    assert!(!page.contains("<script"), "{page}");
    // No link leads to what was blocked.
    assert!(!page.contains("href=\"http"), "{page}");
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let typed = pages
        .get(&cookie, "/staff/events?cohort=%22%3E%3Cscript%3E")
        .await;
    assert!(!text(&typed).contains("<script"));
    pages.endpoint.stop().await;
}

#[tokio::test]
async fn a_form_from_elsewhere_changes_nothing() {
    let pages = Pages::start().await;
    let account = pages.add("it", Role::It, None).await;
    let cookie = pages.sign_in(&account).await;
    let cookies = ("Cookie", cookie.as_str());
    let elsewhere = ("Origin", "https://evil.example");
    let token = form_token(&text(&pages.get(&cookie, "/staff/events").await));
    let sound = format!("form_token={token}");
    for (headers, body) in [
        (vec![FORM, ORIGIN, cookies], "form_token=guess"),
        (vec![FORM, ORIGIN, cookies], ""),
        (vec![FORM, elsewhere, cookies], sound.as_str()),
    ] {
        for path in ["/staff/sign-out", "/staff/devices"] {
            let answer = pages
                .endpoint
                .send("POST", path, &headers, body.as_bytes())
                .await;
            assert_eq!(answer.status, 403, "{path} {headers:?}");
        }
    }
    let foreign = pages
        .endpoint
        .send("POST", "/staff/sign-in", &[FORM, elsewhere], b"name=it")
        .await;
    assert_eq!(foreign.status, 403);
    assert_eq!(pages.get(&cookie, "/staff/events").await.status, 200);
    let headers = [FORM, ORIGIN, cookies];
    let out = pages
        .endpoint
        .send("POST", "/staff/sign-out", &headers, sound.as_bytes())
        .await;
    assert_eq!(out.status, 303);
    assert_eq!(pages.get(&cookie, "/staff/events").await.status, 303);
    pages.endpoint.stop().await;
}

#[tokio::test]
async fn governors_are_told_no_small_figure() {
    let pages = Pages::start().await;
    let events: Vec<Value> = (0..6)
        .map(|_| {
            let mut event = block();
            event["reason"]["category"] = json!("gambling");
            event
        })
        .collect();
    pages.endpoint.post_events(&batch(&events)).await;
    // Sent again, they are not counted again.
    pages.endpoint.post_events(&batch(&events)).await;
    let governor = pages.signed_in(Role::Governor).await;
    let page = text(&pages.get(&governor, "/staff/figures").await);
    assert!(page.contains("<td>gambling</td><td>6</td>"), "{page}");
    assert!(page.contains("<td>games</td><td>under 5</td>"), "{page}");
    let head = pages.signed_in(Role::Headteacher).await;
    let page = text(&pages.get(&head, "/staff/figures").await);
    assert!(page.contains("<td>games</td><td>2</td>"), "{page}");
    let page = text(&pages.get(&head, "/staff/figures?stream=staff").await);
    assert!(page.contains("<td>games</td><td>1</td>"), "{page}");
    pages.endpoint.stop().await;
}
