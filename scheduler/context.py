"""What commands and jobs start from: the configuration and the database."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from store.config import Config, load_config

if TYPE_CHECKING:
    from store.database import Engine


@dataclass
class Installation:
    """The configuration with its database; the database is connected and brought up to date when first used."""

    config: Config

    @cached_property
    def engine(self) -> Engine:
        """The database. Raises SchemaError when it is newer than the code."""
        from store.database import make_engine
        from store.schema import ensure

        engine = make_engine(self.config.database_url)
        ensure(engine)
        return engine


def open_installation() -> Installation:
    """Return the installation of the current configuration. Raises ConfigError."""
    return Installation(load_config())


def operator() -> str:
    """Return who is at the keyboard, for the audit trail."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry for this user id, as in containers
        return "unknown"
