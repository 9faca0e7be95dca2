"""Article pages of news portals, governments, Party sites and zones: one reader for all of them."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime
from functools import cached_property

from crawler.exceptions import NotAnArticle
from crawler.extract import bylines
from crawler.extract.body import Body, find_body
from crawler.extract.bylines import Byline
from crawler.extract.dates import clamp
from crawler.extract.metadata import Metadata, read_metadata
from crawler.extract.published import published
from crawler.extract.titles import Title, find_title, is_set_off
from crawler.extract.tree import Line
from crawler.items import ArticleItem, Image
from crawler.pages.base import ArticlePage
from store.text import clean_line, clean_text

#: Shorter texts are kept and flagged.
_SHORT = 60
_MIN_TEXT = 12
#: Characters that may stand between the top of the text's element and its headline (path, column, kicker).
_LEAD_ROOM = 120


class PortalArticlePage(ArticlePage):
    """Any news or government article page. `now` (aware) clamps dates in the future and resolves relative times."""

    def __init__(
        self, body: bytes, url: str = "", *, declared: str | None = None, now: datetime | None = None
    ) -> None:
        super().__init__(body, url, declared=declared)
        self.now = now

    @cached_property
    def found(self) -> Body:
        return find_body(self.tree)

    @cached_property
    def article(self) -> Body:
        """The text without a headline that stands in its element."""
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
        """The lines from the first to after the last one of the text."""
        lines = self.found.lines
        if lines:
            return lines[0].index, lines[-1].index + 1
        middle = len(self.tree.lines) // 2
        return middle, middle

    @cached_property
    def title(self) -> Title | None:
        return find_title(self.tree, self.metadata.titles, *self.region)

    @cached_property
    def around(self) -> tuple[list[Line], list[Line], list[Line]]:
        """The lines that may tell of source, time and people: before the text (from the headline on), inside, after."""
        first, last = self._article_region()
        own = {line.index for line in self.article.lines}
        start = self.title.first if self.title and 0 <= self.title.first < first else max(0, first - 12)
        title = range(self.title.first, self.title.last) if self.title else range(0)
        lines = self.tree.lines
        before = [x for x in lines[max(0, start - 4) : first] if x.index not in title]
        inside = [x for x in lines[first:last] if x.index not in own and x.index not in title]
        return before, inside, lines[last : last + 25]

    def _article_region(self) -> tuple[int, int]:
        lines = self.article.lines
        return (lines[0].index, lines[-1].index + 1) if lines else self.region

    @cached_property
    def byline(self) -> Byline:
        before, inside, after = self.around
        byline = Byline()
        visible = [x for x in before if not x.hidden]
        bylines.read_lines(visible, byline)
        bylines.read_lines([x for x in after if not x.hidden], byline, 4)
        bylines.read_lines([x for x in inside if not x.hidden], byline, 7)
        bylines.read_lines([x for x in before + after if x.hidden], byline, 14)
        bylines.read_classes(visible, byline)
        bylines.read_unlabelled(visible, byline)
        self._read_tails(byline)
        bylines.read_text([line.text for line in self.article.lines], byline)
        self._declared_byline(byline)
        return byline

    def _declared_byline(self, byline: Byline) -> None:
        data = self.metadata
        byline.offer("source", data.source or "", 30)
        byline.offer("author", data.author or "", 30)
        byline.offer("editor", data.editor or "", 30)

    def _read_tails(self, byline: Byline) -> None:
        for line in self.article.lines[-3:]:
            bylines.read_line(bylines.joined(line)[-60:], byline, 6)

    @cached_property
    def published_at(self) -> str | None:
        before, inside, after = self.around
        return published(before, inside + after, self.metadata, self.url, self.now)

    def to_items(self) -> list[ArticleItem]:
        text = clean_text(self.article.text)
        if len(text) < _MIN_TEXT and not self.metadata.is_article and self.title is None:
            raise NotAnArticle("script_shell" if self.tree.scripts else "empty")
        published_at, future = clamp(self.published_at, self.now)
        item = ArticleItem(
            url=self.url,
            title=clean_line(self.title.text) if self.title else "",
            text=text,
            published_at=published_at,
            publisher=_line(self.byline.source),
            author=_line(self.byline.author),
            editor=_line(self.byline.editor),
            images=self._images(),
        )
        if future:
            item.flags.append("future_date")
        return [item]

    def _images(self) -> list[Image]:
        return []


def _line(text: str | None) -> str | None:
    return clean_line(text) or None if text else None
