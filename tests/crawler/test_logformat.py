"""What a crawl's log says of every page and item."""

from __future__ import annotations

from typing import Any

import pytest
from scrapy import Request
from scrapy.http import Response
from scrapy.utils.test import get_crawler

from crawler.items import ArticleItem, UnreadPage
from crawler.logformat import ShortLogFormatter

URL = "https://news.example/a/1.html"


@pytest.mark.parametrize(("level", "lines"), [("DEBUG", 3), (10, 3), ("INFO", 0), ("WARNING", 0), (30, 0)])
def test_pages_and_items_have_a_line_where_somebody_reads_it(level: Any, lines: int) -> None:
    formatter = ShortLogFormatter.from_crawler(get_crawler(settings_dict={"LOG_LEVEL": level}))
    response = Response(URL)
    made = [
        formatter.crawled(Request(URL), response, None),
        formatter.scraped(ArticleItem(URL, "高新区召开党建会", "全文" * 500), response, None),
        formatter.scraped(UnreadPage(URL, "empty"), response, None),
    ]
    said = [str(line["msg"]) % line["args"] for line in made if line]
    assert len(said) == lines
    assert all(URL in text and "全文" not in text for text in said)
