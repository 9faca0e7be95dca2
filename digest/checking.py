"""`parknews template check`: render an office's own templates with made-up issues and name file and line of what is wrong."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from digest.edition import edition_for
from digest.rendering import (
    Links,
    RenderingError,
    make_environment,
    render,
    render_message,
    render_page,
    render_view,
)
from digest.sample import SAMPLE_NOW, sample_issue
from digest.word_layout import load_layout
from store.archive import Hit, IssueLine, Shown, StoryFacts
from store.config import Config, DigestSection
from store.toml_file import TomlError

_LINKS = Links(
    "https://digest.example.cn", "https://digest.example.cn/u/key", "https://digest.example.cn/p/key"
)
#: What the mails beside the digest are rendered with.
SAMPLES: dict[str, dict[str, Any]] = {
    "alert": {
        "at": SAMPLE_NOW,
        "alerts": [
            {
                "state": "raised",
                "kind": "来源无法访问",
                "subject": "园区日报",
                "detail": "连接超时",
                "at": "2026-11-20 08:00",
            },
            {
                "state": "cleared",
                "kind": "投递停滞",
                "subject": "总第46期",
                "detail": "",
                "at": "2026-11-21 09:30",
            },
        ],
    },
    "confirm": {
        "title": "退订成功",
        "message": "您将不再收到本刊。",
        "link": "https://digest.example.cn/p/key",
    },
}
#: What an expression in a template can raise.
_TEMPLATE_FAULTS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
_SUFFIXES = {".html", ".txt"}


def check_templates(directory: Path) -> list[str]:
    """Return one line `FILE:LINE: what is wrong` per fault, in the order of files; empty when all is well."""
    if not directory.is_dir():
        return [f"{directory}:1: no such folder"]
    make_environment.cache_clear()
    own = make_environment(str(directory))
    files = sorted(path for path in directory.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
    found = [fault for path in files for fault in _syntax(own, directory, path)]
    if not found:
        found = list(
            dict.fromkeys(fault for act in _renderings(directory) for fault in _faults(act, directory))
        )
    make_environment.cache_clear()
    return found


def _syntax(own: SandboxedEnvironment, directory: Path, path: Path) -> Iterator[str]:
    name = path.relative_to(directory).as_posix()
    if name not in make_environment().list_templates():
        yield f"{path}:1: the product has no template {name}; only its own can be replaced"
        return
    try:
        own.get_template(name)
    except TemplateSyntaxError as error:
        yield f"{error.filename or path}:{error.lineno}: {error.message}"
    except UnicodeDecodeError:
        yield f"{path}:1: is not UTF-8"


def _renderings(directory: Path) -> Iterator[Callable[[], Any]]:
    config = Config(digest=DigestSection(templates=str(directory.absolute())))
    for count, hostile in ((24, False), (24, True), (0, False), (1, False)):
        edition = edition_for(sample_issue(stories=count, hostile=hostile))
        for links in (_LINKS, Links()):
            yield partial(render, edition, config, links=links)
            yield partial(render_page, edition, config, links=links)
    for name, context in SAMPLES.items():
        yield partial(render_message, name, config, context)
    yield partial(load_layout, config)
    for name, context in _views().items():
        yield partial(render_view, name, config, context)


def _views() -> dict[str, dict[str, Any]]:
    """The archive's pages with what they are shown with."""
    draft = sample_issue(stories=3)
    head, content = draft.content["masthead"], draft.stories[1].content
    line = IssueLine(47, head["label"], head["total"], head["date_words"], True, 3, draft.content["overview"])
    shown = Shown(content["title"], "样报", "样报网", content["url"], SAMPLE_NOW, SAMPLE_NOW, "reprint")
    evidence = (("zone", "合肥高新区", "合肥高新区"),)
    choices = {"zones": ["合肥高新区"], "themes": content["themes"]}
    query = {"q": "党建", "zone": "合肥高新区", "theme": "", "outlet": "", "since": "2026-11-01", "until": ""}
    hit = Hit(1, 47, head["label"], content)
    pages = {"page": 2, "previous_page": "/search?page=1", "next_page": "/search?page=3"}
    return {
        "index": {"issues": [line], "query": query, **choices},
        "search": {"query": query, "problem": "", "total": 99, "hits": [hit], **pages, **choices},
        "story": {
            "facts": StoryFacts(1, 47, head["label"], content, (shown,), evidence),
            "relations": {"reprint": "转载"},
            "titles": {},
            "local_time": lambda moment: f"{moment:%Y-%m-%d %H:%M}",
        },
        "message": {"heading": "没有这一页", "message": "地址有误。"},
    }


def _faults(act: Callable[[], Any], directory: Path) -> Iterator[str]:
    try:
        act()
    except TemplateSyntaxError as error:
        yield f"{error.filename or error.name}:{error.lineno}: {error.message}"
    except TomlError as error:
        yield str(error)
    except RenderingError as error:
        yield f"{directory / str(error).partition(':')[0]}:1: {str(error).partition(': ')[2]}"
    except _TEMPLATE_FAULTS as error:
        yield f"{_place(error, directory)}: {error}"


def _place(error: Exception, directory: Path) -> str:
    """The deepest line of a template of the office's own; jinja2 rewrites tracebacks to template lines."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(directory)]
    markup = [frame for frame in frames if frame.filename.endswith((".html", ".txt"))]
    chosen = (own or markup or [frames[-1]])[-1]
    return f"{chosen.filename}:{chosen.lineno}"
