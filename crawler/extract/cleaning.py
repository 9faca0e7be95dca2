"""From an article's element to its own lines: heads, tails, captions, link lists and notices go."""

from __future__ import annotations

import re

from crawler.extract import wording
from crawler.extract.body import region_factors
from crawler.extract.tree import Line, Node, Tree

_INLINE_TAIL = wording.EDITOR_TAIL
#: After the editor's line nothing of the article follows, unless it stood before this share of the text.
_END_SHARE = 0.4
_ENDS = frozenset("。！？!?…”；;」』》.")


def article_lines(tree: Tree, node: Node, *, hidden: bool = False) -> list[Line]:
    """The lines of `node` that are the article's, in order, each once."""
    lines = [line for line in tree.lines[node.first : node.last] if hidden or not line.hidden]
    factors = region_factors(tree)
    base = factors[node.index]
    lines = [line for line in lines if factors[line.node.index] >= base or _is_long(line)]
    lines = _cut_head(lines)
    lines = _cut_tail(lines)
    lines = [line for line in lines if not _is_furniture(line)]
    lines = _without_link_lists(lines)
    return _without_captions(tree, lines)


def _is_long(line: Line) -> bool:
    return len(line.text) > 80 and line.links * 4 < len(line.text) and wording.sentences(line.text) >= 2


def _cut_head(lines: list[Line]) -> list[Line]:
    """Drop title, byline, buttons and path in front of the first paragraph."""
    for number, line in enumerate(lines[:25]):
        if is_meta_line(line):
            rest = lines[number + 1 :]
            before = sum(len(x.text) for x in lines[:number] if wording.sentences(x.text))
            if before < 80:
                return _cut_head(rest)
    return lines


_META_LABEL = re.compile(r"(?:来\s{0,4}源|稿源|发布(?:时间|日期)|时\s?间|日\s?期|作\s{0,4}者|编\s{0,4}辑|浏览|阅读|点击)[^，。]{0,6}[:：]")
_META_DATE = re.compile(r"(?:19|20)\d\d\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}")


def is_meta_line(line: Line) -> bool:
    """Whether the line is a byline: date with source, author or counter, and no sentence."""
    text = line.text
    if len(text) > 160 or "。" in text:
        return False
    dated = _META_DATE.search(text) is not None
    labels = len(_META_LABEL.findall(text))
    if dated and (labels or len(text) <= 40):
        left = _META_DATE.sub("", text)
        return labels > 0 or len(re.sub(r"[\d:：\s|日]", "", left)) <= 16
    return labels >= 2


def _cut_tail(lines: list[Line]) -> list[Line]:
    total = sum(len(line.text) for line in lines) or 1
    seen = 0
    for number, line in enumerate(lines):
        text = line.text
        if number and seen >= total * _END_SHARE and _ends_article(text, lines, number):
            return lines[:number]
        if number and wording.is_section_head(text) and _links_follow(lines, number):
            return lines[:number]
        seen += len(text)
    return lines


def _ends_article(text: str, lines: list[Line], number: int) -> bool:
    if wording.is_editor_line(text):
        rest = sum(len(x.text) for x in lines[number + 1 :] if wording.sentences(x.text) and not x.links)
        return rest < 200
    return wording.is_section_head(text) and not _prose_follows(lines, number)


def _prose_follows(lines: list[Line], number: int) -> bool:
    return any(
        wording.sentences(x.text) >= 2 and x.links * 4 < len(x.text) and not wording.is_notice(x.text)
        for x in lines[number + 1 : number + 4]
    )


def _links_follow(lines: list[Line], number: int) -> bool:
    following = lines[number + 1 : number + 4]
    return bool(following) and all(x.links * 2 > len(x.text) for x in following)


def _is_furniture(line: Line) -> bool:
    text = line.text
    if len(text) > 400:
        return False
    return (
        wording.is_control(text)
        or wording.is_editor_line(text)
        or wording.is_origin(text)
        or wording.is_pager(text)
        or wording.is_section_head(text)
        or (wording.is_notice(text) and wording.sentences(text) <= 3)
        or (line.links and wording.is_breadcrumb(text))
    )


def _without_link_lists(lines: list[Line]) -> list[Line]:
    """Drop lines that are nothing but a link, unless they stand alone between paragraphs."""
    linky = [line.links * 5 >= len(line.text) * 4 for line in lines]
    out = []
    for number, line in enumerate(lines):
        if linky[number]:
            continue
        out.append(line)
    return out


def _without_captions(tree: Tree, lines: list[Line]) -> list[Line]:
    """Drop picture captions: marked ones, and short lines right below a picture that end without a full stop."""
    pictures = {image.line for image in tree.images}
    out = []
    for line in lines:
        if line.node.tag == "figcaption" or wording.is_caption(line.text):
            continue
        if line.index in pictures and _reads_as_caption(line, lines):
            continue
        out.append(line)
    return out


def _reads_as_caption(line: Line, lines: list[Line]) -> bool:
    text = line.text
    if wording.is_credit(text):
        return True
    return len(text) <= 30 and text[-1] not in _ENDS and wording.punctuation(text) <= 1 and _centred(line)


def _centred(line: Line) -> bool:
    for node in line.node.ancestors()[:3]:
        if node.get("align").lower() == "center" or "center" in node.get("style").replace(" ", "").lower():
            return True
    return False
