"""The one configuration file: found, read, completed from the environment, checked.

Looked for in this order: the `--config` option, PARKNEWS_CONFIG, `parknews.toml` in the current folder. Without one the
defaults below hold. Relative paths are relative to the file. Secrets never stand in the file: the mail password comes from
PARKNEWS_MAIL_PASSWORD or from the file named by PARKNEWS_MAIL_PASSWORD_FILE (likewise PARKNEWS_WEB_SECRET and
PARKNEWS_BOUNCES_PASSWORD).
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from store.toml_faults import label, must_be
from store.toml_file import TomlError, read_text, read_toml
from store.toml_lines import Step, line_of

FILE_NAME = "parknews.toml"
#: What `operators` may name beside addresses: the channels of digest.channels.posting, each with PARKNEWS_ALERTS_<NAME>_URL.
ALARM_CHANNELS = ("wecom", "dingtalk", "feishu", "webhook")
#: Every channel a recipient may name.
CHANNELS = ("mail", "folder", "webpage", *ALARM_CHANNELS)
#: Text that fits into a header, a path or a cell: no control characters.
Line = Annotated[
    str, msgspec.Meta(pattern=r"\A[^\x00-\x1f\x7f]*\Z", description="text in quotes, on one line")
]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Days = Annotated[int, msgspec.Meta(ge=0, le=100_000)]
SomeDays = Annotated[int, msgspec.Meta(ge=1, le=100_000)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_ADDRESS_WORDS = "a mail address such as name@example.cn"


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names file, line and the way out."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every section refuses unknown keys, so that a typing error is never a silent default."""


class Office(Section, frozen=True):
    """Who publishes the digest: shown in its masthead (name 刊名, unit 编发单位)."""

    name: Line = "高新区党建要情"
    unit: Line = "高新区党群工作部"
    contact: Line = ""
    time_zone: Line = "Asia/Shanghai"
    watch_zones: list[Line] = []
    report_to: Line = ""
    send_to: Line = ""


class Database(Section, frozen=True):
    """Where everything is kept. PARKNEWS_DATABASE_URL comes first."""

    url: Line = "sqlite:///var/parknews.db"


class Crawl(Section, frozen=True):
    """How sources are visited. `contact` stands in the user agent; sizes in MB, times in seconds, ages in days.

    Articles first seen in the last `recheck_days` days are looked at again for corrections; 0 looks at none.
    """

    sources: Line = "sources.toml"
    catalogue: bool = False
    contact: Line = ""
    delay: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 1.0
    timeout: Positive = 30
    max_page_mb: Positive = 5
    max_pdf_mb: Positive = 40
    max_articles: Positive = 200
    recheck_days: Days = 14
    keep_pages_days: SomeDays = 180
    keep_pages_mb: Positive = 2000
    obey_robots: bool = True
    wall_seconds: Positive = 1800


class Classify(Section, frozen=True):
    """What counts as relevant. `vocabulary` is a folder whose TOML files replace those of the product."""

    vocabulary: Line = ""
    threshold: Share | None = None


class DigestSection(Section, frozen=True):
    """The weekly issue: its hour in the office's time zone, its length, where its files go."""

    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = "mon"
    hour: Annotated[
        str,
        msgspec.Meta(
            pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z",
            description='a time from "00:00" to "23:59", such as "08:30"',
        ),
    ] = "08:00"
    max_stories: Positive = 40
    folder: Line = "var/digest"
    templates: Line = ""
    public_url: Line = ""
    word: bool = True


class Mail(Section, frozen=True):
    """The mail server. `security` is starttls or tls; none is only for a server on this machine.

    A limit of 0 means none; a provider known to bear less is sent less. `dkim_key` is the path of a private key in PEM form.
    """

    host: Line = ""
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: Line = ""
    sender: Line = ""
    reply_to: Line = ""
    timeout: Positive = 30
    max_per_minute: Count = 60
    max_per_hour: Count = 1000
    max_per_day: Count = 0
    dkim_key: Line = ""
    dkim_selector: Line = "parknews"


class Bounces(Section, frozen=True):
    """Mail that came back: a folder of .eml files, filled from a mailbox over TLS when one is named.

    `port` 0 is the protocol's own (993, 995). Without `user` it is the mail server's user with the mail password, else the
    password is PARKNEWS_BOUNCES_PASSWORD. An address is given up after so many issues in a row that came back for good or
    for now.
    """

    folder: Line = "var/bounces"
    protocol: Literal["imap", "pop3"] = "imap"
    host: Line = ""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    user: Line = ""
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

    host: Line = "127.0.0.1"
    port: Port = 8090
    in_daemon: bool = False
    public_archive: bool = False
    proxy: Line = ""
    trust_proxy_user: Annotated[
        str,
        msgspec.Meta(
            pattern=r"\A([A-Za-z][A-Za-z0-9-]{0,63})?\Z",
            description='the name of a header such as "X-Remote-User"',
        ),
    ] = ""


