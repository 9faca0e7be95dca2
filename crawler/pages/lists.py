"""Column and channel pages: which of a page's links lead to articles, told by structure and address, not by selectors."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import urlsplit

from crawler.exceptions import NotAnArticle, PageError
from crawler.extract.body import find_body
from crawler.extract.dates import find_stamps, url_day
from crawler.extract.tree import Node, Tree, parse
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
#: Left out of a group's path: old pages wrap single links in them and forget to close them.
_INLINE = frozenset(["span", "font", "strong", "b", "i", "em", "u", "center", "marquee", "tbody"])
#: Their classes mark positions or states of single entries.
_PLAIN = frozenset(["li", "tr", "td", "p", "h1", "h2", "h3", "h4", "h5", "dd", "dt"])
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


@dataclass(slots=True)
class _Merged:
    url: str
    title: str
    nodes: list[Node] = field(default_factory=list)


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
        found = _links(self.tree, choose(self.candidates, paged=self.next_page() is not None))
        seen = {link.url for link in found}
        found += [link for link in self.records if link.url not in seen]
        if not found:
            raise NotAnArticle("script_shell" if self.tree.scripts and len(self.tree.lines) < 30 else "empty")
        return found[:_MAX_LINKS]

    def next_page(self) -> str | None:
        """The address behind 下一页, rel=next, or the pager call of government sites."""
        if self._is_data():
            return None
        return _next_by_link(self) or _next_by_script(self)

    def _is_data(self) -> bool:
        start = self.text.lstrip()[:300].lower()
        return start.startswith(("{", "[", "<?xml", "<datastore", "<record"))


def find_candidates(tree: Tree, base: str, page_url: str) -> list[Candidate]:
    """All links of the page that could lead to articles, with their groups."""
    out = []
    for node in tree.links[:_MAX_LINKS]:
        url = join(base, node.get("href"))
        if url is None or url.rstrip("/") == page_url.rstrip("/"):
            continue
        title = _title(tree, node)
        size = len(_CJK.findall(title))
        out.append(Candidate(node, url, title, _group(node), _shape(url), is_article_url(url), size))
    return out


def _title(tree: Tree, node: Node) -> str:
    pieces = []
    for line in tree.lines[node.first : node.last]:
        pieces += [text for text, owner in line.parts if owner.link is node]
    text = clean_line(" ".join("".join(pieces).split()))
    attribute = clean_line(node.get("title"))[:300]
    if len(_CJK.findall(attribute)) >= _MIN_TITLE and (
        text.rstrip().endswith(("…", "...", "..")) or len(text) < 4
    ):
        text = attribute
    return _TITLE_NOISE.sub("", text)[:300]


def _group(node: Node) -> str:
    """Tags and stable class names of the ancestors: what links of one list have in common."""
    steps = []
    for ancestor in node.ancestors()[1:14]:
        if ancestor.tag in ("body", "html"):
            break
        if ancestor.tag in _INLINE:
            continue
        if ancestor.tag in _PLAIN:
            steps.append(ancestor.tag)
            continue
        words = _STATE_WORDS.sub("", ancestor.get("class").lower())
        steps.append(f"{ancestor.tag}.{_NUMBERED.sub('', words) if ancestor.tag == 'div' else words}".strip())
    return "/".join(steps)


def _shape(url: str) -> str:
    """The address with numbers and keys replaced: articles of one site share few shapes."""
    parts = urlsplit(url)
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{20,}|[0-9a-f]{24,}", "H", parts.path)
    path = re.sub(r"\d+", "9", path)
    segments = path.split("/")
    return f"{len(segments)}|{segments[-1] or segments[-2:-1]}"


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


def choose(candidates: list[Candidate], *, paged: bool = False) -> list[Candidate]:
    """The links that lead to articles: one list where it dominates the page (a column), else all of them (a channel).

    `paged` says that the page leads to a next one, as columns do.
    """
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.group, []).append(candidate)
    articles = [c for c in candidates if c.article and c.size >= _MIN_TITLE]
    total = len({c.url for c in articles})
    best = max(groups.values(), key=_strength, default=[])
    strength = _strength(best)
    if strength >= 6 and strength >= total * _share_needed(best, paged) and _is_one_list(best, articles):
        return _whole_list(best)
    if total:
        urls = _usual_addresses(articles)
        return [c for c in candidates if c.url in urls]
    return [c for c in best if c.size >= _MIN_TITLE] if strength >= 3 else []


def _strength(group: list[Candidate]) -> float:
    """How much a group looks like the list of articles: distinct article links with full titles."""
    urls = {c.url for c in group if c.size >= _MIN_TITLE}
    likely = {c.url for c in group if c.size >= _MIN_TITLE and c.article}
    return len(likely) + 0.3 * (len(urls) - len(likely))


def _share_needed(best: list[Candidate], paged: bool) -> float:
    """The share of the page's articles that makes a list the page's column; less where it stands in one element.

    On 25 development pages columns have .80 to 1, channels whose largest group is no column .14 to .54.
    """
    holders = Counter(node.index for c in best for node in c.node.ancestors()[1:])
    homes: Counter[int] = Counter()
    for candidate in best:
        home = next((n.index for n in candidate.node.ancestors()[1:] if holders[n.index] > 1), 0)
        homes[home] += 1
    if max(homes.values()) * 10 < len(best) * 6:
        return 0.7
    return 0.35 if paged else 0.5


def _is_one_list(best: list[Candidate], articles: list[Candidate]) -> bool:
    """Whether the group's links fill one part of the page, instead of standing in many boxes among others."""
    chains = [{node.index for node in c.node.ancestors()} for c in best if c.size >= _MIN_TITLE]
    common = max(set.intersection(*chains), default=0)
    urls = {c.url for c in best}
    inside = {c.url for c in articles if any(node.index == common for node in c.node.ancestors())}
    return len(inside & urls) * 10 >= len(inside) * 7


