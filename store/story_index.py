"""Which stored texts look like this one: the fingerprints of every story's leading texts, in narrow tables.

Only leading texts are kept here: the first text of a story and further ones that hold much it does not. A copy adds no
row. Comparison texts are not stored a second time; folding `article.text` again costs 0.05 ms for 1,500 characters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import cache, lru_cache, partial
from itertools import chain
from typing import Any

from sqlalchemy import (
    Connection,
    ForeignKey,
    Integer,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from store import story_buckets
from store.database import among
from store.dedup.canonical import fold
from store.dedup.placement import Known
from store.dedup.same_story import Text
from store.models import Article, ArticleTag, Base, Key, Story
from store.story_batch import batch_of, connect, forget_lookups, write_later
from store.story_records import table_of

#: A fingerprint held by this many leading texts is a slogan or furniture: it is neither looked at nor stored again.
COMMON = 60
#: Candidates compared in full, by number of shared fingerprints (the right one was among the first 6 in all of 6,263 cases).
CANDIDATES = 8


#: Where the best candidate shares so many, those that share a single one are chance or slogans.
CLEAR = 12
#: Comparison forms kept for the next article, as copies of one story come close together; 100 KB each. On the labelled set
#: 42 of 100 are found again.
FORMS = 128
#: Longer texts are folded each time: a hundred megabytes must not stay in memory.
LONG = 6_000


class StoryText(Base):
    """A leading text of a story. `page` says it holds several stories and must not draw copies to its own."""

    __tablename__ = "story_text"
    article_id: Mapped[int] = mapped_column(
        Key, ForeignKey("article.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    page: Mapped[bool] = mapped_column(default=False)


class StoryFingerprint(Base):
    """One kept fingerprint of a leading text, on SQLite (no foreign key: 20 rows an article are written)."""

    __tablename__ = "story_fingerprint"
    __table_args__ = ({"sqlite_with_rowid": False},)
    fingerprint: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    article_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)


_ARTICLE, _TAG, _STORY, _TEXT, _FINGERPRINT = (
    table_of(model) for model in (Article, ArticleTag, Story, StoryText, StoryFingerprint)
)
_KNOWN = (
    _ARTICLE.c.id,
    _ARTICLE.c.story_id,
    _ARTICLE.c.title,
    _ARTICLE.c.text,
    _ARTICLE.c.url,
    func.coalesce(_ARTICLE.c.published_at, _ARTICLE.c.first_seen_at),
    _ARTICLE.c.relation,
    _TEXT.c.page,
    _ARTICLE.c.published_at.is_not(None),
)
_LEADERS = (
    select(*_KNOWN, _STORY.c.article_count == 1)
    .join(_TEXT, _TEXT.c.article_id == _ARTICLE.c.id)
    .join(_STORY, _STORY.c.id == _ARTICLE.c.story_id)
    .where(among(_ARTICLE.c.id, "ids"))
)
_MEMBERS = (
    select(*_KNOWN)
    .outerjoin(_TEXT, _TEXT.c.article_id == _ARTICLE.c.id)
    .where(among(_ARTICLE.c.story_id, "stories"))
    .order_by(_ARTICLE.c.id)
    .limit(bindparam("most"))
)
_ONE = (
    select(*_KNOWN)
    .outerjoin(_TEXT, _TEXT.c.article_id == _ARTICLE.c.id)
    .where(_ARTICLE.c.id == bindparam("id"))
)
_STRAYS = (
    select(*_KNOWN)
    .outerjoin(_TEXT, _TEXT.c.article_id == _ARTICLE.c.id)
    .where(
        among(_ARTICLE.c.story_id, "stories"),
        _ARTICLE.c.relation != "reprint",
        _ARTICLE.c.relation != "original",
        _TEXT.c.article_id.is_(None),
    )
    .order_by(_ARTICLE.c.id)
    .limit(bindparam("most"))
)
_CHECKSUMS = select(_ARTICLE.c.id, _ARTICLE.c.checksum).where(among(_ARTICLE.c.id, "ids"))
_TAGS = select(_TAG.c.article_id, _TAG.c.name, _TAG.c.kind, _TAG.c.field).where(
    among(_TAG.c.article_id, "ids")
)
_ADD_TEXT = insert(_TEXT)
_HOLDERS = (
    "SELECT fingerprint, article_id FROM json_each(?) CROSS JOIN story_fingerprint ON fingerprint = value"
)


def expect(session: Session, articles: Iterable[Article]) -> None:
    """Look up at once what holds the fingerprints of some dozens of articles that are to get stories in this transaction.

    One look-up for all of them costs half. The lock is held by the caller.
    """
    batch = batch_of(session)
    batch.forms = {article.id: form(article.title, article.text, article.url) for article in articles}
    batch.expected = set()
    wanted = set().union(*(text.wanted for text in batch.forms.values()))
    batch.expected, batch.holders = wanted, _holders(session, wanted)


def form_of(session: Session, article: Article) -> Text:
    """Return the comparison form of an article that gets a story."""
    expected = batch_of(session).forms.pop(article.id, None)
    return expected or form(article.title, article.text, article.url)


def find_candidates(session: Session, text: Text, *, besides: int = 0) -> tuple[list[Known], set[int]]:
    """Return leading texts that share most fingerprints with `text`, best first, and the fingerprints too common to use."""
    wanted = text.wanted
    if not wanted:
        return [], set()
    holders = _holders(session, wanted)
    known = wanted & holders.keys()
    common = {value for value in known if len(holders[value]) >= COMMON}
    rare = known - common
    shared = Counter(chain.from_iterable(map(holders.__getitem__, rare)))
    del shared[besides]
    # Ties are broken by what is shared: articles are numbered as they came, which must not matter.
    traces = dict.fromkeys(shared, 0) | {besides: 0}
    for value in rare:
        for article_id in holders[value]:
            traces[article_id] += value
    ranked = sorted((-count, traces[article_id], article_id) for article_id, count in shared.items())
    best = _cut(session, ranked[:COMMON])
    least = 2 if best and -best[0][0] >= CLEAR else 1
    places = {article_id: (count, trace) for count, trace, article_id in best if -count >= least}
    leaders = _read(session, list(places))
    return sorted(leaders, key=lambda known: (places[known.article_id], known.text.body, known.url)), common


def _cut(session: Session, ranked: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Return the first CANDIDATES of (count, trace, article); what shares the same furniture is told apart by its text."""
    if len(ranked) <= CANDIDATES or ranked[CANDIDATES - 1][:2] != ranked[CANDIDATES][:2]:
        return ranked[:CANDIDATES]
    last = ranked[CANDIDATES][:2]
    tied = [row for row in ranked if row[:2] == last]
    checksums = _checksums(session, [article_id for _, _, article_id in tied])
    tied.sort(key=lambda row: (checksums.get(row[2], ""), row[2]))
    return [*(row for row in ranked[:CANDIDATES] if row[:2] < last), *tied][:CANDIDATES]


