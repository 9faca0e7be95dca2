"""Articles handed in as running text: Word documents, text files, mail. Title, byline and day are where writers put them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from crawler.exceptions import NotAnArticle
from crawler.extract.torn_lines import cjk_length, names_of
from crawler.items import ArticleItem
from crawler.pages.torn import TornText, looks_like_newspaper, title_from_text
from store.text import clean_line, clean_text

MAX_CHARACTERS = 2_000_000
_LONGEST_TITLE = 60
#: A document with several titles is several articles when each has at least this much text below it.
_WHOLE_ARTICLE = 100
_DATE = re.compile(
    r"((?:19|20)\d{2})\s?[年./-]\s?(1[0-2]|0?[1-9])\s?[月./-]\s?(3[01]|[12]\d|0?[1-9])日?(?:\D{0,3}([01]?\d|2[0-3])[:：]([0-5]\d))?"
)
_SOURCE = re.compile(
    "(?:来源|来自|出处|稿源|供稿单位|供稿)\\s*[:：]\\s*([^\\s:：|｜]{2,30}?)(?=\\s|$|[|｜]|\\d{4}[-年./])"
)
_AUTHOR = re.compile(
    "(?:作者|记者|通讯员|撰稿人?|文/|文字)\\s*[:：]?\\s*([\u4e00-\u9fff·]{2,4}(?:[ 、,，]+[\u4e00-\u9fff·]{2,4}){0,5})(?=\\s|$|[|｜)）])"
)
_EDITOR = re.compile(
    "(?:责任编辑|责编|编辑|编审)\\s*[:：]\\s*([\u4e00-\u9fff·]{2,4}(?:[ 、,，]+[\u4e00-\u9fff·]{2,4}){0,3})"
)
_BYLINE = re.compile("^[■□▶●◆◎○★]\\s*\\S|^(?:本报|本刊|特约)?(?:记者|通讯员)\\s")
_FOOT = re.compile(
    "^[\\[【(（]?\\s*(?:责任编辑|责编|编辑|编审|审核|审校|校对|签发|初审|复审|终审|监制|一审|二审|三审|来源|供稿|发布时间|联系人|联系电话|电话)\\s*[:：/]"
)
_LABEL = re.compile("^(?:标题|题目|主题|文章标题)\\s*[:：]\\s*")
_PASTED = re.compile(
    "首页\\s*[>＞]|当前位置|您的位置|点击右上角|分享到|相关阅读|推荐阅读|字号|打印本页|关闭窗口|阅读剩余全文|加载更多|扫一扫"
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph on one line; `look` is "title", "heading", "bold", "centred", "table" or ""."""

    text: str
    look: str = ""


@dataclass(slots=True)
class _Facts:
    published_at: str | None = None
    publisher: str | None = None
    author: str | None = None
    editor: str | None = None

    def read(self, line: str) -> None:
        """Take what one line says; what an earlier line said stands."""
        if self.published_at is None and (match := _DATE.search(line)):
            self.published_at = iso(match)
        for name, pattern in (("publisher", _SOURCE), ("author", _AUTHOR), ("editor", _EDITOR)):
            if getattr(self, name) is None and (found := pattern.search(line)):
                setattr(self, name, clean_line(found[1].replace("、", " ").replace("，", " ")))


def iso(match: re.Match[str]) -> str:
    """Return a matched date as ISO 8601: a bare day, or with the time in China's offset."""
    day = f"{match[1]}-{int(match[2]):02d}-{int(match[3]):02d}"
    return f"{day}T{int(match[4]):02d}:{match[5]}:00+08:00" if match[4] else day


