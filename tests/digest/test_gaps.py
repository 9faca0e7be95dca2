from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from digest.gaps import KNOWN_REASONS, gaps, reason_words
from store.issues import SourceLook

NOW = datetime(2026, 11, 23, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=300)
READ = SourceLook("a", "甲报", "up", "", 10, 0, LONG_AGO, NOW, frozenset({"合肥高新区"}))
FAILED = replace(READ, name="b", publisher="乙报", looked=0, failed=9, reason="timeout", state="down")
SILENT = timedelta(days=14)


def status(*looks: SourceLook) -> str:
    return str(gaps(looks, ["合肥高新区"], frozenset(), NOW, SILENT)["watch"][0]["status"])


def test_no_news_is_told_from_could_not_look() -> None:
    assert status(READ) == "none"
    assert status(FAILED) == "blind"
    assert status(READ, FAILED) == "partial"
    assert status() == "blind"


def test_only_sources_that_ever_wrote_of_a_zone_decide_about_it() -> None:
    elsewhere = replace(FAILED, zones=frozenset({"西安高新区"}))
    assert status(READ, elsewhere) == "none"
    assert status(elsewhere) == "blind"


def test_a_zone_with_stories_is_no_gap() -> None:
    assert gaps([READ], ["合肥高新区"], frozenset({"合肥高新区"}), NOW, SILENT)["watch"] == []


@pytest.mark.parametrize(
    ("look", "reason"),
    [
        (FAILED, "连接超时"),
        (replace(FAILED, reason="something_new"), "未能读取"),
        (replace(FAILED, failed=0), "本期未访问"),
        (replace(FAILED, failed=0, state="paused"), "已暂停"),
    ],
)
def test_why_a_source_was_not_read_is_said(look: SourceLook, reason: str) -> None:
    found = gaps([look], [], frozenset(), NOW, SILENT)
    assert found["failed"] == [{"publisher": "乙报", "reason": reason}]
    assert (found["sources"], found["looked"]) == (1, 0)


def test_a_source_read_but_without_news_for_long_is_silent() -> None:
    old = replace(READ, last_new_at=NOW - timedelta(days=20))
    never = replace(READ, last_new_at=None)
    new = replace(READ, last_new_at=None, first_seen_at=NOW - timedelta(days=2))
    found = gaps([old, never, new], [], frozenset(), NOW, SILENT)
    assert [gap["days"] for gap in found["silent"]] == [20, 300]


def test_a_source_that_failed_more_often_than_not_is_named() -> None:
    found = gaps([replace(READ, looked=3, failed=5)], [], frozenset(), NOW, SILENT)
    assert found["partial"] == [{"publisher": "甲报", "failed": 5}]


def test_every_known_reason_is_one_that_the_crawler_gives() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(str(files("crawler"))).rglob("*.py"))
    assert [word for word in KNOWN_REASONS if f'"{word}"' not in sources] == []


def test_reason_words_with_detail_are_understood() -> None:
    assert reason_words("timeout: 30 s") == "连接超时"
    assert reason_words("http_500: HTTP 500") == "网站出错（500）"
    assert reason_words("http_404") == "栏目地址失效"
    assert reason_words("http_") == "未能读取"
    assert reason_words("") == "未能读取"
