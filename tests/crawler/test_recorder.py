"""What a visit's record says of articles that could not be kept."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scrapy.crawler import Crawler
from scrapy.extension import ExtensionManager
from twisted.python.failure import Failure

from crawler.context import CrawlContext
from crawler.extensions import CrawlRecorder
from crawler.hostlease import HostLease
from crawler.items import ArticleItem
from crawler.sources.kinds import PortalSource
from crawler.spiders.base import SourceSpider
from crawler.tally import judge
from store.config import Config
from store.database import make_engine


def test_an_article_that_cannot_be_stored_keeps_its_list_from_passing_as_dealt_with() -> None:
    source = PortalSource(name="baoji", publisher="宝鸡新闻网", urls=["http://news.example.cn/"])
    spider = SourceSpider(sources=[source], context=CrawlContext(Config()))
    recorder = CrawlRecorder(Crawler(SourceSpider))
    tally = spider.tallies["baoji"]
    tally.lists, tally.links, tally.pages = 1, 1, 1

    item = ArticleItem("http://news.example.cn/1", "标题", "正文", source="baoji")
    recorder.item_failed(item, spider, Failure(RuntimeError("no such table")))  # type: ignore[no-untyped-call]

    assert tally.articles_failed == 1
    assert tally.first_error == "exception: http://news.example.cn/1: RuntimeError"
    assert judge(tally, "finished").outcome == "failed"


SOURCE = PortalSource(name="baoji", publisher="宝鸡新闻网", urls=["http://news.example.cn/"])


def test_nothing_is_visited_without_a_lease_and_a_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    context = CrawlContext(Config(base=str(tmp_path)))
    context.__dict__["engine"] = make_engine(f"sqlite:///{tmp_path}/empty.db")
    for extension in (HostLease(Crawler(SourceSpider)), CrawlRecorder(Crawler(SourceSpider))):
        spider = SourceSpider(sources=[SOURCE], context=context)
        extension.crawler.extensions = ExtensionManager(crawler=extension.crawler)
        extension.spider_opened(spider)
        assert spider.batch == []
        assert dict(spider.tallies["baoji"].reasons) == {"database_failed": 1}
        if isinstance(extension, CrawlRecorder):
            extension.spider_closed(spider, "finished")
            assert spider.tallies["baoji"].unrecorded
    told = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert len(told) == 2
    assert all("no such table" in line for line in told)
    assert "Traceback" not in caplog.text


def test_nothing_is_visited_at_a_moment_that_cannot_be() -> None:
    context = CrawlContext(Config(), now=lambda: datetime(1970, 1, 1, tzinfo=UTC))
    spider = SourceSpider(sources=[SOURCE], context=context)
    assert spider.batch == []
    assert dict(spider.tallies["baoji"].reasons) == {"wrong_clock": 1}
