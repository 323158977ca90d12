//! Puts the extension together and packs it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::archive::{self, Files};
use crate::glue::{CorePack, Glue};
use crate::key::PackageKey;
use crate::manifest::{FILE_NAME, Manifest};
use crate::{crx, lists, updates};

/// The folder of the extension that holds what the build makes.
const MODULES: &str = "wasm";

/// What `assemble` is told.
#[derive(Args)]
pub struct AssembleArgs {
    /// The compiled wasm crate, before its bindings are made.
    #[arg(long)]
    wasm: PathBuf,
    /// The source of the manifest.
    #[arg(long)]
    manifest: PathBuf,
    /// The folder of the extension's own files.
    #[arg(long)]
    extension: PathBuf,
    /// The list pack to embed.
    #[arg(long)]
    core_pack: Option<PathBuf>,
    /// The keys that may have signed it: Ed25519, base64, separated by spaces.
    #[arg(long, default_value = "", requires = "core_pack")]
    core_pack_keys: String,
    /// The folder of lists, for the words on the block page.
    #[arg(long)]
    lists: PathBuf,
    /// A `wasm-opt` command.
    #[arg(long)]
    wasm_opt: Option<PathBuf>,
    /// The key whose public half fixes the id of the unpacked extension.
    #[arg(long)]
    key: PathBuf,
    /// Where the unpacked extension goes; what is there is replaced.
    #[arg(long)]
    out: PathBuf,
    /// Where the made modules go for tests and the type check; what is there is replaced.
    #[arg(long)]
    modules_out: PathBuf,
}

/// Makes the unpacked extension and the bindings for tests.
pub fn assemble(args: &AssembleArgs) -> Result<()> {
    let key = PackageKey::read(&args.key)?;
    let mut manifest = Manifest::read(&args.manifest)?;
    manifest.set_version(env!("CARGO_PKG_VERSION"))?;
    manifest.set_key(Some(key.manifest_key()));
    manifest.set_update_url(None);

    let glue = Glue::make(&args.wasm, args.wasm_opt.as_deref())?;
    let mut modules = glue.shipped(read_core_pack(args)?.as_ref());
    modules.append(&mut lists::modules(&args.lists)?);

    let mut files = archive::read_folder(&args.extension, &is_for_developers)?;
    for (name, content) in &modules {
        files.insert(format!("{MODULES}/{name}"), content.clone());
    }
    manifest.check_files(&files)?;
    files.insert(FILE_NAME.to_owned(), manifest.to_bytes()?);

    modules.append(&mut glue.for_tests());
    write_folder(&args.modules_out, &modules)?;
    write_folder(&args.out, &files)
}

fn read_core_pack(args: &AssembleArgs) -> Result<Option<CorePack>> {
    let Some(path) = &args.core_pack else {
        return Ok(None);
    };
    let bytes = std::fs::read(path)
        .with_context(|| format!("cannot read the list pack `{}`", path.display()))?;
    let keys = args.core_pack_keys.clone();
    if !keys
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "+/= ".contains(c))
    {
        bail!("`{keys}` is not a list of base64 keys separated by spaces");
    }
    Ok(Some(CorePack { bytes, keys }))
}

/// Files that lie beside the extension's own but are not part of it.
fn is_for_developers(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    path == MODULES
        || path == "types"
        || name.starts_with('.')
        || [".pem", ".d.ts", ".md", ".test.js", ".test.mjs"]
            .iter()
            .any(|end| name.ends_with(end))
        || matches!(name, "tsconfig.json" | FILE_NAME)
}

/// What `pack` is told.
#[derive(Args)]
pub struct PackArgs {
    /// The unpacked extension.
    #[arg(long)]
    extension: PathBuf,
    /// The private key that signs.
    #[arg(long)]
    key: PathBuf,
    /// The signed package to write.
    #[arg(long)]
    crx: PathBuf,
    /// The archive for the Chrome Web Store to write.
    #[arg(long)]
    zip: Option<PathBuf>,
    /// The update manifest to write; it needs `--update-url` and `--codebase`.
    #[arg(long, requires_all = ["update_url", "codebase"])]
    updates: Option<PathBuf>,
    /// Where Chrome will find the update manifest.
    #[arg(long)]
    update_url: Option<String>,
    /// Where Chrome will find the package.
    #[arg(long)]
    codebase: Option<String>,
    /// Packs as this version instead of the manifest's, for trying updates.
    #[arg(long)]
    version: Option<String>,
    /// Refuses the development key and a build without built-in lists.
    #[arg(long)]
    release: bool,
}

