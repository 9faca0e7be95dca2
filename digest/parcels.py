"""From a ledger row to the parcel that goes out, and the channels it can go by: where configuration meets delivery."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from digest.channels.base import Channel, Parcel
from digest.channels.folder import FolderChannel
from digest.channels.posting import posting_channels
from digest.channels.smtp import SmtpChannel
from digest.channels.webpage import WebpageChannel
from digest.delivery import Build
from digest.edition import Edition, edition_for
from digest.message import Attachment, build_message, message_id
from digest.plates import Plate, make_plate, new_mark
from digest.rendering import IssueLink, Links, Rendered, render
from digest.tokens import Purpose, make_issue_key, make_token
from store.config import Config, ConfigError, secret
from store.database import Engine, session_scope
from store.issues import issue_by_id
from store.models import Delivery, Issue, Recipient

if TYPE_CHECKING:
    from digest.dkim import DkimKey

_WORD_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_PURPOSES: tuple[Purpose, ...] = ("unsubscribe", "preferences", "archive")
#: Channels that carry one person's mail. All others may be read by many: their parcels hold no personal link.
PERSONAL = frozenset({"mail", "folder"})
#: Editions kept ready at a time, each with its Word briefing some 500 KB: offices have tens of different wishes, not thousands.
KEPT_EDITIONS = 48
_Wishes = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], bool]


def open_channels(config: Config) -> dict[str, Channel]:
    """Return the channels that are set up, by name; nothing is connected yet.

    `folder` and `webpage` always, `mail` when a mail server is named, chats and the webhook when the environment holds their
    address. Raises ConfigError for a secret's file that cannot be read.
    """
    place = config.resolve(config.digest.folder)
    channels: dict[str, Channel] = {
        "folder": FolderChannel(place / "outbox"),
        "webpage": WebpageChannel(place / "pages"),
        **posting_channels(),
    }
    if config.mail.host and config.mail.sender:
        channels["mail"] = mail_channel(config)
    return channels


def mail_channel(config: Config) -> SmtpChannel:
    """Return the channel to the configured mail server; nothing is connected yet."""
    return SmtpChannel(config.mail, secret("mail_password"))


def dkim_key(config: Config) -> DkimKey | None:
    """Return the key that signs the office's mails, or None when none is set. Raises ConfigError with the way out."""
    path, selector = config.mail.dkim_key, config.mail.dkim_selector
    if not path:
        return None
    from digest.dkim import DkimError, load_key  # five megabytes that only offices with a key need

    where = config.resolve(path)
    try:
        return load_key(where.read_text(encoding="ascii"), mail_domain(config), selector)
    except OSError as error:
        raise ConfigError(
            f"[mail] dkim_key: {where} cannot be read ({error.strerror}); correct the path or its permissions"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"[mail] dkim_key: {where} is no private key in PEM form") from None
    except DkimError as error:
        raise ConfigError(f"[mail] dkim_key, dkim_selector: {error}") from None


def parcel_builder(engine: Engine, config: Config) -> Build:
    """Return the function that makes a delivery's parcel, or None for an edition its recipient does not want.

    What recipients with the same wishes share (edition, texts, encoded parts, Word briefing) is made once. Raises ConfigError
    for a DKIM key that cannot be used.
    """
    return _Builder(engine, config, dkim_key(config)).build


@dataclass
class _Printed:
    """What everybody with the same wishes gets. The parts are made when the first channel asks for them."""

    edition: Edition
    config: Config
    marks: Mapping[Purpose, str]

    @cached_property
    def group_links(self) -> Links:
        """Links that belong to nobody: a private archive opens this one issue's page to whoever follows them."""
        root, key = _archive(self.config), secret("web_secret")
        if not root or not key or self.config.web.public_archive:
            return Links(archive=root)
        number = self.edition.number
        return IssueLink(number=number, address=f"{root}/issues/{number}?k={make_issue_key(key, number)}")

    @cached_property
    def shared(self) -> Rendered:
        return render(self.edition, self.config, links=self.group_links)

    @cached_property
    def marked(self) -> Rendered:
        return render(self.edition, self.config, links=_links(self.config, self.marks))

    @cached_property
    def plates(self) -> tuple[Plate, Plate] | None:
        """The text and HTML parts with gaps; None when an office's template changes links, so that each mail is rendered."""
        marks = list(self.marks.values())
        plain = make_plate("plain", self.marked.text, marks)
        html = make_plate("html", self.marked.html, marks)
        stays = not any(mark in self.marked.subject for mark in marks)
        return (plain, html) if plain and html and stays else None

    @cached_property
    def word(self) -> Attachment:
        from digest.briefing import write_docx

        title = self.edition.content["masthead"]["title"]
        return Attachment(f"{title}.docx", _WORD_TYPE, write_docx(self.edition, self.config))


