"""A second reader of list packs, written from docs/format.md alone.

It answers like `bellgate lists lookup --batch`: URLs in, one JSON line each out. It takes
URLs that are canonical already; what the URL standard does to others is not its matter.
Needs the package `xxhash`.
"""

import hashlib
import json
import re
import struct
import sys

import xxhash

MASK = 2**64 - 1
UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


def siphash13(key, number):
    """SipHash-1-3 of the 8 bytes of a number."""
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D,
         k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def rotate(value, by):
        return (value << by | value >> (64 - by)) & MASK

    def rounds(count):
        for _ in range(count):
            v[0] = v[0] + v[1] & MASK
            v[1] = rotate(v[1], 13) ^ v[0]
            v[0] = rotate(v[0], 32)
            v[2] = v[2] + v[3] & MASK
            v[3] = rotate(v[3], 16) ^ v[2]
            v[0] = v[0] + v[3] & MASK
            v[3] = rotate(v[3], 21) ^ v[0]
            v[2] = v[2] + v[1] & MASK
            v[1] = rotate(v[1], 17) ^ v[2]
            v[2] = rotate(v[2], 32)

    for word in (number, 8 << 56):
        v[3] ^= word
        rounds(1)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(3)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def field(data, index, width):
    """The field of `width` bits at an index, least significant bit first."""
    start = index * width
    span = data[start // 8 : (start + width + 7) // 8]
    return int.from_bytes(span, "little") >> start % 8 & (1 << width) - 1


class Pack:
    """A pack that is read whole and checked whole."""

    def __init__(self, data):
        (magic, version, kind, _, header_bytes, self.seed, self.sequence, self.built_at_ms,
         self.entries, self.path_entries, _, self.depths, self.buckets, self.longest,
         remainder_bits, self.code_bits, categories, sets, blocks, _, bloom_bytes,
         blocks_bytes, bloom_sum, blocks_sum, _) = struct.unpack_from(
            "<8sHBBIQQqQQQQIIBBHIIIIQQQI", data)
        assert magic == b"bellpack" and version == 2 and kind == 0
        assert remainder_bits == 36 and blocks == -(-self.buckets // 4096)
        bloom_start = header_bytes + 72
        blocks_start = bloom_start + bloom_bytes
        assert len(data) == blocks_start + blocks_bytes
        header = data[: header_bytes - 8]
        assert xxhash.xxh3_64_intdigest(header) == struct.unpack_from("<Q", data, len(header))[0]
        bloom = data[bloom_start:blocks_start]
        self.blocks_data = data[blocks_start:]
        assert xxhash.xxh3_64_intdigest(bloom) == bloom_sum
        assert xxhash.xxh3_64_intdigest(self.blocks_data) == blocks_sum
        at = 128
        self.names = {}
        for _ in range(categories):
            number, length = header[at], header[at + 1]
            self.names[number] = header[at + 2 : at + 2 + length].decode()
            at += 2 + length
        self.sets = []
        for _ in range(sets):
            members = []
            for _ in range(2):
                count = header[at]
                members.append(list(header[at + 1 : at + 1 + count]))
                at += 1 + count
            self.sets.append(members)
        self.rows = []
        end = 0
        for number in range(blocks):
            offset, entries, escapes = struct.unpack_from("<IHH", header, at)
            assert offset == end
            row = Block(self.blocks_data, offset, entries, escapes,
                        min(4096, self.buckets - number * 4096), self.code_bits)
            end = row.end
            assert hashlib.sha256(self.blocks_data[offset:end]).digest() == header[at + 8 : at + 40]
            self.rows.append(row)
            at += 40
        assert end == blocks_bytes and sum(row.entries for row in self.rows) == self.entries
        for start in range(0, bloom_bytes, 65536):
            assert hashlib.sha256(bloom[start : start + 65536]).digest() == header[at : at + 32]
            at += 32
        assert at == len(header)
        version, length, self.k = struct.unpack_from("<BQI", bloom)
        assert version == 1 and length == bloom_bytes - 45 and 1 <= self.k <= 16
        self.keys = bloom[13:29], bloom[29:45]
        self.bits = bloom[45:]

    def passes(self, item):
        """Whether an item may be in the bloom filter."""
        size = len(self.bits) * 8
        h0, h1 = (siphash13(key, item) for key in self.keys)
        for i in range(self.k):
            bit = (h0, h1)[i] if i < 2 else (h0 + i * h1 & MASK) % (2**64 - 59)
            bit %= size
            if not self.bits[bit // 8] >> bit % 8 & 1:
                return False
        return True

    def find(self, expression):
        """The category set of an expression, or nothing."""
        hashed = xxhash.xxh3_128_intdigest(expression.encode(), seed=self.seed)
        low, high = hashed & MASK, hashed >> 64
        if not self.passes(low):
            return None
        bucket = (high >> 36) * self.buckets >> 28
        number = self.rows[bucket // 4096].find(bucket % 4096, high & 2**36 - 1)
        return None if number is None else self.sets[number]

    def matches(self, url):
        """Every matching entry with its categories, longest first."""
        found = []
        for host, prefix in expressions(url):
            held = self.find(host + prefix)
            if held is not None:
                found.append((len(host) + len(prefix), len(host), host + prefix, held))
        found.sort(reverse=True)
        rows = []
        for _, _, entry, (holds, excepts) in found:
            for number in excepts:
                rows.append({"category": self.names[number], "entry": entry, "exception": True})
            for number in holds:
                rows.append({"category": self.names[number], "entry": entry})
        return rows


class Block:
    """Where the parts of one block lie."""

    def __init__(self, data, start, entries, escapes, buckets, code_bits):
        self.data, self.entries, self.code_bits = data, entries, code_bits
        self.groups = start
        self.upper = start + 2 * -(-buckets // 256)
        self.remainders = self.upper + -(-(entries + buckets) // 8)
        self.codes = self.remainders + -(-entries * 36 // 8)
        self.escapes = self.codes + -(-entries * code_bits // 8)
        self.end = self.escapes + escapes * 4

    def find(self, bucket, remainder):
        """The number of the category set of a fingerprint, or nothing."""
        group = bucket // 256
        before = struct.unpack_from("<H", self.data, self.groups + 2 * group)[0]
        place, left = group * 256 + before, bucket % 256
        while left:
            left -= 1 - self.bit(place)
            place += 1
        entry = place - bucket
        while self.bit(place):
            if field(self.data[self.remainders : self.codes], entry, 36) == remainder:
                return self.set_of(entry)
            entry += 1
            place += 1
        return None

    def bit(self, place):
        return self.data[self.upper + place // 8] >> place % 8 & 1

    def set_of(self, entry):
        code = field(self.data[self.codes : self.escapes], entry, self.code_bits)
        if code != (1 << self.code_bits) - 1:
            return code
        for place, number in struct.iter_unpack("<HH", self.data[self.escapes : self.end]):
            if place == entry:
                return number
        raise ValueError("an escaped entry has no escape")


def expressions(url):
    """The hosts of a canonical URL joined to the prefixes of its normal path."""
    match = re.fullmatch(r"(?:https?|wss?|ftp)://(?:[^/@]*@)?(\[[^]]*\]|[^/:]*)(?::\d+)?(/.*)", url, re.S)
    if not match:
        return
    host, path = match[1].rstrip("."), normal(match[2])
    hosts = [host]
    if not re.fullmatch(r"\[.*\]|\d+\.\d+\.\d+\.\d+", host):
        labels = host.split(".")
        hosts = [".".join(labels[i:]) for i in range(len(labels))]
    marks = [at for at in (path.find("?"), path.find("#")) if at >= 0]
    first_mark = min(marks, default=len(path))
    prefixes = [""]
    for end in range(1, len(path) + 1):
        stop = end == len(path) or path[end] in "/?#" or (path[end] == "&" and end > first_mark)
        if stop and path[end - 1] != "/":
            prefixes.append(path[:end])
    for name in hosts:
        for prefix in prefixes:
            yield name, prefix


def normal(path):
    """The normal path of a path, query and fragment."""

    def decode(escape):
        letter = chr(int(escape[1], 16))
        return letter if UNRESERVED.fullmatch(letter) else escape[0].upper()

    path = re.sub(r"%([0-9A-Fa-f]{2})", decode, path)
    marks = [at for at in (path.find("?"), path.find("#")) if at >= 0]
    end = min(marks, default=len(path))
    single = ""
    for letter in path[:end]:
        if letter != "/" or not single.endswith("/") or single.endswith(":/"):
            single += letter
    return single + path[end:]


def main():
    with open(sys.argv[1], "rb") as file:
        pack = Pack(file.read())
    for line in sys.stdin:
        url = line.rstrip("\n")
        print(json.dumps({"url": url, "matches": pack.matches(url)}, separators=(",", ":"),
                         ensure_ascii=False))


if __name__ == "__main__":
    main()
