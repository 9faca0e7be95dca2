"""`parknews crawl`: visit sources now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from crawler.context import CrawlContext


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--due", is_flag=True, help="Only sources whose time has come.")
@click.option(
    "--at-once", type=click.IntRange(1, 64), help="Sources at a time (default: crawls_at_once of [daemon])."
)
@click.option("-v", "--verbose", is_flag=True, help="Scrapy's own log on standard error.")
def crawl_command(names: tuple[str, ...], due: bool, at_once: int | None, verbose: bool) -> None:
    """Visit the sources called NAME, or all enabled ones, and keep what is new.

    Each source is visited by a process of its own: one that hangs or crashes keeps no other from its visit.

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
    lines, any_read = crawl_and_report(context, chosen, "INFO" if verbose else "ERROR", at_once)
    click.echo("\n".join(lines))
    if not any_read:
        raise SystemExit(1)


def crawl_and_report(
    context: CrawlContext, chosen: list[Any], log_level: str, at_once: int | None = None
) -> tuple[list[str], bool]:
    """Visit the sources, `at_once` (default: crawls_at_once of [daemon]) at a time.

    Returns the summary's lines and whether any source could be read.
    """
    from crawler.tally import judge
    from scheduler.crawls import places
    from scheduler.manual import crawl_each
    from scheduler.progress import CrawlProgress
    from scheduler.summary import crawl_lines
    from store.counts import count_all
    from store.database import read_scope

    with read_scope(context.engine) as session:
        before = count_all(session)
    progress = CrawlProgress(len(chosen))
    tallies = crawl_each(context, chosen, at_once or places(context.config), log_level, progress)
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