class _Builder:
    def __init__(self, engine: Engine, config: Config, dkim: DkimKey | None) -> None:
        self.engine, self.config, self.dkim = engine, config, dkim
        self._issue: Issue | None = None
        self._printed: OrderedDict[tuple[int, _Wishes, int], _Printed] = OrderedDict()

    def build(self, delivery: Delivery) -> Parcel | None:
        """Return the parcel of one row of the ledger."""
        recipient, issue = delivery.recipient, self._issue_of(delivery.issue_id)
        personal = delivery.channel in PERSONAL
        tokens = _tokens(self.config, recipient) if personal else {}
        printed = self._printed_for(issue, recipient, tokens)
        if not printed.edition.wanted:
            return None
        identity = self._identity(issue, recipient)
        attachments = [printed.word] if recipient.word else []
        if personal:
            message = self._message(printed, recipient, issue, tokens, attachments)
            return Parcel(
                recipient.address, message, identity, subject=printed.marked.subject, attachments=attachments
            )
        return Parcel(
            recipient.address,
            message_id=identity,
            subject=printed.shared.subject,
            text=printed.shared.text,
            html=printed.shared.html,
            url=printed.group_links.issue(issue.number),
            attachments=attachments,
        )

    def _identity(self, issue: Issue, recipient: Recipient) -> str:
        return message_id(issue.id, recipient.token_key, mail_domain(self.config))

    def _issue_of(self, issue_id: int) -> Issue:
        if self._issue is None or self._issue.id != issue_id:
            with session_scope(self.engine) as session:
                self._issue = issue_by_id(session, issue_id)
        if self._issue is None:
            raise LookupError(f"issue {issue_id} is gone")
        return self._issue

    def _printed_for(self, issue: Issue, recipient: Recipient, tokens: Mapping[Purpose, str]) -> _Printed:
        """Marks are as long as the tokens, so that a part has the same lines whoever gets it."""
        length = max(map(len, tokens.values()), default=0)
        key = (issue.id, _wishes(recipient), length)
        if key not in self._printed:
            marks = {purpose: new_mark(length) for purpose in tokens}
            self._printed[key] = _Printed(edition_for(issue, recipient), self.config, marks)
            while len(self._printed) > KEPT_EDITIONS:
                self._printed.popitem(last=False)
        self._printed.move_to_end(key)
        return self._printed[key]

    def _message(
        self,
        printed: _Printed,
        recipient: Recipient,
        issue: Issue,
        tokens: Mapping[Purpose, str],
        attachments: Sequence[Attachment],
    ) -> bytes:
        mail, office = self.config.mail, self.config.office
        links = _links(self.config, tokens)
        rendered, parts = printed.marked, None
        if printed.plates:
            filling = {mark: tokens[purpose].encode("ascii") for purpose, mark in printed.marks.items()}
            plain, html = printed.plates
            parts = (plain.printed(filling), html.printed(filling))
        else:
            rendered = render(printed.edition, self.config, links=links)
        return build_message(
            rendered,
            recipient_address=recipient.address,
            recipient_name=recipient.name,
            sender=mail.sender or f"parknews@{mail_domain(self.config)}",
            sender_name=office.name,
            reply_to=mail.reply_to,
            issue_id=issue.id,
            identity=self._identity(issue, recipient),
            message_date=issue.composed_at,
            list_id=f"digest.{mail_domain(self.config)}",
            list_name=office.name,
            unsubscribe_url=links.unsubscribe,
            unsubscribe_mailto=mail.reply_to or mail.sender,
            domain=mail_domain(self.config),
            attachments=attachments,
            dkim=self.dkim,
            parts=parts,
        )


def _wishes(recipient: Recipient) -> _Wishes:
    lists = (tuple(recipient.zones), tuple(recipient.themes), tuple(recipient.provinces))
    return (*lists, bool(recipient.send_empty))


def _archive(config: Config) -> str:
    return config.digest.public_url.rstrip("/")


def _tokens(config: Config, recipient: Recipient) -> dict[Purpose, str]:
    """Return the recipient's tokens; none while no public address or no secret is set."""
    key = secret("web_secret")
    if not _archive(config) or not key:
        return {}
    return {purpose: make_token(key, recipient.token_key, purpose) for purpose in _PURPOSES}


def _links(config: Config, tokens: Mapping[Purpose, str]) -> Links:
    if not tokens:
        return Links()
    root = _archive(config)
    return Links(
        archive=root,
        unsubscribe=f"{root}/u/{tokens['unsubscribe']}",
        preferences=f"{root}/p/{tokens['preferences']}",
        suffix=f"?k={tokens['archive']}",
    )


def links_for(config: Config, recipient: Recipient) -> Links:
    """Return the recipient's own links; empty ones while no public address or no secret is set."""
    return _links(config, _tokens(config, recipient))


def mail_domain(config: Config) -> str:
    """Return the domain that mails and identifiers carry: the sender's, else that of the archive."""
    address = config.mail.sender.rpartition("@")[2]
    return address or urlsplit(config.digest.public_url).hostname or "parknews.invalid"


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
