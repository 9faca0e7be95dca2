"""Second looks: kept pages read again by a better extractor, texts classified again, quarantine replayed, hand-ins added."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from crawler.context import CrawlContext
from crawler.exceptions import PageError
from crawler.fetching import fetch
from crawler.ingest import Origin, classify_article, incoming, ingest, place
from crawler.items import ArticleItem
from crawler.pages.reading import read_page, unread_parts
from store.articles import all_ids, reread_article
from store.database import Session, session_scope
from store.fetched import FetchedPage
from store.models import Article, Quarantine, RawPage
from store.pages import load_page, newest_page, quarantine

logger = logging.getLogger(__name__)


class NothingRead(Exception):
    """A hand-in that gave no article; the message says why and where it is kept."""


def origin_of(context: CrawlContext, source_id: int | None) -> Origin:
    """Return where a source's articles come from; an empty origin when the source is no longer configured."""
    by_id = {context.source_ids.get(source.name): source for source in context.sources}
    source = by_id.get(source_id) if source_id else None
    return Origin(source_id, source.publisher, source.zone) if source else Origin(source_id)


def reread(context: CrawlContext, ids: Sequence[int] | None = None) -> Counter[str]:
    """Read kept pages again and put what changed into their articles; return counts of changed, same, gone, failed."""
    done: Counter[str] = Counter()
    for article_id in _ids(context, ids):
        with session_scope(context.engine) as session:
            article = session.get_one(Article, article_id)
            done[_reread_one(context, session, article)] += 1
    return done


def _reread_one(context: CrawlContext, session: Session, article: Article) -> str:
    raw = session.get(RawPage, article.raw_page_id) if article.raw_page_id else None
    if raw is None:
        return "gone"
    try:
        item = next(item for item in read_whole(session, load_page(raw), context) if _same(item, article))
    except (PageError, StopIteration):
        return "failed"
    if _is_torn_off(item, article):
        return "same"
    values = incoming(item)
    values.published_at = values.published_at or _kept_time(article)
    for name in (
        "publisher",
        "page_number",
        "page_name",
    ):  # known from the source or the list where the page is silent
        setattr(values, name, getattr(values, name) or getattr(article, name))
    if not reread_article(article, values, context.now()):
        return "same"
    classify_article(article, context.classifier, origin_of(context, article.source_id))
    place(session, article, revised=True)
    return "changed"


def read_whole(session: Session, page: FetchedPage, context: CrawlContext) -> list[ArticleItem]:
    """Return the page's articles; one over several pages is joined from those that are kept."""
    from crawler.pages.portal import join_pages

    items = read_page(page, context.now())
    if len(items) != 1 or not items[0].page_urls:
        return items
    parts, seen = items, {page.url}
    while waiting := [url for part in parts for url in part.page_urls if url not in seen]:
        seen.add(waiting[0])
        kept = newest_page(session, waiting[0])
        if kept:
            parts = [*parts, *read_page(load_page(kept), context.now())[:1]]
    if len(parts) == 1:
        return items
    whole = join_pages(parts)
    whole.page = page
    return [whole]


def _is_torn_off(item: ArticleItem, article: Article) -> bool:
    """Return whether the page holds only a part of an article whose continuation was joined to it."""
    from crawler.pages.epapers.turns import part_of

    return part_of(item) is not None and "continued" not in article.flags


def _same(item: ArticleItem, article: Article) -> bool:
    return article.url_key.endswith(f"#{item.position}")


def _kept_time(article: Article) -> str | None:
    from store.articles import show_published

    return show_published(article)


def reclassify(context: CrawlContext, ids: Sequence[int] | None = None) -> Counter[str]:
    """Apply the present vocabulary to kept articles; return counts of changed and same verdicts."""
    done: Counter[str] = Counter()
    for article_id in _ids(context, ids):
        with session_scope(context.engine) as session:
            article = session.get_one(Article, article_id)
            before = _verdict(article)
            classify_article(article, context.classifier, origin_of(context, article.source_id))
            place(session, article)
            done["same" if _verdict(article) == before else "changed"] += 1
    return done


def _verdict(article: Article) -> tuple[bool, bool, float, frozenset[tuple[str, str]]]:
    return (
        article.relevant,
        article.borderline,
        round(article.score, 4),
        frozenset((tag.kind, tag.name) for tag in article.tags),
    )


def replay(context: CrawlContext, quarantine_ids: Iterable[int]) -> Counter[str]:
    """Read quarantined pages again; return counts of read and still unreadable pages."""
    _ = context.sources
    done: Counter[str] = Counter()
    for quarantine_id in quarantine_ids:
        with session_scope(context.engine) as session:
            row = session.get_one(Quarantine, quarantine_id)
            page = load_page(session.get_one(RawPage, row.raw_page_id))
            try:
                items = read_page(page, context.now())
            except PageError as error:
                row.reason, row.detail = error.reason, error.detail
                done["unreadable"] += 1
                continue
            for item in items:
                ingest(session, item, context.classifier, origin_of(context, row.source_id), context.now())
            row.resolved_at = context.now()
            done["read"] += 1
    return done


def add_input(
    context: CrawlContext, name: str, body: bytes | None = None, *, allow_private: bool = False
) -> list[tuple[str, int, str]]:
    """Add a file, an address or the bytes of standard input as a hand-in; return (outcome, article id, title) of each article.

    Raises NothingRead when it holds no article (an unreadable one is in quarantine then), FetchError and OSError.
    """
    page = _hand_in(context, name, body, allow_private)
    try:
        items = read_page(page, context.now())
    except PageError as error:
        with session_scope(context.engine) as session:
            quarantine(session, page, None, error.reason, error.detail, context.now())
        raise NothingRead(
            f"{name}: {error}; kept in quarantine, see `parknews article quarantine`"
        ) from error
    if not items:
        raise NothingRead(f"{name}: no article in it")
    unread = unread_parts(page)
    with session_scope(context.engine) as session:
        for part, why in unread:
            logger.warning("%s: %s; kept in quarantine", part.url, why)
            quarantine(session, part, None, why.reason, why.detail, context.now())
        added = [ingest(session, item, context.classifier, Origin(), context.now()) for item in items]
        return [(outcome, article.id, article.title) for article, outcome in added]


def _hand_in(context: CrawlContext, name: str, body: bytes | None, allow_private: bool) -> FetchedPage:
    now = context.now()
    if body is not None:
        digest = hashlib.sha256(body).hexdigest()[:16]
        return FetchedPage(f"file:hand-in/{digest}.txt", "handin", body, now)
    if name.startswith(("http://", "https://")):
        page = fetch(
            name,
            user_agent="parknews article add",
            timeout=context.config.crawl.timeout,
            allow_private=allow_private,
        )
        reader = "pdf" if page.body.startswith(b"%PDF") else "portal"
        return FetchedPage(page.url, reader, page.body, now, page.declared)
    path = Path(name)
    return FetchedPage(f"file:hand-in/{path.name}", "handin", path.read_bytes(), now)


def _ids(context: CrawlContext, ids: Sequence[int] | None) -> list[int]:
    _ = context.sources  # loading them writes; it must not wait for a transaction of our own
    if ids:
        return list(ids)
    with session_scope(context.engine) as session:
        return all_ids(session)
