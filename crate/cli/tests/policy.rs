//! `bellgate policy` as an administrator uses it: what each verb prints, and what it means.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use bellgate_core::policy::{MAX_POLICY_BYTES, Policy};
use serde_json::{Value, json};

const BELLGATE: &str = env!("CARGO_BIN_EXE_bellgate");

#[test]
fn both_example_schools_are_valid_without_a_warning() {
    for example in ["chromebook-school", "own-device-school"] {
        let output = bellgate(&["policy", "check", &school(example)]);
        assert!(output.status.success());
        let text = stdout(&output);
        assert!(text.contains("is valid; 8 cohorts, 0 warnings"), "{text}");
    }
}

#[test]
fn check_names_every_fault_with_place_and_remedy() {
    let folder = Folder::new("faults");
    let text = std::fs::read_to_string(school("chromebook-school"))
        .unwrap()
        .replace("\"@pupils\"", "\"@pupil\"")
        .replace("\"mode\": \"closed\"", "\"mod\": \"closed\"");
    let file = folder.file("bad.json", &text);
    let output = bellgate(&["policy", "check", &file]);
    assert_eq!(output.status.code(), Some(1));
    let told = stdout(&output);
    for line in [
        "fault    /rules/1/then/mod: unknown key `mod`; did you mean `mode`?",
        "fault    /rules/1/then: `mode` is missing; add it, like `\"mode\": \"filtered\"`",
        "fault    /sessions/0/who/0: no cohort or group is called `@pupil`; did you mean `@pupils`?",
        "5 faults; devices keep the policy they have",
    ] {
        assert!(told.contains(line), "{line}\nin\n{told}");
    }
    let output = bellgate(&["policy", "check", "--json", &file]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], false);
    let paths: BTreeSet<&str> = report["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["path"].as_str().unwrap())
        .collect();
    assert!(paths.contains("/rules/1/then/mod"), "{paths:?}");
}

#[test]
fn a_file_that_is_not_there_or_not_json_is_named() {
    let output = bellgate(&["policy", "check", "/nowhere/policy.json"]);
    assert!(stderr(&output).contains("cannot read the policy `/nowhere/policy.json`"));
    let folder = Folder::new("not-json");
    let file = folder.file("half.json", "{\n");
    let output = bellgate(&["policy", "check", &file]);
    assert!(stdout(&output).contains("this is not JSON"));
    let output = bellgate(&[
        "policy",
        "week",
        &file,
        "--cohort",
        "x",
        "--week",
        "2026-11-23",
    ]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("is faulty"));
}