def _checksums(session: Session, ids: list[int]) -> dict[int, str]:
    known = batch_of(session).checksums
    if new := [article_id for article_id in ids if article_id not in known]:
        found = session.connection().execute(_CHECKSUMS, {"ids": new})
        known.update((article_id, checksum) for article_id, checksum in found)
    return known


def _holders(session: Session, wanted: set[int]) -> dict[int, list[int]]:
    """Return the leading texts that hold wanted fingerprints, by fingerprint (perhaps those of others too)."""
    batch = batch_of(session)
    if wanted <= batch.expected:
        return batch.holders
    connection = connect(session)
    found: Iterable[Any]
    if connection.dialect.name == "postgresql":
        newest = connection.exec_driver_sql("SELECT max(article_id) FROM story_text").scalar()
        found = story_buckets.holders(connection, wanted, newest or 0)
    else:
        # One parameter: a statement of its own for each text costs a third of the look-up, a parameter for each number more.
        listed = f"[{','.join(map(str, wanted))}]"
        found = connection.exec_driver_sql(_HOLDERS, (listed,)).fetchall()
    holders: dict[int, list[int]] = {}
    for value, article_id in found:
        holders.setdefault(value, []).append(article_id)
    return holders


def _read(session: Session, ids: list[int]) -> list[Known]:
    leaders = batch_of(session).leaders
    if unread := [number for number in ids if number not in leaders]:
        for *row, alone in session.connection().execute(_LEADERS, {"ids": unread}):
            leaders[row[0]] = known(row, alone=bool(alone))
    return [replace(leaders[number]) for number in ids if number in leaders]


def give_zones(session: Session, found: Iterable[Known]) -> None:
    """Let leading texts whose headlines name no zone know those that were found in them; read when first asked for."""
    silent = [one for one in found if not one.text.zones]

    @cache
    def named() -> dict[int, list[str]]:
        zones: dict[int, list[str]] = {}
        given = {"ids": [one.article_id for one in silent]}
        # All tags, as SQLite would look for every zone there is instead of the few articles.
        for article_id, name, kind, field in session.connection().execute(_TAGS, given):
            if kind == "zone" and field != "twin":
                zones.setdefault(article_id, []).append(name)
        return zones

    for one in silent:
        one.text = one.text.with_zones(partial(_named_by, named, one.article_id))


def _named_by(named: Callable[[], dict[int, list[str]]], article_id: int) -> list[str]:
    return named().get(article_id, [])


def known(row: Any, *, alone: bool = False) -> Known:
    """Return the comparison form of one selected article."""
    number, story, title, text, url, published, relation, page, dated = row
    return Known(
        article_id=number,
        story_id=story,
        text=form(title, text, url),
        page=bool(page),
        leads=page is not None,
        published=published,
        url=url,
        relation=relation,
        dated=bool(dated),
        alone=alone,
    )


