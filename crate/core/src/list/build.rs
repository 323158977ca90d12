//! Building a pack from entries.
//!
//! Sizes and seeds are inputs that change in steps, never with every entry, so that two
//! days' packs differ by little more than the day's changes ([`PackOptions::like`]).

use std::collections::HashMap;

use bloomfilter::Bloom;

use super::block::write::{BlockEntry, write_block};
use super::block::{BLOCK_BUCKETS, BlockShape};
use super::format::{
    BLOOM_PREFIX_BYTES, CategorySet, HeaderParts, MAX_CATEGORIES, PackCategory, PackError,
    SIGNATURE_BYTES, SpecialCategory,
};
use super::hash::{EntryHasher, MAX_BUCKETS, PREFIX_BITS, REMAINDER_BITS, SecretKey, place};
use super::pack::PackSummary;
use super::signature::SigningKey;
use crate::expression::Entry;
use crate::host::HostKind;

/// The two keys of the bloom filter's own hashes; halves that are equal would make its
/// bits depend on each other.
const BLOOM_SEED: [u8; 32] = *b"bellgate list pack, bloom seed 1";
/// The bits an item may cost in the bloom filter: 4 hashes let 1 in 16 through at 5.771,
/// and the rest is margin.
const BLOOM_BITS_PER_ITEM: f64 = 5.80;
const BLOOM_HASHES: f64 = 4.0;
/// The greatest chance of a false match, as a binary logarithm.
const TARGET_LOG2: f64 = -40.0;
/// The most entries a pack may have; its buckets are then still of even width.
pub const MAX_ENTRIES: u64 = 1 << 27;

/// What a pack is built with besides its entries.
#[derive(Debug, Clone)]
pub struct PackOptions {
    /// Which of two packs is newer.
    pub sequence: u64,
    /// When it is built, in Unix epoch milliseconds.
    pub built_at_ms: i64,
    /// The seed of the hash; the next one does when two entries cannot be told apart.
    pub hash_seed: u64,
    /// The secret key of a keyed pack.
    pub secret_key: Option<SecretKey>,
    /// The buckets and bloom bits of an earlier pack, kept while they still suffice.
    pub like: Option<PackSizes>,
}

impl Default for PackOptions {
    fn default() -> Self {
        Self {
            sequence: 1,
            built_at_ms: 0,
            hash_seed: 0x6265_6c6c_6761_7465,
            secret_key: None,
            like: None,
        }
    }
}

/// The sizes of a pack that change in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackSizes {
    /// The buckets of the exact index.
    pub buckets: u32,
    /// The bits of the bloom filter, a multiple of 8.
    pub bloom_bits: u64,
    /// The bits of a category code.
    pub code_bits: u32,
}

impl From<&PackSummary> for PackSizes {
    fn from(summary: &PackSummary) -> Self {
        Self {
            buckets: summary.buckets,
            bloom_bits: summary.bloom_bits,
            code_bits: summary.code_bits,
        }
    }
}

/// Collects entries and compiles them.
#[derive(Debug)]
pub struct PackBuilder {
    options: PackOptions,
    hasher: EntryHasher,
    categories: Vec<PackCategory>,
    rows: Vec<Row>,
    path_hosts: Vec<u64>,
    depths: u64,
    longest_entry_bytes: usize,
}

/// One entry in one category; 24 bytes, of which a large list has millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    high: u64,
    low: u64,
    /// The category's number; bit 7: an exception; bit 8: it has a path.
    tag: u16,
}

const EXCEPTION_TAG: u16 = 1 << 7;
const PATH_TAG: u16 = 1 << 8;

/// A pack that has been built.
#[derive(Debug)]
pub struct BuiltPack {
    /// The file.
    pub bytes: Vec<u8>,
    /// How many distinct entries it holds.
    pub entries: u64,
    /// How many of them have a path.
    pub path_entries: u64,
}

