//! The header of a pack: what docs/format.md describes, read with every bound checked.

#[cfg(feature = "build")]
use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::xxh3_64;

#[cfg(feature = "build")]
use super::block::MAX_BLOCK_ENTRIES;
use super::block::{BLOCK_BUCKETS, BlockShape};
use super::hash::{HashKind, MAX_BUCKETS, REMAINDER_BITS};

/// The first bytes of every pack.
pub(crate) const MAGIC: &[u8; 8] = b"bellpack";
/// The version of the format that this program writes and reads.
pub(crate) const VERSION: u16 = 2;
/// The bytes of the header's fixed part.
pub(crate) const FIXED_BYTES: usize = 128;
/// The bytes of the signature behind the header: the key's id and Ed25519's 64.
pub(crate) const SIGNATURE_BYTES: usize = 8 + 64;
/// The bytes in front of the bits of a bloom section, the `bloomfilter` crate's own.
pub(crate) const BLOOM_PREFIX_BYTES: usize = 45;
/// The bloom section's bytes that share a hash.
pub(crate) const BLOOM_CHUNK_BYTES: usize = 1 << 16;
/// The bytes of a block's row in the header.
pub(crate) const BLOCK_ROW_BYTES: usize = 4 + 2 + 2 + 32;
/// The bits an item may have in the bloom filter.
pub(crate) const MAX_BLOOM_HASHES: u32 = 16;
/// The most categories of a pack, a mask's width.
pub(crate) const MAX_CATEGORIES: u32 = 128;

/// A category of a pack that stands for no kind of content to block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecialCategory {
    /// `help`: a help service.
    Help,
    /// `help-crisis`: a help service that is open in examinations too.
    HelpCrisis,
    /// `education`: never blocked by a category list.
    Education,
    /// `sign-in`: a sign-in page or captive portal.
    SignIn,
}

impl SpecialCategory {
    /// The special category of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "help" => Some(Self::Help),
            "help-crisis" => Some(Self::HelpCrisis),
            "education" => Some(Self::Education),
            "sign-in" => Some(Self::SignIn),
            _ => None,
        }
    }
}

/// A category as a pack numbers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackCategory {
    /// The bit of the masks that lookups give, 0 to 127.
    pub number: u8,
    /// The category's id, such as `gambling`.
    pub name: String,
    /// What it stands for, if not for content to block.
    pub special: Option<SpecialCategory>,
}

/// A set of categories that entries share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct CategorySet {
    /// The categories that hold.
    pub holds: u128,
    /// The categories from which the entry is an exception.
    pub excepts: u128,
}

/// Where the parts of a pack lie, as its first 128 bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackLayout {
    /// The bytes from the start to the bloom section: header and signature.
    pub header_bytes: usize,
    /// The bytes of the bloom section, which follows the header.
    pub bloom_bytes: usize,
    /// The bytes of the blocks, which follow the bloom section up to the end.
    pub blocks_bytes: usize,
}

impl PackLayout {
    /// How many first bytes [`PackLayout::read`] needs.
    pub const NEEDED_BYTES: usize = FIXED_BYTES;

    /// Reads the layout from the first [`PackLayout::NEEDED_BYTES`] bytes of a pack.
    ///
    /// # Errors
    /// [`PackError`] when those are not the start of a pack that this program reads.
    pub fn read(start: &[u8]) -> Result<Self, PackError> {
        let fixed = start.get(..FIXED_BYTES).ok_or(PackError::Truncated)?;
        if &fixed[..8] != MAGIC {
            return Err(PackError::Magic);
        }
        let version = u16_at(fixed, 8);
        if version != VERSION {
            return Err(PackError::Version(version));
        }
        let size = |value: u64| usize::try_from(value).map_err(|_| PackError::TooLarge);
        let header_bytes = size(u64::from(u32_at(fixed, 12)))?;
        if header_bytes < FIXED_BYTES + 8 {
            return Err(PackError::Malformed("the header's length"));
        }
        let layout = Self {
            header_bytes: header_bytes
                .checked_add(SIGNATURE_BYTES)
                .ok_or(PackError::TooLarge)?,
            bloom_bytes: size(u64::from(u32_at(fixed, 96)))?,
            blocks_bytes: size(u64_at(fixed, 100))?,
        };
        if layout.bloom_bytes <= BLOOM_PREFIX_BYTES {
            return Err(PackError::Malformed("the bloom section's length"));
        }
        layout.checked_total()?;
        Ok(layout)
    }

    /// The bytes of the whole pack.
    #[must_use]
    pub fn total_bytes(&self) -> usize {
        self.header_bytes + self.bloom_bytes + self.blocks_bytes
    }

