"""A page as flat lists: elements, text lines, images, scripts. One parse, shared by everything that reads the page.

Parsing follows HTML5 (lexbor), so text after a stray `</html>`, unclosed tags and misnested tables come out as a
browser shows them. The tree is walked once; nothing else in the package touches the parser.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache

import msgspec
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.exceptions import PageNotUnderstood

#: Most elements that are kept; the rest of the page is ignored. The largest page of the development set has 9,000.
MAX_NODES = 60_000
#: Most lines that are kept. The largest page of the development set has 1,500.
MAX_LINES = 20_000
_MAX_WORDS = 300
#: A tag longer than this is cut: the parser compares every attribute with all before it (200,000: 80 s).
_MAX_TAG = 60_000
_MAX_ATTRIBUTES = 15_000
#: Beyond this many open elements the parser's scope checks become quadratic (50,000 nested divs: 2 s).
MAX_DEPTH = 3_000
#: Pages with fewer tags than this cannot be slow whatever their nesting.
_SAFE_TAGS = 12_000
_MAX_SCRIPT = 600_000
_LEAST_EMBEDDED = 120

_BLOCK_TAGS = """
address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption
figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol optgroup p
pre section summary table tbody td tfoot th thead tr ul founder-content
"""
BLOCK = frozenset(_BLOCK_TAGS.split())
#: Elements that show no text of the page's own.
_SKIP_TAGS = """
script style noscript template iframe svg object embed applet select option button textarea head title
canvas audio map
"""
_SKIP = frozenset(_SKIP_TAGS.split())
_HIDDEN = re.compile(r"display\s{0,3}:\s{0,3}none", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,20})")
#: Elements that nothing closes.
_VOID_TAGS = "area base br col embed hr img input link meta param source track wbr p li"
_VOID = frozenset(_VOID_TAGS.split())
_HEAD = frozenset(("meta", "base", "link"))
#: Elements whose children are not visited.
_NO_CHILDREN = (_SKIP | _HEAD | {"br"}) - {"head"}
#: Elements beside links that are noted by kind.
_NOTED = frozenset(("img", "frame", "frameset"))
#: The parser's names for comments and document types begin with signs, which stand before all letters.
_FIRST_LETTER = "A"
#: Longer texts may hold several paragraphs.
_PLAIN = 60
#: Elements whose texts are read in a way of their own.
_ODD_TEXTS = frozenset(("head", "pre"))
#: Of all elements without attributes; never written to.
_NO_ATTRIBUTES: dict[str, str | None] = {}
_IDEOGRAPHIC_INDENT = re.compile("\u3000{2,}|(?:\xa0{1,2} ?){3,}|\n\\s{0,8}\n")


class Node(msgspec.Struct, eq=False):
    """One element. `first` and `last` bound its lines: tree.lines[first:last].

    `link` is the index of the link the element is or stands in, -1 outside links; an index, because an element that
    holds itself would wait for the garbage collector.
    """

    # Known to the collector, unlike lines: long chains of parents without its header are freed by recursion in C.

    tag: str
    attrs: dict[str, str | None]
    parent: Node | None
    first: int
    last: int
    index: int
    depth: int = 0
    hidden: bool = False
    link: int = -1

    @property
    def words(self) -> str:
        """What the element calls itself: id and classes in small letters; empty for most."""
        attrs = self.attrs
        return (
            _words(attrs.get("id") or "", attrs.get("class") or "")
            if "class" in attrs or "id" in attrs
            else ""
        )

    @property
    def is_link(self) -> bool:
        """Whether the element is a link itself."""
        return self.link == self.index

    def get(self, name: str) -> str:
        return self.attrs.get(name) or ""

    def ancestors(self, most: int = MAX_NODES) -> list[Node]:
        """The element itself and its ancestors, innermost first, at most so many."""
        out = [self]
        node = self.parent
        while node is not None and len(out) < most:
            out.append(node)
            node = node.parent
        return out

    def is_within(self, outer: Node) -> bool:
        """Whether the element is `outer` or stands in it."""
        node: Node | None = self
        while node is not None and node.depth > outer.depth:
            node = node.parent
        return node is outer


class Line(msgspec.Struct, eq=False, gc=False):
    """One visual line: the text of a block between block boundaries and <br>.

    `links` counts the characters of `text` inside links; `parts` are the text pieces with their elements.
    """

    text: str
    node: Node
    parts: list[tuple[str, Node]]
    links: int
    index: int
    hidden: bool


class PageImage(msgspec.Struct, eq=False, gc=False):
    """An image of the page, before line number `line`."""

    url: str
    alt: str
    node: Node
    line: int


@dataclass(slots=True)
class Tree:
    """All that the readers of single fields need."""

    nodes: list[Node] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    images: list[PageImage] = field(default_factory=list)
    links: list[Node] = field(default_factory=list)
    #: the pieces of text of each link, by its index
    link_texts: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    scripts: list[str] = field(default_factory=list)
    json_ld: list[str] = field(default_factory=list)
    #: markup kept in text areas and script templates, which some sites show by script
    embedded: list[str] = field(default_factory=list)
    comments: list[tuple[int, str]] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    title: str = ""
    base: str = ""
    refresh: str = ""
    link_rel: dict[str, str] = field(default_factory=dict)
    framed: bool = False

    def link_text(self, node: Node) -> str:
        """The text of a link with its white space as it stands in the markup."""
        return "".join(self.link_texts.get(node.index, ()))


def parse(text: str, utf8: bytes | None = None) -> Tree:
    """Parse a page. Raises PageNotUnderstood("too_deep") where nesting would make parsing slow.

    `utf8` is the same text in UTF-8, where that is at hand; the parser works on bytes.
    """
    _check_depth(text)
    cut = _without_huge_tags(text)
    try:
        root = LexborHTMLParser(cut if utf8 is None or cut is not text else utf8).root
    except (ValueError, RuntimeError, MemoryError, UnicodeError) as error:  # the parser's own limits
        raise PageNotUnderstood("binary", str(error)[:200]) from error
    builder = _Builder()
    if root is not None:
        builder.walk(root)
    return builder.tree


def from_text(text: str) -> Tree:
    """Plain text as a tree: one paragraph a line. Lines of a hard-wrapped text are joined."""
    tree = Tree()
    root = Node("body", {}, None, 0, 0, 0)
    box = Node("div", {}, root, 0, 0, 1, 1)
    tree.nodes = [root, box]
    for number, paragraph in enumerate(_paragraphs(text)[:MAX_LINES]):
        node = Node("p", {}, box, number, number + 1, len(tree.nodes), 2)
        tree.nodes.append(node)
        tree.lines.append(Line(paragraph, node, [(paragraph, node)], 0, number, False))
    root.last = box.last = len(tree.lines)
    return tree


#: A line of this length that ends without punctuation goes on in the next one.
_WRAPPED = 60


def _paragraphs(text: str) -> list[str]:
    out: list[str] = []
    open_line = False
    for raw in text.split("\n"):
        line = " ".join(raw.split())
        if not line:
            open_line = False
            continue
        if open_line and not raw.startswith(("\u3000", "  ", "\xa0")):
            out[-1] += line
        else:
            out.append(line)
        open_line = len(line) >= _WRAPPED and (line[-1].isalnum() or line[-1] in "，、：“（")
    return out


def _check_depth(text: str) -> None:
    if text.count("<") < _SAFE_TAGS:
        return
    depth = deepest = 0
    for match in _TAG.finditer(text):
        if match[2].lower() in _VOID:
            continue
        depth += -1 if match[1] else 1
        depth = max(depth, 0)
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise PageNotUnderstood("too_deep", f"{deepest} open elements")


def _is_indented(text: str) -> bool:
    """Whether a text holds paragraphs that only indents or empty lines divide."""
    text = text.strip()
    marked = "\u3000\u3000" in text or "\xa0" in text or "\n" in text
    return marked and _IDEOGRAPHIC_INDENT.search(text) is not None


_TAG_START = re.compile("<[a-zA-Z]")
_TAG_REST = re.compile(r"""[^>=]*+(?:=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"']*+)[^>=]*+)*+""")


