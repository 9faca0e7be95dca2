"""Newspaper pages set with reportlab: columns, headlines, pictures, boxes, in a chosen order of the content stream."""

# ruff: noqa: PLR0917 - drawing takes coordinates, sizes and fonts

from __future__ import annotations

import io
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reportlab.lib.colors import black, grey
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SONG = "STSong-Light"
_DEBIAN = {
    "hei": "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "zen": "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "ming": "/usr/share/fonts/truetype/arphic/uming.ttc",
    "kai": "/usr/share/fonts/truetype/arphic/ukai.ttc",
}
_NO_START = "，。、；：？！”’）》%…"
_NO_END = "“‘（《"
UPRIGHT = str.maketrans("“”‘’（）《》—", "﹃﹄﹁﹂︵︶︽︾︱")


def fonts() -> dict[str, str]:
    """Return the font names by role; the built-in Chinese font when Debian's are not installed."""
    pdfmetrics.registerFont(UnicodeCIDFont(SONG))
    found = {"song": SONG, "hei": SONG, "kai": SONG}
    for role, path in _DEBIAN.items():
        if Path(path).exists():
            try:
                pdfmetrics.registerFont(TTFont(f"x-{role}", path, subfontIndex=0))
            except TTFError:
                continue
            found[role] = f"x-{role}"
    if "ming" in found:
        found["song"] = found["ming"]
    return found


@dataclass
class Op:
    """One thing drawn. `unit` names the flow it belongs to: streams are ordered by unit."""

    kind: str
    x: float
    y: float
    unit: str
    text: str = ""
    size: float = 9.0
    font: str = SONG
    spacing: float = 0.0
    width: float = 0.0
    height: float = 0.0


@dataclass
class Slot:
    """Room for one line of text: left edge, baseline (from the top) and measure."""

    x: float
    y: float
    width: float
    column: int = 0


@dataclass
class Style:
    """How a paper sets its text."""

    body: float = 9.2
    leading: float = 1.35
    gutter: float = 1.6
    indent: float = 2.0
    headline: float = 2.6
    title_font: str = SONG
    body_font: str = SONG
    byline_font: str = SONG
    #: upright rules between the columns of an article
    column_rules: bool = False
    #: indents are blanks in the text, not room
    blanks: bool = False


def width_of(text: str, font: str, size: float) -> float:
    return sum(size if ord(c) > 0x2000 else pdfmetrics.stringWidth(c, font, size) for c in text)


