"""Fingerprints of a comparison form: few enough to keep, dense enough to find a 60-character excerpt again.

A place in the text is an anchor when its 4-gram, read as one number, leaves the residue 0 modulo ANCHOR_MODULUS; the
fingerprint is a 32-bit checksum of the GRAM characters from there. Anchors depend on the text alone, so every copy has the
same ones. All anchors of a new text are looked up, but only one in GAP characters is kept: found again with
a third of the rows (on 6,263 labelled copies 4 shared no kept fingerprint, with all anchors kept 0).
"""

from __future__ import annotations

import re
from array import array
from zlib import crc32

ANCHOR_MODULUS = 17
GRAM = 6
GAP = 56
#: Texts up to this many characters keep anchors of further residues: a brief of 80 characters has none to spare.
SHORT = 260
SHORT_RESIDUES = 4
#: Texts up to this many characters look all of those up: a brief on a furnished page shares little else with the brief.
SHORT_LOOKUP = 600
#: At most this many anchors of one text are looked up: a megabyte must not cost a thousand look-ups.
MAX_LOOKUPS = 1_200
_SIGN = 0x80000000
#: What a byte is modulo ANCHOR_MODULUS. As 256 leaves the residue 1, that of a 4-gram is the sum of its eight bytes'.
_RESIDUES = bytes(byte % ANCHOR_MODULUS for byte in range(256))
_MARK = re.compile(b"\x01")
#: By number of residues: a table that puts a mark in place of the sums that make an anchor.
_MARKS = {
    residues: bytes(total % ANCHOR_MODULUS < residues for total in range(256))
    for residues in (1, SHORT_RESIDUES)
}


Anchor = tuple[int, int]
"""Position in the comparison form and signed 32-bit fingerprint."""


def anchors(text: str, short: int = SHORT_LOOKUP) -> list[Anchor]:
    """Return the anchors of a comparison form in order, at most MAX_LOOKUPS; `short` texts have those of more residues."""
    return _spread(_anchors(text, SHORT_RESIDUES if len(text) <= short else 1), MAX_LOOKUPS)


def query_fingerprints(found: list[Anchor], title: str = "") -> set[int]:
    """Return the fingerprints by which texts similar to the one with these anchors are looked up."""
    wanted = {value for _, value in found}
    if len(title) >= GRAM:
        wanted.add(_title_fingerprint(title))
    return wanted


def kept_fingerprints(found: list[Anchor], length: int, title: str = "") -> set[int]:
    """Return the part of them that is stored: about 19 for a text of `length` 1,500."""
    gap = min(GAP, max(8, length // 14))
    kept: set[int] = set()
    last = -gap
    for position, value in found:
        if position - last >= gap:
            kept.add(value)
            last = position
    if len(title) >= GRAM:
        kept.add(_title_fingerprint(title))
    return kept


def _title_fingerprint(title: str) -> int:
    return (crc32(title.encode("utf-16-le", "surrogatepass"), 1) ^ _SIGN) - _SIGN


def _spread(anchors: list[Anchor], most: int) -> list[Anchor]:
    step = -(-len(anchors) // most) or 1
    return anchors if step == 1 else anchors[::step]


def _anchors(text: str, residues: int) -> list[Anchor]:
    data = text.encode("utf-16-le", "surrogatepass")
    size = 2 * GRAM
    # Checksums become signed 32-bit numbers: that is what an INTEGER column of PostgreSQL holds.
    return [
        (place, (crc32(data[2 * place : 2 * place + size]) ^ _SIGN) - _SIGN)
        for place in _anchor_places(data, residues)
        if 2 * place + size <= len(data)
    ]


def _anchor_places(data: bytes, residues: int) -> list[int]:
    """Return where in UTF-16 text anchors are, in order. Two long numbers with a byte for each sign let C add up all 4-grams."""
    low, high = (int.from_bytes(data[half::2].translate(_RESIDUES), "little") for half in (0, 1))
    signs = low + high  # at most 32 each, so that four of them fit into a byte
    sums = (signs + (signs >> 8) + (signs >> 16) + (signs >> 24)).to_bytes(len(data) // 2 + 1, "little")
    marks = sums.translate(_MARKS[residues])
    return [match.start() for match in _MARK.finditer(marks, 0, max(0, len(data) // 2 - 3))]


def grams(text: str) -> set[int]:
    """Return the 4-grams of a comparison form, each as one 64-bit number."""
    data = text.encode("utf-16-le", "surrogatepass")
    ends = ((begin, begin + (len(data) - begin) // 8 * 8) for begin in (0, 2, 4, 6))
    signs = b"".join([data[begin:end] for begin, end in ends])
    # The lower bytes of the four signs first: sets tell numbers apart by their lower bits, and one sign begins many 4-grams.
    halves = array("I", signs)
    halves[0::2], halves[1::2] = array("I", signs[0::2]), array("I", signs[1::2])
    return set(memoryview(halves).cast("B").cast("Q"))
