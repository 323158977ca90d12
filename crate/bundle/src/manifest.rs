//! The extension's manifest: its source, and what each way of shipping changes.
//!
//! `key` fixes the id of an unpacked or self-hosted extension; `update_url`
//! tells Chrome where a self-hosted one finds its next version. The Chrome Web
//! Store refuses an upload that holds `key` and sets `update_url` itself, so
//! its archive has neither.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::archive::Files;

/// Where the manifest lies in every package.
pub const FILE_NAME: &str = "manifest.json";

/// A manifest, with its keys in alphabetical order.
#[derive(Clone)]
pub struct Manifest(Map<String, Value>);

impl Manifest {
    /// Reads the manifest at `path`.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path)
            .with_context(|| format!("cannot read the manifest `{}`", path.display()))?;
        Self::parse(&text).with_context(|| format!("in `{}`", path.display()))
    }

    /// Reads a manifest from its text.
    pub fn parse(text: &[u8]) -> Result<Self> {
        match serde_json::from_slice(text).context("the manifest is not valid JSON")? {
            Value::Object(entries) => Ok(Self(entries)),
            _ => bail!("the manifest is not a JSON object"),
        }
    }

    /// Sets `version`: one to four whole numbers up to 65535, separated by dots.
    pub fn set_version(&mut self, version: &str) -> Result<()> {
        let parts: Vec<_> = version.split('.').map(str::parse::<u16>).collect();
        if parts.len() > 4 || parts.iter().any(Result::is_err) {
            bail!(
                "Chrome accepts no version `{version}`; it wants one to four whole numbers up to \
                 65535, separated by dots"
            );
        }
        self.0.insert("version".to_owned(), version.into());
        Ok(())
    }

    /// The version.
    pub fn version(&self) -> Result<&str> {
        self.0
            .get("version")
            .and_then(Value::as_str)
            .context("the manifest has no `version`; assemble the extension first")
    }

    /// Sets or, with `None`, removes the public key that fixes the id.
    pub fn set_key(&mut self, key: Option<String>) {
        self.set("key", key);
    }

    /// Sets or, with `None`, removes the address that later versions come from.
    pub fn set_update_url(&mut self, url: Option<String>) {
        self.set("update_url", url);
    }

    fn set(&mut self, name: &str, value: Option<String>) {
        match value {
            Some(value) => self.0.insert(name.to_owned(), value.into()),
            None => self.0.remove(name),
        };
    }

    /// The manifest as it is shipped.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(&self.0)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Every permission that is asked for, hosts included, in the manifest's order.
    pub fn permissions(&self) -> Vec<&str> {
        [
            "permissions",
            "host_permissions",
            "optional_permissions",
            "optional_host_permissions",
        ]
        .iter()
        .filter_map(|name| self.0.get(*name)?.as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect()
    }

    /// Fails when a file that the manifest names is not among `files`.
    ///
    /// Chrome would refuse the package, or start it without its worker, which
    /// for a filter means letting everything through.
    pub fn check_files(&self, files: &Files) -> Result<()> {
        let missing: Vec<_> = self
            .named_files()
            .into_iter()
            .filter(|name| !files.contains_key(name.trim_start_matches('/')))
            .collect();
        if !missing.is_empty() {
            bail!(
                "the manifest names files that are not in the extension: `{}`",
                missing.join("`, `")
            );
        }
        Ok(())
    }

    fn named_files(&self) -> Vec<String> {
        const PLACES: [&str; 8] = [
            "/background/service_worker",
            "/icons",
            "/action/default_icon",
            "/action/default_popup",
            "/sandbox/pages",
            "/storage/managed_schema",
            "/options_ui/page",
            "/web_accessible_resources",
        ];
        let whole = Value::Object(self.0.clone());
        let mut names = Vec::new();
        for place in PLACES {
            if let Some(value) = whole.pointer(place) {
                collect_names(value, &mut names);
            }
        }
        names
    }
}

/// Collects the paths below `value`; a web-accessible entry's are in `resources`.
fn collect_names(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(name) if !name.contains('*') => names.push(name.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect_names(item, names)),
        Value::Object(entries) => match entries.get("resources") {
            Some(resources) => collect_names(resources, names),
            None => entries.values().for_each(|item| collect_names(item, names)),
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &[u8] = br#"{
        "manifest_version": 3, "key": "k", "update_url": "u",
        "background": {"service_worker": "background.js", "type": "module"},
        "icons": {"16": "icon/16.png"},
        "permissions": ["storage"], "host_permissions": ["<all_urls>"],
        "web_accessible_resources": [{"resources": ["page/block.html"], "matches": ["<all_urls>"]}]
    }"#;

    #[test]
    fn versions_chrome_refuses_are_refused() {
        let mut manifest = Manifest::parse(SOURCE).unwrap();
        for version in ["1", "0.1.0", "1.2.3.65535"] {
            manifest.set_version(version).unwrap();
            assert_eq!(manifest.version().unwrap(), version);
        }
        for version in ["", "1.0-beta", "1.2.3.4.5", "1.65536", "1..2"] {
            assert!(manifest.set_version(version).is_err(), "{version}");
        }
    }

    #[test]
    fn key_and_update_address_can_be_taken_out() {
        let mut manifest = Manifest::parse(SOURCE).unwrap();
        manifest.set_key(None);
        manifest.set_update_url(None);
        let text = String::from_utf8(manifest.to_bytes().unwrap()).unwrap();
        assert!(!text.contains("\"key\"") && !text.contains("update_url"));
    }

    #[test]
    fn every_missing_file_is_named() {
        let manifest = Manifest::parse(SOURCE).unwrap();
        let mut files = Files::from([("icon/16.png".to_owned(), Vec::new())]);
        let message = manifest.check_files(&files).unwrap_err().to_string();
        assert!(message.contains("background.js") && message.contains("page/block.html"));
        assert!(!message.contains("16.png") && !message.contains("all_urls"));
        files.insert("background.js".to_owned(), Vec::new());
        files.insert("page/block.html".to_owned(), Vec::new());
        manifest.check_files(&files).unwrap();
    }

    #[test]
    fn permissions_include_hosts() {
        let manifest = Manifest::parse(SOURCE).unwrap();
        assert_eq!(manifest.permissions(), ["storage", "<all_urls>"]);
    }
}
