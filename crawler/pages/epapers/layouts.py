"""A newspaper page's index: the issue's pages, this page's articles, its PDF."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import islice

from lxml.html import HtmlElement

from crawler.items import Link
from crawler.pages.epapers.addresses import day_of, is_article, is_layout
from crawler.pages.epapers.markup import Markup, text_of
from crawler.pages.epapers.notices import is_advert_page, is_no_article

#: "第01版：要闻", "A02版 综合", "01版：要闻", "第3版" and the like: number, name.
PAGE = re.compile(
    "第?\\s*([A-Z]{0,2}\\d{1,3}[A-Z]?)\\s*版?(?:面)?\\s*[：:|·\u3000\u00a0 -]\\s*([^\\s：:<>|]{0,20}(?: [^\\s：:<>|]{1,14})?)|第\\s*([A-Z]{0,2}\\d{1,3}[A-Z]?)\\s*版"
)
_TURNS = re.compile(
    "^[\\s<>«»‹›34:;|]*(?:上|下|前|后|首|末)?(?:一)?(?:版|篇|期|页|条)[\\s<>«»‹›34:;|]*$|^(?:返回|更多|阅读|详细|PDF).{0,8}$",
    re.IGNORECASE,
)
_PDF = re.compile(r"(?:^|[\"'(=])([^\"'()\s<>=]{1,300}\.pdf)(?=$|[\"')?#\s;])", re.IGNORECASE)
MAX_LINKS = 400
#: A row of a list of newspaper pages has the page, its PDF and perhaps a picture.
_ROW_LINKS = 8


def page_of(text: str) -> tuple[str | None, str | None]:
    """Return number and name of a newspaper page as a text such as 第01版：要闻 gives them."""
    match = PAGE.search(text)
    if match is None:
        return None, None
    name = re.sub(r"\s*(?:上一版|下一版|PDF|pdf|下载|版面).*$", "", (match[2] or "")).strip()
    return match[1] or match[3], name or None


def layouts(document: Markup) -> list[Link]:
    """Return the issue's pages in the order the page lists them, once each, titles as shown."""
    return [replace(link) for link in _layouts(document)]


@lru_cache(maxsize=4)
def _layouts(document: Markup) -> tuple[Link, ...]:
    found: dict[str, Link] = {}
    day = day_of(document.url)
    for element in document.tagged("a", "area"):
        url = document.absolute(element.get("href"))
        if url is None or not is_layout(url) or (day and day_of(url) not in {None, day}):
            continue
        title = text_of(element) or (element.get("title") or "").strip() or None
        if title and _TURNS.match(title):
            continue
        known = (
            found.pop(url, None) if title and url in found and found[url].title is None else found.get(url)
        )
        found[url] = known or Link(url)
        found[url].title = found[url].title or title
    own = [link for link in found.values() if _same_issue(link.url, document.url)] or list(found.values())
    for link in own:
        link.title = (link.title or "").rstrip("：: ") or None
    return tuple(own[:MAX_LINKS] or _banci(document))


def _same_issue(url: str, page: str) -> bool:
    """Say whether a page lies in the same folder; papers link to the current issues of their sister papers."""
    folder = re.sub(r"[^/]*$", "", page)
    return url.startswith(folder) or (day_of(url) is not None and _host(url) == _host(page))


def _host(url: str) -> str:
    return url.split("/")[2] if url.count("/") > 2 else ""


def _banci(document: Markup) -> list[Link]:
    """Return the pages of a TRS issue, whose numbers stand in a script and whose list is a frame."""
    numbers = re.search(r"banciArray\s*=\s*[\"']([\w,]{1,800})[\"']", document.text)
    day = re.search(r"YMD\s*=\s*[\"'](\d{8})[\"']", document.text)
    if numbers is None or day is None:
        return []
    urls = (document.absolute(f"../{day[1]}_{n}/{day[1]}_{n}.htm") for n in numbers[1].split(",") if n)
    return [Link(url, title=f"第{url.rsplit('_', 1)[-1].removesuffix('.htm')}版") for url in urls if url]


def links(document: Markup) -> list[Link]:
    """Return this page's articles in the order of its list, once each; adverts, notices, pictures and credits are not."""
    return [replace(link) for link in _links(document)]


