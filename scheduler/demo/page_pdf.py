"""A small writer of newspaper pages as PDF: columns of Chinese text in a font that is not embedded.

STSong-Light with the encoding UniGB-UCS2-H is one of the CID fonts every reader knows; codes are UTF-16BE, so the
ToUnicode map is the identity. Only characters of the basic plane can be set; others become a full-width space.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAGE_WIDTH = 780.0
MARGIN = 42.0
GUTTER = 18.0
BODY_SIZE = 10.0
LEADING = 15.0
#: May not stand at the start of a line.
_NO_START = "，。：；！？、）》”’…％%"


@dataclass(frozen=True, slots=True)
class PageArticle:
    """What is set of one article."""

    title: str
    paragraphs: Sequence[str]
    byline: str = ""
    kicker: str = ""
    subtitle: str = ""


@dataclass(frozen=True, slots=True)
class _Run:
    x: float
    y: float
    size: float
    text: str


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float


def newspaper_page(
    masthead: str, articles: Sequence[PageArticle], advert: tuple[str, str] | None = None
) -> bytes:
    """One PDF page: masthead, the first article over four columns, the others in pairs, an advert in a box.

    The content stream holds each article as headline, byline, then columns from left to right. The page is as high as
    its content. Raises ValueError when there is no article.
    """
    if not articles:
        raise ValueError("a newspaper page needs an article")
    runs, boxes, depth = _layout(masthead, articles, advert)
    height = depth + MARGIN
    flipped = [_Run(run.x, height - run.y, run.size, run.text) for run in runs]
    frames = [_Box(box.x, height - box.y - box.height, box.width, box.height) for box in boxes]
    return _document(_content(flipped, frames), {ch for run in runs for ch in run.text}, height)


def _layout(
    masthead: str, articles: Sequence[PageArticle], advert: tuple[str, str] | None
) -> tuple[list[_Run], list[_Box], float]:
    """Runs and boxes with y measured from the top, and the depth reached."""
    full = PAGE_WIDTH - 2 * MARGIN
    half = (full - 2 * GUTTER) / 2
    runs = [_Run(MARGIN, MARGIN + 12, 12, masthead)]
    depth = MARGIN + 30
    lead, depth = _article(articles[0], MARGIN, depth, full, 4)
    runs += lead
    rest = articles[1:]
    for start in range(0, len(rest), 2):
        bottoms = []
        for place, article in enumerate(rest[start : start + 2]):
            block, bottom = _article(article, MARGIN + place * (half + 2 * GUTTER), depth + 34, half, 2)
            runs += block
            bottoms.append(bottom)
        depth = max(bottoms)
    if advert is None:
        return runs, [], depth
    block, box, depth = _advert(advert, depth + 30, full)
    return runs + block, [box], depth


def _article(
    article: PageArticle, x: float, y: float, width: float, columns: int
) -> tuple[list[_Run], float]:
    runs: list[_Run] = []
    for text, full_size in ((article.kicker, 14.0), (article.title, 24.0), (article.subtitle, 14.0)):
        size = _fitting(text, full_size, width)
        for line in _wrap(text, int(width / size)):
            y += size * 1.25
            runs.append(_Run(x, y, size, line))
    if article.byline:
        y += 20
        runs.append(_Run(x, y, 9.0, article.byline))
    y += 12
    column_width = (width - GUTTER * (columns - 1)) / columns
    per_line = int(column_width / BODY_SIZE)
    lines = [line for paragraph in article.paragraphs for line in _wrap("　　" + paragraph, per_line)]
    depth = -(-len(lines) // columns)
    for index, line in enumerate(lines):
        column, place = divmod(index, depth)
        runs.append(_Run(x + column * (column_width + GUTTER), y + (place + 1) * LEADING, BODY_SIZE, line))
    return runs, y + depth * LEADING


def _advert(advert: tuple[str, str], y: float, width: float) -> tuple[list[_Run], _Box, float]:
    headline, text = advert
    runs = [_Run(MARGIN + 14, y + 26, 16.0, headline)]
    for index, line in enumerate(_wrap(text, int((width - 28) / 9))):
        runs.append(_Run(MARGIN + 14, y + 46 + index * 14, 9.0, line))
    bottom = runs[-1].y + 14
    return runs, _Box(MARGIN, y, width, bottom - y), bottom


def _fitting(text: str, size: float, width: float) -> float:
    """The size at which a headline fits one line, as layout editors choose it, but not below two thirds of `size`."""
    ems = sum(map(_advance, text))
    return size if ems * size <= width else max(int(width / ems * 2) / 2, size * 2 / 3)


def _advance(ch: str) -> float:
    return 0.5 if " " <= ch <= "~" else 1.0


def _wrap(text: str, per_line: int) -> Iterator[str]:
    """Lines of at most `per_line` ems; closing punctuation takes the character before it to the next line."""
    line, used = "", 0.0
    for ch in text:
        if used + _advance(ch) > per_line:
            kept = _break(line) if ch in _NO_START else len(line)
            yield line[:kept]
            line = line[kept:]
            used = sum(map(_advance, line))
        line += ch
        used += _advance(ch)
    if line:
        yield line


def _break(line: str) -> int:
    """Where to break so that the rest does not begin with closing punctuation."""
    end = len(line) - 1
    while end > 1 and line[end] in _NO_START:
        end -= 1
    return end


def _hex(text: str) -> str:
    plane = "".join(ch if ord(ch) < 0x10000 else "　" for ch in text)
    return plane.encode("utf-16-be").hex().upper()


def _content(runs: Sequence[_Run], boxes: Sequence[_Box]) -> bytes:
    parts = [f"{box.x:.2f} {box.y:.2f} {box.width:.2f} {box.height:.2f} re S" for box in boxes]
    parts.append("BT")
    parts += [f"/F1 {run.size:g} Tf 1 0 0 1 {run.x:.2f} {run.y:.2f} Tm <{_hex(run.text)}> Tj" for run in runs]
    parts.append("ET")
    return "\n".join(parts).encode("ascii")


def _to_unicode(characters: set[str]) -> bytes:
    codes = sorted(f"{ord(ch):04X}" for ch in characters if ord(ch) < 0x10000)
    blocks = []
    for start in range(0, len(codes), 100):
        chunk = codes[start : start + 100]
        pairs = "\n".join(f"<{code}> <{code}>" for code in chunk)
        blocks.append(f"{len(chunk)} beginbfchar\n{pairs}\nendbfchar")
    head = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
        "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
    )
    tail = "\nendcmap CMapName currentdict /CMap defineresource pop end end"
    return (head + "\n".join(blocks) + tail).encode("ascii")


def _stream(data: bytes) -> bytes:
    packed = zlib.compress(data)
    return b"<< /Length %d /Filter /FlateDecode >>\nstream\n%b\nendstream" % (len(packed), packed)


def _document(content: bytes, characters: set[str], height: float) -> bytes:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>" % (PAGE_WIDTH, height),
        _stream(content),
        (
            b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H"
            b" /DescendantFonts [6 0 R] /ToUnicode 8 0 R >>"
        ),
        (
            b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 /W [1 95 500]"
            b" /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> /FontDescriptor 7 0 R >>"
        ),
        (
            b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880]"
            b" /ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>"
        ),
        _stream(_to_unicode(characters)),
    ]
    return _assemble(objects)


def _assemble(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)
