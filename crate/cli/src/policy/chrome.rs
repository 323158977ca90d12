//! `bellgate policy lint --chrome`: which of Chrome's own doors stand open.
//!
//! An extension cannot close everything: guest mode, incognito windows, developer tools
//! and the like are Chrome's, and only Chrome policies close them.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;

/// What a Chrome policy must be for a door to be shut.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    /// This value.
    Is(i64),
    /// One of these values.
    OneOf(&'static [i64]),
    /// Switched off.
    Off,
    /// Switched on.
    On,
    /// A list that holds all of these.
    Holds(&'static [&'static str]),
    /// Anything but nothing.
    Set,
    /// An extension that is force-installed, here or in `ExtensionSettings`.
    ForceInstalled,
    /// Every extension blocked that is not named, here or in `ExtensionSettings`.
    OthersBlocked,
    /// No entry that opens Chrome's own pages or everything.
    LacksWide,
}

/// A door that only a Chrome policy shuts.
struct Door {
    policy: &'static str,
    /// Whether it is a door of ChromeOS, which other systems do not have.
    chromebooks_only: bool,
    wanted: Wanted,
    /// What a pupil can do while it is open.
    why: &'static str,
    /// What to set.
    setting: &'static str,
}

/// Every door we know of.
const DOORS: &[Door] = &[
    Door {
        policy: "ExtensionInstallForcelist",
        chromebooks_only: false,
        wanted: Wanted::ForceInstalled,
        why: "an extension that is not force-installed can be removed, and cannot block",
        setting: "the extension's id and update address (Apps & extensions: Force install)",
    },
    Door {
        policy: "IncognitoModeAvailability",
        chromebooks_only: false,
        wanted: Wanted::Is(1),
        why: "extensions do not run in incognito windows unless each user lets them",
        setting: "1 (incognito mode not available)",
    },
    Door {
        policy: "BrowserGuestModeEnabled",
        chromebooks_only: false,
        wanted: Wanted::Off,
        why: "a guest window has no extensions",
        setting: "false",
    },
    Door {
        policy: "BrowserAddPersonEnabled",
        chromebooks_only: false,
        wanted: Wanted::Off,
        why: "another profile has no extensions",
        setting: "false",
    },
    Door {
        policy: "DeviceGuestModeEnabled",
        chromebooks_only: true,
        wanted: Wanted::Off,
        why: "a guest session of the device has no extensions",
        setting: "false",
    },
    Door {
        policy: "DeveloperToolsAvailability",
        chromebooks_only: false,
        wanted: Wanted::Is(2),
        why: "developer tools can stop the filter's worker and read what it keeps",
        setting: "2 (not allowed)",
    },
    Door {
        policy: "TaskManagerEndProcessEnabled",
        chromebooks_only: false,
        wanted: Wanted::Off,
        why: "the task manager can end the filter's process, and requests leak meanwhile",
        setting: "false",
    },
    Door {
        policy: "ExtensionInstallBlocklist",
        chromebooks_only: false,
        wanted: Wanted::OthersBlocked,
        why: "other extensions can be VPNs and proxies (T123: each wants the Deputy Headteacher's sign-off)",
        setting: "[\"*\"], with the approved ones on the allowlist",
    },
    Door {
        policy: "ExtensionDeveloperModeSettings",
        chromebooks_only: false,
        wanted: Wanted::Is(1),
        why: "developer mode loads extensions from a folder",
        setting: "1 (not available)",
    },
    Door {
        policy: "NetworkPredictionOptions",
        chromebooks_only: false,
        wanted: Wanted::Is(2),
        why: "Chrome fetches pages before anyone opens them",
        setting: "2 (never predict)",
    },
    Door {
        policy: "URLBlocklist",
        chromebooks_only: false,
        wanted: Wanted::Holds(&[
            "chrome://kill",
            "chrome://crash",
            "chrome://policy",
            "chrome://extensions",
            "data:*",
            "view-source:*",
            "javascript://*",
        ]),
        why: "these pages end the filter's process, show its keys and names, or open documents that no extension sees",
        setting: "these too",
    },
    Door {
        policy: "URLAllowlist",
        chromebooks_only: false,
        wanted: Wanted::LacksWide,
        why: "an allowlist entry beats the blocklist, and opens again what that closed",
        setting: "a list without these entries",
    },
    Door {
        policy: "DnsOverHttpsMode",
        chromebooks_only: false,
        wanted: Wanted::Set,
        why: "private DNS goes round the network's own filter",
        setting: "off, or secure with the school's resolver",
    },
    Door {
        policy: "SystemTimezone",
        chromebooks_only: true,
        wanted: Wanted::Set,
        why: "a device in another zone shows pupils other times than the timetable's",
        setting: "Europe/London",
    },
    Door {
        policy: "CrostiniAllowed",
        chromebooks_only: true,
        wanted: Wanted::Off,
        why: "Linux programs do not pass through the browser",
        setting: "false",
    },
    Door {
        policy: "ArcEnabled",
        chromebooks_only: true,
        wanted: Wanted::Off,
        why: "Android apps do not pass through the browser",
        setting: "false",
    },
    Door {
        policy: "VpnConfigAllowed",
        chromebooks_only: true,
        wanted: Wanted::Off,
        why: "a VPN goes round the network's own filter",
        setting: "false",
    },
    Door {
        policy: "SecondaryGoogleAccountSigninAllowed",
        chromebooks_only: true,
        wanted: Wanted::Off,
        why: "a second account brings its own settings and bookmarks",
        setting: "false",
    },
    Door {
        policy: "EditBookmarksEnabled",
        chromebooks_only: false,
        wanted: Wanted::Off,
        why: "bookmarklets run script in pages",
        setting: "false",
    },
    Door {
        policy: "DeviceUserAllowlist",
        chromebooks_only: true,
        wanted: Wanted::Set,
        why: "anyone's own account can sign in to the device, without the school's policies",
        setting: "*@ and the school's domain",
    },
    Door {
        policy: "DeviceBlockDevmode",
        chromebooks_only: true,
        wanted: Wanted::On,
        why: "a device in developer mode obeys no policy",
        setting: "true",
    },
    Door {
        policy: "SafeSitesFilterBehavior",
        chromebooks_only: false,
        wanted: Wanted::OneOf(&[0, 1]),
        why: "nobody has decided whether Google's own filter of adult pages works beside this one",
        setting: "1 (filter), or 0 if the school decides so",
    },
];

