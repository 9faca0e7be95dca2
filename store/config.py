"""The one configuration file: found, read, completed from the environment, checked.

Looked for in this order: the `--config` option, PARKNEWS_CONFIG, `parknews.toml` in the current folder. Without one the
defaults below hold. Relative paths are relative to the file. Secrets never stand in the file: the mail password comes from
PARKNEWS_MAIL_PASSWORD or from the file named by PARKNEWS_MAIL_PASSWORD_FILE (likewise PARKNEWS_WEB_SECRET and
PARKNEWS_BOUNCES_PASSWORD).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from store.toml_file import TomlError, line_of, read_toml

FILE_NAME = "parknews.toml"
#: What `operators` may name beside addresses: the channels of digest.channels.posting, each with PARKNEWS_ALERTS_<NAME>_URL.
ALARM_CHANNELS = ("wecom", "dingtalk", "feishu", "webhook")
Positive = Annotated[int, msgspec.Meta(ge=1)]
Days = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names file, line and the way out."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every section refuses unknown keys, so that a typing error is never a silent default."""


class Office(Section, frozen=True):
    """Who publishes the digest: shown in its masthead (name 刊名, unit 编发单位)."""

    name: str = "高新区党建要情"
    unit: str = "高新区党群工作部"
    contact: str = ""
    time_zone: str = "Asia/Shanghai"
    watch_zones: list[str] = []
    report_to: str = ""
    send_to: str = ""


class Database(Section, frozen=True):
    """Where everything is kept. PARKNEWS_DATABASE_URL comes first."""

    url: str = "sqlite:///var/parknews.db"


class Crawl(Section, frozen=True):
    """How sources are visited. `contact` stands in the user agent; sizes in MB, times in seconds, ages in days.

    Articles first seen in the last `recheck_days` days are looked at again for corrections; 0 looks at none.
    """

    sources: str = "sources.toml"
    catalogue: bool = False
    contact: str = ""
    delay: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    timeout: Positive = 30
    max_page_mb: Positive = 5
    max_pdf_mb: Positive = 40
    max_articles: Positive = 200
    recheck_days: Annotated[int, msgspec.Meta(ge=0)] = 14
    keep_pages_days: Positive = 180
    keep_pages_mb: Positive = 2000
    obey_robots: bool = True
    wall_seconds: Positive = 1800


class Classify(Section, frozen=True):
    """What counts as relevant. `vocabulary` is a folder whose TOML files replace those of the product."""

    vocabulary: str = ""
    threshold: Share | None = None


class DigestSection(Section, frozen=True):
    """The weekly issue: its hour in the office's time zone, its length, where its files go."""

    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = "mon"
    hour: Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "08:00"
    max_stories: Positive = 40
    folder: str = "var/digest"
    templates: str = ""
    public_url: str = ""
    word: bool = True


class Mail(Section, frozen=True):
    """The mail server. `security` is starttls or tls; none is only for a server on this machine.

    A limit of 0 means none; a provider known to bear less is sent less. `dkim_key` is the path of a private key in PEM form.
    """

    host: str = ""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    sender: str = ""
    reply_to: str = ""
    timeout: Positive = 30
    max_per_minute: int = 60
    max_per_hour: int = 1000
    max_per_day: int = 0
    dkim_key: str = ""
    dkim_selector: str = "parknews"


class Bounces(Section, frozen=True):
    """Mail that came back: a folder of .eml files, filled from a mailbox over TLS when one is named.

    `port` 0 is the protocol's own (993, 995). Without `user` it is the mail server's user with the mail password, else the
    password is PARKNEWS_BOUNCES_PASSWORD. An address is given up after so many issues in a row that came back for good or
    for now.
    """

    folder: str = "var/bounces"
    protocol: Literal["imap", "pop3"] = "imap"
    host: str = ""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    user: str = ""
    hard_after: Positive = 2
    soft_after: Positive = 4


class Keep(Section, frozen=True):
    """How many days records are kept that only look back; 0 is for ever. What was published is never deleted."""

    crawls_days: Days = 400
    alerts_days: Days = 730
    versions_days: Days = 1095
    audit_days: Days = 3650
    passed_urls_days: Days = 730