@lru_cache(maxsize=4)
def _links(document: Markup) -> tuple[Link, ...]:
    _, name = current_page(document)
    if name and is_advert_page(name):
        return ()
    found: dict[str, Link] = {}
    for element in document.elements:
        url = _article_address(document, element)
        if url is None:
            continue
        title = _title_of(element)
        if title and _TURNS.match(title):
            continue
        known = found.setdefault(url, Link(url))
        if title and (
            known.title is None
            or (len(title) > len(known.title) and title.startswith(known.title.rstrip("….")))
        ):
            known.title = title
    day = day_of(document.url)
    kept = [link for link in found.values() if day is None or day_of(link.url) in {None, day}]
    listed = any(link.title for link in kept)
    return tuple([_dated(link, day) for link in kept if _is_listed(link, listed=listed)][:MAX_LINKS])


def _is_listed(link: Link, *, listed: bool) -> bool:
    """Say whether a link is to an article; where others have titles, one without is a picture or an advert."""
    return not listed if link.title is None else not is_no_article(link.title)


def _dated(link: Link, day: object) -> Link:
    found = day_of(link.url) or day
    link.published_at = str(found) if found else None
    return link


def _article_address(document: Markup, element: HtmlElement) -> str | None:
    if element.tag in {"a", "area"}:
        url = document.absolute(element.get("href") or element.get("data-href"))
        return url if url and is_article(url) else None
    click = element.get("onclick") or ""
    match = re.search(r"location(?:\.href)?\s*=\s*[\"']([^\"']{1,300})[\"']", click)
    url = document.absolute(match[1]) if match else None
    return url if url and is_article(url) else None


def _title_of(element: HtmlElement) -> str | None:
    """Return a link's title: its h3 or h4, its text, or what its title and alt say."""
    for child in element.iter("h3", "h4", "h5"):
        if text := text_of(child):
            return text
    shown = "" if element.tag == "area" else text_of(element)
    said = " ".join((element.get("title") or element.get("alt") or "").split())
    if said and shown.rstrip(".… ") and said.startswith(shown.rstrip(".… ")):
        return said
    return re.sub("^[·•●■▪\\s]+", "", shown) or said or None


def current_page(document: Markup) -> tuple[str | None, str | None]:
    """Return number and name of the newspaper page shown: from the entry that links to it, else as written near it."""
    for link in layouts(document):
        if link.url == document.url and link.title:
            number, name = page_of(link.title)
            if number:
                return number, name
    for element in document.tagged("p", "td", "span", "em", "h1", "h2", "h3", "div", "strong", "font", "li"):
        if len(element) > 12 or any(child.tag in {"table", "ul", "div"} for child in element):
            continue
        if any(
            child.tag == "a" and is_layout(document.absolute(child.get("href")) or "")
            for child in element.iter("a")
        ):
            continue
        text = text_of(element)
        if 3 <= len(text) <= 40 and re.match("\\s*(?:版次[:：])?第?\\s*[A-Z]{0,2}\\d{1,3}[A-Z]?\\s*版", text):
            return page_of(text)
    return None, None


def pdf_url(document: Markup) -> str | None:
    """Return the address of this newspaper page's PDF, or None; other pages' PDFs are never returned in its place."""
    field = document.with_id("pdfurl")
    if field is not None:
        said = field.get("value") or field.get("href") or text_of(field)
        if ".pdf" in said.lower():
            return document.absolute(said)
    found = list(_pdf_links(document))
    rows = [_row_target(document, element) for element, _ in found]
    for (_, url), target in zip(found, rows, strict=True):
        if target == document.url:
            return url
    for (_, url), target in zip(found, rows, strict=True):
        if target is None:
            return url
    return found[0][1] if found and not is_layout(document.url) else None


def _pdf_links(document: Markup) -> Iterator[tuple[HtmlElement, str]]:
    """Yield the page's first PDF links; an issue has at most a hundred pages."""
    found = ((element, url) for element in document.elements if (url := _pdf_address(document, element)))
    return islice(found, 200)


def _pdf_address(document: Markup, element: HtmlElement) -> str | None:
    for name in ("href", "data-pdf", "data-href", "onclick", "src"):
        match = _PDF.search(element.get(name) or "") if element.tag != "script" else None
        if match:
            return document.absolute(match[1])
    return None


def _row_target(document: Markup, element: HtmlElement) -> str | None:
    """Return the newspaper page a PDF link stands beside in a list (same paragraph, row or item), or None."""
    for parent in islice(element.iterancestors(), 4):
        anchors = list(islice(parent.iter("a"), _ROW_LINKS + 1))
        if len(anchors) > _ROW_LINKS:
            return None
        pages = [(a, url) for a in anchors if (url := document.absolute(a.get("href"))) and is_layout(url)]
        if len({url for _, url in pages}) > 2:
            return None
        shown = [url for a, url in pages if not _TURNS.match(text_of(a))]
        if shown:
            return shown[0]
    return None
