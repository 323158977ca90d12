//! `lists/sources.toml`: where block entries come from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bellgate_core::list::source::{Column, SourceFormat};
use bellgate_core::list::transform::Transformation;
use serde::Deserialize;

/// The file, taken apart.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourcesFile {
    schema: u32,
    source: Vec<Source>,
}

/// One source, as the file's own comment describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Stable id.
    pub id: String,
    /// Who makes it.
    pub publisher: String,
    /// Where people read about it.
    #[serde(rename = "home")]
    pub _home: String,
    address: String,
    /// The archive's SHA-256 in hexadecimal, for packages of registries.
    pub sha256: Option<String>,
    format: String,
    pointer: Option<String>,
    column: Option<toml::Value>,
    /// The category's id.
    pub category: String,
    /// SPDX expression, or words.
    pub licence: String,
    /// How far it is believed.
    pub trust: Trust,
    /// What is done to its entries.
    #[serde(default)]
    pub transformations: Vec<Transformation>,
    /// Files of entries known to be mistakes.
    #[serde(default)]
    pub exclude: Vec<PathBuf>,
    /// The share of lines that may be rejected.
    pub reject_limit: f64,
    /// Whether it is in the default set.
    pub enabled: bool,
    /// What an administrator should know.
    #[serde(rename = "note")]
    pub _note: Option<String>,
}

/// How far a source is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Written for this project: a contradiction fails the build.
    Curated,
    /// Contradictions are dropped and reported.
    High,
    /// As high, and hits on popular domains are reported.
    Raw,
}

/// Where a source lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Beside the sources file, from the repository's root.
    File(PathBuf),
    /// A member of an npm package.
    Npm {
        /// `name@version`
        package: String,
        /// The path below the archive's `package/`.
        member: String,
    },
    /// A member of a PyPI package.
    Pypi {
        /// `name==version`
        package: String,
        /// The path in the archive.
        member: String,
    },
    /// A file on the web.
    Web(String),
}

impl SourcesFile {
    /// Reads the file.
    ///
    /// # Errors
    /// When it is not of its shape, or two sources have one id.
    pub fn read(path: &Path) -> anyhow::Result<Vec<Source>> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        let file: Self =
            toml::from_str(&text).with_context(|| format!("in `{}`", path.display()))?;
        if file.schema != 1 {
            bail!(
                "`{}` has schema {}, and this program reads 1",
                path.display(),
                file.schema
            );
        }
        for (at, source) in file.source.iter().enumerate() {
            let place = || format!("source `{}` of `{}`", source.id, path.display());
            if file.source[..at]
                .iter()
                .any(|earlier| earlier.id == source.id)
            {
                bail!("{}: the id is taken; give it one of its own", place());
            }
            source.address().with_context(place)?;
            source.format().with_context(place)?;
        }
        Ok(file.source)
    }
}

impl Source {
    /// Where it lies.
    ///
    /// # Errors
    /// When the address is of no known kind, or a package has no sum.
    pub fn address(&self) -> anyhow::Result<Address> {
        if let Some(path) = self.address.strip_prefix("file:") {
            return Ok(Address::File(path.into()));
        }
        if self.address.starts_with("https://") || is_loopback(&self.address) {
            return Ok(Address::Web(self.address.clone()));
        }
        let (kind, rest) = self.address.split_once(':').unwrap_or_default();
        let Some((package, member)) = rest.split_once('#') else {
            bail!(
                "`{}` is no address; write `file:`, `npm:`, `pypi:` or `https:`",
                self.address
            );
        };
        if self.sha256.as_ref().is_none_or(|sum| sum.len() != 64) {
            bail!("a package wants `sha256`, 64 hexadecimal digits");
        }
        let (package, member) = (package.to_owned(), member.to_owned());
        match kind {
            "npm" if package.rfind('@').is_some_and(|at| at > 0) => {
                Ok(Address::Npm { package, member })
            }
            "pypi" if package.contains("==") => Ok(Address::Pypi { package, member }),
            _ => bail!(
                "`{}` names no version; write `npm:name@1.2.3#path` or `pypi:name==1.2.3#path`",
                self.address
            ),
        }
    }

    /// How it is read; `None` for UT1's archives, of which each member has its own format.
    ///
    /// # Errors
    /// When the format is unknown or wants a key that is missing.
    pub fn format(&self) -> anyhow::Result<Option<SourceFormat>> {
        Ok(Some(match self.format.as_str() {
            "hosts" => SourceFormat::Hosts,
            "domains" => SourceFormat::Domains,
            "adblock" => SourceFormat::Adblock,
            "rpz" => SourceFormat::Rpz,
            "urlhaus" => SourceFormat::Csv(Column::Numbered(3)),
            "bellgate" => SourceFormat::Bellgate,
            "dnr" => SourceFormat::Dnr,
            "json" => SourceFormat::Json(
                self.pointer
                    .clone()
                    .context("the format `json` wants a `pointer`")?,
            ),
            "csv" => SourceFormat::Csv(match &self.column {
                Some(toml::Value::String(name)) => Column::Named(name.clone()),
                Some(toml::Value::Integer(number @ 1..)) => Column::Numbered(*number as usize),
                _ => bail!("the format `csv` wants a `column`, a name or a number from 1"),
            }),
            "ut1" => return Ok(None),
            other => bail!("unknown format `{other}`; see the comment at the top of the file"),
        }))
    }
}

/// Whether an address is on this machine, where plain http is in order.
pub fn is_loopback(address: &str) -> bool {
    ["http://127.0.0.1:", "http://[::1]:", "http://localhost:"]
        .iter()
        .any(|start| address.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repositorys_sources_are_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lists/sources.toml");
        let sources = SourcesFile::read(&path).unwrap();
        assert!(sources.len() > 100 && sources.iter().any(|source| source.enabled));
    }

    #[test]
    fn a_package_needs_its_version_and_sum() {
        let text = |address: &str, sum: &str| {
            format!(
                "schema=1\n[[source]]\nid='a'\npublisher='b'\nhome='c'\naddress='{address}'\n{sum}\n\
                 format='domains'\ncategory='adult'\nlicence='MIT'\ntrust='raw'\nreject_limit=0.1\nenabled=true"
            )
        };
        let parse = |text: String| {
            let file: SourcesFile = toml::from_str(&text).unwrap();
            file.source[0].address()
        };
        let sum = format!("sha256='{}'", "0".repeat(64));
        assert!(parse(text("npm:@x/y@1.0.0#z", &sum)).is_ok());
        assert!(parse(text("npm:@x/y#z", &sum)).is_err());
        assert!(parse(text("pypi:y==1#z", "")).is_err());
        assert!(parse(text("http://example.org/z", "")).is_err());
        assert!(parse(text("http://127.0.0.1:80/z", "")).is_ok());
    }
}
