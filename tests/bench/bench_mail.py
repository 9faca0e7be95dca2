"""How many personalised mails a second go out: `python -m tests.bench.bench_mail [RECIPIENTS] [--dkim] [--blocks]`.

Everything that happens in earnest happens here: claim, the real builder with a sample issue of some 80 KB of HTML and its Word
briefing, personal links, SMTP on one connection to a sink in another process, two commits a mail, the first of them flushed.
Beside it, in turns of 1,000 mails, so that both feel the same neighbours: smtplib alone, pushing finished mails of the same run to
the same sink. The sink reads line by line, as mail servers do, and keeps nothing; with `--blocks` it looks at the end of each
block only, which is as quick as a sink can be.

Printed are medians over the turns, and `flush_ms`: what this disk takes now to flush 8 KB, below which no mail can be sent that
is marked before its dot. A machine with other work to do wakes the waiting process late (0.1 ms become 3): there the number
says more about the neighbours than about the program.
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
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from io import BufferedReader
from pathlib import Path
from statistics import median
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from digest.channels.base import BeforeTheDot, Parcel
from digest.channels.smtp import SmtpChannel
from digest.delivery import Build, deliver_due
from digest.parcels import parcel_builder
from digest.sample import SAMPLE_NOW
from store import deliveries
from store.config import Config, DigestSection, Mail
from store.database import Engine, make_engine, session_scope
from store.models import Base, Delivery

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.acceptance.kill_arena import end, spawn
from tests.digest.frozen_sample import add_people, enqueue, freeze_sample
from tests.digest.smtp_servers import free_port

SECRET = "a secret for the benchmark only"
#: Stories that make some 80 KB of HTML.
STORIES = 60
#: Mails before the measuring begins: every edition is composed then, and smtplib has something to push.
FIRST = 100
#: Mails of each side in turn; each turn is a run of its own, which has to look through the ledger first.
TURN = 1000
SkipBody = Callable[[BufferedReader], None]
THEMES = ("service", "chain", "two_new", "venue", "org")


def sink(port: int, skip_body: SkipBody) -> None:
    """Accept everything at once and keep nothing."""
    listener = socket.create_server(("127.0.0.1", port))
    while True:
        connection, _ = listener.accept()
        with connection:
            serve(connection, skip_body)


def serve(connection: socket.socket, skip_body: SkipBody) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(b"220 sink\r\n")
    lines = connection.makefile("rb")
    while line := lines.readline():
        verb = line[:4].upper()
        if verb == b"DATA":
            connection.sendall(b"354 go on\r\n")
            skip_body(lines)
        answer = {
            b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 SIZE 50000000\r\n",
            b"QUIT": b"221 bye\r\n",
        }.get(verb, b"250 ok\r\n")
        connection.sendall(answer)


def line_by_line(lines: BufferedReader) -> None:
    while lines.readline() != b".\r\n":
        pass


def block_by_block(lines: BufferedReader) -> None:
    """Neither client says anything behind the dot before it is answered, so the end of the body is the end of a block."""
    end = b""
    while not (end := (end + lines.read1(1 << 20))[-5:]).endswith(b"\r\n.\r\n"):
        pass


def push_alone(port: int, messages: list[bytes], count: int) -> float:
    """Mails a second of smtplib alone on one connection."""
    with smtplib.SMTP("127.0.0.1", port) as server:
        began = time.perf_counter()
        for number in range(count):
            server.sendmail("office@example.cn", ["r@example.cn"], messages[number % len(messages)])
        return count / (time.perf_counter() - began)


def flush_ms(folder: Path, times: int = 20) -> float:
    """The median of how long the disk takes to make 8 KB durable that are written over old ones, as SQLite's log is."""
    handle = os.open(folder / "flushed", os.O_RDWR | os.O_CREAT)
    os.pwrite(handle, bytes(8192 * times), 0)
    os.fsync(handle)
    taken = []
    for number in range(times):
        began = time.perf_counter()
        os.pwrite(handle, bytes(8192), 8192 * number)
        os.fdatasync(handle)
        taken.append(time.perf_counter() - began)
    os.close(handle)
    return median(taken) * 1000


def peak_mb() -> float:
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


