"""E-paper web sites of every common family: the current issue, its pages, their articles."""

from __future__ import annotations

import re
from datetime import date
from functools import cached_property

from crawler.exceptions import NotAnArticle
from crawler.items import ArticleItem, Link
from crawler.pages.epapers.addresses import day_of, is_article, is_issue, is_layout, issue_urls
from crawler.pages.epapers.articles import find_container, read_article
from crawler.pages.epapers.families import family_of
from crawler.pages.epapers.json_reader import JsonReaderPage, menu_url, post_form
from crawler.pages.epapers.layouts import current_page, layouts, links, pdf_url
from crawler.pages.epapers.markup import Markup, text_of
from crawler.pages.epapers.notices import is_advert_page, is_no_article, reason_of
from crawler.pages.epapers.properties import properties

__all__ = ["EpaperPage", "JsonReaderPage", "issue_urls", "menu_url", "post_form"]

_REFRESH = re.compile(r"(?:^|;)\s*url\s*=\s*[\"']?([^\"'>\s]{1,500})", re.IGNORECASE)
_SCRIPT_REDIRECT = re.compile(r"(?:location(?:\.href)?\s*=|location\.replace\()\s*[\"']([^\"']{1,300})[\"']")
#: A front page that redirects by script has no text of its own; a longer one is read as what it shows.
_BARE_PAGE = 400
_SHORT_BODY = 20


class EpaperPage:
    """A page of an e-paper site; its family and role are told from the page, never configured."""

    def __init__(self, body: bytes, url: str, *, declared: str | None = None) -> None:
        from crawler.extract.decoding import decode

        self.url = url
        self.document = Markup(decode(body, declared).text, url)
        self._body, self._declared = body, declared

    @cached_property
    def _json(self) -> JsonReaderPage | None:
        opening = self.document.text.lstrip()[:1]
        return (
            JsonReaderPage(self._body, self.url, declared=self._declared) if opening in {"[", "{"} else None
        )

    @cached_property
    def _redirect(self) -> str | None:
        """Return where the page sends its reader, or None."""
        for element in self.document.tagged("meta"):
            if (element.get("http-equiv") or "").lower() == "refresh":
                match = _REFRESH.search(element.get("content") or "")
                target = self.document.absolute(match[1]) if match else None
                if target and target != self.url:
                    return target
        bare = (
            len(text_of(self.document.root)) < _BARE_PAGE and next(self.document.tagged("area"), None) is None
        )
        for script in self.document.tagged("script") if bare and not is_article(self.url) else ():
            match = _SCRIPT_REDIRECT.search(script.text or "")
            if match and "function" not in (script.text or "")[: match.start()]:
                return self.document.absolute(match[1])
        return None

    def family(self) -> str:
        """Return the page's family, a word of crawler.pages.epapers.families.FAMILIES."""
        return family_of(self.document, self._redirect)

    def role(self) -> str:
        """Return "front" (leads to the current issue), "layout" (a newspaper page's index) or "article"."""
        if self._json is not None:
            return self._json.role()
        if self._is_article():
            return "article"
        if self._redirect is not None or (
            not links(self.document) and not is_layout(self.url) and not layouts(self.document)
        ):
            return "front"
        return "layout"

    def _is_article(self) -> bool:
        if is_layout(self.url):
            return False
        if is_article(self.url) or properties(self.document.text).get("title"):
            return True
        container = find_container(self.document)
        return (
            container is not None
            and container.tag in {"founder-content", "cms-content"}
            and len(text_of(container)) > _SHORT_BODY
        )

    def issue_url(self, day: date | None = None) -> str | None:
        """Return the address of the current issue for a front page, None for every other page.

        A JSON reader's front does not say what is current: with `day` the address that answers with that day's pages
        comes back (to be asked with the form of `post_form`), without it None.
        """
        if self._json is not None or self.role() != "front":
            return None
        if self.family() == "json_reader":
            return menu_url(self.url, day) if day else None
        return self._redirect or self._latest_issue()

    def _latest_issue(self) -> str | None:
        """Return the latest issue a front page links to: the one of the latest day, else the first."""
        urls = [
            u
            for a in self.document.tagged("a", "area", "iframe", "frame")
            if (u := self.document.absolute(a.get("href") or a.get("src")))
        ]
        issues = [url for url in urls if is_layout(url) or is_issue(url)]
        return max(issues, key=lambda url: str(day_of(url) or ""), default=None)

    def layouts(self) -> list[Link]:
        """Return the issue's pages in the order shown; empty for an issue that is not out."""
        return self._json.layouts() if self._json is not None else layouts(self.document)

    def links(self) -> list[Link]:
        """Return the articles of this newspaper page; adverts, notices, pictures and credits are left out."""
        return self._json.links() if self._json is not None else links(self.document)

    def pdf_url(self) -> str | None:
        """Return the address of this newspaper page's PDF, or None."""
        return self._json.pdf_url() if self._json is not None else pdf_url(self.document)

    def place(self) -> tuple[str | None, str | None]:
        """Return number and name of the newspaper page that this page shows, None for what it does not say."""
        return current_page(self.document) if self._json is None else (None, None)

    def is_of_adverts(self) -> bool:
        """Say whether this newspaper page, going by its name, holds adverts or notices only."""
        return self._json is None and is_advert_page(self.place()[1] or "")

    def to_items(self) -> list[ArticleItem]:
        """Return the page's article. Raises NotAnArticle for every other page, PageNotUnderstood as portal pages do."""
        if self._json is not None:
            return self._json.to_items()
        role = self.role()
        if role == "front" and self.family() == "script_shell":
            raise NotAnArticle("script_shell")
        if role != "article":
            raise NotAnArticle("redirect_page" if role == "front" else "list_page")
        item = read_article(self.document)
        if is_no_article(item.title) and item.title:
            raise NotAnArticle(reason_of(item.title), item.title)
        if len(item.text) < _SHORT_BODY:
            return self._without_container(item)
        if not item.title:
            item.title, item.flags = item.text.split("\n")[0][:40], ["no_title", "title_from_text"]
        if item.published_at is None:
            item.flags.append("no_date")
        return [item]

    def _without_container(self, item: ArticleItem) -> list[ArticleItem]:
        """Return the article a page without the family's own container holds, read as any portal page."""
        if item.images:
            raise NotAnArticle("picture_only", item.title)
        if find_container(self.document) is not None and self.family() != "script_shell":
            raise NotAnArticle("empty", item.title)
        from crawler.pages.portal import PortalArticlePage

        found = PortalArticlePage(self._body, self.url, declared=self._declared).to_items()
        for other in found:
            for name in (
                "kicker",
                "subtitle",
                "author",
                "published_at",
                "publisher",
                "page_number",
                "page_name",
            ):
                setattr(other, name, getattr(item, name) or getattr(other, name))
            other.title = item.title or other.title
        return found
