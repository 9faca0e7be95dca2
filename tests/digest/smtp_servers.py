"""SMTP servers for tests: a real one that keeps what it accepts, and a scripted one that says what it is told."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Mailbox:
    """A handler that keeps every accepted message."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, list[str], bytes]] = []
        self.peers: set[Any] = set()

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.peers.add(session.peer)
        self.messages.append(
            (envelope.mail_from or "", list(envelope.rcpt_tos), envelope.original_content or b"")
        )
        return "250 2.0.0 accepted"


@contextmanager
def real_server(
    handler: Any, *, tls: ssl.SSLContext | None = None, implicit: bool = False, login: tuple[str, str] | None = None,
    port: int = 0, **options: Any,
) -> Iterator[int]:  # fmt: skip
    """Run aiosmtpd on a free loopback port; yields the port."""

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == login, handled=False)  # else aiosmtpd leaves a refusal unsaid

    if login:
        options |= {
            "authenticator": authenticate,
            "auth_required": True,
            "auth_require_tls": tls is not None and not implicit,
        }
    if tls and not implicit:
        options |= {"tls_context": tls, "require_starttls": True}
    controller = Controller(
        handler, hostname="127.0.0.1", port=port or free_port(), ssl_context=tls if implicit else None, enable_SMTPUTF8=True,
        **options,
    )  # fmt: skip
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop(no_assert=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


#: What a scripted server answers; a value may be bytes, None (hang up), a function of the connection, or a list used up in turn.
Answer = bytes | None | Callable[[socket.socket], None]
NORMAL: dict[str, Answer | list[Answer]] = {
    "greeting": b"220 test ready\r\n",
    "EHLO": b"250-test\r\n250 SIZE 1000000\r\n",
    "MAIL": b"250 ok\r\n",
    "RCPT": b"250 ok\r\n",
    "DATA": b"354 go on\r\n",
    ".": b"250 2.0.0 queued\r\n",
    "RSET": b"250 ok\r\n",
    "QUIT": b"221 bye\r\n",
}


class ScriptedServer:
    """Answers every command from a table and keeps what it heard: `heard` lines, `accepted` bodies."""

    def __init__(self, script: Mapping[str, Answer | list[Answer]]) -> None:
        self.script = {**NORMAL, **script}
        self.heard: list[str] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._stopped = False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopped:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), connection.makefile("rb") as lines:
            if not self._answer(connection, "greeting"):
                return
            while line := lines.readline():
                command = line.decode("utf-8", "replace").strip()
                self.heard.append(command)
                verb = command.split(" ")[0].upper()
                if not self._answer(connection, verb):
                    return
                if verb == "DATA" and self.last.startswith(b"354") and not self._body(connection, lines):
                    return
                if verb == "QUIT":
                    return

    def _body(self, connection: socket.socket, lines: Any) -> bool:
        body = b""
        while line := lines.readline():
            if line == b".\r\n":
                self.bodies.append(body)
                return self._answer(connection, ".")
            body += line
        return False

    def _answer(self, connection: socket.socket, key: str) -> bool:
        answer = self.script.get(key, b"502 what?\r\n")
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        self.last = b""
        if callable(answer):
            answer(connection)
        elif answer is None:
            return False
        else:
            self.last = answer
            connection.sendall(answer)
        return True


def make_certificate(folder: Path, *names: str, days: int = 30) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return (server's context, a client's that trusts it) for a fresh certificate over `names` (hosts or addresses)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "parknews test")])
    begin = dt.datetime.now(dt.UTC) - dt.timedelta(days=60)
    alternatives = [
        x509.IPAddress(ipaddress.ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
        for name in names
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=60 + days))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{'-'.join(names)}-{days}.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(
        cadata=certificate.public_bytes(serialization.Encoding.PEM).decode()
    )