/// Why a pack cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A category's number or name does not do.
    #[error("category `{name}` with number {number}: {why}")]
    Category {
        /// The name.
        name: String,
        /// The number.
        number: u8,
        /// What is wrong, and what would do.
        why: &'static str,
    },
    /// There are more entries than a pack can hold.
    #[error("{0} entries are more than a pack can hold ({MAX_ENTRIES}); split the lists")]
    TooManyEntries(u64),
    /// Two entries have one fingerprint.
    #[error("two entries cannot be told apart under hash seed {seed}; build again with seed {}", seed.wrapping_add(1))]
    Collision {
        /// The seed they were hashed with.
        seed: u64,
    },
    /// The file would exceed a limit of the format.
    #[error(transparent)]
    Format(#[from] PackError),
}

impl PackBuilder {
    /// A builder with no categories and no entries.
    #[must_use]
    pub fn new(options: PackOptions) -> Self {
        let hasher = match &options.secret_key {
            Some(key) => EntryHasher::Keyed(key.clone()),
            None => EntryHasher::Open {
                seed: options.hash_seed,
            },
        };
        Self {
            options,
            hasher,
            categories: Vec::new(),
            rows: Vec::new(),
            path_hosts: Vec::new(),
            depths: 0,
            longest_entry_bytes: 0,
        }
    }

    /// Declares a category.
    ///
    /// # Errors
    /// [`BuildError::Category`] when number or name is taken or out of range.
    pub fn add_category(&mut self, number: u8, name: &str) -> Result<(), BuildError> {
        let error = |why| BuildError::Category {
            name: name.to_owned(),
            number,
            why,
        };
        if u32::from(number) >= MAX_CATEGORIES {
            return Err(error("numbers go from 0 to 127"));
        }
        if name.is_empty() || name.len() > 255 {
            return Err(error("a name has 1 to 255 bytes"));
        }
        for known in &self.categories {
            if known.number == number {
                return Err(error("the number is taken; give it one of its own"));
            }
            if known.name == name {
                return Err(error("the name is taken; give it one of its own"));
            }
        }
        self.categories.push(PackCategory {
            number,
            name: name.to_owned(),
            special: SpecialCategory::from_name(name),
        });
        Ok(())
    }

    /// Adds an entry to a category that has been declared.
    pub fn add(&mut self, entry: &Entry, category: u8) {
        self.push(entry, u16::from(category & 127));
    }

    /// Adds an entry as an exception from a category that has been declared.
    pub fn add_exception(&mut self, entry: &Entry, category: u8) {
        self.push(entry, u16::from(category & 127) | EXCEPTION_TAG);
    }

    fn push(&mut self, entry: &Entry, tag: u16) {
        let host = entry.host();
        self.depths |= match host.kind() {
            HostKind::Address => 1,
            HostKind::Name => 1 << host.labels().min(63),
        };
        self.longest_entry_bytes = self.longest_entry_bytes.max(entry.as_str().len());
        let hash = self.hasher.hash(entry.as_str().as_bytes());
        let mut tag = tag;
        if entry.has_path() {
            tag |= PATH_TAG;
            let host = self.hasher.hash(host.as_str().as_bytes());
            // Lists come sorted, so most repetitions follow each other.
            if self.path_hosts.last() != Some(&host.path_mark()) {
                self.path_hosts.extend([host.low, host.path_mark()]);
            }
        }
        self.rows.push(Row {
            high: hash.high,
            low: hash.low,
            tag,
        });
    }

    /// Compiles what was added, unsigned.
    ///
    /// The bytes depend on the options, the categories and the set of entries alone.
    ///
    /// # Errors
    /// [`BuildError`] when the entries do not fit the format.
    pub fn build(self) -> Result<BuiltPack, BuildError> {
        self.build_signed(None)
    }

