"""PDF pages as characters, rules, boxes and pictures with their places; reads with pypdfium2, decides nothing.

Coordinates are points from the top left corner of the page as it is shown, y growing downwards.
"""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from crawler.exceptions import PageNotUnderstood
from crawler.extract.allowance import more_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: A whole newspaper issue with pictures has 20-60 MB; a single page 0.3-10 MB.
MAX_BYTES = 100_000_000
MAX_PAGES = 32
#: Beyond this a file is a book or an attack, not an issue of a newspaper.
MAX_PAGES_OF_ISSUE = 200
#: The densest real page measured has 8,000 characters (small print pages up to 20,000).
MAX_CHARS = 60_000
MAX_OBJECTS = 100_000
MAX_SEGMENTS = 2_000
_FORM_DEPTH = 3
_THIN = 3.5
_RULE_LENGTH = 24.0


class Char(NamedTuple):
    """One glyph: its em box, size in points, font key and place in the content stream."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    size: float
    font: str
    order: int
    #: a space character stands before it in the content stream
    after_space: bool = False


class Frame(NamedTuple):
    """An axis-parallel rectangle: a rule (thin), a box or a picture."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    def contains(self, x: float, y: float) -> bool:
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1


@dataclass(slots=True)
class PdfPage:
    """What stands on one page; `unmapped` counts glyphs without usable Unicode, `glyphs` all of them."""

    number: int
    width: float
    height: float
    chars: list[Char] = field(default_factory=list)
    rules: list[Frame] = field(default_factory=list)
    boxes: list[Frame] = field(default_factory=list)
    pictures: list[Frame] = field(default_factory=list)
    glyphs: int = 0
    unmapped: int = 0


def read_pages(body: bytes) -> tuple[list[PdfPage], int]:
    """Return the first `MAX_PAGES` pages of a PDF and the number of pages it has.

    Raises PageNotUnderstood: bad_pdf, encrypted or too_large.
    """
    if len(body) > MAX_BYTES:
        raise PageNotUnderstood("too_large", f"{len(body)} bytes")
    if b"%PDF" not in body[:1024]:
        raise PageNotUnderstood("bad_pdf", "no %PDF signature")
    document = _open(body)
    try:
        count = len(document)
        if count > MAX_PAGES_OF_ISSUE:
            raise PageNotUnderstood("too_large", f"{count} pages")
        pages = []
        for number in range(min(count, MAX_PAGES)):
            more_time()
            pages.append(_read_page(document, number))
        return pages, count
    finally:
        document.close()


def _open(body: bytes) -> Any:
    try:
        return pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as error:
        encrypted = "password" in str(error).lower() or "security" in str(error).lower()
        raise PageNotUnderstood("encrypted" if encrypted else "bad_pdf", str(error)) from error


def _read_page(document: Any, number: int) -> PdfPage:
    try:
        page = document[number]
        text = page.get_textpage()
    except pypdfium2.PdfiumError as error:
        raise PageNotUnderstood("bad_pdf", f"page {number + 1}: {error}") from error
    width, height = page.get_size()
    if not (10 < width < 20_000 and 10 < height < 20_000):
        raise PageNotUnderstood("bad_pdf", f"page of {width:.0f} x {height:.0f} points")
    place = _placer(page)
    found = PdfPage(number, width, height)
    _read_chars(found, text, place)
    _read_objects(found, page, place)
    text.close()
    page.close()
    return found


def _placer(page: Any) -> Callable[[float, float], tuple[float, float]]:
    """Return the map from PDF user space to the page as shown."""
    left, bottom, right, top = page.get_bbox()
    turns = {
        90: lambda x, y: (y - bottom, x - left),
        180: lambda x, y: (right - x, y - bottom),
        270: lambda x, y: (top - y, right - x),
    }
    return turns.get(page.get_rotation(), lambda x, y: (x - left, top - y))


def _read_chars(found: PdfPage, text: Any, place: Callable[[float, float], tuple[float, float]]) -> None:
    count = pdfium.FPDFText_CountChars(text)
    if count > MAX_CHARS:
        raise PageNotUnderstood("too_large", f"{count} characters on one page")
    seen: dict[str, list[Char]] = {}
    for char in _glyphs(text, count, found, place):
        if not (0 <= char.x0 < found.width and char.y1 >= 0 and char.y0 < found.height):
            continue
        if _printed_twice(char, seen):
            continue
        found.chars.append(char)


