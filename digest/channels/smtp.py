"""Mail over SMTP: one kept connection, verified TLS, and the hook exactly between the last line and the final dot."""

from __future__ import annotations

import base64
import ipaddress
import ssl
from contextlib import ExitStack, suppress
from typing import NoReturn

from digest.addresses import AddressError, WireAddress, wire_address
from digest.channels.base import BeforeTheDot, Blame, DeliveryError, Parcel
from digest.channels.providers import advice_for, pace_for
from digest.channels.smtp_connection import Reply, SmtpConnection, SmtpFault, stuffed
from digest.pace import Pace
from store.config import Mail
from store.text import clean_line

#: RFC 5321 asks for ten minutes after the final dot; five keep a hung server from blocking a daemon for good.
DOT_SECONDS = 300.0
#: Seconds for the QUIT nobody depends on.
_QUIT_SECONDS = 2.0


class SmtpChannel:
    """The channel `mail`. The password is only kept for AUTH and appears in no text this class produces."""

    name = "mail"

    def __init__(
        self,
        mail: Mail,
        password: str = "",
        *,
        tls_context: ssl.SSLContext | None = None,
        dot_seconds: float = DOT_SECONDS,
    ) -> None:
        """`tls_context` must verify (ValueError otherwise); without one the system's certificates are trusted."""
        if tls_context and (tls_context.verify_mode != ssl.CERT_REQUIRED or not tls_context.check_hostname):
            raise ValueError("a TLS context that verifies nothing")
        self._mail, self._password = mail, password
        self._context = tls_context
        self._dot_seconds = max(dot_seconds, 0.1)
        self._connection: SmtpConnection | None = None
        self._used = False

    def __repr__(self) -> str:
        return f"SmtpChannel({self._where})"

    @property
    def pace(self) -> Pace:
        """The configured pace, or the provider's where it is slower. A new one, with nothing noted yet."""
        return pace_for(self._mail)

    @property
    def _where(self) -> str:
        return f"{self._mail.host}:{self._mail.port}"

    def check(self) -> None:
        self.close()
        self.open()
        self.close()

    def open(self) -> None:
        """Connect, secure and log in, unless that is done already."""
        if self._connection is not None:
            return
        self._refuse_settings()
        with ExitStack() as undo:
            connection = self._connect()
            undo.callback(connection.close)
            try:
                self._introduce(connection)
                self._log_in(connection)
            except SmtpFault as fault:
                raise DeliveryError(
                    f"mail server {self._where}: {fault}; try again later or check host, port and security",
                    reason=fault.kind,
                ) from None
            undo.pop_all()
        self._connection, self._used = connection, False

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with suppress(SmtpFault, OSError):
            connection.command("QUIT", _QUIT_SECONDS)
        connection.close()

    def send(self, parcel: Parcel, before_the_dot: BeforeTheDot) -> str:
        try:
            connection = self._begin(parcel)
            connection.write(stuffed(parcel.message))
            if connection.has_spoken():
                self._interrupted(connection.reply())
        except SmtpFault as fault:
            self._drop()
            raise DeliveryError(
                f"mail server {self._where}: {fault}; the message was not delivered", reason=fault.kind
            ) from None
        return self._complete(connection, before_the_dot)

    def _begin(self, parcel: Parcel) -> SmtpConnection:
        """Say the envelope and DATA; once more on a fresh connection when a used one turns out to be closed."""
        used = self._connection is not None and self._used
        self.open()
        try:
            return self._envelope(parcel)
        except (SmtpFault, _Closing):
            if not used:
                raise
        self._drop()
        self.open()
        return self._envelope(parcel)

    def _interrupted(self, reply: Reply) -> NoReturn:
        self._refused(reply, "DATA")
        raise SmtpFault("garbage", "a reply before the message was complete")

    def _complete(self, connection: SmtpConnection, before_the_dot: BeforeTheDot) -> str:
        with ExitStack() as undo:
            undo.callback(self._drop)
            before_the_dot()
            undo.pop_all()
        try:
            connection.write(b".\r\n")
            reply = connection.reply(self._dot_seconds)
        except SmtpFault as fault:
            self._drop()
            raise DeliveryError(
                f"mail server {self._where}: {fault} after the end of the message; it may have arrived",
                in_doubt=True,
                reason=fault.kind,
            ) from None
        if 300 <= reply.code < 400:
            self._drop()
            raise DeliveryError(
                f"mail server {self._where}: {reply.text!r} after the end of the message; it may have arrived",
                in_doubt=True,
                reason="garbage",
                reply=reply.text,
            )
        # Gateways ask the mailbox behind them only then.
        if reply.permanent and reply.enhanced in _NO_SUCH_PERSON:
            self._address_refused(reply)
        self._refused(reply, "the message")
        return reply.text

    def _drop(self) -> None:
        """Hang up without a word, so that an unfinished message is thrown away by the server."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _refuse_settings(self) -> None:
        mail = self._mail
        if not mail.host or not mail.sender:
            raise DeliveryError(
                "no mail server: set host and sender under [mail]", permanent=True, reason="not_configured"
            )
        if mail.security == "none" and not _is_loopback(mail.host):
            raise DeliveryError(
                f'mail server {self._where}: security = "none" is only for a server on this machine; '
                'use "starttls" (port 587) or "tls" (port 465)',
                permanent=True,
                reason="insecure",
            )
        if any(character in mail.host for character in "\r\n\0 "):
            raise DeliveryError(
                "the mail server's host is no host name", permanent=True, reason="not_configured"
            )

    def _connect(self) -> SmtpConnection:
        mail = self._mail
        try:
            connection = SmtpConnection(mail.host, mail.port, mail.timeout)
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise DeliveryError(
                f"mail server {self._where} cannot be reached ({clean_line(str(why))}); "
                f"check host and port, and whether a firewall lets the port out.{advice_for(mail.host)}",
                reason="unreachable",
            ) from None
        if mail.security == "none" and not connection.on_loopback():
            connection.close()
            raise DeliveryError(
                f"mail server {self._where} is not on this machine; without TLS nothing is sent there",
                permanent=True,
                reason="insecure",
            )
        return connection

    def _introduce(self, connection: SmtpConnection) -> None:
        security = self._mail.security
        if security == "tls":
            self._secure(connection)
        self._expect(connection.reply(), "the greeting")
        self._expect(connection.ehlo(self._our_name(connection)), "EHLO")
        if security == "starttls":
            if "STARTTLS" not in connection.features:
                raise DeliveryError(
                    f"mail server {self._where} offers no STARTTLS; nothing is sent in the clear. "
                    'Use security = "tls" with port 465, or ask who removes it on the way',
                    permanent=True,
                    reason="no_tls",
                )
            self._expect(connection.command("STARTTLS"), "STARTTLS")
            self._secure(connection)
            self._expect(connection.ehlo(self._our_name(connection)), "EHLO")

    def _our_name(self, connection: SmtpConnection) -> str:
        try:
            return wire_address(self._mail.sender).domain
        except AddressError:
            return connection.local_literal()

    def _secure(self, connection: SmtpConnection) -> None:
        context = self._context or ssl.create_default_context()
        try:
            connection.wrap(context)
        except (ssl.SSLError, ValueError) as error:
            why = getattr(error, "verify_message", "") or getattr(error, "reason", "") or type(error).__name__
            untrusted = isinstance(error, ssl.SSLCertVerificationError)
            raise DeliveryError(
                f"mail server {self._where}: no trustworthy TLS ({clean_line(str(why))}); nothing is sent. Check the "
                "host name and security: tls belongs to port 465, starttls to 587; a certificate of your own "
                "authority goes into the system's store",
                permanent=True,
                reason="bad_tls" if untrusted else "tls_failed",
            ) from None
        except OSError as error:
            raise SmtpFault(
                "closed", f"the connection broke ({error.strerror or type(error).__name__})"
            ) from None

    def _log_in(self, connection: SmtpConnection) -> None:
        if not self._mail.user:
            return
        offered = connection.features.get("AUTH", "").split()
        user, password = self._mail.user.encode(), self._password.encode()
        if "PLAIN" in offered:
            reply = connection.command("AUTH PLAIN")
            reply = connection.secret(b"\0" + user + b"\0" + password) if reply.code == 334 else reply
        elif "LOGIN" in offered:
            reply = connection.command("AUTH LOGIN")
            for octets in (user, password):
                reply = connection.secret(octets) if reply.code == 334 else reply
        else:
            raise DeliveryError(
                f"mail server {self._where} offers neither AUTH PLAIN nor LOGIN; leave user empty if it needs no login",
                permanent=True,
                reason="no_auth",
            )
        if reply.code != 235:
            self._login_refused(reply)

    def _login_refused(self, reply: Reply) -> NoReturn:
        text = self._without_secrets(reply.text)
        raise DeliveryError(
            f"mail server {self._where} refused the login of {clean_line(self._mail.user)} ({text}); "
            f"check user and PARKNEWS_MAIL_PASSWORD.{advice_for(self._mail.host)}",
            permanent=reply.permanent,
            reason="login_refused",
            reply=text,
        )

    def _without_secrets(self, text: str) -> str:
        """A server may repeat what it was told."""
        if not self._password:
            return text
        octets, user = self._password.encode(), self._mail.user.encode()
        plain = base64.b64encode(b"\0" + user + b"\0" + octets).decode()
        for secret in (plain, base64.b64encode(octets).decode(), self._password):
            text = text.replace(secret, "***")
        return text

    def _expect(self, reply: Reply, step: str) -> None:
        if not reply.good:
            raise DeliveryError(
                f"mail server {self._where} refused {step}: {reply.text}",
                permanent=reply.permanent,
                reason="refused",
                reply=reply.text,
            )

    def _envelope(self, parcel: Parcel) -> SmtpConnection:
        connection = self._connection
        assert connection is not None
        sender, recipient = self._wire(self._mail.sender, "channel"), self._wire(parcel.address, "address")
        options = self._options(connection, len(parcel.message), utf8=sender.utf8 or recipient.utf8)
        words = (f"MAIL FROM:<{sender}>{options}", f"RCPT TO:<{recipient}>", "DATA")
        self._used = True
        if "PIPELINING" in connection.features:
            mail, rcpt, data = self._pipelined(connection, words)
            self._refused(mail, "MAIL")
            self._recipient_refused(rcpt)
        else:
            self._refused(connection.command(words[0]), "MAIL")
            self._recipient_refused(connection.command(words[1]))
            data = connection.command(words[2])
        if data.code != 354:
            if data.good:
                raise SmtpFault("garbage", f"{data.text!r} to DATA")
            self._refused(data, "DATA")
        return connection

    def _pipelined(self, connection: SmtpConnection, words: tuple[str, ...]) -> tuple[Reply, Reply, Reply]:
        """Say all of `words` at once (RFC 2920). A server that wants data after a refusal gets an empty message for nobody."""
        connection.say(*words)
        mail, rcpt = connection.reply(), connection.reply()
        if mail.code == 421 or rcpt.code == 421:
            return mail, rcpt, rcpt
        data = connection.reply()
        if data.code == 354 and not (mail.good and rcpt.good):
            connection.say(".")
            connection.reply()
        return mail, rcpt, data

    def _wire(self, address: str, blame: Blame) -> WireAddress:
        try:
            return wire_address(address)
        except AddressError as error:
            raise DeliveryError(str(error), permanent=True, blame=blame, reason="bad_address") from None

    def _options(self, connection: SmtpConnection, size: int, *, utf8: bool) -> str:
        """Return MAIL's parameters, or refuse what this server cannot take before a word is said."""
        options = ""
        if "SIZE" in connection.features:
            limit = connection.features["SIZE"].strip()
            if limit.isdecimal() and 0 < int(limit) < size:
                raise DeliveryError(
                    f"the message has {size} octets, {self._where} takes {limit}; send the digest without attachments",
                    permanent=True,
                    blame="message",
                    reason="too_large",
                )
            options = f" SIZE={size}"
        if not utf8:
            return options
        if "SMTPUTF8" not in connection.features:
            raise DeliveryError(
                f"mail server {self._where} cannot send to addresses with non-ASCII letters before the @",
                permanent=True,
                blame="message",
                reason="no_smtputf8",
            )
        return f"{options} BODY=8BITMIME SMTPUTF8"

    def _recipient_refused(self, reply: Reply) -> None:
        if reply.good:
            return
        if reply.code == 421 or _is_our_fault(reply):
            self._refused(reply, "RCPT")
        if reply.code < 400:
            raise SmtpFault("garbage", f"{reply.text!r} to RCPT")
        self._address_refused(reply)

    def _address_refused(self, reply: Reply) -> NoReturn:
        self._reset()
        raise DeliveryError(
            f"{self._where} refused the address: {reply.text}",
            permanent=reply.permanent and not _is_full(reply),
            blame="address",
            reason="address_refused",
            reply=reply.text,
        )

    def _refused(self, reply: Reply, step: str) -> None:
        """Raise what a refusal at `step` means; a 5xx here is the sender's fault, not the recipient's."""
        if reply.good:
            return
        if reply.code < 400:
            raise SmtpFault("garbage", f"{reply.text!r} to {step}")
        message = f"mail server {self._where} refused {_REFUSED.get(step, step)}: {reply.text}"
        if reply.permanent and step in _WAYS_OUT:
            message += f"; {_WAYS_OUT[step]}.{advice_for(self._mail.host)}"
        if reply.code == 421:
            self._drop()
            raise _Closing(message, reason="closing", reply=reply.text)
        self._reset()
        too_large = reply.code == 552
        temporary_message = not reply.permanent and step != "MAIL"
        raise DeliveryError(
            message,
            permanent=reply.permanent,
            blame="message" if too_large or temporary_message else "channel",
            reason="too_large" if too_large else "refused",
            reply=reply.text,
        )

    def _reset(self) -> None:
        try:
            if self._connection is not None and not self._connection.command("RSET").good:
                self._drop()
        except SmtpFault:
            self._drop()


