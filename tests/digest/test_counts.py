import re

from digest.counts import TABLE_ROWS, UNKNOWN_ZONE, compared, count, overview, per_theme, table
from digest.sample import sample_issue

NO_CHANGE = {"last": None, "change": None, "mean": None}


def contents(stories: int, *, hostile: bool = False) -> list[dict[str, object]]:
    return [story.content for story in sample_issue(stories=stories, hostile=hostile).stories]


def test_counts_equal_a_recount() -> None:
    stories = contents(60, hostile=True)
    numbers = count(stories)
    assert numbers["stories"] == 60
    assert numbers["zones"] == len({zone["name"] for s in stories for zone in s["zones"]})  # type: ignore[attr-defined]
    assert sum(theme["count"] for theme in per_theme(stories)) == sum(len(s["themes"]) for s in stories)  # type: ignore[arg-type,misc]


def test_the_table_counts_every_story_of_one_zone_once() -> None:
    stories = contents(60, hostile=True)
    rows = table(stories, per_theme(stories))["rows"]
    assert sum(row["total"] for row in rows) == 60
    assert len(rows) == TABLE_ROWS + 2
    assert rows[-2]["zone"].startswith("其余")
    assert rows[-1]["zone"] == UNKNOWN_ZONE


def test_a_table_that_fits_is_not_cut() -> None:
    stories = contents(10)
    assert not any(row["zone"].startswith("其余") for row in table(stories, per_theme(stories))["rows"])


def test_comparison_with_the_past() -> None:
    assert compared(5, []) == NO_CHANGE
    assert compared(5, [7]) == {"last": 7, "change": -2, "mean": 7.0}
    assert compared(5, [5, 1, 2, 3, 1000]) == {"last": 5, "change": 0, "mean": 2.8}


def test_every_number_of_the_overview_is_a_counted_one() -> None:
    stories = contents(60)
    numbers, themes, change = count(stories), per_theme(stories), compared(60, [50, 40, 30, 20])
    text = overview(numbers, themes, stories, change)
    zones = [row["total"] for row in table(stories, themes)["rows"]]
    known = {*map(str, numbers.values()), *(str(t["count"]) for t in themes), *map(str, zones), "10", "35"}
    assert set(re.findall(r"[\d.]+", text)) <= known
    assert "比上期增加10条（前四期平均35条）" in text


def test_the_overview_of_an_empty_issue_says_so() -> None:
    assert "未收录" in overview(count([]), [], [], NO_CHANGE)


def test_an_unchanged_number_is_called_so() -> None:
    stories = contents(3)
    assert "与上期持平" in overview(count(stories), per_theme(stories), stories, compared(3, [3]))