def _glyphs(
    text: Any, count: int, found: PdfPage, place: Callable[[float, float], tuple[float, float]]
) -> Iterator[Char]:
    matrix, loose = pdfium.FS_MATRIX(), pdfium.FS_RECTF()
    x, y, name = ctypes.c_double(), ctypes.c_double(), ctypes.create_string_buffer(64)
    flags, after_space = ctypes.c_int(), False
    for i in range(count):
        if pdfium.FPDFText_IsGenerated(text, i) == 1:
            continue
        letter = _letter(pdfium.FPDFText_GetUnicode(text, i))
        if letter == " ":
            after_space = True
            continue
        found.glyphs += 1
        if not letter or pdfium.FPDFText_HasUnicodeMapError(text, i) == 1:
            found.unmapped += 1
            continue
        pdfium.FPDFText_GetMatrix(text, i, matrix)
        scale = pdfium.FPDFText_GetFontSize(text, i)
        size = math.hypot(matrix.c, matrix.d) * scale
        slant = math.degrees(math.atan2(matrix.b, matrix.a)) % 90
        if not 1.5 < size < 1_000 or 4 < slant < 86:
            continue
        pdfium.FPDFText_GetLooseCharBox(text, i, loose)
        pdfium.FPDFText_GetCharOrigin(text, i, x, y)
        length = pdfium.FPDFText_GetFontInfo(text, i, name, 64, flags)
        font = name.raw[: max(0, min(length, 64) - 1)].decode("latin-1")
        upright = abs(matrix.b) <= abs(matrix.a)
        box = _em_box(loose, x.value, y.value, size if upright else 0)
        (xa, ya), (xb, yb) = place(box[0], box[1]), place(box[2], box[3])
        yield Char(letter, min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb), size, font, i, after_space)
        after_space = False


def _em_box(loose: Any, x: float, y: float, size: float) -> tuple[float, float, float, float]:
    """Upright glyphs get the em box on their baseline: fonts' own boxes differ too much to compare lines."""
    if not size:
        return loose.left, loose.bottom, loose.right, loose.top
    return min(x, loose.left), y - 0.14 * size, max(x, loose.right), y + 0.86 * size


def _letter(code: int) -> str:
    """Return the character, a blank for white space, or nothing for codes that are no text."""
    if code in (0x20, 0x3000, 0xA0) or 0x2000 <= code <= 0x200A or code in (9, 10, 13):
        return " "
    unusable = code < 0x20 or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xF900 or code >= 0xE0000
    return "" if unusable or code == 0xFFFD or 0xFFF0 <= code <= 0xFFFF else chr(code)


def _printed_twice(char: Char, seen: dict[str, list[Char]]) -> bool:
    """Shadows and bold by double printing repeat a glyph within a fifth of an em, soon after the first."""
    earlier = seen.setdefault(char.text, [])
    reach = 0.22 * char.size
    twice = any(
        abs(e.x0 - char.x0) < reach and abs(e.y0 - char.y0) < reach and abs(e.size - char.size) < reach
        for e in earlier[-40:]
    )
    if not twice:
        earlier.append(char)
    return twice


def _read_objects(found: PdfPage, page: Any, place: Callable[[float, float], tuple[float, float]]) -> None:
    raw = page.raw
    count = pdfium.FPDFPage_CountObjects(raw)
    if count > MAX_OBJECTS:
        raise PageNotUnderstood("too_large", f"{count} objects on one page")
    identity = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    budget = [MAX_OBJECTS]
    for i in range(count):
        _read_object(found, pdfium.FPDFPage_GetObject(raw, i), identity, place, (_FORM_DEPTH, budget))


