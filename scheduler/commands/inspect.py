"""`parknews inspect`: what does the crawler make of this page?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("inputs", nargs=-1, metavar="[PATH|URL]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per input instead of a table.")
@click.option("--url", help="The address the page came from, when the input is a file.")
@click.option(
    "--kind", type=click.Choice(["auto", "article", "list", "newspaper"]), default="auto", show_default=True
)
@click.option("--allow-private", is_flag=True, help="Fetch from private and loopback addresses too.")
def inspect_command(
    inputs: tuple[str, ...], as_json: bool, url: str | None, kind: str, allow_private: bool
) -> None:
    """Show title, time, source, text, zones and themes of a page, or the articles a list page links to.

    Without PATH, lines `PATH` or `PATH<TAB>URL` are read from standard input. Exit code 0 when every input was answered.
    """
    from crawler.context import classifier_for
    from crawler.inspecting import inspect_page
    from store.config import load_config

    config = load_config()
    classifier = classifier_for(config)
    for name, address in _inputs(inputs, url):
        body, final, declared, problem = _load(name, address, allow_private, config.crawl.timeout)
        answer = (
            {
                "input": name,
                "kind": kind,
                "status": "unreachable",
                "detail": problem,
                "articles": [],
                "links": [],
                "seconds": 0,
            }
            if problem
            else inspect_page(name, body, final, kind, classifier, declared)
        )
        click.echo(json.dumps(answer, ensure_ascii=False) if as_json else _table(answer))


def _inputs(given: tuple[str, ...], url: str | None) -> Iterator[tuple[str, str]]:
    lines: Iterable[str] = given or (line.rstrip("\n") for line in sys.stdin)
    for line in lines:
        name, _, address = line.partition("\t")
        if name.strip():
            yield name, address or url or ""


def _load(name: str, address: str, allow_private: bool, timeout: float) -> tuple[bytes, str, str | None, str]:
    """Return (bytes, address, declared encoding, what went wrong)."""
    from crawler.fetching import MAX_BYTES, FetchError, fetch

    if name.startswith(("http://", "https://")):
        try:
            page = fetch(name, user_agent="parknews inspect", timeout=timeout, allow_private=allow_private)
        except FetchError as error:
            return b"", name, None, str(error)
        return page.body, page.url, page.declared, ""
    try:
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES + 1), address, None, ""
    except OSError as error:
        return b"", address, None, f"{name}: {error.strerror}"


def _table(answer: dict[str, Any]) -> str:
    detail = f" ({answer['detail']})" if answer.get("detail") else ""
    lines = [f"{answer['input']}: {answer['kind']}, {answer['status']}{detail}, {answer['seconds']:.3f} s"]
    for article in answer["articles"]:
        lines += _article_lines(article)
    for link in answer["links"]:
        lines.append(f"  {link['published_at'] or '-':16.16} {link['title'] or ''}  {link['url']}")
    return "\n".join(lines)


def _article_lines(article: dict[str, Any]) -> list[str]:
    rows = [
        (key, article[key])
        for key in (
            "kicker",
            "title",
            "subtitle",
            "published_at",
            "publisher",
            "author",
            "editor",
            "page_number",
        )
    ]
    verdict = "relevant" if article["relevant"] else "borderline" if article["borderline"] else "not relevant"
    reasons = "; ".join(f"{reason['field']}:{reason['term']}" for reason in article["reasons"][:8])
    rows += [
        ("verdict", f"{verdict}, score {article['score']:.2f} ({reasons})"),
        ("zones", ", ".join(f"{zone['name']} ({zone['role']}: {zone['text']})" for zone in article["zones"])),
        ("themes", ", ".join(f"{theme['key']} ({theme['text']})" for theme in article["themes"])),
        ("flags", ", ".join(article["flags"])),
    ]
    shown = [f"  {key:13} {value}" for key, value in rows if value]
    return ["", *shown, *(f"  | {line}" for line in article["text"].splitlines())]
