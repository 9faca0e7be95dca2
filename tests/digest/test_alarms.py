"""Alarms to operators: every way out, over real connections; what befalls one keeps nobody else from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from digest.alarms import alarm_targets, send_alarms
from digest.channels.posting import KINDS
from scheduler.demo.smtp import HANG_UP, SmtpSink
from store.config import ALARM_CHANNELS, Config, DigestSection, Mail
from tests.digest.test_channels import POSTING, Receiver, receiver  # noqa: F401  a fixture

NOW = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
RAISED = {
    "state": "raised",
    "kind": "来源拒绝访问",
    "subject": "baoji",
    "detail": "captcha: 访问验证",
    "at": "2026-11-23 08:00",
}
CLEARED = {
    "state": "cleared",
    "kind": "来源无法访问",
    "subject": "xian",
    "detail": "",
    "at": "2026-11-23 07:00",
}


def environ(there: Receiver, *names: str) -> dict[str, str]:
    return {f"PARKNEWS_ALERTS_{name.upper()}_URL": there.url for name in names}


@pytest.mark.parametrize("name", POSTING)
def test_every_channel_tells_of_all_alarms_in_one_message(
    name: str,
    receiver: Receiver,  # noqa: F811
    tmp_path: Path,
) -> None:
    (tmp_path / "secret").write_text("SEC-geheim\n")
    config = Config(digest=DigestSection(public_url="https://news.example.cn"))
    secrets = {f"PARKNEWS_ALERTS_{name.upper()}_SECRET_FILE": str(tmp_path / "secret")}
    faults = send_alarms(config, {name: [RAISED, CLEARED]}, NOW, environ(receiver, name) | secrets)
    assert faults == {name: ""}
    ((path, headers, body),) = receiver.requests
    for words in ("1项待处理", "1项已恢复", "来源拒绝访问：baoji", "访问验证", "来源无法访问：xian"):
        assert words in body.decode()
    signed = {
        "wecom": "geheim-key" in path,
        "dingtalk": "&sign=" in path,
        "feishu": "sign" in json.loads(body),
        "webhook": headers.get("X-Parknews-Signature", "").startswith("sha256="),
    }
    assert signed[name]


@pytest.mark.parametrize("name", POSTING)
def test_many_alarms_are_counted_where_a_chat_takes_less(name: str, receiver: Receiver) -> None:  # noqa: F811
    lines = [RAISED | {"subject": f"source-{number}", "detail": "版式变更" * 70} for number in range(60)]
    assert send_alarms(Config(), {name: lines}, NOW, environ(receiver, name)) == {name: ""}
    body = receiver.requests[0][2].decode()
    assert "60项待处理" in body
    assert "全文见邮件" not in body
    if name == "wecom":
        assert "另有48项，见 parknews status" in body
        assert len(receiver.body["markdown"]["content"].encode()) <= 4096
    else:
        assert ("source-59" in body) == (name == "webhook")


def test_the_same_alarms_have_the_same_identifier_when_they_come_again(receiver: Receiver) -> None:  # noqa: F811
    receiver.status = 503
    for _ in range(2):
        faults = send_alarms(Config(), {"webhook": [RAISED]}, NOW, environ(receiver, "webhook"))
        assert "HTTP 503" in faults["webhook"]
    first, second = (json.loads(body)["id"] for _, _, body in receiver.requests)
    assert first == second


def test_a_channel_that_fails_keeps_nobody_from_being_told(receiver: Receiver, tmp_path: Path) -> None:  # noqa: F811
    there = environ(receiver, "feishu", "webhook")
    there["PARKNEWS_ALERTS_WECOM_URL"] = "http://example.cn/send?key=geheim-key"
    there["PARKNEWS_ALERTS_WEBHOOK_SECRET_FILE"] = str(tmp_path / "none")
    lines = {name: [RAISED] for name in ("wecom", "dingtalk", "webhook", "feishu", "op@example.cn")}
    with SmtpSink(tmp_path / "mail") as sink:
        mail = Mail(host="127.0.0.1", port=sink.port, security="none", sender="d@example.org", timeout=5)
        faults = send_alarms(Config(mail=mail), lines, NOW, there)
        assert len(sink.messages()) == 1
    assert {name for name, fault in faults.items() if not fault} == {"op@example.cn", "feishu"}
    assert "PARKNEWS_ALERTS_DINGTALK_URL is not set" in faults["dingtalk"]
    assert "no https URL" in faults["wecom"]
    assert "cannot be read" in faults["webhook"]
    assert "geheim" not in str(faults)
    assert len(receiver.requests) == 1


def test_an_address_that_is_refused_keeps_no_other_from_its_mail(tmp_path: Path) -> None:
    lines = {address: [RAISED] for address in ("gone@example.cn", "op@example.cn")}
    with SmtpSink(tmp_path, reply_to={"RCPT": {"gone@example.cn": "550 5.1.1 no such user"}}) as sink:
        mail = Mail(host="127.0.0.1", port=sink.port, security="none", sender="d@example.org", timeout=5)
        faults = send_alarms(Config(mail=mail), lines, NOW, {})
        assert "no such user" in faults["gone@example.cn"]
        assert faults["op@example.cn"] == ""
        sink.reply_to["EHLO"] = {"*": HANG_UP}
        assert all(send_alarms(Config(mail=mail), lines, NOW, {}).values())


def test_an_office_template_that_is_broken_silences_no_alarm(receiver: Receiver, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "alert").mkdir()
    (tmp_path / "alert" / "body.txt").write_text("{{ nothing.at.all }}")
    config = Config(digest=DigestSection(templates=str(tmp_path)))
    assert send_alarms(config, {"webhook": [RAISED]}, NOW, environ(receiver, "webhook")) == {"webhook": ""}
    assert "来源拒绝访问 baoji" in receiver.body["text"]


def test_operators_are_addresses_while_there_is_a_mail_server_and_channels() -> None:
    config = Config(operators=["op@example.cn", "wecom", "wecom"])
    assert alarm_targets(config) == ["wecom"]
    mail = Mail(host="mail.example.cn", sender="d@example.cn")
    assert alarm_targets(msgspec.structs.replace(config, mail=mail)) == ["op@example.cn", "wecom"]
    assert tuple(kind.name for kind in KINDS) == ALARM_CHANNELS
