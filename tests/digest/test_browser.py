"""The digest in a real browser: Chromium driven over its debugging pipe, no further package needed."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.serving import make_server

from digest.edition import edition_for
from digest.issue import coming_issue, compose_issue
from digest.rendering import Links, render
from digest.sample import sample_issue
from digest.web.app import create_app
from digest.web.preview import create_preview
from store.config import Config, Web
from store.database import session_scope
from store.editors import add_editor
from store.models import Story

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]
CONFIG = Config(web=Web(public_archive=True))


class Browser:
    """One tab. Commands and events are JSON ended by a zero byte on file descriptors 3 and 4."""

    def __init__(self, profile: Path) -> None:
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        # The kernel chooses: a number of our own may be kept for a connection another thread waits for (EBUSY).
        high = tuple(
            fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 100) for descriptor in (to_read, to_write)
        )
        command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        shell = f'exec 3<&{high[0]} 4>&{high[1]}; exec "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "bash", *command], pass_fds=high, stderr=subprocess.DEVNULL
        )
        for descriptor in (to_read, to_write, *high):
            os.close(descriptor)
        self._buffer, self._serial, self.events = b"", 0, list[dict[str, Any]]()
        self._session = ""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        self._serial += 1
        message: dict[str, Any] = {"id": self._serial, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._serial:
            self.events.append(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not (more := os.read(self._read, 65536)):
                raise EOFError("the browser is gone")
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def open(self, url: str, width: int = 600, scheme: str = "light") -> None:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.send("Page.navigate", url=url)
        self.loaded()

    def loaded(self) -> None:
        """Wait until the page that was asked for stands."""
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())
        self.events = [event for event in self.events if event.get("method") != "Page.loadEventFired"]

    def value(self, script: str) -> Any:
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def complaints(self) -> list[str]:
        """Return what the browser logged: refused resources, policy violations, errors (but for the icon it asks for)."""
        entries = [e["params"]["entry"] for e in self.events if e.get("method") == "Log.entryAdded"]
        return [entry["text"] for entry in entries if "favicon" not in entry.get("url", "")]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("chromium"))
    yield opened
    opened.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    servers = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server in servers:
        server.shutdown()


@pytest.fixture
def engine_with_news(sqlite_engine: Engine, add_story: Callable[..., Story], now: datetime) -> Engine:
    with session_scope(sqlite_engine) as session:
        add_story(session, now, title="链上党建联盟成立<img src=x onerror=alert(1)>", themes=("chain",))
        add_story(session, now, zones=("西安高新区",), title="小哥驿站开放", themes=("gig",))
    assert compose_issue(sqlite_engine, CONFIG, now)
    with session_scope(sqlite_engine) as session:
        for zone in ("合肥高新区", "长沙高新区"):
            add_story(session, now + timedelta(days=1), zones=(zone,))
    return sqlite_engine


@pytest.mark.parametrize("width", [600, 375])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("hostile", [False, True])
def test_the_mail_fits_and_can_be_read(
    browser: Browser, tmp_path: Path, width: int, scheme: str, hostile: bool
) -> None:
    path = tmp_path / "mail.html"
    edition = edition_for(sample_issue(stories=45, hostile=hostile))
    path.write_text(render(edition, CONFIG, links=Links("https://digest.example.cn")).html, encoding="utf-8")
    browser.open(path.as_uri(), width, scheme)
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value(CONTRAST) == []
    assert browser.value("document.images.length + document.scripts.length") == 0


#: Texts whose contrast with what lies behind them is below 4.5 : 1 (WCAG AA).
CONTRAST = """(() => {
  const rgb = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c.slice(0, 3) } return [255, 255, 255] };
  const faults = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) { const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !e.offsetWidth || getComputedStyle(e).fontSize === '0px') continue;
    const a = light(rgb(getComputedStyle(e).color).slice(0, 3)), b = light(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) faults.add(`${ratio.toFixed(1)} ${walk.currentNode.data.trim().slice(0, 30)}`) }
  return [...faults].slice(0, 5) })()"""


@pytest.mark.parametrize("width", [800, 375])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_archive_fits_and_can_be_read(
    browser: Browser, serve: Callable[[Flask], str], engine_with_news: Engine, width: int, scheme: str
) -> None:
    root = serve(create_app(engine_with_news, CONFIG))
    for path in ("/", "/issues/1", "/stories/1", "/search?q=党建"):
        browser.events.clear()
        browser.open(root + path, width, scheme)
        assert browser.value("document.documentElement.scrollWidth") <= width, path
        assert browser.value(CONTRAST) == [], path
        assert browser.value("getComputedStyle(document.querySelector('main')).maxWidth") == "760px"
        assert browser.complaints() == []


def test_a_reader_searches_and_follows_a_hit_to_its_issue(
    browser: Browser, serve: Callable[[Flask], str], engine_with_news: Engine
) -> None:
    browser.open(serve(create_app(engine_with_news, CONFIG)), 800)
    browser.value(
        "document.querySelector('[name=q]').value = '驿站'; document.querySelector('form.search').submit()"
    )
    browser.loaded()
    assert browser.value("[...document.querySelectorAll('article h3')].map(e => e.textContent)") == [
        "小哥驿站开放"
    ]
    browser.value("document.querySelector('article h3 a').click()")
    browser.loaded()
    assert "要素页" in browser.value("document.body.textContent")
    browser.value("document.querySelector('dl a[href^=\"/issues/\"]').click()")
    browser.loaded()
    assert browser.value("document.querySelector('h1').textContent") == "高新区党建要情"


def test_the_editor_works_at_the_desk(
    browser: Browser, serve: Callable[[Flask], str], engine_with_news: Engine, now: datetime
) -> None:
    later = now + timedelta(days=2)
    root = serve(create_preview(engine_with_news, CONFIG, lambda: later, "王编辑"))
    browser.events.clear()
    browser.open(root, 1000)
    submit = """(() => {{ const form = [...document.querySelectorAll('#story-{story} form')]
        .find(f => f.elements.kind.value === '{kind}');
        if (form.elements.{field}) form.elements.{field}.value = '{value}'; form.submit() }})()"""
    for story, kind, field, value in (
        (3, "retitle", "value", "编者拟的标题"),
        (3, "summary", "value", "编者写的摘要。"),
        (3, "move", "value", "soe"),
        (3, "pin", "none", ""),
        (4, "drop", "reason", "与上期重复"),
    ):
        browser.value(submit.format(story=story, kind=kind, field=field, value=value))
        browser.loaded()
    assert browser.value("document.querySelectorAll('article').length") == 1
    assert browser.complaints() == []
    draft = coming_issue(engine_with_news, CONFIG, later)
    assert [(s.story_id, s.section, s.content["title"], s.content["summary"]) for s in draft.stories] == [
        (3, "soe", "编者拟的标题", "编者写的摘要。")
    ]
    browser.value("document.querySelector('form[action=\"/undo\"]').submit()")
    browser.loaded()
    assert len(coming_issue(engine_with_news, CONFIG, later).stories) == 2
    browser.open(f"{root}/form/mail", 600)
    assert "编者拟的标题" in browser.value("document.body.textContent")


def test_an_editor_logs_in_and_finds_the_status(
    browser: Browser, serve: Callable[[Flask], str], engine_with_news: Engine, now: datetime
) -> None:
    with session_scope(engine_with_news) as session:
        add_editor(session, "editor", "correct horse battery", now, "test")
    root = serve(create_app(engine_with_news, Config(), lambda: now + timedelta(days=2)))
    browser.events.clear()
    browser.open(f"{root}/status", 800)
    browser.value(
        "document.querySelector('[name=name]').value = 'editor';"
        "document.querySelector('[name=password]').value = 'correct horse battery';"
        "document.querySelector('form').submit()"
    )
    browser.loaded()
    assert "运行状况" in browser.value("document.querySelector('h2').textContent")
    assert browser.value(CONTRAST) == []
    browser.open(f"{root}/editor/", 1000)
    assert browser.value("document.querySelectorAll('article').length") == 2
    browser.value("document.querySelector('form[action=\"/logout\"]').submit()")
    browser.loaded()
    assert browser.value("document.querySelectorAll('[name=password]').length") == 1
    assert browser.complaints() == []