#[test]
fn users_are_counted_by_cohort_and_group_and_strangers_are_listed() {
    let folder = Folder::new("users");
    let mut policy = example("chromebook-school");
    policy["groups"] = json!({"scholars": {"members": ["24ahall@school.example"]}});
    policy["cohorts"]["visitors"] = json!({"kind": "pupil", "filter": "years-7-9", "match": ["v*@school.example", "24guest@school.example"]});
    let file = folder.file("policy.json", &policy.to_string());
    let users = folder.file(
        "users.csv",
        "\u{feff}First Name [Required],Last Name [Required],Email Address [Required],Org Unit Path [Required]\r\n\
         Anna,\"Hall, the younger\",24AHall@school.example,/Students\r\n\
         Bo,Kaur,25bkaur@school.example,/Students\r\n\
         Cy,Guest,24guest@school.example,/Students\r\n\
         Jo,Marsh,j.marsh@school.example,/Staff\r\n\
         Old,Girl,15old@school.example,/Leavers\r\n",
    );
    let at = "2026-11-21T10:00:00Z";
    let output = bellgate(&[
        "policy", "check", &file, "--users", &users, "--at", at, "--json",
    ]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let counted = &report["users"];
    assert_eq!(counted["users"], 5);
    assert_eq!(counted["cohorts"]["year-9"], 1);
    assert_eq!(counted["cohorts"]["year-8"], 1);
    assert_eq!(counted["cohorts"]["staff"], 1);
    assert_eq!(counted["cohorts"]["year-11"], 0);
    assert_eq!(counted["groups"]["scholars"], 1);
    assert_eq!(counted["unmatched"], json!(["15old@school.example"]));
    assert_eq!(
        counted["double_matched"],
        json!({"24guest@school.example": ["visitors", "year-9"]})
    );
    let text = stdout(&bellgate(&[
        "policy", "check", &file, "--users", &users, "--at", at,
    ]));
    let place = |name: &str| {
        text.find(name)
            .unwrap_or_else(|| panic!("{name} in {text}"))
    };
    assert!(place("cohort year-9 ") < place("cohort year-10 "));
    for line in [
        "no cohort: 15old@school.example",
        "more than one: 24guest@school.example: visitors, year-9",
        "lesson rules hold",
    ] {
        place(line);
    }
    // A year later those of Year 9 are in Year 10.
    let next = "2027-11-21T10:00:00Z";
    let output = bellgate(&[
        "policy", "check", &file, "--users", &users, "--at", next, "--json",
    ]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["users"]["cohorts"]["year-10"], 1);
}

#[test]
fn another_csv_is_refused_with_the_remedy() {
    let folder = Folder::new("other-csv");
    let users = folder.file("users.csv", "name,class\nAnna,9B\n");
    let file = school("chromebook-school");
    let output = bellgate(&["policy", "check", &file, "--users", &users]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("download the users as CSV"));
}

#[test]
fn the_week_of_a_year_11_has_its_rows_and_its_week() {
    let grid = week("2026-11-23", &["--cohort", "year-11"]);
    assert!(grid.starts_with("Year 11, place unknown, week of 2026-11-23 (week A)\n"));
    let times: Vec<&str> = grid
        .lines()
        .skip(3)
        .filter_map(|line| line.get(..5).filter(|time| time.contains(':')))
        .collect();
    assert_eq!(
        times,
        [
            "00:00", "08:40", "08:55", "09:55", "10:55", "11:15", "12:15", "13:15", "14:10",
            "15:10", "15:30"
        ]
    );
    let row = |time: &str| grid.lines().find(|line| line.starts_with(time)).unwrap();
    assert_eq!(row("10:55").matches("allowlist Break").count(), 4);
    assert_eq!(row("13:15").matches("allowlist Lunch").count(), 4);
    assert_eq!(row("08:55").matches("filtered  Period 1").count(), 4);
    assert_eq!(row("15:30").matches("open ").count(), 4);
    // Pupils are at home on the Friday, an INSET day.
    assert!(grid.contains("Fri 27 Nov INSET day"));
    assert!(row("08:55").ends_with('|'));
}

#[test]
fn the_week_shows_examinations_the_other_cycle_clubs_and_early_finishes() {
    let exam = week("2027-01-13", &["--cohort", "year-11"]);
    assert!(exam.contains("week of 2027-01-11 (week B)"));
    let row = |grid: &str, time: &str| {
        let line = grid.lines().find(|line| line.starts_with(time));
        line.unwrap_or_default().to_owned()
    };
    assert!(row(&exam, "09:00").contains("exam      Mock"));
    assert!(row(&exam, "11:30").contains("filtered  Period 3"));
    // On Fridays of week B lunch comes before period 4.
    assert!(row(&exam, "12:15").ends_with("allowlist Lunch"));
    assert!(row(&exam, "13:10").ends_with("filtered  Period 4"));
    let club = week("2026-11-24", &["--user", "24ahall@school.example"]);
    assert!(club.contains("closed    Lunch + Online"), "{club}");
    let early = week(
        "2026-12-14",
        &["--cohort", "year-12", "--network", "10.20.30.5"],
    );
    assert!(early.contains("Fri 18 Dec early finish"));
    assert!(row(&early, "12:15").ends_with("open      outside school"));
    assert!(row(&early, "15:30").contains("filtered  Homework club"));
    let remote = week("2027-02-08", &["--cohort", "year-9"]);
    assert!(remote.contains("Fri 12 Feb remote day"));
    assert!(row(&remote, "10:55").ends_with("open      Break"));
}

#[test]
fn the_picture_shows_what_the_grid_shows() {
    let svg = week("2027-01-11", &["--cohort", "year-11", "--svg"]);
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(svg.contains("<title>Year 11, place unknown, week of 2027-01-11 (week B)</title>"));
    for words in [
        "09:00-11:30 exam: Mock examination, Year 11",
        "12:15-13:10 allowlist: Lunch",
        "13:10-14:10 filtered: Period 4",
        ">Mon 11 Jan<",
        ">15:30<",
    ] {
        assert!(svg.contains(words), "{words}");
    }
    assert_eq!(
        svg.matches("<rect").count(),
        svg.matches("fill=\"").count() - svg.matches("fill=\"#333\"").count()
    );
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
}

#[test]
fn a_week_of_nobody_or_of_a_stranger_is_refused() {
    let file = school("chromebook-school");
    let output = bellgate(&["policy", "week", &file, "--week", "2026-11-23"]);
    assert!(stderr(&output).contains("`year-7`, `year-8`"));
    let output = bellgate(&[
        "policy",
        "week",
        &file,
        "--cohort",
        "yaer-9",
        "--week",
        "2026-11-23",
    ]);
    assert!(stderr(&output).contains("no cohort is called `yaer-9`; did you mean `year-9`?"));
    let output = bellgate(&[
        "policy",
        "week",
        &file,
        "--cohort",
        "year-9",
        "--group",
        "choir",
        "--week",
        "2026-11-23",
    ]);
    assert!(stderr(&output).contains("no group is called `choir`; there are none"));
}

#[test]
fn questions_are_answered_a_line_each_and_the_rest_go_on_after_a_bad_one() {
    let questions = [
        r#"{"cohort":"year-9","at":"2026-11-23T11:00:00Z","url":"https://www.bbc.co.uk/news"}"#,
        r#"{"cohort":"year-11","at":"2026-11-23T11:00:00Z","url":"https://www.bbc.co.uk/bitesize/x"}"#,
        "",
        r#"{"cohort":"year-9","when":"2026-11-23T11:00:00Z","url":"https://a.example/"}"#,
        "year-9 at break",
        r#"{"user":"24ahall@school.example","at":"2026-11-24T13:20:00Z","url":"https://lichess.org/"}"#,
        r#"{"cohort":"year-12","network":"10.20.30.7","at":"2026-11-23T11:00:00Z","url":"https://www.bbc.co.uk/news"}"#,
        r#"{"cohort":"year-12","network":"10.20.31.7","at":"2026-11-23T11:00:00Z","url":"https://www.bbc.co.uk/news"}"#,
        r#"{"cohort":"yaer-9","at":"2026-11-23T11:00:00Z","url":"https://www.bbc.co.uk/news"}"#,
        r#"{"cohort":"year-11","at":"2026-11-23T11:00:00Z","url":"https://cdn.example/a.png","type":"image","initiator":"https://docs.google.com/x"}"#,
    ]
    .join("\n");
    let file = school("chromebook-school");
    let output = fed(&["policy", "simulate", &file, "--json"], &questions);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 9, "one answer a question");
    let told = |number: usize| {
        let line: &Value = &lines[number];
        (
            line["action"].as_str().unwrap_or_default(),
            line["reason"]["code"].as_str().unwrap_or_default(),
            line["reason"]["rule"].as_str().unwrap_or_default(),
        )
    };
    assert_eq!(
        told(0),
        ("block", "closed", "Break and lunch, Years 7 to 10")
    );
    assert_eq!(lines[0]["period"]["name"], "Break");
    assert_eq!(lines[0]["next_change_at"], "2026-11-23T11:15:00+00:00");
    assert_eq!(told(1), ("allow", "allowlist", "Break and lunch, Year 11"));
    assert_eq!(lines[1]["reason"]["entry"], "bbc.co.uk/bitesize");
    assert_eq!(lines[2]["error"]["path"], "line 4");
    assert!(
        lines[2]["error"]["message"]
            .as_str()
            .unwrap()
            .contains("unknown field `when`")
    );
    assert_eq!(lines[3]["error"]["code"], "bad_question");
    assert!(
        lines[3]["error"]["message"]
            .as_str()
            .unwrap()
            .contains("write a question like")
    );
    assert_eq!(told(4), ("allow", "grant", "Online chess club"));
    assert_eq!(told(5).0, "allow");
    assert_eq!((told(6).0, told(6).1), ("block", "closed"));
    // What a device in doubt would do, and a remark, for it is rarely what was meant.
    assert_eq!(told(7), ("allow", "not_listed", "built-in lesson rules"));
    assert!(
        stderr(&output).contains("line 9: no cohort is called `yaer-9`; did you mean `year-9`?")
    );
    assert_eq!(told(8).0, "allow", "a part of an open page");

    let table = stdout(&fed(&["policy", "simulate", &file], &questions));
    assert!(table.contains("line 5: this is not a JSON object"));
    assert!(table.contains("2 not answered"), "{table}");
    assert!(table.contains("1 allow grant"), "{table}");
}

