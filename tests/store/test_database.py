"""Connections to a database that does not answer end by themselves."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy.exc import OperationalError

from store.database import PATIENCE, make_engine


def test_a_server_that_takes_the_connection_and_says_nothing_counts_as_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        engine = make_engine(f"postgresql://me@127.0.0.1:{port}/news?connect_timeout=2&sslmode=disable")
        with pytest.raises(OperationalError, match="timeout"):
            engine.connect()
        engine.dispose()


def test_what_the_url_says_goes_before_the_usual_patience(postgresql_url: str) -> None:
    mark = "&" if "?" in postgresql_url else "?"
    engine = make_engine(f"{postgresql_url}{mark}keepalives_idle=77")
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        said = driver.info.get_parameters()
    assert said["keepalives_idle"] == "77"
    assert said["keepalives_count"] == str(PATIENCE["keepalives_count"])
    engine.dispose()
