"""`parknews statistics`: zone by theme, for each month, quarter or year."""

from __future__ import annotations

import csv
import json
import sys
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from store.statistics import Table


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--by", type=click.Choice(["month", "quarter", "year"]), default="month", show_default=True)
@click.option(
    "--of", "unit", type=click.Choice(["articles", "stories"]), default="stories", show_default=True
)
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Up to this day, the day included.")
@click.option(
    "--format", "form", type=click.Choice(["text", "csv", "json"]), default="text", show_default=True
)
def statistics_command(by: Any, unit: Any, since: datetime | None, until: datetime | None, form: str) -> None:
    """Count what is relevant by zone and theme. A story with two themes stands in two columns, once in the totals."""
    from digest.names import load_names
    from scheduler.commands.search import start_of
    from scheduler.context import open_installation
    from store.database import read_scope
    from store.statistics import count_by_period

    installation = open_installation()
    zone = installation.config.zone_info
    first, last = start_of(since, zone), start_of(until, zone, later=1)
    with read_scope(installation.engine) as session:
        tables = count_by_period(session, by, zone, of=unit, since=first, until=last)
    titles = dict(load_names(installation.config).themes)
    if form == "json":
        click.echo(json.dumps([_plain(table) for table in tables], ensure_ascii=False, indent=2))
    elif form == "csv":
        _write_csv(tables, titles)
    else:
        click.echo("\n\n".join("\n".join(_lines(table, titles)) for table in tables) or "nothing to count")


def _plain(table: Table) -> dict[str, Any]:
    cells: dict[str, dict[str, int]] = {}
    for (zone, theme), count in sorted(table.cells.items()):
        cells.setdefault(zone, {})[theme] = count
    return {
        "period": table.period,
        "total": table.total,
        "zones": dict(sorted(table.zones.items())),
        "themes": dict(sorted(table.themes.items())),
        "cells": cells,
    }


def _write_csv(tables: list[Table], titles: dict[str, str]) -> None:
    from store.export import defused

    writer = csv.writer(sys.stdout)
    writer.writerow(["period", "zone", "theme", "title", "count"])
    for table in tables:
        for (zone, theme), count in sorted(table.cells.items()):
            row = [table.period, zone, theme, titles.get(theme, theme), count]
            writer.writerow([defused(value) for value in row])


def _lines(table: Table, titles: dict[str, str]) -> list[str]:
    themes = [theme for theme, _ in table.themes.most_common()]
    heads = [titles.get(theme, theme) for theme in themes]
    rows = [
        [zone, *(str(table.cells[zone, theme] or "·") for theme in themes), str(total)]
        for zone, total in table.zones.most_common()
    ]
    rows.append(["合计", *(str(table.themes[theme]) for theme in themes), str(table.total)])
    grid = [[table.period, *heads, "合计"], *rows]
    widths = [max(_width(row[column]) for row in grid) for column in range(len(grid[0]))]
    return [
        row[0]
        + " " * (widths[0] - _width(row[0]))
        + "".join(
            "  " + " " * (width - _width(cell)) + cell
            for cell, width in zip(row[1:], widths[1:], strict=True)
        )
        for row in grid
    ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
