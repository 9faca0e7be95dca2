"""`parknews article`: show, add, read again, classify again; the quarantine."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from crawler.context import CrawlContext
    from store.models import Article


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def article_command() -> None:
    """Articles and the pages they were read from."""


def _context() -> CrawlContext:
    from crawler.context import CrawlContext
    from store.config import load_config

    return CrawlContext(load_config())


@article_command.command("show")
@click.argument("id_or_url")
def show(id_or_url: str) -> None:
    """Show the article with this number or address: what it says, its tags, its story."""
    from store.articles import find_article
    from store.database import read_scope

    with read_scope(_context().engine) as session:
        article = find_article(session, id_or_url)
        if article is None:
            raise click.ClickException(f"no article {id_or_url!r}")
        click.echo("\n".join(_lines(article)))


def _lines(article: Article) -> list[str]:
    from store.articles import show_published

    rows = [
        ("number", f"{article.id} (version {article.version})"),
        ("address", article.url),
        ("kicker", article.kicker),
        ("title", article.title),
        ("subtitle", article.subtitle),
        ("published", show_published(article)),
        ("publisher", article.publisher),
        ("author", article.author),
        ("editor", article.editor),
        ("source", article.source.name if article.source else "hand-in"),
        (
            "verdict",
            f"{'relevant' if article.relevant else 'borderline' if article.borderline else 'not relevant'}, score {article.score:.2f}",
        ),
        (
            "story",
            f"{article.story_id} ({article.relation}{f' of {article.relation_of}' if article.relation_of else ''})",
        ),
        ("flags", ", ".join(article.flags)),
    ]
    tags = [
        f"  {tag.kind:9} {tag.name}{f' ({tag.role})' if tag.role else ''} from {tag.field}: {tag.text}"
        for tag in article.tags
    ]
    return (
        [f"  {label:9} {value}" for label, value in rows if value]
        + tags
        + [f"  | {line}" for line in article.text.splitlines()]
    )


@article_command.command("add")
@click.argument("inputs", nargs=-1, required=True, metavar="FILE|URL|-...")
@click.option("--allow-private", is_flag=True, help="Fetch from private and loopback addresses too.")
def add(inputs: tuple[str, ...], allow_private: bool) -> None:
    """Add hand-ins: files (PDF, HTML, MHTML, TXT, DOCX, EML, ZIP), addresses, or text on standard input (-)."""
    from crawler.fetching import FetchError
    from crawler.rereading import NothingRead, add_input

    context, failed = _context(), False
    for name in inputs:
        try:
            added = add_input(
                context, name, sys.stdin.buffer.read() if name == "-" else None, allow_private=allow_private
            )
        except (NothingRead, FetchError, OSError) as error:
            failed = True
            click.echo(f"parknews: {error}", err=True)
            continue
        for outcome, number, title in added:
            click.echo(f"{name}: {outcome} article {number}: {title}")
    if failed:
        raise SystemExit(2)


@article_command.command("reread")
@click.argument("ids", nargs=-1, type=int)
def reread_articles(ids: tuple[int, ...]) -> None:
    """Read kept pages of the articles IDS (or of all) again with the present extractor."""
    from crawler.rereading import reread

    click.echo(_counted(reread(_context(), ids)))


@article_command.command("reclassify")
@click.argument("ids", nargs=-1, type=int)
def reclassify_articles(ids: tuple[int, ...]) -> None:
    """Apply the present vocabulary to the articles IDS (or to all)."""
    from crawler.rereading import reclassify

    click.echo(_counted(reclassify(_context(), ids)))


@article_command.command("quarantine")
def list_quarantine() -> None:
    """List pages that could not be read, with the reason."""
    from store.database import read_scope
    from store.pages import quarantined

    with read_scope(_context().engine) as session:
        rows = quarantined(session)
        for row in rows:
            click.echo(f"{row.id:6} {row.reason:16} {row.url}  {row.detail}")
        click.echo(f"{len(rows)} page(s) in quarantine; `parknews article replay` reads them again")


@article_command.command("replay")
@click.argument("ids", nargs=-1, type=int)
def replay_pages(ids: tuple[int, ...]) -> None:
    """Read the quarantined pages IDS (or all) again."""
    from crawler.rereading import replay
    from store.database import read_scope
    from store.pages import quarantined

    context = _context()
    with read_scope(context.engine) as session:
        chosen = list(ids) or [row.id for row in quarantined(session)]
    click.echo(_counted(replay(context, chosen)))


@article_command.command("ocr")
@click.argument("ids", nargs=-1, type=int)
@click.option("--limit", type=click.IntRange(1), help="Read at most this many files.")
def read_scanned_pages(ids: tuple[int, ...], limit: int | None) -> None:
    """Read scanned pages in quarantine: IDS, or all of sources with `ocr = true`. Needs: pip install 'parknews[ocr]'."""
    from crawler.pages.scanned import INSTALL, is_installed
    from crawler.scanning import read_scans

    if not is_installed():
        raise click.ClickException(f"no OCR engine is installed; {INSTALL}")
    click.echo(_counted(read_scans(_context(), ids, limit)))


def _counted(done: Counter[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(done.items())) or "nothing to do"
