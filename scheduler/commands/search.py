"""`parknews search`: find articles and stories."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from store.config import Config
    from store.database import Session
    from store.search import Found


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("words", nargs=-1)
@click.option("--zone", default="", help="Only articles about this zone (any of its names).")
@click.option("--theme", default="", help="Only articles of this theme (its key).")
@click.option("--outlet", default="", help="Only of this outlet; a part of its name will do.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Up to this day, the day included.")
@click.option("--exact", is_flag=True, help="The words as one string, spaces included.")
@click.option("--stories", is_flag=True, help="One line a story instead of one an article.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--offset", default=0, show_default=True, type=click.IntRange(0, 10_000_000))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--rebuild", is_flag=True, help="First index every article anew.")
def search_command(
    words: tuple[str, ...], limit: int, offset: int, stories: bool, as_json: bool, rebuild: bool, **given: Any
) -> None:
    """Find articles in which all WORDS stand (two characters or more each), the latest arrival first."""
    from scheduler.context import open_installation
    from store.database import read_scope, session_scope
    from store.search import Query, query_words, search_articles
    from store.search_index import rebuild as index_anew

    installation = open_installation()
    if rebuild:
        with session_scope(installation.engine) as session:
            click.echo(f"{index_anew(session)} articles indexed", err=True)
    zone = installation.config.zone_info
    given["since"], given["until"] = start_of(given["since"], zone), start_of(given["until"], zone, later=1)
    query = Query(" ".join(words), **given)
    if query_words(query) is None:
        raise click.UsageError("every word needs two characters or more")
    _check_theme(query.theme, installation.config)
    if rebuild and query == Query():
        return
    with read_scope(installation.engine) as session:
        query = replace(query, zone=_zone_named(query.zone, installation.config, session))
        results = search_articles(session, query, limit, offset, stories=stories)
    if as_json:
        found = [asdict(one) | {"moment": one.moment.isoformat()} for one in results.found]
        click.echo(json.dumps({"found": found, "more": results.more}, ensure_ascii=False, indent=2))
        return
    for one in results.found:
        click.echo("\n".join(_lines(one, zone, stories=stories)))
    if results.more:
        click.echo(f"more: --offset {offset + limit}")
    if not results.found:
        click.echo("nothing found")


def _check_theme(key: str, config: Config) -> None:
    """A misspelt key would find nothing and look like a quiet week."""
    from digest.names import load_names

    known = load_names(config).themes
    if key and key not in known:
        raise click.UsageError(f"no theme {key}; there are {', '.join(known)}")


def _zone_named(given: str, config: Config, session: Session) -> str:
    """Return the name that tags give to a zone called so in the vocabulary, or one that articles have beyond it.

    A misspelt name would find nothing and look like a quiet week.
    """
    from store.search import zones_named
    from store.search_index import fold
    from store.vocabulary.zones import load_zones

    if not given:
        return ""
    folder = config.classify.vocabulary
    known: dict[str, str] = {}
    for zone in load_zones(config.resolve(folder) if folder else None):
        known |= {fold(name): zone.short for name in (*zone.aliases, zone.official, zone.short)}
    known |= {fold(name): name for name in zones_named(session)}
    if found := known.get(fold(given)):
        return found
    near = [name for name in known if fold(given) in name] or get_close_matches(fold(given), known, 5, 0.5)
    hint = f"; did you mean {', '.join(dict.fromkeys(known[name] for name in near[:5]))}?" if near else ""
    raise click.UsageError(f"no zone {given}{hint}")


def start_of(day: datetime | None, zone: ZoneInfo, *, later: int = 0) -> datetime | None:
    """Return when the day, or the one `later` days after it, begins in `zone`; raises UsageError beyond the calendar."""
    try:
        return (day + timedelta(days=later)).replace(tzinfo=zone) if day else None
    except OverflowError as error:
        raise click.UsageError("no such day") from error


def _lines(one: Found, zone: ZoneInfo, *, stories: bool) -> list[str]:
    number = f"story {one.story_id}" if stories and one.story_id else f"{one.article_id}"
    about = " ".join((*one.zones, *one.themes))
    day = one.moment.astimezone(zone)
    return [
        f"{number:>8}  {day:%Y-%m-%d}  {one.title}",
        f"          {one.publisher or one.site or '-'}  {about}  {one.url}",
        f"          {one.excerpt}",
    ]
