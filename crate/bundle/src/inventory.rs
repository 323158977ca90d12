//! What a release is made of: a software bill of materials and the licences.
//!
//! Both list the crates that end up in the product: ordinary dependencies of the
//! given package for the given target, not those of tests and build scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

/// Which product is described.
#[derive(Args)]
pub struct ProductArgs {
    /// The package whose dependencies count, such as `bellgate-cli`.
    #[arg(long)]
    package: String,
    /// The target it is built for.
    #[arg(long)]
    target: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    /// None for the crates of the workspace.
    source: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    /// `dev`, `build` or, for ordinary dependencies, nothing.
    kind: Option<String>,
}

#[derive(Deserialize)]
struct LockFile {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// A product's crates, and what each one uses, by package id.
struct Product {
    root: String,
    packages: BTreeMap<String, Package>,
    uses: BTreeMap<String, BTreeSet<String>>,
}

/// The bill of materials in CycloneDX 1.5, JSON. It holds no time and no random
/// number: the same sources make the same bytes.
pub fn bill_of_materials(args: &ProductArgs) -> Result<String> {
    let lock: LockFile = toml::from_str(&std::fs::read_to_string("Cargo.lock")?)?;
    let product = Product::of(metadata(&args.target)?, &args.package)?;
    let mut text = serde_json::to_string_pretty(&product.cyclone_dx(&lock)?)?;
    text.push('\n');
    Ok(text)
}

/// The licence texts of every crate in the product, each text once.
pub fn licences(args: &ProductArgs) -> Result<String> {
    Product::of(metadata(&args.target)?, &args.package)?.licence_texts()
}

fn metadata(target: &str) -> Result<Metadata> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", target])
        .output()
        .context("cannot run `cargo metadata`")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

impl Product {
    /// Follows ordinary dependencies from the package called `name`.
    fn of(metadata: Metadata, name: &str) -> Result<Self> {
        let root = metadata
            .packages
            .iter()
            .find(|package| package.name == name && package.source.is_none())
            .with_context(|| format!("the workspace has no package `{name}`"))?
            .id
            .clone();
        let nodes: BTreeMap<_, _> = metadata
            .resolve
            .nodes
            .into_iter()
            .map(|node| (node.id, node.deps))
            .collect();
        let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut pending = vec![root.clone()];
        while let Some(id) = pending.pop() {
            if uses.contains_key(&id) {
                continue;
            }
            let direct: BTreeSet<String> = nodes
                .get(&id)
                .into_iter()
                .flatten()
                .filter(|edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none()))
                .map(|edge| edge.pkg.clone())
                .collect();
            pending.extend(direct.iter().cloned());
            uses.insert(id, direct);
        }
        let packages = metadata
            .packages
            .into_iter()
            .filter(|package| uses.contains_key(&package.id))
            .map(|package| (package.id.clone(), package))
            .collect();
        Ok(Self {
            root,
            packages,
            uses,
        })
    }

    fn package(&self, id: &str) -> Result<&Package> {
        self.packages
            .get(id)
            .with_context(|| format!("`cargo metadata` does not describe `{id}`"))
    }

    fn cyclone_dx(&self, lock: &LockFile) -> Result<Value> {
        let checksums: BTreeMap<_, _> = lock
            .package
            .iter()
            .filter_map(|p| Some(((p.name.as_str(), p.version.as_str()), p.checksum.as_ref()?)))
            .collect();
        let mut components = Vec::new();
        for package in self.sorted().filter(|package| package.id != self.root) {
            let mut component = package.component("library");
            let version = (package.name.as_str(), package.version.as_str());
            if let Some(checksum) = checksums.get(&version) {
                component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
            }
            components.push(component);
        }
        let mut dependencies = Vec::new();
        for package in self.sorted() {
            let mut used = self.uses[&package.id]
                .iter()
                .map(|id| Ok(self.package(id)?.purl()))
                .collect::<Result<Vec<_>>>()?;
            used.sort();
            dependencies.push(json!({"ref": package.purl(), "dependsOn": used}));
        }
        Ok(json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "version": 1,
            "metadata": {"component": self.package(&self.root)?.component("application")},
            "components": components,
            "dependencies": dependencies,
        }))
    }

    fn licence_texts(&self) -> Result<String> {
        let mut by_text: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for package in self.sorted().filter(|package| package.source.is_some()) {
            let crate_name = format!(
                "{} {} ({})",
                package.name,
                package.version,
                package.licence().unwrap_or_else(|| "see below".to_owned())
            );
            let texts = licence_files(package.folder()?)?;
            if texts.is_empty() {
                by_text.entry(String::new()).or_default().push(crate_name);
                continue;
            }
            for text in texts {
                by_text.entry(text).or_default().push(crate_name.clone());
            }
        }
        let mut out = String::from("Bellgate contains the following software of others.\n");
        for (text, names) in by_text {
            out.push_str(&format!(
                "\n{}\n\n  {}\n",
                "=".repeat(72),
                names.join("\n  ")
            ));
            let text = match text.trim_matches(['\n', '\r']) {
                "" => "These come without a text of their own; the licences named apply.",
                text => text,
            };
            out.push_str(&format!("\n{text}\n"));
        }
        Ok(out)
    }

    /// The crates by name and version.
    fn sorted(&self) -> impl Iterator<Item = &Package> {
        let mut packages: Vec<_> = self.packages.values().collect();
        packages.sort_by_key(|package| (&package.name, &package.version));
        packages.into_iter()
    }
}

