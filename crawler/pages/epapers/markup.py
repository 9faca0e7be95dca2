"""An e-paper page as a tree: parsing, links and text, with limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from urllib.parse import urljoin, urlsplit

from lxml import html as lxml_html
from lxml.etree import ParserError

from store.text import clean_line, clean_text

#: Pages of newspapers are 5 to 60 KB with at most 3,000 elements; what is far larger is no page of one.
MAX_CHARACTERS = 2_000_000
MAX_ELEMENTS = 15_000

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "td",
        "th",
        "tr",
        "ul",
        "founder-content",
        "body",
        "html",
    ]
)
_HIDDEN = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "iframe",
        "object",
        "embed",
        "select",
        "option",
        "button",
        "textarea",
        "input",
        "map",
        "head",
        "title",
    ]
)
_SPACES = re.compile("[ \t\r\f\v\u00a0\u3000]+")


class Markup:
    """A parsed page. `url` is where it was found; links come back absolute."""

    def __init__(self, text: str, url: str) -> None:
        self.text = text[:MAX_CHARACTERS]
        self.url = url

    @cached_property
    def root(self) -> lxml_html.HtmlElement:
        """Return the page's tree; an unreadable page is an empty one."""
        source = re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", self.text.replace("\x00", ""), count=1)
        parser = lxml_html.HTMLParser(encoding="utf-8", huge_tree=False)
        try:
            return lxml_html.document_fromstring(source.encode("utf-8", "replace"), parser=parser)
        except (ParserError, ValueError, AssertionError):
            return lxml_html.document_fromstring("<html><body></body></html>")

    @cached_property
    def elements(self) -> list[lxml_html.HtmlElement]:
        """Return the page's elements in document order, at most MAX_ELEMENTS."""
        found: list[lxml_html.HtmlElement] = []
        for element in self.root.iter():
            if isinstance(element.tag, str):
                found.append(element)
            if len(found) >= MAX_ELEMENTS:
                break
        return found

    @cached_property
    def base(self) -> str:
        for element in self.elements[:200]:
            if element.tag == "base" and element.get("href"):
                return self.absolute(element.get("href"), base=self.url) or self.url
        return self.url

    def absolute(self, href: str | None, base: str | None = None) -> str | None:
        """Return `href` as an absolute web address without fragment, or None when it is none."""
        if not href or len(href) > 2000:
            return None
        href = re.sub(r"[\s\x00-\x1f]+", "", href)
        if not href or href.startswith("#") or re.match(r"(?i)(?:javascript|mailto|tel|data|about):", href):
            return None
        try:
            url = urljoin(self.base if base is None else base, href).split("#", 1)[0]
            scheme = urlsplit(url).scheme
        except ValueError:
            return None
        return url if scheme in {"http", "https", "file", ""} else None

    def tagged(self, *tags: str) -> Iterator[lxml_html.HtmlElement]:
        """Yield the elements of these tags in document order."""
        wanted = frozenset(tags)
        return (element for element in self.elements if element.tag in wanted)

    def with_class(self, *names: str) -> Iterator[lxml_html.HtmlElement]:
        """Yield the elements that have one of these classes."""
        wanted = frozenset(names)
        return (element for element in self.elements if wanted & set((element.get("class") or "").split()))

    def with_id(self, name: str) -> lxml_html.HtmlElement | None:
        """Return the first element with this id, letter case ignored; ids are repeated in these pages."""
        return next((e for e in self.elements if (e.get("id") or "").lower() == name), None)

    @cached_property
    def title(self) -> str:
        found = next(self.tagged("title"), None)
        return text_of(found) if found is not None else ""

    def meta(self, name: str) -> str:
        """Return the content of the page's <meta name=...>, or an empty text."""
        for element in self.tagged("meta"):
            if (element.get("name") or element.get("property") or "").lower() == name:
                return clean_line(element.get("content") or "")
        return ""


def text_of(element: lxml_html.HtmlElement) -> str:
    """Return all text of an element on one line."""
    return clean_line("".join(_texts(element)))


def _texts(element: lxml_html.HtmlElement) -> Iterator[str]:
    for event in element.iter():
        if isinstance(event.tag, str):
            if event.tag == "br":
                yield " "
            if event.text and (event is element or event.tag not in _HIDDEN):
                yield event.text
        if event is not element and event.tail:
            yield event.tail


def paragraphs(element: lxml_html.HtmlElement, *, skip: frozenset[str] = frozenset()) -> list[str]:
    """Return the paragraphs of an element: text between block boundaries and <br>, indents dropped.

    Tables come out one row a line, cells divided by a space; elements whose class is in `skip` are left out.
    """
    lines: list[str] = [""]
    for kind, value in _walk(element, skip):
        if kind == "break":
            lines.append("")
        elif kind == "cell":
            lines[-1] += " "
        else:
            lines[-1] += value
    cleaned = (_SPACES.sub(" ", clean_text(line).replace("\n", " ")).strip() for line in lines)
    return [line for line in cleaned if line]


def _walk(top: lxml_html.HtmlElement, skip: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield ("text", …), ("cell", "") and ("break", "") in reading order, without recursion."""
    stack: list[tuple[lxml_html.HtmlElement, bool]] = [(top, False)]
    while stack:
        element, leaving = stack.pop()
        tag = element.tag if isinstance(element.tag, str) else ""
        boundary = "cell" if tag in {"td", "th"} else "break" if tag in _BLOCKS or tag == "br" else ""
        if boundary and not (tag == "br" and leaving):
            yield boundary, ""
        if not leaving:
            if tag and tag not in _HIDDEN and not (skip & set((element.get("class") or "").split())):
                yield "text", element.text or ""
                stack.append((element, True))
                stack.extend((child, False) for child in reversed(element))
                continue
            leaving = True
        if element is not top and element.tail:
            yield "text", element.tail
