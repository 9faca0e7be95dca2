"""An edition printed once: everything its recipients share is rendered and encoded a single time, with gaps for their links.

A gap is marked by a random word as long as what fills it, so that nothing else moves. Pure.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from digest.message import LINE_OCTETS, base64_lines, canonical_text, text_part_head

#: Octets of a mark that no text holds by chance; a template that changes links leaves at least these to be found.
_HEAD = 24


def new_mark(length: int) -> str:
    """Return a random word of `length` letters and digits (at least 24), safe within links and markup."""
    if length < _HEAD:
        raise ValueError(f"a mark of {length} characters would not be unique")
    return secrets.token_hex(length // 2 + 1)[:length]


@dataclass(frozen=True)
class Plate:
    """One part of a mail, ready but for its gaps.

    `raw`: the octets and marks of the lines that hold marks, one after the other, whole lines but for the last.
    `pieces`: what makes the part; ready octets, or where in the encoded `raw` to take them from.
    """

    raw: tuple[bytes | str, ...]
    pieces: tuple[bytes | slice, ...]

    def printed(self, filling: Mapping[str, bytes]) -> bytes:
        """Return the part with every mark replaced by its filling, which has the mark's length."""
        octets = b"".join([filling[part] if isinstance(part, str) else part for part in self.raw])
        encoded = base64_lines(octets) if octets else b""
        return b"".join([piece if isinstance(piece, bytes) else encoded[piece] for piece in self.pieces])


def make_plate(kind: str, text: str, marks: Sequence[str]) -> Plate | None:
    """Return the text part (`kind` is plain or html) with gaps where `marks` stand.

    None when a mark does not stand there whole, as a template that cuts or changes links leaves it.
    """
    lowered = text.lower()
    if any(lowered.count(mark[:_HEAD].lower()) != text.count(mark) for mark in marks):
        return None
    octets = canonical_text(text)
    pattern = "|".join(map(re.escape, marks)) or "(?!)"
    found = [
        (match.start(), match[0].decode("ascii")) for match in re.finditer(pattern.encode("ascii"), octets)
    ]
    raw: list[bytes | str] = []
    pieces: list[bytes | slice] = [text_part_head(kind)]
    at = encoded = 0
    for begin, end, inside in _runs(found, len(octets)):
        if begin > at:
            pieces.append(base64_lines(octets[at:begin]))
        raw += _split(octets[begin:end], [(place - begin, mark) for place, mark in inside])
        length = len(base64_lines(octets[begin:end]))
        pieces.append(slice(encoded, encoded + length))
        at, encoded = end, encoded + length
    if at < len(octets) or not octets:
        pieces.append(base64_lines(octets[at:]))
    return Plate(tuple(raw), tuple(pieces))


def _runs(found: list[tuple[int, str]], total: int) -> list[tuple[int, int, list[tuple[int, str]]]]:
    """Return (begin, end, marks) of the stretches of whole lines that hold marks; stretches that touch are one."""
    runs: list[tuple[int, int, list[tuple[int, str]]]] = []
    for place, mark in found:
        begin = place // LINE_OCTETS * LINE_OCTETS
        end = min(-(-(place + len(mark)) // LINE_OCTETS) * LINE_OCTETS, total)
        if runs and begin <= runs[-1][1]:
            runs[-1] = (runs[-1][0], end, [*runs[-1][2], (place, mark)])
        else:
            runs.append((begin, end, [(place, mark)]))
    return runs


def _split(octets: bytes, inside: list[tuple[int, str]]) -> list[bytes | str]:
    parts: list[bytes | str] = []
    at = 0
    for place, mark in inside:
        parts += [octets[at:place], mark]
        at = place + len(mark)
    return [*parts, octets[at:]]
