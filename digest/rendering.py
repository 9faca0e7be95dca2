"""Editions to texts: Jinja2 folders {subject.txt, body.txt, body.html, page.html}, sandboxed, escaped, strict.

An office overrides any file by one of the same path in its own folder (`templates` under [digest]). The only links that
leave this module are http and https ones, places on the same page, and paths of the archive itself on its own pages.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import lxml.html
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from jinja2.sandbox import SandboxedEnvironment

from digest.counts import number
from digest.edition import Edition
from digest.story import SUMMARY_MARKS, web_link
from digest.trend import bars, line, signed
from store.config import Config
from store.text import clean_line, clean_text

#: Mail clients cut longer messages off (Gmail near 102 KB); the HTML part stays below this.
HTML_LIMIT = 90_000
#: What the HTML part tries to hold, fullest first: one-line stories, reprints with links a story, a second link to the original.
_LEVELS = (
    (10_000, 3, True),
    (10_000, 0, True),
    (10_000, 0, False),
    (200, 0, False),
    (100, 0, False),
    (40, 0, False),
    (0, 0, False),
)


class RenderingError(ValueError):
    """A template gave something that may not go out; the text names the template and what is wrong."""


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of one recipient's edition; each may be empty. `archive` is the archive's root without a final slash.

    `suffix` is added to every address in the archive (a signed key as ?k=…).
    """

    archive: str = ""
    unsubscribe: str = ""
    preferences: str = ""
    suffix: str = ""

    def issue(self, issue_number: int) -> str:
        """Return the address of an issue's page, or ""."""
        return f"{self.archive}/issues/{issue_number}{self.suffix}" if self.archive else ""

    def story(self, story_id: int) -> str:
        """Return the address of a story's page of facts, or ""."""
        return f"{self.archive}/stories/{story_id}{self.suffix}" if self.archive else ""


@dataclass(frozen=True, slots=True)
class IssueLink(Links):
    """The address of one issue's page, its key included, and no other: nothing else would open to whoever follows it."""

    number: int = 0
    address: str = ""

    def issue(self, issue_number: int) -> str:
        return self.address if issue_number == self.number else ""

    def story(self, story_id: int) -> str:  # noqa: ARG002
        return ""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message's three texts: one line, plain text, and HTML without outside resources."""

    subject: str
    text: str
    html: str


def render(edition: Edition, config: Config, *, links: Links, template: str = "weekly") -> Rendered:
    """Return the mail of an edition; the same edition, configuration and links give the same bytes.

    The HTML is at most HTML_LIMIT bytes: what does not fit stands in the text part and the archive, and the HTML says so.
    Raises jinja2.TemplateError or RenderingError for an office's own template that is wrong.
    """
    environment = environment_for(config)
    context = _context(edition, links)
    subject = environment.get_template(f"{template}/subject.txt").render(context)
    text = environment.get_template(f"{template}/body.txt").render(context)
    html = ""
    for briefs, reprints, originals in _LEVELS:
        level = {"max_briefs": briefs, "max_reprints": reprints, "originals": originals}
        html = _html(environment, f"{template}/body.html", context | level)
        if len(html.encode()) <= HTML_LIMIT:
            break
    return Rendered(clean_line(subject), _tidy(text), html)


def render_page(
    edition: Edition, config: Config, *, links: Links, stylesheet: str = "", home: str = "", word: str = ""
) -> str:
    """Return the issue as a web page. `stylesheet`, `home` and `word` are addresses; without a stylesheet it is embedded."""
    context = _context(edition, links) | {
        "stylesheet": stylesheet,
        "css": "" if stylesheet else css(),
        "home": home,
        "word": word,
        "max_briefs": 10_000,
        "max_reprints": 50,
    }
    return _html(environment_for(config), "weekly/page.html", context, own_paths=True)


def render_message(name: str, config: Config, context: Mapping[str, Any]) -> Rendered:
    """Return a message from the folder `name` (alert, confirm); `office` is added to the context."""
    environment = environment_for(config)
    values = {"office": config.office, **context}
    return Rendered(
        clean_line(environment.get_template(f"{name}/subject.txt").render(values)),
        _tidy(environment.get_template(f"{name}/body.txt").render(values)),
        _html(environment, f"{name}/body.html", values),
    )


def render_view(name: str, config: Config, context: Mapping[str, Any]) -> str:
    """Return a page of the archive or of the editor's desk (web/`name`.html); links to its own paths are allowed."""
    values = {"office": config.office, "stylesheet": "/static/digest.css", "css": "", "home": "/", **context}
    return _html(environment_for(config), f"web/{name}.html", values, own_paths=True)


def template_fault(error: Exception) -> str:
    """Return `FILE:LINE: what is wrong` of what a template raised, "" for any other error. jinja2 rewrites tracebacks to template lines."""
    if isinstance(error, TemplateSyntaxError):
        return f"{error.filename or error.name}:{error.lineno}: {error.message}"
    if isinstance(error, RenderingError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame for frame in frames if frame.filename.endswith((".html", ".txt"))]
    if lines and (isinstance(error, TemplateError) or lines[-1] is frames[-1]):
        return f"{lines[-1].filename}:{lines[-1].lineno}: {error}"
    return ""


def css() -> str:
    """Return the archive's stylesheet."""
    return (resources.files("digest") / "static" / "digest.css").read_text(encoding="utf-8")


def environment_for(config: Config) -> SandboxedEnvironment:
    """Return the environment that looks into the office's own folder first."""
    folder = config.digest.templates
    return make_environment(str(config.resolve(folder)) if folder else "")


@lru_cache(maxsize=8)
def make_environment(folder: str = "") -> SandboxedEnvironment:
    """Return a sandboxed environment over `folder` (may be "") and the product's own templates."""
    loaders: list[BaseLoader] = [FileSystemLoader(folder)] if folder else []
    environment = SandboxedEnvironment(
        loader=ChoiceLoader([*loaders, PackageLoader("digest")]),
        autoescape=_is_markup,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(link=web_link, number=number, line=clean_line)
    environment.globals.update(bars=bars, marks=SUMMARY_MARKS, signed=signed, trend_line=line)
    return environment


def _is_markup(name: str | None) -> bool:
    return not (name or "").endswith(".txt")


def _context(edition: Edition, links: Links) -> dict[str, Any]:
    return {"edition": edition, "issue": edition.content, "head": edition.content["masthead"], "links": links}


def _html(
    environment: SandboxedEnvironment, name: str, context: Mapping[str, Any], *, own_paths: bool = False
) -> str:
    html = re.sub(r"\n\s*\n+", "\n", clean_text(environment.get_template(name).render(context)))
    _check_links(name, html, own_paths=own_paths)
    return html


def _check_links(name: str, html: str, *, own_paths: bool) -> None:
    tree: Any = lxml.html.fromstring(html)
    for element, attribute, target, _ in tree.iterlinks():
        own = own_paths and target.startswith("/") and not target.startswith("//")
        leads = element.tag in {"a", "form", "area"} and attribute in {"href", "action"}
        if target and not own and not (leads and target.startswith(("http://", "https://", "#"))):
            what = "a link" if leads else f"an outside resource in <{element.tag}>"
            raise RenderingError(f"{name}: {what} {target[:80]!r}; only http and https links may go out")


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in clean_text(text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
