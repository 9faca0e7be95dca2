"""`parknews story`: group, explain, merge, split, rebuild."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from store.database import Engine


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def story_command() -> None:
    """Stories: articles that tell the same thing."""


@story_command.command("group")
@click.argument("lines", type=click.File("r", encoding="utf-8", errors="replace"))
@click.option("--database", "url", help="Work in this database instead of a throw-away one.")
def group(lines: IO[str], url: str | None) -> None:
    """Read {"id","title","text","published_at","publisher","url"} lines in order of arrival, write the story of each."""
    from store.stories import group_documents

    with _engine(url) as engine:
        for answer in group_documents(engine, _documents(lines)):
            click.echo(json.dumps(answer, ensure_ascii=False))


def _documents(lines: IO[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except json.JSONDecodeError as error:
            raise click.ClickException(f"line {number}: not JSON ({error.msg})") from error
        if not isinstance(document, dict) or document.get("id") is None:
            raise click.ClickException(f"line {number}: not a JSON object with an id")
        yield document


@contextmanager
def _engine(url: str | None) -> Iterator[Engine]:
    from store.database import make_engine
    from store.schema import ensure
    from store.story_scratch import scratch_database

    if url is None:
        with scratch_database() as engine:
            yield engine
        return
    engine = make_engine(url)
    ensure(engine)
    try:
        yield engine
    finally:
        engine.dispose()


@story_command.command("why")
@click.argument("first", type=int)
@click.argument("second", type=int)
def why(first: int, second: int) -> None:
    """Show why articles FIRST and SECOND (their numbers) are or are not one story."""
    from scheduler.context import open_installation
    from store.database import read_scope
    from store.stories import explain

    with read_scope(open_installation().engine) as session:
        explanation = explain(session, first, second)
    click.echo(explanation.written(_shared))  # which leaves the colour out where there is no terminal


def _shared(passage: str) -> str:
    """Mark a passage so that it is seen in a file, too."""
    return click.style(f"【{passage}】", fg="green", bold=True)


@story_command.command("merge")
@click.argument("first", type=int)
@click.argument("second", type=int)
@click.option("--reason", required=True, help="Why, for the audit trail.")
def merge_stories(first: int, second: int, reason: str) -> None:
    """Make one story of stories FIRST and SECOND; lasts through rebuilds."""
    from scheduler.context import open_installation, operator
    from store.database import session_scope
    from store.edits import merge_stories as merge

    with session_scope(open_installation().engine) as session:
        kept = merge(session, first, second, who=operator(), reason=reason, now=datetime.now(UTC))
    click.echo(f"stories {first} and {second} are one now: {kept}")


@story_command.command("split")
@click.argument("article", type=int)
@click.option("--reason", required=True, help="Why, for the audit trail.")
def split_story(article: int, reason: str) -> None:
    """Take ARTICLE (its number) out of its story; lasts through rebuilds."""
    from scheduler.context import open_installation, operator
    from store.database import session_scope
    from store.edits import split_story as split

    with session_scope(open_installation().engine) as session:
        made = split(session, article, who=operator(), reason=reason, now=datetime.now(UTC))
    click.echo(f"article {article} is a story of its own now: {made}")


@story_command.command("rebuild")
def rebuild_stories() -> None:
    """Group all articles anew, at any time; merges and splits by hand stay."""
    from scheduler.context import open_installation
    from store.stories import rebuild

    click.echo(str(rebuild(open_installation().engine, now=datetime.now(UTC))))
