"""A visit is judged from what was counted."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from crawler.items import ArticleItem
from crawler.tally import Tally, judge


@pytest.mark.parametrize(
    ("counts", "closed", "outcome", "reason"),
    [
        ({"lists": 1, "links": 3, "pages": 3, "new": 3}, "finished", "ok", None),
        ({"unchanged": 1}, "finished", "ok", None),
        ({"lists": 1, "links": 3, "known": 3}, "finished", "ok", None),
        ({"listless": True}, "finished", "ok", None),
        ({"lists_failed": 1, "reasons": Counter(timeout=1)}, "finished", "failed", "timeout"),
        ({}, "finished", "failed", "no_list"),
        ({"lists": 2}, "finished", "failed", "no_links"),
        (
            {"lists": 1, "links": 4, "pages": 4, "articles_failed": 4, "reasons": Counter(http_500=4)},
            "finished",
            "failed",
            "http_500",
        ),
        (
            {"lists": 1, "lists_failed": 1, "links": 2, "pages": 2, "new": 2, "reasons": Counter(http_404=1)},
            "finished",
            "degraded",
            "http_404",
        ),
        (
            {
                "lists": 1,
                "links": 9,
                "new": 2,
                "pages": 2,
                "articles_failed": 5,
                "reasons": Counter(timeout=5),
            },
            "finished",
            "degraded",
            "timeout",
        ),
        ({"lists": 1, "links": 9, "new": 2, "pages": 2}, "shutdown", "interrupted", "shutdown"),
        ({"lists": 1, "links": 9, "new": 2, "pages": 2}, "database_failed", "interrupted", "database_failed"),
    ],
)
def test_the_outcome_follows_from_the_counts(
    counts: dict[str, object], closed: str, outcome: str, reason: str | None
) -> None:
    visit = judge(Tally(**counts), closed)  # type: ignore[arg-type]
    assert (visit.outcome, visit.reason) == (outcome, reason)


def test_the_first_error_is_kept_for_the_operator() -> None:
    tally = Tally()
    tally.fail("timeout", "http://a.cn/1: took too long", is_list=True)
    tally.fail("http_404", "http://a.cn/2: HTTP 404", is_list=False)
    visit = judge(tally, "finished")
    assert visit.error == "timeout: http://a.cn/1: took too long"
    assert (visit.errors, visit.dropped, tally.as_stats()) == (2, 2, {"http_404": 1, "timeout": 1})


def test_a_list_that_leads_to_the_front_page_is_noted_only_when_it_was_none_itself() -> None:
    tally = Tally()
    tally.note_list("https://a.cn/dj/", "https://a.cn/dj/")
    tally.note_list("https://a.cn/", "https://www.a.cn/index.html")
    assert tally.coverage()["home"] == ""
    gone = Tally()
    gone.note_list("https://a.cn/dj/", "https://a.cn/index.shtml")
    assert gone.coverage()["home"] == "https://a.cn/index.shtml"


def test_what_new_articles_have_is_counted() -> None:
    tally = Tally(pages=4, unread=1, new=2)
    whole = ArticleItem("u", "题", "正文" * 50, publisher="日报", published_at="2026-11-20")
    tally.note_article(whole, relevant=True)
    tally.note_article(ArticleItem("v", "题", "正\ufffd文" * 50), relevant=False)
    counts = {"pages": 4, "bodied": 3, "articles": 2, "named": 1, "dated": 1, "clean": 1, "relevant": 1}
    assert tally.coverage().items() >= (counts | {"home": ""}).items()


def test_a_report_carries_every_count_to_another_process() -> None:
    tally = Tally(requests=3, new=2, validators=[("https://a.cn/", "x", None)])
    tally.fail("timeout", "https://a.cn/b", is_list=False)
    carried = Tally.from_report(json.loads(json.dumps(tally.as_report())))
    assert (carried.reasons["timeout"], carried.reasons["never"]) == (1, 0)
    tally.validators = []
    assert carried == tally
