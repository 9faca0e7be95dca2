"""Kill delivering processes and their mail server at random moments and count what became of every message.

`python -m tests.acceptance.kill_arena 1000 [SEED [postgresql://…]]` prints the counts as JSON; the test suite runs 100. Everything
is real: the ledger in SQLite or an empty PostgreSQL, the mail server (aiosmtpd) in a process of its own, SIGKILL. Message-IDs the
server accepted are appended to a file before it answers 250, so that a crash in between is seen as well.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import select
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

from sqlalchemy import select as query
from sqlalchemy import text

from digest.channels.base import Parcel
from digest.channels.smtp import SmtpChannel
from digest.delivery import deliver_due
from digest.message import build_message, message_id
from store import deliveries
from store.config import Mail, RecipientEntry
from store.database import make_engine, session_scope
from store.models import Base, Delivery, Issue
from store.recipients import add_recipient
from tests.digest.smtp_servers import free_port, real_server

RECIPIENTS = 40
START = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass(frozen=True)
class Rendered:
    subject: str = "高新区党建要情"
    text: str = "本期要目\n" * 50
    html: str = "<p>本期要目</p>" * 50


@dataclass
class Arena:
    folder: Path
    chance: random.Random
    url: str
    port: int = field(default_factory=free_port)
    server: int = 0
    issues: int = 0
    leap: timedelta = timedelta()
    counts: Counter[str] = field(default_factory=Counter)
    begun: tuple[int, int] = field(default_factory=os.pipe)

    @property
    def log(self) -> Path:
        return self.folder / "accepted.log"

    @property
    def on_sqlite(self) -> bool:
        return self.url.startswith("sqlite")

    def now(self) -> datetime:
        return datetime.now(UTC) + self.leap

    def prepare(self) -> None:
        engine = make_engine(self.url)
        Base.metadata.create_all(engine)
        with session_scope(engine) as session:
            for number in range(RECIPIENTS):
                add_recipient(session, RecipientEntry(address=f"r{number}@example.cn"), self.now(), "test")
        engine.dispose()
        self.start_server()

    def start_server(self) -> None:
        self.server = spawn(self.serve)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            time.sleep(0.01)
        raise TimeoutError("the mail server does not start")

    def serve(self) -> None:
        log = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        chance = random.Random(os.getpid())

        class Handler:
            async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
                message = message_from_bytes(envelope.content)
                os.write(log, f"{message['Message-ID']} {envelope.rcpt_tos[0]}\n".encode())
                await asyncio.sleep(chance.choice((0, 0, 0.002, 0.01)))
                return "250 ok"

        with real_server(Handler(), port=self.port):
            time.sleep(3600)

    def deliver(self) -> None:
        engine = make_engine(self.url)
        mail = Mail(
            host="127.0.0.1", port=self.port, security="none", sender="office@example.cn", timeout=5,
            max_per_minute=0, max_per_hour=0,
        )  # fmt: skip
        deliver_due(engine, {"mail": SmtpChannel(mail, dot_seconds=5)}, self.build, self.now)

    def build(self, row: Delivery) -> Parcel:
        os.write(self.begun[1], b"x")
        return build(row)

    def await_delivery(self) -> None:
        """Wait until a process makes its first mail, so that most accidents happen in the middle of its work."""
        if select.select([self.begun[0]], [], [], 5)[0]:
            os.read(self.begun[0], 10_000)

    def deliver_on_a_full_disk(self) -> None:
        """Files may grow by at most a few pages more: the write-ahead log hits the limit within some deliveries."""
        wal = self.folder / "arena.db-wal"
        size = max(self.folder.joinpath("arena.db").stat().st_size, wal.stat().st_size if wal.exists() else 0)
        limit = size + self.chance.randrange(8192, 200_000)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        self.deliver()

    def hold_the_lock(self) -> None:
        engine = make_engine(self.url)
        with engine.begin() as connection:
            if not self.on_sqlite:
                connection.execute(text("LOCK TABLE delivery IN EXCLUSIVE MODE"))
            time.sleep(self.chance.uniform(0.05, 0.3))

    def cut_connections(self) -> None:
        """The database drops everybody, as it does when it is restarted."""
        engine = make_engine(self.url)
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        with engine.connect() as connection:
            connection.execute(text(others))

    def ensure_work(self) -> None:
        engine = make_engine(self.url)
        with session_scope(engine) as session:
            if deliveries.count_due(session, self.now(), ["mail"]) < RECIPIENTS:
                self.issues += 1
                moment = START + timedelta(days=7 * self.issues)
                week = {"period_start": moment, "period_end": moment, "due_at": moment, "composed_at": moment}
                session.add(Issue(number=self.issues, year=2026, year_number=self.issues, **week))
                session.flush()
                deliveries.enqueue(session, self.issues, self.now())
        engine.dispose()

    def round(self) -> int:
        """One random accident; returns how many processes were killed in it."""
        last = "full" if self.on_sqlite else "cut"
        kind = self.chance.choices(["kill", "server", "two", "locked", last], weights=[60, 15, 13, 6, 6])[0]
        self.counts[kind] += 1
        first = spawn(self.deliver_on_a_full_disk if kind == "full" else self.deliver)
        others = []
        if kind == "two":
            others.append(spawn(self.deliver))
        if kind == "locked":
            others.append(spawn(self.hold_the_lock))
        self.await_delivery()
        time.sleep(self.chance.uniform(0.0, 0.1) if kind != "full" else 0.3)
        if kind == "cut":
            self.cut_connections()
            time.sleep(self.chance.uniform(0.0, 0.1))
        if kind == "server":
            end(self.server)
            end(first, None)
            self.start_server()
            return 1
        end(first)
        for other in others:
            end(other)
        return 1 + len(others)

    def finish(self) -> dict[str, Any]:
        """Let everything come to rest without accidents, then hold ledger and server's log against each other."""
        for _ in range(30):
            self.leap += timedelta(seconds=5000)
            end(spawn(self.deliver), None)
            end(spawn(self.deliver), None)
            states = self.states()
            if set(states.values()) <= {"sent", "in_doubt"}:
                break
        end(self.server)
        accepted = Counter(line.split()[0] for line in self.log.read_text().splitlines())
        arrived = set(accepted)
        by_state = Counter(states.values())
        return {
            "messages": len(states),
            "sent": by_state["sent"],
            "in_doubt": by_state["in_doubt"],
            "in_doubt_arrived": sum(state == "in_doubt" and key in arrived for key, state in states.items()),
            "unfinished": len(states) - by_state["sent"] - by_state["in_doubt"],
            "lost": sum(state == "sent" and key not in arrived for key, state in states.items()),
            "duplicates": sum(count - 1 for count in accepted.values()),
            "unknown": len(arrived - set(states)),
            "kinds": dict(self.counts),
        }

    def states(self) -> dict[str, str]:
        engine = make_engine(self.url)
        with session_scope(engine) as session:
            rows = session.scalars(query(Delivery)).all()
            found = {message_id(row.issue_id, row.recipient.address, "example.cn"): row.state for row in rows}
        engine.dispose()
        return found


