"""Check an installation: every fault in one line with its way out."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path

from store.config import Config, ConfigError, load_config, secret

PACKAGES = ("crawler", "scheduler", "store", "digest")
#: Below this a week of raw pages may not fit.
LEAST_FREE_MB = 500


@dataclass(frozen=True, slots=True)
class Check:
    """One checked thing."""

    what: str
    ok: bool
    detail: str


def examine() -> list[Check]:
    """Return all checks; a faulty configuration ends them early, as the rest depends on it."""
    checks = [_python(), *_packages()]
    try:
        config = load_config()
    except ConfigError as error:
        return [*checks, Check("configuration", False, str(error))]
    checks.append(
        Check(
            "configuration",
            True,
            config.path or "no parknews.toml here: defaults hold; `parknews init` writes one",
        )
    )
    for examine_one in (_database, _sources, _vocabulary, _disk, _mail, _secrets):
        checks += _safely(examine_one, config)
    return checks


def _safely(check: Callable[[Config], Iterator[Check]], config: Config) -> list[Check]:
    try:
        return list(check(config))
    except Exception as error:  # noqa: BLE001  a doctor must finish its round
        return [
            Check(
                check.__name__.strip("_"),
                False,
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            )
        ]


def _python() -> Check:
    return Check("python", sys.version_info >= (3, 11), f"{sys.version.split()[0]} in {sys.prefix}")


def _packages() -> Iterator[Check]:
    owners = packages_distributions()
    for name in PACKAGES:
        foreign = sorted(set(owners.get(name, [])) - {"parknews"})
        module = __import__(name)
        where = Path(str(module.__file__)).parent if module.__file__ else Path()
        fix = f"distribution {', '.join(foreign)} overwrote it; uninstall that and install parknews anew in an environment of its own"
        yield Check(
            f"package {name}", not foreign, fix if foreign else f"{where} (parknews {version('parknews')})"
        )


def _database(config: Config) -> Iterator[Check]:
    from scheduler.context import Store
    from store.schema import current, differences, head

    engine = Store(config).engine
    shown = engine.url.render_as_string(hide_password=True)
    found = differences(engine)
    yield Check(
        "database",
        not found,
        f"{shown}, schema {current(engine)} of {head()}" + (f"; differs: {found[0]}" if found else ""),
    )


def _sources(config: Config) -> Iterator[Check]:
    from crawler.sources.loader import load_sources

    sources = load_sources(config)
    enabled = [source for source in sources if source.enabled]
    yield Check(
        "sources",
        bool(enabled),
        f"{len(enabled)} enabled of {len(sources)}" if sources else f"none; edit {config.crawl.sources}",
    )
    for source in enabled:
        folder = getattr(source, "path", None)
        if folder and not config.resolve(folder).is_dir():
            yield Check(
                f"source {source.name}",
                False,
                f"{config.resolve(folder)} is no folder; make it or correct `path`",
            )


def _vocabulary(config: Config) -> Iterator[Check]:
    from crawler.context import classifier_for

    classifier_for(config)
    yield Check("vocabulary", True, config.classify.vocabulary or "the product's own")


def _disk(config: Config) -> Iterator[Check]:
    folder = config.resolve(config.digest.folder)
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free // 2**20
    probe = folder / ".writable"
    probe.write_text("")
    probe.unlink()
    yield Check(
        "disk",
        free >= LEAST_FREE_MB,
        f"{free} MB free at {folder}"
        + ("" if free >= LEAST_FREE_MB else f"; at least {LEAST_FREE_MB} are needed"),
    )


def _mail(config: Config) -> Iterator[Check]:
    if not config.mail.host:
        yield Check("mail", False, "[mail] host is not set: nothing can be sent")
        return
    if not config.mail.sender:
        yield Check("mail", False, "[mail] sender is not set")
        return
    from digest.channels.base import DeliveryError
    from digest.parcels import mail_channel

    try:
        mail_channel(config).check()
    except DeliveryError as error:
        yield Check("mail", False, str(error))
    else:
        yield Check("mail", True, f"{config.mail.host}:{config.mail.port} answers, {config.mail.security}")


def _secrets(config: Config) -> Iterator[Check]:
    if config.mail.user:
        yield Check(
            "mail password",
            bool(secret("mail_password")),
            "set" if secret("mail_password") else "set PARKNEWS_MAIL_PASSWORD or PARKNEWS_MAIL_PASSWORD_FILE",
        )
    if config.digest.public_url:
        set_ = bool(secret("web_secret"))
        yield Check(
            "web secret",
            set_,
            "set"
            if set_
            else "set PARKNEWS_WEB_SECRET (e.g. from `openssl rand -hex 32`): links in mails are signed with it",
        )
