"""Deliver what is due: claim, send, mark. The only place that sends, so that nothing is lost, doubled or sent after a goodbye.

No transaction is ever open across a channel's work. The ledger hears of a parcel twice: just before its last octet goes out
(the marker that tells a crash from a refusal) and when the answer is known. What nobody knows waits for a person.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from digest.channels.base import Channel, DeliveryError, Parcel
from digest.pace import Limits, Pace
from digest.rendering import template_fault
from store import deliveries
from store.database import Connection, Engine
from store.deliveries import LedgerError, kept_connection, ledger, step
from store.models import Delivery

Build = Callable[[Delivery], Parcel | None]
Clock = Callable[[], datetime]

#: Seconds to wait after a temporary refusal: 1000, 2000, then 4000 each; given up after five days (RFC 5321, 4.5.4.1).
FIRST_WAIT, LONGEST_WAIT = 1000, 4000
GIVE_UP = timedelta(days=5)
#: Claimed at once. A crash costs at most this many rows a second claim, never a second mail. A claim takes 2.5 ms and 0.03 ms
#: a row (6,000 recipients), so that twenty at once cost each mail as much as its marker.
BATCH = 100
#: A channel that broke down, left us in doubt, refused addresses or put us off this often in a row is left alone until the
#: next run; so is one for which that many editions in a row could not be built.
MAX_BROKEN, MAX_DOUBTS, MAX_REFUSED, MAX_PUT_OFF, MAX_UNBUILT = 3, 2, 10, 50, 10
_log = logging.getLogger(__name__)


@dataclass
class DeliveryReport:
    """What a run did. `alarm`: what an operator must hear of; `login_refused`: that it was a login, which is not tried often;
    `paused_until`: when the pace `limits` lets the next parcel go; `unserved`: rows that wait for a channel nobody set up;
    `suppressed_addresses`: with what their servers said.
    """

    sent: int = 0
    retried: int = 0
    suppressed: int = 0
    in_doubt: int = 0
    skipped: int = 0
    failed: int = 0
    recovered: int = 0
    unserved: int = 0
    stopped_because: str | None = None
    alarm: str | None = None
    login_refused: bool = False
    paused_until: datetime | None = None
    limits: Limits = field(default_factory=Limits)
    suppressed_addresses: dict[str, str] = field(default_factory=dict)


class _ClaimLost(Exception):
    """Another worker has the row, or its recipient has left; nothing was completed."""


class _Stop(Exception):
    """No further parcel over this channel in this run."""


def worker_name() -> str:
    """Return a name for this process's claims: host, process, and a random part that makes it unique."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_dead(worker: str, own: str = "") -> bool:
    """Return whether the claims of `worker` belong to a process of this machine that is no more; unknown means no."""
    host, _, rest = worker.partition(":")
    number = rest.partition(":")[0]
    if host != socket.gethostname() or not number.isdecimal():
        return False
    if int(number) == os.getpid():
        return worker != own
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after the `attempts`-th temporary refusal."""
    return timedelta(seconds=min(FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 10), LONGEST_WAIT))


def deliver_due(
    engine: Engine,
    channels: Mapping[str, Channel],
    build: Build,
    now: Clock,
    *,
    paces: Mapping[str, Pace] | None = None,
    stop: Callable[[], bool] = lambda: False,
    worker: str = "",
    stale_seconds: int = deliveries.STALE_SECONDS,
) -> DeliveryReport:
    """Send everything that is due over `channels`, at their pace, and report. Raises nothing but the process's own signals.

    `paces` comes before a channel's own pace (an attribute `pace`, if it has one). `build` makes the parcel of one delivery or
    returns None when there is nothing for this recipient. `stop` is asked between parcels. Safe to run twice at once and to
    kill at any moment.
    """
    report = DeliveryReport()
    own = worker or worker_name()
    try:
        with kept_connection(engine) as books:
            with ledger(books) as session:
                found = deliveries.recover(session, now(), stale_seconds, lambda name: is_dead(name, own))
                report.unserved = deliveries.count_unserved(session, list(channels))
            report.recovered, report.in_doubt = found.requeued, found.in_doubt
            for name, channel in channels.items():
                pace = (paces or {}).get(name) or getattr(channel, "pace", None) or Pace(Limits())
                _Run(books, name, channel, build, now, pace, stop, own, report).go()
    except LedgerError as error:
        report.stopped_because = report.alarm = f"the ledger cannot be written: {error}"
        _log.error("delivery stopped: %s", report.alarm)
    return report


@dataclass
class _Run:
    """One run over one channel. `broken`, `doubts`, `refused`, `put_off` and `unbuilt` count what happened in a row.

    `alarmed`: the kinds of trouble the report has an alarm for.
    """

    books: Connection
    name: str
    channel: Channel
    build: Build
    now: Clock
    pace: Pace
    stop: Callable[[], bool]
    worker: str
    report: DeliveryReport
    broken: int = 0
    doubts: int = 0
    refused: int = 0
    put_off: int = 0
    unbuilt: int = 0
    at_the_dot: bool = False
    alarmed: set[str] = field(default_factory=set)

    def go(self) -> None:
        if not self._is_work():
            return
        with ledger(self.books) as session:
            self.pace.recall(deliveries.sent_since(session, self.name, self.now() - self.pace.memory))
        try:
            self.channel.open()
        except DeliveryError as error:
            self._give_up(error)
            return
        try:
            while self._batch():
                pass
        except _Stop:
            pass
        finally:
            self.channel.close()

    def _is_work(self) -> bool:
        with ledger(self.books) as session:
            return deliveries.is_due(session, self.now(), [self.name])

    def _batch(self) -> bool:
        """Work through one claim; returns whether there may be more."""
        if not self._is_work():
            return False
        self._heed_pace()
        with ledger(self.books) as session:
            rows = deliveries.claim(session, self.worker, self.now(), BATCH, [self.name])
        waiting = {row.id for row in rows}
        try:
            for row in rows:
                if self.stop():
                    self._halt("asked to stop")
                    raise _Stop
                self._heed_pace()
                waiting.discard(row.id)
                self._one(row)
        finally:
            self._release(waiting)
        return bool(rows)

    def _heed_pace(self) -> None:
        now = self.now()
        free = self.pace.free_at(now)
        if free > now:
            self.report.paused_until, self.report.limits = free, self.pace.limits
            self._halt(f"pace of {self.name}: the next one may go at {free.isoformat(timespec='seconds')}")
            raise _Stop

    def _release(self, ids: set[int], until: datetime | None = None) -> None:
        if ids:
            with ledger(self.books) as session:
                deliveries.release(session, ids, self.worker, until)

    def _halt(self, why: str, *, alarm: bool = False) -> None:
        reasons = [self.report.stopped_because, why]
        self.report.stopped_because = "; ".join(filter(None, reasons))
        if alarm:  # which whoever asked for this run tells
            self._alarm(why, why)
        else:
            _log.info("channel %s stops: %s", self.name, why)

    def _give_up(self, error: DeliveryError) -> None:
        self.report.login_refused |= error.reason == "login_refused"
        self._halt(str(error), alarm=True)

    def _alarm(self, kind: str, why: str) -> None:
        """Note what an operator must hear of, once for each kind: six hundred mails that are too large are one trouble."""
        if kind not in self.alarmed:
            self.alarmed.add(kind)
            self.report.alarm = "; ".join(filter(None, [self.report.alarm, why]))

    def _one(self, row: Delivery) -> None:
        free = self.pace.free_for(row.recipient.address, self.now())
        if free > self.now():
            self._release({row.id}, free)
            return
        try:
            parcel = self.build(row)
        except Exception as error:  # noqa: BLE001 - one recipient's edition must not keep the others from theirs
            self._not_built(row, self._why_unbuilt(row, error))
            return
        self.unbuilt = 0
        if parcel is None:
            self._mark(deliveries.mark_skipped, row, "nothing_to_send")
            self.report.skipped += 1
        else:
            self._send(row, parcel)

    def _why_unbuilt(self, row: Delivery, error: Exception) -> str:
        """Log where it went wrong and return it in words: a template's line, which an office can mend, or our own."""
        if fault := template_fault(error):
            _log.error("delivery %d cannot be built: %s", row.id, fault)
            return f"{fault}; `parknews template check` tells more"
        _log.error("delivery %d cannot be built", row.id, exc_info=error)
        return f"{type(error).__name__}: {error}; the log says where"

    def _not_built(self, row: Delivery, why: str) -> None:
        self.report.failed += 1
        self._alarm("build_failed", f"delivery {row.id} cannot be made: {why}")
        self._retry(row, "build_failed", why)
        self.unbuilt += 1
        if self.unbuilt >= MAX_UNBUILT:
            self._halt(f"{MAX_UNBUILT} deliveries in a row cannot be made")
            raise _Stop

    def _send(self, row: Delivery, parcel: Parcel) -> None:
        self.at_the_dot = False
        try:
            reply = self.channel.send(parcel, lambda: self._mark_the_dot(row, parcel))
        except _ClaimLost:
            self._release({row.id})
            self.report.skipped += 1
        except DeliveryError as error:
            _log.warning("delivery %d: %s", row.id, error)
            self._failed(row, parcel, error)
        except LedgerError:
            raise
        except Exception as error:  # noqa: BLE001 - a channel's own mistake is told by where it happened
            _log.exception("delivery %d: the channel failed", row.id)
            why = f"{self.name}: {type(error).__name__}"
            self._failed(row, parcel, DeliveryError(why, in_doubt=self.at_the_dot, reason="channel_failed"))
        else:
            self._sent(row, parcel, reply)

    def _mark_the_dot(self, row: Delivery, parcel: Parcel) -> None:
        with step(self.books) as books:
            if not deliveries.mark_at_the_dot(books, row.id, self.worker, self.now(), parcel.message_id):
                raise _ClaimLost
        self.at_the_dot = True

    def _sent(self, row: Delivery, parcel: Parcel, reply: str) -> None:
        """Record an acceptance; tried again, for what is lost here has to be settled by hand."""
        for patience in (0.1, 1.0, 0.0):
            try:
                with step(self.books, synced=False) as books:
                    deliveries.mark_sent(books, row.id, self.worker, self.now(), reply)
                break
            except LedgerError:
                if not patience:
                    raise
                time.sleep(patience)
        self.pace.note(self.now(), parcel.address)
        self.report.sent += 1
        self.broken = self.doubts = self.refused = self.put_off = 0

    def _failed(self, row: Delivery, parcel: Parcel, error: DeliveryError) -> None:
        if error.in_doubt:
            self._doubt(row, parcel, error)
        elif error.blame == "channel":
            self._channel_failed(row, error)
        elif not error.permanent:
            self._put_off(row, error)
        elif error.blame == "message":
            self._mark(deliveries.mark_skipped, row, error.reason)
            self.report.failed += 1
            self._alarm(error.reason, str(error))
        else:
            self._suppress(row, error)

    def _put_off(self, row: Delivery, error: DeliveryError) -> None:
        """Try again later; a server that puts everybody off is not asked for everybody."""
        self._retry(row, error.reason, error.reply or str(error))
        self.put_off += 1
        if self.put_off >= MAX_PUT_OFF:
            self._halt(f"put off {MAX_PUT_OFF} times in a row, the last with: {error}")
            raise _Stop

    def _doubt(self, row: Delivery, parcel: Parcel, error: DeliveryError) -> None:
        with ledger(self.books) as session:
            deliveries.mark_in_doubt(session, row.id, self.worker, error.reason, error.reply)
        self.pace.note(self.now(), parcel.address)
        self.report.in_doubt += 1
        self.doubts += 1
        if self.doubts >= MAX_DOUBTS:
            self._halt(str(error), alarm=True)
            raise _Stop

    def _channel_failed(self, row: Delivery, error: DeliveryError) -> None:
        """A permanent fault of ours or the server's stops at once, a passing one when it keeps coming."""
        self._retry(row, error.reason, error.reply or str(error))
        self.broken += 1
        if error.permanent or self.broken >= MAX_BROKEN:
            self._give_up(error)
            raise _Stop

    def _suppress(self, row: Delivery, error: DeliveryError) -> None:
        with ledger(self.books) as session:
            deliveries.mark_suppressed(
                session, row.id, self.worker, self.now(), reason=error.reason, reply=error.reply
            )
        self.report.suppressed += 1
        self.report.suppressed_addresses[row.recipient.address] = error.reply or str(error)
        self.refused += 1
        if self.refused >= MAX_REFUSED:
            self._halt(f"{MAX_REFUSED} addresses refused in a row, the last with: {error}", alarm=True)
            raise _Stop

    def _retry(self, row: Delivery, reason: str, reply: str) -> None:
        at = self.now() + wait_after(row.attempts)
        if at - row.created_at > GIVE_UP:
            self._mark(deliveries.mark_bounced, row, f"gave_up:{reason}")
            self.report.failed += 1
            return
        with ledger(self.books) as session:
            deliveries.mark_retry(session, row.id, self.worker, at, reason, reply)
        self.report.retried += 1

    def _mark(self, mark: Callable[..., bool], row: Delivery, reason: str) -> None:
        with ledger(self.books) as session:
            mark(session, row.id, self.worker, reason)