#[test]
fn a_policy_does_not_differ_from_itself_nor_by_comments() {
    let folder = Folder::new("same");
    let mut policy = autumn("own-device-school");
    let before = folder.file("before.json", &policy.to_string());
    policy["$comment"] = json!("another");
    policy["rules"][0]["$comment"] = json!("another");
    policy["version"] = json!("another");
    let file = folder.file("same.json", &policy.to_string());
    let output = bellgate(&["policy", "diff", &before, &file]);
    assert!(output.status.success());
    assert_eq!(stdout(&output), "no hour changes for anybody\n");
}

#[test]
fn a_later_end_of_lunch_is_told_by_cohort_days_and_hours() {
    let folder = Folder::new("diff");
    let mut policy = autumn("own-device-school");
    let before = folder.file("before.json", &policy.to_string());
    let periods = policy["timetables"][1]["periods"].as_array_mut().unwrap();
    periods[6]["end"] = json!("14:10");
    periods[7]["start"] = json!("14:10");
    policy["filters"]["staff-in-lessons"]["without"] = json!(["webmail"]);
    policy["reporting"]["url"] = json!("full");
    let file = folder.file("after.json", &policy.to_string());
    let output = bellgate(&["policy", "diff", &before, &file]);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    for part in [
        "year-7, year-8, year-9, year-10, year-11, off every named network or place unknown\n    70 days (Mon Tue Wed Thu Fri) from 2026-09-04 to 2026-12-18, 14:05-14:10: notice -> closed\n",
        "year-7, year-8, year-9, year-10, year-11, school or sixth-form-area\n    70 days (Mon Tue Wed Thu Fri) from 2026-09-04 to 2026-12-18, 14:05-14:10: filtered -> closed\n",
        "staff, anywhere\n",
        "no longer blocks webmail",
        "/reporting",
    ] {
        assert!(text.contains(part), "{part}\nin\n{text}");
    }
    let output = bellgate(&[
        "policy",
        "diff",
        &school("own-device-school"),
        &file,
        "--json",
    ]);
    let lines: Vec<Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let closed: Vec<&Value> = lines
        .iter()
        .filter(|line| line["after"] == "closed")
        .collect();
    assert!(!closed.is_empty());
    for line in closed {
        assert_eq!(
            (&line["start"], &line["end"]),
            (&json!("14:05"), &json!("14:10"))
        );
        assert_eq!(line["dates"].as_array().unwrap().len(), 70);
    }
    assert_eq!(lines.last().unwrap()["settings"], json!(["/reporting"]));
}

