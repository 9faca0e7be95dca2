"""Read the configured sources: the office's own file or folder, and the product's catalogue when it is switched on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from crawler.sources.kinds import AnySource, SourceFile
from store.config import Config, ConfigError
from store.toml_file import TomlError, parse_toml, read_text, read_toml


def load_sources(config: Config) -> list[AnySource]:
    """Return all sources sorted by name, disabled ones too.

    Raises ConfigError naming file and line for a malformed table, an unknown key or a name used twice, and for a sources file
    that is named in the configuration and missing.
    """
    paths = _own_files(config)
    if config.crawl.catalogue:
        paths += [
            Path(str(path)) for path in files("crawler.sources").iterdir() if path.name.endswith(".toml")
        ]
    return read_sources(paths)


def read_sources(paths: Sequence[Path]) -> list[AnySource]:
    """Return the sources of these files sorted by name; an earlier file's source wins over a later file's of the same name."""
    found: dict[str, tuple[Path, AnySource]] = {}
    for path in paths:
        try:
            entries = read_toml(path, SourceFile).source
        except TomlError as error:
            raise ConfigError(str(error)) from error
        _refuse_doubles(path, [entry.name for entry in entries])
        for entry in entries:
            found.setdefault(entry.name, (path, entry))
    return [entry for _, (_, entry) in sorted(found.items())]


def append_source(config: Config, table: Mapping[str, object]) -> Path:
    """Write a `[[source]]` table at the end of the office's file, comments and order kept; return the file.

    Raises ConfigError when the table is faulty or its name is used already; nothing is written then.
    """
    import tomlkit

    path = config.resolve(config.crawl.sources)
    path = path / "added.toml" if path.is_dir() else path
    if any(source.name == table["name"] for source in load_sources(config)):
        raise ConfigError(f"{path}: a source called {table['name']!r} is there already; give another --name")
    text = read_text(path) if path.exists() else ""
    document = tomlkit.document()
    entry = tomlkit.table()
    entry.update(table)
    tables = tomlkit.aot()
    tables.append(entry)
    document.append("source", tables)
    added = f"{text.rstrip()}\n\n{tomlkit.dumps(document)}" if text.strip() else tomlkit.dumps(document)
    try:
        parse_toml(added, SourceFile, path)
    except TomlError as error:
        raise ConfigError(str(error)) from error
    temporary = path.with_suffix(".toml.part")
    temporary.write_text(added, encoding="utf-8")
    temporary.replace(path)
    return path


def _own_files(config: Config) -> list[Path]:
    path = config.resolve(config.crawl.sources)
    if path.is_dir():
        return sorted(path.glob("*.toml"))
    if not path.exists():
        if config.path:
            raise ConfigError(
                f"{path}: no such file of sources; `parknews init` writes one, [crawl] sources names it"
            )
        return []
    return [path]


def _refuse_doubles(path: Path, names: list[str]) -> None:
    for name in sorted(name for name, count in Counter(names).items() if count > 1):
        at = [
            number
            for number, line in enumerate(read_text(path).split("\n"), 1)
            if re.match(rf"\s*name\s*=\s*[\"']{re.escape(name)}[\"']", line)
        ]
        raise ConfigError(
            f"{path}:{at[-1] if at else 0}: the source name {name!r} is used {names.count(name)} times (first in line {at[0] if at else 0}); names must differ"
        )
