"""The index behind search: which articles hold which signs one after the other, and which zone, theme, outlet, month.

Chinese has no spaces and words are often two characters long, so signs are what can be looked up. The index may only
promise too much, never too little; `store.search` checks every candidate against `SearchText.folded`. Kept in the
transaction that changes an article: flushes note which articles changed, `keep_up` writes them before the commit and
before every search of the same session.

SQLite: an FTS5 table without content, every sign a token with its places, so that a word is a phrase. Pairs of signs as
tokens without places would answer in less time, but three times as many of them took three times as long to write.
PostgreSQL: a GIN index over an array of numbers, one for each pair of neighbouring signs (a tsvector would refuse texts
with more than about 100,000 different pairs); a word is found where all its pairs are.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import chain, pairwise
from typing import Any, cast
from zlib import crc32

from sqlalchemy import (
    Connection,
    Table,
    delete,
    event,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from store.database import among, position
from store.dedup.canonical import simplified_signs
from store.models import Article, ArticleTag, Base, Key, Source
from store.text import nfkc

#: Columns of an article that are searched or filtered by.
_WATCHED = ("title", "kicker", "subtitle", "text", "publisher", "published_at", "source_id", "tags")
_PENDING = "search_pending"
#: Stands between the parts of an article so that nothing is found across them.
BREAK = "\n"
#: Stands for a space in tokens, which the tokenizer would split at.
_SPACE = "\ue020"
#: Signs no text is searched for: control characters (white space is dealt with before) and those for private use.
_DROPPED = "\x00-\x08\x0e-\x1b\x7f\ue000-\uf8ff"
#: First characters of labels, tokens that are no signs; private, so that no text can forge them (texts lose theirs in `fold`).
ZONE, THEME, OUTLET, SOURCE, MONTH, YEAR, OUTLET_NAME = (chr(0xF700 + number) for number in range(7))


class SearchText(Base):
    """An article as it is searched: its folded parts, the moment it counts for, and its labels."""

    __tablename__ = "search_text"
    article_id: Mapped[int] = mapped_column(Key, primary_key=True, autoincrement=False)
    moment: Mapped[datetime]
    folded: Mapped[str]
    labels: Mapped[str]


_TEXT, _ARTICLE, _TAG = (cast("Table", model.__table__) for model in (SearchText, Article, ArticleTag))
_INDEXED = select(_TEXT).where(among(_TEXT.c.article_id, "ids"))
_TAGS = select(_TAG.c.article_id, _TAG.c.kind, _TAG.c.name).where(among(_TAG.c.article_id, "ids"))
_PARTS = (
    "id",
    "title",
    "kicker",
    "subtitle",
    "text",
    "publisher",
    "source_id",
    "published_at",
    "first_seen_at",
)
_ARTICLES = select(*(_ARTICLE.c[name] for name in _PARTS)).where(among(_ARTICLE.c.id, "ids"))


@lru_cache(maxsize=1)
def _exchanged() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return a pattern for the signs that give way to others, and what to; to nothing where they are not named."""
    others = simplified_signs() | {"ς": "σ"}
    return re.compile(f"[{_DROPPED}{''.join(others)}]"), others


def fold(text: str) -> str:
    """Return `text` as it is compared: NFKC, lower case, simplified, white space runs as one space.

    Sign by sign, so that what is part of a text stays part of it. Signs for private use are dropped.
    """
    pattern, others = _exchanged()
    folded = pattern.sub(lambda sign: others.get(sign[0], ""), nfkc(text).lower())
    return " ".join(folded.split())


def as_searched(*parts: str | None) -> str:
    """Return the folded parts of an article, or of what was told of one, as they are kept for searching."""
    return BREAK.join(fold(part) for part in parts if part)


def outlet_pairs(folded: str) -> set[str]:
    """Return the labels of an outlet's folded name: its pairs of signs, kept apart from texts."""
    return {OUTLET + one + other for one, other in pairwise(folded.replace(" ", _SPACE))}


@lru_cache(maxsize=4096)
def label(kind: str, name: str) -> str:
    """Return the token of a zone, theme, source, month or year."""
    return kind + fold(name).replace(" ", _SPACE)


