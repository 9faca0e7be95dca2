"""Read the configured sources: the office's own file or folder, and the product's catalogue when it is switched on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from crawler.sources.kinds import AnySource, SourceFile
from store.config import Config, ConfigError
from store.toml_file import TomlError, parse_toml, read_text, read_toml
from store.toml_lines import line_of


def load_sources(config: Config) -> list[AnySource]:
    """Return all sources sorted by name, disabled ones too; the office's own come before those of the catalogue.

    Raises ConfigError naming file and line for a malformed table, an unknown key or a name used twice, and for a sources file
    that is named in the configuration and missing.
    """
    found = {source.name: source for source in read_sources(_own_files(config))}
    if config.crawl.catalogue:
        paths = (Path(str(path)) for path in files("crawler.sources").iterdir())
        for source in read_sources([path for path in paths if path.suffix == ".toml"]):
            found.setdefault(source.name, source)
    return [source for _, source in sorted(found.items())]


def read_sources(paths: Sequence[Path]) -> list[AnySource]:
    """Return the sources of these files sorted by name. Raises ConfigError, also for a name that is used twice."""
    found: dict[str, tuple[Path, int, AnySource]] = {}
    for path in paths:
        try:
            entries = read_toml(path, SourceFile).source
        except TomlError as error:
            raise ConfigError(str(error)) from error
        for number, entry in enumerate(entries):
            first = found.setdefault(entry.name, (path, number, entry))
            if first[2] is not entry:
                places = [f"{one}:{_line_of_name(one, at)}" for one, at in (first[:2], (path, number))]
                raise ConfigError(
                    f"{places[1]}: [[source]] name {entry.name!r} is used in {places[0]} too; names must differ"
                )
    return [entry for _, (_, _, entry) in sorted(found.items())]


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


def _line_of_name(path: Path, number: int) -> int:
    return line_of(read_text(path), ["source", number, "name"])
