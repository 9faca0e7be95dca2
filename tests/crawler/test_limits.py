"""Readers that crash, hang or eat memory do so in a child."""

from __future__ import annotations

import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from crawler.exceptions import NotAnArticle, PageNotUnderstood
from crawler.pages.limits import run_limited

if TYPE_CHECKING:
    from pathlib import Path

READERS = """
    import ctypes, os, time
    from crawler.exceptions import NotAnArticle, PageNotUnderstood
    from crawler.items import ArticleItem, Image

    def echo(body, url):
        return [ArticleItem(url=url, title=str(len(body)), text="文", images=[Image("a.jpg", "图")])]

    def sleep(body, url):
        time.sleep(30)

    def spin(body, url):
        while True:
            pass

    def pages(body, url):
        from crawler.extract.allowance import more_time

        for seconds in url.split(","):
            more_time()
            until = time.process_time() + float(seconds)
            while time.process_time() < until:
                pass
        return []

    def eat(body, url):
        return [bytearray(2_000_000_000)]

    def crash(body, url):
        ctypes.string_at(0)

    def leave(body, url):
        os._exit(3)

    def fail(body, url):
        raise ZeroDivisionError("oops")

    def nest(body, url):
        return nest(body, url)

    def refuse(body, url):
        raise PageNotUnderstood("encrypted", "needs a password")

    def notice(body, url):
        raise NotAnArticle("notice")

    def chatter(body, url):
        print("x" * 100)
        return []
"""


@pytest.fixture(autouse=True)
def readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "readers_for_test.py").write_text(textwrap.dedent(READERS), encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])


def test_items_come_back_whole() -> None:
    (item,) = run_limited("readers_for_test:echo", b"x" * 3_000_000, "u")
    assert (item.url, item.title, item.text) == ("u", "3000000", "文")
    assert item.images[0].caption == "图"


@pytest.mark.parametrize(
    ("reader", "reason"),
    [
        ("eat", "memory_limit"),
        ("crash", "reader_crashed"),
        ("leave", "reader_crashed"),
        ("fail", "reader_crashed"),
        ("nest", "too_deep"),
        ("refuse", "encrypted"),
        ("chatter", "reader_crashed"),
        ("unknown", "reader_crashed"),
    ],
)
def test_every_end_of_the_child_becomes_a_reason(reader: str, reason: str) -> None:
    with pytest.raises(PageNotUnderstood) as caught:
        run_limited(f"readers_for_test:{reader}", b"", "")
    assert caught.value.reason == reason


@pytest.mark.parametrize("reader", ["sleep", "spin"])
def test_a_reader_that_does_not_end_is_ended(reader: str) -> None:
    start = time.monotonic()
    with pytest.raises(PageNotUnderstood) as caught:
        run_limited(f"readers_for_test:{reader}", b"", "", seconds=1)
    assert caught.value.reason == "time_limit"
    assert time.monotonic() - start < 4


def test_a_page_without_articles_keeps_its_reason() -> None:
    with pytest.raises(NotAnArticle) as caught:
        run_limited("readers_for_test:notice", b"", "")
    assert caught.value.reason == "notice"


def test_each_page_of_a_file_has_its_own_time() -> None:
    assert run_limited("readers_for_test:pages", b"", "0.7,0.7,0.7", seconds=1, in_all=20) == []


def test_one_page_does_not_take_the_time_of_the_others() -> None:
    with pytest.raises(PageNotUnderstood, match="time_limit"):
        run_limited("readers_for_test:pages", b"", "0.1,9", seconds=1, in_all=20)
