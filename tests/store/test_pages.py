"""Raw pages: kept once, given back whole, pruned by age and size; quarantine and validators."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from store.fetched import FetchedPage
from store.models import RawPage
from store.pages import (
    has_content,
    load_page,
    newest_page,
    prune_pages,
    quarantine,
    quarantined,
    save_page,
    save_validators,
    validators,
)


def page(now: datetime, body: bytes = b"<p>1</p>", url: str = "https://example.cn/a") -> FetchedPage:
    return FetchedPage(url, "portal", body, now, "gb18030")


def test_a_page_is_kept_once_and_comes_back_whole(session: Session, now: datetime) -> None:
    body = os.urandom(5000)
    raw = save_page(session, page(now, body), None)
    assert save_page(session, page(now, body), None).id == raw.id
    session.expire_all()
    assert load_page(session.get_one(RawPage, raw.id)) == page(now, body)
    assert has_content(session, page(now, body).checksum)
    assert newest_page(session, "https://example.cn/a") is not None


def test_old_pages_and_those_beyond_the_size_go_but_quarantine_stays(session: Session, now: datetime) -> None:
    old = save_page(session, page(now - timedelta(days=200), b"old"), None)
    quarantine(
        session, page(now - timedelta(days=200), b"unread", "https://example.cn/q"), None, "no_text", "", now
    )
    for number in range(10):
        save_page(session, page(now, os.urandom(10_000), f"https://example.cn/{number}"), None)
    assert prune_pages(session, now, keep_days=180, keep_bytes=50_000) == 7
    session.expire_all()
    assert session.get(RawPage, old.id) is None
    assert len(quarantined(session)) == 1


def test_quarantine_keeps_a_page_once_with_its_latest_reason(session: Session, now: datetime) -> None:
    assert quarantine(session, page(now), None, "no_text", "", now)
    assert not quarantine(session, page(now), None, "no_title", "x", now)
    assert [(row.reason, row.detail) for row in quarantined(session)] == [("no_title", "x")]


def test_validators_become_request_headers(session: Session, now: datetime) -> None:
    url = "https://example.cn/list"
    assert validators(session, url) == {}
    save_validators(session, [(url, '"1"', None)], now)
    assert validators(session, url) == {"If-None-Match": '"1"'}
    save_validators(session, [(url, None, "Mon, 23 Nov 2026 00:00:00 GMT")], now)
    assert validators(session, url) == {"If-Modified-Since": "Mon, 23 Nov 2026 00:00:00 GMT"}
