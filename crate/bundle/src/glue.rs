//! The JavaScript side of the compiled core.
//!
//! The library form of wasm-bindgen is used, pinned in the workspace's lock
//! file together with the crate that the core is compiled with: the two must be
//! the same version, and a separately installed command could drift.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use wasm_bindgen_cli_support::Bindgen;

use crate::archive::Files;

/// First line of every made module.
pub const HEADER: &str = "// Made by `scripts/build`; do not edit.\n";

/// The compiled core and its bindings.
pub struct Glue {
    /// The optimised binary.
    pub wasm: Vec<u8>,
    /// The ES module that wraps it.
    pub js: String,
    /// The types of `js`.
    pub ts: String,
}

impl Glue {
    /// Makes the bindings of the compiled wasm crate at `wasm`.
    ///
    /// `optimiser` is a `wasm-opt` command, run when there is one.
    pub fn make(wasm: &Path, optimiser: Option<&Path>) -> Result<Self> {
        let mut output = Bindgen::new()
            .input_path(wasm)
            .out_name("bellgate")
            .web(true)?
            .omit_default_module_path(true)
            .remove_name_section(true)
            .remove_producers_section(true)
            .typescript(true)
            .reset_state_function(true)
            .generate_output()
            .with_context(|| format!("cannot make the bindings of `{}`", wasm.display()))?;
        // Every crate has a list of snippets, mostly an empty one.
        let has_snippets = output.snippets().values().any(|list| !list.is_empty());
        if has_snippets || !output.local_modules().is_empty() {
            bail!("the wasm crate brings JavaScript snippets of its own; they are not packed");
        }
        let js = output.js().to_owned();
        let ts = output.ts().unwrap_or_default().to_owned();
        let mut wasm = output.wasm_mut().emit_wasm();
        if let Some(optimiser) = optimiser {
            wasm = optimise(&wasm, optimiser)?;
        }
        Ok(Self { wasm, js, ts })
    }

    /// The modules that the extension ships, by name.
    ///
    /// Both binaries are functions, not constants: a module that throws while it
    /// is loaded would stop the worker before it can listen.
    pub fn shipped(&self, core_pack: Option<&CorePack>) -> Files {
        let bytes = format!(
            "{HEADER}\n/** The compiled core. @returns {{Uint8Array<ArrayBuffer>}} */\n\
             export function wasmBytes() {{\n  return Uint8Array.fromBase64({});\n}}\n",
            quoted(&self.wasm)
        );
        let (pack, keys) = core_pack.map_or_else(
            || ("null".to_owned(), ""),
            |pack| {
                let bytes = format!("Uint8Array.fromBase64({})", quoted(&pack.bytes));
                (bytes, pack.keys.as_str())
            },
        );
        let core_pack = format!(
            "{HEADER}\n/** The built-in list pack; null in a build without one. \
             @returns {{Uint8Array<ArrayBuffer> | null}} */\n\
             export function corePack() {{\n  return {pack};\n}}\n\n\
             /** The keys that may have signed it, base64, separated by spaces; empty if unsigned. */\n\
             export function corePackKeys() {{\n  return \"{keys}\";\n}}\n",
        );
        Files::from([
            ("bellgate.js".to_owned(), self.js.clone().into_bytes()),
            ("bytes.js".to_owned(), bytes.into_bytes()),
            ("core-pack.js".to_owned(), core_pack.into_bytes()),
        ])
    }

    /// What tests under Node and the type check use besides, by name; not shipped.
    pub fn for_tests(&self) -> Files {
        Files::from([
            ("bellgate.d.ts".to_owned(), self.ts.clone().into_bytes()),
            ("bellgate.wasm".to_owned(), self.wasm.clone()),
        ])
    }
}

/// The built-in list pack.
pub struct CorePack {
    /// The pack, whole.
    pub bytes: Vec<u8>,
    /// Ed25519 public keys, base64, separated by spaces; empty if it is not signed.
    pub keys: String,
}

fn quoted(bytes: &[u8]) -> String {
    format!("\"{}\"", STANDARD.encode(bytes))
}

/// Runs `wasm-opt` for speed, with the features that Rust's target has on.
fn optimise(wasm: &[u8], optimiser: &Path) -> Result<Vec<u8>> {
    const FEATURES: [&str; 6] = [
        "--enable-bulk-memory",
        "--enable-multivalue",
        "--enable-mutable-globals",
        "--enable-nontrapping-float-to-int",
        "--enable-reference-types",
        "--enable-sign-ext",
    ];
    let folder = std::env::temp_dir().join(format!("bellgate-wasm-opt-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let run = || -> Result<Vec<u8>> {
        let (before, after) = (folder.join("before.wasm"), folder.join("after.wasm"));
        std::fs::write(&before, wasm)?;
        let output = Command::new(optimiser)
            .arg("-O3")
            .args(FEATURES)
            .arg(&before)
            .arg("-o")
            .arg(&after)
            .output()
            .with_context(|| format!("cannot run `{}`", optimiser.display()))?;
        if !output.status.success() {
            bail!(
                "`{}` failed: {}",
                optimiser.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(std::fs::read(&after)?)
    };
    let result = run();
    std::fs::remove_dir_all(&folder)?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glue() -> Glue {
        Glue {
            wasm: b"\0asm".to_vec(),
            js: "js".to_owned(),
            ts: "ts".to_owned(),
        }
    }

    fn text(files: &Files, path: &str) -> String {
        String::from_utf8(files[path].clone()).unwrap()
    }

    #[test]
    fn binaries_are_embedded_as_functions() {
        let files = glue().shipped(Some(&CorePack {
            bytes: b"pack".to_vec(),
            keys: "key".to_owned(),
        }));
        assert!(text(&files, "bytes.js").contains("return Uint8Array.fromBase64(\"AGFzbQ==\")"));
        assert!(text(&files, "core-pack.js").contains("Uint8Array.fromBase64(\"cGFjaw==\")"));
        assert!(text(&files, "core-pack.js").contains("return \"key\";"));
        for path in ["bytes.js", "core-pack.js"] {
            assert!(text(&files, path).starts_with("// Made by `scripts/build`"));
        }
    }

    #[test]
    fn build_without_core_pack_still_has_the_module() {
        let files = glue().shipped(None);
        assert!(text(&files, "core-pack.js").contains("return null;"));
        assert!(text(&files, "core-pack.js").contains("return \"\";"));
    }
}
