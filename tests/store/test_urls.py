"""One address, one key."""

from __future__ import annotations

import pytest

from store.urls import url_key


@pytest.mark.parametrize(
    "url",
    [
        "https://example.cn/a/b.html",
        "http://www.example.cn/a/b.html",
        "https://EXAMPLE.cn:443/a//b.html#top",
        "https://example.cn/a/b.html?utm_source=wechat&spm=1.2",
    ],
)
def test_spellings_of_one_address_share_a_key(url: str) -> None:
    assert url_key(url) == "example.cn/a/b.html#0"


def test_parameters_that_choose_the_page_count_in_any_order() -> None:
    assert (
        url_key("http://e.cn/i?id=2&c=1")
        == url_key("http://e.cn/i?c=1&id=2")
        != url_key("http://e.cn/i?c=1&id=3")
    )


def test_articles_of_one_page_differ() -> None:
    assert url_key("http://e.cn/a.pdf", 1) != url_key("http://e.cn/a.pdf", 2)


def test_hand_ins_are_taken_as_they_are() -> None:
    assert url_key("file:inbox/简报 1.docx") == "file:inbox/简报 1.docx#0"
