"""A page that leads on at once is followed, and no other is decoded to find that out."""

from __future__ import annotations

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse
from scrapy.utils.test import get_crawler

from crawler.middlewares import SparingMetaRefreshMiddleware

LEADS = '<html><head><META HTTP-EQUIV="Refresh" CONTENT="0; URL=/new/"><title>党建</title></head></html>'
STAYS = "<html><head><title>党建</title></head><body>refreshing</body></html>"


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