class Daemon(Section, frozen=True):
    """The clock: how often it looks (seconds), how many crawls run at once, when silence becomes an alert (days).

    `ping_url` is fetched every five minutes while all is well: an outside watcher that misses it raises the alarm.
    With `workers` crawls are put on a queue for `parknews worker` instead of being run by the daemon.
    """

    tick_seconds: Positive = 30
    crawls_at_once: Positive = 8
    interval_minutes: Positive = 60
    lease_seconds: Positive = 45
    silent_days: SomeDays = 14
    ping_url: Annotated[
        str,
        msgspec.Meta(
            pattern=r"\A(https?://[^\s/]+\S*)?\Z",
            description="an address that begins with http:// or https://",
        ),
    ] = ""
    workers: bool = False


class RecipientEntry(Section, frozen=True):
    """A recipient named in the file. Empty lists mean everything."""

    address: Line
    name: Line = ""
    zones: list[Line] = []
    themes: list[Line] = []
    provinces: list[Line] = []
    channels: list[Line] = []
    word: bool = False
    send_empty: bool = False


class ConfigFile(Section, frozen=True):
    """The whole file."""

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
    operators: list[Line] = []
    recipient: list[RecipientEntry] = []


class Config(ConfigFile, frozen=True):
    """The file with its place. `base` is the folder relative paths start from; `path` is empty when there is no file."""

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
    if named and not os.path.lexists(named):
        raise ConfigError(f"{named}: no such configuration file; `parknews init` writes one")
    path = named or FILE_NAME
    return Path(path) if os.path.lexists(path) else None


def load_config(given: str | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Return the checked configuration. Raises ConfigError with file, line and key. Reads files, changes nothing."""
    path = find_config(given, environ)
    config = Config()
    if path:
        try:
            read = msgspec.structs.asdict(read_toml(path, ConfigFile))
        except TomlError as error:
            raise ConfigError(str(error)) from error
        config = Config(**read, path=str(path), base=str(path.absolute().parent))
        if fault := next(_faults(config), None):
            raise ConfigError(f"{path}:{line_of(read_text(path), *fault[:2])}: {fault[2]}")
    if url := environ.get("PARKNEWS_DATABASE_URL"):
        if wrong := _wrong_url(url):
            raise ConfigError(f"PARKNEWS_DATABASE_URL {wrong}")
        config = msgspec.structs.replace(config, database=Database(url=url))
    return config


_Fault = tuple[Sequence[Step], object, str]


def _faults(config: Config) -> Iterator[_Fault]:
    """Yield what no type says: the place, the value there and the sentence."""
    if not _is_time_zone(config.office.time_zone):
        yield _fault(["office", "time_zone"], "a time zone such as Asia/Shanghai", config.office.time_zone)
    if wrong := _wrong_url(config.database.url):
        yield ["database", "url"], None, f"[database] url {wrong}"
    yield from _recipient_faults(config.recipient)
    for key, address in (("sender", config.mail.sender), ("reply_to", config.mail.reply_to)):
        if address and not is_address(address):
            yield _fault(["mail", key], _ADDRESS_WORDS, address)
    for number, operator in enumerate(config.operators):
        if not is_address(operator) and operator not in ALARM_CHANNELS:
            wanted = f"{_ADDRESS_WORDS} or one of {', '.join(ALARM_CHANNELS)}"
            yield _fault(["operators", number], wanted, operator)
    if config.web.proxy and not _is_ip(config.web.proxy):
        yield _fault(["web", "proxy"], "an IP address such as 127.0.0.1", config.web.proxy)
    if config.web.trust_proxy_user and not config.web.proxy:
        place: list[Step] = ["web", "trust_proxy_user"]
        yield (
            place,
            None,
            f"{label(place)} needs proxy beside it: the address the reverse proxy connects from",
        )


def _recipient_faults(entries: Sequence[RecipientEntry]) -> Iterator[_Fault]:
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        place: list[Step] = ["recipient", number, "address"]
        if not is_address(entry.address):
            yield _fault(place, _ADDRESS_WORDS, entry.address)
        if entry.address.lower() in seen:
            yield place, None, f"{label(place)} {entry.address!r} is listed twice; keep one entry"
        seen.add(entry.address.lower())
        for channel in entry.channels:
            if channel not in CHANNELS:
                wanted = f"one of {', '.join(CHANNELS)}"
                yield _fault(["recipient", number, "channels", 0], wanted, channel)


def _fault(place: Sequence[Step], wanted: str, value: object) -> _Fault:
    return place, value, must_be(place, wanted, value)


def _wrong_url(url: str) -> str:
    """Return what is wrong with a database's URL, "" for nothing. It may hold a password and is not repeated."""
    if re.match(r"(sqlite|postgresql)(\+\w+)?://", url):
        return ""
    return (
        f"must be sqlite:///PATH or postgresql://USER@HOST/NAME, not {url.partition(':')[0][:20]!r} and so on"
    )


def _is_ip(address: str) -> bool:
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return False
    return True


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
        return read_text(Path(path)).strip()
    except TomlError as error:
        raise ConfigError(f"{variable}_FILE: {error}") from error
