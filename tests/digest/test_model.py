import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

import digest.model
from digest.edition import edition_for
from digest.issue import compose_issue
from digest.model import Model, model_from
from digest.rendering import Links, render
from store.config import Config, ConfigError, DigestSection
from store.database import session_scope
from store.models import Story

TITLE, ZONES = "合肥高新区召开推进会", ["合肥高新区"]
TEXT = "11月18日，该区党工委召开推进会，42名党员干部与企业结对。"
GOOD = "合肥高新区党工委召开推进会，42名党员干部与企业结对。"


class Server(ThreadingHTTPServer):
    """Answers every question with `content`, or as `behave` says; remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content: Any = GOOD
        self.behave: Callable[[Handler], None] | None = None
        self.asked: list[tuple[dict[str, str], dict[str, Any]]] = []

    def handle_error(self, *_arguments: object) -> None:
        """A client that hung up is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((dict(self.headers), body))
        if self.server.behave:
            self.server.behave(self)
            return
        self.answer(200, json.dumps({"choices": [{"message": {"content": self.server.content}}]}).encode())

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Tests print nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    threading.Thread(target=started.serve_forever, args=(0.01,), daemon=True).start()
    yield started
    started.shutdown()
    started.server_close()


@pytest.fixture
def model(server: Server, tmp_path: Path) -> Model:
    return Model(f"http://127.0.0.1:{server.server_port}/v1", "some-model", "sesame", tmp_path / "cache")


def test_a_grounded_answer_is_taken_and_asked_for_once(model: Model, server: Server) -> None:
    assert model.summary(TITLE, TEXT, ZONES) == GOOD
    assert model.summary(TITLE, TEXT, ZONES) == GOOD
    assert len(server.asked) == 1
    headers, body = server.asked[0]
    assert headers["Authorization"] == "Bearer sesame"
    assert (body["model"], body["temperature"]) == ("some-model", 0)


@pytest.mark.usefixtures("proxy_nobody_may_use")
def test_the_key_is_shown_to_no_proxy_of_the_environment(model: Model, server: Server) -> None:
    assert model.summary(TITLE, TEXT, ZONES) == GOOD
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer", ["43名党员干部与企业结对。", "<script>alert(1)</script>。", "", "a" * 5000]
)
def test_an_answer_that_is_not_grounded_is_refused(model: Model, server: Server, answer: str) -> None:
    server.content = answer
    assert model.summary(TITLE, TEXT, ZONES) == ""


def redirect(handler: Handler) -> None:
    handler.answer(302, b"", Location=f"http://127.0.0.1:{handler.server.server_port}/elsewhere")


def drip(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


@pytest.mark.parametrize(
    "behave",
    [
        lambda handler: handler.answer(500, b""),
        lambda handler: handler.answer(200, b"no json"),
        lambda handler: handler.answer(200, b'{"choices": []}'),
        lambda handler: handler.answer(200, b'{"choices": [{"message": {"content": 7}}]}'),
        lambda handler: handler.answer(200, b"[" * 100_000),
        lambda handler: handler.answer(200, b" " * 300_000),
        lambda handler: handler.connection.shutdown(socket.SHUT_RDWR),
        redirect,
        drip,
    ],
)
def test_whatever_the_server_does_is_no_more_than_no_summary(
    model: Model, server: Server, monkeypatch: pytest.MonkeyPatch, behave: Callable[[Handler], None]
) -> None:
    monkeypatch.setattr(digest.model, "ANSWER_SECONDS", 0.8)
    server.behave = behave
    started = time.monotonic()
    assert model.summary(TITLE, TEXT, ZONES) == ""
    assert time.monotonic() - started < 2
    assert len(server.asked) == 1


def test_a_server_that_is_down_is_given_up(model: Model, server: Server) -> None:
    server.behave = lambda handler: handler.answer(500, b"")
    for n in range(10):
        assert model.summary(f"{TITLE}{n}", TEXT, ZONES) == ""
    assert len(server.asked) == 3


def test_the_time_of_an_issue_is_limited(model: Model, server: Server) -> None:
    model.seconds = 0
    assert model.summary(TITLE, TEXT, ZONES) == ""
    assert server.asked == []


def test_without_an_address_there_is_no_model() -> None:
    assert model_from(Config(), {}) is None


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"PARKNEWS_MODEL_URL": "http://models.example.cn/v1", "PARKNEWS_MODEL_NAME": "m"}, "must be https"),
        ({"PARKNEWS_MODEL_URL": "file:///etc/passwd", "PARKNEWS_MODEL_NAME": "m"}, "must be https"),
        ({"PARKNEWS_MODEL_URL": "https://models.example.cn/v1"}, "PARKNEWS_MODEL_NAME"),
    ],
)
def test_an_address_that_cannot_be_used_is_named(environ: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        model_from(Config(), environ)


def test_the_key_comes_from_a_file_and_the_address_loses_its_slash(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sesame\n")
    model = model_from(
        Config(),
        {
            "PARKNEWS_MODEL_URL": "https://models.example.cn/v1/",
            "PARKNEWS_MODEL_NAME": "m",
            "PARKNEWS_MODEL_KEY_FILE": str(tmp_path / "key"),
        },
    )
    assert model
    assert (model.url, model.key) == ("https://models.example.cn/v1", "sesame")


def test_an_issue_carries_marked_summaries_and_keeps_its_own_where_refused(
    sqlite_engine: Engine,
    add_story: Callable[..., Story],
    now: datetime,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with session_scope(sqlite_engine) as session:
        add_story(session, now, title=TITLE, text=TEXT)
        add_story(
            session,
            now,
            title="西安高新区召开例会",
            text="西安高新区召开例会，研究党建工作。",
            zones=("西安高新区",),
        )
    monkeypatch.setenv("PARKNEWS_MODEL_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("PARKNEWS_MODEL_NAME", "m")
    config = Config(digest=DigestSection(folder=str(tmp_path)))
    issue = compose_issue(sqlite_engine, config, now)
    assert issue
    written = {story.story_id: story.content["summary_by"] for story in issue.stories}
    assert written == {1: "model", 2: "extract"}
    rendered = render(edition_for(issue), config, links=Links())
    assert rendered.text.count("机器摘要") == rendered.html.count("机器摘要") == 1
