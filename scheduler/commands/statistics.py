"""`parknews statistics`: zone by theme, for each month, quarter or year."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scheduler.commands.output import opened, output_option

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
    "--format", "form", type=click.Choice(["text", "csv", "json", "xlsx"]), default="text", show_default=True
)
@output_option
def statistics_command(
    by: Any, unit: Any, since: datetime | None, until: datetime | None, form: str, output: Path | None
) -> None:
    """Count what is relevant by zone and theme. A story with two themes stands in two columns, once in the totals.

    csv and xlsx have a line for each count; where zone or theme is empty it is the total over all.
    """
    from digest.names import load_names
    from scheduler.commands.search import start_of
    from scheduler.context import open_installation
    from store.database import read_scope
    from store.export import write_csv, write_xlsx
    from store.statistics import count_by_period

    installation = open_installation()
    zone = installation.config.zone_info
    first, last = start_of(since, zone), start_of(until, zone, later=1)
    with read_scope(installation.engine) as session:
        tables = count_by_period(session, by, zone, of=unit, since=first, until=last)
    titles = dict(load_names(installation.config).themes)
    with opened(output, form) as out:
        if form == "json":
            text = json.dumps([_plain(table) for table in tables], ensure_ascii=False, indent=2)
            out.write(f"{text}\n".encode())
        elif form == "text":
            blocks = "\n\n".join("\n".join(_lines(table, titles)) for table in tables)
            out.write(f"{blocks or 'nothing to count'}\n".encode())
        else:
            write = {"csv": write_csv, "xlsx": write_xlsx}[form]
            write(_counts(tables, titles), ("period", "zone", "theme", "title", "count"), out)


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


def _counts(tables: list[Table], titles: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield every count with its period, zone and theme: first the period's total, then the zones', the themes' and the cells."""
    for table in tables:
        counts = [
            ("", "", table.total),
            *((zone, "", count) for zone, count in sorted(table.zones.items())),
            *(("", theme, count) for theme, count in sorted(table.themes.items())),
            *((zone, theme, count) for (zone, theme), count in sorted(table.cells.items())),
        ]
        for zone, theme, count in counts:
            title = titles.get(theme, theme) if theme else "合计"
            yield {"period": table.period, "zone": zone, "theme": theme, "title": title, "count": count}


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
