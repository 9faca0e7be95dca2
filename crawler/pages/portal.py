"""Article pages of news portals, governments, Party sites and zones: one reader for all of them."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from crawler.exceptions import NotAnArticle, PageError
from crawler.extract import bylines, wording
from crawler.extract.body import Body, find_body, find_text_body
from crawler.extract.bylines import Byline
from crawler.extract.cleaning import is_meta_line
from crawler.extract.dates import clamp, find_stamps, is_relative
from crawler.extract.metadata import Metadata, read_metadata
from crawler.extract.pagination import further_pages
from crawler.extract.pictures import pictures
from crawler.extract.published import published
from crawler.extract.scripted import scripted_markup
from crawler.extract.titles import Title, find_title, is_set_off, title_from_text
from crawler.extract.tree import Line, Tree, from_text, parse
from crawler.items import ArticleItem, Image
from crawler.pages.base import ArticlePage
from store.text import clean_line, clean_text

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Shorter texts are kept and flagged.
_SHORT = 60
#: Markup with less text than this is searched for an article in its scripts.
_SHELL = 60
#: Characters that may stand between the top of the text's element and its headline (path, column, kicker).
_LEAD_ROOM = 120
#: Visible lines below the headline in which its byline stands.
_BYLINE_LINES = 6
#: So many dated links below a heading are the rows of a list.
_DATED_ROWS = 3
#: Article links from which a page with hardly any text of its own is a list.
_LIST_LINKS = 12
_ERROR = re.compile(
    r"(?:^|\D)(?:404|403|500|502|503)(?:\D|$)|页面(?:不存在|没有找到|找不到|已删除|无法访问|走丢|出错)|(?:您|你)访问的(?:页面|内容|文章|信息|网页)[^。]{0,10}(?:不存在|已删除|找不到|被删除|下线)|"
    r"(?:文章|内容|信息)(?:不存在|已被删除|已删除|已下线)|Not Found|Bad Gateway|Forbidden|访问(?:被拒绝|受限|过于频繁)|出错了",
    re.IGNORECASE,
)


class PortalArticlePage(ArticlePage):
    """Any news or government article page. `now` (aware) clamps dates in the future and resolves relative times."""

    def __init__(
        self, body: bytes, url: str = "", *, declared: str | None = None, now: datetime | None = None
    ) -> None:
        super().__init__(body, url, declared=declared)
        self.now = now

    def to_items(self) -> list[ArticleItem]:
        """The page's article. Raises NotAnArticle or PageNotUnderstood with the reason."""
        text = clean_text(self.article.text)
        title = clean_line(self.title.text) if self.title else ""
        if len(text) < _SHORT:
            self._refuse_what_is_none(text, title)
        published_at, future = clamp(self.published_at, self.now)
        item = ArticleItem(
            url=self.url,
            title=title or title_from_text(text),
            text=text,
            kicker=_line((self.title.kicker if self.title else None) or self.metadata.kicker),
            subtitle=_line((self.title.subtitle if self.title else None) or self.metadata.subtitle),
            published_at=published_at,
            publisher=_line(self.byline.source),
            author=_line(self.byline.author),
            editor=_line(self.byline.editor),
            page_number=_line(self.metadata.page_number),
            images=self._images(title),
            page_urls=self._page_urls(),
        )
        item.flags = self._flags(item, titled=bool(title), future=future)
        return [item]

    @cached_property
    def found(self) -> Body:
        return find_body(self.tree)

    @cached_property
    def article(self) -> Body:
        """The text without a headline that stands in its element; text of a script where the markup has none."""
        body = self._unheaded
        if len(body.text) < _SHELL and (markup := scripted_markup(self.tree)):
            scripted = _read_markup(markup)
            if len(scripted.text) > 2 * len(body.text) + _SHELL:
                return scripted
        return body

    @cached_property
    def _unheaded(self) -> Body:
        body, title = self.found, self.title
        if title is None or not body.lines or not body.lines[0].index <= title.first <= body.lines[-1].index:
            return body
        before = sum(len(line.text) for line in body.lines if line.index < title.first)
        if before > _LEAD_ROOM or not is_set_off(self.tree, title):
            return body
        return dataclasses.replace(body, lines=[line for line in body.lines if line.index >= title.last])

    @cached_property
    def metadata(self) -> Metadata:
        return read_metadata(self.tree)

    @cached_property
    def region(self) -> tuple[int, int]:
        """The lines from the first to after the last one of the text's element."""
        lines = self.found.lines
        if lines:
            return lines[0].index, lines[-1].index + 1
        middle = len(self.tree.lines) // 2
        return middle, middle

    @cached_property
    def title(self) -> Title | None:
        return find_title(self.tree, self.metadata.titles, self.region[0])

    @cached_property
    def around(self) -> tuple[list[Line], list[Line], list[Line]]:
        """Lines that may tell of source, time and people: before the text (from the headline on), inside it, after it."""
        lines = self._unheaded.lines
        title = self.title
        if lines:
            first, last = lines[0].index, lines[-1].index + 1
        elif title is not None and title.first >= 0:
            first = last = min(title.last + _BYLINE_LINES, len(self.tree.lines))
        else:
            first, last = self.region
        own = {line.index for line in lines}
        shown = title is not None and 0 <= title.first < first
        start = title.first if title is not None and shown else max(0, first - 12)
        headline = range(title.first, title.last) if title is not None else range(0)
        every = self.tree.lines
        before = [x for x in every[max(0, start - 4) : first] if x.index not in headline]
        inside = [x for x in every[first:last] if x.index not in own and x.index not in headline]
        return before, inside, every[last : last + 25]

    @cached_property
    def byline(self) -> Byline:
        """Source, author and editor: the lines between headline and text first, then those after, inside, hidden."""
        before, inside, after = self.around
        byline = Byline()
        below = self.title.last if self.title is not None else 0
        # The lines under the headline first, then those above it.
        visible = sorted((x for x in before if not x.hidden), key=lambda x: x.index < below)
        bylines.read_lines(visible, byline)
        # A reprint names its own editors inside its text; the site's editor stands outside.
        outside = self.found.node.last if self.found.node is not None else 0
        later = [x for x in after if not x.hidden]
        beyond = [x for x in later if x.index >= outside]
        of_site = bylines.labelled(beyond)
        byline.offer("editor", of_site.editor or "", 3)
        byline.take(of_site if len(beyond) == len(later) else bylines.labelled(later), 4)
        bylines.read_lines([x for x in inside if not x.hidden], byline, 7)
        bylines.read_lines([x for x in before + after if x.hidden], byline, 14)
        bylines.read_classes(visible, byline)
        bylines.read_unlabelled(visible, byline)
        bylines.read_reporters(visible, byline)
        for line in self.article.lines[-3:]:
            bylines.read_line(bylines.joined(line)[-60:], byline, 6)
        bylines.read_text([line.text for line in self.article.lines], byline)
        for kind in ("source", "author", "editor"):
            byline.offer(kind, getattr(self.metadata, kind) or "", 30)
        return byline

    @cached_property
    def published_at(self) -> str | None:
        before, inside, after = self.around
        below = self.title.last if self.title is not None else 0
        above = [x for x in before if x.index < below]
        under = [x for x in before if x.index >= below]
        return published(under, inside + after, self.metadata, self.address, self.now, above)

    @cached_property
    def address(self) -> str:
        """Where the page is, or says it is."""
        stated = self.tree.link_rel.get("canonical") or self.tree.meta.get("og:url") or ""
        return self.url or (stated if stated.startswith(("http://", "https://")) else "")

    def has_byline(self) -> bool:
        """Whether a line of time or source stands right below the headline, as on article pages and not on lists."""
        title = self.title
        if title is None or title.first < 0:
            return False
        below = [x for x in self.tree.lines[title.last : title.last + 12] if not x.hidden][:_BYLINE_LINES]
        dated = sum(
            1 for x in self.tree.lines[title.last : title.last + 12] if x.links and find_stamps(x.text)
        )
        return dated < _DATED_ROWS and any(_is_byline(line) for line in below)

    def _refuse_what_is_none(self, text: str, title: str) -> None:
        """Raise NotAnArticle for pages that hold hardly any text and no article's marks."""
        tree = self.tree
        if tree.refresh and "url=" in tree.refresh.lower() and len(tree.lines) < 12:
            raise NotAnArticle("redirect_page", tree.refresh[:200])
        shown = " ".join(line.text for line in tree.lines[:40])[:600]
        if _ERROR.search(tree.title) or (len(tree.lines) < 40 and _ERROR.search(shown)):
            raise NotAnArticle("error_page", tree.title[:100])
        marked = bool(title) and (self.has_byline() or self.metadata.is_article)
        if not marked and self._article_links() >= _LIST_LINKS:
            raise NotAnArticle("list_page")
        if not marked and (not text or not wording.sentences(text)):
            raise NotAnArticle("script_shell" if tree.scripts or tree.framed else "empty")

    def _article_links(self) -> int:
        from crawler.pages.lists import find_candidates

        return len(
            {c.url for c in find_candidates(self.tree, self.base_url, self.url) if c.article and c.size >= 6}
        )

    def _images(self, title: str) -> list[Image]:
        found = [(self.urljoin(url), caption) for url, caption in pictures(self.tree, self.article, title)]
        return [Image(url, _line(caption)) for url, caption in found if url]

    def _page_urls(self) -> list[str]:
        if not self.found.lines:
            return []
        references = further_pages(self.tree, self.region[0], self.url)
        urls = [url for reference in references if (url := self.urljoin(reference)) and url != self.url]
        return list(dict.fromkeys(urls))

    def _flags(self, item: ArticleItem, *, titled: bool, future: bool) -> list[str]:
        flags = []
        if future:
            flags.append("future_date")
        if not item.title:
            flags.append("no_title")
        elif not titled:
            flags.append("title_from_text")
        if item.published_at is None:
            flags.append("no_date")
        if len(item.text) < _SHORT:
            flags.append("short")
        return flags


