"""Plain text torn out of a newspaper page: its articles as items."""

from __future__ import annotations

import re

from crawler.extract.torn_articles import Draft, cut, zones_in
from crawler.extract.torn_headlines import Headline, assign
from crawler.extract.torn_lines import Kind, cjk_length, is_lead, is_notice_title, read_lines, repair_headline
from crawler.items import ArticleItem

#: An article has at least two sentences or this many Chinese characters below a headline.
_SHORTEST = 40
_PORTAL = re.compile(
    "(?m)^.{0,40}(?:首页\\s*[>＞]|当前位置|您的位置|来源[:：].{0,40}\\d{4}[-年]|打印|字号|分享到|相关阅读|点击右上角)"
)
_SENTENCE_END = re.compile("[。!?！？]+")
_FIRST_SENTENCE = re.compile("[^\n。!?！？]*")


class TornText:
    """A newspaper page as plain text, in whatever order its lines were torn out."""

    def __init__(self, text: str, url: str = "") -> None:
        self.text = text
        self.url = url

    def to_items(self) -> list[ArticleItem]:
        """Return the page's articles in reading order: bodies without captions, adverts, notices and page furniture.

        An article whose headline is lost gets its first sentence as title (flag `title_from_text`); a headline put
        together from pieces is flagged `unsure_title`. Never raises.
        """
        page = cut(read_lines(self.text))
        headlines = assign(page)
        items = [
            item
            for index, draft in enumerate(page.drafts)
            if (item := self._item(draft, headlines.get(index))) is not None
        ]
        for position, item in enumerate(items):
            item.position = position
        return items

    def _item(self, draft: Draft, headline: Headline | None) -> ArticleItem | None:
        body = draft.body
        if headline is None:
            return self._untitled(draft, body)
        if is_notice_title(headline.title) or cjk_length(body) < _SHORTEST:
            return None
        return self._made(
            draft, headline, 0.75 if headline.torn else 0.9, ["unsure_title"] if headline.torn else []
        )

    def _untitled(self, draft: Draft, body: str) -> ArticleItem | None:
        """Return an article for a body without headline when it has two sentences, else None."""
        if len(_SENTENCE_END.findall(body)) < 2 or cjk_length(body) < _SHORTEST:
            return None
        return self._made(draft, Headline(title_from_text(body)), 0.6, ["title_from_text"])

    def _made(self, draft: Draft, headline: Headline, confidence: float, flags: list[str]) -> ArticleItem:
        unfinished = draft.unfinished
        return ArticleItem(
            url=self.url,
            title=headline.title,
            text=_with_subheads(draft),
            kicker=headline.kicker,
            subtitle=headline.subtitle,
            author=draft.names,
            confidence=round(confidence - 0.2 * unfinished, 2),
            flags=flags + (["unsure_cut"] if unfinished else []),
        )


def _with_subheads(draft: Draft) -> str:
    """Return the body with the subheads the text marks as such; unmarked short lines may be torn from elsewhere."""
    paragraphs: list[str] = []
    for index, paragraph in enumerate(draft.paragraphs):
        paragraphs += [line.text for line in draft.subheads.get(index, []) if line.marked]
        paragraphs.append(paragraph)
    return "\n".join(paragraphs)


def title_from_text(text: str) -> str:
    """Return a title for a text without one: its first sentence without the opening time, at most 40 characters."""
    first = _FIRST_SENTENCE.match(text)
    sentence = re.split("[;；]", first[0] if first else "", maxsplit=1)[0]
    parts = sentence.split(",") if "," in sentence else sentence.split("，")
    if len(parts) > 1 and len(parts[0]) <= 8 and is_lead(parts[0]):
        parts = parts[1:]
    title = parts[0]
    for part in parts[1:]:
        if len(title) + len(part) > 36:
            break
        title += "，" + part
    return repair_headline(title if len(title) <= 60 else title[:40] + "…")


def looks_like_newspaper(text: str) -> bool:
    """Say whether `text` is a newspaper page with several articles rather than one article or a portal page."""
    if _PORTAL.search(text):
        return False
    lines = read_lines(text)
    starts = sum(line.dateline or line.kind is Kind.BYLINE for line in lines)
    fragments = sum(line.kind is Kind.FRAGMENT for line in lines)
    titles = [item.title for item in TornText(text).to_items() if "title_from_text" not in item.flags]
    if len(titles) < 2:
        return False
    zones = {zone for title in titles for zone in zones_in(title)[:1]}
    return starts >= 2 or (starts + len(titles)) >= 4 or fragments >= 3 or len(zones) >= 2
