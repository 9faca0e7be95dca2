"""Scanned pages: quarantined with the command that helps; read in the background when the extra is there."""

from __future__ import annotations

import io
import random

import pypdfium2
import pytest
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import select

from crawler.exceptions import PageNotUnderstood
from crawler.extract.blocks import cut_page
from crawler.extract.scans import ReadLine, page_of_lines
from crawler.pages.newspaper import read_pdf
from crawler.pages.scanned import is_installed, read_limited
from store.database import read_scope
from store.models import Article, Quarantine
from tests.loopback import Office, Site
from tests.newspaper_pages.simple import simple_page
from tests.newspaper_pages.typeset import pdf_of

with_engine = pytest.mark.skipif(not is_installed(), reason="the extra `ocr` is not installed")


def scanned(pdf: bytes, dpi: int = 150) -> bytes:
    """The first page of a PDF as a scanner would give it: one picture, no text."""
    page = pypdfium2.PdfDocument(pdf)[0]
    width, height = page.get_size()
    picture, made = io.BytesIO(), io.BytesIO()
    page.render(scale=dpi / 72).to_pil().convert("L").save(picture, "JPEG", quality=75)
    picture.seek(0)
    canvas = Canvas(made, pagesize=(width, height))
    canvas.drawImage(ImageReader(picture), 0, 0, width, height)
    canvas.save()
    return made.getvalue()


def a_scan() -> bytes:
    return scanned(pdf_of([(simple_page(), "flow")], random.Random(1)))


def test_a_scanned_page_is_refused_with_the_command_that_helps() -> None:
    with pytest.raises(PageNotUnderstood) as caught:
        read_pdf(a_scan(), "u")
    assert caught.value.reason == "scanned"
    assert "pip install 'parknews[ocr]'" in caught.value.detail
    assert "parknews article ocr" in caught.value.detail


def test_lines_read_from_a_picture_are_cut_like_a_page() -> None:
    text = "近日云溪高新区把党支部建在产业链上工程师和网格员结成"
    left = [ReadLine(text, 24, y, 24 + 9.2 * len(text), y + 12.0) for y in range(180, 300, 13)]
    right = [ReadLine(text, 300, y, 300 + 9.2 * len(text), y + 12.3) for y in range(180, 287, 13)]
    end = ReadLine("对子，难题迎刃而解。", 300, 297, 300 + 92, 309)
    headline = ReadLine("云溪把支部建在产业链上", 100, 120, 100 + 330, 160)
    unsure = ReadLine("#%&", 24, 600, 60, 612, score=0.2)
    page = page_of_lines(0, 600, 800, [headline, *left, *right, end, unsure])
    assert len({char.size for char in page.chars}) == 2
    (article,) = cut_page(page).articles
    assert article.title == "云溪把支部建在产业链上"
    assert article.text == text * (len(left) + len(right)) + "对子，难题迎刃而解。"


@with_engine
@pytest.mark.slow
def test_a_scanned_page_is_read_into_its_article() -> None:
    (item,) = read_limited("http://a/b.pdf", a_scan())
    assert item.title == "云溪把支部建在产业链上"
    assert (item.publisher, item.published_at, item.page_number) == ("青岚日报", "2025-07-14", "A03")
    assert "\n近日，云溪高新区把党支部建在产业链上，工程师和网格员结成对子" in item.text
    assert "ocr" in item.flags
    assert item.confidence < 0.8


@pytest.mark.parametrize("switch", ["true", "false"])
def test_scans_of_sources_with_the_switch_wait_for_the_background(
    site: Site, office: Office, switch: str
) -> None:
    site.pages["/a.pdf"] = (200, {"Content-Type": "application/pdf"}, a_scan())
    office.write_sources(
        f'[[source]]\nname = "paper"\nkind = "pdf"\npublisher = "青岚日报"\nurls = ["{site.root}/a.pdf"]\n'
        f"internal = true\nocr = {switch}\n"
    )
    office.run("parknews", "crawl")
    with read_scope(office.engine) as session:
        assert session.scalars(select(Quarantine.reason)).all() == ["scanned"]
        assert session.scalars(select(Article)).all() == []
    done = office.run("parknews", "article", "ocr", "--limit", "1")
    if not is_installed():
        assert done.returncode != 0
        assert "pip install 'parknews[ocr]'" in done.stderr
    elif switch == "false":
        assert done.stdout.strip() == "nothing to do"
    else:
        assert done.stdout.strip() == "1 article", done.stderr
        with read_scope(office.engine) as session:
            (article,) = session.scalars(select(Article)).all()
            assert "ocr" in article.flags
            assert session.scalars(select(Quarantine.resolved_at)).one() is not None