def _numbers(folded: str) -> set[int]:
    """Return the pairs of a folded text as 32-bit numbers, two UTF-16 units each: a rare sign counts as two."""
    units = folded.encode("utf-16-le", "surrogatepass")
    numbers = array("i", units[: len(units) & ~3])
    numbers.frombytes(units[2 : 2 + (len(units) - 2 & ~3)])
    return set(numbers)


def _number(label: str) -> int:
    """Return a checksum of a label. Two may coincide, with a pair too."""
    return crc32(label.encode("utf-8", "surrogatepass")) - 0x80000000


#: Every printable ASCII sign but the space is part of a token; others are anyway.
_SQLITE_TABLE = """CREATE VIRTUAL TABLE IF NOT EXISTS search_index USING fts5(tokens, content='', columnsize=0,
tokenize="ascii tokenchars '!""#$%&''()*+,-./:;<=>?@[\\]^_`{|}~'")"""
#: Merging eightfold instead of fourfold takes a fifth off an indexing; a search then looks into some twenty segments.
_SQLITE_MERGING = "INSERT INTO search_index(search_index, rank) VALUES ('automerge', 8)"
_POSTGRESQL_TABLE = (
    "CREATE TABLE IF NOT EXISTS search_index (article_id bigint PRIMARY KEY, tokens integer[] NOT NULL)"
)
#: Numbers of pairs hardly compress; trying it cost a quarter of an indexing and a half of every look into an array.
_POSTGRESQL_PLAIN = "ALTER TABLE search_index ALTER tokens SET STORAGE EXTERNAL"


