//! The bloom filter of a pack.
//!
//! The crate `bloomfilter` makes it, serialises it and checks its form. It computes an
//! item's bits through a general hasher, which costs more than the bits are worth where
//! every request asks several times; here the same bits are computed directly. A test
//! holds the two against each other.

use bloomfilter::Bloom;

use super::format::{BLOOM_PREFIX_BYTES, MAX_BLOOM_HASHES, PackError};

/// The modulus of every bit after the second: the greatest prime under 2^64.
const PRIME: u64 = 0xffff_ffff_ffff_ffc5;

/// A bloom filter of 64-bit items.
#[derive(Debug)]
pub(crate) struct Filter {
    bloom: Bloom<u64>,
    bits: u64,
    hashes: u32,
    sips: [Sip13; 2],
}

impl Filter {
    /// Takes a bloom section over without a copy.
    pub fn read(section: Vec<u8>) -> Result<Self, PackError> {
        let malformed = PackError::Malformed("the bloom section");
        let bloom = Bloom::<u64>::from_bytes(section).map_err(|_| malformed.clone())?;
        let hashes = bloom.number_of_hash_functions();
        let bits = bloom.len();
        let filled = bloom.as_slice().len().saturating_sub(BLOOM_PREFIX_BYTES) as u64;
        if hashes == 0 || hashes > MAX_BLOOM_HASHES || bits == 0 || bits > filled * 8 {
            return Err(malformed);
        }
        let key = |at: usize| {
            let half = |at: usize| {
                let mut eight = [0; 8];
                eight.copy_from_slice(&bloom.as_slice()[at..at + 8]);
                u64::from_le_bytes(eight)
            };
            Sip13::new(half(at), half(at + 8))
        };
        let sips = [key(13), key(29)];
        Ok(Self {
            bloom,
            bits,
            hashes,
            sips,
        })
    }

    /// Whether an item may be in the filter.
    #[inline]
    pub fn contains(&self, item: u64) -> bool {
        let bytes = &self.bloom.as_slice()[BLOOM_PREFIX_BYTES..];
        let bit = |hash: u64| {
            let at = hash % self.bits;
            bytes
                .get((at >> 3) as usize)
                .is_some_and(|byte| byte >> (at & 7) & 1 == 1)
        };
        // Both at once: their memory is fetched side by side, and one branch is guessed
        // instead of two.
        let (first, second) = (self.sips[0].hash(item), self.sips[1].hash(item));
        let both = bit(first) & (self.hashes < 2 || bit(second));
        both && (2..u64::from(self.hashes)).all(|number| {
            let mixed = first.wrapping_add(number.wrapping_mul(second));
            bit(if mixed >= PRIME { mixed - PRIME } else { mixed })
        })
    }

    /// How many bits it has.
    pub fn bits(&self) -> u64 {
        self.bits
    }

    /// How many bits an item sets.
    pub fn hashes(&self) -> u32 {
        self.hashes
    }

    /// The section it was read from.
    pub fn section(&self) -> &[u8] {
        self.bloom.as_slice()
    }
}

/// SipHash-1-3 of eight bytes, its state under one key.
#[derive(Debug, Clone, Copy)]
struct Sip13 {
    state: [u64; 4],
}

impl Sip13 {
    fn new(k0: u64, k1: u64) -> Self {
        Self {
            state: [
                k0 ^ 0x736f_6d65_7073_6575,
                k1 ^ 0x646f_7261_6e64_6f6d,
                k0 ^ 0x6c79_6765_6e65_7261,
                k1 ^ 0x7465_6462_7974_6573,
            ],
        }
    }

    #[inline]
    fn hash(&self, item: u64) -> u64 {
        let mut v = self.state;
        // The second word is the length, eight, in its highest byte.
        for word in [item, 8 << 56] {
            v[3] ^= word;
            round(&mut v);
            v[0] ^= word;
        }
        v[2] ^= 0xff;
        round(&mut v);
        round(&mut v);
        round(&mut v);
        v[0] ^ v[1] ^ v[2] ^ v[3]
    }
}

#[inline]
fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[2] = v[2].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[1]);
    v[0] = v[0].wrapping_add(v[3]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_as_the_crate_that_made_it_does() {
        let mut state = 7u64;
        let mut draw = move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 29
        };
        for (bytes, items) in [(64, 100), (1000, 1400), (4001, 2000), (5, 400)] {
            let seed = *b"two keys of sixteen bytes, mixed";
            let mut bloom = Bloom::<u64>::new_with_seed(bytes, items, &seed).unwrap();
            for _ in 0..items {
                bloom.set(&draw());
            }
            let filter = Filter::read(bloom.as_slice().to_vec()).unwrap();
            assert_eq!(filter.hashes(), bloom.number_of_hash_functions());
            let mut inside = 0;
            for item in (0..200_000).map(|_| draw()).chain(0..1000) {
                assert_eq!(filter.contains(item), bloom.check(&item));
                inside += u32::from(filter.contains(item));
            }
            assert!(inside > 0);
        }
    }
}
