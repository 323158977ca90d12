"""Checks the hand-written lists: `python3 tests/python/test_lists.py`.

Every entry must be canonical, no file may repeat or cover its own entries, ids must
resolve, and no curated block entry may also be, or hide part of, what must stay open.
"""

import re
import sys
import tomllib
import unittest
from pathlib import Path

LISTS = Path(__file__).resolve().parents[2] / "lists"
LABEL = re.compile(r"^(?!-)[a-z0-9_-]{1,63}(?<!-)$")
RISKS = {"content", "contact", "conduct", "commerce"}
ROUTES = {"dsl", "it", "dsl+prevent"}
FORMATS = {"hosts", "domains", "adblock", "ut1", "rpz", "csv", "urlhaus", "bellgate", "dnr", "json"}
TRANSFORMATIONS = ["strip_www", "drop_public_suffix", "drop_covered"]


def entries(path):
    """The (line number, entry) pairs of a plain list."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            yield number, line


def toml(name):
    with (LISTS / name).open("rb") as file:
        return tomllib.load(file)


def fault_of(entry):
    """Why an entry is not canonical, or None."""
    host, _, path = entry.partition("/")
    if entry != entry.strip() or any(c.isspace() for c in entry):
        return "white space"
    if not entry.isascii():
        return "not ASCII (use punycode)"
    if host != host.lower():
        return "upper case in the host"
    labels = host.split(".")
    if not all(LABEL.match(label) for label in labels):
        return "not a host name"
    if "/" in entry and (not path or path.endswith("/") or "//" in entry):
        return "empty path segment"
    if re.search(r"[?#*^|]", entry):
        return "query, fragment or wildcard"
    return None


def expressions(entry):
    """The entries that cover `entry`, itself included."""
    host, _, path = entry.partition("/")
    labels = host.split(".")
    segments = path.split("/") if path else []
    is_address = all(label.isdigit() for label in labels)
    for start in range(1 if is_address else len(labels)):
        parent = ".".join(labels[start:])
        for end in range(len(segments) + 1):
            yield "/".join([parent, *segments[:end]])


class Lists(unittest.TestCase):
    def check_plain(self, folder, may_cover=False):
        files = sorted((LISTS / folder).glob("*.txt"))
        self.assertGreater(len(files), 0, folder)
        for path in files:
            listed = [entry for _, entry in entries(path)]
            known = set(listed)
            with self.subTest(file=path.name):
                head = path.read_text(encoding="utf-8").splitlines()[0]
                self.assertTrue(head.startswith("# "), "begins with what it holds")
                self.assertEqual(len(known), len(listed), "an entry twice")
                for number, entry in entries(path):
                    self.assertIsNone(fault_of(entry), f"{path.name}:{number} `{entry}`")
                    if not may_cover:
                        covering = [e for e in expressions(entry) if e != entry and e in known]
                        self.assertEqual(covering, [], f"{path.name}:{number} `{entry}`")

    def test_curated_entries_are_canonical_and_not_repeated(self):
        self.check_plain("curated")

    def test_allow_entries_are_canonical_and_not_repeated(self):
        self.check_plain("allow", may_cover=True)

    def test_exclude_entries_are_canonical_and_not_repeated(self):
        self.check_plain("exclude", may_cover=True)

    def test_categories_have_stable_unique_numbers_and_known_words(self):
        document = toml("categories.toml")
        headings = set(document["uksic_headings"])
        topics = {topic["id"] for topic in toml("help.toml")["topic"]}
        ids = [category["id"] for category in document["category"]]
        numbers = [category["number"] for category in document["category"]]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual(len(numbers), len(set(numbers)))
        for category in document["category"]:
            with self.subTest(category=category["id"]):
                self.assertTrue(0 <= category["number"] < 128)
                self.assertRegex(category["id"], r"^[a-z][a-z-]*$")
                if category["kind"] == "special":
                    continue
                self.assertEqual(category["kind"], "block")
                self.assertIn(category["risk"], RISKS)
                self.assertIn(category["breach_route"], ROUTES)
                self.assertLessEqual(set(category["uksic"]), headings)
                self.assertLessEqual(set(category["help_topics"]), topics)
        served = {h for c in document["category"] for h in c.get("uksic", [])}
        self.assertEqual(served, headings, "every heading is served by some category")

    def test_every_block_category_has_a_curated_file(self):
        blocks = {c["id"] for c in toml("categories.toml")["category"] if c["kind"] == "block"}
        files = {path.stem for path in (LISTS / "curated").glob("*.txt")}
        self.assertEqual(files, blocks)

    def test_help_entries_are_canonical_unique_and_of_a_known_topic(self):
        document = toml("help.toml")
        topics = {topic["id"] for topic in document["topic"]}
        listed = [service["entry"] for service in document["help"]]
        self.assertGreaterEqual(len(listed), 400)
        self.assertEqual(len(listed), len(set(listed)), "an entry twice")
        for service in document["help"]:
            for entry in [service["entry"], *service.get("loads", [])]:
                self.assertIsNone(fault_of(entry), f"`{entry}`")
                self.assertGreater(entry.partition("/")[0].count("."), 0, f"`{entry}`")
            self.assertIn(service["topic"], topics, service["entry"])
            self.assertIsInstance(service["crisis"], bool)
        self.assertEqual({s["topic"] for s in document["help"]}, topics, "no topic is empty")
        crisis = {s["entry"] for s in document["help"] if s["crisis"]}
        for needed in ["childline.org.uk", "samaritans.org", "giveusashout.org", "papyrus-uk.org"]:
            self.assertIn(needed, crisis)

    def test_sign_in_entries_are_canonical_and_give_a_reason(self):
        listed = toml("sign-in.toml")["sign_in"]
        self.assertEqual(len(listed), len({row["entry"] for row in listed}))
        for row in listed:
            self.assertIsNone(fault_of(row["entry"]), row["entry"])
            self.assertIn(row["kind"], {"account", "portal", "management"})
            self.assertGreater(len(row["reason"]), 10, row["entry"])

    def test_no_help_or_sign_in_entry_opens_a_host_that_strangers_share(self):
        shared = {e for _, e in entries(LISTS / "curated" / "user-hosting.txt") if "/" not in e}
        shared |= {"google.com", "microsoft.com", "apple.com", "facebook.com", "gov.uk", "org.uk"}
        opened = [s["entry"] for s in toml("help.toml")["help"]]
        opened += [row["entry"] for row in toml("sign-in.toml")["sign_in"]]
        self.assertEqual([entry for entry in opened if entry in shared], [])

    def test_no_curated_block_entry_is_also_a_help_sign_in_or_allow_entry(self):
        # A shorter block entry may stand: the longer allow entry wins over it.
        opened = {s["entry"] for s in toml("help.toml")["help"]}
        opened |= {row["entry"] for row in toml("sign-in.toml")["sign_in"]}
        for path in (LISTS / "allow").glob("*.txt"):
            opened |= {entry for _, entry in entries(path)}
        for path in sorted((LISTS / "curated").glob("*.txt")):
            for number, entry in entries(path):
                self.assertNotIn(entry, opened, f"{path.name}:{number}")

    def test_no_curated_host_lies_below_a_help_entry_or_a_vouched_for_zone(self):
        closed = {s["entry"] for s in toml("help.toml")["help"]}
        closed |= {entry for _, entry in entries(LISTS / "allow" / "zones.txt")}
        for path in sorted((LISTS / "curated").glob("*.txt")):
            for number, entry in entries(path):
                hits = [e for e in expressions(entry) if e in closed]
                self.assertEqual(hits, [], f"{path.name}:{number} `{entry}`")

    def test_sources_are_complete_and_pinned(self):
        categories = {c["id"] for c in toml("categories.toml")["category"]}
        sources = toml("sources.toml")["source"]
        self.assertEqual(len(sources), len({s["id"] for s in sources}))
        curated = set()
        for source in sources:
            with self.subTest(source=source["id"]):
                kind, _, rest = source["address"].partition(":")
                self.assertIn(kind, {"file", "npm", "pypi", "https"})
                self.assertIn(source["format"], FORMATS)
                self.assertIn(source["category"], categories)
                self.assertIn(source["trust"], {"curated", "high", "raw"})
                self.assertTrue(0 <= float(source["reject_limit"]) <= 1)
                order = [TRANSFORMATIONS.index(t) for t in source["transformations"]]
                self.assertEqual(order, sorted(order))
                if kind in {"npm", "pypi"}:
                    self.assertRegex(source["sha256"], r"^[0-9a-f]{64}$")
                    self.assertRegex(rest, r"^@?[^@=]+(@|==)[^#]+#.+$")
                if kind == "file":
                    self.assertTrue((LISTS.parent / rest).is_file(), rest)
                    self.assertEqual(source["category"], Path(rest).stem)
                    curated.add(Path(rest).name)
                for path in source.get("exclude", []):
                    self.assertTrue((LISTS.parent / path).is_file(), path)
        self.assertEqual(curated, {p.name for p in (LISTS / "curated").glob("*.txt")})

    def test_accepted_blocks_are_few_and_reasoned(self):
        accepted = toml("accepted-blocks.toml").get("accepted", [])
        categories = {c["id"] for c in toml("categories.toml")["category"]}
        self.assertLessEqual(len(accepted), 20)
        self.assertEqual(len(accepted), len({row["host"] for row in accepted}))
        for row in accepted:
            self.assertIsNone(fault_of(row["host"]), row["host"])
            self.assertIn(row["category"], categories)
            self.assertGreater(len(row["reason"]), 20, row["host"])


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False).result.wasSuccessful())
