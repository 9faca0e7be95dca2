"""Writes docs/reference from the code: commands, configuration, sources, themes. `make docs` runs it, a test compares."""

from __future__ import annotations

import ast
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
import msgspec

HEAD = "<!-- Written by `make docs` from the code; do not edit. -->\n\n"


def pages() -> dict[str, str]:
    """Return the reference pages by file name."""
    return {
        "catalogue.md": catalogue_page(),
        "cli.md": cli_page(),
        "config.md": config_page(),
        "sources.md": sources_page(),
        "themes.md": themes_page(),
    }


def cli_page() -> str:
    """Return every command with its help."""
    from scheduler.cli import COMMANDS, cli

    context = click.Context(cli, info_name="parknews", **cli.context_settings)
    parts = [HEAD + "# Commands\n", _block(cli, context)]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if command is not None:
            parts += _with_children(command, click.Context(command, info_name=name, parent=context))
    return "\n".join(parts)


def _with_children(command: click.Command, context: click.Context) -> list[str]:
    parts = [f"## {context.command_path}\n", _block(command, context)]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                below = click.Context(child, info_name=name, parent=context)
                parts += [f"### {below.command_path}\n", _block(child, below)]
    return parts


def _block(command: click.Command, context: click.Context) -> str:
    context.terminal_width = 100
    return f"```text\n{command.get_help(context)}\n```\n"


def config_page() -> str:
    """Return the starter configuration, in which every option stands with its default."""
    starter = files("scheduler.starter").joinpath("parknews.toml").read_text(encoding="utf-8")
    secrets = (
        "Environment: PARKNEWS_CONFIG, PARKNEWS_DATABASE_URL, PARKNEWS_MAIL_PASSWORD[_FILE], PARKNEWS_WEB_SECRET[_FILE];\n"
        "for chats and webhooks PARKNEWS_NAME_URL[_FILE] and PARKNEWS_NAME_SECRET[_FILE], for alarms PARKNEWS_ALERTS_NAME_URL[_FILE] and so on.\n"
    )
    return f"{HEAD}# Configuration\n\n`parknews init` writes this file; a test keeps it equal to the code's defaults.\n\n{secrets}\n```toml\n{starter}```\n"


def sources_page() -> str:
    """Return the kinds of sources with their keys."""
    from crawler.sources.kinds import KINDS, AnySource, Source

    common = {field.name for field in msgspec.structs.fields(Source)}
    rows = [HEAD + "# Kinds of sources\n", f"Every kind has: {_keys(Source, set())}\n"]
    for name, kind in zip(KINDS, AnySource.__args__, strict=True):
        rows += [
            f"## {name}\n",
            f"{(kind.__doc__ or '').strip()}\n",
            f"Further keys: {_keys(kind, common)}\n",
        ]
    return "\n".join(rows)


def _keys(kind: Any, without: set[str]) -> str:
    words = [
        f"`{field.name}`{' (required)' if field.required else ''}"
        for field in msgspec.structs.fields(kind)
        if field.name not in without
    ]
    return ", ".join(words) + "."


def catalogue_page() -> str:
    """Return the sources that come with the product, file by file, with what is known of each and from where."""
    paths = sorted(
        Path(str(path)) for path in files("crawler.sources").iterdir() if path.name.endswith(".toml")
    )
    tables = [_catalogue_table(path) for path in paths]
    count = sum(table.count("\n| `") for table in tables)
    intro = (
        f"{count} sources, visited when `[crawl] catalogue = true`; a table of your own with the same name comes first.\n\n"
        "No address was proved from the machine this list was written on: the last column says where each is known from, and\n"
        "`parknews source check` proves them on yours. Sources marked `off` are guesses or need care; copy the table into your own\n"
        "`sources.toml` without `enabled = false` to visit one.\n"
    )
    return "\n".join([HEAD + "# Catalogue of sources\n", intro, *tables])


def _catalogue_table(path: Path) -> str:
    from crawler.sources.loader import read_sources

    rows = [
        "| name | kind | publisher | region | zone | every | address | layout | known from |",
        "|" + "---|" * 9,
    ]
    for source in read_sources([path]):
        kind = source.kind if source.enabled else f"{source.kind}, off"
        cells = [
            f"`{source.name}`",
            kind,
            source.publisher,
            source.region,
            source.zone or "",
            source.interval or "",
        ]
        cells += [" ".join(f"<{url}>" for url in source.start_urls), source.layout]
        known = f"{source.known_from}. {source.note}" if source.note else source.known_from
        rows.append(" | ".join(["", *(cell.replace("|", "\\|") for cell in [*cells, known]), ""]).strip())
    return f"## {path.stem}\n\n" + "\n".join(rows) + "\n"


def themes_page() -> str:
    """Return the themes with their Chinese and English names."""
    from store.vocabulary.themes import load_themes

    rows = "\n".join(f"| `{theme.key}` | {theme.zh} | {theme.en} |" for theme in load_themes())
    return f"{HEAD}# Themes\n\n| key | 主题 | theme |\n|---|---|---|\n{rows}\n"


def faults_page(tests: Path = Path("tests/faults")) -> str:
    """Return the table of faults from the tests that prove them: their docstrings read `FAULT: RIGHT BEHAVIOUR`."""
    rows = ["| fault | right behaviour | test |", "|---|---|---|"]
    for path in sorted(tests.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            told = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
            if told and isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                fault, _, behaviour = " ".join(told.split()).replace("|", "\\|").partition(": ")
                rows.append(f"| {fault} | {behaviour} | `{path.stem}::{node.name}` |")
    intro = "What can go wrong, what happens then, and the test in `tests/faults/` that proves it.\n\n"
    return f"{HEAD}# Faults\n\n{intro}" + "\n".join(rows) + "\n"


def main() -> None:
    """Write the pages into the folder given (default docs/reference), the faults beside it when the tests are here."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/reference")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
    if Path("tests/faults").is_dir():
        (folder.parent / "explanation").mkdir(exist_ok=True)
        (folder.parent / "explanation" / "faults.md").write_text(faults_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
