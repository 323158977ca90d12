//! One block of the exact index: the fingerprints of 4096 buckets and what they stand for.
//!
//! | part | size |
//! |---|---|
//! | group counts | `u16` for each group of 256 buckets: entries of the block before it |
//! | upper bits | for each bucket a 1 for each entry, then a 0; least bit first |
//! | remainders | 36 bits an entry, least bit first |
//! | codes | `code_bits` an entry, least bit first; the greatest code means *escaped* |
//! | escapes | `u16` entry of the block, `u16` category set, ascending |
//!
//! Each part begins on a byte. The numbers of entries and escapes stand in the header.

use super::hash::REMAINDER_BITS;

/// Buckets of one block, but for the last, which may have fewer.
pub(crate) const BLOCK_BUCKETS: u32 = 4096;
/// Buckets of one group.
pub(crate) const GROUP_BUCKETS: u32 = 256;
/// The most entries of one block; far beyond what a fair hash gives.
#[cfg(feature = "build")]
pub(crate) const MAX_BLOCK_ENTRIES: u32 = u16::MAX as u32;

/// The numbers that a block's layout follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockShape {
    pub buckets: u32,
    pub entries: u32,
    pub escapes: u32,
    pub code_bits: u32,
}

impl BlockShape {
    fn groups(self) -> usize {
        self.buckets.div_ceil(GROUP_BUCKETS) as usize
    }

    fn upper_start(self) -> usize {
        self.groups() * 2
    }

    fn upper_bits(self) -> usize {
        self.entries as usize + self.buckets as usize
    }

    fn remainders_start(self) -> usize {
        self.upper_start() + self.upper_bits().div_ceil(8)
    }

    fn codes_start(self) -> usize {
        self.remainders_start() + (self.entries as usize * REMAINDER_BITS as usize).div_ceil(8)
    }

    fn escapes_start(self) -> usize {
        self.codes_start() + (self.entries as usize * self.code_bits as usize).div_ceil(8)
    }

    /// The bytes of the whole block.
    pub fn len(self) -> usize {
        self.escapes_start() + self.escapes as usize * 4
    }
}

/// A block of which the length is proven, read where it lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block<'a> {
    bytes: &'a [u8],
    shape: BlockShape,
}

impl<'a> Block<'a> {
    /// A block of this shape; `None` when the bytes are not of its length.
    pub fn new(bytes: &'a [u8], shape: BlockShape) -> Option<Self> {
        (bytes.len() == shape.len()).then_some(Self { bytes, shape })
    }

    /// The number of the category set of a fingerprint, if it is here.
    ///
    /// `bucket` counts from the block's first. Whatever the bytes are, nothing outside
    /// them is read.
    pub fn find(&self, bucket: u32, remainder: u64) -> Option<u32> {
        let (first, upper_at) = self.bucket_start(bucket)?;
        let upper = &self.bytes[self.shape.upper_start()..self.shape.remainders_start()];
        let mut entry = first;
        let mut at = upper_at;
        while entry < self.shape.entries && bit(upper, at) {
            let stored = self.remainder(entry);
            if stored == remainder {
                return self.set_of(entry);
            }
            entry += 1;
            at += 1;
        }
        None
    }

    /// The first entry of a bucket, and the place of its first upper bit.
    fn bucket_start(&self, bucket: u32) -> Option<(u32, usize)> {
        let group = bucket / GROUP_BUCKETS;
        let counted = read_u16(self.bytes, group as usize * 2)?;
        let upper = &self.bytes[self.shape.upper_start()..self.shape.remainders_start()];
        // The bit behind the zeros of all buckets of earlier groups.
        let mut at = (group * GROUP_BUCKETS) as usize + counted as usize;
        let mut zeros = bucket % GROUP_BUCKETS;
        while zeros > 0 {
            let word = word_at(upper, at)?;
            let free = word.count_zeros();
            if free < zeros {
                zeros -= free;
                at += 64;
                continue;
            }
            let mut clear = !word;
            for _ in 1..zeros {
                clear &= clear - 1;
            }
            at += clear.trailing_zeros() as usize + 1;
            zeros = 0;
        }
        let entry = at.checked_sub(bucket as usize)?;
        Some((u32::try_from(entry).ok()?, at))
    }

