"""What a sample host answers for one path."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

HTML = "text/html; charset=utf-8"
#: Old sites declare no charset in the header, only (wrongly, gb2312) in the page.
BARE_HTML = "text/html"
XML = "application/xml; charset=utf-8"
JSON = "application/json; charset=utf-8"
PDF = "application/pdf"
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """A 200 answer: bytes, their type, and the validators of conditional requests."""

    body: bytes
    content_type: str
    etag: str
    last_modified: str
    headers: dict[str, str] = field(default_factory=dict)


def make_reply(body: bytes, content_type: str, changed: datetime, **headers: str) -> Reply:
    """A reply whose ETag follows from its bytes; `changed` is aware; underscores in header names become hyphens."""
    etag = f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(body, content_type, etag, http_date(changed), named)


def http_date(when: datetime) -> str:
    """An HTTP date of an aware time."""
    from datetime import UTC

    return format_datetime(when.astimezone(UTC), usegmt=True)