#[test]
fn what_changes_for_named_pupils_and_groups_is_told_too() {
    let folder = Folder::new("named");
    let mut before = autumn("chromebook-school");
    before["groups"] = json!({"scholars": {"members": ["24cdoe@school.example"]}});
    let mut after = before.clone();
    after["grants"][0]["entries"] = json!(["chess.example"]);
    after["rules"].as_array_mut().unwrap().insert(
        0,
        json!({"name": "Scholars at lunch", "who": ["scholars"], "when": {"kinds": ["lunch"]},
               "then": {"mode": "filtered"}}),
    );
    let before = folder.file("before.json", &before.to_string());
    let after = folder.file("after.json", &after.to_string());
    let text = stdout(&bellgate(&["policy", "diff", &before, &after]));
    assert!(
        text.contains("24ahall@school.example, 25bkaur@school.example, anywhere\n    14 days (Tue) from 2026-09-08 to 2026-12-15, 13:15-14:10: a grant opens chess.example; no grant opens any longer lichess.org"),
        "{text}"
    );
    assert!(text.contains("year-9 in scholars"), "{text}");
    assert!(!text.contains("year-9, "), "{text}");
}

#[test]
fn what_is_pasted_fits_the_schema_and_its_limit_and_names_no_pupil() {
    let schema: Value = serde_json::from_slice(&bellgate(&["policy", "schema"]).stdout).unwrap();
    let file = school("chromebook-school");
    let output = bellgate(&[
        "policy",
        "console",
        &file,
        "--cohort",
        "year-9",
        "--endpoint",
        "https://b.school.example",
        "--enrolment-key",
        "a-secret-of-the-school",
        "--tenant",
        "school",
        "--pack-url",
        "https://b.school.example/core.pack",
        "--pack-key",
        "one",
        "--pack-key",
        "two",
    ]);
    let line = stdout(&output);
    assert_eq!(line.lines().count(), 1);
    let pasted: Value = serde_json::from_str(&line).unwrap();
    let keys = pasted.as_object().unwrap();
    assert_eq!(
        keys.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "cohort",
            "endpoint",
            "enrolment_key",
            "pack_keys",
            "pack_url",
            "policy",
            "tenant"
        ]
    );
    for (key, value) in keys {
        // Chrome drops what is not of the schema's type without a word.
        assert_eq!(schema["properties"][key]["type"], "string", "{key}");
        assert_eq!(value.as_object().unwrap().len(), 1);
        assert!(value["Value"].is_string(), "{key}");
    }
    assert_eq!(keys["pack_keys"]["Value"], "one two");
    let delivered = keys["policy"]["Value"].as_str().unwrap();
    let (policy, _) = Policy::parse(delivered).unwrap();
    assert_eq!(policy.school_name(), "Chromebook School");
    for private in ["24ahall", "25bkaur", "$comment"] {
        assert!(!line.contains(private), "{private}");
    }
    let remarks = stderr(&output);
    let size = format!("{} bytes of the {MAX_POLICY_BYTES}", line.trim_end().len());
    assert!(remarks.contains(&size), "{remarks}");
    assert!(remarks.contains("`year-9`"));
    assert!(remarks.contains("chrome://policy"));
}

