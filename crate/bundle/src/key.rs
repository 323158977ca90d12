//! The RSA key that signs the package and gives the extension its id.
//!
//! Chrome derives an extension's id from its public key alone: the first 16
//! bytes of the SHA-256 of the key in DER (SubjectPublicKeyInfo), each half
//! byte written as a letter from `a` (0) to `p` (15).

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::RsaPrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::OsRng;
use rsa::signature::{SignatureEncoding, Signer};
use rsa::traits::PublicKeyParts;
use sha2::{Digest, Sha256};

/// Bits of a new key; also the least that is accepted.
const KEY_BITS: usize = 2048;

/// The id that comes from `extension/development-key.pem`, whose private
/// half everybody can read. A release signed with it could be replaced by anyone.
const DEVELOPMENT_ID: &str = "lfdalalnhiamkjebmphnaohlglcdkkme";

/// A private signing key with its public half in DER.
pub struct PackageKey {
    signing: SigningKey<Sha256>,
    public_der: Vec<u8>,
}

impl PackageKey {
    /// Reads an RSA private key in PEM, PKCS#8 or PKCS#1.
    pub fn read(path: &Path) -> Result<Self> {
        let pem = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the signing key `{}`", path.display()))?;
        let private = RsaPrivateKey::from_pkcs8_pem(&pem)
            .or_else(|_| RsaPrivateKey::from_pkcs1_pem(&pem))
            .with_context(|| {
                format!(
                    "`{}` is not an RSA private key in PEM; make one with `bellgate-bundle key new`",
                    path.display()
                )
            })?;
        Self::from_private(private)
    }

    /// Makes a new key and writes it to `path`, readable by its owner alone.
    ///
    /// An existing file is never overwritten: losing a key changes the id.
    pub fn create(path: &Path) -> Result<Self> {
        let private = RsaPrivateKey::new(&mut OsRng, KEY_BITS)?;
        let pem = private.to_pkcs8_pem(LineEnding::LF)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .with_context(|| format!("cannot create `{}`", path.display()))?;
        file.write_all(pem.as_bytes())?;
        Self::from_private(private)
    }

    fn from_private(private: RsaPrivateKey) -> Result<Self> {
        if private.size() * 8 < KEY_BITS {
            bail!("the signing key has fewer than {KEY_BITS} bits; make a new one");
        }
        let public_der = private
            .to_public_key()
            .to_public_key_der()?
            .as_bytes()
            .to_vec();
        Ok(Self {
            signing: SigningKey::new(private),
            public_der,
        })
    }

    /// The public key in DER (SubjectPublicKeyInfo).
    pub fn public_der(&self) -> &[u8] {
        &self.public_der
    }

    /// The manifest's `key`: the public key in DER, base64.
    pub fn manifest_key(&self) -> String {
        STANDARD.encode(&self.public_der)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 over `message`.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.signing.sign(message).to_vec()
    }

    /// The id Chrome gives an extension with this key.
    pub fn extension_id(&self) -> String {
        extension_id(&self.public_der)
    }

    /// Refuses the development key, whose private half is public.
    pub fn require_private(&self) -> Result<()> {
        if self.extension_id() == DEVELOPMENT_ID {
            bail!(
                "a release must not be signed with the development key: its private half is in \
                 the repository; make your own with `bellgate-bundle key new --out FILE`, keep \
                 it secret and keep it for ever, since the extension's id comes from it"
            );
        }
        Ok(())
    }
}

/// The first 16 bytes of the SHA-256 of a public key in DER: an id in binary.
pub fn id_bytes(public_der: &[u8]) -> [u8; 16] {
    let digest = Sha256::digest(public_der);
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    id
}

/// An extension's id as Chrome shows it: 32 letters from `a` to `p`.
pub fn extension_id(public_der: &[u8]) -> String {
    id_bytes(public_der)
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from(b'a' + half))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_is_the_hash_in_letters() {
        // SHA-256 of the empty string starts e3b0c442 98fc1c14 9afbf4c8 996fb924.
        assert_eq!(extension_id(b""), "odlameecjipmbmbejkplpemijjgpljce");
    }

    #[test]
    fn development_key_is_recognised_and_refused() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../extension/development-key.pem");
        let key = PackageKey::read(&path).unwrap();
        assert_eq!(key.extension_id(), DEVELOPMENT_ID);
        assert!(key.require_private().is_err());
    }

    #[test]
    fn new_key_is_private_to_its_owner_and_never_overwritten() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let made = PackageKey::create(&path).unwrap();
        assert!(made.require_private().is_ok());
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            PackageKey::read(&path).unwrap().extension_id(),
            made.extension_id()
        );
        assert!(PackageKey::create(&path).is_err());
    }
}
