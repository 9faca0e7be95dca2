"""Bytes of a Chinese page to text: what the bytes are, not what the page says they are."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from dataclasses import dataclass

#: Longest input that is looked at, in bytes; the rest of a larger body is not decoded.
MAX_BYTES = 20_000_000
#: A strict decoding that fails only inside the last bytes is a truncated page, not a wrong encoding.
_TAIL = 8
#: Bytes of the page that are searched for a declaration; pages of old systems declare it after long scripts.
_DECLARATION_WINDOW = 16_384

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""(?:charset|encoding)\s{0,8}=\s{0,8}["']?\s{0,8}([a-z0-9_\-]{3,20})""")
_CJK = re.compile("[\u3400-\u9fff\ue000-\uf8ff]+")
_ALIASES = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "utf8": "utf-8",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "x-x-big5": "big5hkscs",
}
#: Most characters of a page that are looked at, and most CJK characters among them, to tell whether it reads as Chinese.
_SAMPLE = 200_000
_LETTERS = 4000
#: Characters, or bytes, that are looked at in one go.
_STRETCH = 4000
_ASCII = bytes(range(128))
#: Encodings a page may win with by fewest replacement characters.
_CANDIDATES = ("utf-8", "gb18030", "big5hkscs")
#: Common characters of Chinese prose; bytes of another encoding decode to rare ones.
_COMMON = re.compile(
    "[的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平"
    "形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党"
    "程展五果料象员革位入常文总次品式活設及管特件長求老頭基資邊流路級少圖山統接知較將組見計別她手角期根論運農指區強放決西被"
    "這國個們來時會對發過說為後與從種電動現關學進經還點開無問長們]"
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text of a page without its byte-order mark, and the name of the encoding that was used.

    `utf8` are the page's bytes where they are just that text in UTF-8.
    """

    text: str
    encoding: str
    utf8: bytes | None = None


def decode(body: bytes, declared: str | None = None) -> Decoded:
    """Decode a page: BOM, strict UTF-8, strict GB18030, then the candidate with fewest replacement characters.

    `declared` is the charset of the HTTP header; it and the page's own declaration only decide between candidates
    that strict decoding leaves open. Never raises; at most MAX_BYTES are decoded.
    """
    body = body[:MAX_BYTES]
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            return Decoded(body[len(bom) :].decode(encoding, "replace"), encoding)
    if (wide := _wide(body)) is not None:
        return Decoded(body.decode(wide, "replace"), wide)
    with suppress(UnicodeDecodeError):
        return Decoded(body.decode(), "utf-8", body)
    if (text := _strict(body, "utf-8")) is not None:
        return Decoded(text, "utf-8")
    if _declares_big5(body, declared):
        big5 = _strict(body, "big5hkscs")
        if big5 is not None and _looks_chinese(big5):
            return Decoded(big5, "big5")
    if (text := _by_stretches(body) or _strict(body, "gb18030")) is not None:
        return _gb_or_big5(body, text)
    return _fewest_replacements(body, _declared_names(body, declared))


def _wide(body: bytes) -> str | None:
    """UTF-16 without a BOM, told by the NUL beside every ASCII character of the markup."""
    head = body[:400]
    if head.count(0) * 5 < len(head) or len(head) < 8:
        return None
    if head[1::2].count(0) * 10 > len(head[1::2]) * 3 and b"<\0" in head:
        return "utf-16-le"
    if head[0::2].count(0) * 10 > len(head[0::2]) * 3 and b"\0<" in head:
        return "utf-16-be"
    return None


def _strict(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        if len(body) > 4 * _TAIL and error.start >= len(body) - _TAIL:
            return body[: error.start].decode(encoding, "replace")
        return None


def _by_stretches(body: bytes) -> str | None:
    """The body as GB18030, long scripts and styles by the codec that takes a thirtieth of the time; None where it is not."""
    pieces: list[str] = []
    at, codec = 0, "ascii"
    try:
        for start in range(0, len(body), _STRETCH):
            if body[start : start + _STRETCH].isascii() != (codec == "ascii"):
                # The first byte of an ASCII stretch may end a character.
                end = start if codec == "ascii" else start + 1
                pieces.append(body[at:end].decode(codec))
                at, codec = end, "gb18030" if codec == "ascii" else "ascii"
        return "".join(pieces) + body[at:].decode(codec)
    except UnicodeDecodeError:
        return None


def _declares_big5(body: bytes, declared: str | None) -> bool:
    if b"big5" not in body[:_DECLARATION_WINDOW].lower() and "big5" not in (declared or "").lower():
        return False
    return "big5hkscs" in _declared_names(body, declared)


def _declared_names(body: bytes, declared: str | None) -> list[str]:
    names = [declared or ""]
    names += [m.decode("ascii") for m in _DECLARED.findall(body[:_DECLARATION_WINDOW].lower())[:4]]
    return [_ALIASES.get(name.strip().lower(), name.strip().lower()) for name in names if name]


def _common_beyond(text: str, share: float) -> bool:
    """Whether more than this share of a page's first CJK characters are common ones; long scripts in its head are skipped."""
    common = seen = 0
    start = max(text.find("<body"), 0)
    end = min(start + _SAMPLE, len(text))
    while start < end and seen < _LETTERS and common <= share * _LETTERS:
        letters = "".join(_CJK.findall(_without_ascii(text[start : min(start + _STRETCH, end)])))
        letters = letters[: _LETTERS - seen]
        seen += len(letters)
        common += len(_COMMON.findall(letters))
        start += _STRETCH
    return common > share * seen


def _without_ascii(text: str) -> str:
    """The text without the markup that it mostly is; a search that steps over it takes ten times as long."""
    return text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")


def _looks_chinese(text: str) -> bool:
    return _common_beyond(text, 0.2)


def _gb_or_big5(body: bytes, text: str) -> Decoded:
    """Big5 bytes are often valid GB18030 and then read as rare characters."""
    if not _common_beyond(text, 0.08):
        big5 = _strict(body, "big5hkscs")
        if big5 is not None and _looks_chinese(big5):
            return Decoded(big5, "big5")
    return Decoded(text, "gb18030")


def _fewest_replacements(body: bytes, names: list[str]) -> Decoded:
    candidates = list(dict.fromkeys([n for n in names if n in _CANDIDATES] + list(_CANDIDATES[:2])))
    best: tuple[float, str, str] | None = None
    for encoding in candidates:
        text = body.decode(encoding, "replace")
        cost = text.count("\ufffd") + (0 if _common_beyond(text, 0.1) else text.count("\ufffd") * 0.5)
        if best is None or cost < best[0]:
            best = (cost, encoding, text)
    assert best is not None
    return Decoded(best[2], "big5" if best[1] == "big5hkscs" else best[1])
