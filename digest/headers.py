"""Header fields of a mail: one value in, one folded field out; no value can ever start a second field.

Free text becomes RFC 2047 encoded words, structured values (URLs, identifiers) stay literal however long, since an encoded
`List-Unsubscribe` is dead. Python's own folding encodes any value that does not fit a line, hence this module.
"""

from __future__ import annotations

import base64
import re
from functools import lru_cache

from digest.addresses import WireAddress
from store.text import clean_line

#: RFC 5322: a line must not exceed 998 octets and should not exceed 78.
HARD_LIMIT, SOFT_LIMIT = 998, 78
_WORD_BYTES = (
    45  # 45 octets are 60 characters of base64 and, with the 12 around them, a word of 72 (limit 75)
)
_PLAIN = re.compile(
    r"[!-<>-~](?:[ -<>-~]*[!-<>-~])?"
)  # printable ASCII without "=", which could look encoded
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/^_`{|}~-]+)*")
_LITERAL = re.compile(r"[!-~]+(?: [!-~]+)*")


class HeaderError(ValueError):
    """A value that cannot stand in its header field."""


def encoded_words(text: str) -> list[str]:
    """Return `text` as RFC 2047 words of at most 75 characters, none of which splits a character."""
    words: list[str] = []
    piece = bytearray()
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(piece) + len(octets) > _WORD_BYTES:
            words.append(_word(piece))
            piece = bytearray()
        piece += octets
    return [*words, _word(piece)] if piece else words


def _word(octets: bytes | bytearray) -> str:
    return f"=?utf-8?b?{base64.b64encode(octets).decode('ascii')}?="


@lru_cache(maxsize=64)
def text_field(name: str, value: str) -> str:
    """Return an unstructured field (Subject) for any text at all; controls and line breaks are dropped."""
    value = clean_line(value)
    if len(name) + 2 + len(value) <= SOFT_LIMIT and (not value or _PLAIN.fullmatch(value)):
        return f"{name}: {value}\r\n"
    return _folded(name, encoded_words(value))


@lru_cache(maxsize=64)
def phrase(name: str) -> tuple[str, ...]:
    """Return a display name as words that may be folded between; empty for an empty name."""
    name = clean_line(name)
    if not name:
        return ()
    if len(name) <= 60 and _ATOMS.fullmatch(name):
        return tuple(name.split(" "))
    if len(name) <= 60 and _PLAIN.fullmatch(name):
        return ('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"',)
    return tuple(encoded_words(name))


def mailbox_field(name: str, display: str, address: WireAddress) -> str:
    """Return an address field; the address itself is bare when there is no display name."""
    words = phrase(display)
    return _folded(name, [*words, f"<{address}>"] if words else [str(address)])


def literal_field(name: str, *values: str) -> str:
    """Return a field whose values are never encoded, folded only between them. Raises HeaderError for non-ASCII or controls."""
    for value in values:
        if not _LITERAL.fullmatch(value) or len(value) > HARD_LIMIT - len(name) - 4:
            raise HeaderError(f"{name}: {clean_line(value)[:80]!r} cannot stand in a header")
    return _folded(name, list(values))


def _folded(name: str, words: list[str]) -> str:
    lines: list[str] = []
    line = f"{name}:"
    for word in words:
        if len(line.encode()) + 1 + len(word.encode()) > SOFT_LIMIT and line != f"{name}:":
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line]) + "\r\n"
