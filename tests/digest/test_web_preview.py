import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select

from digest.issue import coming_issue, compose_issue
from digest.web.preview import create_preview
from store.config import Config, RecipientEntry
from store.database import read_scope, session_scope
from store.models import Audit, Story
from store.recipients import add_recipient

CONFIG = Config()


class Desk:
    """A browser at the desk that fills in the forms of the page."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        token = re.search(r'name="token" value="([^"]+)"', client.get("/").text)
        assert token
        self.token = token[1]

    def act(self, kind: str, story: int | None = None, value: str = "", reason: str = "") -> int:
        form = {"token": self.token, "kind": kind, "story": story or "", "value": value, "reason": reason}
        return self.client.post("/edit", data=form).status_code

    def mail(self, recipient: str = "") -> str:
        return self.client.get("/form/mail", query_string={"recipient": recipient}).text


@pytest.fixture
def desk(sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime) -> Desk:
    with session_scope(sqlite_engine) as session:
        for zone in ("合肥高新区", "西安高新区", "长沙高新区"):
            add_story(session, now, zones=(zone,))
        add_recipient(session, RecipientEntry("xian@example.cn", zones=["西安高新区"]), now, "test")
    return Desk(create_preview(sqlite_engine, CONFIG, lambda: now, "王编辑").test_client())


def test_every_form_is_shown_for_the_whole_and_for_a_recipient(desk: Desk) -> None:
    for form in ("mail", "text", "page"):
        whole = desk.client.get(f"/form/{form}").text
        cut = desk.client.get(f"/form/{form}?recipient=xian@example.cn").text
        assert "合肥高新区" in whole
        assert "西安高新区" in cut
        assert "合肥高新区" not in cut
    assert desk.client.get("/form/word").data[:2] == b"PK"
    assert desk.client.get("/form/nothing").status_code == 404
    assert desk.client.get("/form/mail?recipient=stranger@example.cn").status_code == 404


def test_the_editor_changes_the_coming_issue(desk: Desk, sqlite_engine: Engine, now: datetime) -> None:
    assert desk.act("retitle", 1, "编者拟的标题") == 303
    assert desk.act("summary", 1, "编者写的摘要。") == 303
    assert desk.act("move", 1, "soe") == 303
    assert desk.act("pin", 2) == 303
    assert desk.act("note", None, "本期按语。") == 303
    assert desk.act("erratum", None, "上期“35个”应为“53个”。") == 303
    assert desk.act("drop", 3, reason="与上期重复") == 303
    mail = desk.mail()
    for words in (
        "编者拟的标题",
        "编者写的摘要。（编者摘要）",
        "国企党建",
        "本期按语。",
        "应为“53个”",
        "勘误",
    ):
        assert words in mail
    assert "长沙高新区" not in mail
    issue = compose_issue(sqlite_engine, CONFIG, now)
    assert issue
    assert {story.story_id for story in issue.stories} == {1, 2}
    with read_scope(sqlite_engine) as session:
        trail = session.execute(
            select(Audit.who, Audit.what, Audit.target).where(Audit.what.like("edit.%"))
        ).all()
    assert ("王编辑", "edit.drop", "story:3") in [tuple(row) for row in trail]
    assert len(trail) == 7


def test_a_decision_can_be_undone(desk: Desk, sqlite_engine: Engine, now: datetime) -> None:
    desk.act("drop", 3, reason="重复")
    edit = re.search(r'id="edit-(\d+)"', desk.client.get("/").text)
    assert edit
    answer = desk.client.post("/undo", data={"token": desk.token, "edit": edit[1]})
    assert answer.status_code == 303
    assert len(coming_issue(sqlite_engine, CONFIG, now).stories) == 3
    assert desk.client.post("/undo", data={"token": desk.token, "edit": edit[1]}).status_code == 400


def test_the_issue_can_be_held_and_approved(desk: Desk, sqlite_engine: Engine, now: datetime) -> None:
    desk.act("hold", reason="等领导审定")
    assert "全期已暂缓" in desk.client.get("/").text
    assert compose_issue(sqlite_engine, CONFIG, now) is None
    desk.act("approve")
    assert "王编辑已核准" in desk.client.get("/").text
    assert compose_issue(sqlite_engine, CONFIG, now + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("kind", "story", "value", "reason", "words"),
    [
        ("drop", 1, "", "", "要写明理由"),
        ("retitle", 1, "", "", "内容不能为空"),
        ("retitle", 1, "长" * 81, "", "最多80字"),
        ("summary", 1, "长" * 121, "", "最多120字"),
        ("move", 1, "nowhere", "", "没有这个栏目"),
        ("pin", 77, "", "", "没有第77号报道"),
        ("pin", None, "", "", "没有“pin”这项操作"),
        ("drop table", 1, "", "", "没有“drop table”这项操作"),
        ("approve", 1, "", "", "没有“approve”这项操作"),
    ],
)
def test_a_decision_that_cannot_be_taken_is_explained(
    desk: Desk, kind: str, story: int | None, value: str, reason: str, words: str
) -> None:
    form = {"token": desk.token, "kind": kind, "story": story or "", "value": value, "reason": reason}
    answer = desk.client.post("/edit", data=form)
    assert answer.status_code == 400
    assert words in answer.text


def test_what_went_out_cannot_be_edited(desk: Desk, sqlite_engine: Engine, now: datetime) -> None:
    assert compose_issue(sqlite_engine, CONFIG, now)
    assert desk.act("retitle", 1, "太晚") == 400


def test_other_sites_and_other_hosts_are_refused(desk: Desk) -> None:
    assert desk.client.post("/edit", data={"kind": "hold"}).status_code == 403
    assert desk.client.post("/edit", data={"kind": "hold", "token": "x" * 43}).status_code == 403
    assert desk.client.get("/", headers={"Host": "evil.example"}).status_code == 403
    assert desk.client.get("/", headers={"Host": "127.0.0.1.evil.example:8091"}).status_code == 403
    assert desk.client.get("/", headers={"Host": "127.0.0.1:8091"}).status_code == 200


def test_the_desk_opens_for_the_first_browser_with_the_key_and_nobody_else_on_the_machine(
    sqlite_engine: Engine, now: datetime
) -> None:
    app = create_preview(sqlite_engine, CONFIG, lambda: now, "王编辑", key="sesame")
    editor, neighbour = app.test_client(), app.test_client()
    for path in ("/", "/form/mail", "/open/", "/open/sesam", "/open/sesame2", "/open/é", "/nothing"):
        assert neighbour.get(path).status_code == 403
    assert neighbour.post("/edit", data={"kind": "hold"}).status_code == 403
    assert neighbour.get("/static/digest.css").status_code == 200
    answer = editor.get("/open/sesame")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert "SameSite=Strict" in answer.headers["Set-Cookie"]
    assert "编前预览" in editor.get("/").text
    assert neighbour.get("/open/sesame").status_code == 403
    neighbour.set_cookie("parknews_desk", "forged")
    assert neighbour.get("/").status_code == 403
    assert Desk(editor).act("hold", reason="等一等") == 303


def test_forms_may_not_run_or_load_anything(desk: Desk) -> None:
    policy = desk.client.get("/form/mail").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy


def test_the_desk_shows_an_empty_week(sqlite_engine: Engine, now: datetime) -> None:
    page = create_preview(sqlite_engine, CONFIG, lambda: now, "王编辑").test_client().get("/").text
    assert "目前没有可编发的报道" in page


def test_stories_are_merged_and_split(desk: Desk, sqlite_engine: Engine, now: datetime) -> None:
    def post(path: str, **form: object) -> int:
        return desk.client.post(path, data={"token": desk.token, **form}).status_code

    def told() -> list[int]:
        return sorted(story.story_id for story in coming_issue(sqlite_engine, CONFIG, now).stories)

    assert post("/merge", story=1, other=2, reason="") == 400
    assert post("/merge", story=1, other=1, reason="同一件事") == 400
    assert post("/merge", story=1, other=99, reason="同一件事") == 400
    assert post("/merge", story=1, other=2, reason="同一件事") == 303
    assert len(told()) == 2
    assert "拆出这篇" in desk.client.get("/").text
    assert post("/split", article=2, reason="不是同一件事") == 303
    assert len(told()) == 3
    assert post("/split", article=2, reason="再拆") == 400
    assert post("/split", article=99, reason="没有") == 400
    with read_scope(sqlite_engine) as session:
        assert session.scalars(select(Audit.what).where(Audit.what.like("story.%"))).all() == [
            "story.merge",
            "story.split",
        ]


def test_the_desk_shows_other_stories_of_the_same_event_and_merges_nothing_by_itself(
    desk: Desk, sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    def told(outlet: str, title: str, **given: object) -> int:
        named = {"practices": [{"name": "船台课堂"}]}
        with session_scope(sqlite_engine) as session:
            return add_story(session, now, outlets=(outlet,), title=title, classification=named, **given).id

    first = told("园区日报", "船台上的党课", published=now - timedelta(days=2))
    other = told("海边晚报", "<b>党课</b>上船台", published=now - timedelta(days=2), relevant=False)
    told("海边晚报", "去年的党课", published=now - timedelta(days=365))
    page = desk.client.get("/").text
    (shown,) = re.findall(r'<div class="related">.*?</div>', page, re.DOTALL)
    assert "同一事件的其他报道" in shown
    assert "&lt;b&gt;党课&lt;/b&gt;上船台" in shown
    assert "海边晚报　理由：合肥高新区，2026-11-21，“船台课堂”" in shown
    assert 'href="https://' in shown
    assert f'name="story" value="{first}"' in shown
    assert f'name="other" value="{other}"' in shown
    with read_scope(sqlite_engine) as session:
        assert session.get_one(Story, other).merged_into is None
    form = {"token": desk.token, "story": first, "other": other, "reason": "同一件事"}
    assert desk.client.post("/merge", data=form).status_code == 303
    assert '<div class="related">' not in desk.client.get("/").text


def test_merging_needs_the_token_too(desk: Desk) -> None:
    assert desk.client.post("/merge", data={"story": 1, "other": 2, "reason": "x"}).status_code == 403


def test_the_editor_takes_in_what_the_classifier_was_not_sure_of(
    desk: Desk, sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime
) -> None:
    with session_scope(sqlite_engine) as session:
        unsure = add_story(session, now, title="区直机关里的党员车间", relevant=False, borderline=True).id
        add_story(session, now, title="无关的新闻", relevant=False)
    page = desk.client.get("/").text
    assert "区直机关里的党员车间" in page
    assert "无关的新闻" not in page
    assert "区直机关里的党员车间" not in desk.mail()
    assert desk.act("include", unsure) == 303
    assert "区直机关里的党员车间" in desk.mail()
    issue = compose_issue(sqlite_engine, CONFIG, now)
    assert issue
    assert unsure in {story.story_id for story in issue.stories}
    assert "没有待定的报道" in desk.client.get("/").text
