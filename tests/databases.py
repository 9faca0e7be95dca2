"""PostgreSQL as it is when nothing was ever in it."""

from __future__ import annotations

from sqlalchemy import Engine, text

from store.database import make_engine


def emptied(url: str) -> Engine:
    """Return an engine of the database, which loses all it held."""
    engine = make_engine(url)
    with engine.begin() as connection:
        for schema in ("public", "parknews_queue"):
            connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    return engine
