"""Search finds exactly what a scan of the folded texts finds, on both databases, through every change."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select, text, update
from sqlalchemy.orm import Session

from store.articles import Incoming
from store.database import read_scope, session_scope
from store.models import Article, ArticleTag, Source
from store.search import Query, search_articles
from store.search_index import fold, rebuild
from store.text import to_simplified
from tests.arrivals import add_article

SIGNS = "链上党建联盟高新区创新驿站聯盟開發ABab12 ，。“”%_*'\"\\-()ＡＢ　①é"
NAMES = ("合肥高新区", "西安高新区", "无锡高新区")


def numbers(session: Session, words: str = "", **given: object) -> list[int]:
    stories, exact = bool(given.pop("stories", False)), bool(given.pop("exact", False))
    query = Query(words, exact=exact, **given)  # type: ignore[arg-type]
    return sorted(one.article_id for one in search_articles(session, query, 10_000, stories=stories).found)


@pytest.fixture
def mixed(session: Session, make_article: Callable[..., Article], now: datetime) -> Session:
    """60 articles of random signs."""
    chance = random.Random(9)
    site = Source(name="a", kind="rss", publisher="样报网", first_seen_at=now)
    session.add(site)
    for n in range(60):
        words = ["".join(chance.choices(SIGNS, k=size)) for size in (12, 200)]
        article = make_article(title=words[0], text=words[1], published_at=now - timedelta(days=17 * n))
        article.publisher = f"第{n % 7}报"
        article.source = site if n % 2 else None
        zone, theme = NAMES[n % 3], "org" if n % 5 else "chain"
        article.tags = [
            ArticleTag(kind=kind, name=name, field="text", start=0, end=1, text="")
            for kind, name in (("zone", zone), ("theme", theme))
        ]
        session.add(article)
    return session


def reference(text: str) -> str:
    """The folding as it is defined, written another way."""
    signs = (to_simplified(sign) for sign in unicodedata.normalize("NFKC", text))
    return " ".join("".join(signs).lower().split())


def test_every_query_finds_what_a_scan_finds(mixed: Session) -> None:
    mixed.flush()
    rows = mixed.scalars(select(Article)).all()
    folded = {row.id: (reference(row.title), reference(row.text)) for row in rows}
    chance = random.Random(1)
    queries = ["".join(chance.choices(SIGNS, k=chance.choice((2, 2, 3, 4)))) for _ in range(150)]
    for row in rows[:30]:
        start = chance.randrange(150)
        queries.append(row.text[start : start + chance.choice((2, 3, 5, 9))])
    found_any = 0
    for query in queries:
        word = reference(query)
        if len(word) < 2:
            continue
        expected = sorted(number for number, parts in folded.items() if any(word in part for part in parts))
        assert numbers(mixed, query, exact=True) == expected, query
        found_any += bool(expected)
    assert found_any > 60


def test_nothing_is_found_across_title_and_text(
    session: Session, make_article: Callable[..., Article]
) -> None:
    session.add(make_article(title="党建在链", text="上有名"))
    assert numbers(session, "链上") == []
    assert len(numbers(session, "在链")) == 1


def test_traditional_wide_and_upper_case_forms_are_found(
    session: Session, make_article: Callable[..., Article]
) -> None:
    session.add(make_article(title="產業鏈黨建聯盟", text="ＰＡＲＴＹ　School"))
    for words in ("产业链党建", "產業鏈黨建", "party school", "Ｐarty"):
        assert len(numbers(session, words)) == 1, words


@pytest.mark.parametrize("words", ["链", "链 西安", "链上 a", "链上 "])
def test_words_of_one_character_are_refused(mixed: Session, words: str) -> None:
    assert bool(numbers(mixed, words)) == (words == "链上 ")


@pytest.mark.parametrize(
    "words",
    [
        '"" OR',
        "NEAR(a b)",
        "a*",
        "'; DROP TABLE article; --",
        "{x}:y",
        "^链上",
        "\\\\%%",
        "\x00\x00ab",
        ":tokens",
        "\ue020\ue020",
    ],
)
def test_syntax_is_literal_and_harmless(mixed: Session, words: str) -> None:
    for exact in (True, False):
        numbers(mixed, words, exact=exact)


def test_a_name_that_very_many_sites_bear_finds_the_articles_of_all_of_them(
    session: Session, make_article: Callable[..., Article], now: datetime
) -> None:
    sites = [Source(name=f"s{n}", kind="rss", publisher=f"第{n}晚報", first_seen_at=now) for n in range(400)]
    session.add_all([*sites, Source(name="x", kind="rss", publisher="别的", first_seen_at=now)])
    session.flush()
    for site in (sites[0], sites[399], None):
        session.add(make_article(title="链上党建", source=site))
    assert len(numbers(session, "链上", outlet="晚报")) == len(numbers(session, outlet="晚报")) == 2
    assert len(numbers(session, "链上", outlet="第399晚")) == 1
    assert numbers(session, "合肥", outlet="晚报") == []


@pytest.mark.parametrize(
    ("publisher", "asked", "found"),
    [
        ("大公報", "大公报", True),
        ("大公报", "公報", True),
        ("ＡＢ科技网", "ab科", True),
        ("新华_社", "新华_", True),
        ("新华社", "新华_", False),
        ("100%新闻", "0%新", True),
        ("Science 日报", "science 日", True),
        ("甲报", "报", True),
        ("", "合肥", False),
    ],
)
def test_an_outlet_is_compared_as_texts_are(
    session: Session, make_article: Callable[..., Article], publisher: str, asked: str, found: bool
) -> None:
    article = make_article(title="链上党建", publisher=publisher)
    article.tags = [ArticleTag(kind="zone", name="合肥高新区", field="text", start=0, end=1, text="")]
    session.add(article)
    assert bool(numbers(session, "链上", outlet=asked)) == found


def test_filters_narrow_what_words_find(mixed: Session, now: datetime) -> None:
    mixed.flush()
    rows = mixed.scalars(select(Article)).all()
    zone = [row.id for row in rows if row.tags[0].name == NAMES[1]]
    assert numbers(mixed, zone=NAMES[1]) == zone
    assert numbers(mixed, zone=NAMES[1], theme="chain") == [
        row.id for row in rows if row.id in zone and row.tags[1].name == "chain"
    ]
    assert numbers(mixed, outlet="第3报") == [row.id for row in rows if row.publisher == "第3报"]
    assert numbers(mixed, outlet="样报") == [row.id for row in rows if row.source_id]
    for since, until in ((100, 50), (900, 20), (400, None), (None, 300), (10, 10), (9000, 1)):
        first = now - timedelta(days=since) if since else None
        last = now - timedelta(days=until) if until else None
        expected = [
            row.id
            for row in rows
            if row.published_at
            and (not first or row.published_at >= first)
            and (not last or row.published_at < last)
        ]
        assert numbers(mixed, since=first, until=last) == expected, (since, until)
        both = set(expected) & set(numbers(mixed, "高新")) & set(zone)
        assert set(numbers(mixed, "高新", zone=NAMES[1], since=first, until=last)) == both


def test_the_latest_come_first_and_pages_tile(mixed: Session) -> None:
    everything = search_articles(mixed, Query(), 100)
    assert [one.article_id for one in everything.found] == sorted(numbers(mixed), reverse=True)
    assert not everything.more
    pages = [search_articles(mixed, Query(), 25, offset) for offset in (0, 25, 50)]
    assert [one for page in pages for one in page.found] == everything.found
    assert [page.more for page in pages] == [True, True, False]


def test_the_index_follows_additions_revisions_retagging_and_deletion(engine: Engine, now: datetime) -> None:
    def found(words: str = "", **given: object) -> list[int]:
        with read_scope(engine) as session:
            return numbers(session, words, **given)

    with session_scope(engine) as session:
        add_article(session, Incoming("http://a.cn/1", "链上党建", "合肥例会"), now)
        assert len(numbers(session, "例会")) == 1
    assert len(found("链上")) == 1
    with session_scope(engine) as session:
        article, outcome = add_article(session, Incoming("http://a.cn/1", "驿站党建", "合肥例会"), now)
        assert outcome == "revised"
        article.tags = [ArticleTag(kind="zone", name="合肥高新区", field="text", start=0, end=2, text="合肥")]
    assert (found("链上"), len(found("驿站")), len(found("党建", zone="合肥高新区"))) == ([], 1, 1)
    with session_scope(engine) as session:
        session.get_one(Article, article.id).tags = []
    assert found("党建", zone="合肥高新区") == []
    with session_scope(engine) as session:
        session.delete(session.get_one(Article, article.id))
    assert found() == found("驿站") == []


def test_a_transaction_that_fails_leaves_the_index_as_it_was(engine: Engine, now: datetime) -> None:
    with suppress(RuntimeError), session_scope(engine) as session:
        add_article(session, Incoming("http://a.cn/1", "链上党建", "合肥例会"), now)
        assert len(numbers(session, "链上")) == 1
        raise RuntimeError
    with session_scope(engine) as session:
        assert numbers(session, "链上") == []
        assert session.scalar(text("SELECT count(*) FROM search_text")) == 0


def test_a_rebuild_makes_up_for_changes_behind_its_back(mixed: Session) -> None:
    assert len(numbers(mixed)) == 60
    mixed.execute(update(Article).where(Article.id == 7).values(text="悄悄改过的正文"))
    assert numbers(mixed, "悄悄改过") == []
    assert rebuild(mixed) == 60
    assert numbers(mixed, "悄悄改过") == [7]
    assert len(numbers(mixed)) == 60


def test_a_text_of_the_greatest_length_with_all_pairs_different_is_kept(
    session: Session, make_article: Callable[..., Article]
) -> None:
    chance = random.Random(3)
    session.add(
        make_article(text="".join(chr(chance.randrange(0x4E00, 0x9FA5)) for _ in range(400_000)) + "链上")
    )
    assert len(numbers(session, "链上")) == 1


def test_any_two_neighbouring_signs_are_found(session: Session, make_article: Callable[..., Article]) -> None:
    signs = "".join(map(chr, range(0x21, 0x7F))) + "𠮷野𩸽鱼£µ，。" + "\ud7ff\u0800"
    session.add(make_article(text=signs))
    for start in range(len(signs) - 1):
        pair = signs[start : start + 2]
        assert len(numbers(session, pair)) == 1, pair
        assert numbers(session, pair[::-1]) == [], pair
    assert numbers(session, "野𩸾") == []


def test_a_word_longer_than_the_index_is_asked_for_is_compared_to_its_end(
    session: Session, make_article: Callable[..., Article]
) -> None:
    text = "".join(chr(0x4E00 + n) for n in range(60))
    session.add(make_article(text=text))
    assert len(numbers(session, text[:40])) == 1
    assert numbers(session, text[:40] + "链") == []


def test_signs_for_private_use_and_control_characters_play_no_part(
    session: Session, make_article: Callable[..., Article]
) -> None:
    session.add(make_article(text="链\ue020上\x01有\x7f名"))
    assert len(numbers(session, "链上有名")) == 1
    assert len(numbers(session, "链\uf700上")) == 1


def test_stories_are_found_once(
    session: Session, make_article: Callable[..., Article], now: datetime
) -> None:
    from store.models import Story

    for n in range(3):
        session.add(Story(title="", first_seen_at=now, last_seen_at=now))
        session.flush()
        session.add_all([make_article(text="链上", story_id=n + 1) for _ in range(3)])
    assert len(numbers(session, "链上")) == 9
    assert len(numbers(session, "链上", stories=True)) == 3


def test_folding_is_the_same_for_a_part_as_for_the_whole() -> None:
    chance = random.Random(5)
    for _ in range(300):
        whole = "".join(chance.choices(SIGNS + "乾發髮裏里ςΣßİ", k=30))
        part = whole[5:9].strip()
        assert fold(part) in fold(whole)


def test_the_excerpt_shows_the_word(
    session: Session, make_article: Callable[..., Article], now: datetime
) -> None:
    session.add(
        make_article(
            text="前文。" * 60 + "這裏有鏈上黨建" + "後文。" * 60,
            published_at=datetime(2026, 1, 2, tzinfo=UTC),
        )
    )
    found = search_articles(session, Query("链上党建")).found[0]
    assert "链上党建" in found.excerpt
    assert len(found.excerpt) < 90