def _read_object(
    found: PdfPage,
    thing: Any,
    matrix: tuple[float, ...],
    place: Callable[[float, float], tuple[float, float]],
    depth_and_budget: tuple[int, list[int]],
) -> None:
    depth, budget = depth_and_budget
    budget[0] -= 1
    if budget[0] < 0:
        return
    kind = pdfium.FPDFPageObj_GetType(thing)
    if kind == pdfium.FPDF_PAGEOBJ_FORM and depth > 0:
        inner = _multiply(_matrix_of(thing), matrix)
        for i in range(min(pdfium.FPDFFormObj_CountObjects(thing), budget[0])):
            child = pdfium.FPDFFormObj_GetObject(thing, i)
            _read_object(found, child, inner, place, (depth - 1, budget))
    elif kind in (pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_IMAGE):
        frame = _bounds(thing, matrix, place)
        if frame and kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            found.pictures.append(frame)
        elif frame:
            _read_path(found, thing, frame, matrix, place)


def _read_path(
    found: PdfPage,
    path: Any,
    frame: Frame,
    matrix: tuple[float, ...],
    place: Callable[[float, float], tuple[float, float]],
) -> None:
    if min(frame.width, frame.height) <= _THIN:
        if max(frame.width, frame.height) >= _RULE_LENGTH:
            found.rules.append(frame)
        return
    if frame.width < _RULE_LENGTH or frame.height < _RULE_LENGTH:
        return
    points = _points(path, matrix, place)
    if points and all(_on_border(x, y, frame) for _, x, y in points):
        closed = len({_corner(x, y, frame) for _, x, y in points}) >= 4
        if closed:
            found.boxes.append(frame)
            return
    found.rules.extend(_straight_rules(points))


def _points(
    path: Any, matrix: tuple[float, ...], place: Callable[[float, float], tuple[float, float]]
) -> list[tuple[int, float, float]]:
    count = pdfium.FPDFPath_CountSegments(path)
    if not 2 <= count <= MAX_SEGMENTS:
        return []
    combined = _multiply(_matrix_of(path), matrix)
    points, x, y = [], ctypes.c_float(), ctypes.c_float()
    for i in range(count):
        segment = pdfium.FPDFPath_GetPathSegment(path, i)
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        shown = place(*_apply(combined, x.value, y.value))
        points.append((pdfium.FPDFPathSegment_GetType(segment), *shown))
    return points


def _straight_rules(points: list[tuple[int, float, float]]) -> Iterator[Frame]:
    for (_, xa, ya), (kind, xb, yb) in pairwise(points):
        if kind != pdfium.FPDF_SEGMENT_LINETO:
            continue
        frame = Frame(min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb))
        if min(frame.width, frame.height) < 1 and max(frame.width, frame.height) >= _RULE_LENGTH:
            yield frame


def _on_border(x: float, y: float, frame: Frame) -> bool:
    near = min(12.0, 0.15 * min(frame.width, frame.height))
    return min(abs(x - frame.x0), abs(x - frame.x1), abs(y - frame.y0), abs(y - frame.y1)) <= near


def _corner(x: float, y: float, frame: Frame) -> tuple[bool, bool]:
    return x - frame.x0 > frame.x1 - x, y - frame.y0 > frame.y1 - y


def _matrix_of(thing: Any) -> tuple[float, ...]:
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(thing, matrix):
        return (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    return (matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)


def _multiply(m: tuple[float, ...], n: tuple[float, ...]) -> tuple[float, ...]:
    return (
        m[0] * n[0] + m[1] * n[2],
        m[0] * n[1] + m[1] * n[3],
        m[2] * n[0] + m[3] * n[2],
        m[2] * n[1] + m[3] * n[3],
        m[4] * n[0] + m[5] * n[2] + n[4],
        m[4] * n[1] + m[5] * n[3] + n[5],
    )


def _apply(m: tuple[float, ...], x: float, y: float) -> tuple[float, float]:
    return m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5]


def _bounds(
    thing: Any, matrix: tuple[float, ...], place: Callable[[float, float], tuple[float, float]]
) -> Frame | None:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not pdfium.FPDFPageObj_GetBounds(thing, left, bottom, right, top):
        return None
    corners = [
        place(*_apply(matrix, x, y)) for x in (left.value, right.value) for y in (bottom.value, top.value)
    ]
    if not all(math.isfinite(v) for corner in corners for v in corner):
        return None
    xs, ys = [c[0] for c in corners], [c[1] for c in corners]
    return Frame(min(xs), min(ys), max(xs), max(ys))