class Web(Section, frozen=True):
    """The archive, the editor's desk and the recipients' pages. Loopback and private unless told otherwise.

    `proxy` is the address a reverse proxy connects from: only its X-Forwarded-For and -Proto are believed.
    `trust_proxy_user` is the header in which that proxy names a user it has let in; such a user is an editor.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8090
    in_daemon: bool = False
    public_archive: bool = False
    proxy: str = ""
    trust_proxy_user: Annotated[str, msgspec.Meta(pattern=r"^([A-Za-z][A-Za-z0-9-]{0,63})?$")] = ""


class Daemon(Section, frozen=True):
    """The clock: how often it looks (seconds), how many crawls run at once, when silence becomes an alert (days).

    `ping_url` is fetched every five minutes while all is well: an outside watcher that misses it raises the alarm.
    With `workers` crawls are put on a queue for `parknews worker` instead of being run by the daemon.
    """

    tick_seconds: Positive = 30
    crawls_at_once: Positive = 8
    interval_minutes: Positive = 60
    lease_seconds: Positive = 45
    silent_days: Positive = 14
    ping_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s/]+\S*)?$")] = ""
    workers: bool = False


class RecipientEntry(Section, frozen=True):
    """A recipient named in the file. Empty lists mean everything."""

    address: str
    name: str = ""
    zones: list[str] = []
    themes: list[str] = []
    provinces: list[str] = []
    channels: list[str] = []
    word: bool = False
    send_empty: bool = False


class Config(Section, frozen=True):
    """The whole file. `base` is the folder relative paths start from; `path` is empty when there is no file."""

    office: Office = Office()
    database: Database = Database()
    crawl: Crawl = Crawl()
    classify: Classify = Classify()
    digest: DigestSection = DigestSection()
    mail: Mail = Mail()
    bounces: Bounces = Bounces()
    web: Web = Web()
    daemon: Daemon = Daemon()
    keep: Keep = Keep()
    operators: list[str] = []
    recipient: list[RecipientEntry] = []
    path: str = ""
    base: str = "."

    def resolve(self, path: str) -> Path:
        """Return `path` as an absolute one."""
        return (Path(self.base) / path).absolute()

    @property
    def database_url(self) -> str:
        """The database's URL with a SQLite path made absolute."""
        url = self.database.url
        found = re.fullmatch(r"sqlite:///(?!/)(.+)", url)
        return f"sqlite:///{self.resolve(found[1])}" if found and found[1] != ":memory:" else url

    @property
    def zone_info(self) -> ZoneInfo:
        """The office's time zone."""
        return ZoneInfo(self.office.time_zone)


def find_config(given: str | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the file to read, or None when there is none. A file that was named must exist: ConfigError."""
    named = given or environ.get("PARKNEWS_CONFIG")
    if named:
        if not Path(named).is_file():
            raise ConfigError(f"{named}: no such configuration file; `parknews init` writes one")
        return Path(named)
    here = Path(FILE_NAME)
    return here if here.is_file() else None


def load_config(given: str | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Return the checked configuration. Raises ConfigError with file and line. Reads files, changes nothing."""
    path = find_config(given, environ)
    config = Config()
    if path:
        try:
            config = read_toml(path, Config)
        except TomlError as error:
            raise ConfigError(str(error)) from error
        config = msgspec.structs.replace(config, path=str(path), base=str(path.absolute().parent))
    if url := environ.get("PARKNEWS_DATABASE_URL"):
        config = msgspec.structs.replace(config, database=Database(url=url))
    _check(config)
    return config


def _check(config: Config) -> None:
    if not _is_time_zone(config.office.time_zone):
        _fail(
            config,
            "$.office.time_zone",
            f"no time zone {config.office.time_zone!r}; use a name such as Asia/Shanghai",
        )
    if not re.match(r"(sqlite|postgresql)(\+\w+)?://", config.database.url):
        _fail(
            config,
            "$.database.url",
            f"{config.database.url!r} is neither sqlite:///PATH nor postgresql://USER@HOST/NAME",
        )
    seen: set[str] = set()
    for number, entry in enumerate(config.recipient):
        where = f"$.recipient[{number}].address"
        if not is_address(entry.address):
            _fail(config, where, f"{entry.address!r} is not a mail address; write name@example.cn")
        if entry.address.lower() in seen:
            _fail(config, where, f"{entry.address!r} is listed twice; keep one entry")
        seen.add(entry.address.lower())
    for key, address in (("sender", config.mail.sender), ("reply_to", config.mail.reply_to)):
        if address and not is_address(address):
            _fail(config, f"$.mail.{key}", f"{address!r} is not a mail address; write name@example.cn")
    for operator in config.operators:
        if not is_address(operator) and operator not in ALARM_CHANNELS:
            names = ", ".join(ALARM_CHANNELS)
            message = f"{operator!r} is neither a mail address (write name@example.cn) nor one of {names}"
            _fail(config, "$.operators", message)
    if config.web.trust_proxy_user and not config.web.proxy:
        message = "nobody may be believed without saying who: set proxy to the address the reverse proxy connects from"
        _fail(config, "$.web.trust_proxy_user", message)


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):  # a path, a folder, nothing
        return False
    return True


_ADDRESS = re.compile(
    r"[^\s@<>\"(),:;\\\[\]\x00-\x20\x7f-\x9f]{1,64}@(?=.{4,253}$)[\w-]+(\.[\w-]+)+", re.UNICODE
)


def is_address(address: str) -> bool:
    """Return whether `address` can be a recipient: one mailbox, no display name, a dotted domain, no control characters."""
    if not _ADDRESS.fullmatch(address) or ".." in address or address.startswith("."):
        return False
    local, _, domain = address.rpartition("@")
    labels = domain.split(".")
    return not local.endswith(".") and all(
        1 <= len(label) <= 63 and not label.startswith("-") and not label.endswith("-") for label in labels
    )


def _fail(config: Config, where: str, message: str) -> None:
    if not config.path:
        raise ConfigError(f"environment: {message}")
    text = Path(config.path).read_text(encoding="utf-8")
    raise ConfigError(f"{config.path}:{line_of(text, where)}: {message}")


def secret(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the secret PARKNEWS_<NAME>, from the variable or from the file PARKNEWS_<NAME>_FILE; empty when neither is set.

    Raises ConfigError when the file cannot be read. The value is never logged.
    """
    variable = f"PARKNEWS_{name.upper()}"
    if value := environ.get(variable):
        return value
    if not (path := environ.get(f"{variable}_FILE")):
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{variable}_FILE: {path} cannot be read: {error.strerror}") from error
