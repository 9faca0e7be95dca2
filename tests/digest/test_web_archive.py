import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zipfile import ZipFile

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine

from digest.issue import compose_issue
from digest.tokens import make_token
from digest.web.app import create_app
from store.config import Config, DigestSection, RecipientEntry, Web
from store.database import session_scope
from store.models import Story
from store.recipients import add_recipient

CONFIG = Config(web=Web(public_archive=True))
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def archive(sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime) -> FlaskClient:
    """Two issues: zone A has a story of 链上党建, zone B one of 驿站 with 100% and a_b in it."""
    with session_scope(sqlite_engine) as session:
        add_story(
            session,
            now,
            title="链上党建联盟成立",
            text="合肥高新区成立链上党建联盟，吸纳12家企业。",
            themes=("chain",),
        )
    assert compose_issue(sqlite_engine, CONFIG, now)
    with session_scope(sqlite_engine) as session:
        add_story(
            session,
            now + timedelta(days=1),
            zones=("西安高新区",),
            themes=("gig",),
            outlets=("西安样报", "转载网"),
            title="小哥驿站开放<script>",
            text="西安高新区建成小哥驿站，覆盖率100%，编号a_b。",
            published=now + timedelta(hours=12),
        )
        add_story(session, now + timedelta(days=2), relevant=False, title="没有编发的链上消息")
    assert compose_issue(sqlite_engine, CONFIG, now + timedelta(days=7))
    return create_app(sqlite_engine, CONFIG).test_client()


def found(archive: FlaskClient, **query: Any) -> list[str]:
    page = archive.get("/search", query_string=query)
    assert page.status_code == 200
    return re.findall(r'data-story="(\d+)"', page.text)


def test_the_list_names_every_issue(archive: FlaskClient) -> None:
    page = archive.get("/").text
    assert page.index("2026年第2期") < page.index("2026年第1期")


def test_an_issue_is_shown_with_links_that_stay_here(archive: FlaskClient) -> None:
    page = archive.get("/issues/2")
    assert page.status_code == 200
    assert 'href="/stories/2"' in page.text
    assert "&lt;script&gt;" in page.text
    assert "<script" not in page.text


def test_the_word_form_can_be_downloaded(archive: FlaskClient) -> None:
    answer = archive.get("/issues/1/briefing.docx")
    assert "链上党建联盟成立" in ZipFile(io.BytesIO(answer.data)).read("word/document.xml").decode()
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]


def test_a_storys_page_tells_facts_but_not_the_text(archive: FlaskClient) -> None:
    page = archive.get("/stories/2").text
    assert "西安样报" in page
    assert "2026年第2期" in page
    assert "2026-11-23 20:00" in page
    assert "编号a_b" in page  # the summary
    assert "归类依据" in page


def test_words_are_found_inside_sentences_from_two_characters_up(archive: FlaskClient) -> None:
    assert found(archive, q="链上") == ["1"]
    assert found(archive, q="驿站") == ["2"]
    assert found(archive, q="高新区") == ["2", "1"]
    assert found(archive, q="高新区 驿站") == ["2"]
    assert "至少2个字" in archive.get("/search?q=链").text


def test_wildcards_and_quotes_are_ordinary_characters(archive: FlaskClient) -> None:
    assert found(archive, q="100%") == ["2"]
    assert found(archive, q="0%覆") == []
    assert found(archive, q="a_b") == ["2"]
    assert found(archive, q="a__") == []
    assert found(archive, q="') OR 1=1 --") == []


def test_filters_by_zone_theme_outlet_and_day(archive: FlaskClient) -> None:
    assert found(archive, zone="合肥高新区") == ["1"]
    assert found(archive, theme="gig") == ["2"]
    assert found(archive, outlet="转载") == ["2"]
    assert found(archive, since="2026-11-23", until="2026-11-23") == ["2", "1"]
    assert found(archive, since="2026-11-24") == []
    assert found(archive, since="昨天", zone="合肥高新区", theme="gig") == []


@pytest.mark.parametrize(
    "path",
    [
        "/issues/3",
        "/issues/99999999999999999999",
        "/issues/-1",
        "/issues/x",
        "/stories/3",
        "/stories/99999999999999999999999",
        "/static/../app.py",
        "/static/%2e%2e/web/app.py",
        "/issues/1/..%2f..%2fetc",
        "/<script>",
    ],
)
def test_what_is_not_there_is_a_plain_404(archive: FlaskClient, path: str) -> None:
    answer = archive.get(path)
    assert answer.status_code == 404
    assert "没有这一页" in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize("page", ["0", "-1", "x", "99999999999", "１"])
def test_odd_page_numbers_are_harmless(archive: FlaskClient, page: str) -> None:
    assert archive.get("/search", query_string={"q": "高新区", "page": page}).status_code == 200


def test_every_answer_forbids_script_and_outside_resources(archive: FlaskClient) -> None:
    for path in ("/", "/issues/1", "/stories/1", "/search?q=链上", "/static/digest.css", "/nothing"):
        headers = archive.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe-inline" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_pages_have_no_inline_style_and_no_event_handlers(archive: FlaskClient) -> None:
    for path in ("/", "/issues/1", "/issues/2", "/stories/2", "/search?q=链上"):
        page = archive.get(path).text
        assert " style=" not in page
        assert not re.search(r"\son\w+=", page)


def test_a_public_archive_opens_only_by_a_personal_link(
    sqlite_engine: Engine, archive: FlaskClient, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARKNEWS_WEB_SECRET", SECRET)
    with session_scope(sqlite_engine) as session:
        key = add_recipient(session, RecipientEntry("a@example.cn"), now, "test").token_key
    public = create_app(
        sqlite_engine, Config(digest=DigestSection(public_url="https://digest.example.cn"))
    ).test_client()
    assert public.get("/issues/1").status_code == 403
    assert public.get("/issues/1?k=forged").status_code == 403
    assert public.get(f"/issues/1?k={make_token(SECRET, key, 'unsubscribe')}").status_code == 403
    assert public.get(f"/issues/1?k={make_token(SECRET, key, 'archive')}").status_code == 200
    assert public.get("/stories/1", base_url="https://localhost").status_code == 200  # the cookie
    assert (
        create_app(sqlite_engine, Config(digest=DigestSection(public_url="https://digest.example.cn")))
        .test_client()
        .get("/static/digest.css")
        .status_code
        == 200
    )