    /// Compiles what was added, signed if a key is given.
    ///
    /// # Errors
    /// As for [`PackBuilder::build`].
    pub fn build_signed(mut self, key: Option<&SigningKey>) -> Result<BuiltPack, BuildError> {
        self.categories.sort_by_key(|category| category.number);
        self.rows.sort_unstable();
        self.rows.dedup();
        self.path_hosts.sort_unstable();
        self.path_hosts.dedup();
        let (entries, sets) = merge_rows(&self.rows);
        self.rows = Vec::new();
        let count = entries.len() as u64;
        if count > MAX_ENTRIES {
            return Err(BuildError::TooManyEntries(count));
        }
        let path_entries = entries.iter().filter(|entry| entry.has_path).count() as u64;
        let (bloom, bloom_items) = self.fill_bloom(&entries)?;
        let buckets = self.choose_buckets(count, &bloom);
        let code_bits = self
            .options
            .like
            .map_or_else(|| choose_code_bits(&entries), |like| like.code_bits);
        let Some((blocks, shapes)) = write_blocks(&entries, buckets, code_bits) else {
            return Err(BuildError::Collision {
                seed: self.options.hash_seed,
            });
        };
        let header = HeaderParts {
            hash: self.hasher.kind(),
            hash_seed: match self.hasher {
                EntryHasher::Open { seed } => seed,
                EntryHasher::Keyed(_) => 0,
            },
            sequence: self.options.sequence,
            built_at_ms: self.options.built_at_ms,
            entries: count,
            path_entries,
            bloom_items,
            depths: self.depths,
            buckets,
            longest_entry_bytes: u32::try_from(self.longest_entry_bytes)
                .map_err(|_| PackError::TooLarge)?,
            code_bits,
            categories: &self.categories,
            sets: &sets,
            shapes: &shapes,
            bloom: bloom.as_slice(),
            blocks: &blocks,
        };
        let mut bytes = header.write()?;
        let signature = key.map_or_else(|| vec![0; SIGNATURE_BYTES], |key| key.sign(&bytes));
        bytes.extend_from_slice(&signature);
        bytes.extend_from_slice(bloom.as_slice());
        bytes.extend_from_slice(&blocks);
        Ok(BuiltPack {
            bytes,
            entries: count,
            path_entries,
        })
    }

    /// The bloom filter of all entries, and of the hosts that have path entries: only
    /// where the host passes is a path looked up.
    fn fill_bloom(&self, entries: &[Merged]) -> Result<(Bloom<u64>, u64), PackError> {
        let mut lows: Vec<u64> = entries.iter().map(|entry| entry.low).collect();
        lows.extend_from_slice(&self.path_hosts);
        lows.sort_unstable();
        lows.dedup();
        let items = lows.len() as u64;
        let wanted = (items as f64 * BLOOM_BITS_PER_ITEM).ceil() as u64;
        let bits = match self.options.like {
            Some(like) if keeps(wanted, like.bloom_bits) => like.bloom_bits,
            _ => step_above(wanted.max(512)),
        };
        let bytes = bits.div_ceil(8) as usize;
        // The crate derives the number of hashes from bits and items; this many give 4.
        let nominal = (bytes as f64 * 8.0 * std::f64::consts::LN_2 / BLOOM_HASHES).round();
        // The crate's error is for a failing source of randomness, and none is used.
        let mut bloom = Bloom::new_with_seed(bytes, nominal as usize, &BLOOM_SEED)
            .map_err(PackError::Malformed)?;
        for low in &lows {
            bloom.set(low);
        }
        Ok((bloom, items))
    }

    /// The buckets that keep a false match rarer than the target, in steps.
    fn choose_buckets(&self, entries: u64, bloom: &Bloom<u64>) -> u32 {
        let ones: u64 = bloom.as_slice()[BLOOM_PREFIX_BYTES..]
            .iter()
            .map(|byte| u64::from(byte.count_ones()))
            .sum();
        let bloom_log2 = (ones.max(1) as f64 / bloom.len() as f64).log2()
            * f64::from(bloom.number_of_hash_functions());
        let suffices = |buckets: u64| {
            let prefixes = (1u64 << PREFIX_BITS) as f64;
            let widest = (prefixes / buckets as f64).ceil();
            let chance = entries as f64 * widest / prefixes;
            bloom_log2 + chance.log2() - f64::from(REMAINDER_BITS) <= TARGET_LOG2
        };
        if let Some(like) = self.options.like
            && keeps(entries, like.buckets.into())
            && suffices(like.buckets.into())
        {
            return like.buckets;
        }
        let mut buckets = step_above(entries.max(64));
        while !suffices(buckets) && buckets < u64::from(MAX_BUCKETS) {
            buckets = step_above(buckets + 1);
        }
        buckets as u32
    }
}