class PortalText(PortalArticlePage):
    """The plain text of a portal page with its furniture, or a bare reprint: what copying a page by hand gives."""

    def __init__(self, text: str, url: str = "", *, now: datetime | None = None) -> None:
        super().__init__(b"", url, now=now)
        self.plain = text

    @cached_property
    def tree(self) -> Tree:
        if not self.plain.strip():
            raise NotAnArticle("empty")
        return from_text(clean_text(self.plain))

    @cached_property
    def found(self) -> Body:
        return find_text_body(self.tree)

    @cached_property
    def title(self) -> Title | None:
        """The headline, only where a byline or the page's own words mark it: a text's first line may be its first sentence."""
        first, _ = self.region
        declared = [m[1] for line in self.tree.lines[:first] if (m := _READING.match(line.text))]
        title = find_title(self.tree, declared, first)
        if title is not None and 0 <= title.first < first:
            return title
        return self._first_line()

    def _first_line(self) -> Title | None:
        """The text's first line where it reads as a headline: short, no sentence, a paragraph below it."""
        lines = self.found.lines
        if len(lines) < 2 or not _HEADLINE.match(lines[0].text):
            return None
        below = next((x for x in lines[1:4] if len(x.text) >= _PARAGRAPH), None)
        if below is None or not wording.sentences(below.text):
            return None
        return Title(lines[0].text, lines[0].index, lines[0].index + 1)

    @cached_property
    def _unheaded(self) -> Body:
        body, title = self.found, self.title
        if title is None or not body.lines or title.first < body.lines[0].index:
            return body
        return dataclasses.replace(body, lines=[line for line in body.lines if line.index >= title.last])

    def _flags(self, item: ArticleItem, *, titled: bool, future: bool) -> list[str]:
        flags = super()._flags(item, titled=titled, future=future)
        guessed = self.title is not None and self.title.first >= self.region[0]
        return [*flags, "unsure_title"] if guessed else flags


