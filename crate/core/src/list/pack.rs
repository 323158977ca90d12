//! Reading a pack: bloom filter first, then the exact index.

use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::xxh3_64;

use super::block::{BLOCK_BUCKETS, Block};
use super::filter::Filter;
use super::format::{BLOOM_CHUNK_BYTES, CategorySet, Header, PackCategory, PackError, PackLayout};
use super::hash::{EntryHash, EntryHasher, HashKind, SecretKey, place};
use super::signature::{PublicKey, Verified, verify};
use crate::canonical::{CanonicalUrl, prefix_ends};
use crate::host::HostKind;

/// A compiled list, read where it lies.
///
/// `B` holds the bytes: a `Vec<u8>`, a slice, a memory map. Only the bloom filter is
/// copied out of them, once.
#[derive(Debug)]
pub struct Pack<B = Vec<u8>> {
    header: Header,
    hasher: EntryHasher,
    bloom: Filter,
    /// The blocks; `None` until they are attached.
    body: Option<Body<B>>,
    /// A bit for each block whose hash has been found right.
    proven: Box<[AtomicU32]>,
}

#[derive(Debug)]
struct Body<B> {
    bytes: B,
    blocks_start: usize,
}

/// An entry that matches a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The entry, `host` or `host/path`.
    pub entry: String,
    /// Its categories, a bit for each of the pack's numbers.
    pub categories: u128,
    /// Whether it is an exception *from* those categories.
    pub exception: bool,
}

/// Why a pack cannot say whether a URL is listed; never to be read as *not listed*.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// Its exact index has not been attached yet.
    #[error("the list pack is not loaded whole yet; ask again when it is")]
    Pending,
    /// A block of it is damaged.
    #[error("block {block} of the list pack is damaged; fetch or build the pack anew")]
    Damaged {
        /// The block's number.
        block: u32,
    },
}

/// The hashes of a URL's hosts under one seed, kept while several packs are asked about it.
#[derive(Debug, Default)]
pub(crate) struct HostHashes {
    seed: u64,
    by_depth: [Option<EntryHash>; 6],
}

impl HostHashes {
    #[inline]
    fn get(&mut self, hasher: &EntryHasher, depth: usize, name: &[u8]) -> EntryHash {
        let EntryHasher::Open { seed } = hasher else {
            return hasher.hash(name);
        };
        if self.seed != *seed {
            *self = Self {
                seed: *seed,
                ..Self::default()
            };
        }
        match self.by_depth.get_mut(depth) {
            Some(kept) => *kept.get_or_insert_with(|| hasher.hash(name)),
            None => hasher.hash(name),
        }
    }
}

/// What lies between two packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangedEntries {
    /// Entries of the later pack alone.
    pub added: u64,
    /// Entries of the earlier pack alone.
    pub removed: u64,
    /// Entries of both, in other categories.
    pub recategorised: u64,
}

/// What a pack says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct PackSummary {
    /// Which of two packs is newer.
    pub sequence: u64,
    /// When it was built, in Unix epoch milliseconds.
    pub built_at_ms: i64,
    /// How many distinct entries it holds.
    pub entries: u64,
    /// How many of them have a path.
    pub path_entries: u64,
    /// How many distinct category sets its entries have.
    pub category_sets: usize,
    /// Which hash it uses.
    pub hash: HashKind,
    /// The hash's seed.
    pub hash_seed: u64,
    /// How many items the bloom filter holds: entries, and hosts that have path entries.
    pub bloom_items: u64,
    /// How many bits the bloom filter has.
    pub bloom_bits: u64,
    /// How many of them each item sets.
    pub bloom_hashes: u32,
    /// How many buckets the exact index has.
    pub buckets: u32,
    /// The labels of the deepest host.
    pub deepest_host_labels: u32,
    /// The bytes of the longest entry.
    pub longest_entry_bytes: u32,
    /// The bits of an entry's category code.
    pub code_bits: u32,
    /// Where the parts lie.
    pub layout: PackLayout,
}

