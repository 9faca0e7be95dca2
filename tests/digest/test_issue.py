import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Thread
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select

from digest.edition import edition_for
from digest.issue import coming_issue, compose_issue
from digest.rendering import Links, render
from store.config import Config, DigestSection, Office
from store.database import read_scope, session_scope
from store.issues import issue_by_number, last_issues
from store.models import Crawl, Edit, Issue, IssueStory, Source, Story
from store.story_unsettled import mark

WEEK = timedelta(days=7)
CONFIG = Config(office=Office(watch_zones=["合肥高新区", "芜湖高新区"]))


def composed(engine: Engine, now: datetime, config: Config = CONFIG) -> Issue:
    assert compose_issue(engine, config, now) is not None
    with read_scope(engine) as session:
        newest = session.scalars(select(Issue).order_by(Issue.number.desc())).first()
        issue = issue_by_number(session, newest.number if newest else 0)
        assert issue is not None
        return issue


def edit(engine: Engine, now: datetime, kind: str, story: int | None = None, value: str = "") -> None:
    with session_scope(engine) as session:
        session.add(Edit(kind=kind, story_id=story, value=value, who="王编辑", reason="试", created_at=now))


def add(engine: Engine, add_story: Callable[..., Story], seen: datetime, **given: Any) -> int:
    with session_scope(engine) as session:
        return add_story(session, seen, **given).id


