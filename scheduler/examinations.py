"""What the doctor asks of others: the database, the net, the mail server, the clock."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from http.client import HTTPConnection, HTTPException

from msgspec.structs import replace

from scheduler.checks import Check
from scheduler.context import Installation
from scheduler.environment import queue_fault
from store.clock import clock_fault
from store.config import Config, ConfigError, secret
from store.database import (
    DatabaseUnavailable,
    Engine,
    SQLAlchemyError,
    complaint_of,
    is_damaged,
    make_engine,
    place_of,
    read_scope,
)
from store.leases import holder_of
from store.recipients import list_recipients
from store.schema import SchemaError, current, differences, ensure, head, integrity, try_to_write
from store.sources import all_sources

#: The mail channel's reason words -> the fault they are.
_MAIL = {
    "unreachable": "mail_unreachable",
    "no_tls": "mail_security",
    "insecure": "mail_security",
    "bad_tls": "mail_certificate",
    "tls_failed": "mail_protocol",
    "timeout": "mail_protocol",
    "closed": "mail_protocol",
    "garbage": "mail_protocol",
    "no_auth": "mail_login",
    "login_refused": "mail_login",
    "not_configured": "mail_host",
}
#: What a database complains of -> the fault it is. "read-only" and "permission denied" are PostgreSQL's words.
_DATABASE = {
    "unable to open": "database_folder",
    "readonly": "database_folder",
    "read-only transaction": "database_standby",
    "permission denied": "database_rights",
    "does not exist": "database_missing",
    "full": "database_full",
    "no space left": "database_full",
    "disk i/o": "database_disk",
    "locked": "database_locked",
}
#: Where other programs find a proxy; ours go straight to sites, mail server and chats.
_PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
#: Seconds a name server gets.
DNS_SECONDS = 5.0
#: Seconds what listens on the web's port gets to answer.
WEB_SECONDS = 3.0


def database(config: Config) -> Iterator[Check]:
    """The database can be opened, is whole, has the schema of this code; who is in it, what stands."""
    engine = None
    try:
        engine = make_engine(config.database_url)
        ensure(engine)
        try_to_write(engine)
        found = integrity(engine) or differences(engine)
    except (SQLAlchemyError, DatabaseUnavailable, SchemaError, ImportError, OSError) as error:
        yield _database_fault(config, error)
        return
    shown = engine.url.render_as_string(hide_password=True)
    if found:
        code = "database_corrupt" if found[0].startswith("integrity") else "database_differs"
        yield Check("database", False, f"{shown}: {found[0][:300]}", code)
        return
    yield Check("database", True, f"{shown}, schema {current(engine)} of {head()}")
    yield from _inhabitants(engine, config)


def _database_fault(config: Config, error: Exception) -> Check:
    text = complaint_of(error)[:300]
    found = [code for words, code in _DATABASE.items() if words in text.lower()]
    if isinstance(error, SchemaError):
        code = "database_newer"
    elif isinstance(error, ImportError):
        code = "database_driver"
    elif isinstance(error, DatabaseUnavailable):
        code = "database_folder"
    elif is_damaged(text):
        code = "database_corrupt"
    else:
        code = found[0] if found else "database_unavailable"
    with suppress(SQLAlchemyError):  # the address itself may be the fault
        text = f"{place_of(config.database_url)}: {text}"
    return Check("database", False, text, code)


def queue(config: Config) -> Iterator[Check]:
    """Where crawls are left to workers, there can be a queue."""
    if config.daemon.workers:
        fault = queue_fault(config.database_url)
        yield Check("workers", not fault, fault or "crawls are put on the queue", "workers")


def _inhabitants(engine: Engine, config: Config) -> Iterator[Check]:
    with read_scope(engine) as session:
        recipients = len(list_recipients(session)) or len(config.recipient)
        faulty = [source.name for source in all_sources(session) if source.enabled and source.faults]
    if not recipients:
        yield Check("recipients", True, "none yet: nothing is sent to anybody", "recipients", note=True)
    if faulty:
        detail = f"{len(faulty)} with faults: {', '.join(faulty[:5])}"
        yield Check("source health", False, detail, "source_faults")


def network(config: Config) -> Iterator[Check]:
    """Names of hosts can be resolved. Nothing is fetched. One host that is known suffices."""
    from crawler.sources.loader import load_sources

    try:
        hosts = sorted(
            {
                source.host.rpartition(":")[0] or source.host
                for source in load_sources(config)
                if source.enabled
            }
        )
    except ValueError:
        return  # told by the check of the sources
    hosts = [host for host in hosts if host][:5]
    if not hosts:
        return
    pool = ThreadPoolExecutor(len(hosts))
    answers = [pool.submit(_resolves, host) for host in hosts]
    known = sum(_answer(answer) for answer in answers)
    pool.shutdown(wait=False, cancel_futures=True)
    yield Check("name server", known > 0, f"{known} of {len(hosts)} source hosts are known", "source_hosts")
    if named := [name for name in _PROXIES if os.environ.get(name)]:
        yield Check("proxy", True, f"{', '.join(named)} in the environment: not used", "proxy", note=True)


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, 80))
    except OSError:
        return False


def _answer(answer: object) -> bool:
    try:
        return bool(answer.result(DNS_SECONDS))  # type: ignore[attr-defined]
    except TimeoutError:
        return False


def mail(config: Config) -> Iterator[Check]:
    """The mail server answers, its TLS is good, it lets us in. Nothing is sent."""
    if not config.mail.host:
        if wanted_channels(config)["mail"] or any("@" in operator for operator in config.operators):
            yield Check("mail", False, "[mail] host is not set: nothing can be sent", "mail_host")
        else:
            yield Check("mail", True, "no server is named, and nobody wants mail")
        return
    if not config.mail.sender:
        yield Check("mail", False, "[mail] sender is not set", "mail_sender")
        return
    from digest.channels.base import DeliveryError
    from digest.channels.smtp import SmtpChannel
    from digest.parcels import mail_channel

    try:
        channel = mail_channel(config)
        no_password = bool(config.mail.user) and not secret("mail_password")
        if no_password:  # told by the check of the secrets; an empty one would count as a wrong one there
            channel = SmtpChannel(replace(config.mail, user=""))
        channel.check()
    except DeliveryError as error:
        yield Check("mail", False, str(error), _MAIL.get(error.reason, "mail_refused"))
    except ValueError as error:  # the password's file cannot be read
        yield Check("mail", False, str(error), "secret_unreadable")
    else:
        pace = channel.pace.limits
        said = f"{config.mail.host}:{config.mail.port} answers, {config.mail.security}, pace: {str(pace) or 'none'}"
        yield Check("mail", True, f"{said}; no login tried without a password" if no_password else said)


def wanted_channels(config: Config) -> Counter[str]:
    """Return how many recipients want each channel; mail is wanted while there are none."""
    wishes = {entry.address.lower(): entry.channels for entry in config.recipient}
    away = (
        SQLAlchemyError,
        DatabaseUnavailable,
        SchemaError,
        ImportError,
        OSError,
    )  # told by the check of the database
    with suppress(*away), read_scope(Installation(config).engine) as session:
        wishes |= {row.address: row.channels for row in list_recipients(session) if row.active}
    return Counter(name for channels in wishes.values() or [[]] for name in channels or ["mail"])


def channels(config: Config) -> Iterator[Check]:
    """What recipients want beside mail is set up. Nothing is sent."""
    from digest.channels.base import DeliveryError
    from digest.parcels import open_channels

    try:
        there = open_channels(config)
    except ConfigError as error:
        yield Check("channels", False, str(error), "secret_unreadable")
        return
    for name, count in sorted(wanted_channels(config).items()):
        if name == "mail":
            continue
        what, wanted = f"channel {name}", f"{count} recipient{'s' if count > 1 else ''}"
        if name not in there:
            detail = f"PARKNEWS_{name.upper()}_URL is not set, {wanted} wait for it"
            yield Check(what, False, detail, "channel")
            continue
        try:
            there[name].check()
        except DeliveryError as error:
            yield Check(what, False, str(error), "channel")
        else:
            yield Check(what, True, f"set up, {wanted}")


def returns(config: Config) -> Iterator[Check]:
    """The key that signs mails can be used; the mailbox that bounces come to lets us in. Nothing is fetched."""
    from digest.mailbox import MailboxError, check_mailbox
    from digest.parcels import dkim_key
    from digest.returns import bounce_mailbox

    try:
        if key := dkim_key(config):
            yield Check("dkim", True, f"{key.algorithm}, {key.selector}._domainkey.{key.domain}")
    except ConfigError as error:
        yield Check("dkim", False, str(error), "dkim")
    try:
        if mailbox := bounce_mailbox(config):
            check_mailbox(mailbox)
            yield Check("bounces", True, f"{mailbox.where} lets us in")
    except (MailboxError, ConfigError) as error:
        yield Check("bounces", False, str(error), "bounces")


def clock(config: Config, now: datetime) -> Iterator[Check]:
    """The clock shows a moment that can be, none before what was recorded already; who leads."""
    shown = f"{now.astimezone(config.zone_info):%Y-%m-%d %H:%M} {config.office.time_zone}"
    if clock_fault(now):
        yield Check("clock", False, f"{shown} cannot be", "clock")
        return
    try:
        with read_scope(Installation(config).engine) as session:
            moments = [source.checked_at for source in all_sources(session) if source.checked_at]
            leader = holder_of(session, "daemon", now)
    except (SQLAlchemyError, DatabaseUnavailable, SchemaError, ImportError, OSError):
        return  # told by the check of the database
    ahead = max(moments, default=now) - now
    good = ahead < timedelta(hours=1)
    detail = shown if good else f"{shown}, but a crawl is recorded {ahead} later"
    yield Check("clock", good, detail, "clock")
    yield Check("daemon", True, leader or "none is running", "" if leader else "daemon", note=not leader)


def port(config: Config) -> Iterator[Check]:
    """The web archive can listen on its port, or answers there already. Another program there is a fault when the web is wanted."""
    host, number = config.web.host, config.web.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as error:
            why = error.strerror
        else:
            yield Check("web port", True, f"{host}:{number} is free")
            return
    if _is_ours(host, number):
        yield Check("web port", True, f"parknews answers at {host}:{number}")
        return
    wanted = config.web.in_daemon or bool(config.digest.public_url)
    yield Check("web port", not wanted, f"{host}:{number}: {why}", "port", note=not wanted)


def _is_ours(host: str, number: int) -> bool:
    """Return whether what listens there answers as the archive's `/healthz` does."""
    asked = "127.0.0.1" if host in {"", "0.0.0.0"} else "::1" if host == "::" else host  # noqa: S104
    connection = HTTPConnection(asked, number, timeout=WEB_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().read(10) in {b"ok\n", b"database\n"}
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
