"""Every channel but mail (which has its own file), and the contract all of them keep."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.channels.base import Channel, DeliveryError, Parcel
from digest.channels.folder import FolderChannel
from digest.channels.http_post import Endpoint
from digest.channels.posting import KINDS, posting_channels
from digest.channels.providers import load_providers
from digest.channels.robot import cut, json_octets, octets, plain
from digest.channels.smtp import SmtpChannel
from digest.channels.webpage import WebpageChannel
from digest.message import Attachment
from digest.parcels import open_channels
from store.config import ALARM_CHANNELS, CHANNELS, Config, Mail
from tests.digest.hostile_values import TEXTS
from tests.digest.smtp_servers import free_port, make_certificate, real_server

LINK = "https://news.example.cn/issue/47"
PARCEL = Parcel(
    "a@example.cn", b"Subject: x\r\n\r\nbody\r\n", "<47.abc@example.cn>", "要情 第47期", "一、要目\n二、详情 " + LINK, "<p>要目</p>",
    LINK, (Attachment("要情.docx", "application/x", b"PK"),),
)  # fmt: skip
SECRET = "SEC-geheim"


class Receiver:
    """An HTTP server that answers what it is told and keeps what it heard."""

    def __init__(self) -> None:
        self.status, self.answer, self.delay = (
            200,
            b'{"errcode":0,"errmsg":"ok","code":0,"msg":"success"}',
            0.0,
        )
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if len(body) < int(self.headers["Content-Length"]):
                    return  # as every server does with a request that was broken off
                if receiver.delay:
                    time.sleep(receiver.delay)
                receiver.requests.append((self.path, dict(self.headers), body))
                self.send_response(receiver.status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()
                self.wfile.write(receiver.answer)

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/send?key=geheim-key"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    @property
    def body(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.requests[-1][2])
        return parsed


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def make(name: str, where: Any, **given: Any) -> Channel:
    kinds: dict[str, Callable[..., Channel]] = {
        "folder": FolderChannel,
        "webpage": WebpageChannel,
        **{kind.name: kind for kind in KINDS},
    }
    return kinds[name](where, **given)


POSTING = tuple(kind.name for kind in KINDS)
ALL = (*POSTING, "folder", "webpage", "mail")


class Mails:
    """A handler of the real mail server that counts."""

    def __init__(self) -> None:
        self.count = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.count += 1
        return "250 ok"


@pytest.fixture
def mail_server() -> Iterator[tuple[int, Mails]]:
    mails = Mails()
    with real_server(mails) as port:
        yield port, mails


@pytest.fixture(params=ALL)
def channel(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Channel, Callable[[], int]]:
    """A channel and how many parcels have arrived over it."""
    if request.param in POSTING:
        there: Receiver = request.getfixturevalue("receiver")
        return make(request.param, Endpoint(there.url, timeout=2)), lambda: len(there.requests)
    if request.param == "mail":
        port, mails = request.getfixturevalue("mail_server")
        mail = Mail(host="127.0.0.1", port=port, security="none", sender="office@example.cn")
        return SmtpChannel(mail), lambda: int(mails.count)
    folder = tmp_path / "out"
    arrived = lambda: len([*folder.glob("*.eml"), *folder.glob("*.html")]) if folder.exists() else 0  # noqa: E731
    return make(request.param, folder), arrived


def test_a_channel_has_a_name_checks_opens_sends_and_closes(
    channel: tuple[Channel, Callable[[], int]],
) -> None:
    out, arrived = channel
    assert out.name in ALL
    out.check()
    out.open()
    seen = []
    assert out.send(PARCEL, lambda: seen.append(arrived()))
    out.close()
    assert (seen, arrived()) == ([0], 1)


@pytest.mark.usefixtures("proxy_nobody_may_use")
def test_no_channel_goes_through_a_proxy_of_the_environment(
    channel: tuple[Channel, Callable[[], int]],
) -> None:
    out, arrived = channel
    out.open()
    assert out.send(PARCEL, lambda: None)
    out.close()
    assert arrived() == 1


def test_every_channel_an_office_can_open_is_held_to_this_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in POSTING:
        monkeypatch.setenv(f"PARKNEWS_{name.upper()}_URL", "https://chat.example.cn/robot?key=1")
    opened = open_channels(
        Config(mail=Mail(host="mail.example.cn", sender="a@example.cn"), base=str(tmp_path))
    )
    assert sorted(opened) == sorted(ALL)
    assert set(CHANNELS) == set(ALL), "what recipients may name"
    assert set(ALARM_CHANNELS) == set(POSTING), "what operators may name"


def test_closing_twice_or_unopened_does_no_harm_and_it_opens_again(
    channel: tuple[Channel, Callable[[], int]],
) -> None:
    out, arrived = channel
    out.close()
    for count in (1, 2):
        out.open()
        out.open()
        out.send(PARCEL if count == 1 else replace(PARCEL, message_id="<47.def@example.cn>"), lambda: None)
        out.close()
        out.close()
        assert arrived() == count


def test_nothing_arrives_when_the_hook_fails(channel: tuple[Channel, Callable[[], int]]) -> None:
    out, arrived = channel
    out.open()

    def hook() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        out.send(PARCEL, hook)
    out.close()
    assert arrived() == 0


def test_the_same_parcel_is_one_file_with_its_attachment_beside(tmp_path: Path) -> None:
    out = FolderChannel(tmp_path)
    for _ in range(2):
        assert out.send(PARCEL, lambda: None) == "written 47.abc.eml"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["47.abc-要情.docx", "47.abc.eml"]
    assert (tmp_path / "47.abc.eml").read_bytes() == PARCEL.message
    assert (tmp_path / "47.abc.eml").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("name", "mode"), [("folder", 0o600), ("webpage", 0o644)])
def test_mails_are_for_their_owner_and_pages_for_the_web_server(tmp_path: Path, name: str, mode: int) -> None:
    before = os.umask(0o077)
    try:
        make(name, tmp_path).send(PARCEL, lambda: None)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {mode}


@pytest.mark.parametrize(
    "name", ["../../x", "/etc/passwd", "\0", "a" * 1000, "字" * 1000, "..", "", "a\nb", "C:\\x"]
)
def test_no_name_leaves_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in" / "side"
    out = FolderChannel(folder)
    out.open()
    out.send(Parcel(name, b"x", f"<{name}@x>", attachments=(Attachment(name, "a/b", b"y"),)), lambda: None)
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {folder}


@pytest.mark.skipif(
    os.geteuid() == 0 and not Path("/proc").exists(), reason="needs a folder nobody can write to"
)
def test_a_folder_that_cannot_be_written_is_said_with_its_name(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(DeliveryError, match="writable"):
        FolderChannel(blocked / "below").open()
    with pytest.raises(DeliveryError) as caught:
        FolderChannel(tmp_path / "missing").send(PARCEL, lambda: None)
    assert not caught.value.in_doubt


@pytest.mark.parametrize("name", POSTING)
@pytest.mark.parametrize(
    ("status", "answer", "expected"),
    [
        (429, b"", (False, "message", False)),
        (503, b"", (False, "message", False)),
        (500, b"", (False, "channel", True)),
        (404, b"", (True, "channel", False)),
        (302, b"", (True, "channel", False)),
    ],
)  # fmt: skip
def test_a_status_has_its_meaning(
    receiver: Receiver, name: str, status: int, answer: bytes, expected: Any
) -> None:
    receiver.status, receiver.answer = status, answer
    with pytest.raises(DeliveryError) as caught:
        make(name, Endpoint(receiver.url, timeout=2)).send(PARCEL, lambda: None)
    error = caught.value
    assert (error.permanent, error.blame, error.in_doubt) == expected
    assert "geheim" not in str(error)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("name", "answer", "expected"),
    [
        ("wecom", b'{"errcode":45009,"errmsg":"api freq out of limit"}', (False, "message", False)),
        ("wecom", b'{"errcode":93000,"errmsg":"invalid webhook url"}', (True, "channel", False)),
        ("dingtalk", b'{"errcode":130101,"errmsg":"send too fast"}', (False, "message", False)),
        ("dingtalk", b'{"errcode":310000,"errmsg":"sign not match"}', (True, "channel", False)),
        ("feishu", b'{"code":11232,"msg":"frequency limited"}', (False, "message", False)),
        ("feishu", b'{"code":19021,"msg":"sign match fail"}', (True, "channel", False)),
        ("wecom", b"<html>", (False, "channel", True)),
        ("feishu", b"[" * 60_000, (False, "channel", True)),
        ("dingtalk", b'{"errcode":"0"}', (False, "channel", True)),
        ("dingtalk", b"", (False, "channel", True)),
    ],
)  # fmt: skip
def test_a_chats_answer_has_its_meaning(receiver: Receiver, name: str, answer: bytes, expected: Any) -> None:
    receiver.answer = answer
    with pytest.raises(DeliveryError) as caught:
        make(name, Endpoint(receiver.url, timeout=2)).send(PARCEL, lambda: None)
    assert (caught.value.permanent, caught.value.blame, caught.value.in_doubt) == expected


def test_silence_behind_the_last_octet_is_in_doubt_and_before_it_is_not(receiver: Receiver) -> None:
    receiver.delay = 1.0
    with pytest.raises(DeliveryError) as caught:
        make("wecom", Endpoint(receiver.url, timeout=0.2)).send(PARCEL, lambda: None)
    assert caught.value.in_doubt
    with pytest.raises(DeliveryError) as caught:
        make("wecom", Endpoint(f"http://127.0.0.1:{free_port()}/", timeout=0.2)).send(PARCEL, lambda: None)
    assert (caught.value.in_doubt, caught.value.permanent) == (False, False)


@pytest.mark.parametrize(
    "url",
    ["", "http://example.cn/x", "ftp://example.cn", "https://", "https://u:p@example.cn/", "file:///etc/passwd", "https://x.cn/\r\nX: 1",
     "https://x.cn:99999/", "https://[::1", "https://例子.中国/", "http://127.0.0.1.example.cn/", "http://169.254.169.254/"],
)  # fmt: skip
def test_only_https_is_posted_to(url: str) -> None:
    for name in POSTING:
        with pytest.raises(DeliveryError) as caught:
            make(name, Endpoint(url)).check()
        assert caught.value.permanent


def test_a_certificate_that_proves_nothing_is_refused(tmp_path: Path, receiver: Receiver) -> None:
    server, trusting = make_certificate(tmp_path, "127.0.0.1")
    receiver.server.socket = server.wrap_socket(receiver.server.socket, server_side=True)
    url = receiver.url.replace("http:", "https:")
    with pytest.raises(DeliveryError, match="TLS"):
        make("webhook", Endpoint(url, timeout=2)).send(PARCEL, lambda: None)
    context: ssl.SSLContext = trusting
    assert (
        make("webhook", Endpoint(url, timeout=2, tls_context=context)).send(PARCEL, lambda: None)
        == "HTTP 200"
    )


def test_no_key_or_secret_is_shown(receiver: Receiver) -> None:
    for name in POSTING:
        out = make(name, Endpoint(receiver.url), secret=SECRET)
        assert "geheim" not in repr(out)
    assert "geheim" not in repr(Endpoint(receiver.url))


def test_the_signatures_are_as_each_chat_documents_them(receiver: Receiver) -> None:
    given: Any = {"secret": SECRET, "clock": lambda: 1_700_000_000.5}
    make("dingtalk", Endpoint(receiver.url), **given).send(PARCEL, lambda: None)
    query = parse_qs(urlsplit(receiver.requests[-1][0]).query)
    moment = "1700000000500"
    expected = hmac.new(SECRET.encode(), f"{moment}\n{SECRET}".encode(), hashlib.sha256).digest()
    assert query == {
        "key": ["geheim-key"],
        "timestamp": [moment],
        "sign": [base64.b64encode(expected).decode()],
    }

    make("feishu", Endpoint(receiver.url), **given).send(PARCEL, lambda: None)
    expected = hmac.new(f"1700000000\n{SECRET}".encode(), b"", hashlib.sha256).digest()
    assert (receiver.body["timestamp"], receiver.body["sign"]) == (
        "1700000000",
        base64.b64encode(expected).decode(),
    )

    make("webhook", Endpoint(receiver.url), **given).send(PARCEL, lambda: None)
    _, headers, body = receiver.requests[-1]
    expected_hex = hmac.new(SECRET.encode(), b"1700000000." + body, hashlib.sha256).hexdigest()
    assert headers["X-Parknews-Signature"] == f"sha256={expected_hex}"
    assert receiver.body["id"] == "47.abc@example.cn"


LONG = "\n".join(
    f'{n}. 合肥高新区"召开"会议 https://news.example.cn/story/{n:06}/with-a-long-path' for n in range(2000)
)


@pytest.mark.parametrize(
    "text", [LONG, LONG.replace("\n", " "), "字" * 50_000, '"' * 50_000, "\n" * 50_000, "\\" * 50_000]
)
def test_a_long_digest_is_cut_to_each_chats_limit_without_a_broken_link(
    receiver: Receiver, text: str
) -> None:
    parcel = Parcel("a@example.cn", subject="要" * 500, text=text, url=LINK)
    for name, limit in (("wecom", None), ("dingtalk", 20_000), ("feishu", 20_000)):
        make(name, Endpoint(receiver.url)).send(parcel, lambda: None)
        assert limit is None or len(receiver.requests[-1][2]) <= limit
        shown = json.dumps(receiver.body, ensure_ascii=False)
        assert LINK in shown
        for word in shown.replace("\\n", " ").replace("：", " ").replace('"', " ").split():
            if "story/" in word:
                assert word.rstrip("…\\").endswith("path"), word
    make("wecom", Endpoint(receiver.url)).send(parcel, lambda: None)
    assert octets(receiver.body["markdown"]["content"]) <= 4096


def test_hostile_texts_are_neither_markup_nor_a_mention(receiver: Receiver) -> None:
    evil = "<@all> <at user_id=\"all\">x</at> [点我](https://evil.example.com) **x** <font color='x'>"
    assert not set(plain(evil)) & set("<>[]*")
    for text in [*TEXTS[::7], evil]:
        for name in ("wecom", "dingtalk", "feishu"):
            make(name, Endpoint(receiver.url)).send(
                Parcel("a@example.cn", subject=text, text=text), lambda: None
            )
            assert "<" not in receiver.requests[-1][2].decode()


@given(st.text(max_size=400), st.integers(60, 300))
@settings(max_examples=200, deadline=None)
def test_a_cut_text_always_fits(text: str, limit: int) -> None:
    assert octets(cut(text, limit, "…… 全文")) <= max(limit, octets("…… 全文"))
    assert json_octets(cut(text, limit, "……", measure=json_octets, line_feed=2)) <= limit
    assert cut(text, 10_000, "x") == text


def test_a_url_in_the_environment_sets_a_channel_up(tmp_path: Path, receiver: Receiver) -> None:
    assert posting_channels({}) == {}
    file = tmp_path / "url"
    file.write_text(receiver.url + "\n")
    given = {
        "PARKNEWS_WECOM_URL_FILE": str(file),
        "PARKNEWS_FEISHU_URL": receiver.url,
        "PARKNEWS_FEISHU_SECRET": SECRET,
    }
    channels = posting_channels(given)
    assert sorted(channels) == ["feishu", "wecom"]
    channels["feishu"].send(PARCEL, lambda: None)
    assert "sign" in receiver.body
    assert "geheim" not in str(channels)


def test_the_table_of_providers_is_whole() -> None:
    providers = load_providers()
    names = [provider.host for provider in providers]
    assert len(names) == len(set(names)) >= 10
    for provider in providers:
        assert provider.security in {"tls", "starttls"}
        assert provider.port == {"tls": 465, "starttls": 587}[provider.security]
        assert 0 < provider.per_minute <= provider.per_hour <= provider.per_day
        assert provider.password
    domains = {domain for provider in providers for domain in provider.domains}
    assert domains >= {"qq.com", "163.com", "126.com", "sina.com", "foxmail.com"}
    assert "example.cn" not in domains


def test_the_documentation_holds_the_table_of_providers() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "howto", "set-up-mail.md").read_text(encoding="utf-8")
    for provider in load_providers():
        row = next((line for line in page.splitlines() if line.startswith(f"| {provider.name} |")), "")
        assert f"`{provider.host}` | {provider.port} {provider.security}" in row
        assert f"| {provider.per_minute}/{provider.per_hour}/{provider.per_day} |" in row
        assert provider.password in row
