"""The status page, `/metrics`, `/healthz`, and the server itself."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from digest.issue import compose_issue
from digest.web.app import create_app
from digest.web.serve import Server, start, warnings
from store.alerts import raise_alert
from store.config import Config, ConfigError, DigestSection, Web
from store.database import session_scope
from store.models import Crawl, Source, Story
from store.status import visits_of

#: Behind a proxy that vouches for an editor.
VOUCHED = Config(web=Web(proxy="127.0.0.1", trust_proxy_user="X-Remote-User"))
EDITOR = {"X-Remote-User": "editor", "X-Forwarded-For": "203.0.113.9"}


@pytest.fixture
def running(sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime) -> Engine:
    with session_scope(sqlite_engine) as session:
        add_story(session, now)
        source = Source(
            name="bad", kind="portal", state="down", first_seen_at=now, last_error="<script>alert(1)</script>"
        )
        session.add(source)
        session.flush()
        session.add(Crawl(source_id=source.id, started_at=now, outcome="failed"))
        session.add(Crawl(source_id=source.id, started_at=now - timedelta(days=3), outcome="failed"))
        raise_alert(session, "unreachable", "bad", "{{ 7 * 7 }}", now)
    assert compose_issue(sqlite_engine, Config(), now)
    return sqlite_engine


def client_of(engine: Engine, now: datetime, config: Config | None = None) -> FlaskClient:
    return create_app(engine, config or Config(), lambda: now + timedelta(hours=2)).test_client()


def test_the_status_page_names_what_is_in_trouble(running: Engine, now: datetime) -> None:
    page = client_of(running, now, VOUCHED).get("/status", headers=EDITOR).text
    for words in (
        "2026年第1期",
        "没有运行",
        "来源无法访问",
        "{{ 7 * 7 }}",
        "&lt;script&gt;",
        "失联1",
        "失败1",
    ):
        assert words in page
    assert "<script" not in page


def test_the_status_page_shows_every_source_visit_and_what_waits(
    running: Engine, now: datetime, add_story: Callable[..., Story]
) -> None:
    with session_scope(running) as session:
        raise_alert(session, "frozen", "good", "the same list", now)
        session.add(Source(name="asleep", kind="rss", state="paused", first_seen_at=now))
        good = Source(name="good", kind="rss", state="up", publisher="甲报", first_seen_at=now)
        session.add(good)
        session.flush()
        session.add(Crawl(source_id=good.id, started_at=now, outcome="degraded", reason="layout", new=3))
        add_story(session, now + timedelta(hours=1))
    page = client_of(running, now, VOUCHED).get("/status", headers=EDITOR).text
    for words in (
        "···········█",
        "来源停止更新",
        "1件报道待编",
        "good：部分成功（layout）",
        "新3",
        "MB",
        "parknews 0",
    ):
        assert words in page
    everyone = page[page.index("全部信源") :]
    assert everyone.index("失联") < everyone.index("甲报") < everyone.index("asleep")


def test_the_status_page_says_in_chinese_what_is_recorded_in_english(running: Engine, now: datetime) -> None:
    with session_scope(running) as session:
        raise_alert(
            session,
            "clock",
            "this machine",
            "it is 2026-11-23 08:00 here, but things were recorded at 2026-11-24 08:00",
            now,
        )
        raise_alert(
            session,
            "frozen",
            "甲报",
            "nothing new for 9 working days; its rhythm allows 4; since 2026-11-10 08:00",
            now,
        )
        bad = Source(
            name="worse",
            kind="rss",
            state="down",
            last_error="http_403: http://a.cn/: HTTP 403",
            first_seen_at=now,
        )
        session.add(bad)
        session.flush()
        session.add(Crawl(source_id=bad.id, started_at=now, outcome="failed", reason="no_links"))
    page = client_of(running, now, VOUCHED).get("/status", headers=EDITOR).text
    for words in (
        "本机：本机时间是2026-11-23 08:00，却已有2026-11-24 08:00的记录",
        "甲报：已有9个工作日没有新文章，按其规律至多4个，2026-11-10 08:00起",
        "拒绝访问（http_403）：http://a.cn/: HTTP 403",
        "栏目中没有文章链接（no_links）",
    ):
        assert words in page


def test_many_alerts_are_cut_and_counted(running: Engine, now: datetime) -> None:
    with session_scope(running) as session:
        for number in range(120):
            raise_alert(session, "frozen", f"s{number}", "x", now)
    page = client_of(running, now, VOUCHED).get("/status", headers=EDITOR).text
    assert page.count("来源停止更新") == 99
    assert "另有21项" in page


def test_a_long_list_of_sources_is_cut_and_keeps_the_trouble(running: Engine, now: datetime) -> None:
    with session_scope(running) as session:
        session.add_all(Source(name=f"a{n}", kind="rss", state="up", first_seen_at=now) for n in range(5))
    with session_scope(running) as session:
        visits = visits_of(session, now, most=2)
    assert [source.name for source, _ in visits.sources] == ["bad", "园区日报"]
    assert visits.omitted == 5


def test_metrics_are_what_prometheus_reads(running: Engine, now: datetime) -> None:
    answer = client_of(running, now).get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    for line in answer.text.splitlines():
        assert re.fullmatch(
            r'# (HELP|TYPE) parknews_\w+ .+|parknews_\w+(\{\w+="\w+"\})? -?[0-9.e+]+', line
        ), line
    for line in (
        'parknews_sources{state="down"} 1',
        'parknews_crawls{outcome="failed"} 1',
        'parknews_deliveries{state="in_doubt"} 0',
        "parknews_articles 1",
        "parknews_alerts_open 1",
        "parknews_daemon_running 0",
        "parknews_last_issue_age_seconds 7200",
    ):
        assert line in answer.text.splitlines()


def test_what_no_version_of_ours_wrote_is_one_value_of_a_label(running: Engine, now: datetime) -> None:
    with session_scope(running) as session:
        for number in range(3):
            state = f'odd"\n{number}'
            session.add(Source(name=f"s{number}", kind="rss", state=state, first_seen_at=now))
    lines = client_of(running, now).get("/metrics").text.splitlines()
    assert 'parknews_sources{state="other"} 3' in lines
    assert not [line for line in lines if "odd" in line]


def test_metrics_are_for_this_machine_editors_and_token_holders(
    running: Engine, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(running, now)
    elsewhere = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.1"}}
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403
    assert client.get("/metrics", **elsewhere).status_code == 403
    bearer = {"Authorization": "Bearer 0123456789abcdef"}
    assert client.get("/metrics", headers=bearer, **elsewhere).status_code == 403
    monkeypatch.setenv("PARKNEWS_METRICS_TOKEN", "0123456789abcdef")
    assert client.get("/metrics", headers=bearer, **elsewhere).status_code == 200
    assert client.get("/metrics", headers={"Authorization": "Bearer x"}, **elsewhere).status_code == 403
    assert client_of(running, now, VOUCHED).get("/metrics", headers=EDITOR).status_code == 200


def test_healthz_tells_nothing_but_whether_the_database_answers(sqlite_engine: Engine, now: datetime) -> None:
    client = client_of(sqlite_engine, now)
    stranger = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.1"}}
    assert (client.get("/healthz", **stranger).status_code, client.get("/healthz").text) == (200, "ok\n")
    with session_scope(sqlite_engine) as session:
        session.execute(text("DROP TABLE issue_story"))
        session.execute(text("DROP TABLE issue"))
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (503, "database\n")
    assert client.get("/metrics").status_code == 503
    with session_scope(sqlite_engine) as session:
        session.execute(text("DROP TABLE editor_session"))
    client.set_cookie("parknews_session", "x")
    assert client.get("/healthz").status_code == 503
    assert client.get("/status").status_code == 503
    assert "sqlite" not in client.get("/metrics").text


@pytest.fixture
def server(sqlite_engine: Engine) -> Iterator[Server]:
    server = start(sqlite_engine, Config(), port=0)
    yield server
    server.close()


def test_the_server_listens_on_loopback_and_names_no_software(server: Server) -> None:
    assert server.host == "127.0.0.1"
    with urlopen(f"{server.url}healthz") as answer:
        assert answer.read() == b"ok\n"
        assert answer.headers["Server"] is None
    with pytest.raises(HTTPError) as caught:
        urlopen(server.url)
    assert caught.value.code == 403


def test_a_server_that_was_closed_answers_no_more(sqlite_engine: Engine) -> None:
    server = start(sqlite_engine, Config(), port=0)
    idle = socket.create_connection((server.host, server.port))
    server.close()
    server.close()
    server.wait()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((server.host, server.port), timeout=2)
    idle.close()


def test_a_port_in_use_is_one_clear_line(server: Server, sqlite_engine: Engine) -> None:
    with pytest.raises(
        ConfigError, match=r"cannot be listened on \(Address already in use\); choose another"
    ):
        start(sqlite_engine, Config(), port=server.port)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", {431}),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5000 + b"\r\n", {431}),
        (b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n", {413}),
        (b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", {400}),
        (b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {400, 403}),
        (b"\x00\x01\x02\r\n\r\n", {400}),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n", {403}),
        (b"GET /issues/1 HTTP/1.1\r\nHost: evil.example\r\nX-Remote-User: admin\r\nX-Remote_User: admin\r\n\r\n", {403}),
    ],
)  # fmt: skip
def test_requests_that_are_none_are_refused(server: Server, request_bytes: bytes, status: set[int]) -> None:
    with socket.create_connection((server.host, server.port), timeout=5) as connection:
        connection.sendall(request_bytes)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status in status
        assert b"Traceback" not in answer.read()


def test_a_redirect_stays_on_the_host_that_was_asked(server: Server) -> None:
    request = Request(f"{server.url}status", headers={"Host": "evil.example"})
    connection = http.client.HTTPConnection(server.host, server.port)
    connection.request("GET", "/status", headers=dict(request.header_items()))
    assert connection.getresponse().headers["Location"] == "/login?to=status"


def test_listening_for_others_without_https_is_warned_of() -> None:
    assert warnings(Config(), "127.0.0.1") == warnings(Config(), "::1") == []
    (warning,) = warnings(Config(), "0.0.0.0")
    assert "without https" in warning
    public = Config(digest=DigestSection(public_url="https://a.example.cn"), web=Web(public_archive=True))
    (warning,) = warnings(public, "0.0.0.0")
    assert "public_archive" in warning