def _without_huge_tags(text: str) -> str:
    """Cut tags with masses of attributes, whether their values hold ">" or not."""
    # A piece that long has no ">" in one of these windows; most pages have one in each.
    half = _MAX_TAG // 2
    if any(text.find(">", at, at + half) < 0 for at in range(0, len(text) - half, half)):
        pieces = text.split(">")
        if max(map(len, pieces)) > _MAX_TAG:
            text = ">".join(map(_cut, pieces))
    if len(text) > _MAX_TAG and text.count("=") > _MAX_ATTRIBUTES:
        position = 0
        while start := _TAG_START.search(text, position):
            rest = _TAG_REST.match(text, start.end())
            position = rest.end() if rest else start.end()
            if (
                position - start.start() > _MAX_TAG
                and text.count("=", start.start(), position) > _MAX_ATTRIBUTES // 4
            ):
                raise PageNotUnderstood("too_deep", "a tag with thousands of attributes")
    return text


def _cut(piece: str) -> str:
    start = _TAG_START.search(piece) if len(piece) > _MAX_TAG else None
    return piece[: start.start() + 1000] if start and len(piece) - start.start() > _MAX_TAG else piece


@lru_cache(maxsize=1024)
def _words(ident: str, cls: str) -> str:
    """What an element calls itself; kept, since most of a page's names are those of its list entries."""
    return f"{ident} {cls}"[:_MAX_WORDS].strip().lower()


