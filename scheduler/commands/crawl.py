"""`parknews crawl`: visit sources now."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from crawler.context import CrawlContext

#: Their errors are counted by reason and stand in the summary; a person at a shell need not read them twice.
COUNTED = ("scrapy.downloadermiddlewares.retry", "scrapy.downloadermiddlewares.robotstxt")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--due", is_flag=True, help="Only sources whose time has come.")
@click.option("-v", "--verbose", is_flag=True, help="Scrapy's own log on standard error.")
def crawl_command(names: tuple[str, ...], due: bool, verbose: bool) -> None:
    """Visit the sources called NAME, or all enabled ones, and keep what is new.

    Exit code 0 when at least one source could be read, 1 when none could.
    """
    from crawler.context import CrawlContext
    from store.config import load_config

    context = CrawlContext(load_config())
    chosen = choose(context, names, due)
    if not chosen:
        click.echo(
            "nothing is due" if due else "no enabled source; edit sources.toml, then `parknews source list`"
        )
        return
    lines, any_read = crawl_and_report(context, chosen, "INFO" if verbose else "ERROR")
    click.echo("\n".join(lines))
    if not any_read:
        raise SystemExit(1)


def crawl_and_report(context: CrawlContext, chosen: list[Any], log_level: str) -> tuple[list[str], bool]:
    """Visit the sources; return the summary's lines and whether any source could be read."""
    from crawler.tally import judge
    from scheduler.crawls import crawl_here
    from scheduler.progress import CrawlProgress
    from scheduler.summary import crawl_lines
    from store.counts import count_all
    from store.database import read_scope

    with read_scope(context.engine) as session:
        before = count_all(session)
    if log_level != "INFO":
        for name in COUNTED:  # a filter, because Scrapy sets all levels below its own anew
            logging.getLogger(name).addFilter(lambda _: False)
    progress = CrawlProgress(len(chosen))
    tallies = crawl_here(context, chosen, log_level=log_level, on_progress=progress)
    progress.done()
    with read_scope(context.engine) as session:
        after = count_all(session)
    return crawl_lines(tallies, before, after), any(
        judge(tally, "finished").outcome != "failed" for tally in tallies.values()
    )


def choose(context: CrawlContext, names: tuple[str, ...], due: bool) -> list[Any]:
    """Return the configured sources to visit. Raises click.UsageError for an unknown name."""
    from store.database import read_scope
    from store.sources import due_sources

    known = {source.name: source for source in context.sources}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.UsageError(
            f"no source is called {unknown[0]!r}; `parknews source list` shows their names"
        )
    wanted = [known[name] for name in names] or [source for source in known.values() if source.enabled]
    if due:
        with read_scope(context.engine) as session:
            ready = {row.name for row in due_sources(session, context.now())}
        wanted = [source for source in wanted if source.name in ready]
    return wanted
