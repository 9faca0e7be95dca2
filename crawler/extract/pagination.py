"""Further pages of one article: pager links below the text and the pager calls of government sites."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urljoin, urlsplit

from crawler.extract.tree import Node, Tree

_NUMBER = re.compile(r"^[\s\[【（(第<]{0,3}(\d{1,2})[\s\]】）)页>]{0,3}$")
_NEXT = re.compile(
    r"^[\s\[【（(<>＞]{0,3}(?:下一页|下页|后一页|下一頁|余下全文|在本页阅读全文|阅读全文|查看全文|全文阅读|单页阅读)[\s\]】）)>＞»]{0,3}$"
)
#: No match of the two patterns above is longer.
_PAGER_ROOM = 16
_SUFFIX = re.compile(r"^(?P<whole>(?P<stem>[^?]*?)(?:[_-](?P<number>\d{1,2}))?)(?:\.\w{2,5})?$")
_CALL = re.compile(
    r"createPageHTML\s?\(\s?(?P<pages>\d{1,2})\s?,\s?(?P<current>\d{1,2})\s?,\s?['\"](?P<stem>[\w-]{1,60})['\"]\s?,\s?['\"](?P<ext>\w{2,5})['\"]"
)
_PAGE_KEYS = ("p", "page", "pageno", "pageindex", "pn", "curpage")
_MAX_PAGES = 30


def further_pages(tree: Tree, first_line: int, url: str) -> list[str]:
    """References to the article's other pages as they stand in the page, in order; `url` is the page's own address.

    Only links below line `first_line` count, and only addresses that differ from the page's by a page number.
    """
    # Most links of a page are too long by their first piece.
    short = [n for n, pieces in tree.link_texts.items() if len(pieces[0].strip()) <= _PAGER_ROOM]
    pagers = [
        node for n in sorted(short) if (node := tree.nodes[n]).last > first_line and _is_pager(tree, node)
    ]
    if not pagers:
        return _called(tree)
    own = _numbers(url) if url else {}
    found: dict[str, int] = {}
    current = 1
    for node in pagers:
        address = node.get("href").strip()
        for stem, number in _numbers(_absolute(url, address)).items():
            mine = own.get(stem)
            if number > 1 and (mine is not None or not own) and address not in found:
                found[address] = number
                current = mine or 1
    if not own and len(found) < 2:
        return _called(tree)
    pages = sorted(found.items(), key=lambda pair: pair[1])
    return [address for address, number in pages if number > current][:_MAX_PAGES] or _called(tree)


def _is_pager(tree: Tree, link: Node) -> bool:
    text = tree.link_text(link).strip()
    return len(text) <= _PAGER_ROOM and (_NUMBER.match(text) or _NEXT.match(text)) is not None


def _absolute(url: str, address: str) -> str:
    try:
        return urljoin(url, address)
    except ValueError:
        return ""


def _numbers(address: str) -> dict[str, int]:
    """What the address can be a page of, with the page's number: itself (page 1), and what a number at its end leaves.

    Numbers of a query parameter count for the rest of the address. Pages of a path are known by directory and name.
    """
    try:
        parts = urlsplit(address)
        pairs = parse_qsl(parts.query, max_num_fields=50)
    except ValueError:
        return {}
    rest = sorted(pair for pair in pairs if pair[0].lower() not in _PAGE_KEYS)
    asked = next((int(v) for k, v in pairs if k.lower() in _PAGE_KEYS and v.isdigit() and len(v) < 4), None)
    found = _SUFFIX.match(parts.path)
    whole = (found["whole"] if found else parts.path) + (str(rest) if rest else "")
    if asked is not None:
        return {whole: asked}
    out = {whole: 1}
    if found and found["number"]:
        out[found["stem"] + (str(rest) if rest else "")] = int(found["number"])
    return out


def _called(tree: Tree) -> list[str]:
    for script in tree.scripts:
        if "createPageHTML" in script and (found := _CALL.search(script[:100_000])):
            pages, current = int(found["pages"]), int(found["current"])
            if current == 0:
                return [f"{found['stem']}_{n}.{found['ext']}" for n in range(1, min(pages, _MAX_PAGES))]
    return []
