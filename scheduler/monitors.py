"""Monitors: facts in the database become alerts, raised once and cleared once; operators are told of each change once."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scheduler.context import Installation
from store.alerts import clear_alert, is_news, mark_told, open_alerts, raise_alert, unreported
from store.database import Session, read_scope, session_scope
from store.deliveries import in_doubt, stuck, summary
from store.issues import editor_acts, issue_by_id, last_issues
from store.leases import acquire, holder_of, release
from store.models import Alert, Delivery
from store.sources import all_sources
from store.status import ALERT_WORDS
from store.watch import FAULTS

logger = logging.getLogger(__name__)
#: An issue that has not gone out this long after its hour is an alarm.
ISSUE_GRACE = timedelta(minutes=30)
#: Waits before a target that could not be told is tried again: the next tick, then doubled.
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
#: Longest time in which all targets are told or have failed, before another process may try.
REPORT_SECONDS = 300
#: So many sources, and more than half of all, unreachable at once: the fault is on this side of the wire.
NETWORK_LEAST = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One trouble: its kind, whom it concerns, what was seen."""

    kind: str
    subject: str
    detail: str


Monitor = Callable[[Session, Installation, datetime], Iterator[Finding]]


def faulty_source(session: Session, installation: Installation, now: datetime) -> Iterator[Finding]:  # noqa: ARG001
    """Faults the watch has named; when most sources are unreachable at once, one finding says that it is this machine."""
    sources = [source for source in all_sources(session) if source.enabled]
    away = [source for source in sources if "unreachable" in source.faults]
    ours = len(away) >= NETWORK_LEAST and 2 * len(away) > len(sources)
    told = {alert.subject for alert in open_alerts(session) if alert.kind == "unreachable"}
    if ours:
        yield Finding("network", "this machine", f"{len(away)} of {len(sources)} sources are unreachable")
    for source in sources:
        for kind, fault in source.faults.items():
            if kind != "unreachable" or not ours or source.name in told:
                since = datetime.fromisoformat(fault["since"])
                yield Finding(kind, source.name, f"{fault['evidence']}; since {_moment(installation, since)}")


def silent_source(session: Session, installation: Installation, now: datetime) -> Iterator[Finding]:
    """Sources that answer and have never brought anything for longer than the configured days: no rhythm tells of them."""
    limit = timedelta(days=installation.config.daemon.silent_days)
    for source in all_sources(session):
        silent = source.last_new_at is None and now - source.first_seen_at > limit
        if source.enabled and silent and source.state in {"up", "late"} and not source.faults:
            yield Finding(
                "silent_source",
                source.name,
                f"never anything new since {_moment(installation, source.first_seen_at)}",
            )


def late_issue(session: Session, installation: Installation, now: datetime) -> Iterator[Finding]:
    """No issue half an hour after it was due."""
    from digest.issue import is_held
    from digest.period import due_at

    due = due_at(now, installation.config.digest, installation.config.zone_info)
    issue = next(iter(last_issues(session, 1)), None)
    began = min((source.first_seen_at for source in all_sources(session)), default=now)
    if now - due > ISSUE_GRACE and began < due and (issue is None or issue.due_at < due):
        why = "the editor holds it" if is_held(editor_acts(session)) else "see the daemon's log"
        yield Finding(
            "late_issue", "weekly", f"the issue due {_moment(installation, due)} was not composed: {why}"
        )


def unsent_issue(session: Session, installation: Installation, now: datetime) -> Iterator[Finding]:
    """Half an hour after it was composed nobody has received the latest issue."""
    latest = next(iter(last_issues(session, 1)), None)
    if latest is None or now - latest.composed_at <= ISSUE_GRACE:
        return
    states = summary(session, latest.id)
    waiting = sum(states.get(state, 0) for state in ("queued", "retry", "sending"))
    if waiting and not states.get("sent"):
        why = "" if installation.config.mail.host else "; no mail server is configured"
        yield Finding(
            "issue_not_sent", f"issue {latest.number}", f"{waiting} deliveries wait, none arrived{why}"
        )


