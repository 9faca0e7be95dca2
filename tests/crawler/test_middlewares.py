"""Downloader middlewares by themselves; how they work in a crawl is seen in test_spiders and the acceptance tests."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse
from scrapy.utils.test import get_crawler

from crawler.middlewares import InternalHostsMiddleware, PrivateHost, SparingMetaRefreshMiddleware
from crawler.resolver import internal_hosts

LEADS = '<html><head><META HTTP-EQUIV="Refresh" CONTENT="0; URL=/new/"><title>党建</title></head></html>'
STAYS = "<html><head><title>党建</title></head><body>refreshing</body></html>"
INTRANET, PUBLIC = "http://intranet.example/robots.txt", "https://news.example/robots.txt"


@pytest.fixture
def middleware() -> SparingMetaRefreshMiddleware:
    return SparingMetaRefreshMiddleware.from_crawler(get_crawler())


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_page_that_leads_on_is_followed_in_every_encoding(
    middleware: SparingMetaRefreshMiddleware, encoding: str
) -> None:
    request = Request("http://a.cn/old/")
    response = HtmlResponse(request.url, body=LEADS.encode(encoding), encoding=encoding, request=request)
    found = middleware.process_response(request, response)
    assert isinstance(found, Request)


def test_other_pages_go_on_as_they_are(middleware: SparingMetaRefreshMiddleware) -> None:
    request = Request("http://a.cn/old/")
    for text in (STAYS, STAYS.replace("refreshing", "x"), " " * 20_000 + LEADS):
        response = HtmlResponse(request.url, body=text.encode(), encoding="utf-8", request=request)
        assert middleware.process_response(request, response) is response


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> InternalHostsMiddleware:
    monkeypatch.setattr("crawler.middlewares.internal_hosts", internal_hosts | {"intranet.example"})
    batch = [SimpleNamespace(name="inside", internal=True), SimpleNamespace(name="outside", internal=False)]
    crawler: Any = SimpleNamespace(spider=SimpleNamespace(batch=batch))
    return InternalHostsMiddleware(crawler)


@pytest.mark.parametrize(
    ("url", "meta", "may"),
    [
        (INTRANET, {"source": "inside"}, True),
        (INTRANET, {"source": "outside"}, False),
        (INTRANET, {"source": "of another batch"}, False),
        (INTRANET, {}, True),
        (INTRANET, {"redirect_urls": [INTRANET]}, True),
        (INTRANET, {"redirect_urls": [PUBLIC]}, False),
        (INTRANET, {"redirect_urls": [PUBLIC, INTRANET]}, False),
        (INTRANET.upper(), {"redirect_urls": [PUBLIC]}, False),
        (PUBLIC, {"source": "outside"}, True),
        (PUBLIC, {}, True),
    ],
)
def test_no_public_host_leads_to_an_internal_one_not_even_by_its_robots_txt(
    guard: InternalHostsMiddleware, url: str, meta: dict[str, Any], may: bool
) -> None:
    request = Request(url, meta=meta)
    if may:
        guard.process_request(request)
    else:
        with pytest.raises(PrivateHost):
            guard.process_request(request)
