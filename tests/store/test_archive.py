from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from store.archive import Query, list_issues, search, story_facts, told_tags
from store.issues import Draft, DraftStory, freeze
from store.models import Article, ArticleTag, Source, Story

MASTHEAD = {"label": "2026年第1期", "total": "总第1期", "date_words": "2026年11月23日"}


@pytest.fixture
def told(session: Session, make_article: Callable[..., Article], now: datetime) -> Session:
    """Stories 1-3 are told, story 4 is not."""
    source = Source(name="a", kind="rss", publisher="样报网", first_seen_at=now)
    session.add(source)
    for n, (title, text, zone) in enumerate(
        (
            ("链上党建联盟", "合肥高新区吸纳企业12家。", "合肥高新区"),
            ("小哥驿站", "覆盖率100%，编号a_b，Party School。", "西安高新区"),
            ("链上例会", "西安高新区例会。", "西安高新区"),
            ("没有编发的链上", "合肥高新区。", "合肥高新区"),
        ),
        1,
    ):
        story = Story(title=title, first_seen_at=now + timedelta(days=n), last_seen_at=now, relevant=True)
        session.add(story)
        session.flush()
        article = make_article(title=title, text=text, story_id=story.id, source=source, publisher=f"第{n}报")
        article.tags = [
            ArticleTag(kind="zone", name=zone, role="actor", field="text", start=0, end=5, text=zone)
        ]
        session.add(article)
        session.flush()
        story.representative_id = article.id
    stories = [
        DraftStory(n, "org", n, True, 1.0, {"title": f"編者ＡＢ擬題{n}", "summary": f"摘要{n}，全文（略）。"})
        for n in (1, 2, 3)
    ]
    content = {"masthead": MASTHEAD, "overview": "概述"}
    assert freeze(session, Draft(1, 2026, 1, now - timedelta(days=7), now, now, now, False, content, stories))
    return session


def ids(session: Session, **query: object) -> list[int]:
    total, hits = search(session, Query(**query))  # type: ignore[arg-type]
    assert total == len(hits)
    return [hit.story_id for hit in hits]


def test_told_stories_are_found_by_any_two_characters(told: Session) -> None:
    assert ids(told, words="链上") == [1, 3]
    assert ids(told, words="例会") == [3]
    assert ids(told, words="拟题2") == ids(told, words="擬题2") == ids(told, words="ab拟題2") == [2]
    assert ids(told, words="2，全文(略") == [2]
    assert ids(told, words="2摘要") == []
    assert ids(told, words="链上 西安") == [3]
    assert ids(told, words="链上 驿站") == []
    assert ids(told, words="party school") == [2]
    assert ids(told) == [1, 2, 3]


@pytest.mark.parametrize("words", ["链", "链 西安", "链上 a"])
def test_a_word_of_one_character_finds_nothing(told: Session, words: str) -> None:
    assert ids(told, words=words) == []


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("100%", [2]),
        ("0%覆", []),
        ("a_b", [2]),
        ("a__", []),
        ("%%", []),
        ("\\\\", []),
        ("''", []),
        ('""', []),
        ("a*b", []),
    ],
)
def test_wildcards_are_literal(told: Session, words: str, found: list[int]) -> None:
    assert ids(told, words=words) == found


def test_filters(told: Session, now: datetime) -> None:
    assert ids(told, zone="西安高新区") == [2, 3]
    assert ids(told, zone="西安高新区", words="链上") == [3]
    assert ids(told, theme="org") == []
    assert ids(told, outlet="第2报") == ids(told, outlet="2報") == ids(told, outlet="２报") == [2]
    assert ids(told, outlet="%") == ids(told, outlet="第_报") == []
    assert ids(told, outlet="样报") == [1, 2, 3]
    assert ids(told, since=now + timedelta(days=2)) == [2, 3]
    assert ids(told, until=now + timedelta(days=2)) == [1]


def test_pages_tile_the_hits(told: Session) -> None:
    pages = [search(told, Query(), limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [total for total, _ in pages] == [3, 3, 3]
    assert [hit.story_id for _, hits in pages for hit in hits] == [1, 2, 3]


def test_facts_of_told_stories_only(told: Session) -> None:
    facts = story_facts(told, 2)
    assert facts
    assert (facts.number, facts.label) == (1, "2026年第1期")
    assert [article.publisher for article in facts.articles] == ["第2报"]
    assert facts.evidence == (("zone", "西安高新区", "西安高新区"),)
    assert story_facts(told, 4) is None
    assert story_facts(told, 99) is None


def test_a_merged_story_shows_the_articles_of_the_one_it_went_into(told: Session) -> None:
    told.get_one(Story, 1).merged_into = 4
    told.get_one(Story, 4).merged_into = 1  # a circle must not hang
    told.flush()
    facts = story_facts(told, 1)
    assert facts
    assert facts.articles


def test_the_list_and_the_choices(told: Session) -> None:
    assert [(line.number, line.stories, line.overview) for line in list_issues(told)] == [(1, 3, "概述")]
    assert set(told_tags(told, "zone")) == {"合肥高新区", "西安高新区"}
    assert told_tags(told, "theme") == []