def create(connection: Connection) -> None:
    """Make the index table beside `search_text`; may be repeated. Migrations call this after they made `search_text`."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_SQLITE_TABLE)
        connection.exec_driver_sql(_SQLITE_MERGING)
        return
    connection.exec_driver_sql(_POSTGRESQL_TABLE)
    connection.exec_driver_sql(_POSTGRESQL_PLAIN)
    connection.exec_driver_sql(
        "CREATE INDEX IF NOT EXISTS search_index_tokens ON search_index USING gin (tokens)"
    )


def drop(connection: Connection) -> None:
    """Remove the index table."""
    connection.exec_driver_sql("DROP TABLE IF EXISTS search_index")


@event.listens_for(_TEXT, "after_create")
def _created(_target: object, connection: Connection, **_: object) -> None:
    create(connection)


@event.listens_for(_TEXT, "before_drop")
def _dropping(_target: object, connection: Connection, **_: object) -> None:
    drop(connection)


@event.listens_for(Session, "after_flush")
def _note(session: Session, _context: object) -> None:
    """Remember the articles this flush changed."""
    pending: set[int] = session.info.setdefault(_PENDING, set())
    for row in (*session.new, *session.deleted):
        if isinstance(row, Article):
            pending.add(row.id)
        elif isinstance(row, ArticleTag):
            pending.add(row.article_id)
    for row in session.dirty:
        if isinstance(row, Article) and _changed(row):
            pending.add(row.id)


def note(session: Session, numbers: Iterable[int]) -> None:
    """Remember articles that were inserted beside the ORM."""
    session.info.setdefault(_PENDING, set()).update(numbers)


def _changed(article: Article) -> bool:
    state: Any = inspect(article)
    return any(state.attrs[name].history.has_changes() for name in _WATCHED)


@event.listens_for(Session, "before_commit")
def _write(session: Session) -> None:
    keep_up(session)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_PENDING, None)


def keep_up(session: Session) -> None:
    """Bring the index up to what this session has changed; called before every commit and search."""
    if session.new or session.dirty or session.deleted:
        session.flush()
    pending = session.info.pop(_PENDING, None)
    if pending:
        _index(session, sorted(number for number in pending if number is not None))


def rebuild(session: Session) -> int:
    """Index every article anew; return how many there are. For after a change by other means than the ORM."""
    connection = session.connection()
    drop(connection)
    if connection.dialect.name == "sqlite":
        create(connection)
    else:
        connection.exec_driver_sql(_POSTGRESQL_TABLE)  # its index comes last: that is five times as quick
        connection.exec_driver_sql(_POSTGRESQL_PLAIN)
        connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
    session.execute(delete(SearchText))
    session.info.pop(_PENDING, None)
    count, last = 0, 0
    while ids := list(
        session.scalars(select(Article.id).where(Article.id > last).order_by(Article.id).limit(200))
    ):
        _index(session, ids)
        count, last = count + len(ids), ids[-1]
    create(connection)
    return count


def _index(session: Session, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), 200):
        chunk = ids[start : start + 200]
        old = {row.article_id: row for row in session.connection().execute(_INDEXED, {"ids": chunk})}
        new = _read(session, chunk)
        changed = [number for number in chunk if _key(old.get(number)) != _key(new.get(number))]
        _take_out(session, [old[number] for number in changed if number in old])
        _put_in(session, [new[number] for number in changed if number in new])


def _key(row: Any) -> tuple[str, str, datetime] | None:
    if row is None:
        return None
    if isinstance(row, dict):
        return row["folded"], row["labels"], row["moment"]
    return row.folded, row.labels, row.moment


def _read(session: Session, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    connection, given = session.connection(), {"ids": ids}
    tags: dict[int, set[str]] = {}
    for number, kind, name in connection.execute(_TAGS, given):
        tags.setdefault(number, set()).add(label(ZONE if kind == "zone" else THEME, name))
    rows: dict[int, dict[str, Any]] = {}
    for row in connection.execute(_ARTICLES, given):
        moment = row.published_at or row.first_seen_at
        outlet = fold(row.publisher or "")
        labels = (
            tags.get(row.id, set())
            | outlet_pairs(outlet)
            | ({label(OUTLET_NAME, outlet)} if outlet else set())
        )
        labels |= {label(MONTH, f"{moment:%Y%m}"), label(YEAR, f"{moment:%Y}")}
        labels |= {label(SOURCE, str(row.source_id))} if row.source_id else set()
        parts = (row.title, row.kicker, row.subtitle, row.text)
        rows[row.id] = {
            "article_id": row.id,
            "moment": moment,
            "folded": as_searched(*parts),
            "labels": " ".join(sorted(labels)),
        }
    return rows


def _words(folded: str, labels: str) -> str:
    """Return a row as FTS5 reads it: a space after every sign."""
    signs = array("I", folded.replace(" ", _SPACE).encode("utf-32-le"))
    row = array("I", " ".encode("utf-32-le")) * (2 * len(signs))
    row[0::2] = signs
    return row.tobytes().decode("utf-32-le") + labels


def _take_out(session: Session, rows: Sequence[Any]) -> None:
    """Remove indexed rows. FTS5 without content forgets a row only when told exactly what was put in."""
    if not rows:
        return
    numbers = [row.article_id for row in rows]
    if session.get_bind().dialect.name == "sqlite":
        session.execute(
            text("INSERT INTO search_index(search_index, rowid, tokens) VALUES ('delete', :id, :tokens)"),
            [{"id": row.article_id, "tokens": _words(row.folded, row.labels)} for row in rows],
        )
    else:
        session.execute(text("DELETE FROM search_index WHERE article_id = ANY(:ids)"), {"ids": numbers})
    session.execute(delete(_TEXT).where(_TEXT.c.article_id.in_(numbers)))


def _put_in(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    session.execute(insert(_TEXT), rows)
    if session.get_bind().dialect.name == "sqlite":
        session.execute(
            text("INSERT INTO search_index(rowid, tokens) VALUES (:id, :tokens)"),
            [{"id": row["article_id"], "tokens": _words(row["folded"], row["labels"])} for row in rows],
        )
    else:
        session.execute(
            text(
                "INSERT INTO search_index(article_id, tokens) VALUES (:id, CAST(:tokens AS integer[])) "
                "ON CONFLICT (article_id) DO UPDATE SET tokens = excluded.tokens"
            ),
            [
                {"id": row["article_id"], "tokens": _array(_numbers(row["folded"]), row["labels"].split())}
                for row in rows
            ],
        )


def _array(numbers: set[int], labels: Iterable[str]) -> str:
    """Return an article's numbers as PostgreSQL writes an array; the driver takes five times as long for a list."""
    return "{" + ",".join(map(str, numbers.union(map(_number, labels)))) + "}"


#: How many articles count as the newest.
_NEWEST = 2000
#: Signs of a word that SQLite is asked for; each costs some milliseconds, and so many say which articles it may stand in.
_ASKED = 12
#: One condition: any of the alternatives, each of which is folded words and labels that must all be there.
Clause = Sequence[Iterable[str]]


