"""Items into the store: articles with tags and story, unread pages with their reason."""

from __future__ import annotations

import logging
from typing import Any, Self

from crawler.ingest import Origin, ingest
from crawler.items import ArticleItem, UnreadPage
from crawler.spiders.base import SourceSpider
from store.articles import pass_url
from store.database import OperationalError, session_scope
from store.pages import quarantine

logger = logging.getLogger(__name__)


class StorePipeline:
    """One short transaction an item. A database that stays locked or full ends the run instead of losing articles."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Build the pipeline for this crawl."""
        return cls(crawler)

    def process_item(self, item: ArticleItem | UnreadPage) -> ArticleItem | UnreadPage:
        """Keep the item and count what became of it."""
        spider: SourceSpider = self.crawler.spider
        tally = spider.tallies[item.source or ""]
        try:
            if isinstance(item, UnreadPage):
                self._note(item)
                tally.reasons[item.reason] += item.page is not None
                tally.unread += item.keep and not self._waits(item)
            else:
                outcome, relevant = self._keep(item)
                setattr(tally, outcome, getattr(tally, outcome) + 1)
                if outcome == "new":
                    tally.note_article(item, relevant=relevant)
        except OperationalError as error:
            logger.critical("the database takes nothing more: %s", str(error.orig))
            self.crawler.engine.close_spider(spider, "database_failed")
            raise
        return item

    def _waits(self, item: UnreadPage) -> bool:
        """Return whether a scanned page is no failure of the visit: it is read later, in the background."""
        if item.reason != "scanned":
            return False
        return any(getattr(s, "ocr", False) for s in self.crawler.spider.batch if s.name == item.source)

    def _keep(self, item: ArticleItem) -> tuple[str, bool]:
        context = self.crawler.spider.context
        source = next(source for source in self.crawler.spider.batch if source.name == item.source)
        origin = Origin(context.source_ids[source.name], source.publisher, source.zone)
        with session_scope(context.engine) as session:
            article, outcome = ingest(session, item, context.classifier, origin, context.now())
            return outcome, article.relevant

    def _note(self, item: UnreadPage) -> None:
        context = self.crawler.spider.context
        with session_scope(context.engine) as session:
            if item.keep and item.page:
                quarantine(
                    session,
                    item.page,
                    context.source_ids[item.source or ""],
                    item.reason,
                    item.detail,
                    context.now(),
                )
            pass_url(session, item.url, item.reason, context.now())
