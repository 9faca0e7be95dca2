"""`parknews source`: what is visited, how it has been, what it would give."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from crawler.context import CrawlContext
    from crawler.sources.kinds import AnySource


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def source_command() -> None:
    """Sources: the places that publish."""


def _context() -> CrawlContext:
    from crawler.context import CrawlContext
    from store.config import load_config

    return CrawlContext(load_config())


@source_command.command("list")
@click.option("--kind", help="Only this kind.")
def list_sources(kind: str | None) -> None:
    """List the configured sources with their state."""
    from store.database import read_scope
    from store.sources import find_source

    context = _context()
    with read_scope(context.engine) as session:
        for source in context.sources:
            if kind in {None, source.kind}:
                row = find_source(session, source.name)
                state = row.state if row else "new"
                click.echo(
                    f"{source.name:28} {source.kind:8} {state:7} {_moment(row.checked_at if row else None):16} {source.publisher}"
                )


@source_command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Show one source: state, rhythm, standing faults, latest articles, last visits, last error."""
    from store.database import read_scope
    from store.hints import TRUST
    from store.sources import find_source, last_crawls, rhythm
    from store.status import sample_of

    context = _context()
    source = _named(context, name)
    with read_scope(context.engine) as session:
        row = find_source(session, name)
        if row is None:
            raise click.ClickException(f"{name} was never visited")
        click.echo(f"{name}: {source.kind}, {source.publisher}, {row.state}")
        click.echo(f"  addresses  {', '.join(source.start_urls) or getattr(source, 'path', '')}")
        click.echo(
            f"  next       {_moment(row.next_check_at)} (every {row.interval_seconds // 60} min, {row.error_count} failure(s) in a row)"
        )
        click.echo(f"  last new   {_moment(row.last_new_at)}")
        click.echo(f"  rhythm     {rhythm(row)}")
        if row.trust:
            left = ", ".join(f"{kind} {count} of {TRUST}" for kind, count in sorted(row.trust.items()))
            click.echo(f"  hints      {left} requests for changes its lists hint at")
        for kind, fault in row.faults.items():
            since = _moment(datetime.fromisoformat(fault["since"]))
            click.echo(f"  fault      {kind} since {since}: {fault['evidence']}")
        if row.last_error:
            click.echo(f"  error      {row.last_error}")
        for article in sample_of(session, row.id):
            click.echo(f"  article    {article.id} {article.title} ({len(article.text)} characters)")
        for crawl in last_crawls(session, row.id):
            counts = f"{crawl.requests} requests, {crawl.links} links, {crawl.new} new, {crawl.revised} revised, {crawl.seen} known, {crawl.errors} errors"
            click.echo(
                f"  {_moment(crawl.started_at)} {crawl.outcome}{f' ({crawl.reason})' if crawl.reason else ''}: {counts}"
            )


@source_command.command("try")
@click.argument("name")
@click.option("--read", "count", default=1, show_default=True, help="How many articles to read in full.")
def try_source(name: str, count: int) -> None:
    """Fetch NAME's first page, list the articles it leads to and read some in full. Nothing is kept."""
    from crawler.trying import TryError, try_source

    context = _context()
    source = _named(context, name)
    try:
        click.echo("\n".join(try_source(source, context, count)))
    except TryError as error:
        raise click.ClickException(f"{name}: {error}") from error


@source_command.command("add")
@click.argument("url")
@click.option("--name", help="The source's name (default: made from the address).")
@click.option("--publisher", help="The outlet's name (default: the site's).")
@click.option("--zone", default="", help="The zone that a bare 高新区 means on this site.")
@click.option("--kind", help="Take the proposal of this kind.")
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--allow-private", is_flag=True, help="The site is on a private or loopback address.")
def add(
    url: str,
    name: str | None,
    publisher: str | None,
    zone: str,
    kind: str | None,
    yes: bool,
    allow_private: bool,
) -> None:
    """Look at URL, propose how to collect it, show what it would yield, and write the [[source]] table on yes."""
    from crawler.proposing import propose, source_table
    from crawler.sources.loader import append_source

    context = _context()
    found = [
        proposal
        for proposal in propose(url, timeout=context.config.crawl.timeout, allow_private=allow_private)
        if kind in {None, proposal.kind}
    ]
    if not found:
        raise click.ClickException(
            f"{url}: no list of articles, feed, sitemap or e-paper found; try the address of a column page"
        )
    for proposal in found[1:]:
        click.echo(
            f"also possible: --kind {proposal.kind} {proposal.url} ({len(proposal.links)} articles; {proposal.why})"
        )
    best = found[0]
    table = source_table(
        best,
        name=name or best.name,
        publisher=publisher or best.publisher or best.name,
        zone=zone,
        internal=allow_private,
    )
    click.echo(f"proposed: {best.kind}, {best.why}")
    from crawler.trying import preview_source

    click.echo("\n".join(preview_source(table, best.links, context)))
    if yes or click.confirm(f"write it to {context.config.crawl.sources}?"):
        path = append_source(context.config, table)
        click.echo(f"wrote {table['name']} to {path}")


@source_command.command("check")
@click.argument("names", nargs=-1)
def check(names: tuple[str, ...]) -> None:
    """Go over all enabled sources (or NAMES): which work, which do not and why. Exit code 1 when one does not."""
    from crawler.trying import check_source

    context = _context()
    chosen: list[Any] = [_named(context, name) for name in names] or [
        source for source in context.sources if source.enabled
    ]
    failures = 0
    for source in chosen:
        works, line = check_source(source, context)
        failures += not works
        click.echo(f"{'ok  ' if works else 'FAIL'} {source.name:28} {line}")
    click.echo(f"{len(chosen) - failures} of {len(chosen)} sources work")
    if failures:
        raise SystemExit(1)


def _named(context: CrawlContext, name: str) -> AnySource:
    found = next((source for source in context.sources if source.name == name), None)
    if found is None:
        raise click.UsageError(f"no source is called {name!r}; `parknews source list` shows their names")
    return found


def _moment(moment: datetime | None) -> str:
    from store.articles import PAGE_ZONE

    return f"{moment.astimezone(PAGE_ZONE):%Y-%m-%d %H:%M}" if moment else "-"
