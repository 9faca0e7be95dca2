"""DKIM signatures (RFC 6376, RFC 8463): the office's domain vouches for a message, its List-Unsubscribe links included."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

#: RFC 8058 asks for both List-Unsubscribe fields under the signature.
SIGNED = (
    "From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type",
    "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted", "Precedence",
)  # fmt: skip
_NAME = re.compile(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?", re.ASCII)
_BLANKS = re.compile(rb"[ \t]+")
MIN_RSA_BITS = 1024


class DkimError(ValueError):
    """A key, selector or domain that cannot sign; the key's content is never part of the message."""


@dataclass(frozen=True)
class DkimKey:
    """A domain's signing key. The public half stands in the DNS at `<selector>._domainkey.<domain>`."""

    domain: str
    selector: str
    private_key: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.private_key, RSAPrivateKey) else "ed25519-sha256"

    def signature(self, octets: bytes) -> str:
        """Return the base64 signature over `octets`."""
        if isinstance(self.private_key, RSAPrivateKey):
            raw = self.private_key.sign(octets, PKCS1v15(), SHA256())
        else:
            raw = self.private_key.sign(hashlib.sha256(octets).digest())
        return base64.b64encode(raw).decode("ascii")


def load_key(pem: str, domain: str, selector: str) -> DkimKey:
    """Return the key in an unencrypted PEM text. Raises DkimError for no key, a weak key or impossible names."""
    for name in (domain, selector):
        if not _NAME.fullmatch(name):
            raise DkimError(
                f"{name[:80]!r} cannot be a DKIM domain or selector; write them in lower-case ASCII"
            )
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise DkimError("the DKIM key is not an unencrypted private key in PEM form") from None
    if isinstance(key, RSAPrivateKey):
        if key.key_size < MIN_RSA_BITS:
            raise DkimError(f"the DKIM key has {key.key_size} bits; make one of 2048")
    elif not isinstance(key, Ed25519PrivateKey):
        raise DkimError("the DKIM key is neither RSA nor Ed25519")
    return DkimKey(domain, selector, key)


def sign(message: bytes, key: DkimKey, signed_at: datetime) -> bytes:
    """Return `message` (CRLF line ends, unique header fields) with its DKIM-Signature in front; relaxed/relaxed."""
    head, _, body = message.partition(b"\r\n\r\n")
    fields = _unfold(head)
    names = [name for name in SIGNED if name.lower().encode() in fields]
    digest = base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest()).decode("ascii")
    unsigned = (
        f"v=1; a={key.algorithm}; c=relaxed/relaxed; d={key.domain}; s={key.selector};\r\n"
        f" t={int(signed_at.timestamp())};\r\n h={_oversigned(names)};\r\n bh={digest};\r\n b="
    )
    covered = [_relaxed_field(name.lower().encode(), fields[name.lower().encode()]) for name in names]
    tail = _relaxed_field(b"dkim-signature", unsigned.encode("ascii")).removesuffix(b"\r\n")
    signature = key.signature(b"".join([*covered, tail]))
    folded = "\r\n ".join(signature[at : at + 72] for at in range(0, len(signature), 72))
    return f"DKIM-Signature: {unsigned}{folded}\r\n".encode("ascii") + message


def _oversigned(names: list[str]) -> str:
    """Name the fields, and From and Subject once more, so that nobody can add a second one."""
    listed = [*(name.lower() for name in names), "from", "subject"]
    rows = [":".join(listed[at : at + 5]) for at in range(0, len(listed), 5)]
    return ":\r\n  ".join(rows)


def _unfold(head: bytes) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    name = b""
    for line in head.split(b"\r\n"):
        if line[:1] in {b" ", b"\t"}:
            fields[name] += line
        else:
            name, _, value = line.partition(b":")
            name = name.strip().lower()
            fields[name] = value
    return fields


def _relaxed_field(name: bytes, value: bytes) -> bytes:
    return name + b":" + _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip() + b"\r\n"


def _relaxed_body(body: bytes) -> bytes:
    if _is_loose(body):
        body = b"\r\n".join(_BLANKS.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n"))
    while body.endswith(b"\r\n\r\n"):
        body = body[:-2]
    if not body.strip(b"\r\n"):
        return b""
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def _is_loose(body: bytes) -> bool:
    """Return whether blanks have to be dropped. From blank to blank: base64 has none, and looking for pairs is slow."""
    if b"\t" in body:
        return True
    at = body.find(b" ")
    while at >= 0:
        if body.startswith((b" ", b"\r\n"), at + 1) or at + 1 == len(body):
            return True
        at = body.find(b" ", at + 1)
    return False
