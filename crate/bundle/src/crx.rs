//! Chrome's package format, CRX3: a signed header before a zip archive.
//!
//! | offset  | size | content |
//! |---------|------|---------|
//! | 0       | 4    | magic `Cr24` |
//! | 4       | 4    | version, 3, little-endian |
//! | 8       | 4    | length `h` of the header in bytes, little-endian |
//! | 12      | h    | header, a protocol buffer `CrxFileHeader` |
//! | 12 + h  | rest | the zip archive |
//!
//! `CrxFileHeader` as written here has two fields, both length-delimited:
//!
//! | field | content |
//! |-------|---------|
//! | 2     | `AsymmetricKeyProof`: field 1 the public key in DER, field 2 the signature |
//! | 10000 | `SignedData`: field 1 the id, 16 bytes |
//!
//! The signature (RSASSA-PKCS1-v1_5, SHA-256) covers the text `CRX3 SignedData`
//! with a zero byte, the length of field 10000 as four bytes little-endian,
//! field 10000, and the archive. The format is Chromium's
//! `components/crx_file/crx3.proto`.

use anyhow::Result;

use crate::key::{PackageKey, id_bytes};

const MAGIC: &[u8; 4] = b"Cr24";
const VERSION: u32 = 3;
const SIGNATURE_CONTEXT: &[u8; 16] = b"CRX3 SignedData\0";

const FIELD_SHA256_WITH_RSA: u32 = 2;
const FIELD_SIGNED_HEADER_DATA: u32 = 10_000;
const FIELD_PUBLIC_KEY: u32 = 1;
const FIELD_SIGNATURE: u32 = 2;
const FIELD_CRX_ID: u32 = 1;

/// Signs `archive`, a zip with the manifest at its root, into a package.
///
/// The same key and archive always make the same bytes: PKCS#1 v1.5 signatures
/// hold nothing random.
pub fn pack(archive: &[u8], key: &PackageKey) -> Result<Vec<u8>> {
    let mut signed_header = Vec::new();
    put_bytes(
        &mut signed_header,
        FIELD_CRX_ID,
        &id_bytes(key.public_der()),
    );

    let signature = key.sign(&signed_message(&signed_header, archive)?);

    let mut proof = Vec::new();
    put_bytes(&mut proof, FIELD_PUBLIC_KEY, key.public_der());
    put_bytes(&mut proof, FIELD_SIGNATURE, &signature);

    let mut header = Vec::new();
    put_bytes(&mut header, FIELD_SHA256_WITH_RSA, &proof);
    put_bytes(&mut header, FIELD_SIGNED_HEADER_DATA, &signed_header);

    let mut package = Vec::with_capacity(12 + header.len() + archive.len());
    package.extend_from_slice(MAGIC);
    package.extend_from_slice(&VERSION.to_le_bytes());
    package.extend_from_slice(&u32::try_from(header.len())?.to_le_bytes());
    package.extend_from_slice(&header);
    package.extend_from_slice(archive);
    Ok(package)
}

/// What the signature covers.
fn signed_message(signed_header: &[u8], archive: &[u8]) -> Result<Vec<u8>> {
    let mut message = Vec::with_capacity(20 + signed_header.len() + archive.len());
    message.extend_from_slice(SIGNATURE_CONTEXT);
    message.extend_from_slice(&u32::try_from(signed_header.len())?.to_le_bytes());
    message.extend_from_slice(signed_header);
    message.extend_from_slice(archive);
    Ok(message)
}

/// Appends a length-delimited protocol buffer field.
fn put_bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    const LENGTH_DELIMITED: u64 = 2;
    put_varint(out, u64::from(field) << 3 | LENGTH_DELIMITED);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends a base-128 varint: seven bits a byte, lowest first.
fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rsa::RsaPublicKey;
    use rsa::pkcs1v15::{Signature, VerifyingKey};
    use rsa::pkcs8::DecodePublicKey;
    use rsa::signature::Verifier;
    use sha2::Sha256;

    use super::*;

    fn development_key() -> PackageKey {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../extension/development-key.pem");
        PackageKey::read(&path).unwrap()
    }

    /// Reads the fields of a protocol buffer of length-delimited fields.
    fn fields(mut bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
        fn varint(bytes: &mut &[u8]) -> u64 {
            let mut value = 0;
            for shift in (0..).step_by(7) {
                let byte = bytes[0];
                *bytes = &bytes[1..];
                value |= u64::from(byte & 0x7f) << shift;
                if byte < 0x80 {
                    break;
                }
            }
            value
        }
        let mut found = Vec::new();
        while !bytes.is_empty() {
            let tag = varint(&mut bytes);
            assert_eq!(tag & 7, 2);
            let length = varint(&mut bytes) as usize;
            found.push(((tag >> 3) as u32, bytes[..length].to_vec()));
            bytes = &bytes[length..];
        }
        found
    }

    /// Splits a package as a browser does, and says whether it is genuine.
    fn verify(package: &[u8]) -> Option<(String, Vec<u8>)> {
        assert_eq!(&package[..4], b"Cr24");
        assert_eq!(package[4..8], [3, 0, 0, 0]);
        let header_length = u32::from_le_bytes(package[8..12].try_into().unwrap()) as usize;
        let (header, archive) = package[12..].split_at(header_length);
        let header = fields(header);
        assert_eq!(header.iter().map(|f| f.0).collect::<Vec<_>>(), [2, 10_000]);
        let proof = fields(&header[0].1);
        let (public_der, signature) = (&proof[0].1, &proof[1].1);
        let signed_header = &header[1].1;
        let id = &fields(signed_header)[0].1;
        if id[..] != id_bytes(public_der) {
            return None;
        }
        let mut message = b"CRX3 SignedData\0".to_vec();
        message.extend((signed_header.len() as u32).to_le_bytes());
        message.extend(signed_header);
        message.extend(archive);
        let public = RsaPublicKey::from_public_key_der(public_der).unwrap();
        VerifyingKey::<Sha256>::new(public)
            .verify(&message, &Signature::try_from(&signature[..]).unwrap())
            .ok()?;
        Some((crate::key::extension_id(public_der), archive.to_vec()))
    }

    #[test]
    fn package_verifies_and_carries_the_archive() {
        let key = development_key();
        let package = pack(b"archive", &key).unwrap();
        let (id, archive) = verify(&package).unwrap();
        assert_eq!(id, key.extension_id());
        assert_eq!(archive, b"archive");
    }

    #[test]
    fn changed_archive_no_longer_verifies() {
        let mut package = pack(b"archive", &development_key()).unwrap();
        *package.last_mut().unwrap() ^= 1;
        assert_eq!(verify(&package), None);
    }

    #[test]
    fn package_is_reproducible() {
        let key = development_key();
        assert_eq!(pack(b"zip", &key).unwrap(), pack(b"zip", &key).unwrap());
    }

    #[test]
    fn varints_are_base_128_lowest_first() {
        let mut out = Vec::new();
        put_varint(&mut out, 80_002);
        assert_eq!(out, [0x82, 0xf1, 0x04]);
    }
}
