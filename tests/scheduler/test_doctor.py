"""The doctor: faults that are really there, each found, each with its way out in two languages."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from digest.web.serve import start
from scheduler import doctor, examinations
from scheduler.checks import Check
from scheduler.commands.setup import doctor_command
from scheduler.doctor import examine, safely
from scheduler.remedies import REMEDIES
from store.config import Config
from store.database import make_engine, session_scope
from store.leases import acquire
from store.models import Source
from store.schema import ensure
from tests.digest.smtp_servers import Mailbox, ScriptedServer, free_port, make_certificate, real_server
from tests.digest.test_channels import Receiver, receiver  # noqa: F401  a fixture

NOW = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
SOURCE = '[[source]]\nname = "a"\nkind = "portal"\npublisher = "日报"\nurls = ["http://localhost/"]\n'


@dataclass
class Place:
    """A folder with an installation; `main` is the text of its configuration."""

    folder: Path
    patch: pytest.MonkeyPatch
    now: datetime = NOW

    def write(self, main: str = "", sources: str | None = SOURCE) -> None:
        (self.folder / "parknews.toml").write_text(main, encoding="utf-8")
        if sources is not None:
            (self.folder / "sources.toml").write_text(sources, encoding="utf-8")
        self.patch.setenv("PARKNEWS_CONFIG", str(self.folder / "parknews.toml"))

    @property
    def database(self) -> Path:
        return self.folder / "var" / "parknews.db"

    def make_database(self) -> None:
        engine = make_engine(f"sqlite:///{self.database}")
        ensure(engine)
        engine.dispose()

    def codes(self) -> dict[str, Check]:
        return {check.code: check for check in examine(self.now) if check.remedies}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name in list(os.environ):
        if name.startswith("PARKNEWS_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    made = Place(tmp_path, monkeypatch)
    made.write()
    return made


MAIL = '[mail]\nhost = "127.0.0.1"\nsender = "d@example.org"\ntimeout = 8\n'


def config_missing(place: Place) -> None:
    place.patch.setenv("PARKNEWS_CONFIG", str(place.folder / "none.toml"))


def config_syntax(place: Place) -> None:
    place.write("[office\n")


def config_unknown_key(place: Place) -> None:
    place.write("[mail]\nhots = 'x'\n")


def config_time_zone(place: Place) -> None:
    place.write('[office]\ntime_zone = "Asia/Peking"\n')


def config_database_kind(place: Place) -> None:
    place.write('[database]\nurl = "mysql://x"\n')


def config_recipient(place: Place) -> None:
    place.write('[[recipient]]\naddress = "no address"\n')


def config_operator(place: Place) -> None:
    place.write('operators = ["nobody"]\n')


def config_not_utf8(place: Place) -> None:
    (place.folder / "parknews.toml").write_bytes("# 配置\n".encode("gb18030"))


def two_configurations(place: Place) -> None:
    other = place.folder / "other.toml"
    other.write_text("")
    place.patch.setenv("PARKNEWS_CONFIG", str(other))


def database_garbage(place: Place) -> None:
    place.database.parent.mkdir()
    place.database.write_bytes(b"this is no database at all, " * 400)


def database_half(place: Place) -> None:
    place.make_database()
    whole = place.database.read_bytes()
    place.database.write_bytes(whole[: len(whole) // 2])


def database_newer(place: Place) -> None:
    place.make_database()
    with sqlite3.connect(place.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")


def database_changed(place: Place) -> None:
    place.make_database()
    with sqlite3.connect(place.database) as connection:
        connection.execute("ALTER TABLE source ADD COLUMN extra TEXT")


def database_is_a_folder(place: Place) -> None:
    place.database.mkdir(parents=True)


def database_folder_is_a_file(place: Place) -> None:
    (place.folder / "var").write_text("")


def database_server_away(place: Place) -> None:
    place.patch.setenv("PARKNEWS_DATABASE_URL", f"postgresql://nobody@127.0.0.1:{free_port()}/none")


def sources_missing(place: Place) -> None:
    (place.folder / "sources.toml").unlink()


def sources_faulty(place: Place) -> None:
    place.write(sources='[[source]]\nname = "A B"\n')


def sources_twice(place: Place) -> None:
    place.write(sources=SOURCE + SOURCE)


def sources_none(place: Place) -> None:
    place.write(sources="")


def sources_disabled(place: Place) -> None:
    place.write(sources=SOURCE + "enabled = false\n")


def source_folder_missing(place: Place) -> None:
    place.write(sources='[[source]]\nname = "a"\nkind = "folder"\npublisher = "x"\npath = "inbox"\n')


def ocr_missing(place: Place) -> None:
    place.patch.setattr(doctor, "version", version_without_ocr)
    (place.folder / "inbox").mkdir()
    place.write(
        sources='[[source]]\nname = "a"\nkind = "folder"\npublisher = "x"\npath = "inbox"\nocr = true\n'
    )


def version_without_ocr(name: str) -> str:
    if "ocr" in name:
        raise PackageNotFoundError(name)
    return version(name)


def no_name_server(place: Place) -> None:
    place.write(sources=SOURCE.replace("localhost", "nowhere.invalid"))


def proxy_in_the_environment(place: Place) -> None:
    place.patch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")


def source_with_fault(place: Place) -> None:
    place.make_database()
    engine = make_engine(f"sqlite:///{place.database}")
    with session_scope(engine) as session:
        fault = {"refused": {"since": NOW.isoformat(), "evidence": "HTTP 403"}}
        session.add(Source(name="a", kind="portal", first_seen_at=NOW, faults=fault))


def vocabulary_missing(place: Place) -> None:
    place.write('[classify]\nvocabulary = "nowhere"\n')


def vocabulary_broken(place: Place) -> None:
    (place.folder / "words").mkdir()
    (place.folder / "words" / "themes.toml").write_text("[[theme]]\nkey = 1\n")
    place.write('[classify]\nvocabulary = "words"\n')


def vocabulary_misnamed(place: Place) -> None:
    (place.folder / "words").mkdir()
    (place.folder / "words" / "theme.toml").write_text("")
    place.write('[classify]\nvocabulary = "words"\n')


def templates_broken(place: Place) -> None:
    (place.folder / "mine" / "weekly").mkdir(parents=True)
    (place.folder / "mine" / "weekly" / "subject.txt").write_text("{{ nothing.here }")
    place.write('[digest]\ntemplates = "mine"\n')


def disk_full(place: Place) -> None:
    place.patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))


def folder_taken(place: Place) -> None:
    (place.folder / "out").write_text("a file")
    place.write('[digest]\nfolder = "out"\n')


def mail_host(place: Place) -> None:
    place.write('[mail]\nsender = "d@example.org"\n')


def mail_sender(place: Place) -> None:
    place.write('[mail]\nhost = "127.0.0.1"\n')


def mail_refused_connection(place: Place) -> None:
    place.write(f'{MAIL}port = {free_port()}\nsecurity = "none"\n')


def mail_unknown_host(place: Place) -> None:
    place.write('[mail]\nhost = "mail.invalid"\nsender = "d@example.org"\ntimeout = 5\n')


def mail_plain_beyond_this_machine(place: Place) -> None:
    place.write('[mail]\nhost = "mail.example.org"\nsender = "d@example.org"\nsecurity = "none"\n')


def password_missing(place: Place) -> None:
    place.write(f'{MAIL}port = {free_port()}\nsecurity = "none"\nuser = "d"\n')


def password_file_missing(place: Place) -> None:
    place.patch.setenv("PARKNEWS_MAIL_PASSWORD_FILE", str(place.folder / "none"))


def password_file_open(place: Place) -> None:
    file = place.folder / "password"
    file.write_text("geheim")
    file.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    place.patch.setenv("PARKNEWS_MAIL_PASSWORD_FILE", str(file))


def web_secret_missing(place: Place) -> None:
    place.write('[digest]\npublic_url = "https://digest.example.cn"\n')


def public_url_plain(place: Place) -> None:
    place.write('[digest]\npublic_url = "http://digest.example.cn"\n')


def alarm_channel_without_address(place: Place) -> None:
    place.write('operators = ["wecom"]\n')


def alarm_channel_in_the_clear(place: Place) -> None:
    place.write('operators = ["webhook"]\n')
    place.patch.setenv("PARKNEWS_ALERTS_WEBHOOK_URL", "http://hooks.example.cn/x")


def alarm_file_missing(place: Place) -> None:
    place.write('operators = ["feishu"]\n')
    place.patch.setenv("PARKNEWS_ALERTS_FEISHU_URL_FILE", str(place.folder / "none"))


def alarm_file_open(place: Place) -> None:
    place.write('operators = ["dingtalk"]\n')
    (place.folder / "url").write_text("https://oapi.example.cn/robot/send?access_token=x")
    (place.folder / "url").chmod(0o644)
    place.patch.setenv("PARKNEWS_ALERTS_DINGTALK_URL_FILE", str(place.folder / "url"))


def channel_without_address(place: Place) -> None:
    place.write('[[recipient]]\naddress = "group@example.cn"\nchannels = ["wecom"]\n')


def channel_in_the_clear(place: Place) -> None:
    place.write('[[recipient]]\naddress = "group@example.cn"\nchannels = ["dingtalk", "mail"]\n')
    place.patch.setenv("PARKNEWS_DINGTALK_URL", "http://oapi.example.cn/robot/send?access_token=x")


def signing_key_open(place: Place) -> None:
    (place.folder / "dkim.pem").write_text("a key")
    (place.folder / "dkim.pem").chmod(0o644)
    place.write(f'{MAIL}dkim_key = "dkim.pem"\n')


def workers_on_sqlite(place: Place) -> None:
    place.write("[daemon]\nworkers = true\n")


def clock_in_1970(place: Place) -> None:
    place.now = datetime(1970, 1, 1, tzinfo=UTC)


def clock_behind(place: Place) -> None:
    place.make_database()
    engine = make_engine(f"sqlite:///{place.database}")
    with session_scope(engine) as session:
        later = NOW + timedelta(days=3)
        session.add(Source(name="a", kind="portal", first_seen_at=NOW, checked_at=later))


def port_taken(place: Place) -> None:
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    KEPT.append(taken)
    place.write(f"[web]\nport = {taken.getsockname()[1]}\nin_daemon = true\n")


def web_host_of_another_machine(place: Place) -> None:
    place.write('[web]\nhost = "192.0.2.1"\n')


def font_missing(place: Place) -> None:
    place.patch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    place.patch.setattr(doctor, "_has_chinese_font", lambda: False)


def office_missing(place: Place) -> None:
    place.patch.setattr(shutil, "which", lambda _: None)


KEPT: list[object] = []
FAULTS: list[tuple[Callable[[Place], None], str]] = [
    (config_missing, "configuration_missing"),
    (config_syntax, "configuration"),
    (config_unknown_key, "configuration"),
    (config_time_zone, "configuration"),
    (config_database_kind, "configuration"),
    (config_recipient, "configuration"),
    (config_operator, "configuration"),
    (config_not_utf8, "configuration"),
    (two_configurations, "two_configurations"),
    (database_garbage, "database_corrupt"),
    (database_half, "database_corrupt"),
    (database_newer, "database_newer"),
    (database_changed, "database_differs"),
    (database_is_a_folder, "database_folder"),
    (database_folder_is_a_file, "database_folder"),
    (database_server_away, "database_unavailable"),
    (sources_missing, "sources_missing"),
    (sources_faulty, "sources_faulty"),
    (sources_twice, "sources_faulty"),
    (sources_none, "sources_none"),
    (sources_disabled, "sources_none"),
    (source_folder_missing, "source_folder"),
    (ocr_missing, "ocr"),
    (no_name_server, "source_hosts"),
    (proxy_in_the_environment, "proxy"),
    (source_with_fault, "source_faults"),
    (vocabulary_missing, "vocabulary"),
    (vocabulary_broken, "vocabulary"),
    (vocabulary_misnamed, "vocabulary"),
    (templates_broken, "templates"),
    (disk_full, "disk_low"),
    (folder_taken, "folder_readonly"),
    (mail_host, "mail_host"),
    (mail_sender, "mail_sender"),
    (mail_refused_connection, "mail_unreachable"),
    (mail_unknown_host, "mail_unreachable"),
    (mail_plain_beyond_this_machine, "mail_security"),
    (password_missing, "mail_password"),
    (password_file_missing, "secret_unreadable"),
    (password_file_open, "secret_open"),
    (web_secret_missing, "web_secret"),
    (public_url_plain, "public_url"),
    (alarm_channel_without_address, "alarm_channel"),
    (alarm_channel_in_the_clear, "alarm_channel"),
    (alarm_file_missing, "secret_unreadable"),
    (alarm_file_open, "secret_open"),
    (channel_without_address, "channel"),
    (channel_in_the_clear, "channel"),
    (signing_key_open, "secret_open"),
    (workers_on_sqlite, "workers"),
    (clock_in_1970, "clock"),
    (clock_behind, "clock"),
    (port_taken, "port"),
    (web_host_of_another_machine, "port"),
    (font_missing, "fonts"),
    (office_missing, "libreoffice"),
]


@pytest.mark.parametrize(("break_it", "code"), FAULTS, ids=[fault.__name__ for fault, _ in FAULTS])
def test_a_fault_is_found_with_its_way_out_in_two_languages(
    place: Place, break_it: Callable[[Place], None], code: str
) -> None:
    break_it(place)
    found = place.codes()
    assert code in found, found
    english, chinese = found[code].remedies or ("", "")
    assert english.isascii() or "…" in english
    assert any("\u4e00" <= char <= "\u9fff" for char in chinese)
    assert "crashed" not in found


def test_a_mail_server_without_encryption_is_named(place: Place) -> None:
    with ScriptedServer({}) as server:
        place.write(f"{MAIL}port = {server.port}\n")
        assert "mail_security" in place.codes()


def talks_http(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_port_that_speaks_otherwise_than_security_says_is_named(place: Place, tmp_path: Path) -> None:
    tls, _ = make_certificate(tmp_path, "127.0.0.1")
    with real_server(Mailbox()) as plain, real_server(Mailbox(), tls=tls, implicit=True) as encrypted:
        for port, security in ((plain, "tls"), (encrypted, "starttls")):
            place.write(
                f'{MAIL.replace("timeout = 8", "timeout = 1")}port = {port}\nsecurity = "{security}"\n'
            )
            assert "mail_protocol" in place.codes(), security
    with ScriptedServer({"greeting": talks_http}) as server:
        place.write(f"{MAIL}port = {server.port}\n")
        assert "mail_protocol" in place.codes()


def test_without_a_password_no_login_is_tried(place: Place) -> None:
    with ScriptedServer({"EHLO": b"250-test\r\n250 AUTH PLAIN\r\n"}) as server:
        place.write(f'{MAIL}port = {server.port}\nsecurity = "none"\nuser = "d"\n')
        found = {check.what: check for check in examine(NOW)}
    assert not found["mail password"].ok
    assert found["mail"].ok
    assert "no login" in found["mail"].detail
    assert not any("AUTH" in str(word) for word in server.heard)


def test_a_certificate_nobody_vouches_for_is_named(place: Place, tmp_path: Path) -> None:
    tls, _ = make_certificate(tmp_path, "127.0.0.1")
    with real_server(Mailbox(), tls=tls) as port:
        place.write(f"{MAIL}port = {port}\n")
        assert "mail_certificate" in place.codes()


def test_a_refused_login_is_named_and_the_password_never_shown(place: Place) -> None:
    place.patch.setenv("PARKNEWS_MAIL_PASSWORD", "wrong-password")
    script = {"EHLO": b"250-test\r\n250 AUTH PLAIN LOGIN\r\n", "AUTH": b"535 5.7.8 authentication failed\r\n"}
    with ScriptedServer(script) as server:
        place.write(f'{MAIL}port = {server.port}\nsecurity = "none"\nuser = "d"\n')
        found = place.codes()
    assert "mail_login" in found
    assert "wrong-password" not in str(found)


def test_a_port_is_a_fault_only_where_the_web_is_wanted_and_not_ours(place: Place) -> None:
    def port_check() -> Check:
        return next(check for check in examine(NOW) if check.what == "web port")

    place.patch.setattr(examinations, "WEB_SECONDS", 0.2)
    port_taken(place)
    assert port_check().word == "FAIL"
    file = place.folder / "parknews.toml"
    file.write_text(file.read_text().replace("in_daemon = true", ""))
    assert port_check().word == "note"
    server = start(make_engine("sqlite://"), Config(), port=0)
    place.write(f"[web]\nport = {server.port}\nin_daemon = true\n")
    assert (port_check().word, "parknews answers" in port_check().detail) == ("ok", True)
    server.close()


def test_an_office_that_sends_no_mail_needs_no_mail_server(place: Place) -> None:
    place.write('[[recipient]]\naddress = "offline@example.cn"\nchannels = ["folder"]\n')
    found = {check.what: check for check in examine(NOW)}
    assert found["mail"].ok
    assert found["channel folder"].ok
    place.write('operators = ["op@example.cn"]\n' + (place.folder / "parknews.toml").read_text())
    assert "mail_host" in place.codes()


def test_a_test_alarm_says_who_got_it(place: Place, receiver: Receiver) -> None:  # noqa: F811
    place.write('operators = ["op@example.cn", "wecom", "feishu"]\n')
    place.patch.setenv("PARKNEWS_ALERTS_WECOM_URL", receiver.url)
    done = CliRunner().invoke(doctor_command, ["--test-alarm"])
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "FAIL op@example.cn: no mail server is configured",
        "ok   wecom",
        "FAIL feishu: PARKNEWS_ALERTS_FEISHU_URL is not set",
    ]
    assert "测试告警" in receiver.requests[0][2].decode()


def test_a_test_alarm_for_nobody_says_so(place: Place) -> None:
    done = CliRunner().invoke(doctor_command, ["--test-alarm"])
    assert (done.exit_code, done.output) == (
        1,
        "FAIL operators: nobody is named in `operators` of parknews.toml\n",
    )


def test_a_missing_driver_is_named() -> None:
    assert examinations._database_fault(Config(), ModuleNotFoundError("psycopg")).code == "database_driver"


def test_a_list_of_fonts_that_cannot_be_had_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/nowhere/{name}")
    assert doctor._has_chinese_font()


def test_what_is_well_is_no_fault(place: Place) -> None:
    with real_server(Mailbox()) as port:
        main = f'operators = ["op@example.org"]\n[crawl]\ncontact = "x"\n{MAIL}port = {port}\nsecurity = "none"\n'
        place.write(main + '[[recipient]]\naddress = "a@example.org"\n')
        place.make_database()
        with session_scope(make_engine(f"sqlite:///{place.database}")) as session:
            acquire(session, "daemon", "me", NOW, 60)
        assert set(place.codes()) <= {"libreoffice", "fonts", "port"}


def test_a_check_that_crashes_does_not_end_the_round() -> None:
    def bad(_: Config) -> None:
        raise KeyError("x")

    assert [check.code for check in safely(bad, Config())] == ["crashed"]  # type: ignore[arg-type]


def test_every_remedy_is_there_in_both_languages() -> None:
    assert all(english and chinese for english, chinese in REMEDIES.values())
