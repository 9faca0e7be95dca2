"""How many personalised mails a second go out: `python -m tests.bench.bench_mail [RECIPIENTS] [--memory]`.

Everything that happens in earnest happens here: claim, build with 60 KB of HTML, SMTP on one connection to a sink in another
process, two commits a mail. Beside it: smtplib alone, pushing the same finished bytes. `--memory` tells how the process grew.
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from digest.channels.base import Parcel
from digest.channels.smtp import SmtpChannel
from digest.delivery import deliver_due
from digest.message import Attachment, build_message, message_id
from digest.tokens import make_token
from store import deliveries
from store.config import Mail
from store.database import make_engine, session_scope
from store.models import Base, Delivery, Issue, Recipient
from tests.acceptance.kill_arena import Rendered, end, spawn
from tests.digest.smtp_servers import free_port

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SECRET = "a secret for the benchmark only"
PAGE = "<tr><td style='padding:8px'>合肥高新区党工委召开会议，部署本周重点工作。</td></tr>\n" * 650
SUMMARY = "合肥高新区党工委召开会议，部署本周重点工作。\n" * 120


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


def build(row: Delivery, attachments: tuple[Attachment, ...] = ()) -> Parcel:
    person = row.recipient
    link = f"https://news.example.cn/u/{make_token(SECRET, person.token_key, 'unsubscribe')}"
    html = f"<p>{person.name}，您好</p><table>{PAGE}</table><a href='{link}'>退订</a>"
    message = build_message(
        Rendered("高新区党建要情 2026年第47期", f"{person.name}\n{SUMMARY}\n{link}", html),
        recipient_address=person.address, recipient_name=person.name, sender="office@example.cn", issue_id=row.issue_id,
        message_date=NOW, list_id="weekly.example.cn", unsubscribe_url=link, unsubscribe_mailto="office@example.cn",
        domain="example.cn", attachments=attachments,
    )  # fmt: skip
    return Parcel(person.address, message, message_id(row.issue_id, person.address, "example.cn"))


def smtplib_rate(port: int, messages: list[bytes]) -> float:
    """Mails a second of smtplib alone on one connection."""
    with smtplib.SMTP("127.0.0.1", port) as server:
        began = time.perf_counter()
        for message in messages:
            server.sendmail("office@example.cn", ["r@example.cn"], message)
        return len(messages) / (time.perf_counter() - began)


def grown_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(count: int, folder: Path) -> dict[str, Any]:
    port = free_port()
    child = spawn(lambda: sink(port))
    time.sleep(0.3)
    engine = make_engine(f"sqlite:///{folder / 'bench.db'}")
    Base.metadata.create_all(engine)
    with session_scope(engine) as session:
        moments = dict.fromkeys(("period_start", "period_end", "due_at", "composed_at"), NOW)
        session.add(Issue(number=1, year=2026, year_number=1, **moments))
        people = [
            {"address": f"r{n}@example.cn", "name": f"第{n}位", "token_key": f"{n:032x}", "created_at": NOW}
            for n in range(count)
        ]
        session.execute(
            Recipient.__table__.insert(), [person | {"zones": [], "themes": []} for person in people]
        )
        session.flush()
        deliveries.enqueue(session, 1, NOW)
    mail = Mail(
        host="127.0.0.1",
        port=port,
        security="none",
        sender="office@example.cn",
        max_per_minute=0,
        max_per_hour=0,
    )
    file = (Attachment("要情.docx", "application/octet-stream", os.urandom(60_000)),)
    made: list[bytes] = []

    def keep(row: Delivery) -> Parcel:
        parcel = build(row, file)
        if len(made) < 200:
            made.append(parcel.message)
        return parcel

    before = grown_mb()
    began, used = time.perf_counter(), time.process_time()
    report = deliver_due(engine, {"mail": SmtpChannel(mail)}, keep, lambda: NOW)
    seconds, cpu = time.perf_counter() - began, time.process_time() - used
    alone = smtplib_rate(port, made)
    end(child, signal.SIGKILL)
    return {
        "sent": report.sent,
        "html_kb": round(len(PAGE.encode()) / 1000),
        "mail_kb": round(len(made[0]) / 1000),
        "mails_per_second": round(report.sent / seconds),
        "cpu_ms_per_mail": round(cpu / report.sent * 1000, 2),
        "smtplib_alone": round(alone),
        "share_of_smtplib": round(report.sent / seconds / alone, 2),
        "grown_mb": round(grown_mb() - before, 1),
    }


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    with tempfile.TemporaryDirectory() as name:
        sys.stdout.write(json.dumps(run((numbers or [1000])[0], Path(name))) + "\n")