    fn checked_total(&self) -> Result<usize, PackError> {
        self.header_bytes
            .checked_add(self.bloom_bytes)
            .and_then(|sum| sum.checked_add(self.blocks_bytes))
            .ok_or(PackError::TooLarge)
    }
}

/// The header, taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    pub hash: HashKind,
    pub hash_seed: u64,
    pub sequence: u64,
    pub built_at_ms: i64,
    pub entries: u64,
    pub path_entries: u64,
    pub bloom_items: u64,
    /// Bit *n*: the host of some entry has *n* labels; bit 0: is an address.
    pub depths: u64,
    pub buckets: u32,
    pub longest_entry_bytes: u32,
    pub code_bits: u32,
    pub bloom_xxh3: u64,
    pub blocks_xxh3: u64,
    pub categories: Vec<PackCategory>,
    pub sets: Vec<CategorySet>,
    pub layout: PackLayout,
    /// Header and signature as they lie in the file.
    pub bytes: Box<[u8]>,
    directory_start: usize,
    bloom_hashes_start: usize,
}

impl Header {
    /// Reads header and signature; `bytes` is exactly those.
    pub fn read(bytes: &[u8]) -> Result<Self, PackError> {
        let layout = PackLayout::read(bytes)?;
        if bytes.len() != layout.header_bytes {
            return Err(PackError::Truncated);
        }
        let signed = &bytes[..bytes.len() - SIGNATURE_BYTES];
        let checksum_at = signed.len() - 8;
        if xxh3_64(&signed[..checksum_at]) != u64_at(signed, checksum_at) {
            return Err(PackError::Checksum("header"));
        }
        let hash = match bytes[10] {
            0 => HashKind::Open,
            1 => HashKind::Keyed,
            _ => return Err(PackError::Malformed("the kind of hash")),
        };
        let mut header = Self {
            hash,
            hash_seed: u64_at(bytes, 16),
            sequence: u64_at(bytes, 24),
            built_at_ms: i64::from_le_bytes(bytes_at(bytes, 32)),
            entries: u64_at(bytes, 40),
            path_entries: u64_at(bytes, 48),
            bloom_items: u64_at(bytes, 56),
            depths: u64_at(bytes, 64),
            buckets: u32_at(bytes, 72),
            longest_entry_bytes: u32_at(bytes, 76),
            code_bits: u32::from(bytes[81]),
            bloom_xxh3: u64_at(bytes, 108),
            blocks_xxh3: u64_at(bytes, 116),
            categories: Vec::new(),
            sets: Vec::new(),
            layout,
            bytes: bytes.into(),
            directory_start: 0,
            bloom_hashes_start: 0,
        };
        if u32::from(bytes[80]) != REMAINDER_BITS {
            return Err(PackError::Malformed("the remainder's width"));
        }
        if header.buckets == 0 || header.buckets > MAX_BUCKETS {
            return Err(PackError::Malformed("the number of buckets"));
        }
        if !(1..=16).contains(&header.code_bits) {
            return Err(PackError::Malformed("the codes' width"));
        }
        let mut tables = Reader {
            bytes: &signed[..checksum_at],
            at: FIXED_BYTES,
        };
        header.read_categories(&mut tables, u16_at(bytes, 82))?;
        header.read_sets(&mut tables, u32_at(bytes, 84))?;
        header.read_directory(&mut tables, u32_at(bytes, 88))?;
        header.bloom_hashes_start = tables.at;
        tables.take(32 * layout.bloom_bytes.div_ceil(BLOOM_CHUNK_BYTES))?;
        if tables.at != checksum_at {
            return Err(PackError::Malformed("the header's length"));
        }
        Ok(header)
    }

    fn read_categories(&mut self, tables: &mut Reader<'_>, count: u16) -> Result<(), PackError> {
        for _ in 0..count {
            let [number, name_bytes] = tables.array()?;
            let name = std::str::from_utf8(tables.take(name_bytes.into())?)
                .map_err(|_| PackError::Malformed("a category's name"))?;
            let follows = self
                .categories
                .last()
                .is_none_or(|last| last.number < number);
            if u32::from(number) >= MAX_CATEGORIES || !follows || name.is_empty() {
                return Err(PackError::Malformed("the category table"));
            }
            self.categories.push(PackCategory {
                number,
                name: name.to_owned(),
                special: SpecialCategory::from_name(name),
            });
        }
        Ok(())
    }