/// An entry with all its categories.
#[derive(Debug, Clone, Copy)]
struct Merged {
    high: u64,
    low: u64,
    set: u32,
    has_path: bool,
}

/// Joins the rows of each entry; the sets come most frequent first.
fn merge_rows(rows: &[Row]) -> (Vec<Merged>, Vec<CategorySet>) {
    let mut numbers: HashMap<CategorySet, u32> = HashMap::new();
    let mut counted: Vec<(u64, CategorySet)> = Vec::new();
    let mut entries: Vec<Merged> = Vec::new();
    for group in rows.chunk_by(|one, next| (one.high, one.low) == (next.high, next.low)) {
        let mut set = CategorySet::default();
        for row in group {
            let bit = 1u128 << (row.tag & 127);
            if row.tag & EXCEPTION_TAG == 0 {
                set.holds |= bit;
            } else {
                set.excepts |= bit;
            }
        }
        let number = *numbers.entry(set).or_insert_with(|| {
            counted.push((0, set));
            counted.len() as u32 - 1
        });
        counted[number as usize].0 += 1;
        entries.push(Merged {
            high: group[0].high,
            low: group[0].low,
            set: number,
            has_path: group[0].tag & PATH_TAG != 0,
        });
    }
    let mut order: Vec<usize> = (0..counted.len()).collect();
    order.sort_by_key(|&at| (std::cmp::Reverse(counted[at].0), counted[at].1));
    let mut renumbered = vec![0; counted.len()];
    for (new, &old) in order.iter().enumerate() {
        renumbered[old] = new as u32;
    }
    for entry in &mut entries {
        entry.set = renumbered[entry.set as usize];
    }
    let sets = order.into_iter().map(|at| counted[at].1).collect();
    (entries, sets)
}

/// The width of category codes that takes the fewest bits, escapes included.
fn choose_code_bits(entries: &[Merged]) -> u32 {
    let mut counts: Vec<u64> = Vec::new();
    for entry in entries {
        let set = entry.set as usize;
        if counts.len() <= set {
            counts.resize(set + 1, 0);
        }
        counts[set] += 1;
    }
    let cost = |bits: &u32| {
        let coded = (1usize << bits) - 1;
        let escaped: u64 = counts.iter().skip(coded).sum();
        (
            entries.len() as u64 * u64::from(*bits) + escaped * 32,
            *bits,
        )
    };
    (1..=8).min_by_key(cost).unwrap_or(8)
}

/// The blocks and their shapes; `None` when two entries have one bucket and remainder.
fn write_blocks(
    entries: &[Merged],
    buckets: u32,
    code_bits: u32,
) -> Option<(Vec<u8>, Vec<BlockShape>)> {
    let mut bytes = Vec::new();
    let mut shapes = Vec::new();
    let mut block: Vec<BlockEntry> = Vec::new();
    let mut next = 0;
    for first in (0..buckets).step_by(BLOCK_BUCKETS as usize) {
        let in_block = BLOCK_BUCKETS.min(buckets - first);
        block.clear();
        while let Some(entry) = entries.get(next) {
            let (bucket, remainder) = place(entry.high, buckets);
            if bucket >= first + in_block {
                break;
            }
            block.push(BlockEntry {
                bucket: bucket - first,
                remainder,
                set: entry.set,
            });
            next += 1;
        }
        let key = |entry: &BlockEntry| (entry.bucket, entry.remainder);
        block.sort_unstable_by_key(key);
        if block.windows(2).any(|pair| key(&pair[0]) == key(&pair[1])) {
            return None;
        }
        shapes.push(write_block(&mut bytes, &block, in_block, code_bits));
    }
    Some((bytes, shapes))
}

/// Whether an earlier size still does: large enough, and not wasteful.
fn keeps(wanted: u64, earlier: u64) -> bool {
    wanted <= earlier && earlier.saturating_mul(15) <= wanted.saturating_mul(16)
}

/// The least size not under `wanted` that has 6 significant bits: steps of 1.6 to 3.1 %.
fn step_above(wanted: u64) -> u64 {
    let bits = 64 - wanted.leading_zeros();
    let unit = 1u64 << bits.saturating_sub(6);
    wanted.div_ceil(unit) * unit
}
