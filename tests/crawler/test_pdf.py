"""PDF pages as characters, rules, boxes and pictures."""

from __future__ import annotations

import io

import pytest
from reportlab.pdfgen.canvas import Canvas

from crawler.exceptions import PageNotUnderstood
from crawler.extract.pdf import PdfPage, read_pages
from tests.newspaper_pages.typeset import fonts


def page(*, rotate: int = 0, twice: bool = False) -> PdfPage:
    fonts()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(600, 800))
    canvas.setFont("STSong-Light", 20)
    canvas.drawString(100, 500, "云溪高新区1000元")
    if twice:
        canvas.drawString(100.6, 499.6, "云溪高新区1000元")
    canvas.line(50, 650, 550, 650)
    canvas.rect(50, 100, 200, 300)
    canvas.setPageRotation(rotate)
    canvas.showPage()
    canvas.save()
    ((found,), count) = read_pages(out.getvalue())
    assert count == 1
    return found


def test_characters_come_with_place_and_size_from_the_top_left() -> None:
    found = page()
    first = found.chars[0]
    assert (first.text, round(first.size)) == ("云", 20)
    assert (round(first.x0), round(first.y1 - 0.14 * 20)) == (100, 300)
    assert (found.glyphs, found.unmapped) == (10, 0)


@pytest.mark.parametrize("twice", [False, True])
def test_letters_printed_twice_are_read_once_and_doubled_digits_stay(twice: bool) -> None:
    assert "".join(c.text for c in page(twice=twice).chars) == "云溪高新区1000元"


def test_rules_and_boxes_are_told_apart() -> None:
    found = page()
    assert [round(r.width) for r in found.rules] == pytest.approx([501], abs=2)
    (box,) = found.boxes
    assert (box.width, box.height) == pytest.approx((200, 300), abs=3)


def test_a_turned_page_is_read_as_it_is_shown() -> None:
    found = page(rotate=90)
    assert (found.width, found.height) == (600, 800)
    assert (round(found.chars[0].y0, -1), 490 <= found.chars[0].x0 <= 500) == (100, True)


def test_what_is_no_pdf_is_refused() -> None:
    with pytest.raises(PageNotUnderstood) as caught:
        read_pages(b"PK\x03\x04")
    assert caught.value.reason == "bad_pdf"