/// How a door was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Shut,
    Open,
    /// The device is no Chromebook and has no such door.
    Absent,
}

/// A door and how it was found.
#[derive(Debug, Serialize)]
struct Found {
    policy: &'static str,
    state: State,
    value: Value,
    /// What is wrong with the value, where the door is open.
    #[serde(skip_serializing_if = "String::is_empty")]
    fault: String,
    why: &'static str,
    setting: &'static str,
}

/// Looks at each door; the exit code is 1 when one is open.
pub fn run(file: &Path, extension: Option<&str>, json: bool) -> anyhow::Result<ExitCode> {
    let text = super::read_text(file, "export of Chrome policies")?;
    let found = look(&text, extension).with_context(|| {
        format!(
            "`{}` is not an export of chrome://policy; open that page on a pupil's device and press *Export to JSON*",
            file.display()
        )
    })?;
    let count = |state: State| found.iter().filter(|door| door.state == state).count();
    let open = count(State::Open);
    if json {
        super::put(&format!("{}\n", serde_json::to_string(&found)?))?;
        return Ok(ExitCode::from(u8::from(open > 0)));
    }
    let mut text: String = found.iter().map(in_words).collect();
    text.push_str(&format!("{open} of {} doors are open", found.len()));
    if count(State::Absent) > 0 {
        text.push_str(&format!(
            "; {} are a Chromebook's and were not looked at",
            count(State::Absent)
        ));
    }
    text.push('\n');
    super::put(&text)?;
    Ok(ExitCode::from(u8::from(open > 0)))
}

fn in_words(door: &Found) -> String {
    match door.state {
        State::Shut => format!("shut   {}\n", door.policy),
        State::Absent => format!("n/a    {} (ChromeOS only)\n", door.policy),
        State::Open => format!(
            "OPEN   {} {}\n       why: {}\n       set it to: {}\n",
            door.policy, door.fault, door.why, door.setting
        ),
    }
}

fn look(text: &str, extension: Option<&str>) -> anyhow::Result<Vec<Found>> {
    let export: Value = serde_json::from_str(text)?;
    let policies = [
        &export["policyValues"]["chrome"]["policies"],
        &export["chromePolicies"],
        &export["policies"],
    ]
    .into_iter()
    .find(|policies| policies.is_object())
    .context("it holds no Chrome policies")?;
    // Chrome names the system it runs on; what names none is looked at as a Chromebook.
    let system = export["chromeMetadata"]["OS"].as_str().unwrap_or_default();
    let is_desktop = ["Windows", "Linux", "Mac", "macOS"]
        .iter()
        .any(|name| system.starts_with(name));
    let found = DOORS.iter().map(|door| {
        let policy = in_force(policies, door.policy);
        let fault = fault(door, policy, policies, extension);
        Found {
            policy: door.policy,
            state: match &fault {
                _ if door.chromebooks_only && is_desktop => State::Absent,
                None => State::Shut,
                Some(_) => State::Open,
            },
            value: policy.clone(),
            fault: fault.unwrap_or_default(),
            why: door.why,
            setting: door.setting,
        }
    });
    Ok(found.collect())
}

/// The value of a policy, unless Chrome says that it ignores it.
fn in_force<'a>(policies: &'a Value, name: &str) -> &'a Value {
    let policy = &policies[name];
    if policy["ignored"] == Value::Bool(true) || policy["error"].is_string() {
        return &Value::Null;
    }
    &policy["value"]
}

