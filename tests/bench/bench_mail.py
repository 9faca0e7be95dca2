"""How many personalised mails a second go out: `python -m tests.bench.bench_mail [RECIPIENTS] [--dkim]`.

Everything that happens in earnest happens here: claim, the real builder with a sample issue of some 60 KB of HTML and its Word
briefing, personal links, SMTP on one connection to a sink in another process, two commits a mail. Beside it: smtplib alone,
pushing the same finished bytes, and how the process grew behind the first 200 mails.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import smtplib
import socket
import sys
import tempfile
import time
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from digest.channels.base import Parcel
from digest.channels.smtp import SmtpChannel
from digest.delivery import deliver_due
from digest.parcels import parcel_builder
from digest.sample import SAMPLE_NOW
from store.config import Config, Digest, Mail
from store.database import Engine, make_engine, session_scope
from store.models import Base, Delivery
from tests.acceptance.kill_arena import end, spawn
from tests.digest.frozen_sample import add_people, enqueue, freeze_sample
from tests.digest.smtp_servers import free_port

SECRET = "a secret for the benchmark only"
#: Stories that make some 60 KB of HTML.
STORIES = 60
THEMES = ("service", "chain", "two_new", "venue", "org")


def sink(port: int) -> None:
    """Accept everything at once and keep nothing."""
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        connection, _ = listener.accept()
        with connection:
            serve(connection)


def serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(b"220 sink\r\n")
    lines = connection.makefile("rb")
    while line := lines.readline():
        verb = line[:4].upper()
        if verb == b"DATA":
            connection.sendall(b"354 go on\r\n")
            while lines.readline() != b".\r\n":
                pass
        answer = {
            b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 SIZE 50000000\r\n",
            b"QUIT": b"221 bye\r\n",
        }.get(verb, b"250 ok\r\n")
        connection.sendall(answer)


def smtplib_rate(port: int, messages: list[bytes]) -> float:
    """Mails a second of smtplib alone on one connection."""
    with smtplib.SMTP("127.0.0.1", port) as server:
        began = time.perf_counter()
        for message in messages:
            server.sendmail("office@example.cn", ["r@example.cn"], message)
        return len(messages) / (time.perf_counter() - began)


def grown_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def prepared(folder: Path, count: int) -> Engine:
    """Return a database with the sample issue queued for `count` recipients of four kinds of wishes."""
    engine = make_engine(f"sqlite:///{folder / 'bench.db'}")
    Base.metadata.create_all(engine)
    with session_scope(engine) as session:
        number = freeze_sample(session, STORIES)
        add_people(session, count, ({}, {"send_empty": True}, {"themes": list(THEMES)}, {}))
        enqueue(session, number)
    return engine


def run(count: int, folder: Path, *, signed: bool = False) -> dict[str, Any]:
    os.environ["PARKNEWS_WEB_SECRET"] = SECRET
    port = free_port()
    child = spawn(lambda: sink(port))
    time.sleep(0.3)
    engine = prepared(folder, count)
    mail = Mail(
        host="127.0.0.1", port=port, security="none", sender="office@example.cn", max_per_minute=0, max_per_hour=0,
        dkim_key=str(write_key(folder)) if signed else "",
    )  # fmt: skip
    config = Config(mail=mail, digest=Digest(public_url="https://news.example.cn"))
    build = parcel_builder(engine, config)
    made: list[bytes] = []
    grown: list[float] = []
    spent = [0.0]

    def keep(row: Delivery) -> Parcel | None:
        began = time.process_time()
        parcel = build(row)
        spent[0] += time.process_time() - began
        if parcel and len(made) < 200:
            made.append(parcel.message)
        if len(made) == 200 and not grown:
            grown.append(grown_mb())
        return parcel

    began, used = time.perf_counter(), time.process_time()
    report = deliver_due(engine, {"mail": SmtpChannel(mail)}, keep, lambda: SAMPLE_NOW)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    later = grown_mb() - (grown or [grown_mb()])[0]
    alone = smtplib_rate(port, made)
    end(child, signal.SIGKILL)
    return {
        "sent": report.sent,
        "html_kb": round(len(html_of(made[0])) / 1000),
        "mail_kb": round(len(made[0]) / 1000),
        "mails_per_second": round(report.sent / seconds),
        "cpu_ms_per_mail": round(cpu / report.sent * 1000, 2),
        "of_it_building": round(spent[0] / report.sent * 1000, 2),
        "smtplib_alone": round(alone),
        "share_of_smtplib": round(report.sent / seconds / alone, 2),
        "grown_mb_after_200": round(later, 1),
    }


def html_of(message: bytes) -> bytes:
    body = message_from_bytes(message, policy=policy.default).get_body(("html",))
    return body.get_content().encode() if body else b""


def write_key(folder: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = folder / "dkim.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    with tempfile.TemporaryDirectory() as name:
        found = run((numbers or [1000])[0], Path(name), signed="--dkim" in sys.argv)
    sys.stdout.write(json.dumps(found) + "\n")
