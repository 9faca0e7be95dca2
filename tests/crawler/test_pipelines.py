"""Items on their way into the store: several a transaction, none lost for another's sake."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import datetime
from typing import Any

import pytest
from scrapy.crawler import Crawler
from scrapy.utils.test import get_crawler
from sqlalchemy import Engine, event, func, select, text

from crawler import pipelines
from crawler.classify.classify import load_classifier
from crawler.context import CrawlContext
from crawler.ingest import Origin, arrive, ingest_all
from crawler.items import ArticleItem, Image, UnreadPage
from crawler.pipelines import MOST_ITEMS, StorePipeline
from crawler.sources.kinds import PortalSource
from crawler.spiders.base import SourceSpider
from store.articles import known_urls, tag_names
from store.config import Config
from store.database import read_scope, session_scope
from store.fetched import FetchedPage
from store.models import Article, ArticleVersion, Quarantine, RawPage, Source, Story

BODY = "11月20日，宝鸡高新区党工委召开两新党建工作会议，{}名党员参加，会议研究了第{}街道的党建任务，要求各支部抓好落实。"


class Brake:
    """An engine of which only the stop is asked for."""

    reason = ""

    def close_spider(self, spider: Any, reason: str) -> None:
        self.reason = reason


class Desk:
    """A pipeline over a database, with a clock that stands still."""

    def __init__(self, engine: Engine, now: datetime) -> None:
        context = CrawlContext(Config(), now=lambda: now)
        context.__dict__["engine"] = engine
        with session_scope(engine) as session:
            session.add(Source(id=1, name="a", kind="portal", first_seen_at=now))
        context.source_ids["a"] = 1
        source = PortalSource(name="a", publisher="甲网", urls=["http://a.cn/"])
        self.crawler: Crawler = get_crawler(SourceSpider)
        self.crawler.spider = SourceSpider(sources=[source], context=context)
        self.brake = Brake()
        self.crawler.engine = self.brake  # type: ignore[assignment]
        self.pipeline = StorePipeline(self.crawler)
        self.tally = self.crawler.spider.tallies["a"]
        self.commits = 0
        self.engine = engine
        event.listen(engine, "commit", self._committed)

    def _committed(self, _: object) -> None:
        self.commits += 1

    def give(self, *items: ArticleItem | UnreadPage) -> None:
        """Hand items over as a crawl does."""

        async def hand_over() -> None:
            for one in items:
                self.pipeline.process_item(one)

        asyncio.run(hand_over())

    def urls(self) -> set[str]:
        with read_scope(self.engine) as session:
            return set(session.scalars(select(Article.url)))


@pytest.fixture
def desk(sqlite_engine: Engine, now: datetime) -> Desk:
    return Desk(sqlite_engine, now)


def item(number: int, now: datetime, **given: Any) -> ArticleItem:
    url = f"http://a.cn/{number}.html"
    made = ArticleItem(
        url, f"宝鸡高新区第{number}次党建工作会议召开", BODY.format(number * 13 + 7, number), source="a"
    )
    made.page = FetchedPage(url, "portal", f"page {number}".encode(), now)
    return dataclasses.replace(made, **given)


def test_items_wait_for_one_transaction_and_are_counted_once_it_is_done(desk: Desk, now: datetime) -> None:
    desk.give(*(item(number, now) for number in range(3)), UnreadPage("http://a.cn/x", "gone", source="a"))
    assert desk.urls() == set()
    assert desk.tally.new == 0
    desk.pipeline.close_spider()
    assert desk.commits == 1
    assert len(desk.urls()) == desk.tally.new == 3
    with read_scope(desk.engine) as session:
        assert known_urls(session, ["http://a.cn/x", "http://a.cn/y"]) == {"http://a.cn/x"}
    desk.pipeline.flush()
    assert desk.commits == 1


def test_a_full_batch_is_written_when_the_next_page_comes(desk: Desk, now: datetime) -> None:
    desk.give(*(item(number, now) for number in range(MOST_ITEMS + 1)))
    assert len(desk.urls()) == MOST_ITEMS


def test_the_articles_of_one_page_are_kept_together(desk: Desk, now: datetime) -> None:
    page = FetchedPage("http://a.cn/paper", "epaper", b"a whole page", now)
    many = MOST_ITEMS + 8
    desk.give(*(item(number, now, url=page.url, position=number, page=page) for number in range(many)))
    assert desk.commits == 0
    desk.pipeline.flush()
    assert (desk.commits, desk.tally.new) == (1, many)
    with read_scope(desk.engine) as session:
        assert session.scalar(select(func.count()).select_from(RawPage)) == 1


def test_large_pages_do_not_gather_in_memory(
    desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "MOST_BYTES", 10)
    desk.give(*(item(number, now) for number in range(4)))
    assert len(desk.urls()) == 2


def test_what_waits_is_kept_after_a_while_though_nothing_more_comes(
    desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "MOST_SECONDS", 0.01)

    async def wait() -> None:
        kept = asyncio.Event()
        event.listen(desk.engine, "commit", lambda _: kept.set())
        desk.pipeline.process_item(item(1, now))
        assert desk.commits == 0
        await asyncio.wait_for(kept.wait(), 20)

    asyncio.run(wait())
    assert desk.tally.new == 1


def test_an_item_that_cannot_be_kept_takes_no_other_with_it(desk: Desk, now: datetime) -> None:
    bad = item(1, now, images=[Image(url=object())])  # type: ignore[arg-type]
    desk.give(item(0, now), bad, item(2, now))
    desk.pipeline.flush()
    assert desk.urls() == {"http://a.cn/0.html", "http://a.cn/2.html"}
    assert (desk.tally.new, desk.tally.articles_failed) == (2, 1)
    assert desk.tally.first_error == "exception: http://a.cn/1.html: StatementError"
    assert desk.brake.reason == ""


def test_a_database_that_takes_nothing_more_ends_the_run_and_no_list_counts_as_dealt_with(
    desk: Desk, now: datetime
) -> None:
    with desk.engine.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count={pages + 1}"))
    desk.give(*(item(number, now, text=BODY * 200) for number in range(3)))
    desk.pipeline.flush()
    desk.give(item(7, now))
    desk.pipeline.close_spider()
    assert desk.brake.reason == "database_failed"
    assert (desk.tally.new, desk.tally.articles_failed, desk.tally.reasons["database_failed"]) == (0, 4, 4)


def test_unread_pages_are_quarantined_with_the_articles(desk: Desk, now: datetime) -> None:
    page = FetchedPage("http://a.cn/bad", "portal", b"?", now)
    desk.give(item(0, now), UnreadPage(page.url, "no_body", "", keep=True, source="a", page=page))
    desk.pipeline.flush()
    assert (desk.tally.new, desk.tally.unread, desk.tally.reasons["no_body"]) == (1, 1, 1)
    with read_scope(desk.engine) as session:
        assert session.scalars(select(Quarantine.url)).all() == [page.url]


def test_a_batch_stores_what_one_by_one_would(engine: Engine, now: datetime) -> None:
    """The same article twice, a changed one and twins of which one names no zone, in one transaction."""
    classifier, origin = load_classifier(None), Origin()
    told = "{}会议在产业园召开，58名党员参加，研究了红色驿站、网格管理和新就业群体党建的任务，要求各支部抓好落实并按月报告。"
    first = [
        item(1, now),
        item(2, now, title="宝鸡高新区召开两新党建工作会议", text=told.format("宝鸡高新区") * 3),
        item(3, now, title="**高新区召开两新党建工作会议", text=told.format("**高新区") * 3),
        item(1, now),
        item(1, now, text=BODY.format(99, 99)),
    ]
    with session_scope(engine) as session:
        done = ingest_all(session, [arrive(one, classifier, origin, now) for one in first])
        assert [outcome for _, outcome in done] == ["new", "new", "new", "seen", "revised"]
    with session_scope(engine) as session:
        a, b, c = session.scalars(select(Article).order_by(Article.id)).all()
        assert (a.version, a.text) == (2, BODY.format(99, 99))
        assert session.scalar(select(func.count()).select_from(ArticleVersion)) == 1
        assert b.story_id == c.story_id != a.story_id
        assert session.scalar(select(func.count()).select_from(Story)) == 2
        assert tag_names(c, "zone") == tag_names(b, "zone") == ["宝鸡高新区"]
        assert len({article.raw_page_id for article in (a, b, c)}) == 3
