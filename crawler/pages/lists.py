"""Column and channel pages: which of a page's links lead to articles, told by structure and address, not by selectors."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import urlsplit

from crawler.exceptions import NotAnArticle
from crawler.extract.body import find_body
from crawler.extract.bylines import joined
from crawler.extract.dates import find_stamps, parse_stamp, url_day
from crawler.extract.tree import BLOCK, Node, Tree
from crawler.items import Link
from crawler.pages import cms
from crawler.pages.base import ListPage, join
from store.text import clean_line

_CJK = re.compile("[\u3400-\u9fff]")
#: A link with fewer Chinese characters is a button, a column or a person's name.
_MIN_TITLE = 5
_MAX_LINKS = 3000
_LIST_FILE = re.compile(
    r"^(?:index|list|lists|node|default|home|main|channel|column|more|search|login|about|contact|sitemap)(?:[_-]?\d{0,6})*(?:\.\w{2,5})?$",
    re.IGNORECASE,
)
_DOWNLOAD = re.compile(
    r"\.(?:jpe?g|png|gif|zip|rar|docx?|xlsx?|pptx?|mp4|mp3|apk|exe|css|js|ico|swf)$", re.IGNORECASE
)
_KEY = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f-]{20,}|[0-9a-f]{16,})")
_DIGITS = re.compile(r"\d+")
_IDENT = re.compile(r"\d{3,}|[0-9a-f]{16,}|(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{8,}")
_QUERY_ID = re.compile(
    r"(?:^|&)(?:id|aid|nid|newsid|articleid|contentid|docid|infoid|article_id|tid|uuid|guid|unid|itemid|key)=[\w-]{1,64}",
    re.IGNORECASE,
)
_NEXT_TEXT = re.compile(
    r"^[\s\[【（(<>＞]{0,2}(?:下一页|下页|后一页|后页|下一頁|next|next page)[\s\]】）)>＞»›]{0,3}$",
    re.IGNORECASE,
)
_NEXT_SIGN = frozenset(("›", "»", ">", "＞", ">>"))
#: TRS and its kin write the pager by script: createPageHTML(pages, current, "index", "html").
_PAGER_CALL = re.compile(
    r"createPageHTML\s?\(\s?(?:['\"][^'\"]{0,40}['\"]\s?,\s?)?(?P<pages>\d{1,5})\s?,\s?(?P<current>\d{1,5})\s?,\s?['\"](?P<stem>[\w-]{1,40})['\"]\s?,\s?['\"](?P<ext>\w{2,5})['\"]"
)
_TITLE_NOISE = re.compile(r"^[\s·•●■◆▪★☆►▶>＞\-—*]{1,4}|[\s>＞]{1,3}$")
_STATE_WORDS = re.compile(
    r"(?<![a-z])(?:first|last|odd|even|on|active|current|hover|cur|top|selected|line|bg|no\w*|clear\w*)(?![a-z])"
)
_NUMBERED = re.compile(r"[-_]?\d+(?![\w-])")
#: Names whose meaning is kept: pages of one site share them; longer class attributes are cut.
_NAMES = 4096
_MAX_CLASSES = 300
#: Left out of a group's path: old pages wrap single links in them and forget to close them.
_INLINE = frozenset(["span", "font", "strong", "b", "i", "em", "u", "center", "marquee", "tbody"])
#: Their classes mark positions or states of single entries.
_PLAIN = frozenset(["li", "tr", "td", "p", "h1", "h2", "h3", "h4", "h5", "dd", "dt"])
_NAVIGATION = re.compile(
    r"(?<![a-z])nav(?![a-z])|navbar|navigat|(?<![a-z])menu|crumb|footer|(?<![a-z])foot(?![a-z])|friend[-_]?link|daohang"
)
#: Link texts in page footers.
_LICENCE = re.compile(r"许可证|备案|ICP|公网安备|举报|网站标识|版权|营业执照|声明")


@dataclass(slots=True)
class Candidate:
    """A link with what it looks like; `group` is the structural path its kind of link has on this page."""

    node: Node
    url: str
    title: str
    group: str
    shape: str
    article: bool
    size: int = 0
    #: among the site's navigation, where nothing is an article
    nav: bool = False
    #: the date beside it
    date: str | None = None


class PortalListPage(ListPage):
    """Any column or channel page of a portal or government site, HTML, XML or JSON."""

    @cached_property
    def candidates(self) -> list[Candidate]:
        return find_candidates(self.tree, self.base_url, self.url)

    @cached_property
    def records(self) -> list[Link]:
        """Entries that a content management system delivers as data instead of markup."""
        return cms.find_records(self.text, self.base_url)

    def links(self) -> list[Link]:
        """Article links in page order with the fullest title seen for each, and its date where the page gives one.

        Raises NotAnArticle("empty" or "script_shell") where there is none.
        """
        if self._is_data():
            if self.records:
                return self.records
            raise NotAnArticle("empty")
        found = _links(choose(self.candidates, self.url, self._following[1] if self._following else None))
        seen = {link.url for link in found}
        found += [link for link in self.records if link.url not in seen]
        if not found:
            raise NotAnArticle("script_shell" if self.tree.scripts and len(self.tree.lines) < 30 else "empty")
        return found[:_MAX_LINKS]

    def next_page(self) -> str | None:
        """The address behind 下一页, rel=next, or the pager call of government sites."""
        if self._is_data():
            return None
        return self._following[0] if self._following else _next_by_script(self)

    @cached_property
    def _following(self) -> tuple[str, int] | None:
        return _next_link(self)

    def _is_data(self) -> bool:
        start = self.text.lstrip()[:300].lower()
        return start.startswith(("{", "[", "<?xml", "<datastore", "<record"))


def find_candidates(tree: Tree, base: str, page_url: str) -> list[Candidate]:
    """All links of the page that could lead to articles, with their groups."""
    out = []
    own = page_url.rstrip("/")
    for node in tree.links[:_MAX_LINKS]:
        url = join(base, node.get("href"))
        if url is None or url.rstrip("/") == own:
            continue
        title = _title(tree, node)
        size = len(_CJK.findall(title))
        out.append(
            Candidate(
                node,
                url,
                title,
                _group(node),
                _shape(url),
                is_article_url(url),
                size,
                nav=_in_navigation(node),
            )
        )
    link_of = {c.node.index: c.url for c in out}
    for candidate in out:
        if not candidate.nav and candidate.title:
            candidate.date = _date_beside(tree, candidate, link_of)
    return out


def _in_navigation(node: Node) -> bool:
    return any(
        ancestor.tag in ("nav", "footer") or ((words := ancestor.words) and _is_navigation(words))
        for ancestor in node.ancestors(8)
        if ancestor.tag not in ("body", "html")
    )


@lru_cache(maxsize=_NAMES)
def _is_navigation(words: str) -> bool:
    return _NAVIGATION.search(words) is not None


def _title(tree: Tree, node: Node) -> str:
    text = clean_line(" ".join(tree.link_text(node).split()))
    if text.endswith(("…", "..")) or len(text) < 4:
        attribute = clean_line(node.get("title"))[:300]
        if len(_CJK.findall(attribute)) >= _MIN_TITLE:
            text = attribute
    return _TITLE_NOISE.sub("", text)[:300]


#: Ancestors that make up a group's path.
_STEPS = 11


def _group(node: Node) -> str:
    """Tags and stable class names of the ancestors: what links of one list have in common."""
    steps: list[str] = []
    ancestor = node.parent
    while ancestor is not None and ancestor.tag not in ("body", "html") and len(steps) < _STEPS:
        if ancestor.tag in _PLAIN:
            steps.append(ancestor.tag)
        elif ancestor.tag not in _INLINE:
            steps.append(_step(ancestor.tag, ancestor.get("class")))
        ancestor = ancestor.parent
    return "/".join(steps)


@lru_cache(maxsize=_NAMES)
def _step(tag: str, classes: str) -> str:
    words = _STATE_WORDS.sub("", classes[:_MAX_CLASSES].lower())
    return f"{tag}.{_NUMBERED.sub('', words) if tag == 'div' else words}".strip()


def _shape(url: str) -> str:
    """The address with numbers and keys replaced: articles of one site share few shapes."""
    *folders, last = urlsplit(url).path.split("/")
    return f"{len(folders) + 1}|{_unnumbered(last) or [_unnumbered(folder) for folder in folders[-1:]]}"


def _unnumbered(segment: str) -> str:
    return _DIGITS.sub("9", _KEY.sub("H", segment))


def is_article_url(url: str) -> bool:
    """Whether an address has an article's form: a number or key in its last part, and no list's name."""
    parts = urlsplit(url)
    segments = [s for s in parts.path.split("/") if s]
    if not segments:
        return False
    last = segments[-1]
    if _DOWNLOAD.search(last):
        return False
    if _QUERY_ID.search(parts.query):
        return True
    stem = last.rsplit(".", 1)[0]
    if _LIST_FILE.match(last) and not (url_day(url) and last.startswith(("index", "default"))):
        return False
    if _IDENT.search(stem):
        return True
    if stem.isdigit() and len(segments) > 1:
        return True
    if last.lower() in ("page.htm", "content.html", "detail.html", "page.psp") or "." not in last:
        return any(_IDENT.search(s) for s in segments[-2:-1]) and not _LIST_FILE.match(last)
    return url_day(url) is not None and "." in last


def choose(candidates: list[Candidate], page_url: str = "", pager: int | None = None) -> list[Candidate]:
    """The links that lead to articles: one list where it is the page's column, else all of them (a channel).

    `pager` is the number of the line with the link to the next page, where there is one.
    """
    candidates = [c for c in candidates if not c.nav]
    articles = [c for c in candidates if c.article and (c.size >= _MIN_TITLE or (c.date and c.size >= 2))]
    best = max(_lists(candidates), key=_strength, default=[])
    if _strength(best) >= _LEAST_LIST and _is_column(best, articles, page_url, pager):
        return [c for c in best if c.title and (c.article or c.size >= _MIN_TITLE)]
    if articles:  # a new column may hold one or two articles only
        urls = _usual_addresses(articles)
        return [c for c in candidates if c.url in urls]
    return [c for c in best if c.size >= _MIN_TITLE] if _strength(best) >= 2 else []


#: Strength from which a list can be a page's column: six dated or eight undated articles.
_LEAST_LIST = 6.0


_LIST_TAGS = frozenset(("ul", "ol", "dl", "table", "tbody"))


def _lists(candidates: list[Candidate]) -> list[list[Candidate]]:
    """Links of one make that stand in one list, or in lists that are neighbours under one element."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.group, []).append(candidate)
    out: list[list[Candidate]] = []
    for group in groups.values():
        around = [candidate.node.ancestors()[1:] for candidate in group]
        holders = Counter(node.index for ancestors in around for node in ancestors)
        homes: dict[int, list[Candidate]] = {}
        for candidate, ancestors in zip(group, around, strict=True):
            home = next((n for n in ancestors if holders[n.index] > 1 and n.tag not in _INLINE), None)
            if home is None:
                continue
            # A list cut into several of five entries is one list; single entries share their home already.
            above = home
            if home.tag in _LIST_TAGS and home.parent is not None:
                above = next((n for n in home.ancestors()[1:] if n.tag not in _INLINE), home)
            homes.setdefault(above.index, []).append(candidate)
        out += homes.values()
    return out


