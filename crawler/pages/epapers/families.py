"""Which family of e-paper systems a page is of, told from the page itself."""

from __future__ import annotations

import re

from crawler.pages.epapers.addresses import is_article, is_layout
from crawler.pages.epapers.markup import Markup

FAMILIES = (
    "founder_v1",
    "founder_v2",
    "founder_v2_layoutlist",
    "founder_v2_tq",
    "rmrb",
    "trs",
    "fzsyun",
    "json_reader",
    "script_shell",
)

#: Marks of each family in the page's source, most particular first.
_MARKS = (
    ("json_reader", re.compile(r"/reader/layout/|findBmMenu\.do|getBmDetail\.do|detailData\.do")),
    (
        "trs",
        re.compile(
            r"map_of_yyb|banciArray|class=[\"']?areablock|news-[a-z]{2,12}-\d+-\d{8}-m-", re.IGNORECASE
        ),
    ),
    (
        "fzsyun",
        re.compile(
            r"layout-catalogue-item|class=[\"']?paperarea|<cms-content|class=[\"']?(?:[\w-]+ )?cms-content|fzsyun"
        ),
    ),
    (
        "rmrb",
        re.compile(r"/rmPaper/|class=[\"']?swiper-slide[\"']?>\s{0,40}<a id=[\"']?pageLink", re.IGNORECASE),
    ),
    (
        "founder_v2_tq",
        re.compile(r"/tqPaper/|class=[\"']?(?:Chunkiconlist|newsdetatit|newsdetatext|newslisttit)"),
    ),
    ("founder_v2_layoutlist", re.compile(r"id=[\"']?(?:layoutlist|articlelist|pdfUrl)[\"'> ]")),
    (
        "founder_v2",
        re.compile(
            r"class=[\"'][^\"']{0,60}\b(?:nav-list|resultList|btn-block)\b|/pc/(?:layout|col|column|content)/\d{6}/"
        ),
    ),
    (
        "founder_v1",
        re.compile(
            r"<founder-(?:date|title|papername)>|id=[\"']?pageLink|name=[\"']?pagepicmap|content_htm_jump|/html/\d{4}-\d{2}/\d{2}/node_",
            re.IGNORECASE,
        ),
    ),
)
_PLAIN_PROPERTY = re.compile(r"<!--\s{0,5}enpproperty|<founder-content", re.IGNORECASE)
_V2_ADDRESS = re.compile(
    r"/(?:pc|layout|content|con|col|column)/[^?#]{0,40}\d{6}/\d{2}/|/(?:pc|layout)/index\.html?$",
    re.IGNORECASE,
)


def family_of(document: Markup, target: str | None) -> str:
    """Return the family, a word of FAMILIES. `target` is where a front page leads to; it speaks for the page then."""
    text = document.text
    if text.lstrip()[:1] in {"[", "{"}:
        return "json_reader"
    for name, pattern in _MARKS:
        if pattern.search(text):
            return name
    if _PLAIN_PROPERTY.search(text):
        return "founder_v2" if _V2_ADDRESS.search(document.url) else "founder_v1"
    for url in (target, document.url):
        if url and _V2_ADDRESS.search(url):
            return "founder_v2"
    if target or _has_papers_links(document):
        return "founder_v1"
    return "script_shell"


def _has_papers_links(document: Markup) -> bool:
    urls = (document.absolute(element.get("href")) for element in document.tagged("a", "area"))
    return any(url and (is_layout(url) or is_article(url)) for url in urls)
