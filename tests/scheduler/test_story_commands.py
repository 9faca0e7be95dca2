"""`parknews story` over a SQLite office, and the daemon's tick that settles stories."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from scheduler.commands.story import story_command
from scheduler.context import Installation
from scheduler.jobs import CrawlJob
from scheduler.work import Work
from store.articles import Incoming
from store.config import load_config
from store.database import read_scope, session_scope
from store.stories import assign_story
from store.story_unsettled import unsettled
from tests.arrivals import add_article

TEXT = "支部书记带着三名青年党员，把老厂区的漏水管线逐段摸了一遍，画出了第一张完整的地下管网图。" * 3


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now: datetime) -> Installation:
    """An excerpt that came before what it was taken from."""
    (tmp_path / "parknews.toml").write_text('[database]\nurl = "sqlite:///a.db"\n')
    monkeypatch.chdir(tmp_path)
    installation = Installation(load_config())
    with session_scope(installation.engine) as session:
        for number, text in enumerate((TEXT + "又及，夜校下周开课。", TEXT), 1):
            incoming = Incoming(f"https://a.example/{number}", "地下管网图的来历", text)
            article, _ = add_article(session, incoming, now)
            assign_story(session, article)
    return installation


def test_why_marks_shared_passages_in_colour_on_a_terminal_only(office: Installation) -> None:
    assert office.engine
    plain = CliRunner().invoke(story_command, ["why", "1", "2"])
    assert plain.exit_code == 0, plain.output
    assert "【支部书记带着" in plain.output
    assert "\x1b[" not in plain.output
    coloured = CliRunner().invoke(story_command, ["why", "1", "2"], color=True)
    assert "\x1b[32m\x1b[1m【支部书记带着" in coloured.output


def test_the_daemon_settles_stories_when_an_article_came_early(office: Installation, now: datetime) -> None:
    with read_scope(office.engine) as session:
        assert unsettled(session)
    Work(office, lambda: now, CrawlJob(office, "test")).settle(now)
    with read_scope(office.engine) as session:
        assert not unsettled(session)
    rebuilt = CliRunner().invoke(story_command, ["rebuild"])
    assert (
        rebuilt.output == "2 articles in 1 stories; 0 former stories went into others; 0 articles changed\n"
    )
