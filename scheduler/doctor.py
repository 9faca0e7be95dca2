"""Check an installation: every fault in one line, with its way out in English and Chinese."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from scheduler import examinations
from scheduler.checks import Check
from store.config import FILE_NAME, Config, ConfigError, load_config, secret

#: Below this a week of raw pages may not fit.
LEAST_FREE_MB = 500
#: Files that an office may replace, in the folder of [classify] vocabulary.
VOCABULARY = ("themes.toml", "zones.toml", "relevance.toml")


def examine(now: datetime) -> list[Check]:
    """Return all checks but those of scheduler.environment, which have to come before the import of this module.

    A faulty configuration ends them early, as the rest depends on it. `now` is the machine's clock.
    """
    try:
        config = load_config()
    except ConfigError as error:
        missing = "no such configuration file" in str(error)
        code = "configuration_missing" if missing else _reading_fault(error) or "configuration"
        return [Check("configuration", False, str(error), code)]
    checks = [_configuration(config)]
    for examine_one in (_sources, _vocabulary, _templates, _disk, _secrets, _keys, _web, _people, _extras):
        checks += safely(examine_one, config)
    for examine_other in (
        examinations.database,
        examinations.queue,
        examinations.network,
        examinations.mail,
        examinations.channels,
        examinations.returns,
        examinations.port,
    ):
        checks += safely(examine_other, config)
    checks += examinations.clock(config, now)
    return checks


def safely(check: Callable[[Config], Iterator[Check]], config: Config) -> list[Check]:
    """Return a check's findings; what it did not foresee is a finding too, as a doctor must finish its round."""
    try:
        return list(check(config))
    except Exception as error:  # noqa: BLE001
        words = str(error).splitlines()[0] if str(error) else ""
        return [Check(check.__name__.strip("_"), False, f"{type(error).__name__}: {words}", "crashed")]


def _reading_fault(error: BaseException | None) -> str:
    """Return the fault's code when the file could not be read; what is in it is then not known."""
    while error is not None:
        if isinstance(error, PermissionError):
            return "file_unreadable"
        error = error.__cause__
    return ""


def folder_fault(folder: Path) -> str:
    """Return why files cannot be read from the folder; empty when they can."""
    if not folder.is_dir():
        return f"{folder} is no folder"
    return "" if os.access(folder, os.R_OK | os.X_OK) else f"{folder} may not be read"


def _configuration(config: Config) -> Check:
    here = Path(FILE_NAME)
    named = os.environ.get("PARKNEWS_CONFIG")
    if named and here.is_file() and here.resolve() != Path(named).resolve():
        detail = f"{named} holds, and {here.resolve()} is here as well"
        return Check("configuration", True, detail, "two_configurations", note=True)
    return Check(
        "configuration",
        True,
        str(Path(config.path).absolute())
        if config.path
        else "no parknews.toml here: defaults hold; `parknews init` writes one",
    )


def _sources(config: Config) -> Iterator[Check]:
    from crawler.sources.loader import load_sources

    path = config.resolve(config.crawl.sources)
    try:
        sources = load_sources(config)
    except ConfigError as error:
        code = _reading_fault(error) or ("sources_faulty" if path.exists() else "sources_missing")
        yield Check("sources", False, str(error), code)
        return
    enabled = [source for source in sources if source.enabled]
    yield Check(
        "sources", bool(enabled), f"{len(enabled)} enabled of {len(sources)} in {path}", "sources_none"
    )
    for source in enabled:
        folder = getattr(source, "path", None)
        if folder and (fault := folder_fault(config.resolve(folder))):
            yield Check(f"source {source.name}", False, fault, "source_folder")
    if any(getattr(source, "ocr", False) for source in enabled):
        yield _ocr()


def _ocr() -> Check:
    try:
        return Check("ocr", True, f"rapidocr {version('rapidocr')}")
    except PackageNotFoundError:
        return Check("ocr", False, "a source has `ocr = true` and no OCR engine is installed", "ocr")


def _vocabulary(config: Config) -> Iterator[Check]:
    from crawler.context import classifier_for
    from store.vocabulary.loading import VocabularyError

    folder = config.classify.vocabulary
    if folder and not config.resolve(folder).is_dir():
        yield Check("vocabulary", False, f"{config.resolve(folder)} is no folder", "vocabulary")
        return
    try:
        classifier_for(config)
    except (VocabularyError, ValueError, OSError) as error:
        yield Check("vocabulary", False, str(error), "vocabulary")
        return
    own = [name for name in VOCABULARY if folder and (config.resolve(folder) / name).is_file()]
    if folder and not own:
        detail = f"{config.resolve(folder)} holds none of {', '.join(VOCABULARY)}"
        yield Check("vocabulary", False, detail, "vocabulary")
        return
    others = "the product's own"
    yield Check("vocabulary", True, f"{', '.join(own)} of {folder}, else {others}" if own else others)


