//! The keys of the extension's managed storage, and the schema Chrome checks them by.
//!
//! Chrome drops a whole key whose value violates the schema, silently, and strips keys
//! it does not know. So every key is a string, the schema asks for nothing more, and what
//! a value may be is explained by whoever reads it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// One key of managed storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManagedKey {
    /// The key, as the Admin console's box holds it.
    pub name: &'static str,
    /// A few words for a person.
    pub title: &'static str,
    /// What it means and what it may hold.
    pub description: &'static str,
}

macro_rules! managed_keys {
    ($($name:ident: $title:literal, $description:literal;)*) => {
        /// What managed storage holds; every key is optional and a string.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Managed {
            $(#[doc = $description]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $name: Option<String>,)*
        }

        /// Every key of managed storage, in the order of [`Managed`].
        pub const MANAGED_KEYS: &[ManagedKey] = &[
            $(ManagedKey {
                name: stringify!($name),
                title: $title,
                description: $description,
            },)*
        ];
    };
}

managed_keys! {
    policy: "Policy",
        "The school's whole policy as JSON text, as `bellgate policy console` prints it.";
    cohort: "Cohort",
        "The cohort of this organisational unit, such as `year-9`. Leave it out where the policy finds the cohort from the signed-in address.";
    user: "Signed-in address",
        "The signed-in address, where the browser cannot tell it. Leave it out on Chromebooks.";
    network: "Local address",
        "This device's local IP address, where the browser cannot tell it. Leave it out on Chromebooks.";
    endpoint: "School endpoint",
        "Base URL of the school's endpoint: https, or http for this machine itself. Without one nothing is reported.";
    enrolment_key: "Enrolment key",
        "A secret that a device exchanges once for a key of its own at the endpoint.";
    pack_url: "List pack",
        "Where the compiled lists are: https, or http for this machine itself. Without it the built-in core lists hold.";
    pack_keys: "List pack keys",
        "Ed25519 public keys in base64, separated by spaces; a pack that none of them signed is refused.";
    pack_floor: "Lowest sequence of the list pack",
        "A pack with a lower sequence is refused, also one that a device already has. Leave it out unless a published pack has to be taken back.";
    iwf_url: "Locked list, IWF slot",
        "Where the keyed pack of the IWF's list is, for a school that holds its licence: https, or http for this machine itself. Signed like the list pack. Once loaded it stays.";
    iwf_key: "Secret key of the IWF slot",
        "The 32 hexadecimal digits the pack was keyed with.";
    ctiru_url: "Locked list, CTIRU slot",
        "Where the keyed pack of the police's list is, for a school that holds its licence: as for the IWF slot.";
    ctiru_key: "Secret key of the CTIRU slot",
        "The 32 hexadecimal digits the pack was keyed with.";
    tenant: "School at the endpoint",
        "The school's id at the endpoint.";
}

/// The JSON schema of managed storage, as the extension's manifest refers to it.
///
/// Chrome refuses to install an extension whose schema uses `anyOf`, references or
/// open-ended objects; this one holds strings alone.
#[must_use]
pub fn managed_schema() -> Value {
    let properties: Map<String, Value> = MANAGED_KEYS
        .iter()
        .map(|key| {
            let property = json!({
                "type": "string",
                "title": key.title,
                "description": key.description,
            });
            (key.name.to_owned(), property)
        })
        .collect();
    json!({
        "type": "object",
        "description": "Made by `bellgate policy schema`; do not edit.",
        "properties": properties,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_schema_reads_into_the_type_and_back() {
        let schema = managed_schema();
        let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        let mut given: Map<String, Value> = Map::new();
        for name in &names {
            given.insert((*name).clone(), json!(format!("value of {name}")));
        }
        let managed: Managed = serde_json::from_value(Value::Object(given.clone())).unwrap();
        assert_eq!(serde_json::to_value(managed).unwrap(), Value::Object(given));
        assert_eq!(names.len(), MANAGED_KEYS.len());
    }

    #[test]
    fn the_schema_stays_within_what_chrome_installs() {
        let schema = managed_schema();
        assert_eq!(schema["type"], "object");
        for (name, property) in schema["properties"].as_object().unwrap() {
            assert_eq!(property["type"], "string", "{name}");
        }
        let text = schema.to_string();
        for refused in ["anyOf", "$ref", "additionalProperties", "patternProperties"] {
            assert!(!text.contains(refused), "{refused}");
        }
    }
}
