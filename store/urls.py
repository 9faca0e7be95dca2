"""One address, one key: what tells that two addresses lead to the same page."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

#: Parameters that say where a reader came from, never which page it is.
_TRACKING = re.compile(
    r"^(utm_\w+|spm|from|isappinstalled|share_?\w*|fbclid|gclid|nsukey|scene|wx_?share\w*|tdsourcetag)$"
)
_PORTS = {"http": "80", "https": "443"}


def url_key(url: str, position: int = 0) -> str:
    """Return the key of the article at `position` on the page `url`.

    Scheme, default port, `www.`, fragment, tracking parameters, doubled slashes and the order of parameters do not count.
    Addresses that are no http(s) ones (files, hand-ins) are taken as they are.
    """
    return f"{_page_key(url)}#{position}"


@lru_cache(maxsize=2048)  # asked for when a list names the page and again when its article comes
def _page_key(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        return url
    host = (parts.hostname or "").removeprefix("www.")
    port = f":{parts.port}" if parts.port and str(parts.port) != _PORTS[parts.scheme] else ""
    path = quote(unquote(re.sub("/{2,}", "/", parts.path or "/")), safe="/%:@!$&'()*+,;=~-._")
    query = sorted(
        (key, value)
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _TRACKING.match(key)
    )
    return f"{host}{port}{path}{'?' + urlencode(query) if query else ''}"
