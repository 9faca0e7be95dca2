"""Hints that an article was changed: what lists say now against what they said before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from store.hints import TRUST, Listed, compare, spend, trusted
from tests.conftest import NOW

HERE = "宝鸡高新区召开党建工作推进会部署下半年任务"
LIST = "http://a.example/list.html"


def hinted(before: Listed, now: Listed, title: str = HERE) -> set[str]:
    first, known = compare([], [before], title, NOW)
    assert first == set()
    return compare(known, [now], title, NOW)[0]


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (HERE, HERE),
        (HERE, "宝鸡高新区召开党建工作推进会…"),
        (HERE, "宝鸡高新区召开党建工作推进会"),
        ("宝鸡高新区召开党建工作……", "宝鸡高新区召开党建工作推进会..."),
        (HERE, f"[图] {HERE}"),
        (HERE, f"置顶 {HERE}"),
        (HERE, f"【专题】{HERE}（组图）"),
        (HERE, f"图文：{HERE} NEW"),
        (f"·{HERE}", HERE.replace("高新区", "高新区 ")),
        ("高新区党建工作推进会召开", "高新区党建工作推进会召开"),
        ("高新区党建工作推进会召开", HERE),
        ("高新区党建工作推进会召开", ""),
        ("", "高新区党建工作推进会召开"),
    ],
)
def test_cut_and_labelled_headlines_are_no_hint(before: str, now: str) -> None:
    assert hinted(Listed(LIST, before), Listed(LIST, now)) == set()


@pytest.mark.parametrize(
    "now",
    [
        "宝鸡高新区召开党建工作部署会部署下半年任务",
        "宝鸡高新区召开党建工作推进会部署全年任务",
        f"{HERE}（更正）",
        "宝鸡高新区召开党建工作部署会…",
        "更正：宝鸡高新区召开党建工作部署会",
        f"更新：{HERE}",
    ],
)
def test_another_headline_is_a_hint_once(now: str) -> None:
    _, known = compare([], [Listed(LIST, HERE)], HERE, NOW)
    found, known = compare(known, [Listed(LIST, now)], HERE, NOW)
    assert found == {"title"}
    assert compare(known, [Listed(LIST, now)], HERE, NOW)[0] == set()


def test_a_list_is_compared_with_itself_only() -> None:
    _, known = compare([], [Listed(LIST, "高新区开会", "2026-11-20")], HERE, NOW)
    other = Listed("http://a.example/", "党建推进会", "2026-11-21")
    found, known = compare(known, [other], HERE, NOW)
    assert found == set()
    assert len(known) == 2


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("2026-11-20", "2026-11-20", set()),
        ("2026-11-20", "2026-11-20T10:00:00+08:00", set()),
        ("2026-11-20T10:00:00+08:00", "2026-11-20", set()),
        ("2026-11-20", None, set()),
        (None, "2026-11-20", set()),
        ("2026-11-20", "2026-11-23", {"date"}),
        ("2026-11-20T10:00:00+08:00", "2026-11-20T16:00:00+08:00", {"date"}),
    ],
)
def test_a_list_that_moves_an_article_to_another_date_hints(
    before: str | None, now: str | None, expected: set[str]
) -> None:
    assert hinted(Listed(LIST, date=before), Listed(LIST, date=now)) == expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("2026-11-20", "2026-11-20", set()),
        ("2026-11-20", "2026-11-22", set()),  # before the last reading: a map that lags behind
        ("2026-11-20", "2026-11-23", {"updated"}),  # the day of the last reading: it may have been later
        ("2026-11-20T10:00:00+08:00", "2026-11-23T07:59:00+08:00", set()),
        ("2026-11-20T10:00:00+08:00", "2026-11-23T08:01:00+08:00", {"updated"}),
        ("2026-11-20T10:00:00+08:00", "2026-11-23T00:01:00Z", {"updated"}),
        ("2026-11-20", "no date at all", set()),
    ],
)
def test_a_change_after_the_last_reading_is_a_hint(before: str, now: str, expected: set[str]) -> None:
    assert hinted(Listed(LIST, updated=before), Listed(LIST, updated=now)) == expected


def test_a_list_met_first_hints_only_at_changes_well_after_the_last_reading() -> None:
    soon, late = ((NOW + timedelta(hours=hours)).isoformat() for hours in (7, 9))
    assert compare([], [Listed(LIST, updated=soon)], HERE, NOW)[0] == set()
    assert compare([], [Listed(LIST, updated=late)], HERE, NOW)[0] == {"updated"}


def test_what_is_known_stays_small() -> None:
    known: list[list[str]] = []
    for number in range(20):
        _, known = compare(known, [Listed(f"{LIST}?{number}", HERE * 20, "2026-11-20")], HERE, NOW)
    assert len(known) == 6
    assert sum(len(value) for entry in known for value in entry) < 1000


def test_trust_in_a_kind_of_hint_is_lost_one_by_one_and_earned_again() -> None:
    trust: dict[str, int] = {}
    for _ in range(TRUST):
        assert trusted(trust, ["updated"])
        trust = spend(trust, ["updated"])
    assert not trusted(trust, ["updated"])
    assert trusted(trust, ["title", "updated"])
    assert spend(trust, ["updated"])["updated"] == 0
    assert trusted(spend(trust, ["updated"], true=True), ["updated"])
    assert spend({}, ["title"], true=True)["title"] == TRUST
