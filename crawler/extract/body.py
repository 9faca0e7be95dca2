"""The main text of a page: which element holds it, and which of its lines belong to the article."""

from __future__ import annotations

from dataclasses import dataclass, field

from crawler.extract import wording
from crawler.extract.cleaning import article_lines, is_meta_line
from crawler.extract.regions import Regions, is_body_name, weights
from crawler.extract.tree import Line, Node, Tree

#: Weight of a line for the element `distance` levels above it: its own block, that block's parent, and so on.
_DECAY = (0.92, 1.0, 0.65, 0.4, 0.25, 0.15, 0.1, 0.06)
#: A container must hold this share of an ancestor's text to stand for it, else the ancestor is taken.
_CLIMB_GAIN = 1.12


@dataclass(slots=True)
class Body:
    """The article's lines in order, the element they come from, and the region in the tree's lines."""

    lines: list[Line] = field(default_factory=list)
    node: Node | None = None
    first: int = 0
    last: int = 0

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


#: Weight of text above the headline: columns of other news that stand first in the markup.
_ABOVE = 0.4


def find_container(tree: Tree, regions: Regions, *, hidden: bool = False) -> Node | None:
    """The element that holds the article, or None where no text is."""
    mass = [0.0] * len(tree.nodes)
    score: dict[int, float] = {}
    for line, weight in zip(tree.lines, weights(tree, hidden=hidden), strict=True):
        if not weight:
            continue
        counted = weight * regions.factor(line.node) * (_ABOVE if line.index < regions.headline else 1.0)
        node: Node | None = line.node
        distance = 0
        while node is not None:
            mass[node.index] += counted
            if distance < len(_DECAY):
                score[node.index] = score.get(node.index, 0.0) + counted * _DECAY[distance]
            distance += 1
            node = node.parent
    best = _best(tree, score)
    return _climb(best, tree, mass, regions) if best is not None else None


def _best(tree: Tree, score: dict[int, float]) -> Node | None:
    """The element of the highest score, the first of equals."""
    best, top = None, 0.0
    for index, value in sorted(score.items()):
        node = tree.nodes[index]
        if (words := node.words) and is_body_name(words):
            value *= 1.1  # noqa: PLW2901
        if value > top:
            best, top = node, value
    return best


def _climb(node: Node, tree: Tree, mass: list[float], regions: Regions) -> Node:
    """Go up while the parent adds article text: blocks of the same make, or the rest of a divided article."""
    current = node
    while current.parent is not None and current.parent.tag not in ("html", "#document"):
        parent = current.parent
        if mass[parent.index] < mass[current.index] * _CLIMB_GAIN:
            if parent.tag == "body" or not _is_wrapper(current, parent):
                break
            current = parent
            continue
        if not _same_make(current, parent, tree, mass, regions):
            break
        current = parent
    return current


def _is_wrapper(node: Node, parent: Node) -> bool:
    """Whether the parent is a mere shell: climbing costs nothing and may take in short neighbouring paragraphs."""
    return node.tag in ("p", "span", "font", "strong", "section") and parent.tag not in ("body", "td")


def _same_make(node: Node, parent: Node, tree: Tree, mass: list[float], regions: Regions) -> bool:
    """Whether enough siblings of `node` look like it and carry running text."""
    extra = 0.0
    for sibling in tree.nodes[parent.index + 1 :]:
        if sibling.index > parent.index and sibling.depth <= parent.depth:
            break
        if sibling.parent is not parent or sibling is node:
            continue
        if regions.factor(sibling) < regions.factor(node):
            continue
        if sibling.tag == node.tag and _alike(node, sibling):
            extra += mass[sibling.index]
    return extra >= mass[node.index] * 0.1


#: Visible characters below which a page may keep its article in a hidden block (galleries).
_LITTLE = 150


def _alike(node: Node, sibling: Node) -> bool:
    """Whether two siblings of one tag can be paragraphs of one text: named alike, or small boxes without a name."""
    if node.tag == "p":
        return True
    if node.words or sibling.words:
        return node.words == sibling.words
    return max(node.last - node.first, sibling.last - sibling.first) <= _PARAGRAPH_LINES


#: Lines a box around a single paragraph has at most.
_PARAGRAPH_LINES = 3


def find_body(tree: Tree) -> Body:
    """The article's text; empty where the page has none. Hidden text counts only where nothing else is there."""
    regions = Regions(tree)
    body = _read(tree, regions, hidden=False)
    size = len(body.text)
    if size < _LITTLE and any(line.hidden for line in tree.lines):
        other = _read(tree, regions, hidden=True)
        if len(other.text) > 3 * size + 60:
            return other
    return body


def _read(tree: Tree, regions: Regions, *, hidden: bool) -> Body:
    node = find_container(tree, regions, hidden=hidden)
    if node is None:
        return Body()
    lines = article_lines(tree, node, regions, hidden=hidden)
    return Body(lines, node, node.first, node.last)


def find_text_body(tree: Tree) -> Body:
    """The article in a page's plain text: from the byline (or the start) to the editors' line or the first list head.

    Plain text has no links and elements; wording is all there is.
    """
    lines = tree.lines
    start = next((x.index + 1 for x in lines[:_TOP] if is_meta_line(x) and _opens(lines, x.index)), 0)
    end, seen = len(lines), 0
    for line in lines[start:]:
        if seen >= _ENOUGH and _closes(lines, line.index):
            end = line.index
            break
        seen += len(line.text)
    body = [x for x in article_lines(tree, tree.nodes[1], Regions(tree)) if start <= x.index < end]
    if not body and not start:
        body = [x for x in lines if wording.sentences(x.text)]
    return Body(body, tree.nodes[1], start, end)


#: Lines in which a plain text's byline stands, and characters after which an editors' line or a list head closes it.
_TOP = 60
_ENOUGH = 60


def _opens(lines: list[Line], number: int) -> bool:
    """Whether the byline in this line has the text below it, not above."""
    return _prose(lines[:number]) < 120 and _prose(lines[:number]) < _prose(lines[number + 1 :])


def _closes(lines: list[Line], number: int) -> bool:
    text = lines[number].text
    if wording.is_editor_line(text) or wording.is_strong_head(text):
        return True
    return wording.is_section_head(text) and _prose(lines[number + 1 : number + 6]) == 0


def _prose(lines: list[Line]) -> int:
    return sum(len(x.text) for x in lines if wording.sentences(x.text) and len(x.text) > 30)