    fn read_sets(&mut self, tables: &mut Reader<'_>, count: u32) -> Result<(), PackError> {
        let known = self
            .categories
            .iter()
            .fold(0u128, |mask, category| mask | 1 << category.number);
        for _ in 0..count {
            let mut masks = [0u128; 2];
            for mask in &mut masks {
                let [members] = tables.array()?;
                for &number in tables.take(members.into())? {
                    if u32::from(number) >= MAX_CATEGORIES {
                        return Err(PackError::Malformed("a category set"));
                    }
                    *mask |= 1 << number;
                }
            }
            let [holds, excepts] = masks;
            if (holds | excepts) & !known != 0 {
                return Err(PackError::Malformed("a category set"));
            }
            self.sets.push(CategorySet { holds, excepts });
        }
        Ok(())
    }

    fn read_directory(&mut self, tables: &mut Reader<'_>, count: u32) -> Result<(), PackError> {
        self.directory_start = tables.at;
        if count != self.buckets.div_ceil(BLOCK_BUCKETS) {
            return Err(PackError::Malformed("the number of blocks"));
        }
        tables.take((count as usize).saturating_mul(BLOCK_ROW_BYTES))?;
        let mut end = 0usize;
        let mut entries = 0u64;
        for block in 0..count {
            let (start, shape) = self.block(block);
            if start != end {
                return Err(PackError::Malformed("the place of a block"));
            }
            end = end.checked_add(shape.len()).ok_or(PackError::TooLarge)?;
            entries += u64::from(shape.entries);
        }
        if end != self.layout.blocks_bytes || entries != self.entries {
            return Err(PackError::Malformed("the blocks' sizes"));
        }
        Ok(())
    }

    /// How many blocks there are.
    pub fn block_count(&self) -> u32 {
        self.buckets.div_ceil(BLOCK_BUCKETS)
    }

    /// Where a block starts among the blocks, and its shape; `block` is in range.
    pub fn block(&self, block: u32) -> (usize, BlockShape) {
        let row = self.directory_start + block as usize * BLOCK_ROW_BYTES;
        let shape = BlockShape {
            buckets: BLOCK_BUCKETS.min(self.buckets - block * BLOCK_BUCKETS),
            entries: u32::from(u16_at(&self.bytes, row + 4)),
            escapes: u32::from(u16_at(&self.bytes, row + 6)),
            code_bits: self.code_bits,
        };
        (u32_at(&self.bytes, row) as usize, shape)
    }

    /// The SHA-256 of a block.
    pub fn block_sha256(&self, block: u32) -> &[u8] {
        let row = self.directory_start + block as usize * BLOCK_ROW_BYTES;
        &self.bytes[row + 8..row + BLOCK_ROW_BYTES]
    }

    /// The SHA-256 of a chunk of the bloom section.
    pub fn bloom_chunk_sha256(&self, chunk: usize) -> &[u8] {
        let start = self.bloom_hashes_start + chunk * 32;
        &self.bytes[start..start + 32]
    }

    /// What the signature covers.
    pub fn signed_bytes(&self) -> &[u8] {
        &self.bytes[..self.bytes.len() - SIGNATURE_BYTES]
    }

    /// The signing key's id and the signature; all zeros where there is none.
    pub fn signature(&self) -> (&[u8], &[u8]) {
        self.bytes[self.bytes.len() - SIGNATURE_BYTES..].split_at(8)
    }
}

/// The parts of a header that a builder states.
#[cfg(feature = "build")]
#[derive(Debug, Clone)]
pub(crate) struct HeaderParts<'a> {
    pub hash: HashKind,
    pub hash_seed: u64,
    pub sequence: u64,
    pub built_at_ms: i64,
    pub entries: u64,
    pub path_entries: u64,
    pub bloom_items: u64,
    pub depths: u64,
    pub buckets: u32,
    pub longest_entry_bytes: u32,
    pub code_bits: u32,
    pub categories: &'a [PackCategory],
    pub sets: &'a [CategorySet],
    pub shapes: &'a [BlockShape],
    pub bloom: &'a [u8],
    pub blocks: &'a [u8],
}