def _templates(config: Config) -> Iterator[Check]:
    if not config.digest.templates:
        yield Check("templates", True, "the product's own")
        return
    from digest.checking import check_templates

    faults = check_templates(config.resolve(config.digest.templates))
    yield Check("templates", not faults, faults[0] if faults else config.digest.templates, "templates")


def _disk(config: Config) -> Iterator[Check]:
    folder = config.resolve(config.digest.folder)
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        yield Check("digest folder", False, f"{folder}: {error.strerror}", "folder_readonly")
        return
    below = [config.resolve(config.bounces.folder), *sorted(folder.rglob("*"))]
    if closed := [path for path in below if path.is_dir() and not _is_open(path)]:
        yield Check("digest folder", False, f"{closed[0]}: may not be written to", "folder_readonly")
    yield from (_space(place) for place in _partitions(config, folder))


def _is_open(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _partitions(config: Config, folder: Path) -> Iterator[Path]:
    """Return the folder, and that of a SQLite database when it lies on another disk."""
    yield folder
    file = Path(config.database_url.removeprefix("sqlite:///"))
    if file.parent.is_dir() and file.parent.stat().st_dev != folder.stat().st_dev:
        yield file.parent


def _space(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free // 2**20
    low = free < LEAST_FREE_MB
    detail = f"{free} MB free at {folder}{f'; {LEAST_FREE_MB} are needed' if low else ''}"
    return Check("disk", not low, detail, "disk_low")


def _secrets(config: Config) -> Iterator[Check]:
    for name, wanted, code in (
        ("mail_password", bool(config.mail.user), "mail_password"),
        ("web_secret", bool(config.digest.public_url), "web_secret"),
    ):
        what = name.replace("_", " ")
        file = os.environ.get(f"PARKNEWS_{name.upper()}_FILE")
        try:
            value = secret(name)
        except ConfigError as error:
            yield Check(what, False, str(error), "secret_unreadable")
            continue
        if file and not os.environ.get(f"PARKNEWS_{name.upper()}") and Path(file).stat().st_mode & 0o077:
            yield Check(what, False, f"{file} can be read by others", "secret_open")
        elif wanted:
            yield Check(what, bool(value), "set" if value else "not set", code)


def _keys(config: Config) -> Iterator[Check]:
    """The private key that signs mails is nobody else's to read."""
    file = config.resolve(config.mail.dkim_key)
    if config.mail.dkim_key and file.is_file() and file.stat().st_mode & 0o077:
        yield Check("dkim key", False, f"{file} can be read by others", "secret_open")


def _web(config: Config) -> Iterator[Check]:
    url = config.digest.public_url
    if not url:
        return
    parts = urlsplit(url)
    local = parts.hostname in {"localhost", "127.0.0.1"}
    good = bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and local))
    yield Check("public address", good, url, "public_url")


def _people(config: Config) -> Iterator[Check]:
    if not config.operators:
        yield Check("operators", True, "nobody is told of broken sources", "operators", note=True)
    for name in config.operators:
        if "@" not in name:
            yield _alarm_channel(name)
    if not config.crawl.contact:
        yield Check("contact", True, "[crawl] contact is not set", "contact", note=True)


def _alarm_channel(name: str) -> Check:
    from digest.alarms import PREFIX
    from digest.channels.base import DeliveryError
    from digest.channels.posting import posting_channel

    what, variable = f"alarms to {name}", f"PARKNEWS_{PREFIX.upper()}{name.upper()}_URL"
    try:
        channel = posting_channel(name, os.environ, PREFIX)
        if channel is None:
            return Check(what, False, f"{variable} is not set", "alarm_channel")
        channel.check()
    except ConfigError as error:
        return Check(what, False, str(error), "secret_unreadable")
    except DeliveryError as error:
        return Check(what, False, str(error), "alarm_channel")
    file = os.environ.get(f"{variable}_FILE")
    if file and not os.environ.get(variable) and Path(file).stat().st_mode & 0o077:
        return Check(what, False, f"{file} can be read by others", "secret_open")
    return Check(what, True, "its address is set; `parknews doctor --test-alarm` tries it")


def _extras(config: Config) -> Iterator[Check]:
    if not config.digest.word:
        return
    if shutil.which("soffice") is None and shutil.which("libreoffice") is None:
        yield Check("LibreOffice", True, "not installed: no PDF from Word files", "libreoffice", note=True)
    elif not _has_chinese_font():
        yield Check("fonts", False, "LibreOffice is here and no Chinese font", "fonts")


def _has_chinese_font() -> bool:
    import subprocess

    program = shutil.which("fc-list")
    if program is None:
        return True
    try:
        done = subprocess.run([program, ":lang=zh-cn"], capture_output=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):  # what it would have said is not known
        return True
    return bool(done.stdout.strip())