#[test]
fn the_schema_is_the_extensions_own_and_of_shapes_that_chrome_installs() {
    let output = bellgate(&["policy", "schema"]);
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema["type"], "object");
    let refused = [
        "anyOf",
        "oneOf",
        "$ref",
        "additionalProperties",
        "patternProperties",
    ];
    let text = schema.to_string();
    for word in refused {
        assert!(!text.contains(&format!("\"{word}\"")), "{word}");
    }
    for (key, property) in schema["properties"].as_object().unwrap() {
        assert!(property["type"].is_string(), "{key}");
        assert!(property["title"].is_string() && property["description"].is_string());
    }
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../extension/schema.json");
    let shipped: Value = serde_json::from_str(&std::fs::read_to_string(shipped).unwrap()).unwrap();
    assert_eq!(schema, shipped);
}

#[test]
fn a_pattern_that_is_one_persons_address_is_never_delivered() {
    let folder = Folder::new("pattern");
    let mut policy = example("chromebook-school");
    policy["cohorts"]["year-9"]["match"] =
        json!(["{entry_yy}*@school.example", "resit@school.example"]);
    let file = folder.file("policy.json", &policy.to_string());
    let output = bellgate(&["policy", "console", &file]);
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let told = stderr(&output);
    assert!(
        told.contains("/cohorts/year-9/match/1") && told.contains("`members`"),
        "{told}"
    );
}

#[test]
fn a_new_policy_is_valid_without_a_warning_and_explains_itself() {
    let folder = Folder::new("new");
    let output = bellgate(&[
        "policy",
        "new",
        "--name",
        "St \"Q\" School",
        "--domain",
        "q.example",
    ]);
    assert!(output.status.success());
    let text = stdout(&output);
    assert!(text.matches("\"$comment\"").count() >= 10);
    let file = folder.file("new.json", &text);
    let output = bellgate(&["policy", "check", "--json", &file]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], true);
    assert_eq!(report["warnings"], json!([]));
    let output = bellgate(&["policy", "new", "--domain", "not a domain"]);
    assert!(stderr(&output).contains("correct `--name` or `--domain`"));
}