    fn remainder(&self, entry: u32) -> u64 {
        let bits = &self.bytes[self.shape.remainders_start()..];
        bit_field(
            bits,
            entry as usize * REMAINDER_BITS as usize,
            REMAINDER_BITS,
        )
    }

    fn set_of(&self, entry: u32) -> Option<u32> {
        let width = self.shape.code_bits;
        let codes = &self.bytes[self.shape.codes_start()..];
        let code = bit_field(codes, entry as usize * width as usize, width) as u32;
        if code + 1 < 1 << width {
            return Some(code);
        }
        let escapes = &self.bytes[self.shape.escapes_start()..];
        let (mut low, mut high) = (0, self.shape.escapes as usize);
        while low < high {
            let middle = low + (high - low) / 2;
            let found = u32::from(read_u16(escapes, middle * 4)?);
            if found == entry {
                return read_u16(escapes, middle * 4 + 2).map(u32::from);
            }
            if found < entry {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        None
    }

    /// Every entry as bucket, remainder and category set, in order; `None` as the first
    /// sign that the parts contradict each other.
    pub fn entries(&self) -> impl Iterator<Item = Option<(u32, u64, u32)>> + '_ {
        let upper = &self.bytes[self.shape.upper_start()..self.shape.remainders_start()];
        let mut bucket = 0;
        let mut at = 0;
        (0..self.shape.entries).map(move |entry| {
            while at < self.shape.upper_bits() && !bit(upper, at) {
                bucket += 1;
                at += 1;
            }
            at += 1;
            if bucket >= self.shape.buckets {
                return None;
            }
            Some((bucket, self.remainder(entry), self.set_of(entry)?))
        })
    }
}

fn read_u16(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes([pair[0], pair[1]]))
}

fn bit(bytes: &[u8], at: usize) -> bool {
    bytes
        .get(at >> 3)
        .is_some_and(|byte| byte >> (at & 7) & 1 == 1)
}

/// Eight bytes from `at` on, as far as there are any; the missing ones are `fill`.
#[inline]
fn read_u64(bytes: &[u8], at: usize, fill: u8) -> u64 {
    if let Some(whole) = bytes.get(at..at + 8)
        && let Ok(whole) = <[u8; 8]>::try_from(whole)
    {
        return u64::from_le_bytes(whole);
    }
    let mut padded = [fill; 8];
    let rest = bytes.get(at..).unwrap_or_default();
    let count = rest.len().min(8);
    padded[..count].copy_from_slice(&rest[..count]);
    u64::from_le_bytes(padded)
}

/// The bits from `at` on, the 64 from there; those that do not exist are ones, so that
/// no zero is counted among them. `None` behind the end.
#[inline]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    let byte = at >> 3;
    if byte >= bytes.len() {
        return None;
    }
    let shift = at & 7;
    let low = read_u64(bytes, byte, 0xff) >> shift;
    if shift == 0 {
        return Some(low);
    }
    let next = u64::from(bytes.get(byte + 8).copied().unwrap_or(0xff));
    Some(low | next << (64 - shift))
}

/// A number of at most 56 bits.
#[inline]
fn bit_field(bytes: &[u8], at: usize, width: u32) -> u64 {
    read_u64(bytes, at >> 3, 0) >> (at & 7) & ((1 << width) - 1)
}

/// Writes blocks.
#[cfg(feature = "build")]
pub(crate) mod write {
    use super::{BlockShape, GROUP_BUCKETS, REMAINDER_BITS};

    /// One entry: its bucket in the block, its remainder, its category set.
    #[derive(Debug, Clone, Copy)]
    pub struct BlockEntry {
        pub bucket: u32,
        pub remainder: u64,
        pub set: u32,
    }

