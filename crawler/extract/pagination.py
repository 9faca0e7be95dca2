"""Further pages of one article: pager links below the text and the pager calls of government sites."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from crawler.extract.tree import Node, Tree

_NUMBER = re.compile(r"^[\s\[【（(第<]{0,3}(\d{1,2})[\s\]】）)页>]{0,3}$")
_NEXT = re.compile(
    r"^[\s\[【（(<>＞]{0,3}(?:下一页|下页|后一页|下一頁|余下全文|在本页阅读全文|阅读全文|查看全文|全文阅读|单页阅读)[\s\]】）)>＞»]{0,3}$"
)
_SUFFIX = re.compile(r"^(?P<stem>.*?)(?:[_-](?P<number>\d{1,2}))?(?P<ext>\.\w{2,5})?$")
_CALL = re.compile(
    r"createPageHTML\s?\(\s?(?P<pages>\d{1,2})\s?,\s?(?P<current>\d{1,2})\s?,\s?['\"](?P<stem>[\w-]{1,60})['\"]\s?,\s?['\"](?P<ext>\w{2,5})['\"]"
)
_PAGE_KEYS = ("p", "page", "pageno", "pageindex", "pn", "curpage")
_MAX_PAGES = 30


def further_pages(tree: Tree, first_line: int, url: str) -> list[str]:
    """References to the article's other pages as they stand in the page, in order; `url` is the page's own address.

    Only links below line `first_line` count, and only addresses that differ from the page's by a page number.
    """
    found: dict[str, int] = {}
    own = _split(url) if url else None
    for node in tree.links:
        if node.last <= first_line:
            continue
        number = _number(tree, node)
        if number is None:
            continue
        address = node.get("href").strip()
        page = _page_number(address, own)
        if page is not None and address not in found:
            found[address] = page
    if own is None and len(found) < 2:
        found = {}
    numbers = sorted(found.items(), key=lambda pair: pair[1])
    current = own[1] if own else 1
    return [address for address, page in numbers if page > current][:_MAX_PAGES] or _called(tree)


def _number(tree: Tree, node: Node) -> int | None:
    text = "".join(
        part
        for line in tree.lines[node.first : node.last]
        for part, owner in line.parts
        if owner.link is node
    )
    if found := _NUMBER.match(text.strip()[:20]):
        return int(found[1])
    return 0 if _NEXT.match(text.strip()[:20]) else None


def _split(url: str) -> tuple[str, int, str]:
    """Stem, page number (1 for the first) and query without its page number."""
    parts = urlsplit(url)
    directory, _, name = parts.path.rpartition("/")
    found = _SUFFIX.match(name)
    stem, number = (found["stem"], int(found["number"] or 0)) if found else (name, 0)
    query = sorted(pair for pair in parse_qsl(parts.query) if pair[0].lower() not in _PAGE_KEYS)
    page = next(
        (int(v) for k, v in parse_qsl(parts.query) if k.lower() in _PAGE_KEYS and v.isdigit()), number
    )
    return f"{directory.rpartition('/')[2]}/{stem}?{query}", max(page, 1), parts.query


def _page_number(address: str, own: tuple[str, int, str] | None) -> int | None:
    """The page number an address has, if it is another page of the article `own`."""
    try:
        stem, number, _ = _split(address)
        parts = urlsplit(address)
    except ValueError:
        return None
    name = parts.path.rpartition("/")[2]
    numbered = _SUFFIX.match(name)
    has_number = bool(numbered and numbered["number"]) or any(
        k.lower() in _PAGE_KEYS for k, _ in parse_qsl(parts.query)
    )
    if not has_number:
        return None
    if own is not None:
        mine, theirs = own[0], stem
        if "/" not in parts.path:
            mine = mine.partition("/")[2]
            theirs = theirs.partition("/")[2]
        if not parts.path:
            return number
        # page 1 may itself end in _0 or _1, and page 2 in _2 or _1
        if re.sub(r"_[01]\?", "?", mine) != theirs and mine != theirs:
            return None
    return (
        number + 1
        if number == 1 and numbered and numbered["number"] == "1" and own and own[1] == 1
        else number
    )


def _called(tree: Tree) -> list[str]:
    for script in tree.scripts:
        if "createPageHTML" in script and (found := _CALL.search(script[:100_000])):
            pages, current = int(found["pages"]), int(found["current"])
            if current == 0:
                return [f"{found['stem']}_{n}.{found['ext']}" for n in range(1, min(pages, _MAX_PAGES))]
    return []