impl Package {
    fn purl(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }

    /// The licence as an SPDX expression; older crates write `/` for `OR`.
    fn licence(&self) -> Option<String> {
        let licence = self.license.as_ref()?;
        Some(match licence.contains(" / ") {
            true => licence.replace(" / ", " OR "),
            false => licence.replace('/', " OR "),
        })
    }

    fn component(&self, kind: &str) -> Value {
        let mut component = json!({
            "type": kind,
            "bom-ref": self.purl(),
            "name": self.name,
            "version": self.version,
            "purl": self.purl(),
        });
        if let Some(licence) = self.licence() {
            component["licenses"] = json!([{"expression": licence}]);
        }
        component
    }

    fn folder(&self) -> Result<&Path> {
        self.manifest_path
            .parent()
            .with_context(|| format!("`{}` lies in no folder", self.name))
    }
}

/// The texts of the licence files directly in `folder`.
fn licence_files(folder: &Path) -> Result<BTreeSet<String>> {
    let mut texts = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT"]
            .iter()
            .any(|start| name.starts_with(start))
            && entry.file_type()?.is_file()
        {
            texts.insert(String::from_utf8_lossy(&std::fs::read(entry.path())?).replace('\r', ""));
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product() -> Product {
        let text = r#"{
          "packages": [
            {"id": "a", "name": "app", "version": "1.0.0", "license": "MIT", "source": null, "manifest_path": "/x/Cargo.toml"},
            {"id": "b", "name": "lib", "version": "2.0.0", "license": "MIT/Apache-2.0", "source": "registry", "manifest_path": "/x/Cargo.toml"},
            {"id": "c", "name": "test", "version": "3.0.0", "license": "MIT", "source": "registry", "manifest_path": "/x/Cargo.toml"}
          ],
          "resolve": {"nodes": [
            {"id": "a", "deps": [
              {"pkg": "b", "dep_kinds": [{"kind": "dev"}, {"kind": null}]},
              {"pkg": "c", "dep_kinds": [{"kind": "dev"}]}]},
            {"id": "b", "deps": []}, {"id": "c", "deps": []}
          ]}
        }"#;
        Product::of(serde_json::from_str(text).unwrap(), "app").unwrap()
    }

    #[test]
    fn bill_lists_what_is_built_in_with_checksum_and_licence() {
        let lock: LockFile = toml::from_str(
            "[[package]]\nname = 'lib'\nversion = '2.0.0'\nchecksum = 'abc'\n\
             [[package]]\nname = 'app'\nversion = '1.0.0'",
        )
        .unwrap();
        let bill = product().cyclone_dx(&lock).unwrap();
        assert_eq!(bill["metadata"]["component"]["name"], "app");
        let components = bill["components"].as_array().unwrap();
        assert_eq!(components.len(), 1);
        assert_eq!(components[0]["purl"], "pkg:cargo/lib@2.0.0");
        assert_eq!(components[0]["hashes"][0]["content"], "abc");
        assert_eq!(
            components[0]["licenses"][0]["expression"],
            "MIT OR Apache-2.0"
        );
        assert_eq!(
            bill["dependencies"][0]["dependsOn"][0],
            "pkg:cargo/lib@2.0.0"
        );
    }

    #[test]
    fn licence_files_are_found_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["LICENSE-MIT", "license.txt", "lib.rs"] {
            std::fs::write(folder.path().join(name), name).unwrap();
        }
        let texts = licence_files(folder.path()).unwrap();
        assert_eq!(
            texts.into_iter().collect::<Vec<_>>(),
            ["LICENSE-MIT", "license.txt"]
        );
    }
}