def _strength(entries: list[Candidate]) -> float:
    """How much a list looks like articles: distinct addresses, weighed by form, length of title and a date beside."""
    best: dict[str, float] = {}
    for c in entries:
        if c.size >= _MIN_TITLE or (c.date and c.size >= 2):
            value = (0.75 if c.article else 0.1) + (0.25 if c.date else 0.0) + (0.1 if c.size >= 12 else 0.0)
            best[c.url] = max(best.get(c.url, 0.0), value)
    return sum(best.values())


def _is_column(best: list[Candidate], articles: list[Candidate], page_url: str, pager: int | None) -> bool:
    """Whether the list is what the page is for: most of its articles, what its pager turns, or what lies below its address.

    On 25 development pages columns hold .80 to 1 of their page's articles, channels' largest lists .05 to .5.
    """
    urls = {c.url for c in best}
    total = {c.url for c in articles} | {c.url for c in best if c.size >= _MIN_TITLE}
    if len(urls & total) * 10 >= len(total) * 6:
        return True
    last = max(c.node.last for c in best)
    if pager is not None and 0 <= pager - last <= _PAGER_ROOM:
        return True
    folder = _folder(page_url)
    if folder is None:
        return False
    below = sum(1 for url in urls if url.startswith(folder))
    others = total - urls
    others_below = sum(1 for url in others if url.startswith(folder))
    return below * 10 >= len(urls) * 8 and others_below * 10 <= len(others) * 2