class Sheet:
    """A page under construction; y grows downwards."""

    def __init__(self, width: float, height: float, style: Style) -> None:
        self.width, self.height, self.style = width, height, style
        self.ops: list[Op] = []

    def line(
        self, text: str, x: float, y: float, size: float, font: str, unit: str, spacing: float = 0.0
    ) -> None:
        self.ops.append(Op("text", x, y, unit, text, size, font, spacing))

    def centred(self, text: str, x0: float, x1: float, y: float, size: float, font: str, unit: str) -> None:
        self.line(text, (x0 + x1 - width_of(text, font, size)) / 2, y, size, font, unit)

    def upright(
        self, text: str, x: float, y: float, size: float, font: str, unit: str, pitch: float = 1.12
    ) -> float:
        """Set a vertical line; return where it ends."""
        for letter in text.translate(UPRIGHT):
            if letter != " ":
                self.line(letter, x, y + 0.86 * size, size, font, unit)
            y += pitch * size
        return y

    def rule(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.ops.append(Op("rule", x0, y0, "rules", width=x1 - x0, height=y1 - y0))

    def box(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.ops.append(Op("box", x0, y0, "rules", width=x1 - x0, height=y1 - y0))

    def picture(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.ops.append(Op("picture", x0, y0, "pictures", width=x1 - x0, height=y1 - y0))

    # --- running text ---

    def fill(
        self,
        paragraphs: Sequence[str],
        slots: Sequence[Slot],
        unit: str,
        subheads: dict[int, str] | None = None,
    ) -> tuple[int, int]:
        """Set paragraphs into slots; return how many slots and how many whole paragraphs found room."""
        style, at = self.style, 0
        for number, paragraph in enumerate(paragraphs):
            if subheads and number in subheads:
                if at + 3 > len(slots) or slots[at + 1].column != slots[at].column:
                    pass
                else:
                    slot = slots[at]
                    head = subheads[number][: int(slot.width / (1.15 * style.body))]
                    self.centred(
                        head,
                        slot.x,
                        slot.x + slot.width,
                        slot.y + 2,
                        style.body * 1.1,
                        style.title_font,
                        f"{unit}/{slot.column}",
                    )
                    at += 1
            rest, first = paragraph, True
            while rest:
                if at >= len(slots):
                    return at, number
                slot = slots[at]
                indent = style.indent * style.body if first else 0.0
                piece, rest = self._break(rest, slot.width - indent)
                last = not rest
                free = slot.width - indent - width_of(piece, style.body_font, style.body)
                spacing = 0.0 if last and free > 0 else free / max(1, len(piece) - 1)
                if first and style.blanks and indent:
                    piece, indent = "\u3000" * int(style.indent) + piece, 0.0
                self.line(
                    piece,
                    slot.x + indent,
                    slot.y,
                    style.body,
                    style.body_font,
                    f"{unit}/{slot.column}",
                    spacing,
                )
                at, first = at + 1, False
        return at, len(paragraphs)

    def _break(self, text: str, room: float) -> tuple[str, str]:
        used, i = 0.0, 0
        while i < len(text):
            step = width_of(text[i], self.style.body_font, self.style.body)
            if used + step > room + 0.1:
                break
            used += step
            i += 1
        if i < len(text):
            while i > 2 and (
                text[i] in _NO_START
                or text[i - 1] in _NO_END
                or (text[i].isascii() and text[i - 1].isascii())
            ):
                i -= 1
        return text[: max(i, 1)], text[max(i, 1) :]

    # --- output ---

    def ordered(self, order: str, rng: random.Random) -> list[Op]:
        """flow: as set; head_last: body before headline; blocks: columns shuffled; rows: top to bottom over the page."""
        units = list(dict.fromkeys(op.unit for op in self.ops))
        if order == "rows":
            return sorted(self.ops, key=lambda op: (round(op.y / 3), op.x))
        if order == "blocks":
            rng.shuffle(units)
        elif order == "head_last":
            units.sort(key=lambda u: (u.split("/")[0], u.endswith("/head")))
            groups = list(dict.fromkeys(u.split("/")[0] for u in units))
            rng.shuffle(groups)
            units.sort(key=lambda u: groups.index(u.split("/")[0]))
        return [op for unit in units for op in self.ops if op.unit == unit]

    def draw(self, canvas: Canvas, order: str, rng: random.Random) -> None:
        canvas.setPageSize((self.width, self.height))
        for op in self.ordered(order, rng):
            y = self.height - op.y
            if op.kind == "text":
                text = canvas.beginText(op.x, y)
                text.setFont(op.font, op.size)
                text.setCharSpace(op.spacing)
                text.textOut(op.text)
                canvas.drawText(text)
            elif op.kind == "rule":
                canvas.setLineWidth(0.6)
                canvas.line(op.x, y, op.x + op.width, y - op.height)
            elif op.kind == "box":
                canvas.setStrokeColor(black)
                canvas.rect(op.x, y - op.height, op.width, op.height)
            else:
                canvas.setFillColor(grey)
                canvas.drawImage(_picture(), op.x, y - op.height, op.width, op.height)
                canvas.setFillColor(black)


def _picture() -> object:
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    return ImageReader(Image.new("L", (8, 8), 128))


def pdf_of(sheets: Iterable[tuple[Sheet, str]], rng: random.Random) -> bytes:
    """Return a PDF of the sheets, each in its stream order."""
    out = io.BytesIO()
    canvas = Canvas(out, pageCompression=1, invariant=1)
    for sheet, order in sheets:
        sheet.draw(canvas, order, rng)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def column_slots(
    x0: float,
    x1: float,
    tops: Sequence[float],
    bottom: float,
    style: Style,
    holes: Sequence[tuple[float, float, float, float]] = (),
    first_column: int = 0,
) -> list[Slot]:
    """Return the lines of equal columns; `tops` has one top a column, lines give way to `holes`."""
    count = len(tops)
    gutter, step = style.gutter * style.body, style.leading * style.body
    width = (x1 - x0 - gutter * (count - 1)) / count
    slots = []
    for number, top in enumerate(tops):
        left = x0 + number * (width + gutter)
        for row in range(int((bottom - top) / step)):
            y = top + row * step + style.body
            slot = _around(left, left + width, y, holes, style)
            if slot is not None:
                slots.append(Slot(*slot, column=first_column + number))
    return slots


def _around(
    left: float, right: float, y: float, holes: Sequence[tuple[float, float, float, float]], style: Style
) -> tuple[float, float, float] | None:
    for hx0, hy0, hx1, hy1 in holes:
        if hy0 - 2 <= y <= hy1 + style.body and hx0 < right and hx1 > left:
            if hx0 - left >= 6 * style.body:
                right = hx0 - 0.7 * style.body
            elif right - hx1 >= 6 * style.body:
                left = hx1 + 0.7 * style.body
            else:
                return None
    return left, y, right - left


@dataclass
class Gold:
    """What a page holds."""

    articles: list[dict[str, object]] = field(default_factory=list)
    adverts: list[str] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    style: str = ""
