"""Articles: added once, revised when their text changes, tagged, found again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, make_transient_to_detached

from store.database import among
from store.models import Article, ArticleTag, ArticleVersion, PassedUrl
from store.search_index import note as note_for_search
from store.text import clean_line, clean_text
from store.urls import url_key

#: Chinese pages give their times in this zone unless they say otherwise.
PAGE_ZONE = ZoneInfo("Asia/Shanghai")
#: A page's clock may run ahead of ours by this much before its date counts as one in the future.
FUTURE_TOLERANCE = timedelta(hours=1)
#: Longest text kept of one article; the longest real one measured has 31,000 characters.
MAX_TEXT = 400_000
MAX_TITLE = 500
Outcome = Literal["new", "seen", "revised"]


_BY_KEY = select(Article.id).where(among(Article.url_key, "keys"))
_ADD = insert(Article).returning(Article.id, sort_by_parameter_order=True)
_UNJUDGED: dict[str, Any] = {"relevant": False, "borderline": False, "score": 0.0}
_ADD_TAGS = insert(ArticleTag)  # by the connection: the ORM takes four times as long


@dataclass(slots=True)
class Incoming:
    """One article on its way into the store; `published_at` is ISO 8601 text as in `crawler.items`."""

    url: str
    title: str
    text: str
    kicker: str | None = None
    subtitle: str | None = None
    published_at: str | None = None
    publisher: str | None = None
    author: str | None = None
    editor: str | None = None
    page_number: str | None = None
    page_name: str | None = None
    images: list[dict[str, Any]] = field(default_factory=list)
    confidence: float = 1.0
    flags: list[str] = field(default_factory=list)
    position: int = 0


def parse_published(value: str | None) -> tuple[datetime | None, str | None]:
    """Return (moment in UTC, "minute" or "day") of an item's time; (None, None) for none. A bare day is midnight in China."""
    if not value:
        return None, None
    try:
        moment = datetime.fromisoformat(value)
        precision = "day" if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) else "minute"
        return (moment if moment.tzinfo else moment.replace(tzinfo=PAGE_ZONE)).astimezone(UTC), precision
    except (ValueError, OverflowError):  # a year 0 or 9999 at the edge of a time zone
        return None, None


def show_published(article: Article) -> str | None:
    """Return the article's time as items write it: ISO 8601 with China's offset, or a bare day."""
    if article.published_at is None:
        return None
    local = article.published_at.astimezone(PAGE_ZONE)
    return local.date().isoformat() if article.published_precision == "day" else local.isoformat()


def known_urls(session: Session, urls: Iterable[str]) -> set[str]:
    """Return those of `urls` that need no fetching: an article was read from them, or it is known that they hold none."""
    keys = {url_key(url): url for url in urls}
    found: set[str] = set()
    wanted = list(keys)
    for start in range(0, len(wanted), 500):
        chunk = wanted[start : start + 500]
        found.update(session.scalars(select(Article.url_key).where(Article.url_key.in_(chunk))))
        found.update(session.scalars(select(PassedUrl.url_key).where(PassedUrl.url_key.in_(chunk))))
    return {url for key, url in keys.items() if key in found}


def pass_url(session: Session, url: str, reason: str, now: datetime) -> None:
    """Remember that `url` gave no article, so that it is not fetched again on every visit. May be repeated."""
    session.merge(PassedUrl(url_key=url_key(url), reason=reason, passed_at=now))


def find_article(session: Session, id_or_url: str) -> Article | None:
    """Return the article with this number or address."""
    if id_or_url.isdigit():
        return session.get(Article, int(id_or_url))
    return session.scalar(select(Article).where(Article.url_key == url_key(id_or_url)))


@dataclass(frozen=True, slots=True)
class Prepared:
    """An article as it is written: the key of its address and its columns, cleaned."""

    key: str
    columns: dict[str, Any]


def prepare(incoming: Incoming, now: datetime) -> Prepared:
    """Return the article's key and columns. A time in the future becomes `now` and is flagged."""
    return Prepared(url_key(incoming.url, incoming.position), _columns(incoming, now))


def articles_by_key(session: Session, keys: Sequence[str]) -> dict[str, Article]:
    """Return the kept articles of a batch of addresses' keys (some hundreds at most) by their key."""
    session.flush()
    numbers = session.connection().execute(_BY_KEY, {"keys": keys}).scalars().all()
    found = session.scalars(select(Article).where(Article.id.in_(numbers))) if numbers else ()
    return {article.url_key: article for article in found}


def new_row(
    prepared: Prepared,
    now: datetime,
    verdict: Mapping[str, Any] = _UNJUDGED,
    *,
    source_id: int | None = None,
    raw_page_id: int | None = None,
) -> dict[str, Any]:
    """Return the columns of an article that is not kept yet, for `add_new`."""
    return {
        "url_key": prepared.key,
        "source_id": source_id,
        "raw_page_id": raw_page_id,
        "first_seen_at": now,
        "updated_at": now,
        "version": 1,
        "story_id": None,
        **prepared.columns,
        **_judged(verdict),
    }


