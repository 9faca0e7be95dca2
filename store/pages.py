"""Raw pages, quarantine and validators: what was fetched, kept so that nothing has to be fetched twice."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from store.database import among
from store.fetched import FetchedPage
from store.models import Article, PageValidator, Quarantine, RawPage
from store.rechecks import conditional, forget_freshness

#: Not through the ORM, which would double the time.
_SAME_CONTENT = select(RawPage.checksum, RawPage.url, RawPage.id).where(among(RawPage.checksum, "checksums"))
_KEEP = insert(RawPage).returning(RawPage.id, sort_by_parameter_order=True)


def save_page(session: Session, page: FetchedPage, source_id: int | None) -> RawPage:
    """Keep the page, once per address and content; return its row."""
    return session.get_one(RawPage, save_pages(session, [(page, source_id)])[0])


def save_pages(session: Session, pages: Sequence[tuple[FetchedPage, int | None]]) -> list[int]:
    """Keep pages with the numbers of their sources, each once per address and content; return their rows' numbers in order."""
    given = {(page.checksum, page.url): (page, source_id) for page, source_id in pages}
    session.flush()
    connection = session.connection()
    found = connection.execute(_SAME_CONTENT, {"checksums": [checksum for checksum, _ in given]})
    kept = {(checksum, url): number for checksum, url, number in found}
    new = [key for key in given if key not in kept]
    if new:
        numbers = connection.execute(_KEEP, [_row(*given[key]) for key in new]).scalars()
        kept |= zip(new, numbers, strict=True)
    return [kept[page.checksum, page.url] for page, _ in pages]


def _row(page: FetchedPage, source_id: int | None) -> dict[str, Any]:
    return {
        "source_id": source_id,
        "url": page.url,
        "kind": page.reader,
        "fetched_at": page.fetched_at,
        "declared_encoding": page.declared_encoding,
        "checksum": page.checksum,
        "size": len(page.body),
        "body": page.packed,
    }


def load_page(raw: RawPage) -> FetchedPage:
    """Return the page as it was fetched."""
    return FetchedPage(raw.url, raw.kind, zlib.decompress(raw.body), raw.fetched_at, raw.declared_encoding)


def newest_page(session: Session, url: str) -> RawPage | None:
    """Return the latest kept page of an address."""
    return session.scalar(select(RawPage).where(RawPage.url == url).order_by(RawPage.id.desc()).limit(1))


def has_content(session: Session, checksum: str) -> bool:
    """Return whether bytes with this SHA-256 were already kept under any address."""
    return session.scalar(select(RawPage.id).where(RawPage.checksum == checksum).limit(1)) is not None


def quarantine(
    session: Session, page: FetchedPage, source_id: int | None, reason: str, detail: str, now: datetime
) -> bool:
    """Keep an unreadable page with its reason; return False when these bytes were there already (the reason is renewed)."""
    raw = save_page(session, page, source_id)
    row = session.scalar(select(Quarantine).where(Quarantine.raw_page_id == raw.id))
    if row:
        row.reason, row.detail, row.resolved_at = reason, detail, None
        return False
    session.add(
        Quarantine(
            raw_page_id=raw.id,
            source_id=source_id,
            url=page.url,
            reason=reason,
            detail=detail,
            created_at=now,
        )
    )
    return True


def quarantined(session: Session) -> list[Quarantine]:
    """Return what waits in quarantine, newest first."""
    query = select(Quarantine).where(Quarantine.resolved_at.is_(None)).order_by(Quarantine.id.desc())
    return list(session.scalars(query))


def validators(session: Session, url: str) -> dict[str, str]:
    """Return the request headers for a conditional GET of `url`; empty when it was never fetched."""
    row = session.get(PageValidator, url)
    return conditional(row) if row else {}


def save_validators(
    session: Session, seen: Iterable[tuple[str, str | None, str | None]], now: datetime
) -> None:
    """Record (url, ETag, Last-Modified) of list pages whose links were all dealt with."""
    for url, etag, last_modified in seen:
        row = session.get(PageValidator, url) or PageValidator(url=url)
        row.etag, row.last_modified, row.fetched_at = etag, last_modified, now
        session.add(row)


def prune_pages(session: Session, now: datetime, keep_days: int, keep_bytes: int) -> int:
    """Delete raw pages older than `keep_days`, then the oldest beyond `keep_bytes` (compressed); return how many.

    Pages in quarantine and pages of hand-ins that gave no article yet stay.
    """
    forget_freshness(session, now)
    old = select(RawPage.id).where(RawPage.fetched_at < now - timedelta(days=keep_days))
    doomed = set(session.scalars(old))
    total = 0
    for raw_id, size in session.execute(
        select(RawPage.id, func.length(RawPage.body)).order_by(RawPage.id.desc())
    ):
        total += size
        if total > keep_bytes:
            doomed.add(raw_id)
    doomed -= set(session.scalars(select(Quarantine.raw_page_id).where(Quarantine.resolved_at.is_(None))))
    for chunk in _chunks(sorted(doomed), 500):
        session.execute(update(Article).where(Article.raw_page_id.in_(chunk)).values(raw_page_id=None))
        session.execute(delete(Quarantine).where(Quarantine.raw_page_id.in_(chunk)))
        session.execute(delete(RawPage).where(RawPage.id.in_(chunk)))
    return len(doomed)


def _chunks(values: list[int], size: int) -> Iterable[list[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))