/// What keeps a door open; `None` when it is shut.
fn fault(door: &Door, value: &Value, policies: &Value, extension: Option<&str>) -> Option<String> {
    let unless = |shut: bool, fault: &str| (!shut).then(|| fault.to_owned());
    let other = || match value {
        Value::Null if policies[door.policy].is_object() => {
            "is set, but Chrome says that it ignores it".to_owned()
        }
        Value::Null => "is not set".to_owned(),
        value => format!("is {value}"),
    };
    let listed = || {
        let list = value.as_array().into_iter().flatten();
        list.filter_map(Value::as_str).collect::<Vec<&str>>()
    };
    let settings = in_force(policies, "ExtensionSettings");
    match door.wanted {
        Wanted::Is(number) => (value.as_i64() != Some(number)).then(other),
        Wanted::OneOf(numbers) => {
            let fits = value.as_i64().is_some_and(|value| numbers.contains(&value));
            (!fits).then(other)
        }
        Wanted::Off => (value.as_bool() != Some(false)).then(other),
        Wanted::On => (value.as_bool() != Some(true)).then(other),
        Wanted::Set => {
            let empty = match value {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                Value::Array(list) => list.is_empty(),
                Value::Object(fields) => fields.is_empty(),
                Value::Bool(_) | Value::Number(_) => false,
            };
            empty.then(other)
        }
        Wanted::Holds(entries) => {
            let list = listed();
            let missing: Vec<&str> = entries
                .iter()
                .copied()
                .filter(|entry| !list.iter().any(|listed| covers(listed, entry)))
                .collect();
            (!missing.is_empty()).then(|| format!("lacks `{}`", missing.join("`, `")))
        }
        Wanted::LacksWide => {
            let list = listed();
            let wide: Vec<&str> = list.into_iter().filter(|entry| is_wide(entry)).collect();
            (!wide.is_empty()).then(|| format!("holds `{}`", wide.join("`, `")))
        }
        Wanted::ForceInstalled => {
            let listed = listed();
            let mut forced: Vec<&str> = listed
                .iter()
                .map(|entry| entry.split(';').next().unwrap_or_default())
                .collect();
            let by_settings = settings.as_object().into_iter().flatten();
            forced.extend(
                by_settings
                    .filter(|(_, one)| one["installation_mode"] == "force_installed")
                    .map(|(id, _)| id.as_str()),
            );
            match extension {
                Some(id) => unless(forced.contains(&id), "does not hold the extension"),
                None => unless(!forced.is_empty(), "force-installs nothing"),
            }
        }
        Wanted::OthersBlocked => {
            let by_settings = settings["*"]["installation_mode"].as_str();
            let shut =
                listed().contains(&"*") || matches!(by_settings, Some("blocked" | "removed"));
            unless(shut, "does not block every other extension")
        }
    }
}

/// Whether an entry of a list of URLs covers another: `chrome://*` all of its pages.
fn covers(listed: &str, entry: &str) -> bool {
    let whole = entry
        .split_once("://")
        .map(|(scheme, _)| format!("{scheme}://*"));
    listed == "*" || listed == entry || Some(listed) == whole.as_deref()
}

/// Whether an entry of the allowlist opens everything, or pages that are to stay shut.
fn is_wide(entry: &str) -> bool {
    let shut = ["chrome://", "data:", "view-source:", "javascript:"];
    entry == "*" || shut.iter().any(|start| entry.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(export: &str) -> Vec<&'static str> {
        let found = look(export, None).unwrap();
        found
            .into_iter()
            .filter(|door| door.state == State::Open)
            .map(|door| door.policy)
            .collect()
    }

    #[test]
    fn an_unmanaged_browser_has_every_door_open_but_the_one_nobody_opened() {
        let all = open(r#"{"policyValues":{"chrome":{"policies":{}}}}"#);
        assert_eq!(all.len(), DOORS.len() - 1);
        assert!(!all.contains(&"URLAllowlist"));
    }

    #[test]
    fn a_door_is_shut_by_its_value_alone() {
        let export = r#"{"policyValues":{"chrome":{"name":"Chrome Policies","policies":{
            "IncognitoModeAvailability":{"level":"mandatory","value":1},
            "DeveloperToolsAvailability":{"value":0},
            "URLBlocklist":{"value":["chrome://*","data:*","view-source:*","javascript://*"]},
            "ExtensionInstallBlocklist":{"value":["*"]},
            "BrowserGuestModeEnabled":{"value":false}}}}}"#;
        let open = open(export);
        for shut in [
            "IncognitoModeAvailability",
            "URLBlocklist",
            "ExtensionInstallBlocklist",
            "BrowserGuestModeEnabled",
        ] {
            assert!(!open.contains(&shut), "{shut}");
        }
        assert!(open.contains(&"DeveloperToolsAvailability"));
    }

    #[test]
    fn one_missing_page_leaves_the_blocklist_open() {
        let export = r#"{"chromePolicies":{"URLBlocklist":{"value":["chrome://kill","data:*"]}}}"#;
        assert!(open(export).contains(&"URLBlocklist"));
        assert!(look("{}", None).is_err());
    }
}
