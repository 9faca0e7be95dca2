"""Lists that a content management system delivers as data: records of a data proxy, JSON answers, script variables."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from crawler.extract.dates import find_stamps, parse_stamp
from crawler.items import Link
from crawler.pages.base import join
from store.text import clean_line

#: 大汉's data proxy: <record><![CDATA[ <li><a href=…>…</a><span>date</span></li> ]]></record>
_RECORD = re.compile(
    r"<record>(?:\s{0,20}<!\[CDATA\[)?(.{1,8000}?)(?:\]\]>\s{0,20})?</record>", re.DOTALL | re.IGNORECASE
)
_ANCHOR = re.compile(r"<a\s(?P<attrs>[^>]{1,1500})>(?P<text>.{0,1500}?)</a\s?>", re.DOTALL | re.IGNORECASE)
_HREF = re.compile(r"href\s?=\s?(?:\"([^\"]{1,1000})\"|'([^']{1,1000})'|([^\s>]{1,1000}))", re.IGNORECASE)
_TITLE_ATTR = re.compile(r"title\s?=\s?(?:\"([^\"]{1,400})\"|'([^']{1,400})')", re.IGNORECASE)
_INLINE_TAGS = re.compile(r"</?(?:em|b|i|u|strong|font|span|mark|a)(?:\s[^<>]{0,2000})?>", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]{0,2000}>")
_TITLE_KEYS = (
    "title",
    "doctitle",
    "headline",
    "bt",
    "name",
    "subject",
    "newstitle",
    "articletitle",
    "showtitle",
    "topic",
    "contenttitle",
    "infotitle",
)
_URL_KEYS = (
    "url",
    "link",
    "href",
    "docpuburl",
    "puburl",
    "linkurl",
    "pageurl",
    "articleurl",
    "newsurl",
    "weburl",
    "htmlurl",
    "arturl",
    "detailurl",
    "links",
    "path",
    "contenturl",
    "visiturl",
)
_DATE_KEYS = (
    "publishdate",
    "pubdate",
    "pubtime",
    "publishtime",
    "docreltime",
    "date",
    "time",
    "crtime",
    "createtime",
    "releasetime",
    "showdate",
    "inputtime",
    "pubdatestr",
    "addtime",
    "fbsj",
    "publishedat",
    "displaytime",
    "datetime",
    "docrelpubtime",
    "deploytime",
    "releasedate",
    "savedate",
    "newsdate",
)
_CHANGE_KEYS = (
    "updatetime",
    "updatedate",
    "updatedat",
    "updated",
    "modifytime",
    "modifydate",
    "modifiedtime",
    "modifieddate",
    "modified",
    "lastmodified",
    "lastmodifiedtime",
    "lastupdate",
    "lastupdatetime",
    "lastmodifytime",
    "edittime",
    "gxsj",
    "xgsj",
)
_SUMMARY_KEYS = (
    "summary",
    "description",
    "abstract",
    "desc",
    "docabstract",
    "intro",
    "brief",
    "digest",
    "memo",
    "content_short",
)
_OBJECT = re.compile(r"\{[^{}]{20,4000}\}")
_PAIR = re.compile(
    r"[\"']?(?P<key>[A-Za-z_]{2,30})[\"']?\s{0,3}:\s{0,3}(?:\"(?P<double>(?:[^\"\\]|\\.){0,1500})\"|'(?P<single>(?:[^'\\]|\\.){0,1500})'|(?P<number>\d{8,14}))"
)
_JSON_START = re.compile(
    r"^\s{0,40}(?:[\w$.]{1,60}\s{0,3}\(|(?:var|let|const)\s[\w$.]{1,60}\s{0,3}=)?\s{0,40}(?=[\[{])"
)
_MAX_RECORDS = 2000
_MAX_DEPTH = 8
_MAX_OBJECTS = 4000


def find_records(text: str, base: str) -> list[Link]:
    """Entries of data lists anywhere in a page or data answer, in order, each address once; never raises."""
    found = _xml_records(text, base)
    if text.lstrip()[:1] in "{[" or _JSON_START.match(text):
        found += _json_records(text, base)
    if not found and "<" in text[:200]:
        found += _script_records(text, base)
    out: dict[str, Link] = {}
    for link in found:
        out.setdefault(link.url, link)
    return list(out.values())[:_MAX_RECORDS]


def _xml_records(text: str, base: str) -> list[Link]:
    out = []
    if "<record>" not in text and "<RECORD>" not in text:
        return []
    for number, found in enumerate(_RECORD.finditer(text)):
        if number >= _MAX_RECORDS:
            break
        if link := _markup_record(found[1], base):
            out.append(link)
    return out


def _markup_record(markup: str, base: str) -> Link | None:
    if "<a" not in markup.lower():
        markup = html.unescape(markup)
    best: Link | None = None
    for anchor in _ANCHOR.finditer(markup):
        href = _HREF.search(anchor["attrs"])
        url = join(base, html.unescape(next(g for g in href.groups() if g))) if href else None
        if url is None:
            continue
        attribute = _TITLE_ATTR.search(anchor["attrs"])
        title = _plain(next(g for g in attribute.groups() if g)) if attribute else ""
        title = title if len(title) >= 4 else _plain(anchor["text"])
        if title and (best is None or len(title) > len(best.title or "")):
            best = Link(url, title)
    if best is not None:
        rest = html.unescape(_TAGS.sub(" ", markup.replace(best.title or "", " ")))
        stamps = find_stamps(rest)
        best.published_at = stamps[0].isoformat() if stamps else None
    return best


def _plain(markup: str) -> str:
    return clean_line(html.unescape(_TAGS.sub(" ", _INLINE_TAGS.sub("", markup))))[:300]


def _json_records(text: str, base: str) -> list[Link]:
    start = _JSON_START.match(text)
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text, start.end() if start else 0)
    except (ValueError, RecursionError):
        return _script_records(text, base)
    out: list[Link] = []
    _walk(value, base, out, 0)
    return out


def _walk(value: Any, base: str, out: list[Link], depth: int) -> None:
    if depth > _MAX_DEPTH or len(out) >= _MAX_RECORDS:
        return
    if isinstance(value, list):
        for entry in value[:_MAX_RECORDS]:
            if isinstance(entry, str) and "<a" in entry:
                if link := _markup_record(entry[:8000], base):
                    out.append(link)
            else:
                _walk(entry, base, out, depth + 1)
    elif isinstance(value, dict):
        flat = {str(k).lower().replace("_", ""): v for k, v in value.items() if isinstance(v, (str, int))}
        if link := _record({k: str(v) for k, v in flat.items()}, base):
            out.append(link)
        for entry in value.values():
            if isinstance(entry, (list, dict)):
                _walk(entry, base, out, depth + 1)


def _script_records(text: str, base: str) -> list[Link]:
    """Objects with title and address among the script variables of a page."""
    out = []
    for number, found in enumerate(_OBJECT.finditer(text)):
        if number >= _MAX_OBJECTS:
            break
        if not re.search("url|href|link", found[0], re.IGNORECASE):
            continue
        pairs = {
            m["key"].lower().replace("_", ""): _unescape(m["double"] or m["single"] or m["number"] or "")
            for m in _PAIR.finditer(found[0])
        }
        link = _record(pairs, base)
        if (
            link is not None
            and len(re.findall("[\u3400-\u9fff]", link.title or "")) >= 5
            and _is_path(link.url)
        ):
            out.append(link)
    return out if len(out) >= 3 else []


def _is_path(url: str) -> bool:
    return not re.search(r"\.(?:jpe?g|png|gif|mp4|js|css)(?:\?|$)", url, re.IGNORECASE)


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    return re.sub(r"\\(.)", r"\1", text)


def _record(pairs: dict[str, str], base: str) -> Link | None:
    title = next((pairs[k] for k in _TITLE_KEYS if pairs.get(k)), "")
    address = next((pairs[k] for k in _URL_KEYS if pairs.get(k)), "")
    url = join(base, html.unescape(address)) if address and ("/" in address or "." in address) else None
    title = _plain(title)
    if url is None or len(title) < 4:
        return None
    published, changed = _first_stamp(pairs, _DATE_KEYS), _first_stamp(pairs, _CHANGE_KEYS)
    summary = next((_plain(pairs[k]) for k in _SUMMARY_KEYS if pairs.get(k)), None)
    return Link(url, title, published, summary or None, changed)


def _first_stamp(pairs: dict[str, str], keys: tuple[str, ...]) -> str | None:
    stamp = next((s for k in keys if pairs.get(k) and (s := parse_stamp(pairs[k]))), None)
    return stamp.isoformat() if stamp else None