def matching(dialect: str, clauses: Sequence[Clause]) -> tuple[str, str, dict[str, Any]]:
    """Return (name of the number's column, SQL condition, parameters) for `search_index` rows that fulfil every clause."""
    if dialect == "sqlite":
        words = " AND ".join(
            "(" + " OR ".join("(" + " AND ".join(map(_phrase, some)) + ")" for some in clause) + ")"
            for clause in clauses
        )
        return "rowid", "search_index MATCH :tokens", {"tokens": words}
    parameters: dict[str, Any] = {}
    conditions = []
    for clause in clauses:
        alternatives = []
        for some in clause:
            name = f"tokens_{len(parameters)}"
            parameters[name] = sorted(set(chain.from_iterable(map(_looked_up, some))))
            alternatives.append(f"tokens @> CAST(:{name} AS integer[])")
        conditions.append("(" + " OR ".join(alternatives) + ")")
    return "article_id", " AND ".join(conditions), parameters


def _is_label(term: str) -> bool:
    return ZONE <= term[0] <= OUTLET_NAME


def _phrase(term: str) -> str:
    signs = term if _is_label(term) else " ".join(term[:_ASKED].replace(" ", _SPACE))
    return '"' + signs.replace('"', '""') + '"'


def _looked_up(term: str) -> Iterable[int]:
    return (_number(term),) if _is_label(term) else _numbers(term)


def candidates(session: Session, clauses: Sequence[Clause], before: int | None, limit: int) -> list[int]:
    """Return articles that may fulfil every clause, newest first, with numbers under `before`."""
    if not clauses:
        query = select(SearchText.article_id).order_by(SearchText.article_id.desc()).limit(limit)
        return list(session.scalars(query if before is None else query.where(SearchText.article_id < before)))
    prefer_index(session)
    dialect = session.get_bind().dialect.name
    column, condition, parameters = matching(dialect, clauses)
    if dialect == "sqlite":
        bounds = ["" if before is None else f" AND {column} < :before"]
        order = column
    else:
        order = f"{column} + 0"  # or PostgreSQL would walk its key and read every array
        bounds = [f" AND {order} < :before"]
        if (
            before is None
        ):  # sorting what a common word finds takes longer than finding it: the newest are tried first
            newest = session.scalar(text(f"SELECT max({column}) FROM search_index")) or 0  # noqa: S608
            bounds = [f" AND {order} > {newest - _NEWEST}", ""]
    if before is not None:
        parameters["before"] = before
    found: list[int] = []
    for bound in bounds:
        sql = f"SELECT {column} FROM search_index WHERE {condition}{bound} ORDER BY {order} DESC LIMIT {int(limit)}"  # noqa: S608
        found = list(session.scalars(text(sql), parameters))
        if len(found) >= limit:
            break
    return found


def prefer_index(session: Session) -> None:
    """Keep PostgreSQL for the rest of the transaction from reading arrays in full where the index knows the answer.

    Its planner takes a look into an array for cheap; unpacking 100,000 of them takes a second or two.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET LOCAL enable_seqscan = off"))


def holds(word: str, column: Any = SearchText.folded) -> Any:
    """Return the condition that a folded text, by default an article's, holds the folded `word`."""
    return position(column, word) > 0


def is_labelled(token: str) -> Any:
    """Return the condition that an article carries the `label`: quicker than a look at its tags, one by one."""
    return position(" " + SearchText.labels + " ", f" {token} ") > 0


def outlet_holds(outlet: str) -> Any:
    """Return the condition that the folded name of an article's original outlet holds the folded `outlet`.

    The name is the last of the labels, which are sorted and of which its kind is the last.
    """
    part = outlet.replace(" ", _SPACE)
    for sign in "\\%_":
        part = part.replace(sign, "\\" + sign)
    return SearchText.labels.like(f"%{OUTLET_NAME}%{part}%", escape="\\")


def sources_named(session: Session, outlet: str) -> list[int]:
    """Return the sources whose outlet's name holds the folded `outlet`."""
    rows = session.execute(select(Source.id, Source.publisher).where(Source.publisher.is_not(None)))
    return [number for number, name in rows if name and outlet in _folded_name(name)]


@lru_cache(maxsize=20_000)
def _folded_name(name: str) -> str:
    return fold(name)
