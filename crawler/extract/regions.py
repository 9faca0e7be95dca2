"""How much each line and each element of a page can be part of an article, told by wording, links and names."""

from __future__ import annotations

import re
from functools import lru_cache

from crawler.extract import wording
from crawler.extract.tree import Line, Node, Tree

#: Names of page parts that are never the article; only weigh down, since some sites name the article's box so.
_FURNITURE_WORDS = re.compile(
    r"comment|pinglun|(?<![a-z])relat|recommend|tuijian|xiangguan|footer|(?<![a-z])foot(?![a-z])|copyright|banquan|sidebar|side[-_]bar|breadcrumb|"
    r"crumb|friend[-_]?link|qrcode|(?<![a-z])ewm|disclaimer|hot[-_]?news|(?<![a-z])rank"
)
#: Weaker signs: parts of this name may hold an article on some sites.
_DOUBTFUL_WORDS = re.compile(
    r"(?<![a-z])share|(?<![a-z])nav(?![a-z])|navbar|navigat|(?<![a-z])menu|(?<![a-z])adv?(?:ert)?(?![a-z])|statement|(?<![a-z])login|"
    r"popup|dialog|toolbar|(?<![a-z])vote|tips?(?![a-z])|(?<![a-z])tags?(?![a-z])"
)
_BODY_WORDS = re.compile(
    r"article|content|(?<![a-z])text|zhengwen|(?<![a-z])zw(?![a-z])|editor|(?<![a-z])detail|(?<![a-z])zoom|(?<![a-z])body|(?<![a-z])main(?![a-z])|neirong|(?<![a-z])nr(?![a-z])"
)

_NEVER = frozenset(("nav", "footer", "aside"))
#: Elements around the whole page, whose names say nothing of a part.
_WHOLE = frozenset(("body", "html", "form"))
#: Names whose meaning is kept: a page has about a hundred, and pages of one site share them.
_NAMES = 4096


def weights(tree: Tree, *, hidden: bool = False) -> list[float]:
    """For each line how much running text it holds, in characters; links and page furniture weigh nothing."""
    return [
        0.0 if line.links * 2 > len(line.text) or (line.hidden and not hidden) else _weight(line)
        for line in tree.lines
    ]


def _weight(line: Line) -> float:
    size = len(line.text)
    if size < 8:
        return 0.0
    marks = wording.punctuation(line.text)
    own = size - line.links
    if not marks or size < 16:
        return own * 0.15
    if size <= 200 and (wording.is_notice(line.text) or wording.is_origin(line.text)):
        return 0.0
    return own * (1.0 if marks * 60 >= size else 0.4) + 4 * marks


class Regions:
    """How much the lines of an element count: little inside comments, related news, footers and the like."""

    def __init__(self, tree: Tree) -> None:
        #: the line of the page's headline, -1 where it shows none
        self.headline = headline_line(tree)
        self._entries = _entries(tree)
        self._factors: dict[int, float] = {}

    def factor(self, node: Node) -> float:
        """From 1 (an article's) to 0; never more than what the elements around count."""
        if (known := self._factors.get(node.index)) is not None:
            return known
        path: list[Node] = []
        outer: Node | None = node
        while outer is not None and outer.index not in self._factors:
            path.append(outer)
            outer = outer.parent
        factor = self._factors[outer.index] if outer is not None else 1.0
        for inner in reversed(path):
            factor = self._factors[inner.index] = min(factor, self._own(inner))
        return factor

    def _own(self, node: Node) -> float:
        """What the element itself tells.

        One that holds the page's headline is not taken at its name: sites call the article's box so, too.
        """
        if node.index in self._entries:
            return _ENTRY
        if node.tag in _NEVER:
            return 0.1
        if node.tag not in _WHOLE and not node.first <= self.headline < node.last and (words := node.words):
            return _word_factor(words)
        return 1.0


#: Weight of comments and of other news with summaries, told by their make.
_ENTRY = 0.03
_ENTRY_TAGS = frozenset(("div", "li", "dl", "article", "section"))
_LEAST_ENTRIES = 4
#: Lines an entry has at most, and how many times the middle one's size the largest has.
_ENTRY_LINES = 15
_EVEN = 8
_MARKS = re.compile(
    r"\d{1,3}\s?(?:秒|分钟|小时|天|个月|楼|赞)|刚刚|昨天|回复|举报|点赞|楼主|(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}"
)


def _entries(tree: Tree) -> set[int]:
    """Elements that are entries of a list: four and more alike under one parent, each with a text and a mark.

    A mark is a short line with a time, a button or a link: what a comment or a news item in a list carries and a
    section of an article does not.
    """
    alike: dict[tuple[int, str, str], list[Node]] = {}
    for node in [x for x in tree.nodes if x.tag in _ENTRY_TAGS and 1 < x.last - x.first <= _ENTRY_LINES]:
        if node.parent is not None:
            alike.setdefault((node.parent.index, node.tag, node.get("class")), []).append(node)
    out: set[int] = set()
    for nodes in alike.values():
        if len(nodes) < _LEAST_ENTRIES:
            continue
        sizes = sorted(sum(len(x.text) for x in tree.lines[node.first : node.last]) for node in nodes)
        marked = sum(1 for node in nodes[:12] if _is_marked(tree, node))
        even = sizes[-1] <= _EVEN * sizes[len(sizes) // 2]
        if even and marked * 4 >= min(len(nodes), 12) * 3:
            out.update(node.index for node in nodes)
    return out


def _is_marked(tree: Tree, node: Node) -> bool:
    lines = tree.lines[node.first : min(node.last, node.first + 12)]
    return any(len(line.text) >= 20 and line.links * 2 < len(line.text) for line in lines) and any(
        len(line.text) <= 40 and (line.links * 3 > len(line.text) or _MARKS.search(line.text))
        for line in lines
    )


def headline_line(tree: Tree) -> int:
    """The first plain line that begins the page's <title>; -1 where none does."""
    title = "".join(tree.title.split())
    begin = title[:2]
    for line in tree.lines:
        text = line.text
        if (
            text[:2] == begin
            and 6 <= len(text) <= 100
            and not line.links
            and not line.hidden
            and title.startswith("".join(text.split()))
        ):
            return line.index
    return -1


@lru_cache(maxsize=_NAMES)
def is_body_name(words: str) -> bool:
    """Whether an element calls itself the article's text."""
    return _BODY_WORDS.search(words) is not None


@lru_cache(maxsize=_NAMES)
def _word_factor(words: str) -> float:
    if _FURNITURE_WORDS.search(words):
        return 0.4 if is_body_name(words) else 0.02
    return 0.3 if _DOUBTFUL_WORDS.search(words) else 1.0
