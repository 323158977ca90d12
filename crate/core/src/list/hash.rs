//! The one hash of an entry's text, and how its halves are used.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// How many bits of the fingerprint are stored as they are.
pub(crate) const REMAINDER_BITS: u32 = 36;
/// How many bits of the fingerprint choose a bucket.
pub(crate) const PREFIX_BITS: u32 = 64 - REMAINDER_BITS;
/// The greatest number of buckets.
pub(crate) const MAX_BUCKETS: u32 = 1 << PREFIX_BITS;

/// Which hash a pack uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashKind {
    /// XXH3 with 128 bits: fast, and anyone who holds the pack can test a URL.
    Open,
    /// SipHash-2-4 with 128 bits under a secret key: without it nothing can be tested.
    Keyed,
}

/// The secret key of a keyed pack: 16 bytes, one per deployment.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretKey(pub(crate) [u8; 16]);

impl SecretKey {
    /// A key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A key from its 32 hexadecimal digits, as `bellgate lists keygen --secret` writes it.
    ///
    /// `None` for anything else, white space around it excepted.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let digits = text.trim().as_bytes();
        if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut key = [0; 16];
        for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(key))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretKey(…)")
    }
}

/// Hashes the text of entries.
#[derive(Debug, Clone)]
pub(crate) enum EntryHasher {
    Open { seed: u64 },
    Keyed(SecretKey),
}

/// The hash of one entry's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryHash {
    /// What goes into the bloom filter.
    pub low: u64,
    /// The fingerprint.
    pub high: u64,
}

impl EntryHash {
    /// The bloom filter's item that says: some entry has this host and a path.
    #[inline]
    pub fn path_mark(self) -> u64 {
        self.low.rotate_left(32)
    }
}

impl EntryHasher {
    #[inline]
    pub fn hash(&self, text: &[u8]) -> EntryHash {
        match self {
            Self::Open { seed } => {
                let hash = xxh3_128_with_seed(text, *seed);
                EntryHash {
                    low: hash as u64,
                    high: (hash >> 64) as u64,
                }
            }
            Self::Keyed(key) => {
                let mut hasher = SipHasher24::new_with_key(&key.0);
                hasher.write(text);
                let hash = hasher.finish128();
                EntryHash {
                    low: hash.h1,
                    high: hash.h2,
                }
            }
        }
    }

    #[cfg(feature = "build")]
    pub fn kind(&self) -> HashKind {
        match self {
            Self::Open { .. } => HashKind::Open,
            Self::Keyed(_) => HashKind::Keyed,
        }
    }
}

/// Where a fingerprint lies: the bucket, and what is stored in it.
#[inline]
pub(crate) fn place(high: u64, buckets: u32) -> (u32, u64) {
    let prefix = high >> REMAINDER_BITS;
    // Both factors stay under 2^28 and 2^29, so the product is exact.
    let bucket = (prefix * u64::from(buckets)) >> PREFIX_BITS;
    (bucket as u32, high & ((1 << REMAINDER_BITS) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_filled_in_the_order_of_fingerprints() {
        for buckets in [1, 64, 1000, MAX_BUCKETS] {
            let mut last = (0, 0);
            for high in (0..1000u64).map(|step| step << 54 | 7) {
                let (bucket, remainder) = place(high, buckets);
                assert!(bucket < buckets && remainder < 1 << REMAINDER_BITS);
                assert!((bucket, 0) >= (last.0, 0));
                last = (bucket, remainder);
            }
            assert_eq!(place(u64::MAX, buckets).0, buckets - 1);
        }
    }

    #[test]
    fn a_key_changes_every_half() {
        let first = EntryHasher::Keyed(SecretKey::from_bytes([1; 16])).hash(b"example.org");
        let second = EntryHasher::Keyed(SecretKey::from_bytes([2; 16])).hash(b"example.org");
        assert!(first.low != second.low && first.high != second.high);
    }
}