#: What a step of the dialogue is to the operator, and what to do about a 5xx to it.
_REFUSED = {"MAIL": "our sender (MAIL)", "RCPT": "to carry mail for us (RCPT)", "DATA": "the message (DATA)"}
_WAYS_OUT = {
    "MAIL": "check sender and user under [mail], which most providers want to be the same",
    "RCPT": "check user, password and port under [mail]: without a login a server delivers to its own people only",
    "DATA": "show this reply to whoever runs the server",
    "the message": "its filter may take the digest for spam: show this reply to whoever runs the server",
}


#: Enhanced codes (RFC 3463) that are about the recipient's address whenever they are said.
_NO_SUCH_PERSON = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})


class _Closing(DeliveryError):
    """421: the server is about to hang up; nothing was accepted."""


def _is_our_fault(reply: Reply) -> bool:
    """Return whether a refused RCPT is about us (no login, relaying, blocked sender), not about the address."""
    text = reply.text.lower()
    ours = reply.code in {500, 501, 502, 503, 504, 530, 535, 538} and not reply.enhanced.startswith("5.1.")
    return reply.permanent and (ours or reply.enhanced.startswith("5.7.") or "relay" in text)


def _is_full(reply: Reply) -> bool:
    """A full mailbox is emptied one day; it is not a wrong address."""
    return reply.code == 552 or reply.enhanced == "5.2.2"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