def empty_issue(session: Session, installation: Installation, now: datetime) -> Iterator[Finding]:  # noqa: ARG001
    """The latest issue has no story."""
    latest = next(iter(last_issues(session, 1)), None)
    issue = issue_by_id(session, latest.id) if latest else None
    if issue is not None and not issue.stories:
        yield Finding(
            "empty_issue", f"issue {issue.number}", "the latest issue holds no story; look at the sources"
        )


def doubtful_delivery(session: Session, installation: Installation, now: datetime) -> Iterator[Finding]:  # noqa: ARG001
    """Deliveries of which nobody knows whether they arrived, one finding per issue."""
    for issue, rows in _by_issue(in_doubt(session)):
        yield Finding(
            "in_doubt",
            issue,
            f"{len(rows)} may or may not have arrived; `parknews deliver --in-doubt` lists and settles them",
        )


def stuck_delivery(session: Session, installation: Installation, now: datetime) -> Iterator[Finding]:
    """Deliveries that have been waiting for a day, one finding per issue."""
    for issue, rows in _by_issue(stuck(session, now - timedelta(days=1))):
        last = max(rows, key=lambda row: row.attempts)
        why = last.reply or last.reason or _why_unsent(installation)
        yield Finding(
            "stuck_delivery", issue, f"{len(rows)} wait since a day, {last.attempts} attempt(s): {why}"
        )


def _why_unsent(installation: Installation) -> str:
    if not installation.config.mail.host:
        return "no mail server is configured"
    return "more than the pace of the server lets go; `parknews doctor` names it"


def _by_issue(rows: object) -> list[tuple[str, list[Delivery]]]:
    found: dict[int, list[Delivery]] = defaultdict(list)
    for row in rows:  # type: ignore[attr-defined]
        found[row.issue_id].append(row)
    return [(f"issue {number}", group) for number, group in sorted(found.items())]


def wrong_clock(session: Session, installation: Installation, now: datetime) -> Iterator[Finding]:
    """The database knows of moments that have not come yet: the clock is, or was, wrong."""
    moments = [source.checked_at for source in all_sources(session) if source.checked_at]
    moments += [issue.period_end for issue in last_issues(session, 1)]
    ahead = max(moments, default=now) - now
    if ahead > timedelta(hours=1):
        yield Finding(
            "clock",
            "this machine",
            f"it is {_moment(installation, now)} here, but things were recorded at {_moment(installation, now + ahead)}",
        )


def faulty_sources_file(session: Session, installation: Installation, now: datetime) -> Iterator[Finding]:  # noqa: ARG001
    """The file of sources cannot be read: nothing new is crawled."""
    from crawler.sources.loader import load_sources

    try:
        load_sources(installation.config)
    except ValueError as error:
        yield Finding("sources_file", "sources", str(error))


MONITORS: tuple[Monitor, ...] = (
    faulty_source,
    silent_source,
    late_issue,
    unsent_issue,
    empty_issue,
    doubtful_delivery,
    stuck_delivery,
    wrong_clock,
    faulty_sources_file,
)
#: Kinds of alerts that are cleared when no monitor finds them any more: all but those whose finders clear them.
KINDS = (frozenset(ALERT_WORDS) | set(FAULTS)) - {"daemon_dead", "delivery_stopped", "bounces_unread"}


def run_monitors(installation: Installation, now: datetime) -> list[Finding]:
    """Raise what is found, clear what is no longer found; return what is found. May be repeated."""
    with read_scope(installation.engine) as session:
        findings = [finding for monitor in MONITORS for finding in monitor(session, installation, now)]
        before = {(alert.kind, alert.subject): alert.detail for alert in open_alerts(session)}
    standing = {(finding.kind, finding.subject): finding.detail for finding in findings}
    over = [key for key in before if key[0] in KINDS and key not in standing]
    if standing == before and not over:
        return findings
    with session_scope(installation.engine) as session:
        for finding in findings:
            if raise_alert(session, finding.kind, finding.subject, finding.detail, now):
                logger.warning("alert %s %s: %s", finding.kind, finding.subject, finding.detail)
        for kind, subject in over:
            if clear_alert(session, kind, subject, now):
                logger.info("alert cleared: %s %s", kind, subject)
    return findings


