"""Where a command writes what it was asked for: `--output`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from store.whole_file import appearing

output_option = click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write here, not to standard output.",
)


@contextmanager
def opened(output: Path | None, form: str) -> Iterator[IO[bytes]]:
    """Standard output, or a file that appears under its name only when it is whole. No terminal gets an XLSX."""
    if output is None:
        if form == "xlsx" and sys.stdout.isatty():
            raise click.UsageError("name a file for XLSX: --output FILE")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with appearing(output) as part, part.open("wb") as file:
            yield file
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror or error}") from error