/// Every hole that docs/admin-deployment.md tells of, with a value that shuts it.
fn shut() -> Value {
    let policies = json!({
        "ExtensionInstallForcelist": ["lfdalalnhiamkjebmphnaohlglcdkkme;https://files.example/updates.xml"],
        "IncognitoModeAvailability": 1,
        "BrowserGuestModeEnabled": false,
        "BrowserAddPersonEnabled": false,
        "DeviceGuestModeEnabled": false,
        "DeveloperToolsAvailability": 2,
        "TaskManagerEndProcessEnabled": false,
        "ExtensionInstallBlocklist": ["*"],
        "ExtensionDeveloperModeSettings": 1,
        "NetworkPredictionOptions": 2,
        "URLBlocklist": ["chrome://kill", "chrome://crash", "chrome://policy", "chrome://extensions",
                         "data:*", "view-source:*", "javascript://*"],
        "DnsOverHttpsMode": "off",
        "SystemTimezone": "Europe/London",
        "CrostiniAllowed": false,
        "ArcEnabled": false,
        "VpnConfigAllowed": false,
        "SecondaryGoogleAccountSigninAllowed": false,
        "EditBookmarksEnabled": false,
        "DeviceUserAllowlist": ["*@school.example"],
        "DeviceBlockDevmode": true,
        "SafeSitesFilterBehavior": 1
    });
    let fields = policies.as_object().unwrap().iter();
    let with_levels = fields.map(|(name, value)| {
        let policy =
            json!({"level": "mandatory", "scope": "user", "source": "cloud", "value": value});
        (name.clone(), policy)
    });
    json!({"chromeMetadata": {"application": "Google Chrome", "version": "142.0"},
           "policyValues": {"chrome": {"name": "Chrome Policies", "policies": with_levels.collect::<serde_json::Map<_, _>>()}}})
}

#[test]
fn an_export_with_every_door_shut_passes() {
    let folder = Folder::new("lint-good");
    let file = folder.file("policies.json", &shut().to_string());
    let id = "lfdalalnhiamkjebmphnaohlglcdkkme";
    let output = bellgate(&["policy", "lint", "--chrome", &file, "--extension", id]);
    let text = stdout(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.ends_with("0 of 22 doors are open\n"), "{text}");
    let output = bellgate(&[
        "policy",
        "lint",
        "--chrome",
        &file,
        "--extension",
        "another",
    ]);
    assert!(
        stdout(&output).contains("OPEN   ExtensionInstallForcelist does not hold the extension")
    );
}

