"""What went wrong with a request, in one word and one line for an operator."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.internet import error as network
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed

from crawler.middlewares import AskedToWait, PrivateHost
from crawler.pages.challenge import find_challenge
from crawler.resolver import refused
from store.watch import name_failure

#: The word for what a site's guard refused, whatever the status of its answer.
CHALLENGE = "captcha"
#: Longest wait a server may ask for (seconds); a year would silence a source for good.
MAX_RETRY_AFTER = 86_400
#: Waited when a server names a moment and does not say what its own clock shows (seconds).
DATE_UNKNOWN = 3_600
_WORDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
    (network.DNSLookupError, "dns"),
    ((network.TimeoutError, network.TCPTimedOutError, TimeoutError), "timeout"),
    (network.ConnectionRefusedError, "refused_connection"),
    ((network.ConnectionLost, network.ConnectionDone, ResponseFailed), "connection_lost"),
    (network.ConnectError, "unreachable"),
)


def reason_of(failure: Failure) -> tuple[str, str, bool, int]:
    """Return (reason word, detail, whether the address is gone for good, seconds to stay away as the server asked)."""
    value = failure.value
    if isinstance(value, HttpError):
        return _answered(value.response)
    if isinstance(value, IgnoreRequest):
        return *_ignored(value), False, 0
    if value is None:
        return "download_failed", "no reason given", False, 0
    host = urlsplit(failure.request.url).hostname or ""  # type: ignore[attr-defined]
    if host in refused:
        return (
            "private_address",
            f"{host} leads to the private address {refused[host]}; mark the source `internal = true` if that is meant",
            False,
            0,
        )
    text = _first_line(value)
    if re.search(r"certificate|SSL|TLS", text):
        return "certificate", text, False, 0
    for kinds, word in _WORDS:
        if isinstance(value, kinds):
            return word, text, False, 0
    if "aborted locally" in text:  # by crawler.downloading: nobody else hangs up
        return "too_large", "the response's headers do not end", False, 0
    named = {
        "DownloadTimeoutError": "timeout",
        "DownloadCancelledError": "too_large",
        "CannotResolveHostError": "dns",
        "DownloadConnectionRefusedError": "refused_connection",
    }
    return named.get(type(value).__name__, "download_failed"), text, False, 0


def _answered(response: Response) -> tuple[str, str, bool, int]:
    """Read an error status: behind some stands a site's guard, which its page gives away."""
    word, gone = f"http_{response.status}", response.status in {404, 410}
    detail = f"HTTP {response.status}"
    if not gone and (evidence := find_challenge(response.body)):
        word = word if name_failure(word) == "refused" else CHALLENGE
        detail = f"{detail}, {evidence}"
    headers = response.headers
    return word, detail, gone, _retry_after(headers.get("Retry-After"), headers.get("Date"))


def _ignored(value: IgnoreRequest) -> tuple[str, str]:
    text = str(value) or "request ignored"
    if isinstance(value, AskedToWait):
        return value.word, text
    if isinstance(value, PrivateHost):
        return "private_address", text
    if "exceeded DOWNLOAD_MAXSIZE" in text:
        return "too_large", text
    if text.startswith("max redirections"):
        return "redirects", text
    return ("robots" if "robots" in text.lower() else "ignored"), text


def _first_line(value: BaseException) -> str:
    return (str(value).strip().splitlines() or [type(value).__name__])[0][:300]


def _retry_after(header: bytes | None, date: bytes | None) -> int:
    """Seconds of a Retry-After header (RFC 9110 10.2.3); a moment is counted from the server's own Date, an hour without one."""
    if not header:
        return 0
    text = header.decode("latin-1").strip()
    if text.isdigit():
        return min(int(text[:9]), MAX_RETRY_AFTER)
    until, since = _moment(header), _moment(date or b"")
    if until is None:
        return 0
    seconds = int((until - since).total_seconds()) if since else DATE_UNKNOWN
    return max(0, min(seconds, MAX_RETRY_AFTER))


def _moment(header: bytes) -> datetime | None:
    try:
        found = parsedate_to_datetime(header.decode("latin-1").strip())
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
