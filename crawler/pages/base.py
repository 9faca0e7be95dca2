"""What a page object is: bytes and address in, items or links out; it does no I/O."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from crawler.exceptions import NotAnArticle, PageNotUnderstood
from crawler.extract.decoding import Decoded, decode
from crawler.extract.tree import Tree, parse

if TYPE_CHECKING:
    from crawler.items import ArticleItem, Link

_SCHEMES = ("http", "https")
_CONTROLS = bytes((*range(0x09), *range(0x0E, 0x1B), *range(0x1C, 0x20)))


class WebPage:
    """Bytes of a response with its address and the charset of its header."""

    #: Larger bodies are refused. The largest article page of the development set has 0.8 MB.
    max_bytes = 5_000_000

    def __init__(self, body: bytes, url: str = "", *, declared: str | None = None) -> None:
        self.body = body
        self.url = url
        self.declared = declared

    @cached_property
    def decoded(self) -> Decoded:
        """The page as text. Raises PageNotUnderstood("binary" or "too_large") or NotAnArticle("empty")."""
        if len(self.body) > self.max_bytes:
            raise PageNotUnderstood("too_large", f"{len(self.body)} bytes")
        if not self.body.strip():
            raise NotAnArticle("empty")
        decoded = decode(self.body, self.declared)
        if _is_binary(decoded.text):
            raise PageNotUnderstood("binary")
        return decoded

    @property
    def text(self) -> str:
        return self.decoded.text

    @property
    def encoding(self) -> str:
        """The encoding that the bytes turned out to have."""
        return self.decoded.encoding

    @cached_property
    def tree(self) -> Tree:
        """The parsed page, shared by all fields."""
        return parse(self.text, self.decoded.utf8)

    def urljoin(self, address: str) -> str | None:
        """The absolute http(s) address of a reference, without fragment; None for anything else."""
        return join(self.base_url, address)

    @cached_property
    def base_url(self) -> str:
        """The address references are relative to."""
        return join(self.url, self.tree.base) or self.url if self.tree.base else self.url


class ArticlePage(WebPage):
    """A page that holds articles."""

    def to_items(self) -> list[ArticleItem]:
        """The page's articles. Raises PageNotUnderstood or NotAnArticle, nothing else."""
        raise NotImplementedError


class ListPage(WebPage):
    """A page that leads to articles."""

    def links(self) -> list[Link]:
        """The articles it leads to, in its order, each once. Raises PageNotUnderstood or NotAnArticle."""
        raise NotImplementedError

    def next_page(self) -> str | None:
        """The address of the list's next page, or None."""
        return None


#: Addresses that nothing has to be done to but put the base in front: no fragment, parameter, dot segment, or odd character.
_SAFE = r"[\w./%~+=,&-]"
_WHOLE = re.compile(rf"https?://[\w.-]+(?::\d+)?/{_SAFE}*(?:\?{_SAFE}+)?", re.ASCII)
_FROM_ROOT = re.compile(rf"/(?!/){_SAFE}*(?:\?{_SAFE}+)?", re.ASCII)
_FROM_FOLDER = re.compile(rf"(?:\./)?(?P<rest>[\w%~+=,&-]{_SAFE}*(?:\?{_SAFE}+)?)", re.ASCII)


def join(base: str, address: str) -> str | None:
    """Resolve a reference; None unless the result is an http(s) address (or a path, where `base` is unknown)."""
    address = "".join(address.split()) if "\n" in address or "\t" in address else address.strip()
    if (
        not address
        or len(address) > 2000
        or address.startswith(("#", "javascript:", "mailto:", "tel:", "data:"))
    ):
        return None
    return _join_plain(base, address) or _join_any(base, address)


def _join_plain(base: str, address: str) -> str | None:
    """The same for the addresses most links have, at a tenth of the cost; None for all others."""
    if _WHOLE.fullmatch(address):
        return address
    origin, folder = _prefixes(base)
    if not origin:
        return None
    if _FROM_ROOT.fullmatch(address):
        return None if "/." in address else origin + address
    relative = _FROM_FOLDER.fullmatch(address)
    if relative is None or "//" in address or "/." in relative["rest"]:
        return None
    return folder + relative["rest"]


@lru_cache(maxsize=64)
def _prefixes(base: str) -> tuple[str, str]:
    """What stands before a path from the root and before one from the folder; empty unless `base` is an http(s) address."""
    try:
        parts = urlsplit(base)
    except ValueError:
        return "", ""
    if parts.scheme not in _SCHEMES or not parts.netloc:
        return "", ""
    return f"{parts.scheme}://{parts.netloc}", urljoin(base, "_")[:-1]


def _join_any(base: str, address: str) -> str | None:
    try:
        url = urljoin(base, address).partition("#")[0]
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme in _SCHEMES and parts.netloc:
        return url
    return url if not parts.scheme and not base and url else None


def _is_binary(text: str) -> bool:
    sample = text[:8192]
    raw = sample.encode("utf-8", "surrogatepass")
    odd = len(raw) - len(raw.translate(None, _CONTROLS)) + sample.count("\ufffd")
    return odd * 10 > len(sample)
