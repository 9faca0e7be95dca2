"""RSS, Atom, RDF and JSON feeds, sitemaps, news sitemaps and sitemap indexes; hostile XML is refused before parsing."""

from __future__ import annotations

import html
import json
import re
from functools import cached_property
from itertools import islice
from typing import Any

from lxml import etree

from crawler.exceptions import NotAnArticle, PageNotUnderstood
from crawler.extract.dates import parse_stamp
from crawler.items import Link
from crawler.pages.base import ListPage, join
from store.text import clean_line

#: Larger feeds are not parsed; the largest sitemap allowed by the protocol is 50 MB, news sitemaps have under 1 MB.
MAX_BYTES = 20_000_000
MAX_DEPTH = 60
_MAX_ENTRIES = 20_000
_DOCTYPE = re.compile(r"<!(?:ENTITY|ATTLIST|ELEMENT|NOTATION)", re.IGNORECASE)
_DOCTYPE_HEAD = re.compile(r"<!DOCTYPE[^>\[]{0,400}(\[)?", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s{0,40}<\?xml[^>]{0,200}\?>")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CHAR_REFS = re.compile(
    r"&#(?:x0{0,6}(?:[0-8bcef]|1[0-9a-f])|0{0,6}(?:[0-8]|1[124-9]|2\d|3[01]));", re.IGNORECASE
)
#: An ampersand of an address or of HTML's own entities, which XML does not know.
_BARE = re.compile(r"&(?!(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos);)")
_INLINE = re.compile(r"</?(?:em|b|i|u|strong|font|span|mark|a)(?:\s[^<>]{0,2000})?>", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]{0,2000}>")


class FeedPage(ListPage):
    """RSS 0.9-2.0, Atom, RDF and JSON Feed."""

    max_bytes = MAX_BYTES

    def links(self) -> list[Link]:
        """Entries in the feed's order. Raises PageNotUnderstood("bad_xml") or NotAnArticle("empty")."""
        start = self.text.lstrip()[:1]
        found = self._json_links() if start == "{" else self._xml_links()
        out: dict[str, Link] = {}
        for link in found[:_MAX_ENTRIES]:
            out.setdefault(link.url, link)
        if not out:
            raise NotAnArticle("empty")
        return list(out.values())

    def next_page(self) -> str | None:
        """The older part of a paged feed (RFC 5005), or None."""
        if self.text.lstrip()[:1] == "{":
            value = _load_json(self.text)
            return self.urljoin(str(value.get("next_url") or "")) if isinstance(value, dict) else None
        for node in self.root.iter("{*}link"):
            if node.get("rel") == "next":
                return self.urljoin(node.get("href") or "")
        return None

    @cached_property
    def root(self) -> etree._Element:
        return parse_xml(self.text)

    def _xml_links(self) -> list[Link]:
        root = self.root
        if _name(root) not in ("rss", "feed", "rdf", "channel"):
            raise PageNotUnderstood("bad_xml", f"no feed: <{_name(root)}>")
        return [
            link
            for node in islice(root.iter("{*}item", "{*}entry", "item", "entry"), _MAX_ENTRIES)
            if (link := _entry(node, self.base_url or self.url)) is not None
        ]

    def _json_links(self) -> list[Link]:
        value = _load_json(self.text)
        items = value.get("items") if isinstance(value, dict) else None
        if not isinstance(items, list):
            raise PageNotUnderstood("bad_xml", "no JSON feed")
        return [
            link
            for item in items
            if isinstance(item, dict) and (link := _json_item(item, self.url)) is not None
        ]


class SitemapPage(ListPage):
    """Sitemaps of articles, news sitemaps, and indexes of sitemaps."""

    max_bytes = MAX_BYTES

    @cached_property
    def root(self) -> etree._Element:
        root = parse_xml(self.text)
        if _name(root) not in ("urlset", "sitemapindex"):
            raise PageNotUnderstood("bad_xml", f"no sitemap: <{_name(root)}>")
        return root

    def sitemaps(self) -> list[str]:
        """Addresses of the sitemaps an index names; empty for a sitemap of pages."""
        if _name(self.root) != "sitemapindex":
            return []
        found = [join(self.url, _child(node, "loc")) for node in self.root.iter("{*}sitemap", "sitemap")]
        return list(dict.fromkeys(url for url in found[:_MAX_ENTRIES] if url))

    def links(self) -> list[Link]:
        """Pages of the sitemap with news titles and dates where it gives them; empty for an index."""
        if _name(self.root) == "sitemapindex":
            return []
        out: dict[str, Link] = {}
        for node in self.root.iter("{*}url", "url"):
            url = join(self.url, _child(node, "loc").replace("&amp;", "&"))
            if url:
                changed = _stamp(_child(node, "lastmod"))
                published = _stamp(_child(node, "publication_date")) or changed
                title = _child(node, "title") or None
                out.setdefault(url, Link(url, title, published, updated_at=changed))
            if len(out) >= _MAX_ENTRIES:
                break
        return list(out.values())


