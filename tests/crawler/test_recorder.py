"""What a visit's record says of articles that could not be kept."""

from __future__ import annotations

from scrapy.crawler import Crawler
from twisted.python.failure import Failure

from crawler.context import CrawlContext
from crawler.extensions import CrawlRecorder
from crawler.items import ArticleItem
from crawler.sources.kinds import PortalSource
from crawler.spiders.base import SourceSpider
from crawler.tally import judge
from store.config import Config


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