def form(title: str, text: str, url: str) -> Text:
    """Return the comparison form of an article; the last ones asked for are the same objects, not to be changed."""
    return (Text if len(text) > LONG else _kept_form)(title, text, host=host_of(url))


@lru_cache(maxsize=FORMS)
def _kept_form(title: str, text: str, *, host: str) -> Text:
    return Text(title, text, host=host)


def host_of(url: str) -> str:
    """Return the host of a URL, empty for anything that has none."""
    return url.split("://", 1)[-1].split("/", 1)[0].lower() if "://" in url else ""


def members(session: Session, stories: Collection[int], most: int = 200) -> list[Known]:
    """Return the articles of `stories`, the longest first, at most `most` of them."""
    if not stories:
        return []
    rows = connect(session).execute(_MEMBERS, {"stories": list(stories), "most": most})
    return _longest_first(rows)


def _longest_first(rows: Iterable[Any]) -> list[Known]:
    return sorted(map(known, rows), key=lambda found: (-len(found.text.body), found.text.body, found.url))


def strays(session: Session, stories: Collection[int], most: int) -> list[Known]:
    """Return the articles of `stories` that may belong elsewhere: no leading texts and no full copies."""
    return _longest_first(connect(session).execute(_STRAYS, {"stories": list(stories), "most": most}))


def titles(session: Session, story: int) -> list[str]:
    """Return the folded headlines of a story's articles (at most 50), those of pages left out."""
    found = session.scalars(
        select(_ARTICLE.c.title)
        .outerjoin(_TEXT, _TEXT.c.article_id == _ARTICLE.c.id)
        .where(_ARTICLE.c.story_id == story, _TEXT.c.page.is_not(True))
        .limit(50)
    )
    return [fold(title).text for title in found]


def one_member(session: Session, article_id: int) -> Known | None:
    """Return one article, None when it is gone or has no story."""
    row = connect(session).execute(_ONE, {"id": article_id}).first()
    return known(row) if row is not None and row.story_id is not None else None


def begin(session: Session, leader: Known, common: Iterable[int]) -> None:
    """Keep the text of the only article of a story as `add_leader` does, together with those of the articles that follow."""
    text = leader.text.with_zones(lambda: ())
    batch_of(session).leaders[leader.article_id] = replace(leader, text=text, relation="original", alone=True)
    row = {"article_id": leader.article_id, "page": leader.page}
    write_later(session, _insert_texts, row)
    _keep(session, leader.article_id, text.kept().difference(common))


def add_leader(
    session: Session, article_id: int, text: Text, common: Iterable[int] = (), *, page: bool = False
) -> None:
    """Keep `text` as a leading text, without the fingerprints in `common`. Not yet there is the caller's promise."""
    connect(session).execute(_ADD_TEXT, {"article_id": article_id, "page": page})
    _keep(session, article_id, text.kept().difference(common))


def _keep(session: Session, article_id: int, kept: set[int]) -> None:
    batch = batch_of(session)
    for value in kept & batch.expected:
        batch.holders.setdefault(value, []).append(article_id)
    write_later(session, _insert_fingerprints, (article_id, kept))


def _insert_texts(connection: Connection, rows: list[dict[str, Any]]) -> None:
    connection.execute(_ADD_TEXT, rows)


def _insert_fingerprints(connection: Connection, rows: list[tuple[int, set[int]]]) -> None:
    if connection.dialect.name == "postgresql":
        story_buckets.add(connection, rows)
    elif pairs := sorted((value, article_id) for article_id, kept in rows for value in kept):
        query = "INSERT INTO story_fingerprint (fingerprint, article_id) VALUES (?, ?)"
        connection.exec_driver_sql(query, pairs)


def drop_leader(session: Session, article_id: int, text: Text | None = None) -> None:
    """Forget a leading text; `text` is what it was kept as (None: nothing was ever revised, it stands in the store)."""
    if text is None:
        stored = one_article(session, article_id)
        if stored is None:
            return
        text = stored
    connection = connect(session)
    forget_lookups(session)
    if connection.dialect.name == "postgresql":
        story_buckets.drop(connection, text.kept(), article_id)
    else:
        mine = _FINGERPRINT.c.fingerprint.in_(text.kept())
        session.execute(delete(_FINGERPRINT).where(_FINGERPRINT.c.article_id == article_id, mine))
    session.execute(delete(_TEXT).where(_TEXT.c.article_id == article_id))


def one_article(session: Session, article_id: int) -> Text | None:
    """Return the comparison form of a stored article, None when there is none."""
    row = session.execute(
        select(_ARTICLE.c.title, _ARTICLE.c.text).where(_ARTICLE.c.id == article_id)
    ).first()
    return Text(row.title, row.text) if row is not None else None


def mark_page(session: Session, article_id: int) -> None:
    """Remember that a leading text is a page of several stories."""
    session.execute(update(_TEXT).where(_TEXT.c.article_id == article_id).values(page=True))