#: Lines between the last entry of a column and its pager.
_PAGER_ROOM = 6


def _folder(url: str) -> str | None:
    """The address up to the last slash; None for a site's root."""
    parts = urlsplit(url)
    path = parts.path.rpartition("/")[0]
    return f"{parts.scheme}://{parts.netloc}{path}/" if path.strip("/") else None


def _usual_addresses(articles: list[Candidate]) -> set[str]:
    """Addresses whose form is no one-off of the page, or that carry a day."""
    shapes = Counter(shape for shape, _ in {(c.shape, c.url) for c in articles})
    return {
        c.url
        for c in articles
        if (shapes[c.shape] > 1 or url_day(c.url) or len(articles) < 10) and not _LICENCE.search(c.title)
    }


def _links(chosen: list[Candidate]) -> list[Link]:
    merged: dict[str, Link] = {}
    for candidate in chosen:
        link = merged.setdefault(candidate.url, Link(candidate.url))
        if len(candidate.title) > len(link.title or ""):
            link.title = candidate.title
        link.published_at = link.published_at or candidate.date
    for link in merged.values():
        day = url_day(link.url) if link.published_at is None else None
        link.published_at = day.isoformat() if day else link.published_at
    return [link for link in merged.values() if link.title]


#: "16" large and "2023-06" small, or the other way round, as newer lists set their dates.
_DAY_FIRST = re.compile(
    r"(?<!\d)(?P<day>\d{1,2})\s{1,3}(?P<year>20\d\d)[-/.年](?P<month>\d{1,2})月?(?![\d/.-])"
)
_DAY_LAST = re.compile(r"(?<!\d)(?P<year>20\d\d)[-/.年](?P<month>\d{1,2})月?\s{1,3}(?P<day>\d{1,2})(?!\d)")


