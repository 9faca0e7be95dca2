from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from store.models import Article, ArticleTag, Story
from store.story_related import NEIGHBOURS, Told, events_among, practices, related, related_to, same_event

Make = Callable[..., Article]


@pytest.fixture
def told(session: Session, make_article: Make, now: datetime) -> Callable[..., int]:
    def add(
        day: float = 0,
        zone: str = "云泽",
        practice: str = "船台课堂",
        *,
        dated: bool = True,
        title: str = "党课",
    ) -> int:
        article = make_article(title=title, published_at=now - timedelta(days=day) if dated else None)
        article.classification = {"practices": [{"name": practice, "span": [0, 4]}] if practice else []}
        article.tags.append(ArticleTag(kind="zone", name=zone, field="text", start=0, end=2, text=zone))
        story = Story(title=title, first_seen_at=now, last_seen_at=now)
        session.add_all([article, story])
        session.flush()
        article.story_id, story.representative_id = story.id, article.id
        session.flush()
        return story.id

    return add


def test_zone_day_and_named_practice_must_all_agree(session: Session, told: Callable[..., int]) -> None:
    first, same = told(), told(0.9, practice="“船臺課堂”", title="另一种说法")
    told(1.1), told(zone="石洲"), told(practice="红色巴士"), told(practice=""), told(dated=False)
    (event,) = related(session, first)
    assert (event.story_id, event.title, event.zones, event.told_in) == (same, "另一种说法", ("云泽",), None)
    assert event.practices == ("船台课堂",)
    assert event.url.startswith("https://")


def test_many_stories_are_asked_for_in_a_few_queries(session: Session, told: Callable[..., int]) -> None:
    ids = [told(), told(), *(told(30 + n, practice="") for n in range(40))]
    queries: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: queries.append(given[2]))
    found = related_to(session, ids)
    assert {key: [other.story_id for other in others] for key, others in found.items()} == {
        ids[0]: [ids[1]],
        ids[1]: [ids[0]],
    }
    assert len(queries) == 2 + 2 * 3


@pytest.mark.parametrize(
    "broken",
    [None, {}, {"practices": None}, {"practices": [{}, {"name": ""}, {"name": "？？"}, {"name": None}]}],
)
def test_what_names_no_practice_is_related_to_nothing(broken: dict[str, object] | None) -> None:
    assert practices(broken) == {}


def test_among_the_stories_of_an_issue_the_same_rule_holds(now: datetime) -> None:
    def story(key: int, hours: float, zone: str = "云泽", practice: str = "船台课堂") -> Told:
        return Told(key, now + timedelta(hours=hours), frozenset({zone}), {practice: practice})

    stories = [story(1, 0), story(2, 23), story(3, 46), story(4, 0, "石洲"), story(5, 0, practice="红色巴士")]
    assert events_among(stories) == {
        1: {2: ("船台课堂",)},
        2: {1: ("船台课堂",), 3: ("船台课堂",)},
        3: {2: ("船台课堂",)},
    }
    assert same_event(stories[0], stories[2]) == ()
    assert events_among([Told(6, None, frozenset({"云泽"}), {"船台课堂": "船台课堂"})]) == {}


def test_a_thousand_stories_of_one_event_are_linked_to_their_neighbours_only(now: datetime) -> None:
    stories = [Told(n, now, frozenset({"云泽"}), {"船台课堂": "船台课堂"}) for n in range(1000)]
    found = events_among(stories)
    assert max(map(len, found.values())) == 2 * NEIGHBOURS
    assert found == events_among(reversed(stories))