def parse_xml(text: str) -> etree._Element:
    """Parse XML that may be hostile: no entities, no network, bounded depth and size, mended where broken.

    Raises PageNotUnderstood("bad_xml", "too_deep" or "too_large"), within a second.
    """
    if len(text) > MAX_BYTES:
        raise PageNotUnderstood("too_large", f"{len(text)} characters")
    text = _DECLARATION.sub("", text, count=1)
    head = _DOCTYPE_HEAD.search(text[:4000])
    if (head and head[1]) or _DOCTYPE.search(text[:200_000]):
        raise PageNotUnderstood("bad_xml", "entity or element declarations")
    _check_depth(text)
    text = _BARE.sub("&amp;", _CHAR_REFS.sub("", _CONTROLS.sub("", text))).lstrip()
    if not text.startswith("<"):
        text = text[text.find("<") :] if "<" in text[:2000] else text
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, encoding="utf-8",
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise PageNotUnderstood("bad_xml", str(error)[:200]) from error
    if root is None:
        raise PageNotUnderstood("bad_xml", "no element")
    return root


def _check_depth(text: str) -> None:
    depth = 0
    for found in re.finditer(r"<(/|!\[CDATA\[|!--|\?|[A-Za-z_])", text):
        mark = found[1]
        if mark == "/":
            depth -= 1
        elif mark.isalpha() or mark == "_":
            depth += 1
            if depth > MAX_DEPTH and _real_depth(text) > MAX_DEPTH:
                raise PageNotUnderstood("too_deep", f"more than {MAX_DEPTH} levels")
            if depth > MAX_DEPTH:
                return


def _real_depth(text: str) -> int:
    """Deepest nesting outside comments and CDATA, self-closing elements not counted."""
    text = re.sub(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)
    depth = deepest = 0
    for found in re.finditer(r"<(/?)[A-Za-z_][^<>]{0,4000}?(/?)>", text):
        if found[1]:
            depth -= 1
        elif not found[2]:
            depth += 1
            deepest = max(deepest, depth)
            if deepest > MAX_DEPTH:
                break
    return deepest


def _name(node: etree._Element) -> str:
    tag = node.tag
    return tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(tag, str) else ""


def _child(node: etree._Element, *names: str) -> str:
    """Text of the first descendant with one of the names, in the order of the names; empty where there is none."""
    for name in names:
        for child in node.iter("{*}" + name, name):
            text = clean_line("".join(str(piece) for piece in child.itertext()))
            if text:
                return text[:4000]
    return ""


def _entry(node: etree._Element, base: str) -> Link | None:
    url = _entry_url(node, base)
    if url is None:
        return None
    direct = {_name(child): child for child in reversed(node) if isinstance(child.tag, str)}
    title = _text(direct.get("title"))
    published = _first_stamp(direct, "pubdate", "published", "date", "issued", "updated", "modified")
    changed = _first_stamp(direct, "updated", "modified")
    summary = next(
        (s for name in ("description", "summary", "encoded", "content") if (s := _text(direct.get(name)))), ""
    )
    return Link(url, title or None, published, summary[:2000] or None, changed)


def _first_stamp(children: dict[str, etree._Element], *names: str) -> str | None:
    return next((s for name in names if name in children and (s := _stamp(_text(children[name])))), None)


def _stamp(text: str) -> str | None:
    stamp = parse_stamp(text)
    return stamp.isoformat() if stamp else None


def _entry_url(node: etree._Element, base: str) -> str | None:
    alternates = []
    for child in node:
        if not isinstance(child.tag, str) or _name(child) != "link":
            continue
        address = child.get("href") or (child.text or "")
        rank = {"alternate": 0, "": 0}.get(child.get("rel") or "", 1)
        if rank == 0 and (url := join(base, address.replace("&amp;", "&"))):
            return url
        alternates.append(address)
    for child in node:
        if (
            isinstance(child.tag, str)
            and _name(child) in ("guid", "id")
            and child.get("isPermaLink") != "false"
        ):
            url = join("", (child.text or "").replace("&amp;", "&"))
            if url and url.startswith("http"):
                return url
    about = next((value for key, value in node.attrib.items() if str(key).endswith("about")), "")
    return join(base, str(about)) if about else None


def _text(node: etree._Element | None) -> str:
    """Plain text of an element whose content may be escaped markup."""
    if node is None:
        return ""
    markup = html.unescape("".join(str(piece) for piece in node.itertext()))
    return clean_line(html.unescape(_MARKUP.sub(" ", _INLINE.sub("", markup))))


def _load_json(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise PageNotUnderstood("bad_xml", "broken JSON") from error


def _json_item(item: dict[str, Any], base: str) -> Link | None:
    url = join(base, str(item.get("url") or item.get("external_url") or item.get("id") or ""))
    if url is None:
        return None
    changed = _stamp(str(item.get("date_modified") or ""))
    summary = clean_line(
        _MARKUP.sub(
            " ", str(item.get("summary") or item.get("content_text") or item.get("content_html") or "")
        )
    )
    return Link(
        url,
        clean_line(str(item.get("title") or "")) or None,
        _stamp(str(item.get("date_published") or "")) or changed,
        summary[:2000] or None,
        changed,
    )
