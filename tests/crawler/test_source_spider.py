"""What the spider sees to before the first request."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator

import pytest
from scrapy import Request
from scrapy.utils.test import get_crawler
from sqlalchemy import Engine

from crawler.context import CrawlContext
from crawler.sources.kinds import PortalSource
from crawler.spiders.base import COLLECT_AFTER, SourceSpider
from store.config import Config


@pytest.fixture
def usual_collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("usual_collector")
def test_a_visit_asks_for_its_lists_and_has_cycles_looked_for_rarely(sqlite_engine: Engine) -> None:
    context = CrawlContext(Config())
    context.__dict__.update(engine=sqlite_engine, sources=[])
    source = PortalSource(name="a", publisher="甲网", urls=["http://a.cn/1/", "http://a.cn/2/"])
    spider = SourceSpider.from_crawler(get_crawler(SourceSpider), sources=[source], context=context)

    async def begin() -> list[str]:
        return [one.url async for one in spider.start() if isinstance(one, Request)]

    assert asyncio.run(begin()) == source.urls
    assert gc.get_threshold() == COLLECT_AFTER
    assert gc.isenabled()