#[cfg(feature = "build")]
impl HeaderParts<'_> {
    /// The header's bytes, those that a signature covers.
    pub fn write(&self) -> Result<Vec<u8>, PackError> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.push(match self.hash {
            HashKind::Open => 0,
            HashKind::Keyed => 1,
        });
        bytes.push(0);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.hash_seed.to_le_bytes());
        bytes.extend_from_slice(&self.sequence.to_le_bytes());
        bytes.extend_from_slice(&self.built_at_ms.to_le_bytes());
        bytes.extend_from_slice(&self.entries.to_le_bytes());
        bytes.extend_from_slice(&self.path_entries.to_le_bytes());
        bytes.extend_from_slice(&self.bloom_items.to_le_bytes());
        bytes.extend_from_slice(&self.depths.to_le_bytes());
        bytes.extend_from_slice(&self.buckets.to_le_bytes());
        bytes.extend_from_slice(&self.longest_entry_bytes.to_le_bytes());
        bytes.push(REMAINDER_BITS as u8);
        bytes.push(self.code_bits as u8);
        let u32_of = |value: usize| u32::try_from(value).map_err(|_| PackError::TooLarge);
        bytes.extend_from_slice(&(self.categories.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&u32_of(self.sets.len())?.to_le_bytes());
        bytes.extend_from_slice(&u32_of(self.shapes.len())?.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&u32_of(self.bloom.len())?.to_le_bytes());
        bytes.extend_from_slice(&(self.blocks.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&xxh3_64(self.bloom).to_le_bytes());
        bytes.extend_from_slice(&xxh3_64(self.blocks).to_le_bytes());
        bytes.resize(FIXED_BYTES, 0);
        for category in self.categories {
            bytes.push(category.number);
            bytes.push(category.name.len() as u8);
            bytes.extend_from_slice(category.name.as_bytes());
        }
        for set in self.sets {
            for mask in [set.holds, set.excepts] {
                let members = (0..128u8).filter(|number| mask >> number & 1 == 1);
                bytes.push(mask.count_ones() as u8);
                bytes.extend(members);
            }
        }
        let mut start = 0;
        for shape in self.shapes {
            if shape.entries > MAX_BLOCK_ENTRIES {
                return Err(PackError::TooLarge);
            }
            bytes.extend_from_slice(&u32_of(start)?.to_le_bytes());
            bytes.extend_from_slice(&(shape.entries as u16).to_le_bytes());
            bytes.extend_from_slice(&(shape.escapes as u16).to_le_bytes());
            let end = start + shape.len();
            bytes.extend_from_slice(&Sha256::digest(&self.blocks[start..end]));
            start = end;
        }
        for chunk in self.bloom.chunks(BLOOM_CHUNK_BYTES) {
            bytes.extend_from_slice(&Sha256::digest(chunk));
        }
        let header_bytes = u32_of(bytes.len() + 8)?;
        bytes[12..16].copy_from_slice(&header_bytes.to_le_bytes());
        let checksum = xxh3_64(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        Ok(bytes)
    }
}

/// Why bytes are not a pack that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// The bytes do not begin as a pack does.
    #[error("the file is no list pack; build one with `bellgate lists build`")]
    Magic,
    /// The format is of another version.
    #[error(
        "the list pack has format version {0}, and this program reads version {VERSION}; build it anew or update the program"
    )]
    Version(u16),
    /// The bytes end too early, or go on too long.
    #[error("the list pack does not have the length its header states; fetch or build it anew")]
    Truncated,
    /// A part is too large for this machine or for the format.
    #[error("the list pack is too large for its format or for this machine; split the lists")]
    TooLarge,
    /// A part contradicts the format.
    #[error("the list pack is malformed ({0}); fetch or build it anew")]
    Malformed(&'static str),
    /// A part's fast checksum is wrong.
    #[error("the list pack is damaged (checksum of its {0}); fetch or build it anew")]
    Checksum(&'static str),
    /// A part's SHA-256 is wrong.
    #[error("the list pack is damaged (hash of {0}); fetch or build it anew")]
    Hash(String),
    /// The key of a keyed pack is missing, or one is given for a pack that has none.
    #[error(
        "the list pack and the secret key do not go together; give the key it was built with, or none for an open pack"
    )]
    Key,
    /// The signature is by a key that is not among those given.
    #[error(
        "the list pack is signed by key `{0}`, which is not among the accepted keys; add it to `pack_keys`, or sign with one that is there"
    )]
    UnknownSigner(String),
    /// The signature is not right.
    #[error("the list pack's signature by key `{0}` does not match; fetch or build it anew")]
    Signature(String),
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], PackError> {
        let end = self.at.checked_add(count).ok_or(PackError::TooLarge)?;
        let taken = self
            .bytes
            .get(self.at..end)
            .ok_or(PackError::Malformed("the header's tables"))?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PackError> {
        self.take(N).map(|taken| bytes_at(taken, 0))
    }
}

/// `N` bytes at a place that is known to exist; zeros where it does not.
fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    if let Some(source) = bytes.get(at..at + N) {
        array.copy_from_slice(source);
    }
    array
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes_at(bytes, at))
}
