"""From an article's element to its own lines: heads, tails, captions, link lists and notices go."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from crawler.extract import wording
from crawler.extract.regions import Regions
from crawler.extract.tree import Line, Node, Tree

#: After the editor's line nothing of the article follows, unless it stood before this share of the text.
_END_SHARE = 0.4
_ENDS = frozenset("。！？!?…”；;」』》.")


def article_lines(tree: Tree, node: Node, regions: Regions, *, hidden: bool = False) -> list[Line]:
    """The lines of `node` that are the article's, in order, each once; hidden ones only where they continue it."""
    lines = tree.lines[node.first : node.last]
    if not hidden:
        lines = _without_hidden(lines)
    base = regions.factor(node)
    lines = [line for line in lines if regions.factor(line.node) >= base or _is_long(line)]
    lines = _cut_tail(_cut_head(_rows_joined(lines, node)))
    lines = _without_furniture(lines)
    lines = _without_captions(tree, _without_link_lists(lines))
    return _without_inline_editors(lines)


def _without_hidden(lines: list[Line]) -> list[Line]:
    """Visible lines, and hidden paragraphs right among them: the rest behind a button "展开全文"."""
    shown = {line.text for line in lines if not line.hidden}
    homes = {line.node.parent for line in lines if not line.hidden and wording.sentences(line.text)}
    out = []
    for line in lines:
        folded = line.hidden and not (
            line.node.tag == "p" and line.node.parent in homes and line.text not in shown
            and len(line.text) >= _FOLDED and wording.sentences(line.text)
        )  # fmt: skip
        if not folded:
            out.append(line)
    return out


#: Characters of a hidden paragraph that can be the article's own.
_FOLDED = 30


def _without_furniture(lines: list[Line]) -> list[Line]:
    """Drop lines that wording tells are not the article's, and the short heads of notices right above them."""
    out: list[Line] = []
    prose = [n for n, line in enumerate(lines) if _is_prose(line)]
    begin, end = (prose[1], prose[-2]) if len(prose) > _MIDDLE else (len(lines), -1)
    for number, line in enumerate(lines):
        kept = _without_tail_link(line)
        if kept is not None and begin < number < end and len(line.text) > _SHORT_NOTICE:
            # Sentences on rights and codes may be news; notices stand at the ends of an article.
            out.append(kept)
        elif kept is not None and not _is_furniture(kept):
            out.append(kept)
        elif out and wording.is_notice(line.text) and _is_notice_head(out[-1]):
            out.pop()
    return out


#: Paragraphs an article must have more of to have a middle, and the length of notices that are dropped there, too.
_MIDDLE = 6
_SHORT_NOTICE = 40


def _is_prose(line: Line) -> bool:
    text = line.text
    return (
        len(text) > _SHORT_NOTICE
        and line.links * 4 < len(text)
        and text[-1] in _ENDS
        and not wording.is_notice(text)
    )


def _is_notice_head(line: Line) -> bool:
    return len(line.text) <= 16 and not wording.punctuation(line.text) and not _is_bold(line)


def _without_inline_editors(lines: list[Line]) -> list[Line]:
    """The lines with "（责任编辑：张三）" cut from the end of the last two."""
    for number in range(max(0, len(lines) - 2), len(lines)):
        line = lines[number]
        text = wording.EDITOR_TAIL.sub("", line.text).rstrip()
        if text and text != line.text:
            lines[number] = Line(text, line.node, line.parts, line.links, line.index, line.hidden)
    return lines


#: Cells longer than this are paragraphs of a layout table, not entries of a table of data.
_CELL = 60


def _rows_joined(lines: list[Line], node: Node) -> list[Line]:
    """The short cells of one table row as one line, in order, a space between."""
    out: list[Line] = []
    last_row: Node | None = None
    for line in lines:
        row = _row(line, node)
        if row is not None and row is last_row and len(line.text) <= _CELL and len(out[-1].text) <= 4 * _CELL:
            before = out[-1]
            parts = [*before.parts, (" ", row), *line.parts]
            text = f"{before.text} {line.text}"
            out[-1] = Line(text, before.node, parts, before.links + line.links, before.index, before.hidden)
        else:
            out.append(line)
        last_row = row if len(line.text) <= _CELL else None
    return out


def _row(line: Line, container: Node) -> Node | None:
    """The row of a data table inside the container that the line's cell belongs to."""
    if line.node.tag not in ("td", "th", "p", "div", "span"):
        return None
    for ancestor in line.node.ancestors(4):
        if ancestor is container:
            return None
        if ancestor.tag == "tr":
            return ancestor if container.depth < ancestor.depth else None
    return None


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


_META_LABEL = re.compile(
    r"(?:来\s{0,4}源|稿源|发布(?:时间|日期)|时\s?间|日\s?期|作\s{0,4}者|编\s{0,4}辑|浏览|阅读|点击)[^，。]{0,6}[:：]"
)
_META_DATE = re.compile(r"(?:19|20)\d\d\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}")


_META_TIME = re.compile(r"\d{1,2}[:：]\d\d(?!\d)")


def is_meta_line(line: Line) -> bool:
    """Whether the line is a byline: date with source, author or counter, and no sentence."""
    text = line.text
    if len(text) > 160 or "。" in text:
        return False
    dated = _META_DATE.search(text) is not None
    labels = len(_META_LABEL.findall(text))
    if (
        dated
        and len(text) <= 70
        and _META_TIME.search(text)
        and "，" not in text
        and not wording.sentences(text)
    ):
        return True
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
        if seen >= _ENOUGH and _closes_for_sure(text, lines, number):
            return lines[:number]
        if number and wording.is_section_head(text) and _links_follow(lines, number):
            return lines[:number]
        seen += len(text)
    return lines


