"""Articles that go on on another page of the same issue are one article."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler.items import ArticleItem
from crawler.pages.epapers.turns import join_parts, page_key, part_of
from store.fetched import FetchedPage

NOW = datetime(2026, 11, 20, tzinfo=UTC)
FIRST = "近日，云溪高新区把党支部建在产业链上，难题迎刃而解。\n“我们把车间当作自家的事，检查"
REST = "一遍再检查一遍。”检修班组王梅说。\n截至目前，云溪高新区已走访车间83处。"


def article(url: str, title: str, text: str, page: str, day: str = "2026-11-20") -> ArticleItem:
    body = FetchedPage(f"http://a/{url}", "epaper", b"<html>", NOW)
    return ArticleItem(body.url, title, text, published_at=day, page_number=page, page=body)


def joined(*items: ArticleItem) -> list[tuple[str, str, list[str]]]:
    parts = [part for item in items if (part := part_of(item))]
    assert len(parts) == len(items)
    return [(whole.title, whole.text, whole.flags) for whole, _ in join_parts(parts)]


@pytest.mark.parametrize(
    ("turn", "origin"),
    [
        ("（下转A8版）", "（上接A1版）"),
        ("下转第八版", "上接第一版"),
        ("(下转08版)", "（上接01版）"),
        ("【下转A08版·综合】", "紧接A01版"),
    ],
)
def test_two_halves_become_one_text_in_the_middle_of_a_sentence(turn: str, origin: str) -> None:
    pages = ("A01", "A08") if "A" in turn else ("01", "08")
    head = article("1.html", "云溪把支部建在产业链上", FIRST + turn, pages[0])
    tail = article("2.html", "云溪把支部建在产业链上", origin + REST, pages[1])
    assert joined(tail, head) == [("云溪把支部建在产业链上", FIRST + REST, [])]
    assert [page.url for page in head.more_pages] == ["http://a/2.html"]


def test_the_mark_may_stand_on_a_line_of_its_own_or_in_the_title() -> None:
    head = article("1.html", "云溪把支部建在产业链上", FIRST + "\n（下转A8版）", "A1")
    tail = article("2.html", "（上接A1版）", REST, "A8")
    assert joined(head, tail) == [("云溪把支部建在产业链上", FIRST + REST, [])]


def test_a_half_whose_other_half_is_not_there_stays_and_says_so() -> None:
    head = article("1.html", "云溪把支部建在产业链上", FIRST + "（下转A8版）", "A1")
    other_day = article("2.html", "云溪把支部建在产业链上", "（上接A1版）" + REST, "A8", "2026-11-19")
    found = joined(head, other_day)
    assert [(text, flags) for _, text, flags in found] == [(FIRST, ["continued"]), (REST, ["continued"])]


def test_of_two_continuations_on_one_page_the_title_decides() -> None:
    one = article("1.html", "云溪把支部建在产业链上", FIRST + "（下转A8版）", "A1")
    two = article("2.html", "柳川网格员走遍老旧小区", "柳川的网格员挨家走访。（下转A8版）", "A1")
    rest_two = article("3.html", "柳川网格员走遍老旧小区", "（上接A1版）隐患全部消除。", "A8")
    rest_one = article("4.html", "云溪把支部建在产业链上", "（上接A1版）" + REST, "A8")
    assert joined(one, two, rest_two, rest_one) == [
        ("云溪把支部建在产业链上", FIRST + REST, []),
        ("柳川网格员走遍老旧小区", "柳川的网格员挨家走访。\n隐患全部消除。", []),
    ]


def test_what_could_be_either_is_joined_to_neither() -> None:
    one = article("1.html", "云溪把支部建在产业链上", FIRST + "（下转A8版）", "A1")
    rests = [article(f"{n}.html", "（上接A1版）", REST, "A8") for n in (2, 3)]
    assert len(joined(one, *rests)) == 3


def test_three_parts_are_joined_in_their_order() -> None:
    one = article("1.html", "云溪把支部建在产业链上", "第一部分。（下转A2版）", "A1")
    two = article("2.html", "云溪把支部建在产业链上", "（上接A1版）第二部分。（下转A3版）", "A2")
    three = article("3.html", "云溪把支部建在产业链上", "（上接A2版）第三部分。", "A3")
    assert joined(one, two, three) == [("云溪把支部建在产业链上", "第一部分。\n第二部分。\n第三部分。", [])]


@pytest.mark.parametrize("text", ["他转行做了网格员。", "见第3版的报道。", "公司由盈转亏，下转平台升级"])
def test_other_words_are_no_marks(text: str) -> None:
    assert part_of(article("1.html", "云溪把支部建在产业链上", text, "A1")) is None


@pytest.mark.parametrize(
    ("a", "b"), [("A01", "a1"), ("08", "八"), ("十二", "12"), ("二十", "20"), ("010", "10")]
)
def test_ways_to_write_a_page_number_are_one(a: str, b: str) -> None:
    assert page_key(a) == page_key(b)