#[test]
fn each_hole_is_named_by_itself_with_why_and_setting() {
    let folder = Folder::new("lint-bad");
    let policies = shut()["policyValues"]["chrome"]["policies"].clone();
    for name in policies.as_object().unwrap().keys() {
        let mut export = shut();
        let all = export["policyValues"]["chrome"]["policies"]
            .as_object_mut()
            .unwrap();
        all.remove(name);
        let file = folder.file("policies.json", &export.to_string());
        let output = bellgate(&["policy", "lint", "--chrome", &file]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        let text = stdout(&output);
        assert_eq!(text.matches("OPEN").count(), 1, "{name}\n{text}");
        assert!(text.contains(&format!("OPEN   {name} ")), "{text}");
        assert!(
            text.contains("why: ") && text.contains("set it to: "),
            "{text}"
        );
    }
}

#[test]
fn a_missing_page_an_ignored_policy_and_a_wide_allowlist_are_holes() {
    let folder = Folder::new("lint-parts");
    let mut export = shut();
    let all = &mut export["policyValues"]["chrome"]["policies"];
    all["URLBlocklist"]["value"] =
        json!(["chrome://kill", "data:*", "view-source:*", "javascript://*"]);
    all["DeveloperToolsAvailability"]["ignored"] = json!(true);
    all["URLAllowlist"] = json!({"value": ["chrome://policy", "school.example"]});
    // The Admin console can say the same in another policy.
    all.as_object_mut()
        .unwrap()
        .remove("ExtensionInstallBlocklist");
    all.as_object_mut()
        .unwrap()
        .remove("ExtensionInstallForcelist");
    all["ExtensionSettings"] = json!({"value": {
        "*": {"installation_mode": "blocked"},
        "lfdalalnhiamkjebmphnaohlglcdkkme": {"installation_mode": "force_installed"}}});
    let file = folder.file("policies.json", &export.to_string());
    let text = stdout(&bellgate(&["policy", "lint", "--chrome", &file]));
    for line in [
        "OPEN   URLBlocklist lacks `chrome://crash`, `chrome://policy`, `chrome://extensions`",
        "OPEN   DeveloperToolsAvailability is set, but Chrome says that it ignores it",
        "OPEN   URLAllowlist holds `chrome://policy`",
        "shut   ExtensionInstallBlocklist",
        "shut   ExtensionInstallForcelist",
        "3 of 22 doors are open",
    ] {
        assert!(text.contains(line), "{line}\nin\n{text}");
    }
}

#[test]
fn a_laptop_is_not_asked_for_a_chromebooks_policies() {
    let folder = Folder::new("lint-laptop");
    let mut export = shut();
    export["chromeMetadata"]["OS"] = json!("Windows 11");
    let all = export["policyValues"]["chrome"]["policies"]
        .as_object_mut()
        .unwrap();
    all.remove("DeviceBlockDevmode");
    all.remove("ArcEnabled");
    let file = folder.file("policies.json", &export.to_string());
    let output = bellgate(&["policy", "lint", "--chrome", &file]);
    assert!(output.status.success(), "{}", stdout(&output));
    assert!(stdout(&output).contains("n/a    DeviceBlockDevmode"));
}

#[test]
fn another_file_than_an_export_is_refused_with_the_remedy() {
    let folder = Folder::new("lint-other");
    let file = folder.file("other.json", "{\"a\": 1}");
    let output = bellgate(&["policy", "lint", "--chrome", &file]);
    assert!(stderr(&output).contains("Export to JSON"));
}

#[test]
fn every_row_is_answered_silent_or_not_the_policys_and_says_where() {
    let rows = |name: &str| -> Vec<Value> {
        let output = bellgate(&["policy", "rows", &school(name), "--json"]);
        serde_json::from_slice(&output.stdout).unwrap()
    };
    for name in ["chromebook-school", "own-device-school"] {
        let policy = example(name);
        for row in rows(name) {
            let places = row["carried_by"].as_array().unwrap();
            let silent = row["silent"].as_bool().unwrap();
            assert!(!silent || places.is_empty());
            assert!(
                silent || !places.is_empty() || row["product"].is_string(),
                "{row}"
            );
            assert_eq!(silent, row["would_carry"].is_array(), "{row}");
            for place in places {
                let pointer = place.as_str().unwrap().split([':', ' ']).next().unwrap();
                assert!(policy.pointer(pointer).is_some(), "{name}: {place}");
            }
        }
    }
    let row = |rows: &[Value], refs: &str| -> Value {
        let found = rows.iter().find(|row| row["refs"] == refs);
        found.unwrap_or_else(|| panic!("{refs}")).clone()
    };
    let (chromebook, own) = (rows("chromebook-school"), rows("own-device-school"));
    let exams = row(&chromebook, "T176, T177");
    assert_eq!(exams["carried_by"], json!(["/exams"]));
    assert_eq!(row(&own, "T176, T177")["silent"], true);
    let adult = row(&own, "T61, W9.3.2");
    assert_eq!(
        adult["carried_by"],
        json!(["/filters/pupils/block: blocks adult"])
    );
    let text = stdout(&bellgate(&["policy", "rows", &school("own-device-school")]));
    assert!(text.contains("SILENT         the policy does not say; it could in /exams"));
    let mut verdict = String::new();
    let silent = own.iter().filter(|row| row["silent"] == true).count();
    let _ = write!(verdict, "is silent on {silent};");
    assert!(text.contains(&verdict), "{text}");
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let mut running = Command::new(BELLGATE)
        .args(["policy", "rows", &school("chromebook-school")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(running.stdout.take());
    let output = running.wait_with_output().unwrap();
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
}

fn bellgate(arguments: &[&str]) -> Output {
    fed(arguments, "")
}

fn fed(arguments: &[&str], input: &str) -> Output {
    let mut running = Command::new(BELLGATE)
        .args(arguments)
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads nothing may have ended already.
    let _ = running.stdin.take().unwrap().write_all(input.as_bytes());
    running.wait_with_output().unwrap()
}

fn week(date: &str, more: &[&str]) -> String {
    let file = school("chromebook-school");
    let output = bellgate(&[&["policy", "week", &file, "--week", date], more].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output)
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn school(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples");
    docs.join(format!("{name}.json"))
        .to_str()
        .unwrap()
        .to_owned()
}

fn example(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(school(name)).unwrap()).unwrap()
}

/// An example school that has its autumn term only, which is quicker to walk through.
fn autumn(name: &str) -> Value {
    let mut policy = example(name);
    for list in policy["calendar"].as_object_mut().unwrap().values_mut() {
        if let Value::Array(items) = list {
            items.retain(|item| !item.to_string().contains("\"2027-"));
        }
    }
    policy["exams"] = json!([]);
    policy
}

/// A folder of one test, gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("bellgate-policy-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str, text: &str) -> String {
        let file = self.0.join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind in the temporary folder does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