def _date_beside(tree: Tree, candidate: Candidate, link_of: dict[int, str]) -> str | None:
    """The date in the smallest block around the link that holds no other article's link."""
    node = candidate.node
    for ancestor in node.ancestors(7):
        if ancestor.tag in ("body", "html") or ancestor.last - ancestor.first > _ENTRY_LINES:
            break
        if ancestor.tag not in BLOCK and ancestor.last - ancestor.first < 2:
            continue
        if _holds_other(tree, ancestor, candidate.url, link_of):
            break
        text = " ".join(joined(line) for line in tree.lines[ancestor.first : ancestor.last])[:600]
        text = text.replace("\x1f", " ")
        text = text.replace(candidate.title, " ")
        if stamps := find_stamps(text):
            return stamps[-1].isoformat()
        if found := _DAY_FIRST.search(text) or _DAY_LAST.search(text):
            stamp = parse_stamp(f"{found['year']}-{int(found['month']):02d}-{int(found['day']):02d}")
            return stamp.isoformat() if stamp else None
    return None


#: Lines one entry of a list has at most.
_ENTRY_LINES = 14


def _holds_other(tree: Tree, ancestor: Node, url: str, link_of: dict[int, str]) -> bool:
    for node in tree.nodes[ancestor.index + 1 :]:
        if node.depth <= ancestor.depth:
            return False
        if link_of.get(node.index, url) != url:
            return True
    return False


def _next_link(page: PortalListPage) -> tuple[str, int] | None:
    """Address of the next page and the line its link stands in (the last line for a link element)."""
    tree = page.tree
    if "next" in tree.link_rel and (url := page.urljoin(tree.link_rel["next"])):
        return url, len(tree.lines)
    by_sign = None
    for node in tree.links:
        text = tree.link_text(node).strip() or node.get("title").strip()
        named = node.get("rel").lower() == "next" or (len(text) <= 12 and _NEXT_TEXT.match(text) is not None)
        if not named and text not in _NEXT_SIGN:
            continue
        url = page.urljoin(node.get("href"))
        if not url or url == page.url:
            continue
        if named:
            return url, node.first
        if "pag" in " ".join(n.words for n in node.ancestors(4)):
            by_sign = by_sign or (url, node.first)
    return by_sign


def _next_by_script(page: PortalListPage) -> str | None:
    for script in page.tree.scripts:
        if found := _PAGER_CALL.search(script[:100_000]):
            following = int(found["current"]) + 1
            if following < int(found["pages"]):
                return page.urljoin(f"{found['stem']}_{following}.{found['ext']}")
    return None


def list_evidence(tree: Tree, url: str) -> bool:
    """Whether the page is a list of articles rather than an article."""
    candidates = find_candidates(tree, url or "http://localhost/", url)
    articles = {c.url for c in candidates if c.article and c.size >= _MIN_TITLE + 1}
    mass = len(find_body(tree).text)
    if mass < 80:
        return len(articles) >= 5
    listed = not is_article_url(url) if url else False
    return len(articles) >= (8 if listed else 15) and mass < (30 if listed else 8) * len(articles)
