"""From a ledger row to the parcel that goes out, and the channels it can go by: where configuration meets delivery."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from digest.channels.base import Channel, Parcel
from digest.channels.folder import FolderChannel
from digest.channels.smtp import SmtpChannel
from digest.delivery import Build
from digest.edition import Edition, edition_for
from digest.message import Attachment, build_message, message_id
from digest.rendering import Links, Rendered, render, render_message
from digest.tokens import make_token
from store.config import Config, secret
from store.database import Engine, session_scope
from store.issues import issue_by_id
from store.models import Delivery, Issue, Recipient

_WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_Cut = tuple[str, ...]


def open_channels(config: Config) -> dict[str, Channel]:
    """Return the channels that are set up, by name: `mail` when a mail server is named, `folder` always."""
    channels: dict[str, Channel] = {"folder": FolderChannel(config.resolve(config.digest.folder) / "outbox")}
    if config.mail.host and config.mail.sender:
        channels["mail"] = mail_channel(config)
    return channels


def mail_channel(config: Config) -> SmtpChannel:
    """Return the channel to the configured mail server; nothing is connected yet."""
    return SmtpChannel(config.mail, secret("mail_password"))


def parcel_builder(engine: Engine, config: Config) -> Build:
    """Return the function that makes a delivery's parcel, or None for an edition its recipient does not want.

    What recipients with the same wishes share (edition, Word briefing) is made once per run.
    """
    return _Builder(engine, config).build


class _Builder:
    def __init__(self, engine: Engine, config: Config) -> None:
        self.engine = engine
        self.config = config
        self._issues: dict[int, Issue] = {}
        self._editions: dict[tuple[int, _Cut], Edition] = {}
        self._words: dict[tuple[int, _Cut], bytes] = {}

    def build(self, delivery: Delivery) -> Parcel | None:
        """Return the parcel of one row of the ledger."""
        recipient, issue = delivery.recipient, self._issue(delivery.issue_id)
        key = (issue.id, _wishes(recipient))
        if key not in self._editions:
            self._editions[key] = edition_for(issue, recipient)
        edition = self._editions[key]
        if not edition.wanted:
            return None
        links = links_for(self.config, recipient)
        rendered = render(edition, self.config, links=links)
        attachments = [self._word(key, edition)] if recipient.word else []
        return Parcel(
            address=recipient.address,
            message=self._message(rendered, recipient, issue, links, attachments),
            message_id=message_id(issue.id, recipient.address, _domain(self.config)),
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            url=links.issue(issue.number),
            attachments=attachments,
        )

    def _issue(self, issue_id: int) -> Issue:
        if issue_id not in self._issues:
            with session_scope(self.engine) as session:
                issue = issue_by_id(session, issue_id)
                if issue is None:
                    raise LookupError(f"issue {issue_id} is gone")
                self._issues[issue_id] = issue
        return self._issues[issue_id]

    def _word(self, key: tuple[int, _Cut], edition: Edition) -> Attachment:
        if key not in self._words:
            from digest.briefing import write_docx

            self._words[key] = write_docx(edition, self.config)
        return Attachment(f"{edition.content['masthead']['title']}.docx", _WORD_TYPE, self._words[key])

    def _message(
        self,
        rendered: Rendered,
        recipient: Recipient,
        issue: Issue,
        links: Links,
        attachments: Sequence[Attachment],
    ) -> bytes:
        mail, office = self.config.mail, self.config.office
        return build_message(
            rendered,
            recipient_address=recipient.address,
            recipient_name=recipient.name,
            sender=mail.sender or f"parknews@{_domain(self.config)}",
            sender_name=office.name,
            reply_to=mail.reply_to,
            issue_id=issue.id,
            message_date=issue.composed_at,
            list_id=f"digest.{_domain(self.config)}",
            list_name=office.name,
            unsubscribe_url=links.unsubscribe,
            unsubscribe_mailto=mail.reply_to or mail.sender,
            domain=_domain(self.config),
            attachments=attachments,
        )


def _wishes(recipient: Recipient) -> _Cut:
    return (
        *sorted(recipient.zones),
        "|",
        *sorted(recipient.themes),
        "|",
        *sorted(recipient.provinces),
        str(recipient.send_empty),
    )


def links_for(config: Config, recipient: Recipient) -> Links:
    """Return the recipient's own links; empty ones while no public address or no secret is set."""
    root, key = config.digest.public_url.rstrip("/"), secret("web_secret")
    if not root or not key:
        return Links()
    token = {
        purpose: make_token(key, recipient.token_key, purpose)
        for purpose in ("unsubscribe", "preferences", "archive")
    }
    return Links(
        archive=root,
        unsubscribe=f"{root}/u/{token['unsubscribe']}",
        preferences=f"{root}/p/{token['preferences']}",
        suffix=f"?k={token['archive']}",
    )


def _domain(config: Config) -> str:
    address = config.mail.sender.rpartition("@")[2]
    return address or urlsplit(config.digest.public_url).hostname or "parknews.invalid"


def send_alerts(config: Config, lines: Sequence[Mapping[str, str]], now: datetime) -> None:
    """Tell every operator in one mail of what was raised and cleared. Raises DeliveryError when the server does not take it."""
    rendered = render_message("alert", config, {"alerts": lines, "at": now.astimezone(config.zone_info)})
    channel = mail_channel(config)
    seed = int(hashlib.sha256(f"{now.isoformat()}{rendered.text}".encode()).hexdigest()[:12], 16)
    try:
        for address in config.operators:
            message = build_message(
                rendered,
                recipient_address=address,
                sender=config.mail.sender,
                sender_name="parknews",
                issue_id=seed,
                message_date=now,
                list_id=f"operators.{_domain(config)}",
                domain=_domain(config),
            )
            channel.send(
                Parcel(
                    address=address, message=message, message_id=message_id(seed, address, _domain(config))
                ),
                _nothing,
            )
    finally:
        channel.close()


def _nothing() -> None:
    """Alerts have no ledger: a doubled one does no harm."""


def write_files(
    config: Config, edition: Edition, recipient: Recipient | None = None, *, folder: str = ""
) -> dict[str, Path]:
    """Write the edition's forms into the digest folder; return their paths by form (html, text, word, page). May be repeated."""
    place = config.resolve(config.digest.folder) / (folder or f"issue-{edition.number:04d}")
    place.mkdir(parents=True, exist_ok=True)
    names = {"html": "digest.html", "text": "digest.txt", "page": "page.html", "word": "briefing.docx"}
    if not config.digest.word:
        del names["word"]
    paths: dict[str, Path] = {}
    for form, name in names.items():
        path = place / name
        temporary = path.with_suffix(path.suffix + ".part")
        temporary.write_bytes(form_of(form, edition, config, recipient))
        temporary.replace(path)
        paths[form] = path
    return paths


def form_of(form: str, edition: Edition, config: Config, recipient: Recipient | None = None) -> bytes:
    """Return one form of the edition: html, text, page, word or pdf. Raises BriefingError when LibreOffice is missing for pdf."""
    from digest.briefing import to_pdf, write_docx
    from digest.rendering import render_page

    if form in {"word", "pdf"}:
        word = write_docx(edition, config)
        return word if form == "word" else to_pdf(word)
    if form == "page":
        return render_page(edition, config, links=Links()).encode()
    rendered = render(edition, config, links=links_for(config, recipient) if recipient else Links())
    return (rendered.html if form == "html" else rendered.text).encode()