def add_new(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[Article]:
    """Insert articles (`new_row`) and return them in order, as if the session had read them.

    Not by its flush, which takes half as long again.
    """
    if not rows:
        return []
    session.flush()
    numbers = session.connection().execute(_ADD, rows).scalars().all()
    note_for_search(session, numbers)
    articles = [_as_read(number, row) for number, row in zip(numbers, rows, strict=True)]
    session.add_all(articles)
    return articles


def _as_read(number: int, row: Mapping[str, Any]) -> Article:
    article = Article()
    vars(article).update(row, id=number)  # a constructor would note two dozen changes, to forget them at once
    make_transient_to_detached(article)
    return article


def revise(session: Session, article: Article, prepared: Prepared, now: datetime) -> bool:
    """Put a changed text into the article and keep the earlier one; return False when the text is the same."""
    if article.checksum == prepared.columns["checksum"]:
        return False
    _keep_version(session, article, now)
    for name, value in prepared.columns.items():
        setattr(article, name, value)
    article.version, article.updated_at = article.version + 1, now
    return True


def reread_article(article: Article, incoming: Incoming, now: datetime) -> bool:
    """Put a new reading of the same page into the article; return whether anything changed. No version is kept: the page is the same."""
    values = _columns(incoming, now)
    changed = {name: value for name, value in values.items() if getattr(article, name) != value}
    for name, value in changed.items():
        setattr(article, name, value)
    if changed:
        article.updated_at = now
    return bool(changed)


def _keep_version(session: Session, article: Article, now: datetime) -> None:
    session.add(
        ArticleVersion(
            article_id=article.id,
            version=article.version,
            title=article.title,
            text=article.text,
            replaced_at=now,
        )
    )


def _columns(incoming: Incoming, now: datetime) -> dict[str, Any]:
    title, text = clean_line(incoming.title)[:MAX_TITLE], clean_text(incoming.text).strip()[:MAX_TEXT]
    published_at, precision = parse_published(incoming.published_at)
    flags = list(incoming.flags)
    if published_at and published_at > now + FUTURE_TOLERANCE:
        published_at, precision = now, "minute"
        flags.append("future_date")
    lines = {
        name: _line(getattr(incoming, name))
        for name in ("kicker", "subtitle", "publisher", "author", "editor", "page_number", "page_name")
    }
    return {
        "url": incoming.url,
        "title": title,
        "text": text,
        "checksum": hashlib.sha256(f"{title}\n{text}".encode()).hexdigest(),
        "published_at": published_at,
        "published_precision": precision,
        "images": incoming.images,
        "confidence": incoming.confidence,
        "flags": sorted(set(flags)),
        **lines,
    }


def _line(value: str | None) -> str | None:
    return (clean_line(value)[:MAX_TITLE] or None) if value else None


def set_classification(
    article: Article, verdict: Mapping[str, Any], tags: Sequence[Mapping[str, Any]]
) -> None:
    """Put a verdict (relevant, borderline, score and what was read out of the text) and its tags in place of the earlier ones."""
    for name, value in _judged(verdict).items():
        setattr(article, name, value)
    article.tags = [ArticleTag(**tag) for tag in tags]


def _judged(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """Return a verdict as columns of an article."""
    own = {name: verdict[name] for name in _UNJUDGED}
    rest = {
        key: value
        for key, value in verdict.items()
        if key not in _UNJUDGED and key not in {"zones", "themes"}
    }
    return own | {"classification": rest}


def add_tags(session: Session, tags: Mapping[int, Sequence[Mapping[str, Any]]]) -> None:
    """Give articles of this transaction that have none their tags, by the articles' numbers."""
    rows = [{"article_id": number, **tag} for number, some in tags.items() for tag in some]
    if rows:
        session.connection().execute(_ADD_TAGS, rows)


def tag_names(article: Article, kind: str) -> list[str]:
    """Return the names of the article's tags of a kind in order of their first evidence, each once."""
    return list(dict.fromkeys(tag.name for tag in article.tags if tag.kind == kind))


def all_ids(session: Session) -> list[int]:
    """Return the number of every article in order of arrival."""
    return list(session.scalars(select(Article.id).order_by(Article.id)))


def copies_without_zone(session: Session, story_id: int | None) -> list[Article]:
    """Return those of a story's articles that name no zone as acting, in order of arrival."""
    named = select(ArticleTag.id).where(
        ArticleTag.article_id == Article.id, ArticleTag.kind == "zone", ArticleTag.role == "actor"
    )
    query = select(Article).where(Article.story_id == story_id, ~named.exists())
    return list(session.scalars(query.order_by(Article.id)))
