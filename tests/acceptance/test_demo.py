"""`parknews demo`: the whole job on real parts, twice."""

from __future__ import annotations

import email
import email.policy
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from store.database import make_engine, read_scope
from store.models import Article, Delivery, Issue, IssueStory, Recipient, Story

PARKNEWS = str(Path(sys.executable).parent / "parknews")


def demo(folder: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PARKNEWS_")}
    done = subprocess.run(
        [PARKNEWS, "demo", "--folder", str(folder)],
        capture_output=True,
        text=True,
        timeout=180,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(folder: Path) -> str:
    return demo(folder)


def expected(folder: Path) -> dict[str, int]:
    import json
    from datetime import datetime

    from scheduler.demo.site import SampleWeb

    now = datetime.fromisoformat(json.loads((folder / "demo.json").read_text())["now"])
    with SampleWeb(now) as web:
        return web.counts


def test_everything_published_is_collected(first: str, folder: Path) -> None:
    counts = expected(folder)
    engine = make_engine(f"sqlite:///{folder / 'parknews.db'}")
    with read_scope(engine) as session:
        articles = session.scalar(select(func.count()).select_from(Article)) or 0
    assert f"{counts['sources']} visited" in first
    assert articles == counts["articles"]
    assert "broken-portal: http_500" in first


def test_reprints_excerpts_and_masked_copies_are_joined(first: str, folder: Path) -> None:
    counts = expected(folder)
    engine = make_engine(f"sqlite:///{folder / 'parknews.db'}")
    with read_scope(engine) as session:
        stories = (
            session.scalar(select(func.count()).select_from(Story).where(Story.merged_into.is_(None))) or 0
        )
        relations = dict(
            session.execute(select(Article.relation, func.count()).group_by(Article.relation)).all()
        )
    assert abs(stories - counts["stories"]) <= 1
    assert relations["anonymised"] >= 1
    assert relations["excerpt"] >= 1
    assert relations["reprint"] >= 14


def test_the_issue_holds_what_is_relevant_and_nothing_twice(first: str, folder: Path) -> None:
    counts = expected(folder)
    engine = make_engine(f"sqlite:///{folder / 'parknews.db'}")
    with read_scope(engine) as session:
        stories = session.scalars(select(IssueStory.story_id)).all()
        relevant = set(session.scalars(select(Story.id).where(Story.relevant, Story.merged_into.is_(None))))
    assert len(stories) == len(set(stories)) == len(relevant)
    assert set(stories) == relevant
    assert abs(len(stories) - counts["relevant_stories"]) <= 3


def test_three_recipients_get_their_own_cut(first: str, folder: Path) -> None:
    mails = sorted((folder / "mail").glob("*.eml"))
    assert len(mails) == 3
    messages = {}
    for path in mails:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = message.get_body(("plain",))
        assert body is not None
        messages[str(message["To"].addresses[0].addr_spec)] = body.get_content()
        assert str(path) in first
    assert set(messages) == {"desk@example.org", "anhui@example.org", "chains@example.org"}
    assert len(messages["desk@example.org"]) > len(messages["chains@example.org"])
    assert "慈湖高新区" in messages["anhui@example.org"]
    assert "【西安高新区】" in messages["desk@example.org"]
    assert "【西安高新区】" not in messages["anhui@example.org"]


def test_every_form_is_where_it_is_said_to_be(first: str) -> None:
    paths = dict(re.findall(r"^  (html|text|page|word)\s+(\S+)$", first, re.MULTILINE))
    assert set(paths) == {"html", "text", "page", "word"}
    assert all(Path(path).stat().st_size > 5000 for path in paths.values())


def test_a_second_run_fetches_and_sends_nothing_twice(first: str, folder: Path) -> None:
    counts = expected(folder)
    again = demo(folder)
    assert "0 new, 0 revised" in again
    assert re.search(r"pages +0 read", again)
    assert "composed before" in again
    assert "nothing is sent twice" in again
    assert len(list((folder / "mail").glob("*.eml"))) == 3
    engine = make_engine(f"sqlite:///{folder / 'parknews.db'}")
    with read_scope(engine) as session:
        assert session.scalar(select(func.count()).select_from(Issue)) == 1
        assert set(session.scalars(select(Delivery.state))) == {"sent"}
        assert session.scalar(select(func.count()).select_from(Recipient)) == 3
        assert session.scalar(select(func.count()).select_from(Article)) == counts["articles"]
