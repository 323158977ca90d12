//! A device's key: its algorithm, its public half, and the id made from it.

use std::fmt::Write;

use ring::digest::{Context, SHA256};
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};

/// How a device signs, named as in JSON Web Algorithms (RFC 7518, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256; signatures are `r || s`, as WebCrypto makes them.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    Ed25519,
}

impl Algorithm {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The algorithm of a name, if it is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Es256, Self::Ed25519]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::Ed25519 => &signature::ED25519,
        }
    }
}

/// The public half of a device's key, in WebCrypto's `raw` format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

impl PublicKey {
    /// Takes an uncompressed P-256 point (65 bytes) or an Ed25519 key (32 bytes).
    #[must_use]
    pub fn new(algorithm: Algorithm, bytes: Vec<u8>) -> Option<Self> {
        let fits = match algorithm {
            Algorithm::Es256 => bytes.len() == 65 && bytes[0] == 4,
            Algorithm::Ed25519 => bytes.len() == 32,
        };
        fits.then_some(Self { algorithm, bytes })
    }

    /// The algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether a signature of a message is this key's.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(self.algorithm.verification(), &self.bytes)
            .verify(message, signature)
            .is_ok()
    }

    /// The id of the device with this key in a tenant: 32 hexadecimal digits.
    ///
    /// The same key always gets the same id, so that enrolling again after a
    /// lost answer changes nothing, and an id never changes its key.
    #[must_use]
    pub fn device_id(&self, tenant: &str) -> String {
        let mut digest = Context::new(&SHA256);
        for part in [tenant.as_bytes(), self.algorithm.as_str().as_bytes()] {
            digest.update(part);
            digest.update(&[0]);
        }
        digest.update(&self.bytes);
        hex(&digest.finish().as_ref()[..16])
    }
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_depends_on_tenant_algorithm_and_key() {
        let key = |algorithm, bytes: &[u8]| PublicKey::new(algorithm, bytes.to_vec());
        let one = key(Algorithm::Ed25519, &[1; 32]).unwrap();
        let two = key(Algorithm::Ed25519, &[2; 32]).unwrap();
        assert_eq!(one.device_id("a"), one.device_id("a"));
        assert_ne!(one.device_id("a"), one.device_id("b"));
        assert_ne!(one.device_id("a"), two.device_id("a"));
        assert_eq!(one.device_id("a").len(), 32);
        assert_eq!(key(Algorithm::Es256, &[1; 32]), None);
        assert_eq!(key(Algorithm::Ed25519, &[1; 31]), None);
    }
}