/// Packs the unpacked extension; prints its id.
pub fn pack(args: &PackArgs) -> Result<()> {
    let key = PackageKey::read(&args.key)?;
    let mut files = archive::read_folder(&args.extension, &|_| false)?;
    let manifest = files
        .get(FILE_NAME)
        .with_context(|| format!("`{}` has no {FILE_NAME}", args.extension.display()))?;
    let mut manifest = Manifest::parse(manifest)?;
    if let Some(version) = &args.version {
        manifest.set_version(version)?;
    }
    if args.release {
        key.require_private()?;
        require_core_pack(&files)?;
    }

    manifest.set_key(Some(key.manifest_key()));
    manifest.set_update_url(args.update_url.clone());
    files.insert(FILE_NAME.to_owned(), manifest.to_bytes()?);
    write(&args.crx, &crx::pack(&archive::zip(&files)?, &key)?)?;

    if let (Some(path), Some(codebase)) = (&args.updates, &args.codebase) {
        let text = updates::xml(&key.extension_id(), manifest.version()?, codebase);
        write(path, text.as_bytes())?;
    }
    if let Some(path) = &args.zip {
        manifest.set_key(None);
        manifest.set_update_url(None);
        files.insert(FILE_NAME.to_owned(), manifest.to_bytes()?);
        write(path, &archive::zip(&files)?)?;
    }
    println!("{}", key.extension_id());
    Ok(())
}

fn require_core_pack(files: &Files) -> Result<()> {
    let module = files
        .get("wasm/core-pack.js")
        .map_or(&[][..], Vec::as_slice);
    if !String::from_utf8_lossy(module).contains("fromBase64") {
        bail!("the extension was built without its built-in lists; run `scripts/build` again");
    }
    Ok(())
}

/// Replaces the folder at `path` by `files`, whole: a stale file never stays.
fn write_folder(path: &Path, files: &Files) -> Result<()> {
    let fresh = path.with_extension("new");
    if fresh.exists() {
        std::fs::remove_dir_all(&fresh)?;
    }
    for (name, content) in files {
        write(&fresh.join(name), content)?;
    }
    if path.exists() {
        std::fs::remove_dir_all(path)
            .with_context(|| format!("cannot replace `{}`", path.display()))?;
    }
    std::fs::rename(&fresh, path).with_context(|| format!("cannot write `{}`", path.display()))
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, content).with_context(|| format!("cannot write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    /// An unpacked extension of one file, and the arguments that pack it.
    fn extension(folder: &Path) -> PackArgs {
        let source = folder.join("extension");
        write(&source.join("background.js"), b"").unwrap();
        write(&source.join("wasm/core-pack.js"), b"return null;").unwrap();
        let manifest = br#"{"manifest_version": 3, "name": "x", "version": "0.1.0",
            "background": {"service_worker": "background.js"}, "key": "k"}"#;
        write(&source.join(FILE_NAME), manifest).unwrap();
        PackArgs {
            extension: source,
            key: Path::new(env!("CARGO_MANIFEST_DIR")).join("../../extension/development-key.pem"),
            crx: folder.join("x.crx"),
            zip: Some(folder.join("x.zip")),
            updates: Some(folder.join("updates.xml")),
            update_url: Some("https://example.org/updates.xml".to_owned()),
            codebase: Some("https://example.org/x.crx".to_owned()),
            version: Some("0.2.0".to_owned()),
            release: false,
        }
    }

    fn manifest_in(archive: &[u8]) -> String {
        let mut text = String::new();
        zip::ZipArchive::new(Cursor::new(archive))
            .unwrap()
            .by_name(FILE_NAME)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        text
    }

    #[test]
    fn package_has_key_and_update_address_and_store_archive_has_neither() {
        let folder = tempfile::tempdir().unwrap();
        let args = extension(folder.path());
        pack(&args).unwrap();
        let package = std::fs::read(&args.crx).unwrap();
        let text = manifest_in(&package);
        let key = PackageKey::read(&args.key).unwrap();
        assert!(text.contains(&key.manifest_key()), "{text}");
        assert!(text.contains("\"update_url\": \"https://example.org/updates.xml\""));
        assert!(text.contains("\"version\": \"0.2.0\""));
        let text = manifest_in(&std::fs::read(args.zip.unwrap()).unwrap());
        assert!(
            !text.contains("update_url") && !text.contains("\"key\""),
            "{text}"
        );
        let updates = std::fs::read_to_string(args.updates.unwrap()).unwrap();
        assert!(updates.contains(&key.extension_id()) && updates.contains("version='0.2.0'"));
    }

    #[test]
    fn release_refuses_development_key_and_missing_lists() {
        let folder = tempfile::tempdir().unwrap();
        let mut args = extension(folder.path());
        args.release = true;
        let message = pack(&args).unwrap_err().to_string();
        assert!(message.contains("development key"), "{message}");
        args.key = folder.path().join("own.pem");
        PackageKey::create(&args.key).unwrap();
        let message = pack(&args).unwrap_err().to_string();
        assert!(message.contains("built-in lists"), "{message}");
        assert!(!args.crx.exists());
    }

    #[test]
    fn folder_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("bellgate");
        write(&out.join("stale.js"), b"old").unwrap();
        write_folder(&out, &Files::from([("a/fresh.js".to_owned(), vec![1])])).unwrap();
        assert!(out.join("a/fresh.js").exists() && !out.join("stale.js").exists());
    }

    #[test]
    fn keys_and_type_files_are_not_shipped() {
        for path in [
            "development-key.pem",
            "a/b.d.ts",
            ".hidden",
            "tsconfig.json",
        ] {
            assert!(is_for_developers(path), "{path}");
        }
        for path in ["background.js", "page/wasm", "schema.json"] {
            assert!(!is_for_developers(path), "{path}");
        }
    }
}
