"""Scanned newspaper pages: pictures of text, read by the optional extra `parknews[ocr]` and cut like any page.

Reading takes half a minute to several minutes a page and up to 1.3 GB; it belongs into a child process in the background
(`read_limited`), never into a crawl.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from crawler.exceptions import NotAnArticle, PageError, PageNotUnderstood
from crawler.extract.allowance import more_time
from crawler.extract.pdf import MAX_BYTES, MAX_PAGES, PdfPage
from crawler.extract.scans import TALL, ReadLine, page_of_lines
from crawler.items import ArticleItem

INSTALL = "pip install 'parknews[ocr]'"
#: Processor time for one page (36-60 s were measured on a slow core) and for a file; address space for the models' runtime.
SECONDS, IN_ALL, MEGABYTES = 600.0, 7200.0, 6000
#: Dots per inch the page is looked at: running text of 9 points is 19 dots high, the models see 48.
_DPI = 150
#: A picture larger than this is looked at more coarsely.
_MAX_DOTS = 8_000
#: What OCR reads is less sure than what was printed as text.
_TRUST = 0.8
Reader = Callable[[Any], list[ReadLine]]


def is_installed() -> bool:
    """Return whether the engine of the extra is there."""
    return find_spec("rapidocr") is not None


def read_limited(url: str, body: bytes) -> list[ArticleItem]:
    """Return the articles of a scanned PDF, read in a child of lowest priority; `position` counts through the file.

    Raises PageNotUnderstood("scanned") with the command to run when the extra is missing, else as `run_limited` does.
    """
    from crawler.pages.limits import run_limited

    if not is_installed():
        raise PageNotUnderstood("scanned", INSTALL)
    return run_limited(
        "crawler.pages.scanned:read_scan", body, url, seconds=SECONDS, in_all=IN_ALL, megabytes=MEGABYTES
    )


def read_handin(name: str, body: bytes) -> list[ArticleItem]:
    """Return the articles of a hand-in whose PDFs may be scanned; parts that are no scans are read as always."""
    from crawler.pages.handins import open_handin, read_part

    items: list[ArticleItem] = []
    wrong: list[PageError] = []
    for part in open_handin(name, body):
        try:
            items += read_part(part)
        except PageError as error:
            if error.reason != "scanned":
                wrong.append(error)
                continue
            items += read_limited(part.url or part.name, part.body)
    if not items:
        raise wrong[0] if wrong else NotAnArticle("empty", name)
    return items


def read_scan(body: bytes, url: str) -> list[ArticleItem]:
    """Return the articles of the pictures in a PDF: the form `run_limited` calls. Every article is flagged `ocr`."""
    import os

    from crawler.pages.newspaper import NewspaperPdf

    os.nice(19)
    items = NewspaperPdf(body, url).items_of(_pages(body, _engine()))
    for item in items:
        item.confidence = round(item.confidence * _TRUST, 2)
        item.flags = sorted({*item.flags, "ocr"})
    return items


def _pages(body: bytes, read: Reader) -> list[PdfPage]:
    import pypdfium2

    if len(body) > MAX_BYTES:
        raise PageNotUnderstood("too_large", f"{len(body)} bytes")
    try:
        document = pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as error:
        raise PageNotUnderstood("bad_pdf", str(error)) from error
    pages = []
    for number in range(min(len(document), MAX_PAGES)):
        more_time()
        pages.append(_read_page(document[number], number, read))
    return pages


def _read_page(page: Any, number: int, read: Reader) -> PdfPage:
    width, height = page.get_size()
    if not (10 < width < 20_000 and 10 < height < 20_000):
        raise PageNotUnderstood("bad_pdf", f"page of {width:.0f} x {height:.0f} points")
    scale = min(_DPI / 72, _MAX_DOTS / max(width, height))
    picture = page.render(scale=scale, rev_byteorder=False).to_numpy()
    lines = [_scaled(line, 1 / scale) for line in read(picture)]
    return page_of_lines(number, width, height, lines)


def _scaled(line: ReadLine, k: float) -> ReadLine:
    return ReadLine(
        line.text, k * line.x0, k * line.y0, k * line.x1, k * line.y1, line.score, vertical=line.vertical
    )


def _engine() -> Reader:
    """Return the reader of pictures: one thread, no files written, no network; its models come with the package."""
    try:
        make = import_module("rapidocr").RapidOCR
    except ImportError as error:
        raise PageNotUnderstood("scanned", INSTALL) from error
    engine = make(
        params={
            "Global.max_side_len": _MAX_DOTS,
            "Global.use_cls": False,
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Det.max_candidates": 5000,
        }
    )
    return lambda picture: _read_picture(engine, picture)


def _read_picture(engine: Any, picture: Any) -> list[ReadLine]:
    found = engine(picture, use_det=True, use_cls=False, use_rec=True)
    if found.boxes is None:
        return []
    deadline = time.monotonic() + SECONDS / 3
    lines = []
    for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
        xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
        line = ReadLine(str(text), min(xs), min(ys), max(xs), max(ys), float(score))
        if line.y1 - line.y0 > TALL * (line.x1 - line.x0) and time.monotonic() < deadline:
            line = _read_upright(engine, picture, line)
        lines.append(line)
    return lines


def _read_upright(engine: Any, picture: Any, line: ReadLine) -> ReadLine:
    """Read a vertical line letter by letter: the models know lines that run from left to right only."""
    letters, sure = "", []
    cuts = _letter_bands(picture, line)
    for top, bottom in cuts:
        crop = picture[top:bottom, int(line.x0) : int(line.x1) + 1]
        if min(crop.shape[:2]) < 8:
            continue
        found = engine(crop, use_det=False, use_cls=False, use_rec=True)
        text = "".join(found.txts or ())[:1]
        if text:
            letters += text
            sure.append(float(found.scores[0]))
    score = sum(sure) / len(sure) if sure else 0.0
    return ReadLine(letters, line.x0, line.y0, line.x1, line.y1, score, vertical=True)


def _letter_bands(picture: Any, line: ReadLine) -> Sequence[tuple[int, int]]:
    """Return top and bottom of each letter of a vertical line: bands of ink, halves of one letter put together."""
    top, bottom = int(line.y0), int(line.y1) + 1
    gray = picture[top:bottom, int(line.x0) : int(line.x1) + 1].mean(axis=2)
    dark, light = float(gray.min()), float(gray.max())
    threshold = (dark + light) / 2
    ink = (gray < threshold) if (gray < threshold).mean() < 0.5 else (gray >= threshold)
    rows = ink.any(axis=1)
    bands: list[list[int]] = []
    for y, inked in enumerate(rows):
        if not inked:
            continue
        if bands and y - bands[-1][1] <= 1:
            bands[-1][1] = y + 1
        else:
            bands.append([y, y + 1])
    return [(top + max(0, a - 3), top + b + 3) for a, b in _letters(bands, line.x1 - line.x0)]


def _letters(bands: list[list[int]], width: float) -> list[list[int]]:
    """Join bands while together they are no higher than a letter is wide."""
    joined: list[list[int]] = []
    for a, b in bands:
        if joined and b - joined[-1][0] <= 0.92 * width:
            joined[-1][1] = b
        else:
            joined.append([a, b])
    return joined