class Manuscript:
    """Paragraphs of one file. `title` is a hint from outside (a mail's subject), used when the text has none."""

    def __init__(self, paragraphs: Sequence[Paragraph], url: str = "", title: str | None = None) -> None:
        self.paragraphs = [p for p in paragraphs if p.text.strip()]
        self.url = url
        self.title = title

    def to_items(self) -> list[ArticleItem]:
        """Return the articles: several when the document has several titles with whole texts below them.

        Raises NotAnArticle("empty").
        """
        if not self.paragraphs:
            raise NotAnArticle("empty")
        return [self._article(group) for group in self._groups()]

    def _groups(self) -> list[list[Paragraph]]:
        """Return the paragraphs of each article."""
        starts = [i for i, p in enumerate(self.paragraphs) if p.look == "title" and self._opens(i)]
        if len(starts) < 2:
            return [self.paragraphs]
        groups = [
            self.paragraphs[a:b] for a, b in zip(starts, [*starts[1:], len(self.paragraphs)], strict=True)
        ]
        whole = all(sum(len(p.text) for p in group[1:]) >= _WHOLE_ARTICLE for group in groups)
        long_titles = sum(cjk_length(group[0].text) >= 10 for group in groups) >= len(groups) - 1
        return groups if whole and long_titles else [self.paragraphs]

    def _opens(self, index: int) -> bool:
        return index == 0 or self.paragraphs[index - 1].look != "title"

    def _article(self, group: list[Paragraph]) -> ArticleItem:
        place = _title_place(group)
        flags: list[str] = []
        kicker = subtitle = None
        if place is None:
            rest = group
            title = self.title or title_from_text(group[0].text)
            flags += [] if self.title else ["no_title", "title_from_text"]
        else:
            title, rest = (
                _LABEL.sub("", group[place].text).strip("《》") or group[place].text,
                group[place + 1 :],
            )
            kicker = " ".join(p.text for p in group[:place] if len(p.text) <= _LONGEST_TITLE) or None
            if rest and re.match("[—─-]{1,2}[^—]", rest[0].text) and len(rest[0].text) <= _LONGEST_TITLE:
                subtitle, rest = rest[0].text, rest[1:]
        return self._made(title, kicker, subtitle, rest, flags)

    def _made(
        self, title: str, kicker: str | None, subtitle: str | None, rest: list[Paragraph], flags: list[str]
    ) -> ArticleItem:
        facts = _Facts()
        rest = _take_foot(_take_head(rest, facts), facts)
        text = "\n".join(p.text for p in rest)
        if not text and not title:
            raise NotAnArticle("empty")
        flags += ["no_date"] if facts.published_at is None else []
        flags += ["short"] if len(text) < 60 else []
        return ArticleItem(
            url=self.url,
            title=clean_line(title),
            text=clean_text(text),
            kicker=kicker,
            subtitle=subtitle,
            published_at=facts.published_at,
            publisher=facts.publisher,
            author=facts.author,
            editor=facts.editor,
            flags=flags,
        )


def _title_place(group: list[Paragraph]) -> int | None:
    """Return where the title stands: a title style, else the first short bold or centred line, else a short first line."""
    for looks, reach in ((("title",), 8), (("heading", "bold", "centred"), 5)):
        for i, paragraph in enumerate(group[:reach]):
            if paragraph.look in looks and _may_be_title(paragraph.text):
                return i
    return 0 if _may_be_title(group[0].text) and len(group) > 1 else None


def _may_be_title(text: str) -> bool:
    if _LABEL.match(text):
        return True
    if not 4 <= len(text) <= _LONGEST_TITLE or text.endswith(("。", ";", "；", ",", "，", "、")):
        return False
    if re.search("[。；;]|[…⋯]$", text):
        return False
    return not (_FOOT.match(text) or _BYLINE.match(text) or _DATE.fullmatch(text.strip()))


def _take_head(rest: list[Paragraph], facts: _Facts) -> list[Paragraph]:
    """Return the paragraphs below the byline lines that follow a title, having read those."""
    for count, paragraph in enumerate(rest[:5]):
        text = paragraph.text
        short = len(text) <= 70 and not text.endswith("。")
        said = _DATE.search(text) or _SOURCE.search(text) or _AUTHOR.search(text) or _EDITOR.search(text)
        if _BYLINE.match(text) and short:
            facts.author = facts.author or names_of(text)
        elif not (short and said and not _reads_on(text)):
            return rest[count:]
        else:
            facts.read(text)
    return rest[5:]


def _reads_on(text: str) -> bool:
    """Say whether a line with a day in it is running text."""
    return cjk_length(text) > 30 and "，" in text


def _take_foot(rest: list[Paragraph], facts: _Facts) -> list[Paragraph]:
    """Return the paragraphs above the credits at the end, having read those."""
    while rest and len(rest[-1].text) <= 60:
        text = rest[-1].text
        day = _DATE.fullmatch(text.strip("()（）【】[] "))
        if not (day or _FOOT.match(text)):
            break
        facts.read(text)
        rest = rest[:-1]
    return rest


def read_text(text: str, url: str = "", title: str | None = None) -> list[ArticleItem]:
    """Return the articles of a plain text: a torn newspaper page, a pasted portal page, or one article.

    Raises NotAnArticle("empty") and what portal pages raise.
    """
    text = clean_text(text[:MAX_CHARACTERS])
    if not text.strip():
        raise NotAnArticle("empty")
    if looks_like_newspaper(text):
        return TornText(text, url).to_items()
    lines = [" ".join(line.replace("\u3000", " ").split()) for line in text.split("\n")]
    lines = [line for line in lines if line]
    if len(_PASTED.findall(text)) >= 2:
        from crawler.pages.portal import PortalText

        return PortalText(text, url).to_items()
    return Manuscript(_paragraphs(lines), url, title).to_items()


def _paragraphs(lines: Sequence[str]) -> list[Paragraph]:
    """Mark the titles of a file of several briefs: short lines, each above a line that names a source or an author."""
    plain = [line.removeprefix("# ").removeprefix("## ") for line in lines]
    heads = [i for i, line in enumerate(plain[:-1]) if _may_be_title(line) and _is_head(plain[i + 1])]
    several = len(heads) >= 2 and heads[0] == 0
    return [Paragraph(line, "title" if several and i in heads else "") for i, line in enumerate(plain)]


def _is_head(line: str) -> bool:
    said = _SOURCE.match(line) or _AUTHOR.match(line) or _BYLINE.match(line)
    return bool(said) and len(line) <= 70 and not line.endswith("。")
