//! Whether a Linux program needs nothing of the system it runs on.

use std::path::Path;

use anyhow::{Context, Result, bail};

/// Fails unless the program at `path` is an ELF file for x86-64 or another
/// 64-bit little-endian machine that asks for no loader.
///
/// A program that uses shared libraries names a loader in a program header of
/// type `PT_INTERP` (3); a static one has no such header.
pub fn require_static(path: &Path) -> Result<()> {
    let program =
        std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    match asks_for_loader(&program) {
        Some(false) => Ok(()),
        Some(true) => bail!("`{}` needs shared libraries", path.display()),
        None => bail!("`{}` is not a 64-bit Linux program", path.display()),
    }
}

/// Offsets of ELF64: `e_phoff` 32 (8 bytes), `e_phentsize` 54 and `e_phnum` 56
/// (2 bytes each); `p_type` 0 (4 bytes) in each program header.
fn asks_for_loader(program: &[u8]) -> Option<bool> {
    const PT_INTERP: u32 = 3;
    // Magic, 64-bit, little-endian.
    if program.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let table = u64::from_le_bytes(program.get(32..40)?.try_into().ok()?);
    let size = u16::from_le_bytes(program.get(54..56)?.try_into().ok()?);
    let count = u16::from_le_bytes(program.get(56..58)?.try_into().ok()?);
    for index in 0..usize::from(count) {
        let at = usize::try_from(table).ok()? + index * usize::from(size);
        let kind = u32::from_le_bytes(program.get(at..at + 4)?.try_into().ok()?);
        if kind == PT_INTERP {
            return Some(true);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header with one program header of `kind`.
    fn program(kind: u32) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes.extend(kind.to_le_bytes());
        bytes
    }

    #[test]
    fn program_that_names_a_loader_is_not_static() {
        assert_eq!(asks_for_loader(&program(3)), Some(true));
        assert_eq!(asks_for_loader(&program(1)), Some(false));
        assert_eq!(asks_for_loader(b"#!/bin/sh"), None);
        assert_eq!(asks_for_loader(&program(3)[..65]), None);
    }
}
