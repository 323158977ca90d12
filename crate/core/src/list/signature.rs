//! Who vouches for a pack: Ed25519 signatures over its header.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::format::{Header, PackError};

/// A public key that may sign packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    id: KeyId,
}

/// The short name of a key: the first 8 bytes of its SHA-256, in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl KeyId {
    fn of(key: &[u8; 32]) -> Self {
        let digest = Sha256::digest(key);
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        Self(id)
    }
}

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an Ed25519 key in base64; `bellgate lists keygen` makes one and prints its public half"
)]
pub struct KeyError(String);

impl PublicKey {
    /// Reads a key of 32 bytes in base64.
    ///
    /// # Errors
    /// [`KeyError`] when the text is not one.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let error = || KeyError(text.to_owned());
        let bytes = STANDARD.decode(text.trim()).map_err(|_| error())?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| error())?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| error())?;
        if key.is_weak() {
            return Err(error());
        }
        Ok(Self {
            key,
            id: KeyId::of(&bytes),
        })
    }

    /// Reads the keys of a text, separated by white space, as `pack_keys` holds them.
    ///
    /// # Errors
    /// [`KeyError`] for the first that is none.
    pub fn set_from_text(text: &str) -> Result<Vec<Self>, KeyError> {
        text.split_whitespace().map(Self::from_base64).collect()
    }

    /// The key in base64.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.key.as_bytes())
    }

    /// The key's short name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }
}

/// What a pack's signature proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// One of the given keys signed it.
    Signed(KeyId),
    /// Nobody signed it.
    Unsigned,
}

/// Checks the signature of a header against a set of keys.
pub(crate) fn verify(header: &Header, keys: &[PublicKey]) -> Result<Verified, PackError> {
    let (id, signature) = header.signature();
    if id.iter().chain(signature).all(|&byte| byte == 0) {
        return Ok(Verified::Unsigned);
    }
    let mut wanted = KeyId([0; 8]);
    wanted.0.copy_from_slice(id);
    let key = keys
        .iter()
        .find(|key| key.id == wanted)
        .ok_or_else(|| PackError::UnknownSigner(wanted.to_string()))?;
    let wrong = || PackError::Signature(wanted.to_string());
    let signature = Signature::from_slice(signature).map_err(|_| wrong())?;
    key.key
        .verify_strict(header.signed_bytes(), &signature)
        .map_err(|_| wrong())?;
    Ok(Verified::Signed(wanted))
}

/// A key that signs packs; keep it where nobody else can read it.
#[cfg(feature = "build")]
pub struct SigningKey(ed25519_dalek::SigningKey);

#[cfg(feature = "build")]
impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.public_key().id())
    }
}

#[cfg(feature = "build")]
impl SigningKey {
    /// A key of 32 bytes that came from a source of good randomness.
    #[must_use]
    pub fn from_bytes(secret: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(secret))
    }

    /// Reads a key of 32 bytes in base64.
    ///
    /// # Errors
    /// [`KeyError`], which does not repeat the text, when it is not one.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let error = || KeyError("…".to_owned());
        let bytes = STANDARD.decode(text.trim()).map_err(|_| error())?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| error())?;
        Ok(Self::from_bytes(&bytes))
    }

    /// The secret in base64.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.0.as_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let key = self.0.verifying_key();
        PublicKey {
            key,
            id: KeyId::of(key.as_bytes()),
        }
    }

    /// The signature block of a header: the key's id and the signature.
    pub(crate) fn sign(&self, header: &[u8]) -> Vec<u8> {
        use ed25519_dalek::Signer as _;
        let mut block = self.public_key().id.0.to_vec();
        block.extend_from_slice(&self.0.sign(header).to_bytes());
        block
    }
}
