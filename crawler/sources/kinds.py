"""What a source can be: one struct per kind. These classes are the reference of allowed keys; unknown keys are refused."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

import msgspec

#: A source's name is also a spider's name and a path component.
Slug = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A[a-z0-9][a-z0-9_-]{0,63}\Z",
        description='a short name of a-z, 0-9, - and _ in quotes, such as "gmw-anhui"',
    ),
]
Interval = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A[1-9][0-9]{0,3}(m|h|d)\Z",
        description='minutes, hours or days in quotes: "30m", "6h" or "1d"',
    ),
]
WebUrl = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\Ahttps?://[^\s/]+", description="an address in quotes that begins with http:// or https://"
    ),
]
Urls = Annotated[list[WebUrl], msgspec.Meta(min_length=1)]
_SECONDS = {"m": 60, "h": 3600, "d": 86400}


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """One place that publishes. `zone` is the zone its bare 高新区 means; `internal` allows private addresses.

    `layout` says what is known of the pages and `known_from` where the address and that knowledge come from.
    """

    name: Slug
    publisher: str
    region: str = ""
    zone: str | None = None
    enabled: bool = True
    internal: bool = False
    interval: Interval | None = None
    max_articles: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    note: str = ""
    layout: str = ""
    known_from: str = ""

    @property
    def kind(self) -> str:
        """The word that stands in the file's `kind` key."""
        return str(self.__struct_config__.tag)

    @property
    def start_urls(self) -> list[str]:
        """Where a visit begins; empty for a folder."""
        return list(getattr(self, "urls", []))

    @property
    def host(self) -> str:
        """Host and port of the first address, "" for a folder."""
        return urlsplit(self.start_urls[0]).netloc.lower() if self.start_urls else ""

    @property
    def interval_seconds(self) -> int | None:
        """The configured interval in seconds, None when the general one holds."""
        return int(self.interval[:-1]) * _SECONDS[self.interval[-1]] if self.interval else None


class LinkedSource(Source, frozen=True):
    """A source whose pages link to articles. `include` and `exclude` are regular expressions on article addresses."""

    urls: Urls
    include: str | None = None
    exclude: str | None = None

    def __post_init__(self) -> None:
        for key in ("include", "exclude"):
            pattern = getattr(self, key)
            try:
                re.compile(pattern or "")
            except re.error as error:
                msg = f"{key} is no regular expression: {error}"
                raise ValueError(msg) from error

    def wants(self, url: str) -> bool:
        """Return whether an article address passes `include` and `exclude`."""
        if self.include and not re.search(self.include, url):
            return False
        return not (self.exclude and re.search(self.exclude, url))


class PortalSource(LinkedSource, frozen=True, tag="portal"):
    """Column or channel pages of a news site; the links are found without selectors. `pages` caps the paging."""

    pages: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3


class CmsSource(LinkedSource, frozen=True, tag="cms"):
    """A government CMS whose list comes as XML or JSON records or from script variables."""

    pages: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3


class RssSource(LinkedSource, frozen=True, tag="rss"):
    """RSS, Atom, RDF or JSON Feed."""


class SitemapSource(LinkedSource, frozen=True, tag="sitemap"):
    """A sitemap, a news sitemap or an index of them. `days` caps the age of entries that carry a date."""

    days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 31


class EpaperSource(LinkedSource, frozen=True, tag="epaper"):
    """A newspaper's e-paper site; the family is detected. `back` is how many earlier days a first visit reads.

    `ocr` lets scanned pages be read in the background (`parknews article ocr`).
    """

    back: Annotated[int, msgspec.Meta(ge=0, le=3650)] = 0
    ocr: bool = False


class PdfSource(LinkedSource, frozen=True, tag="pdf"):
    """Pages that link to newspaper page PDFs, or the PDFs themselves. `ocr` as of an e-paper."""

    ocr: bool = False


class FolderSource(Source, frozen=True, tag="folder"):
    """A folder into which staff drop PDF, HTML, MHTML, TXT, DOCX, EML and ZIP files. Files are read, never moved.

    `ocr` as of an e-paper.
    """

    path: str
    ocr: bool = False


AnySource = PortalSource | CmsSource | RssSource | SitemapSource | EpaperSource | PdfSource | FolderSource
KINDS: tuple[str, ...] = tuple(str(kind.__struct_config__.tag) for kind in AnySource.__args__)


class SourceFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of sources: a list of `[[source]]` tables."""

    source: list[AnySource] = []