#: Characters of text after which an article can be over although more than that follows (comments).
_ENOUGH = 120
#: Lines after the editors' line that must hold no paragraph.
_QUIET = 8


def _closes_for_sure(text: str, lines: list[Line], number: int) -> bool:
    """Whether the editors' line, or a head of comments, is followed by lists and buttons only."""
    if not (wording.is_editor_line(text) or (wording.is_strong_head(text) and "评论" in text)):
        return False
    return not any(_is_prose(line) for line in lines[number + 1 : number + 1 + _QUIET])


def _ends_article(text: str, lines: list[Line], number: int) -> bool:
    """Whether the line closes the article: its editors, or the head of a list that is not part of it."""
    if wording.is_editor_line(text):
        rest = sum(len(x.text) for x in lines[number + 1 :] if wording.sentences(x.text) and not x.links)
        return rest < 200
    if wording.is_strong_head(text):
        return not _prose_follows(lines, number)
    return wording.is_section_head(text) and (number + 1 == len(lines) or _links_follow(lines, number))


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
        or wording.is_strong_head(text)
        or (wording.is_notice(text) and wording.sentences(text) <= 3)
        or (line.links > 0 and wording.is_breadcrumb(text))
    )


_TAIL_LINK = re.compile(r"返回|查看|更多|首页|阅读|原文|下载|关注|进入|详情|>>|＞＞")


_SURE_TAIL = re.compile(r"查看更多$|^返回.{0,8}首页|阅读(?:全文|原文)$")


def _without_tail_link(line: Line) -> Line | None:
    """The line without a button that closes its sentence ("返回首页>>"); None where nothing else is left."""
    if not line.links or line.links > 24 or len(line.text) <= line.links:
        return line
    parts = list(line.parts)
    while parts and (not parts[-1][0].strip() or parts[-1][1].link >= 0):
        parts.pop()
    tail = " ".join("".join(text for text, _ in line.parts[len(parts) :]).split())
    head = " ".join("".join(text for text, _ in parts).split())
    head = re.sub(r"(?<=[。！？”）)])\s?返回$", "", head)
    closed = not head or head[-1] in _ENDS or head[-1] in "）)"
    if not tail or not (_TAIL_LINK.search(tail) if closed else _SURE_TAIL.search(tail)):
        return line
    return Line(head, line.node, parts, 0, line.index, line.hidden) if head else None


def _without_link_lists(lines: list[Line]) -> list[Line]:
    """Drop lines that are nothing but a link, unless they stand alone between paragraphs."""
    linky = [line.links * 5 >= len(line.text) * 4 for line in lines]
    out = []
    for number, line in enumerate(lines):
        if linky[number] and not (len(line.text) >= 80 and wording.sentences(line.text) >= 2):
            continue
        out.append(line)
    return out


_CAPTION_WORDS = re.compile(
    r"caption|(?:img|pic|image|photo)[-_]?(?:des|note|text|txt|tip|title|info|intro|word)|tuzhu|tushuo|zhushi|picnote|imgzs"
)
#: "…视察某地。这是…": how agencies describe a picture.
_THIS_IS = re.compile(r"。(?:这是|图为|这张)")


def _without_captions(tree: Tree, lines: list[Line]) -> list[Line]:
    """Drop picture captions: marked ones, and lines at a picture that read as one."""
    pictures = {image.line for image in tree.images}
    habits = _Habits(lines, pictures)
    return [
        line
        for line in lines
        if not _is_marked_caption(line) and not (line.index in pictures and _reads_as_caption(line, habits))
    ]


class _Habits:
    """How this page sets its text: which lines repeat and whether pictures have short lines below."""

    def __init__(self, lines: list[Line], pictures: set[int]) -> None:
        self.copies = Counter(line.text for line in lines if len(line.text) > 12)
        below = [line for line in lines if line.index in pictures]
        labels = sum(1 for line in below if _is_label(line))
        self.described = labels >= 2 and labels * 2 >= len(below)


def _is_marked_caption(line: Line) -> bool:
    if wording.is_caption(line.text):
        return True
    inner = next((node for text, node in line.parts if text.strip()), line.node)
    for node in inner.ancestors(3):
        if node.tag == "figcaption" or (
            len(line.text) <= 200 and (words := node.words) and _is_caption_name(words)
        ):
            return True
    return False


@lru_cache(maxsize=4096)
def _is_caption_name(words: str) -> bool:
    return _CAPTION_WORDS.search(words) is not None


def _reads_as_caption(line: Line, habits: _Habits) -> bool:
    """Whether a line right below a picture describes it."""
    text = line.text
    if wording.is_credit(text) or habits.copies[text] > 1 or (len(text) <= 160 and _THIS_IS.search(text)):
        return True
    plain = not _is_bold(line)
    return _is_label(line) and (
        (habits.described and plain) or (_centred(line) and (plain or habits.described))
    )


_CLAUSES = re.compile("[，。；：、！？,;]")


def _is_label(line: Line) -> bool:
    text = line.text
    return len(text) <= 40 and text[-1] not in _ENDS and len(_CLAUSES.findall(text)) <= 1


def _is_bold(line: Line) -> bool:
    inner = next((node for text, node in line.parts if text.strip()), line.node)
    return any(
        node.tag in ("strong", "b", "h1", "h2", "h3", "h4", "h5") or "bold" in node.get("style")
        for node in inner.ancestors(4)
    )


def _centred(line: Line) -> bool:
    for node in line.node.ancestors(3):
        if node.get("align").lower() == "center" or "center" in node.get("style").replace(" ", "").lower():
            return True
    return False
