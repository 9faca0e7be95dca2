"""E-papers whose reader asks a server for JSON: the issue's pages, a page's articles, an article."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from crawler.exceptions import NotAnArticle, PageNotUnderstood
from crawler.items import ArticleItem, Image, Link
from crawler.pages.epapers.markup import Markup, paragraphs
from crawler.pages.epapers.notices import is_no_article, reason_of
from store.text import clean_line

_MENU, _PAGE, _ARTICLE = (
    "/reader/layout/findBmMenu.do",
    "/reader/layout/getBmDetail.do",
    "/reader/layout/detailData.do",
)
_MAX_ROWS = 500


def menu_url(address: str, day: date) -> str:
    """Return the address of the issue's pages of `day` for a paper whose reader stands at `address`."""
    return _absolute(address, f"{_MENU}?docPubTime={day:%Y%m%d}")


def post_form(url: str) -> tuple[str, dict[str, str]]:
    """Return the address and the form to POST for an address of this reader; its query is the form."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}", dict(parse_qsl(parts.query))


def is_reader_address(url: str) -> bool:
    """Return whether an address is one of the reader's, which answers a POST of its query (see `post_form`)."""
    return urlsplit(url).path.endswith((_MENU, _PAGE, _ARTICLE))


class JsonReaderPage:
    """One answer of the reader's server. An empty answer is an issue that is not out: no pages, no articles."""

    def __init__(self, body: bytes, url: str, *, declared: str | None = None) -> None:
        from crawler.extract.decoding import decode

        self.url = url
        self.text = decode(body, declared).text
        self._data: Any = None

    def family(self) -> str:
        return "json_reader"

    @property
    def data(self) -> Any:
        """Return the parsed answer. Raises PageNotUnderstood("binary") when it is no JSON."""
        if self._data is None:
            try:
                self._data = json.loads(self.text) if self.text.strip() else []
            except (ValueError, RecursionError) as error:
                raise PageNotUnderstood("binary", "no JSON") from error
        return self._data

    def role(self) -> str:
        """Return "article" for an article, "layout" for everything else."""
        data = self.data
        return "article" if isinstance(data, dict) and self._content(data) is not None else "layout"

    def issue_url(self) -> str | None:
        return None

    def layouts(self) -> list[Link]:
        """Return the issue's pages, each with the address that answers with its articles."""
        found: list[Link] = []
        for row in self._rows():
            number = row.get("IRCATELOG") or row.get("ircatelog")
            if number is None or row.get("ZB_GUID"):
                continue
            title = clean_line(f"{row.get('BC') or number}：{row.get('BM') or ''}").rstrip("：")
            form = urlencode({"bc": str(number), "docpubtime": self._day().replace("-", "/")})
            found.append(
                Link(_absolute(self.url, f"{_PAGE}?{form}"), title=title, published_at=self._day() or None)
            )
        return found

    def links(self) -> list[Link]:
        """Return the page's articles; adverts, notices, pictures and credits are left out."""
        found: list[Link] = []
        for row in self._rows():
            guid, title = row.get("ZB_GUID"), clean_line(_plain(row.get("DOCTITLE")))
            if not guid or not title or is_no_article(title):
                continue
            form = urlencode({"guid": str(guid)})
            found.append(
                Link(_absolute(self.url, f"{_ARTICLE}?{form}"), title=title, published_at=self._day() or None)
            )
        return list({link.url: link for link in found}.values())

    def pdf_url(self) -> str | None:
        path = next((row.get("PDPATH") for row in self._rows() if row.get("PDPATH")), None)
        return (
            _absolute(self.url, f"/{path}" if not str(path).startswith(("/", "http")) else str(path))
            if path
            else None
        )

    def to_items(self) -> list[ArticleItem]:
        """Return the article. Raises NotAnArticle for lists, pictures, adverts; PageNotUnderstood for no JSON."""
        data = self.data
        content = self._content(data) if isinstance(data, dict) else None
        if content is None:
            raise NotAnArticle("list_page" if data else "empty")
        title = clean_line(_plain(_first(data, "docTitle", "DOCTITLE", "title")))
        lines = paragraphs(Markup(f"<div>{_with_breaks(content)}</div>", self.url).root)
        if title and is_no_article(title):
            raise NotAnArticle(reason_of(title), title)
        if sum(map(len, lines)) < 20:
            raise NotAnArticle("picture_only" if data.get("ctpath") else "empty", title)
        return [self._item(data, title, lines)]

    def _item(self, data: dict[str, Any], title: str, lines: list[str]) -> ArticleItem:
        return ArticleItem(
            url=self.url,
            title=title or lines[0][:40],
            text="\n".join(lines),
            kicker=clean_line(_plain(_first(data, "yt", "YT"))) or None,
            subtitle=clean_line(_plain(_first(data, "fb", "FB", "ft"))) or None,
            author=clean_line(_plain(_first(data, "docAuthor", "DOCAUTHOR"))) or None,
            published_at=_iso(_plain(_first(data, "docPubTime", "DOCPUBTIME"))) or self._day() or None,
            publisher=clean_line(_plain(_first(data, "paperName", "docSource", "siteName"))) or None,
            page_number=clean_line(_plain(_first(data, "bc", "BC"))) or None,
            page_name=clean_line(_plain(_first(data, "bm", "BM"))) or None,
            images=self._images(data),
            flags=[] if title else ["no_title", "title_from_text"],
        )

    def _images(self, data: dict[str, Any]) -> list[Image]:
        paths = [path for path in _plain(data.get("ctpath")).split(";") if path and path != "null"]
        texts = _plain(data.get("ts")).split(";")
        captions = [text if text != "null" else "" for text in texts] + [""] * len(paths)
        return [
            Image(
                _absolute(self.url, path if path.startswith(("/", "http")) else f"/{path}"),
                caption=clean_line(caption) or None,
            )
            for path, caption in zip(paths, captions, strict=False)
        ]

    def _content(self, data: dict[str, Any]) -> str | None:
        value = _first(data, "content", "CONTENT", "docContent")
        return (
            value
            if isinstance(value, str) and _first(data, "docTitle", "DOCTITLE", "title") is not None
            else None
        )

    def _rows(self) -> list[dict[str, Any]]:
        data = self.data
        if isinstance(data, dict):
            data = next(
                (data[key] for key in ("data", "rows", "list", "result") if isinstance(data.get(key), list)),
                [],
            )
        return [row for row in data if isinstance(row, dict)][:_MAX_ROWS] if isinstance(data, list) else []

    def _day(self) -> str:
        form = dict(parse_qsl(self.url.partition("?")[2][:2000]))
        said = form.get("docPubTime") or form.get("docpubtime") or ""
        return _iso(said) or next(
            (day for row in self._rows() if (day := _iso(_plain(row.get("ID") or row.get("DOCPUBTIME"))))), ""
        )


def _first(data: dict[str, Any], *names: str) -> Any:
    return next((data[name] for name in names if data.get(name) is not None), None)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(str(part) for part in value)
    return re.sub("<[^<>]{0,200}>", " ", str(value)) if value is not None else ""


def _with_breaks(content: str) -> str:
    return re.sub(r"\r?\n|\\n", "<br>", content)


def _iso(text: str) -> str | None:
    match = re.match(r"\s*((?:19|20)\d{2})[-/年]?(\d{2})[-/月]?(\d{2})", text)
    return f"{match[1]}-{match[2]}-{match[3]}" if match else None


def _absolute(base: str, reference: str) -> str:
    """Return `reference` as an absolute address, as it stands where the addresses are malformed."""
    try:
        return urljoin(base, reference)
    except ValueError:
        return reference