class TimedChannel(SmtpChannel):
    """Notes where a parcel's time goes: in the dialogue with the server, and in the marker before the dot."""

    def __init__(self, mail: Mail, spent: defaultdict[str, float]) -> None:
        super().__init__(mail)
        self._spent = spent

    def send(self, parcel: Parcel, before_the_dot: BeforeTheDot) -> str:
        began, marked = time.perf_counter(), self._spent["marker"]

        def hook() -> None:
            at = time.perf_counter()
            before_the_dot()
            self._spent["marker"] += time.perf_counter() - at

        reply = super().send(parcel, hook)
        self._spent["dialogue"] += time.perf_counter() - began - (self._spent["marker"] - marked)
        return reply


@dataclass
class Bench:
    """The office's side: `mails` goes through the next recipients in the queue."""

    engine: Engine
    mail: Mail
    build: Build
    spent: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    made: list[bytes] = field(default_factory=list)
    memory_mb: dict[str, int] = field(default_factory=dict)
    sent: int = 0

    def mails(self, count: int) -> float:
        """Send `count` mails; returns mails a second."""
        goal, began, used = self.sent + count, time.perf_counter(), time.process_time()
        channel = TimedChannel(self.mail, self.spent)
        deliver_due(
            self.engine, {"mail": channel}, self.keep, lambda: SAMPLE_NOW, stop=lambda: self.sent >= goal
        )
        self.spent["all"] += time.perf_counter() - began
        self.spent["cpu"] += time.process_time() - used
        return count / (time.perf_counter() - began)

    def keep(self, row: Delivery) -> Parcel | None:
        began = time.perf_counter()
        parcel = self.build(row)
        self.spent["building"] += time.perf_counter() - began
        self.sent += 1
        if parcel and len(self.made) < FIRST:
            self.made.append(parcel.message)
        if self.sent in {FIRST, 1000, 10_000}:
            self.memory_mb[f"at {self.sent}"] = round(peak_mb())
        return parcel


def run(
    count: int, folder: Path, *, signed: bool = False, skip_body: SkipBody = line_by_line, turn: int = TURN
) -> dict[str, Any]:
    """Send to `count` recipients, at least `FIRST + turn`, and return what was measured."""
    os.environ["PARKNEWS_WEB_SECRET"] = SECRET
    port = free_port()
    child = spawn(lambda: sink(port, skip_body))
    time.sleep(0.3)
    mail = Mail(
        host="127.0.0.1", port=port, security="none", sender="office@example.cn", max_per_minute=0, max_per_hour=0,
        dkim_key=str(write_key(folder)) if signed else "",
    )  # fmt: skip
    engine = prepared(folder, count)
    config = Config(mail=mail, digest=DigestSection(public_url="https://news.example.cn"))
    bench = Bench(engine, mail, parcel_builder(engine, config))
    first = FIRST / bench.mails(FIRST)
    bench.spent.clear()
    turns = []
    for _ in range((count - FIRST) // turn):
        alone = push_alone(port, bench.made, turn)
        turns.append((alone, bench.mails(turn), flush_ms(folder)))
    end(child, signal.SIGKILL)
    with session_scope(engine) as session:
        recorded = deliveries.summary(session, 1)["sent"]
    assert recorded == bench.sent == FIRST + turn * len(turns)
    spent = {part: seconds / (len(turns) * turn) * 1000 for part, seconds in bench.spent.items()}
    parts = {part: round(spent[part], 2) for part in ("building", "dialogue", "marker")}
    return {
        "sent": recorded,
        "html_kb": round(len(html_of(bench.made[0])) / 1000),
        "mail_kb": round(len(bench.made[0]) / 1000),
        "smtplib_alone": round(median(alone for alone, _, _ in turns)),
        "mails_per_second": round(median(ours for _, ours, _ in turns)),
        "share_of_smtplib": round(median(ours / alone for alone, ours, _ in turns), 2),
        "ms_per_mail": {**parts, "claim, sent, pace": round(spent["all"] - sum(parts.values()), 2)},
        "cpu_ms_per_mail": round(spent["cpu"], 2),
        "flush_ms": round(median(flush for _, _, flush in turns), 2),
        "first_100_seconds": round(first, 2),
        "memory_mb": bench.memory_mb | {"at the end": round(peak_mb())},
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
        found = run(
            max((numbers or [4100])[0], FIRST + TURN),
            Path(name),
            signed="--dkim" in sys.argv,
            skip_body=block_by_block if "--blocks" in sys.argv else line_by_line,
        )
    sys.stdout.write(json.dumps(found) + "\n")
