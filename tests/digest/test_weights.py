from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from digest.weights import Facts, ordered, outlet_rank, weigh

SINCE = datetime(2026, 11, 16, tzinfo=UTC)
BARE = Facts((), (), 0, 0, None, follow_up=False, pinned=False, score=0.0)


def test_a_story_nothing_speaks_for_has_no_reasons() -> None:
    assert weigh(BARE, [], SINCE) == []


@pytest.mark.parametrize(
    ("facts", "label"),
    [
        (replace(BARE, pinned=True), "编辑置顶"),
        (replace(BARE, zones=("合肥高新区",)), "关注园区合肥高新区"),
        (replace(BARE, outlets=("人民日报",)), "中央媒体"),
        (replace(BARE, outlets=("甲网", "乙网")), "2家媒体报道"),
        (replace(BARE, figures=2), "数据2项"),
        (replace(BARE, practices=1), "做法1项"),
        (replace(BARE, published_at=SINCE + timedelta(hours=1)), "本期内发表"),
        (replace(BARE, follow_up=True), "前期后续"),
        (replace(BARE, score=0.5), "相关度"),
    ],
)
def test_every_point_has_its_reason(facts: Facts, label: str) -> None:
    reasons = weigh(facts, ["合肥高新区"], SINCE)
    assert [reason.label for reason in reasons] == [label]
    assert reasons[0].points > 0


def test_a_watched_zone_outweighs_everything_but_a_pin() -> None:
    best = Facts((), ("人民日报", *map(str, range(50))), 9, 9, SINCE, follow_up=True, pinned=False, score=1.0)
    watched = replace(BARE, zones=("合肥高新区",))
    assert total(watched) > total(best)
    assert total(replace(BARE, pinned=True)) > total(watched) + total(best)


def total(facts: Facts) -> float:
    return sum(reason.points for reason in weigh(facts, ["合肥高新区"], SINCE))


@pytest.mark.parametrize(
    ("name", "rank"),
    [
        ("人民日报", 3),
        ("新华网客户端", 3),
        ("安徽日报", 2),
        ("中国高新技术产业导报", 2),
        ("马鞍山日报", 1),
        ("某某微信公众号", 0),
        ("", 0),
    ],
)
def test_outlets_are_ranked(name: str, rank: int) -> None:
    assert outlet_rank(name)[0] == rank


def test_order_does_not_depend_on_the_input_and_loses_none() -> None:
    stories = [(n, float(n % 7), ("甲",) if n % 2 else ("乙", "丙")) for n in range(200)]
    first = ordered(stories)
    Random(1).shuffle(stories)
    assert ordered(stories) == first
    assert sorted(first) == list(range(200))


def test_one_zone_does_not_fill_the_front() -> None:
    stories = [(n, 20.0, ("甲",)) for n in range(10)] + [(100, 15.0, ("乙",)), (101, 14.0, ("丙",))]
    assert {100, 101} <= set(ordered(stories)[:4])


def test_a_pinned_story_is_first_whatever_its_zone() -> None:
    stories = [(1, 50.0, ("甲",)), (2, 1000.0, ("甲",)), (3, 1001.0, ("甲",))]
    assert ordered(stories) == [3, 2, 1]


def test_five_hundred_stories_are_ordered_at_once() -> None:
    assert len(ordered([(n, 1.0, ("甲",)) for n in range(1000)])) == 1000
