from __future__ import annotations

import random
from urllib.parse import urljoin, urlsplit

import pytest

from crawler.pages.base import join

PIECES = (
    *("a", "b.html", "t2024_1.html", "..", ".", "/", "//", "?", "x=1", "&", ";p", "http://", "https://h.cn", "HTTP://H.cn"),
    *("中", "%20", ":", "~", "+", "=", ",", "-", "_", "./", "../", "@", ".a", "a.", "1:2", "?a=b/c"),
)  # fmt: skip
BASES = (
    "http://a.cn", "http://a.cn/", "https://a.cn:80/x/y/z.html?q=1", "http://a.cn/x//y/./z/../w/", "HTTP://A.cn/x", "http://a.cn/a;b/c",
    "http://a.cn?x=/y/z", "http://中.cn/x", "http://u:p@a.cn/x/y",
)  # fmt: skip


def test_plain_addresses_are_resolved_as_all_others_are() -> None:
    chance = random.Random(11)
    for _ in range(20_000):
        address = "".join(chance.choices(PIECES, k=chance.randint(1, 6)))
        base = chance.choice(BASES)
        whole = urljoin(base, address)
        parts = urlsplit(whole)
        expected = whole if parts.scheme in {"http", "https"} and parts.netloc else None
        assert join(base, address) == expected, (base, address)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("./202406/t1.html", "http://a.cn/x/202406/t1.html"),
        ("../t1.html?id=2", "http://a.cn/t1.html?id=2"),
        ("/art/2024/6/1/art_1.html", "http://a.cn/art/2024/6/1/art_1.html"),
        ("https://b.cn/t.html#top", "https://b.cn/t.html"),
        (" t1\n.html ", "http://a.cn/x/t1.html"),
        ("//b.cn/t", "http://b.cn/t"),
        ("javascript:void(0)", None),
        ("ftp://b.cn/t", None),
        ("#top", None),
        ("", None),
    ],
)
def test_references_become_absolute_web_addresses_or_nothing(address: str, expected: str | None) -> None:
    assert join("http://a.cn/x/y.html", address) == expected


def test_a_path_stays_a_path_where_the_page_has_no_address() -> None:
    assert join("", "/t/1.html") == "/t/1.html"
    assert join("", "http://a.cn/t") == "http://a.cn/t"
