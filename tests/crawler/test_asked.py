"""Each address is asked for once in a crawl."""

from __future__ import annotations

from scrapy import Request

from crawler.asked import AskedAddresses


def test_the_same_address_is_known_whatever_its_fragment_and_the_order_of_its_parameters() -> None:
    asked = AskedAddresses()
    first, second = "https://a.example/show?id=1&page=2", "https://a.example/党建/1.html"
    assert not asked.request_seen(Request(first))
    assert not asked.request_seen(Request(second))
    for same in ("https://a.example/show?page=2&id=1", f"{first}#text", f"{second}#top", second):
        assert asked.request_seen(Request(same))
    for other in ("https://a.example/show?id=1&page=3", "https://a.example/党建/2.html"):
        assert not asked.request_seen(Request(other))


def test_a_form_is_not_asked_for_twice_and_is_not_taken_for_another() -> None:
    asked = AskedAddresses()
    forms = [Request("https://a.example/api", method="POST", body=f"day={day}") for day in (1, 2)]
    assert [asked.request_seen(form) for form in forms * 2] == [False, False, True, True]
    assert not asked.request_seen(Request("https://a.example/api"))