def test_the_first_issue_takes_everything_seen_before_it(
    engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    ids = [add(engine, add_story, now - timedelta(days=days)) for days in (0, 1, 30)]
    add(engine, add_story, now + timedelta(seconds=1))
    add(engine, add_story, now, relevant=False)
    issue = composed(engine, now)
    assert {story.story_id for story in issue.stories} == set(ids)
    assert (issue.number, issue.year, issue.year_number, issue.late) == (1, 2026, 1, False)
    assert issue.period_start == now - WEEK
    assert issue.period_end == now


def test_stories_are_settled_before_the_issue_is_composed(
    engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    """Two copies of one text were left in two stories, because of the order in which they came."""
    text = "园区党校的夜班课开到了厂门口，二十六名党员下班后围着一张图纸，听老师傅讲完最后一道工序。" * 3
    for _ in range(2):
        add(engine, add_story, now, title="夜班课开到厂门口", text=text)
    with session_scope(engine) as session:
        mark(session, [1])
    issue = composed(engine, now)
    assert len(issue.stories) == 1
    with read_scope(engine) as session:
        assert session.get_one(Story, issue.stories[0].story_id).article_count == 2


def test_a_second_caller_gets_nothing(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    add(sqlite_engine, add_story, now)
    assert compose_issue(sqlite_engine, CONFIG, now) is not None
    assert compose_issue(sqlite_engine, CONFIG, now) is None
    assert compose_issue(sqlite_engine, CONFIG, now + timedelta(hours=3)) is None
    assert compose_issue(sqlite_engine, CONFIG, now - timedelta(days=40)) is None


def test_of_many_callers_at_once_one_composes(
    engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    add(engine, add_story, now)
    got: list[Issue | None] = []
    threads = [Thread(target=lambda: got.append(compose_issue(engine, CONFIG, now))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 4
    assert sum(issue is not None for issue in got) == 1


def test_a_missed_monday_is_made_up_once_and_marked(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    composed(sqlite_engine, now)
    missed = add(sqlite_engine, add_story, now + timedelta(days=3))
    late = composed(sqlite_engine, now + WEEK + timedelta(days=2))
    assert late.late
    assert late.content["masthead"]["late"]
    assert [story.story_id for story in late.stories] == [missed]
    on_time = composed(sqlite_engine, now + 2 * WEEK)
    assert (on_time.number, on_time.late, on_time.period_start) == (3, False, late.period_end)


def test_an_issue_after_a_long_outage_says_how_many_days_it_covers(
    sqlite_engine: Engine, now: datetime
) -> None:
    composed(sqlite_engine, now)
    issue = composed(sqlite_engine, now + 4 * WEEK)
    assert (issue.number, issue.late, issue.content["masthead"]["days"]) == (2, False, 28)
    assert "（共28天）" in render(edition_for(issue), CONFIG, links=Links()).text


def test_a_story_committed_late_reaches_the_next_issue(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    composed(sqlite_engine, now)
    story = add(sqlite_engine, add_story, now - timedelta(minutes=1))
    assert [s.story_id for s in composed(sqlite_engine, now + WEEK).stories] == [story]


def test_a_reprint_later_does_not_repeat_a_story_nor_does_a_merge(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    told = add(sqlite_engine, add_story, now)
    composed(sqlite_engine, now)
    again = add(sqlite_engine, add_story, now + timedelta(days=1))
    with session_scope(sqlite_engine) as session:
        session.get_one(Story, told).merged_into = again
    assert composed(sqlite_engine, now + WEEK).stories == []


def test_a_follow_up_names_the_earlier_issue(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    told = add(sqlite_engine, add_story, now)
    composed(sqlite_engine, now)
    add(sqlite_engine, add_story, now + timedelta(days=1), follow_up_of=told)
    follow_up = composed(sqlite_engine, now + WEEK).stories[0].content["follow_up"]
    assert (follow_up["number"], follow_up["label"], follow_up["story_id"]) == (1, "2026年第1期", told)


def test_two_reports_of_one_event_are_frozen_beside_each_other(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    day, named = now - timedelta(days=2), {"practices": [{"name": "船台课堂", "span": [3, 7]}]}

    def told(**given: Any) -> int:
        return add(sqlite_engine, add_story, now, **{"published": day, "classification": named} | given)

    first, second = told(title="船台上的党课"), told(published=day + timedelta(hours=20))
    told(published=day - timedelta(days=3))
    told(zones=("西安高新区",))
    told(classification={"practices": [{"name": "红色巴士"}]})
    told(published=None)
    frozen = {story.story_id: story.content["same_event"] for story in composed(sqlite_engine, now).stories}
    assert [key for key, others in frozen.items() if others] == [first, second]
    assert frozen[second] == [{"story_id": first, "title": "船台上的党课", "practice": "船台课堂"}]
    assert len(frozen) == 6


def test_numbers_start_again_with_the_year_and_the_total_goes_on(
    sqlite_engine: Engine, now: datetime
) -> None:
    labels = [composed(sqlite_engine, now + week * WEEK).content["masthead"]["label"] for week in range(7)]
    assert labels[5:] == ["2026年第6期", "2027年第1期"]


def test_old_news_found_late_is_one_line_of_supplement(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    add(sqlite_engine, add_story, now, published=now - timedelta(days=400))
    add(sqlite_engine, add_story, now, published=now - timedelta(days=2))
    stories = composed(sqlite_engine, now).stories
    assert [(s.section, s.in_full) for s in stories] == [("org", True), ("supplement", False)]


def test_what_does_not_fit_is_listed_never_left_out(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    ids = {add(sqlite_engine, add_story, now) for _ in range(15)}
    config = msgspec.structs.replace(CONFIG, digest=DigestSection(max_stories=8))
    issue = composed(sqlite_engine, now, config)
    assert {s.story_id for s in issue.stories} == ids
    assert sum(s.in_full for s in issue.stories) == 8
    assert [s.rank for s in issue.stories] == list(range(1, 16))


def test_a_watched_zone_comes_first_and_the_reason_is_shown(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    add(sqlite_engine, add_story, now, zones=("西安高新区",), outlets=("人民日报", "光明日报"))
    watched = add(sqlite_engine, add_story, now, zones=("芜湖高新区",), outlets=("芜湖日报",), published=now)
    first = composed(sqlite_engine, now).stories[0]
    assert first.story_id == watched
    assert first.content["reasons"][0] == {"label": "关注园区芜湖高新区", "points": 80.0}
    assert first.weight == pytest.approx(sum(r["points"] for r in first.content["reasons"]))


def test_headlines_do_not_all_come_from_one_zone(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    for zone in ("合肥高新区",) * 6 + ("西安高新区", "武汉东湖高新区", "长沙高新区"):
        add(sqlite_engine, add_story, now, zones=(zone,))
    headlines = [s for s in composed(sqlite_engine, now).stories if s.content["headline"]]
    assert len(headlines) == 5
    assert sum(s.content["zones"][0]["name"] == "合肥高新区" for s in headlines) == 2


def test_the_editor_pins_drops_retitles_moves_summarises_and_comments(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    first, second, third = (add(sqlite_engine, add_story, now, outlets=("人民日报",)) for _ in range(3))
    last = add(sqlite_engine, add_story, now, outlets=("某网",), zones=("西安高新区",))
    edit(sqlite_engine, now, "pin", last)
    edit(sqlite_engine, now, "drop", first)
    edit(sqlite_engine, now, "retitle", second, "改过的标题")
    edit(sqlite_engine, now, "move", second, "soe")
    edit(sqlite_engine, now, "summary", third, "编者写的摘要。")
    edit(sqlite_engine, now, "note", None, "本周值得一读。")
    edit(sqlite_engine, now, "erratum", None, "上期第3条“35个”应为“53个”。")
    issue = composed(sqlite_engine, now)
    stories = {s.story_id: s for s in issue.stories}
    assert issue.stories[0].story_id == last or stories[last].weight >= 1000
    assert set(stories) == {second, third, last}
    assert (stories[second].content["title"], stories[second].section) == ("改过的标题", "soe")
    assert (stories[third].content["summary"], stories[third].content["summary_by"]) == (
        "编者写的摘要。",
        "editor",
    )
    assert issue.content["notes"] == ["本周值得一读。"]
    assert issue.content["errata"] == ["上期第3条“35个”应为“53个”。"]
    assert issue.content["dropped"] == 1
    after = composed(sqlite_engine, now + WEEK)
    assert after.stories == []
    assert after.content["notes"] == []


def test_a_held_story_waits_one_issue(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    story = add(sqlite_engine, add_story, now)
    edit(sqlite_engine, now, "hold", story)
    assert composed(sqlite_engine, now).stories == []
    assert [s.story_id for s in composed(sqlite_engine, now + WEEK).stories] == [story]


def test_a_held_issue_waits_for_approval(sqlite_engine: Engine, now: datetime) -> None:
    edit(sqlite_engine, now, "hold")
    assert compose_issue(sqlite_engine, CONFIG, now) is None
    edit(sqlite_engine, now + timedelta(hours=1), "approve")
    issue = composed(sqlite_engine, now + timedelta(hours=2))
    assert issue.content["approved_by"] == "王编辑"


def test_gaps_tell_no_news_from_could_not_look(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    add(
        sqlite_engine,
        add_story,
        now - timedelta(days=30),
        zones=("芜湖高新区",),
        outlets=("芜湖网",),
        relevant=False,
    )
    add(
        sqlite_engine,
        add_story,
        now - timedelta(days=30),
        zones=("合肥高新区",),
        outlets=("合肥网",),
        relevant=False,
    )
    with session_scope(sqlite_engine) as session:
        for source in session.scalars(select(Source)):
            outcome, reason = ("failed", "timeout") if source.name == "芜湖网" else ("ok", None)
            session.add(
                Crawl(source_id=source.id, started_at=now - timedelta(days=1), outcome=outcome, reason=reason)
            )
    gaps = composed(sqlite_engine, now).content["gaps"]
    assert gaps["failed"] == [{"publisher": "芜湖网", "reason": "连接超时"}]
    assert gaps["silent"] == [{"publisher": "合肥网", "days": 30}]
    assert gaps["watch"] == [
        {"zone": "合肥高新区", "status": "none"},
        {"zone": "芜湖高新区", "status": "blind"},
    ]


def test_counts_are_set_against_the_last_issue_and_the_mean_of_four(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    for week, stories in enumerate((2, 4, 6, 0, 5)):
        for _ in range(stories):
            add(sqlite_engine, add_story, now + week * WEEK)
        issue = composed(sqlite_engine, now + week * WEEK)
    assert issue.content["change"] == {"last": 0, "change": 5, "mean": 3.0}
    assert [point["stories"] for point in issue.content["trend"]] == [2, 4, 6, 0, 5]
    assert "比上期增加5条（前四期平均3条）" in issue.content["overview"]


def test_the_preview_is_what_is_frozen_later(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    for outlet in ("人民网", "合肥日报", "某网"):
        add(sqlite_engine, add_story, now, outlets=(outlet, "转载网"))
    coming = coming_issue(sqlite_engine, CONFIG, now)
    frozen = composed(sqlite_engine, now)
    assert coming.content == frozen.content
    assert [(s.story_id, s.content) for s in coming.stories] == [
        (s.story_id, s.content) for s in frozen.stories
    ]


def test_104_weeks_with_200_outages_tell_every_story_once(
    sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    """The daemon looks every six hours; 200 random outages of up to nine days keep it from looking."""
    random = Random(20261123)
    end = 104 * 7 * 4
    down = set[int]()
    for _ in range(200):
        start = random.randrange(end)
        down.update(range(start, start + random.choice((1, 2, 4, 8, 36))))
    seen: set[int] = set()
    with session_scope(sqlite_engine) as session:
        for _ in range(400):
            moment = now + timedelta(hours=6 * random.random() * end)
            seen.add(add_story(session, moment, zones=("西安高新区",)).id)
    for tick in range(end + 36):
        moment = now + timedelta(hours=6 * tick, seconds=random.random())
        if tick not in down or tick > end:
            with_issue = compose_issue(sqlite_engine, CONFIG, moment)
            assert with_issue is None or with_issue.period_end == moment
    with read_scope(sqlite_engine) as session:
        issues = last_issues(session, 1000)[::-1]
        told = session.scalars(select(IssueStory.story_id)).all()
    assert sorted(told) == sorted(seen)
    assert [issue.number for issue in issues] == list(range(1, len(issues) + 1))
    assert all(a.period_end == b.period_start for a, b in itertools.pairwise(issues))
    for year in {issue.year for issue in issues}:
        numbers = [issue.year_number for issue in issues if issue.year == year]
        assert numbers == list(range(1, len(numbers) + 1))
    assert len(issues) > 80
    assert datetime(2028, 1, 1, tzinfo=UTC) < issues[-1].due_at