class _Builder:
    def __init__(self) -> None:
        self.tree = Tree()
        self.parts: list[tuple[str, Node]] = []
        self.full = False

    def walk(self, root: LexborNode) -> None:  # noqa: C901, PLR0912, PLR0915 - a call costs as much as a visit
        """Visit every node once, in document order, without recursion."""
        lines, nodes, parts = self.tree.lines, self.tree.nodes, self.parts
        stack: list[LexborNode] = []
        current: LexborNode | None = root
        parent: Node | None = None
        while current is not None and not self.full:
            tag = current.tag or ""
            if tag == "-text":
                text = current.text_content or ""
                if parent is None or len(text) > _PLAIN or parent.tag in _ODD_TEXTS:
                    self.add_text(text, parent)
                elif not text.isspace():
                    parts.append((text, parent))
                elif parts:
                    parts.append((" ", parent))
            elif tag in _NO_CHILDREN or tag < _FIRST_LETTER:
                self.no_element(tag, current)
            else:
                if parts and tag in BLOCK:
                    self.flush()
                first, index = len(lines), len(nodes)
                if parent is None:
                    depth, hidden, link = 0, False, -1
                else:
                    depth, hidden, link = parent.depth + 1, parent.hidden, parent.link
                attrs = current.attributes
                if attrs:
                    if tag == "a" and attrs.get("href"):
                        link = index
                    style = attrs.get("style")
                    if "hidden" in attrs or (style and "none" in style and _HIDDEN.search(style)):
                        hidden = True
                node = Node(tag, attrs or _NO_ATTRIBUTES, parent, first, first, index, depth, hidden, link)
                nodes.append(node)
                if len(nodes) == MAX_NODES:
                    self.full = True
                if link == index:
                    self.tree.links.append(node)
                elif tag in _NOTED:
                    self.note(node)
                if (child := current.first_child) is not None:
                    stack.append(current)
                    current, parent = child, node
                    continue
                if parts:
                    node.last += 1
            following = current.next
            while following is None and parent is not None:
                current = stack.pop()
                if parts and parent.tag in BLOCK:
                    self.flush()
                # An inline element's line stays open: it counts as the element's.
                parent.last = len(lines) + 1 if parts else len(lines)
                parent = parent.parent
                following = current.next if parent is not None else None
            current = following
        self.end(root, parent)

    def end(self, root: LexborNode, unfinished: Node | None) -> None:
        """Close what is open, and read what stands behind the root: comments after a stray </html>."""
        self.flush()
        while unfinished is not None:
            unfinished.last = len(self.tree.lines)
            unfinished = unfinished.parent
        sibling = root.next
        while sibling is not None:
            self.comment(sibling)
            sibling = sibling.next

    def comment(self, raw: LexborNode) -> None:
        if raw.is_comment_node and len(self.tree.comments) < 500:
            self.tree.comments.append((len(self.tree.lines), (raw.comment_content or "")[:4000]))

    def note(self, node: Node) -> None:
        """Enter a picture in its list; note that there are frames."""
        if node.tag == "img":
            self.image(node)
        else:
            self.tree.framed = True

    def no_element(self, tag: str, raw: LexborNode) -> None:
        """Read what holds no text of the page: line breaks, scripts, comments, elements of the head."""
        if tag == "br":
            self.flush()
        elif tag in _HEAD:
            self.head_element(tag, raw.attributes)
        elif tag in _SKIP:
            self.skipped(tag, raw)
        else:
            self.comment(raw)

    def add_text(self, text: str, parent: Node | None) -> None:
        """Take a text that is long or stands where texts are not as elsewhere."""
        if parent is None or parent.tag == "head":
            return
        if text.isspace():
            if self.parts:
                self.parts.append((" ", parent))
        elif parent.tag == "pre" or _is_indented(text):
            self.preformatted(text, parent)
        else:
            self.parts.append((text, parent))

    def preformatted(self, text: str, parent: Node) -> None:
        pieces = text.split("\n") if parent.tag == "pre" else _IDEOGRAPHIC_INDENT.split(text)
        for number, piece in enumerate(pieces):
            if number:
                self.flush()
            if piece.strip():
                self.parts.append((piece, parent))

    def flush(self) -> None:
        """Make a line of the open parts, the first of which is never blank."""
        if not self.parts:
            return
        parts = self.parts.copy()
        self.parts.clear()
        block = parts[0][1]
        text, links, hidden = "", 0, block.hidden
        for part, owner in parts:
            text += part
            if owner.link >= 0:
                links += len(part.strip())
                self.tree.link_texts[owner.link].append(part)
            if hidden and not owner.hidden and part != " ":
                hidden = False
        text = " ".join(text.split())
        while block.tag not in BLOCK and block.parent is not None:
            block = block.parent
        lines = self.tree.lines
        lines.append(Line(text, block, parts, min(links, len(text)), len(lines), hidden))
        if len(lines) >= MAX_LINES:
            self.full = True

    def image(self, node: Node) -> None:
        get = node.get
        for name in ("data-original", "data-src", "data-url", "data-actualsrc", "original", "src"):
            url = get(name).strip()
            if url and not url.startswith("data:"):
                self.tree.images.append(
                    PageImage(url[:2000], get("alt").strip()[:500], node, len(self.tree.lines))
                )
                return

    def skipped(self, tag: str, raw: LexborNode) -> None:
        if tag == "script":
            self.script(raw)
        elif tag == "textarea":
            self.embed(raw)
        elif tag == "title" and not self.tree.title:
            self.tree.title = " ".join((raw.text() or "").split())[:500]

    def embed(self, raw: LexborNode) -> None:
        child = raw.first_child
        text = (child.text_content or "") if child is not None else ""
        if len(text) > _LEAST_EMBEDDED and len(self.tree.embedded) < 50:
            self.tree.embedded.append(text[:_MAX_SCRIPT])

    def script(self, raw: LexborNode) -> None:
        child = raw.first_child
        text = (child.text_content or "") if child is not None else ""
        if not text:
            return
        kind = (raw.attributes.get("type") or "").lower()
        if "ld+json" in kind:
            self.tree.json_ld.append(text[:_MAX_SCRIPT])
        else:
            self.tree.scripts.append(text[:_MAX_SCRIPT])
            if kind.startswith("text/") and "javascript" not in kind:
                self.embed(raw)

    def head_element(self, tag: str, attrs: dict[str, str | None]) -> None:
        if tag == "base":
            self.tree.base = self.tree.base or attrs.get("href") or ""
        elif tag == "link":
            rel = (attrs.get("rel") or "").lower()
            if rel and attrs.get("href"):
                self.tree.link_rel.setdefault(rel, attrs.get("href") or "")
        else:
            content = attrs.get("content") or ""
            if (attrs.get("http-equiv") or "").lower() == "refresh":
                self.tree.refresh = content
            name = attrs.get("name") or attrs.get("property") or attrs.get("itemprop")
            if name and content:
                self.tree.meta.setdefault(name.strip().lower(), content.strip()[:4000])
