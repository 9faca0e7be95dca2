"""Articles in the store: once per address, revised when the text changes, times in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from store.articles import (
    Incoming,
    find_article,
    known_urls,
    parse_published,
    pass_url,
    reread_article,
    set_classification,
    show_published,
    tag_names,
)
from store.models import Article, ArticleTag, ArticleVersion
from tests.arrivals import add_article


def incoming(**given: str | None) -> Incoming:
    values = {"url": "https://www.example.cn/a.html", "title": "标题", "text": "正文。"} | given
    return Incoming(**values)  # type: ignore[arg-type]


def test_an_article_is_added_once(session: Session, now: datetime) -> None:
    first, outcome = add_article(session, incoming(), now)
    again, second = add_article(session, incoming(url="http://example.cn/a.html?utm_source=x#top"), now)
    assert (outcome, second) == ("new", "seen")
    assert first.id == again.id


def test_a_changed_text_is_a_revision_that_keeps_the_earlier_one(session: Session, now: datetime) -> None:
    article, _ = add_article(session, incoming(), now)
    later = now + timedelta(hours=1)
    again, outcome = add_article(session, incoming(text="改过的正文。"), later)
    session.flush()
    assert (outcome, again.id, again.version) == ("revised", article.id, 2)
    kept = session.scalars(select(ArticleVersion)).one()
    assert (kept.text, kept.version, kept.replaced_at) == ("正文。", 1, later)


def test_a_second_reading_of_the_same_page_makes_no_version(session: Session, now: datetime) -> None:
    article, _ = add_article(session, incoming(), now)
    assert reread_article(article, incoming(text="读得更好的正文。"), now)
    assert not reread_article(article, incoming(text="读得更好的正文。"), now)
    assert session.scalars(select(ArticleVersion)).all() == []
    assert article.version == 1


@pytest.mark.parametrize(
    ("value", "moment", "precision"),
    [
        ("2022-07-08T10:27:00+08:00", datetime(2022, 7, 8, 2, 27, tzinfo=UTC), "minute"),
        ("2022-07-08T10:27", datetime(2022, 7, 8, 2, 27, tzinfo=UTC), "minute"),
        ("2022-07-08", datetime(2022, 7, 7, 16, 0, tzinfo=UTC), "day"),
        (None, None, None),
        ("yesterday", None, None),
        ("0001-01-01T00:00", None, None),
    ],
)
def test_times_of_items_become_utc(value: str | None, moment: datetime | None, precision: str | None) -> None:
    assert parse_published(value) == (moment, precision)


def test_times_are_shown_as_they_came(session: Session, now: datetime) -> None:
    minute, _ = add_article(session, incoming(published_at="2022-07-08T10:27:00+08:00"), now)
    day, _ = add_article(session, incoming(url="https://example.cn/b", published_at="2022-07-08"), now)
    assert show_published(minute) == "2022-07-08T10:27:00+08:00"
    assert show_published(day) == "2022-07-08"


def test_a_date_in_the_future_becomes_now_and_is_flagged(session: Session, now: datetime) -> None:
    article, _ = add_article(session, incoming(published_at="2099-01-01"), now)
    assert article.published_at == now
    assert article.flags == ["future_date"]


def test_hostile_characters_do_not_get_in(session: Session, now: datetime) -> None:
    article, _ = add_article(
        session, incoming(title="标\u202e题\u2028\ud800\x00二", text="一\x0b二\u200b三"), now
    )
    assert article.title == "标题 二"
    assert article.text == "一\n二三"


def test_known_addresses_include_those_that_gave_nothing(session: Session, now: datetime) -> None:
    add_article(session, incoming(), now)
    pass_url(session, "https://example.cn/pictures.html", "picture_only", now)
    pass_url(session, "https://example.cn/pictures.html", "picture_only", now)
    asked = ["https://example.cn/a.html", "http://example.cn/pictures.html", "https://example.cn/new.html"]
    assert known_urls(session, asked) == set(asked[:2])


def test_a_new_verdict_replaces_the_earlier_tags(session: Session, now: datetime) -> None:
    article, _ = add_article(session, incoming(), now)
    tag = {
        "kind": "zone",
        "name": "宝鸡高新区",
        "role": "actor",
        "field": "title",
        "start": 0,
        "end": 5,
        "text": "宝鸡高新区",
    }
    set_classification(article, {"relevant": True, "borderline": False, "score": 0.9, "reasons": []}, [tag])
    session.flush()
    set_classification(
        article,
        {"relevant": False, "borderline": True, "score": 0.4, "reasons": []},
        [tag | {"name": "镇江高新区"}],
    )
    session.flush()
    assert session.scalars(select(ArticleTag.name)).all() == ["镇江高新区"]
    assert (article.relevant, article.borderline, tag_names(article, "zone")) == (False, True, ["镇江高新区"])


def test_an_article_is_found_by_number_and_by_address(session: Session, now: datetime) -> None:
    article, _ = add_article(session, incoming(), now)
    assert find_article(session, str(article.id)) is article
    assert find_article(session, "http://www.example.cn//a.html") is article
    assert find_article(session, "https://example.cn/other") is None


def test_naive_times_are_refused(session: Session, now: datetime) -> None:
    session.add(
        Article(
            url="u",
            url_key="u#0",
            checksum="c",
            title="t",
            text="x",
            first_seen_at=now.replace(tzinfo=None),
            updated_at=now,
        )
    )
    with pytest.raises(Exception, match="naive datetime"):
        session.flush()
    session.rollback()
