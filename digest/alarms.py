"""Alarms on their way to operators: mail to addresses, posts to chat robots and webhooks. What befalls one keeps nobody else from it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from jinja2 import TemplateError

from digest.channels.base import DeliveryError, Parcel
from digest.channels.posting import posting_channel
from digest.channels.robot import octets
from digest.message import build_message, message_id
from digest.parcels import dkim_key, mail_channel, mail_domain
from digest.rendering import Rendered, RenderingError, render_message
from store.config import Config, ConfigError

if TYPE_CHECKING:
    from digest.dkim import DkimKey

#: Before the name of a channel's variables: the operators' group is not the readers'.
PREFIX = "alerts_"
#: Where a chat takes less: so many alarms, characters of what was seen of each, octets for headline and line feeds.
_FIRST, _DETAIL, _BESIDE = 12, 50, 300
_NO_LIMIT = 10_000_000
#: Alarms of one moment for one target: state (raised, cleared), kind, subject, detail, at.
Lines = Sequence[Mapping[str, str]]


def alarm_targets(config: Config) -> list[str]:
    """Return those of `operators` that can be told of anything: addresses while there is a mail server, and all channels."""
    mail = bool(config.mail.host and config.mail.sender)
    return [target for target in dict.fromkeys(config.operators) if mail or "@" not in target]


def send_alarms(
    config: Config, lines: Mapping[str, Lines], now: datetime, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Tell every target of its lines in one message; return by target what went wrong, "" for those that were told.

    A message of which nobody knows whether it arrived counts as gone wrong: a doubled alarm does no harm.
    """
    faults = _mail_all(config, {target: own for target, own in lines.items() if "@" in target}, now)
    for name in lines.keys() - faults.keys():
        faults[name] = _post(config, name, lines[name], now, environ)
    return faults


def _mail_all(config: Config, lines: Mapping[str, Lines], now: datetime) -> dict[str, str]:
    """Mail goes over one connection; a refused address does not end it, a server that fails does."""
    faults: dict[str, str] = {}
    if not lines:
        return faults
    try:
        channel, dkim = mail_channel(config), _dkim(config)
    except ConfigError as error:
        return dict.fromkeys(lines, str(error))
    broken = ""
    for address, own in lines.items():
        try:
            if not broken:
                channel.send(_letter(config, address, own, now, dkim), _nothing)
        except DeliveryError as error:
            faults[address] = str(error)
            broken = str(error) if error.blame == "channel" else ""
        else:
            faults[address] = broken
    channel.close()
    return faults


def _letter(config: Config, address: str, lines: Lines, now: datetime, dkim: DkimKey | None) -> Parcel:
    rendered = _rendered(config, lines, now)
    domain, seed = mail_domain(config), _seed(lines)
    message = build_message(
        rendered,
        recipient_address=address,
        sender=config.mail.sender,
        sender_name="parknews",
        issue_id=seed,
        message_date=now,
        list_id=f"operators.{domain}",
        domain=domain,
        dkim=dkim,
    )
    return Parcel(address=address, message=message, message_id=message_id(seed, address, domain))


def _post(config: Config, name: str, lines: Lines, now: datetime, environ: Mapping[str, str]) -> str:
    try:
        channel = posting_channel(name, environ, PREFIX)
        if channel is None:
            return f"PARKNEWS_{PREFIX.upper()}{name.upper()}_URL is not set"
        channel.open()
        channel.send(_notice(config, name, lines, now, getattr(channel, "limit", _NO_LIMIT)), _nothing)
        channel.close()
    except (DeliveryError, ConfigError) as error:
        return str(error)
    return ""


def _notice(config: Config, name: str, lines: Lines, now: datetime, limit: int) -> Parcel:
    """Return what is posted; where it would be cut, the first alarms in short and how many more there are."""
    rendered = _rendered(config, lines, now)
    text = rendered.text
    if octets(text) + _BESIDE > limit:
        short = [{**line, "detail": line["detail"][:_DETAIL]} for line in lines[:_FIRST]]
        text = f"{_rendered(config, short, now).text.rstrip()}\n另有{len(lines) - len(short)}项，见 parknews status。"
    root = config.digest.public_url.rstrip("/")
    return Parcel(
        address=name,
        message_id=message_id(_seed(lines), name, mail_domain(config)),
        subject=rendered.subject,
        text=text,
        html=rendered.html,
        url=f"{root}/status" if root else "",
    )


def _rendered(config: Config, lines: Lines, now: datetime) -> Rendered:
    """Return the message; an office's own template that cannot be used is no reason to be silent."""
    try:
        return render_message("alert", config, {"alerts": lines, "at": now.astimezone(config.zone_info)})
    except (RenderingError, TemplateError, OSError):
        text = "\n".join(" ".join(line.values()) for line in lines)
        return Rendered(f"{config.office.name} 运行告警", text, "")


def _dkim(config: Config) -> DkimKey | None:
    """Return the key that signs mails; one that cannot be used is no reason to be silent about it: the mail goes unsigned."""
    try:
        return dkim_key(config)
    except ConfigError:
        return None


def _seed(lines: Lines) -> int:
    """Return a number that the same alarms have again when they are sent once more, so that receivers can drop them."""
    text = "\n".join("\t".join(line.values()) for line in lines)
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)


def _nothing() -> None:
    """Alarms have no ledger."""
