"""Personal links: signed over a recipient's random key, valid until that key is changed, and telling nothing.

A token holds the random key and a signature, no name, number or address. Each purpose has its own salt: the one-click link
in a mail's header, which gateways read, does not open the preferences. The key of an issue's page, for links that a group
reads, is made the same way over the issue's number.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal

from itsdangerous import BadSignature, Signer

Purpose = Literal["unsubscribe", "preferences", "archive", "issue"]
#: Longer ones are not even looked at; a real one has 76 characters.
MAX_LENGTH = 200
#: Below this a secret can be guessed; `secrets.token_hex(16)` makes one of 32.
MIN_SECRET = 16


def _signer(secret: str, purpose: Purpose) -> Signer:
    if len(secret) < MIN_SECRET:
        raise ValueError(f"the web secret is shorter than {MIN_SECRET} characters; set PARKNEWS_WEB_SECRET")
    return Signer(
        secret, salt=f"parknews.{purpose}", sep=".", key_derivation="hmac", digest_method=hashlib.sha256
    )


def make_token(secret: str, token_key: str, purpose: Purpose) -> str:
    """Return the token of a recipient for one purpose, safe within a URL. Raises ValueError for a missing or weak secret."""
    return _signer(secret, purpose).sign(token_key).decode("ascii")


def make_issue_key(secret: str, number: int) -> str:
    """Return the key that opens the page of issue 总第`number`期 to whoever has it. Raises ValueError as `make_token` does."""
    return make_token(secret, str(number), "issue")


def opens_issue(secret: str, key: str, number: int) -> bool:
    """Return whether `key` was made with `secret` for the page of this very issue; False while the secret is missing or weak."""
    return len(secret) >= MIN_SECRET and read_token(secret, key, "issue") == str(number)


def read_token(secret: str, token: str, purpose: Purpose) -> str | None:
    """Return the recipient's key, or None for a token that was not made with `secret` for `purpose`."""
    if not token.isascii() or not token or len(token) > MAX_LENGTH:
        return None
    try:
        key = _signer(secret, purpose).unsign(token).decode("ascii")
    except BadSignature:
        return None
    # base64 is decoded leniently: only the one spelling that was given out counts
    return key if hmac.compare_digest(make_token(secret, key, purpose), token) else None