def build(row: Delivery) -> Parcel:
    address = row.recipient.address
    message = build_message(
        Rendered(), recipient_address=address, sender="office@example.cn", issue_id=row.issue_id,
        message_date=START, list_id="weekly.example.cn", domain="example.cn",
    )  # fmt: skip
    return Parcel(address, message, message_id(row.issue_id, address, "example.cn"))


def spawn(work: Callable[[], None]) -> int:
    """Run `work` in a forked process and return its id."""
    child = os.fork()
    if child:
        return child
    code = 0
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - a child must never return into the parent's code
        sys.stderr.write(f"{work.__name__}: {error!r}\n")
        sys.stderr.flush()
        code = 1
    os._exit(code)


def end(child: int, by: int | None = signal.SIGKILL) -> None:
    """Kill a process (or wait for its own end) and collect it."""
    if by is not None:
        with suppress(ProcessLookupError):
            os.kill(child, by)
    os.waitpid(child, 0)


def run(crashes: int, seed: int = 1, url: str = "") -> dict[str, Any]:
    """Go on until `crashes` processes were killed; returns the counts. Without `url` the ledger is a SQLite file."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        arena = Arena(Path(folder), random.Random(seed), url or f"sqlite:///{folder}/arena.db")
        arena.prepare()
        killed = 0
        while killed < crashes:
            arena.ensure_work()
            killed += arena.round()
        result = arena.finish()
    return {"crashes": killed, **result, "seconds": round(time.monotonic() - began, 1)}


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:] if word.isdecimal()][:2]
    crashes, seed = given + [100, 1][len(given) :]
    url = "".join(word for word in sys.argv[1:] if not word.isdecimal())
    sys.stdout.write(json.dumps(run(crashes, seed, url)) + "\n")