impl<B: AsRef<[u8]>> Pack<B> {
    /// Opens an open pack of which all bytes are there.
    ///
    /// The header, its checksum and those of the bloom section and the blocks are checked;
    /// each block's SHA-256 is when it is first touched.
    ///
    /// # Errors
    /// [`PackError`] when the bytes are not a whole, sound, open pack.
    pub fn open(bytes: B) -> Result<Self, PackError> {
        Self::open_with(bytes, None)
    }

    /// Opens a keyed pack with its secret key.
    ///
    /// # Errors
    /// As for [`Pack::open`]; also when the pack is not keyed.
    pub fn open_keyed(bytes: B, key: SecretKey) -> Result<Self, PackError> {
        Self::open_with(bytes, Some(key))
    }

    fn open_with(bytes: B, key: Option<SecretKey>) -> Result<Self, PackError> {
        let all = bytes.as_ref();
        let layout = PackLayout::read(all)?;
        if all.len() != layout.total_bytes() {
            return Err(PackError::Truncated);
        }
        let (header, rest) = all.split_at(layout.header_bytes);
        let bloom = rest[..layout.bloom_bytes].to_vec();
        let mut pack = Self::open_parts(header, bloom, key)?;
        pack.attach_at(bytes, layout.header_bytes + layout.bloom_bytes)?;
        Ok(pack)
    }

    /// Opens the first part of a pack, header with signature and bloom section as
    /// [`PackLayout`] tells them apart, which suffices to say that a URL is not listed.
    ///
    /// The bloom section's bytes are taken over without a copy.
    ///
    /// # Errors
    /// [`PackError`] when they are not the sound start of a pack that goes with the key.
    pub fn open_parts(
        header: &[u8],
        bloom: Vec<u8>,
        key: Option<SecretKey>,
    ) -> Result<Self, PackError> {
        let header = Header::read(header)?;
        let hasher = match (header.hash, key) {
            (HashKind::Open, None) => EntryHasher::Open {
                seed: header.hash_seed,
            },
            (HashKind::Keyed, Some(key)) => EntryHasher::Keyed(key),
            _ => return Err(PackError::Key),
        };
        if bloom.len() != header.layout.bloom_bytes {
            return Err(PackError::Truncated);
        }
        if xxh3_64(&bloom) != header.bloom_xxh3 {
            return Err(PackError::Checksum("bloom section"));
        }
        let bloom = Filter::read(bloom)?;
        let words = header.block_count().div_ceil(32) as usize;
        Ok(Self {
            header,
            hasher,
            bloom,
            body: None,
            proven: (0..words).map(|_| AtomicU32::new(0)).collect(),
        })
    }

    /// Attaches the blocks, the rest of the pack behind the bloom section.
    ///
    /// # Errors
    /// [`PackError`] when their length or checksum is not what the header states.
    pub fn attach(&mut self, blocks: B) -> Result<(), PackError> {
        self.attach_at(blocks, 0)
    }

    fn attach_at(&mut self, bytes: B, blocks_start: usize) -> Result<(), PackError> {
        let blocks = bytes.as_ref().get(blocks_start..).unwrap_or_default();
        if blocks.len() != self.header.layout.blocks_bytes {
            return Err(PackError::Truncated);
        }
        if xxh3_64(blocks) != self.header.blocks_xxh3 {
            return Err(PackError::Checksum("blocks"));
        }
        self.body = Some(Body {
            bytes,
            blocks_start,
        });
        Ok(())
    }