    /// Appends a block of entries that are sorted by bucket and remainder, with no two alike.
    pub fn write_block(
        bytes: &mut Vec<u8>,
        entries: &[BlockEntry],
        buckets: u32,
        code_bits: u32,
    ) -> BlockShape {
        let escape_code = (1u32 << code_bits) - 1;
        let escapes = entries.iter().filter(|entry| entry.set >= escape_code);
        let shape = BlockShape {
            buckets,
            entries: entries.len() as u32,
            escapes: escapes.clone().count() as u32,
            code_bits,
        };
        for group in 0..shape.groups() as u32 {
            let first = group * GROUP_BUCKETS;
            let before = entries.partition_point(|entry| entry.bucket < first);
            bytes.extend_from_slice(&(before as u16).to_le_bytes());
        }
        let mut upper = BitWriter::new(bytes);
        let mut next = 0;
        for bucket in 0..buckets {
            while next < entries.len() && entries[next].bucket == bucket {
                upper.push(1, 1);
                next += 1;
            }
            upper.push(0, 1);
        }
        upper.finish();
        let mut remainders = BitWriter::new(bytes);
        for entry in entries {
            remainders.push(entry.remainder, REMAINDER_BITS);
        }
        remainders.finish();
        let mut codes = BitWriter::new(bytes);
        for entry in entries {
            codes.push(u64::from(entry.set.min(escape_code)), code_bits);
        }
        codes.finish();
        for (at, entry) in entries.iter().enumerate() {
            if entry.set >= escape_code {
                bytes.extend_from_slice(&(at as u16).to_le_bytes());
                bytes.extend_from_slice(&(entry.set as u16).to_le_bytes());
            }
        }
        shape
    }

    /// Appends numbers of any width, least bit first.
    pub struct BitWriter<'a> {
        bytes: &'a mut Vec<u8>,
        pending: u64,
        filled: u32,
    }

    impl<'a> BitWriter<'a> {
        pub fn new(bytes: &'a mut Vec<u8>) -> Self {
            Self {
                bytes,
                pending: 0,
                filled: 0,
            }
        }

        /// Appends the low `width` bits, 56 at most.
        pub fn push(&mut self, value: u64, width: u32) {
            self.pending |= value << self.filled;
            self.filled += width;
            while self.filled >= 8 {
                self.bytes.push(self.pending as u8);
                self.pending >>= 8;
                self.filled -= 8;
            }
        }

        /// Pads the last byte with zeros.
        pub fn finish(self) {
            if self.filled > 0 {
                self.bytes.push(self.pending as u8);
            }
        }
    }
}

#[cfg(all(test, feature = "build"))]
mod tests {
    use super::write::{BlockEntry, write_block};
    use super::*;

    fn block(seed: u64, count: usize, buckets: u32, sets: u32) -> Vec<BlockEntry> {
        let mut state = seed;
        let mut draw = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            state >> 20
        };
        let mut entries: Vec<BlockEntry> = (0..count)
            .map(|_| BlockEntry {
                bucket: (draw() % u64::from(buckets)) as u32,
                remainder: draw() & ((1 << REMAINDER_BITS) - 1),
                set: (draw() % u64::from(sets)) as u32,
            })
            .collect();
        entries.sort_by_key(|entry| (entry.bucket, entry.remainder));
        entries.dedup_by_key(|entry| (entry.bucket, entry.remainder));
        entries
    }

    #[test]
    fn every_entry_is_found_and_no_other() {
        for (count, buckets, sets) in [
            (0, 64, 1),
            (1, 1, 1),
            (5000, 4096, 900),
            (300, 300, 3),
            (2000, 16, 40),
        ] {
            let entries = block(count as u64, count, buckets, sets);
            let mut bytes = Vec::new();
            let shape = write_block(&mut bytes, &entries, buckets, 5);
            assert_eq!(bytes.len(), shape.len());
            let read = Block::new(&bytes, shape).unwrap();
            for entry in &entries {
                assert_eq!(read.find(entry.bucket, entry.remainder), Some(entry.set));
                let other = entry.remainder ^ 1 << 35;
                let stored = entries
                    .iter()
                    .find(|one| (one.bucket, one.remainder) == (entry.bucket, other));
                assert_eq!(read.find(entry.bucket, other), stored.map(|one| one.set));
            }
            let all: Vec<_> = read.entries().map(Option::unwrap).collect();
            let expected: Vec<_> = entries
                .iter()
                .map(|e| (e.bucket, e.remainder, e.set))
                .collect();
            assert_eq!(all, expected);
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm() {
        let entries = block(3, 500, 512, 60);
        let mut bytes = Vec::new();
        let shape = write_block(&mut bytes, &entries, 512, 5);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            let read = Block::new(&damaged, shape).unwrap();
            for bucket in (0..512).step_by(37) {
                let _ = read.find(bucket, 1);
            }
            let _ = read.entries().count();
        }
        assert!(Block::new(&bytes[1..], shape).is_none());
    }
}
