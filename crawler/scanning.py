"""Scanned pages waiting in quarantine read by OCR: in the background, one file at a time, never inside a crawl."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence

from crawler.context import CrawlContext
from crawler.exceptions import NotAnArticle, PageError
from crawler.ingest import ingest
from crawler.items import ArticleItem
from crawler.pages.scanned import read_handin, read_limited
from crawler.rereading import origin_of
from store.database import read_scope, session_scope
from store.fetched import FetchedPage
from store.models import Quarantine, RawPage
from store.pages import load_page, quarantined

logger = logging.getLogger(__name__)


def waiting_scans(context: CrawlContext) -> list[int]:
    """Return the quarantine numbers of scanned pages whose source has `ocr = true`, oldest first."""
    wanted = {context.source_ids[s.name] for s in context.sources if getattr(s, "ocr", False)}
    if not wanted:
        return []
    with read_scope(context.engine) as session:
        rows = [row for row in quarantined(session) if row.reason == "scanned" and row.source_id in wanted]
        return sorted(row.id for row in rows)


def read_scans(
    context: CrawlContext,
    ids: Sequence[int] = (),
    limit: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Counter[str]:
    """Read the quarantined pages `ids`, or those that wait; return counts of articles, pages without one and failures.

    A page that cannot be read keeps its place in quarantine under the new reason and is not tried again by itself.
    """
    done: Counter[str] = Counter()
    chosen = list(ids) or waiting_scans(context)
    for quarantine_id in chosen[:limit]:
        if stop():
            break
        done += _read_one(context, quarantine_id)
    return done


def _read_one(context: CrawlContext, quarantine_id: int) -> Counter[str]:
    with read_scope(context.engine) as session:
        row = session.get_one(Quarantine, quarantine_id)
        page = load_page(session.get_one(RawPage, row.raw_page_id))
    items: list[ArticleItem] = []
    wrong: PageError | None = None
    try:  # minutes: no transaction is open meanwhile
        items = _read(page)
    except PageError as error:
        wrong = error
        logger.warning("%s: %s", page.url, error)
    return _keep(context, quarantine_id, items, wrong)


def _read(page: FetchedPage) -> list[ArticleItem]:
    items = (read_handin if page.reader == "handin" else read_limited)(page.url, page.body)
    for position, item in enumerate(items):
        item.position = position if len(items) > 1 else 0
        item.page = page
    return items


def _keep(
    context: CrawlContext, quarantine_id: int, items: list[ArticleItem], wrong: PageError | None
) -> Counter[str]:
    with session_scope(context.engine) as session:
        row = session.get_one(Quarantine, quarantine_id)
        if wrong and not isinstance(wrong, NotAnArticle):
            row.reason, row.detail = wrong.reason, f"OCR: {wrong.detail}"
            return Counter(failed=1)
        origin = origin_of(context, row.source_id)
        for item in items:
            item.publisher = item.publisher or origin.outlet
            ingest(session, item, context.classifier, origin, context.now())
        row.resolved_at = context.now()
    return Counter(article=len(items)) if items else Counter(without_article=1)