    /// Whether all of the pack is there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.body.is_some()
    }

    /// Checks who signed the header, which vouches for every other byte through hashes.
    ///
    /// # Errors
    /// [`PackError`] when it is signed by none of the keys, or wrongly.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<Verified, PackError> {
        verify(&self.header, keys)
    }

    /// Checks the SHA-256 of everything that is there, as is due when it arrives.
    ///
    /// # Errors
    /// [`PackError::Hash`] naming the first part that is wrong.
    pub fn check_all(&self) -> Result<(), PackError> {
        let chunks = self.bloom.section().chunks(BLOOM_CHUNK_BYTES);
        for (number, chunk) in chunks.enumerate() {
            if Sha256::digest(chunk)[..] != *self.header.bloom_chunk_sha256(number) {
                return Err(PackError::Hash(format!(
                    "chunk {number} of the bloom section"
                )));
            }
        }
        if self.body.is_some() {
            for block in 0..self.header.block_count() {
                self.block(block)
                    .map_err(|_| PackError::Hash(format!("block {block}")))?;
            }
        }
        Ok(())
    }

    /// The categories of the pack, by ascending number.
    #[must_use]
    pub fn categories(&self) -> &[PackCategory] {
        &self.header.categories
    }

    /// The number of the category with this name.
    #[must_use]
    pub fn category_number(&self, name: &str) -> Option<u8> {
        self.categories()
            .iter()
            .find(|category| category.name == name)
            .map(|category| category.number)
    }

    /// Every category that any matching entry has, exceptions left out of account; 0 for
    /// a URL that is not listed.
    ///
    /// # Errors
    /// [`LookupError`] when the pack cannot say; the URL may be listed.
    #[inline]
    pub fn lookup(&self, url: &CanonicalUrl<'_>) -> Result<u128, LookupError> {
        self.lookup_with(url, &mut HostHashes::default())
    }

    /// As [`Pack::lookup`]; packs with one seed that are asked about one URL share the
    /// hashes of its hosts.
    #[inline]
    pub(crate) fn lookup_with(
        &self,
        url: &CanonicalUrl<'_>,
        hashes: &mut HostHashes,
    ) -> Result<u128, LookupError> {
        let mut holds = 0;
        self.visit(url, hashes, |set, _, _, _| holds |= set.holds)?;
        Ok(holds)
    }

    /// The bytes of the longest entry that matches the URL and has a category in `mask`; 0
    /// where there is none, or an exception at least as long takes those away.
    ///
    /// # Errors
    /// [`LookupError`] when the pack cannot say.
    pub(crate) fn longest_length(
        &self,
        url: &CanonicalUrl<'_>,
        mask: u128,
    ) -> Result<usize, LookupError> {
        let mut found = Vec::new();
        self.visit(url, &mut HostHashes::default(), |set, _, start, end| {
            found.push((end - start, set.holds & mask, set.excepts & mask));
        })?;
        let kept = found.iter().filter(|(length, holds, _)| {
            let excepted = found.iter().filter(|other| other.0 >= *length);
            holds & !excepted.fold(0, |bits, other| bits | other.2) != 0
        });
        Ok(kept.map(|one| one.0).max().unwrap_or(0))
    }

    /// Adds every entry that matches the URL to `matches`, longest first; of two of one
    /// length, the one with the longer host first.
    ///
    /// An entry that holds some categories and is an exception from others counts twice.
    ///
    /// # Errors
    /// [`LookupError`] when the pack cannot say; `matches` then holds what was found.
    pub fn matches(
        &self,
        url: &CanonicalUrl<'_>,
        matches: &mut Vec<Match>,
    ) -> Result<(), LookupError> {
        let first = matches.len();
        let result = self.visit(url, &mut HostHashes::default(), |set, text, start, end| {
            for (categories, exception) in [(set.holds, false), (set.excepts, true)] {
                if categories != 0 {
                    matches.push(Match {
                        entry: text[start..end].to_owned(),
                        categories,
                        exception,
                    });
                }
            }
        });
        // Found with hosts in ascending length, so the reverse, sorted stably, has the
        // longer host first among equals.
        matches[first..].reverse();
        matches[first..].sort_by_key(|found| std::cmp::Reverse(found.entry.len()));
        result
    }

    /// The id of the longest entry that matches, by which whoever has the pack's secret key
    /// can tell which it was, and nobody else: its hash under that key, in hexadecimal.
    ///
    /// `None` for an open pack, whose hashes anyone can make, and where nothing matches.
    #[must_use]
    pub fn entry_id(&self, url: &CanonicalUrl<'_>) -> Option<String> {
        if self.header.hash != HashKind::Keyed {
            return None;
        }
        let mut longest: Option<(usize, EntryHash)> = None;
        self.visit(url, &mut HostHashes::default(), |_, text, start, end| {
            if longest.is_none_or(|(length, _)| length < end - start) {
                longest = Some((end - start, self.hasher.hash(&text.as_bytes()[start..end])));
            }
        })
        .ok()?;
        longest.map(|(_, hash)| format!("{:016x}{:016x}", hash.low, hash.high))
    }

    /// Calls `found` with the category set, the joined host and path, and the range of
    /// the entry in it, for every entry that matches.
    #[inline]
    fn visit(
        &self,
        url: &CanonicalUrl<'_>,
        hashes: &mut HostHashes,
        mut found: impl FnMut(CategorySet, &str, usize, usize),
    ) -> Result<(), LookupError> {
        let host = url.host();
        if host.as_str().is_empty() {
            return Ok(());
        }
        let mut joined = None;
        let mut ascent = host.ascend();
        while let Some((start, labels)) = ascent.next_start() {
            let depth = if host.kind() == HostKind::Address {
                0
            } else {
                labels
            };
            if depth >= 64 || self.header.depths >> depth == 0 {
                break;
            }
            if self.header.depths >> depth & 1 == 0 {
                continue;
            }
            let name = &host.as_str().as_bytes()[start..];
            let hash = hashes.get(&self.hasher, depth as usize, name);
            if !self.bloom.contains(hash.low) {
                continue;
            }
            if let Some(set) = self.confirm(hash)? {
                found(set, host.as_str(), start, host.as_str().len());
            }
            if self.header.path_entries == 0 || !self.bloom.contains(hash.path_mark()) {
                continue;
            }
            let joined = joined.get_or_insert_with(|| url.host_and_path());
            let path_start = host.as_str().len();
            for end in prefix_ends(&joined[path_start..]) {
                let end = path_start + end;
                if end - start > self.header.longest_entry_bytes as usize {
                    break;
                }
                let hash = self.hasher.hash(&joined.as_bytes()[start..end]);
                if self.bloom.contains(hash.low)
                    && let Some(set) = self.confirm(hash)?
                {
                    found(set, joined, start, end);
                }
            }
        }
        Ok(())
    }

    /// What the exact index says of a hash that passed the bloom filter.
    fn confirm(&self, hash: EntryHash) -> Result<Option<CategorySet>, LookupError> {
        let (bucket, remainder) = place(hash.high, self.header.buckets);
        let number = bucket / BLOCK_BUCKETS;
        let block = self.block(number)?;
        match block.find(bucket % BLOCK_BUCKETS, remainder) {
            None => Ok(None),
            Some(set) => self
                .header
                .sets
                .get(set as usize)
                .copied()
                .map(Some)
                .ok_or(LookupError::Damaged { block: number }),
        }
    }

    /// A block whose hash is right, looked at when it is first touched.
    fn block(&self, number: u32) -> Result<Block<'_>, LookupError> {
        let damaged = LookupError::Damaged { block: number };
        let body = self.body.as_ref().ok_or(LookupError::Pending)?;
        let (start, shape) = self.header.block(number);
        let start = body.blocks_start + start;
        let bytes = body
            .bytes
            .as_ref()
            .get(start..start + shape.len())
            .ok_or(damaged)?;
        let word = &self.proven[number as usize / 32];
        let bit = 1 << (number % 32);
        if word.load(Ordering::Relaxed) & bit == 0 {
            if Sha256::digest(bytes)[..] != *self.header.block_sha256(number) {
                return Err(damaged);
            }
            word.fetch_or(bit, Ordering::Relaxed);
        }
        Block::new(bytes, shape).ok_or(damaged)
    }

    /// How many entries hold each category, and how many are exceptions from it, by number.
    ///
    /// # Errors
    /// [`LookupError`] when a block is missing or damaged.
    pub fn count_by_category(&self) -> Result<[(u64, u64); 128], LookupError> {
        let mut by_set = vec![0u64; self.header.sets.len()];
        for number in 0..self.header.block_count() {
            let damaged = LookupError::Damaged { block: number };
            for entry in self.block(number)?.entries() {
                let (_, _, set) = entry.ok_or(damaged)?;
                *by_set.get_mut(set as usize).ok_or(damaged)? += 1;
            }
        }
        let mut counts = [(0, 0); 128];
        for (set, count) in self.header.sets.iter().zip(by_set) {
            for (number, (holds, excepts)) in counts.iter_mut().enumerate() {
                *holds += count * (set.holds >> number & 1) as u64;
                *excepts += count * (set.excepts >> number & 1) as u64;
            }
        }
        Ok(counts)
    }

    /// Every entry as bucket, remainder and category set, in order.
    fn each_entry(&self, mut each: impl FnMut(u32, u64, CategorySet)) -> Result<(), LookupError> {
        for number in 0..self.header.block_count() {
            let damaged = LookupError::Damaged { block: number };
            for entry in self.block(number)?.entries() {
                let (bucket, remainder, set) = entry.ok_or(damaged)?;
                let set = *self.header.sets.get(set as usize).ok_or(damaged)?;
                each(number * BLOCK_BUCKETS + bucket, remainder, set);
            }
        }
        Ok(())
    }

    /// How many entries a later pack adds, removes and puts into other categories; `None`
    /// where hash or sizes differ, so that entries cannot be told one from another.
    ///
    /// # Errors
    /// [`LookupError`] when a block of either is missing or damaged.
    pub fn changed_entries(&self, later: &Self) -> Result<Option<ChangedEntries>, LookupError> {
        let key = |header: &Header| (header.hash, header.hash_seed, header.buckets);
        if key(&self.header) != key(&later.header) {
            return Ok(None);
        }
        let mut before = Vec::with_capacity(self.header.entries as usize);
        self.each_entry(|bucket, remainder, set| before.push((bucket, remainder, set)))?;
        let names = |header: &Header, set: CategorySet| -> Vec<String> {
            let of = |mask: u128, sign: &str| -> Vec<String> {
                let members = header
                    .categories
                    .iter()
                    .filter(|row| mask >> row.number & 1 == 1);
                members.map(|row| format!("{sign}{}", row.name)).collect()
            };
            [of(set.holds, ""), of(set.excepts, "!")].concat()
        };
        let same_numbers = self.header.categories == later.header.categories;
        let mut changed = ChangedEntries::default();
        let mut at = 0;
        later.each_entry(|bucket, remainder, set| {
            while before
                .get(at)
                .is_some_and(|one| (one.0, one.1) < (bucket, remainder))
            {
                changed.removed += 1;
                at += 1;
            }
            match before.get(at) {
                Some(one) if (one.0, one.1) == (bucket, remainder) => {
                    let same = if same_numbers {
                        one.2 == set
                    } else {
                        names(&self.header, one.2) == names(&later.header, set)
                    };
                    changed.recategorised += u64::from(!same);
                    at += 1;
                }
                _ => changed.added += 1,
            }
        })?;
        changed.removed += (before.len() - at) as u64;
        Ok(Some(changed))
    }

    /// What the pack says of itself.
    #[must_use]
    pub fn summary(&self) -> PackSummary {
        let header = &self.header;
        PackSummary {
            sequence: header.sequence,
            built_at_ms: header.built_at_ms,
            entries: header.entries,
            path_entries: header.path_entries,
            category_sets: header.sets.len(),
            hash: header.hash,
            hash_seed: header.hash_seed,
            bloom_items: header.bloom_items,
            bloom_bits: self.bloom.bits(),
            bloom_hashes: self.bloom.hashes(),
            buckets: header.buckets,
            deepest_host_labels: 63u32.saturating_sub(header.depths.leading_zeros()),
            longest_entry_bytes: header.longest_entry_bytes,
            code_bits: header.code_bits,
            layout: header.layout,
        }
    }

    /// The binary logarithm of the chance that an expression which is not in the pack is
    /// taken for one that is, from the pack's own bits (docs/format.md derives it).
    #[must_use]
    pub fn false_positive_log2(&self) -> f64 {
        let bits = &self.bloom.section()[super::format::BLOOM_PREFIX_BYTES..];
        let ones: u64 = bits.iter().map(|byte| u64::from(byte.count_ones())).sum();
        let filled = ones as f64 / self.bloom.bits() as f64;
        let bloom = filled.log2() * f64::from(self.bloom.hashes());
        let load = self.header.entries as f64 / f64::from(self.header.buckets);
        // Buckets differ by one prefix at most in what share of the fingerprints they get.
        let buckets = f64::from(self.header.buckets);
        let widest = ((1u64 << super::hash::PREFIX_BITS) as f64 / buckets).ceil();
        let unevenness = widest * buckets / (1u64 << super::hash::PREFIX_BITS) as f64;
        bloom + (load * unevenness).log2() - f64::from(super::hash::REMAINDER_BITS)
    }
}