@dataclass
class Pauses:
    """Targets that could not be told: tried again at the next tick, then after waits that double up to an hour."""

    _waits: dict[str, tuple[datetime, timedelta]] = field(default_factory=dict)

    def over(self, target: str, now: datetime) -> bool:
        since, wait = self._waits.get(target, (now, timedelta()))
        return not timedelta() <= now - since < wait

    def note(self, target: str, now: datetime, *, failed: bool) -> None:
        _, wait = self._waits.pop(target, (now, timedelta()))
        if failed:
            self._waits[target] = (now, min(wait * 2 or FIRST_WAIT, LONGEST_WAIT))


def report_alerts(installation: Installation, now: datetime, pauses: Pauses | None = None) -> int:
    """Tell each operator in one message of every alert that was raised or cleared since they were last told of it.

    Returns how many alerts were told of to anybody. Without operators who can be reached the log is all there is. Who could not
    be told is logged and tried again at another run; nobody else waits for that. While another process reports, nothing is done.
    """
    from digest.alarms import alarm_targets
    from scheduler.jobs import new_holder

    targets, holder = alarm_targets(installation.config), new_holder()
    with read_scope(installation.engine) as session:
        if not unreported(session):
            return 0
    with session_scope(installation.engine) as session:
        if not acquire(session, "alarms", holder, now, REPORT_SECONDS):
            return 0
    try:
        return _report(installation, targets, pauses or Pauses(), now)
    finally:
        with session_scope(installation.engine) as session:
            release(session, "alarms", holder)


def _report(installation: Installation, targets: list[str], pauses: Pauses, now: datetime) -> int:
    from digest.alarms import send_alarms

    with read_scope(installation.engine) as session:
        alerts = unreported(session)
        states = {alert.id: _state(alert) for alert in alerts}
        news = {t: [alert for alert in alerts if is_news(alert, t)] for t in targets if pauses.over(t, now)}
        lines = {target: [_line(alert, installation) for alert in own] for target, own in news.items() if own}
    reached: set[int] = set()
    for target, fault in send_alarms(installation.config, lines, now).items():
        pauses.note(target, now, failed=bool(fault))
        told = {alert.id: states[alert.id] for alert in news[target]}
        if fault:
            logger.error("%s could not be told of %d alerts: %s", target, len(told), fault)
            continue
        reached |= told.keys()
        with session_scope(installation.engine) as session:
            mark_told(session, told, targets, target, now)
    with session_scope(installation.engine) as session:
        mark_told(session, states, targets, "", now)
    return len(reached)


def deadman(installation: Installation, now: datetime) -> list[Finding]:
    """Return why nothing goes out: no issue half an hour after its hour, nobody received it, no daemon holds the lease.

    Works without a daemon, for cron: raises the alert, so that operators are told once, and clears it.
    """
    with read_scope(installation.engine) as session:
        findings = [*late_issue(session, installation, now), *unsent_issue(session, installation, now)]
        alive = holder_of(session, "daemon", now)
    if not alive:
        findings.append(Finding("daemon_dead", "daemon", "no daemon is running; start `parknews daemon`"))
    with session_scope(installation.engine) as session:
        for finding in findings:
            raise_alert(session, finding.kind, finding.subject, finding.detail, now)
        if alive:
            clear_alert(session, "daemon_dead", "daemon", now)
    return findings


def _state(alert: Alert) -> str:
    return "cleared" if alert.cleared_at else "raised"


def _line(alert: Alert, installation: Installation) -> dict[str, str]:
    from digest.trouble_words import in_chinese, subject_in_chinese

    return {
        "state": _state(alert),
        "kind": ALERT_WORDS.get(alert.kind, alert.kind),
        "subject": subject_in_chinese(alert.kind, alert.subject),
        "detail": in_chinese(alert.detail),
        "at": _moment(installation, alert.cleared_at or alert.raised_at),
    }


def _moment(installation: Installation, moment: datetime) -> str:
    return f"{moment.astimezone(installation.config.zone_info):%Y-%m-%d %H:%M}"
