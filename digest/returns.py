"""Take in mail that came back: from the configured mailbox into the configured folder, from there into the ledger."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from digest.bounces import read_folder
from digest.mailbox import Mailbox, MailboxError, fetch_new
from store.config import Config, secret
from store.deliveries import Database


def bounce_mailbox(config: Config) -> Mailbox | None:
    """Return the mailbox under [bounces], or None when no host is named. Raises ConfigError for a secret's file."""
    settings = config.bounces
    if not settings.host:
        return None
    password = secret("bounces_password")
    if not password and settings.user in {"", config.mail.user}:
        password = secret("mail_password")
    user = settings.user or config.mail.user
    return Mailbox(settings.host, user, password, settings.port, protocol=settings.protocol)


def take_in(engine: Database, config: Config, now: datetime) -> tuple[Counter[str], str]:
    """Fetch and read what came back; returns counts by outcome (see `read_folder`) and why the mailbox failed, or "".

    A mailbox that cannot be read does not keep what lies in the folder from being read. Raises OSError, LedgerError,
    ConfigError.
    """
    settings, folder = config.bounces, config.resolve(config.bounces.folder)
    mailbox, fault = bounce_mailbox(config), ""
    try:
        if mailbox is not None:
            fetch_new(mailbox, folder)
    except MailboxError as error:
        fault = str(error)
    counts = read_folder(engine, folder, now, hard_after=settings.hard_after, soft_after=settings.soft_after)
    return counts, fault