def _is_byline(line: Line) -> bool:
    text = line.text
    if len(text) > 160:
        return False
    if line.links * 2 > len(text):
        return bool(_SOURCED.search(text))
    return is_meta_line(line) or bool(_SOURCED.search(text)) or (len(text) <= 40 and is_relative(text))


_SOURCED = re.compile(r"(?:来\s{0,3}源|稿源)\s?[:：]\s?\S")
#: A first line that can be a headline: up to two commas, no end of a sentence.
_HEADLINE = re.compile(r"^[^。！？!?；;…⋯，,]{3,30}(?:[，,][^。！？!?；;…⋯，,]{2,20}){0,2}[！？!?]?$")
_PARAGRAPH = 40
_READING = re.compile(r"^正在阅读\s?[:：]\s?(.{4,100})$")


def join_pages(items: Sequence[ArticleItem]) -> ArticleItem:
    """One article of the items of its pages, in order: the first page's fields, everybody's text and pictures.

    Paragraphs that a page repeats from the one before, and names that only a later page gives, are taken once.
    Raises ValueError for an empty sequence.
    """
    if not items:
        raise ValueError("no pages to join")
    first = items[0]
    paragraphs = first.text.split("\n")
    images = {image.url: image for image in first.images}
    for item in items[1:]:
        seen = set(paragraphs)
        paragraphs += [p for p in item.text.split("\n") if p and (p not in seen or len(p) < 12)]
        for image in item.images:
            images.setdefault(image.url, image)
    joined = dataclasses.replace(first, text="\n".join(paragraphs), images=list(images.values()))
    for name in ("published_at", "publisher", "author", "editor"):
        if getattr(joined, name) is None:
            setattr(joined, name, next((v for item in items if (v := getattr(item, name))), None))
    joined.page_urls = [item.url for item in items[1:]] or list(first.page_urls)
    joined.flags = [f for f in first.flags if not (f == "short" and len(joined.text) >= _SHORT)]
    return joined


def _read_markup(markup: str) -> Body:
    try:
        return find_body(parse(markup) if "<" in markup else from_text(markup))
    except PageError:
        return Body()


def _line(text: str | None) -> str | None:
    return clean_line(text) or None if text else None
