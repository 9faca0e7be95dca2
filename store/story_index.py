"""Which stored texts look like this one: the fingerprints of every story's leading texts, in narrow tables.

Only leading texts are kept here: the first text of a story and further ones that hold much it does not. A copy adds no
row. Comparison texts are not stored a second time; folding `article.text` again costs 0.05 ms for 1,500 characters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from heapq import nsmallest
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Integer,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from store import story_buckets
from store.dedup.canonical import fold
from store.dedup.placement import Known
from store.dedup.same_story import Text
from store.models import Article, ArticleTag, Base, Key
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


_ARTICLE, _TAG, _TEXT, _FINGERPRINT = (
    table_of(model) for model in (Article, ArticleTag, StoryText, StoryFingerprint)
)
_KNOWN = (
    _ARTICLE.c.id,
    _ARTICLE.c.story_id,
    _ARTICLE.c.title,
    _ARTICLE.c.text,
    _ARTICLE.c.url,
    _ARTICLE.c.published_at,
    _ARTICLE.c.first_seen_at,
    _ARTICLE.c.relation,
    _TEXT.c.page,
)
_LEADERS = (
    select(*_KNOWN)
    .join(_TEXT, _TEXT.c.article_id == _ARTICLE.c.id)
    .where(_ARTICLE.c.id.in_(bindparam("ids", expanding=True)))
)
_MEMBERS = (
    select(*_KNOWN)
    .outerjoin(_TEXT, _TEXT.c.article_id == _ARTICLE.c.id)
    .where(_ARTICLE.c.story_id.in_(bindparam("stories", expanding=True)))
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
        _ARTICLE.c.story_id.in_(bindparam("stories", expanding=True)),
        _ARTICLE.c.relation.not_in(("reprint", "original")),
        _TEXT.c.article_id.is_(None),
    )
    .order_by(_ARTICLE.c.id)
    .limit(bindparam("most"))
)
_CHECKSUMS = select(_ARTICLE.c.id, _ARTICLE.c.checksum).where(
    _ARTICLE.c.id.in_(bindparam("ids", expanding=True))
)
_ADD_TEXT = insert(_TEXT)


def find_candidates(session: Session, text: Text, *, besides: int = 0) -> tuple[list[Known], set[int]]:
    """Return leading texts that share most fingerprints with `text`, best first, and the fingerprints too common to use."""
    wanted = text.wanted()
    if not wanted:
        return [], set()
    found = _holders(session, wanted)
    holders = Counter(fingerprint for fingerprint, _ in found)
    common = {fingerprint for fingerprint, count in holders.items() if count >= COMMON}
    shared = Counter[int]()
    traces = Counter[int]()
    for fingerprint, article_id in found:
        if fingerprint not in common:
            shared[article_id] += 1
            traces[article_id] += fingerprint
    del shared[besides]
    # Ties are broken by what is shared: articles are numbered as they came, which must not matter.
    ranked = nsmallest(
        COMMON, ((-count, traces[article_id], article_id) for article_id, count in shared.items())
    )
    best = _cut(session, ranked)
    least = 2 if best and -best[0][0] >= CLEAR else 1
    places = {article_id: (count, trace) for count, trace, article_id in best if -count >= least}
    leaders = _read(session, list(places))
    return sorted(leaders, key=lambda known: (places[known.article_id], known.text.body, known.url)), common


def _cut(session: Session, ranked: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Return the first CANDIDATES of (count, trace, article); what shares the same furniture is told apart by its text."""
    if len(ranked) <= CANDIDATES or ranked[CANDIDATES - 1][:2] != ranked[CANDIDATES][:2]:
        return ranked[:CANDIDATES]
    ids = [article_id for _, _, article_id in ranked]
    checksums = {row[0]: row[1] for row in session.connection().execute(_CHECKSUMS, {"ids": ids})}
    ranked.sort(key=lambda row: (row[0], row[1], checksums.get(row[2], ""), row[2]))
    return ranked[:CANDIDATES]


def _holders(session: Session, wanted: set[int]) -> Sequence[tuple[int, int]]:
    """Return (fingerprint, article) of what holds wanted fingerprints."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        newest = connection.exec_driver_sql("SELECT max(article_id) FROM story_text").scalar()
        return story_buckets.holders(session, wanted, newest or 0)
    # Literal integers: a thousand bound parameters cost more than the look-up itself.
    listed = ",".join(map(str, wanted))
    query = f"SELECT fingerprint, article_id FROM story_fingerprint WHERE fingerprint IN ({listed})"  # noqa: S608
    return [(row[0], row[1]) for row in connection.exec_driver_sql(query)]


def _read(session: Session, ids: list[int]) -> list[Known]:
    return [known(row) for row in session.connection().execute(_LEADERS, {"ids": ids})] if ids else []


def give_zones(session: Session, found: Iterable[Known]) -> None:
    """Add to leading texts whose headlines name no zone those that were found in them."""
    silent = {one.article_id: one for one in found if not one.text.zones}
    rows = session.execute(
        select(_TAG.c.article_id, _TAG.c.name).where(
            _TAG.c.article_id.in_(silent), _TAG.c.kind == "zone", _TAG.c.field != "twin"
        )
    )
    for article_id, name in rows:
        silent[article_id].text = silent[article_id].text.with_zones([name])


def known(row: Any) -> Known:
    """Return the comparison form of one selected article."""
    return Known(
        article_id=row.id,
        story_id=row.story_id,
        text=form(row.title, row.text, row.url),
        page=bool(row.page),
        leads=row.page is not None,
        published=row.published_at or row.first_seen_at,
        url=row.url,
        relation=row.relation,
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
    rows = session.connection().execute(_MEMBERS, {"stories": list(stories), "most": most})
    return _longest_first(rows)


def _longest_first(rows: Iterable[Any]) -> list[Known]:
    return sorted(map(known, rows), key=lambda found: (-len(found.text.body), found.text.body, found.url))


def strays(session: Session, stories: Collection[int], most: int) -> list[Known]:
    """Return the articles of `stories` that may belong elsewhere: no leading texts and no full copies."""
    return _longest_first(session.connection().execute(_STRAYS, {"stories": list(stories), "most": most}))


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
    row = session.connection().execute(_ONE, {"id": article_id}).first()
    return known(row) if row is not None and row.story_id is not None else None


def add_leader(
    session: Session, article_id: int, text: Text, common: Iterable[int] = (), *, page: bool = False
) -> None:
    """Keep `text` as a leading text, without the fingerprints in `common`. Not yet there is the caller's promise."""
    session.connection().execute(_ADD_TEXT, {"article_id": article_id, "page": page})
    kept = text.kept().difference(common)
    if not kept:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        story_buckets.add(session, kept, article_id)
    else:
        query = "INSERT INTO story_fingerprint (fingerprint, article_id) VALUES (?, ?)"
        connection.exec_driver_sql(query, [(value, article_id) for value in sorted(kept)])


def drop_leader(session: Session, article_id: int, text: Text | None = None) -> None:
    """Forget a leading text; `text` is what it was kept as (None: nothing was ever revised, it stands in the store)."""
    if text is None:
        stored = one_article(session, article_id)
        if stored is None:
            return
        text = stored
    if session.connection().dialect.name == "postgresql":
        story_buckets.drop(session, text.kept(), article_id)
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


def clear(session: Session) -> None:
    """Empty the index; for a rebuild."""
    session.execute(delete(_FINGERPRINT))
    session.execute(delete(table_of(story_buckets.StoryBucket)))
    session.execute(delete(_TEXT))