def _usual_addresses(articles: list[Candidate]) -> set[str]:
    """Addresses whose form is no one-off of the page, or that carry a day."""
    shapes = Counter(shape for shape, _ in {(c.shape, c.url) for c in articles})
    return {
        c.url
        for c in articles
        if (shapes[c.shape] > 1 or url_day(c.url) or len(articles) < 10) and not _LICENCE.search(c.title)
    }


def _whole_list(best: list[Candidate]) -> list[Candidate]:
    """The group with short titles too, when it is homogeneous."""
    return [c for c in best if c.title and (c.article or c.size >= _MIN_TITLE)]


def _links(tree: Tree, chosen: list[Candidate]) -> list[Link]:
    merged: dict[str, _Merged] = {}
    for candidate in chosen:
        entry = merged.setdefault(candidate.url, _Merged(candidate.url, ""))
        entry.nodes.append(candidate.node)
        if len(candidate.title) > len(entry.title):
            entry.title = candidate.title
    link_of = {node.index: entry.url for entry in merged.values() for node in entry.nodes}
    return [
        Link(entry.url, entry.title or None, _date(tree, entry, link_of))
        for entry in merged.values()
        if entry.title
    ]


def _date(tree: Tree, entry: _Merged, link_of: dict[int, str]) -> str | None:
    """The date beside the link, in the smallest block that holds no other article's link."""
    node = entry.nodes[-1]
    for ancestor in node.ancestors()[1:6]:
        if ancestor.tag in ("body", "html") or _holds_other(tree, ancestor, entry.url, link_of):
            break
        text = " ".join(line.text for line in tree.lines[ancestor.first : ancestor.last])[:600]
        if stamps := find_stamps(text):
            return stamps[-1].isoformat()
    day = url_day(entry.url)
    return day.isoformat() if day else None


def _holds_other(tree: Tree, ancestor: Node, url: str, link_of: dict[int, str]) -> bool:
    for node in tree.nodes[ancestor.index + 1 :]:
        if node.depth <= ancestor.depth:
            return False
        if link_of.get(node.index, url) != url:
            return True
    return False


def _next_by_link(page: PortalListPage) -> str | None:
    tree = page.tree
    if "next" in tree.link_rel:
        return page.urljoin(tree.link_rel["next"])
    signs = None
    for node in tree.links:
        lines = tree.lines[node.first : node.last]
        text = "".join(part for line in lines for part, owner in line.parts if owner.link is node).strip()
        text = text or node.get("title").strip()
        url = page.urljoin(node.get("href"))
        if not url or url == page.url:
            continue
        if node.get("rel").lower() == "next" or (len(text) <= 12 and _NEXT_TEXT.match(text)):
            return url
        if text in _NEXT_SIGN and "pag" in " ".join(n.words for n in node.ancestors()[:4]):
            signs = signs or url
    return signs


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


def links_of_markup(markup: str, base: str) -> list[Link]:
    """All article links of a piece of markup (an entry of a data list)."""
    try:
        tree = parse(markup)
    except PageError:
        return []
    chosen = [c for c in find_candidates(tree, base, "") if c.title]
    return _links(tree, chosen)
