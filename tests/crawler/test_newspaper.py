"""Page PDFs of newspapers as items: what stands where, turns, notices, damaged and hostile files."""

from __future__ import annotations

import io
import random

import pytest
from reportlab.pdfgen.canvas import Canvas

from crawler.exceptions import NotAnArticle, PageError, PageNotUnderstood
from crawler.pages.limits import run_limited
from crawler.pages.newspaper import NewspaperPdf, read_pdf
from tests.newspaper_pages import hostile
from tests.newspaper_pages.layouts import ORDERS, notices_pdf, page_pdf, turned_pdf
from tests.newspaper_pages.scoring import Score, f1
from tests.newspaper_pages.simple import simple_page
from tests.newspaper_pages.typeset import Sheet, Style, column_slots, fonts, pdf_of

READER = "crawler.pages.newspaper:read_pdf"


def _reason(body: bytes, **limits: float) -> str:
    try:
        run_limited(READER, body, "u", **limits)  # type: ignore[arg-type]
    except PageError as error:
        return error.reason
    return "ok"


def test_an_article_carries_everything_its_page_shows() -> None:
    (item,) = NewspaperPdf(pdf_of([(simple_page(), "flow")], random.Random(1)), "http://a/b.pdf").to_items()
    assert item.title == "云溪把支部建在产业链上"
    assert item.kicker == "云溪高新区创新机制"
    assert item.subtitle == "——车间里的先锋岗"
    assert item.author == "王明华 李思远"
    assert (item.page_number, item.page_name, item.publisher) == ("A03", "党建周刊", "青岚日报")
    assert item.published_at == "2025-07-14"
    assert item.url == "http://a/b.pdf"
    assert [p[:3] for p in item.text.split("\n")] == ["近日，", "“我们", "截至目"]
    assert item.flags == []
    assert item.confidence > 0.7


@pytest.mark.parametrize("box", [(24, 56, 716, 172), (20, 176, 720, 340)], ids=["headline's ground", "tint"])
def test_a_box_behind_part_of_an_article_does_not_cut_it(box: tuple[float, float, float, float]) -> None:
    sheet = simple_page()
    sheet.box(*box)
    (item,) = read_pdf(pdf_of([(sheet, "flow")], random.Random(1)), "u")
    assert item.title == "云溪把支部建在产业链上"
    assert item.text.startswith("近日，云溪高新区")


def test_lines_of_text_that_begin_with_a_word_of_the_trade_stay() -> None:
    fonts()
    sheet = Sheet(740, 1060, Style(body=10.0, indent=0.0))
    sheet.line("园区统筹资源服务企业", 30, 90, 24, "STSong-Light", "one/head")
    text = "统筹资源统筹力量统筹项目编辑方案策划活动值守岗位逐项落实，" * 8 + "效率明显提高。"
    sheet.fill([text], column_slots(30, 330, [110], 400, sheet.style), "one")
    (item,) = read_pdf(pdf_of([(sheet, "flow")], random.Random(1)), "u")
    assert item.text == text


def test_untitled_text_gets_its_title_from_the_text_and_a_flag() -> None:
    fonts()
    sheet = Sheet(740, 1060, Style(body=10.0))
    paragraph = "近日，云溪高新区把党支部建在产业链上，工程师和网格员结成对子，难题迎刃而解。" * 6
    sheet.fill([paragraph], column_slots(30, 330, [110], 400, sheet.style), "one")
    (item,) = read_pdf(pdf_of([(sheet, "flow")], random.Random(1)), "u")
    assert item.title == "近日，云溪高新区把党支部建在产业链上"
    assert {"title_from_text", "unsure_title"} <= set(item.flags)


@pytest.mark.parametrize("order", sorted(set(ORDERS)))
def test_every_order_of_the_content_stream_is_read(order: str) -> None:
    pdf, gold = page_pdf(6, order)
    score = Score()
    wrong = score.add(gold.articles, gold.adverts, read_pdf(pdf, "u"))
    assert len(wrong) <= 1, wrong


def test_an_article_that_turns_to_another_page_comes_as_one() -> None:
    pdf, gold = turned_pdf(3)
    items = read_pdf(pdf, "u")
    whole = next(item for item in items if item.title == gold.articles[0]["title"])
    assert f1(str(gold.articles[0]["body"]), whole.text) > 0.97
    assert "下转" not in whole.text
    assert [item.position for item in items] == list(range(len(items)))
    assert len(items) == 3


def test_a_page_of_notices_holds_no_article() -> None:
    with pytest.raises(NotAnArticle) as caught:
        read_pdf(notices_pdf(1), "u")
    assert caught.value.reason == "notice"


def _pdf_with(draw: str) -> bytes:
    fonts()
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(700, 1000))
    if draw == "picture":
        from tests.newspaper_pages.typeset import _picture

        canvas.drawImage(_picture(), 0, 0, 700, 1000)
    elif draw == "latin":
        for row in range(40):
            canvas.drawString(
                40, 900 - 12 * row, "The quick brown fox jumps over the lazy dog again and again"
            )
    elif draw == "wrong map":
        letters = [chr(0x4E00 + 37 * i % 6000) for i in range(2000)]
        canvas.setFont("STSong-Light", 9)
        for row in range(50):
            canvas.drawString(40, 950 - 12 * row, "".join(letters[40 * row : 40 * row + 40]))
    canvas.showPage()
    canvas.save()
    return out.getvalue()


@pytest.mark.parametrize(
    ("draw", "reason"),
    [("picture", "scanned"), ("latin", "bad_unicode"), ("wrong map", "bad_unicode")],
)
def test_pages_without_chinese_text_are_refused(draw: str, reason: str) -> None:
    with pytest.raises(PageNotUnderstood) as caught:
        read_pdf(_pdf_with(draw), "u")
    assert caught.value.reason == reason


def test_an_empty_page_is_no_article() -> None:
    with pytest.raises(NotAnArticle) as caught:
        read_pdf(_pdf_with("nothing"), "u")
    assert caught.value.reason == "empty"


def test_files_that_cannot_be_read_say_why() -> None:
    whole = pdf_of([(simple_page(), "flow")], random.Random(1))
    assert _reason(hostile.encrypted()) == "encrypted"
    assert _reason(whole[: len(whole) // 2]) == "bad_pdf"
    assert _reason(b"") == "bad_pdf"
    assert _reason(b"<html>") == "bad_pdf"


def test_files_made_to_hurt_end_within_the_limits() -> None:
    assert _reason(hostile.many_pages(300)) == "too_large"
    assert _reason(hostile.stream_bomb(80)) in {"memory_limit", "too_large"}
    assert _reason(hostile.nested_bomb(700)) in {"memory_limit", "bad_pdf", "empty"}


@pytest.mark.slow
def test_twenty_thousand_objects_and_two_thousand_pages_end_within_the_limits() -> None:
    assert _reason(hostile.many_objects(20_000)) in {"ok", "picture_only", "time_limit"}
    assert _reason(hostile.many_pages(2_000)) == "too_large"


def _mutants(count: int) -> None:
    whole = pdf_of([(simple_page(), "flow")], random.Random(1))
    known = PageNotUnderstood.reasons | NotAnArticle.reasons | {"ok"}
    for seed in range(count):
        reason = _reason(hostile.mutant(whole, seed), seconds=5)
        assert reason in known
        assert reason not in {"reader_crashed", "time_limit"}, seed


def test_damaged_files_have_a_reason() -> None:
    _mutants(8)


@pytest.mark.slow
def test_two_hundred_damaged_files_have_a_reason() -> None:
    _mutants(200)
