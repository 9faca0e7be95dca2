"""`parknews status` shows what an operator asks first."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from scheduler.commands.status import status_lines
from scheduler.context import Installation
from store.alerts import raise_alert
from store.config import Config
from store.database import session_scope
from store.models import Source
from store.sources import Visit, finish_crawl, start_crawl
from store.status import sparkline


def test_the_overview_names_states_news_faults_runs_and_the_queue(tmp_path: Path, now: datetime) -> None:
    installation = Installation(Config(base=str(tmp_path)))
    with session_scope(installation.engine) as session:
        for name in ("good", "bad"):
            source = Source(name=name, kind="portal", first_seen_at=now, next_check_at=now)
            session.add(source)
            session.flush()
            for week in range(3):
                at = now - timedelta(weeks=week, hours=1)
                failed = name == "bad"
                visit = Visit(
                    "failed" if failed else "ok",
                    "http_403" if failed else None,
                    new=0 if failed else week + 1,
                )
                finish_crawl(session, start_crawl(session, source.id, at).id, visit, {}, at)
        raise_alert(session, "refused", "bad", "HTTP 403", now)
    text = "\n".join(status_lines(installation, now, runs=2))
    assert "sources    1 down, 1 up" in text
    assert "up     ·········█▆▄ good" in text
    assert "refused: http_403" in text
    assert "alert      refused bad: HTTP 403" in text
    assert text.count("\ncrawl ") == 2
    assert "next issue 2026-11-30 08:00, 0 stories wait for it" in text
    assert "MB free" in text
    assert "parknews 0" in text


def test_a_long_list_of_sources_is_cut_and_says_how_to_see_all(tmp_path: Path, now: datetime) -> None:
    installation = Installation(Config(base=str(tmp_path)))
    with session_scope(installation.engine) as session:
        session.add_all(
            Source(name=f"s{n}", kind="rss", state="down" if n == 3 else "up", first_seen_at=now)
            for n in range(5)
        )
    lines = status_lines(installation, now, sources=2)
    listed = lines[lines.index("sources    1 down, 4 up") + 1 :]
    assert [line.split()[2] for line in listed[:2]] == ["s3", "s0"]
    assert listed[2:] == ["  and 3 more: --sources 5"]


def test_bars_show_even_the_smallest_count() -> None:
    assert sparkline([0, 1, 50, 100]) == "·▂▅█"
    assert sparkline([0, 0]) == "··"
