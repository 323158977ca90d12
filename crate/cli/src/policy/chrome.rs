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
}

/// A door that only a Chrome policy shuts.
struct Door {
    policy: &'static str,
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
        wanted: Wanted::Set,
        why: "an extension that is not force-installed can be removed, and cannot block",
        setting: "force-install the extension for the organisational unit",
    },
    Door {
        policy: "IncognitoModeAvailability",
        wanted: Wanted::Is(1),
        why: "extensions do not run in incognito windows unless each user lets them",
        setting: "1 (incognito mode not available)",
    },
    Door {
        policy: "BrowserGuestModeEnabled",
        wanted: Wanted::Off,
        why: "a guest window has no extensions",
        setting: "false",
    },
    Door {
        policy: "BrowserAddPersonEnabled",
        wanted: Wanted::Off,
        why: "another profile has no extensions",
        setting: "false",
    },
    Door {
        policy: "DeviceGuestModeEnabled",
        wanted: Wanted::Off,
        why: "a guest session of the device has no extensions",
        setting: "false",
    },
    Door {
        policy: "DeveloperToolsAvailability",
        wanted: Wanted::Is(2),
        why: "developer tools can stop the filter's worker and read what it keeps",
        setting: "2 (not allowed)",
    },
    Door {
        policy: "TaskManagerEndProcessEnabled",
        wanted: Wanted::Off,
        why: "the task manager can end the filter's process, and requests leak meanwhile",
        setting: "false",
    },
    Door {
        policy: "ExtensionInstallBlocklist",
        wanted: Wanted::Holds(&["*"]),
        why: "other extensions can be VPNs and proxies (T123: each wants the Deputy Headteacher's sign-off)",
        setting: "[\"*\"], with the approved ones on the allowlist",
    },
    Door {
        policy: "ExtensionDeveloperModeSettings",
        wanted: Wanted::Is(1),
        why: "developer mode loads extensions from a folder",
        setting: "1 (not available)",
    },
    Door {
        policy: "NetworkPredictionOptions",
        wanted: Wanted::Is(2),
        why: "Chrome fetches pages before anyone opens them",
        setting: "2 (never predict)",
    },
    Door {
        policy: "URLBlocklist",
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
        setting: "add each of them",
    },
    Door {
        policy: "DnsOverHttpsMode",
        wanted: Wanted::Set,
        why: "private DNS goes round the network's own filter",
        setting: "`off`, or `secure` with the school's resolver",
    },
    Door {
        policy: "SystemTimezone",
        wanted: Wanted::Set,
        why: "a device in another zone shows pupils other times than the timetable's",
        setting: "Europe/London",
    },
    Door {
        policy: "CrostiniAllowed",
        wanted: Wanted::Off,
        why: "Linux programs do not pass through the browser",
        setting: "false",
    },
    Door {
        policy: "ArcEnabled",
        wanted: Wanted::Off,
        why: "Android apps do not pass through the browser",
        setting: "false",
    },
    Door {
        policy: "VpnConfigAllowed",
        wanted: Wanted::Off,
        why: "a VPN goes round the network's own filter",
        setting: "false",
    },
    Door {
        policy: "SecondaryGoogleAccountSigninAllowed",
        wanted: Wanted::Off,
        why: "a second account brings its own settings and bookmarks",
        setting: "false",
    },
    Door {
        policy: "EditBookmarksEnabled",
        wanted: Wanted::Off,
        why: "bookmarklets run script in pages",
        setting: "false",
    },
    Door {
        policy: "DeviceUserAllowlist",
        wanted: Wanted::Set,
        why: "anyone's own account can sign in to the device, without the school's policies",
        setting: "`*@` and the school's domain",
    },
    Door {
        policy: "DeviceBlockDevmode",
        wanted: Wanted::On,
        why: "a device in developer mode obeys no policy",
        setting: "true",
    },
    Door {
        policy: "SafeSitesFilterBehavior",
        wanted: Wanted::OneOf(&[0, 1]),
        why: "whether Google's own filter of adult sites works beside this one is not decided",
        setting: "1 (filter top level sites), or 0 by decision",
    },
];

/// A door and how it was found.
#[derive(Debug, Serialize)]
struct Found {
    policy: &'static str,
    open: bool,
    value: Value,
    why: &'static str,
    setting: &'static str,
}

/// Looks at each door; the exit code is 1 when one is open.
pub fn run(file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let text = super::read_text(file, "export of Chrome policies")?;
    let found = look(&text).with_context(|| {
        format!(
            "`{}` is not an export of chrome://policy; use *Export to JSON* there",
            file.display()
        )
    })?;
    let open = found.iter().filter(|door| door.open).count();
    if json {
        println!("{}", serde_json::to_string(&found)?);
    } else {
        for door in &found {
            if door.open {
                println!("open   {} is {}: {}", door.policy, door.value, door.why);
                println!("       set it to {}", door.setting);
            } else {
                println!("shut   {}", door.policy);
            }
        }
        println!("{open} of {} doors are open", found.len());
    }
    Ok(ExitCode::from(u8::from(open > 0)))
}

fn look(text: &str) -> anyhow::Result<Vec<Found>> {
    let export: Value = serde_json::from_str(text)?;
    let policies = [
        &export["policyValues"]["chrome"]["policies"],
        &export["chromePolicies"],
        &export["policies"],
    ]
    .into_iter()
    .find(|policies| policies.is_object())
    .context("it holds no Chrome policies")?;
    let found = DOORS.iter().map(|door| {
        let value = policies[door.policy]["value"].clone();
        Found {
            policy: door.policy,
            open: !is_shut(door.wanted, &value),
            value,
            why: door.why,
            setting: door.setting,
        }
    });
    Ok(found.collect())
}

fn is_shut(wanted: Wanted, value: &Value) -> bool {
    match wanted {
        Wanted::Is(number) => value.as_i64() == Some(number),
        Wanted::OneOf(numbers) => value.as_i64().is_some_and(|value| numbers.contains(&value)),
        Wanted::Off => value.as_bool() == Some(false),
        Wanted::On => value.as_bool() == Some(true),
        Wanted::Holds(entries) => {
            let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
            entries.iter().all(|entry| {
                // `chrome://*` covers every one of its pages.
                let whole = entry
                    .split_once("://")
                    .map(|(scheme, _)| format!("{scheme}://*"));
                list.iter()
                    .filter_map(Value::as_str)
                    .any(|listed| listed == *entry || Some(listed) == whole.as_deref())
            })
        }
        Wanted::Set => match value {
            Value::Null => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(list) => !list.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            Value::Bool(_) | Value::Number(_) => true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(export: &str) -> Vec<&'static str> {
        let found = look(export).unwrap();
        found
            .into_iter()
            .filter(|door| door.open)
            .map(|door| door.policy)
            .collect()
    }

    #[test]
    fn an_unmanaged_browser_has_every_door_open() {
        let all = open(r#"{"policyValues":{"chrome":{"policies":{}}}}"#);
        assert_eq!(all.len(), DOORS.len());
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
        assert!(look("{}").is_err());
    }
}
