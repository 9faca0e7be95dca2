"""Giving an article its story, and putting right what it changes for those that came before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from store import story_index as index
from store import story_records as records
from store.dedup.placement import (
    BETTER,
    COVERED,
    MIN_UNCOVERED,
    PASSAGE,
    Known,
    Placement,
    is_near,
    place,
    quality,
)
from store.dedup.relations import Copy, named_publisher, outranks, relation
from store.dedup.same_story import TINY, Text, Verdict, compare, is_sequel
from store.models import Article, Story
from store.story_unsettled import comes_early, mark

#: So many articles of one story are compared anew when it has to be put in order; beyond them labels stay as they are.
SETTLED = 120
#: Below this many signs a text with much page furniture is nothing else.
FURNITURE = 100
#: So many neighbouring stories are searched for copies that belong to a new one.
NEIGHBOURS = 4


@dataclass(slots=True)
class Assignment:
    """What became of an article. `changed` are other articles whose story or relation became another one."""

    session: Session
    story_id: int
    relation: str
    of: int | None
    score: float
    also: list[int] = field(default_factory=list)
    reason: str = ""
    changed: set[int] = field(default_factory=set)
    #: the article began this story
    begun: bool = False

    @property
    def story(self) -> Story:
        """The story's row, read when asked for."""
        return self.session.get_one(Story, self.story_id)


def assign_story(session: Session, article: Article, *, zones: Sequence[str] = ()) -> Assignment:
    """Give `article` its story and relation; return them. Repeating it for the same article changes nothing.

    Earlier copies are labelled anew when the article turns out to be their original, and stories that it proves to be
    one are united.
    """
    if article.id is None:
        session.flush()
    records.lock(session)
    if article.story_id is None and records.story_of(session, article.id) is not None:
        # Another process was faster; only possible where the lock comes after the transaction's beginning.
        session.refresh(article, ["story_id", "relation", "relation_of", "relation_score"])
    if article.story_id is not None:
        return _assigned(session, article)
    return choose_story(session, article, zones=zones, arrives=True)


def _assigned(session: Session, article: Article) -> Assignment:
    assert article.story_id is not None
    return Assignment(
        session, article.story_id, article.relation or "original", article.relation_of,
        article.relation_score or 1.0, records.pages_stories(session, article.id), "already in this story",
    )  # fmt: skip


def choose_story(
    session: Session,
    article: Article,
    *,
    zones: Sequence[str] = (),
    overridden: bool = False,
    home: int | None = None,
    arrives: bool = False,
) -> Assignment:
    """Place an article without a story. `overridden`: people's decisions about it are to be looked for. `home` is
    an emptied story that takes it when no other does. `arrives`: it may come before its place in the order of all, which
    is noted then. The lock is held by the caller.
    """
    text = index.form_of(session, article).with_zones(lambda: zones)
    candidates, common = index.find_candidates(session, text, besides=article.id)
    if text.zones:  # zones that were found in the others speak only against a headline that names one
        index.give_zones(session, candidates)
    apart = records.split_from(session, article.id) if overridden else frozenset()
    placement = place(text, candidates, lambda story: index.titles(session, story), apart=apart)
    step = _Step(session, article, text, placement, common)
    near = [match.known for match in placement.verdicts if is_near(text, match)] if arrives else []
    if comes_early(session, article, text, near):
        mark(session, [article.id])
    step.run(home)
    if overridden:
        step.obey_merges()
    return step.finish()


class _Step:
    """One article on its way into a story."""

    def __init__(
        self, session: Session, article: Article, text: Text, placement: Placement, common: set[int]
    ) -> None:
        self.begun = False
        self.session, self.article, self.text, self.placement, self.common = (
            session,
            article,
            text,
            placement,
            common,
        )
        self.changed: set[int] = set()
        self.stories: set[int] = set()
        self.story = 0
        self.word, self.of, self.score = "original", None, 1.0  # type: tuple[str, int | None, float]
        self.reason = ""

    def run(self, home: int | None) -> None:
        best = self.placement.best
        if best is not None:
            self._join(best.known.story_id)
        else:
            self._begin(home)
        if self.begun:
            records.put_first(self.session, self.article.id, self.story)
            index.begin(self.session, self._me(), self.common)
        elif self.placement.leads:
            index.add_leader(self.session, self.article.id, self.text, self.common, page=self.placement.page)
        if self.begun:
            self._follow_up()
        self._link_pages()
        if self.placement.leads and not self.placement.page:
            self._draw_copies()

    def _begin(self, home: int | None) -> None:
        publisher = self.article.publisher or named_publisher(self.article.text)
        self.story = records.new_story(self.session, self.article, publisher, home)
        self.stories.update({home} if home else ())
        self.reason = "nothing like it is known"
        if len(self.text.body) < (FURNITURE if self.text.furnished else TINY):
            self.reason = "too little text to compare"
            self._flag_short()
        elif self.placement.verdicts:
            nearest = max(self.placement.verdicts, key=lambda match: match.verdict.score)
            self.reason = f"nearest is article {nearest.known.article_id}: {nearest.verdict.reason}"
        self.begun = True

    def _flag_short(self) -> None:
        if "short" not in (self.article.flags or ()):
            self.article.flags = [*(self.article.flags or ()), "short"]

    def _put(self) -> None:
        records.put_article(self.session, self.article.id, self.story, self.word, self.of, self.score)

    def _follow_up(self) -> None:
        for match in self.placement.verdicts:
            shared = match.verdict.of_a * len(self.text.body)
            if shared < PASSAGE:
                continue
            if is_sequel(self.text.title, match.known.text.title):
                records.set_story(self.session, self.story, follow_up_of=match.known.story_id)
                return
            if is_sequel(match.known.text.title, self.text.title):
                records.set_story(self.session, match.known.story_id, follow_up_of=self.story)
                self.stories.add(match.known.story_id)

    def _join(self, story: int) -> None:
        for other in self.placement.unite:
            story = unite(self.session, story, other, self.changed) or story
        self.story = story
        self.stories |= {story, *self.placement.unite}
        representative = records.join_story(self.session, story, self.article)
        if self.placement.unite or representative is None:
            self._put()
            self.changed |= settle(self.session, story)
            self._read_back()
        else:
            self._label(representative)

    def _read_back(self) -> None:
        self.session.expire(self.article, ["story_id", "relation", "relation_of", "relation_score"])
        self.word, self.of = self.article.relation or "original", self.article.relation_of
        self.score = self.article.relation_score or 1.0
        self.reason = "unites stories"

    def _label(self, representative: int) -> None:
        original, verdict = self._original(representative)
        if original is None or verdict is None:
            self.changed |= settle(self.session, self.story)
            return self._read_back()
        self.reason = verdict.reason
        mine = Copy(self.text, self.article.published_at or _seen(self.article), page=self.placement.page)
        if outranks(mine, Copy(original.text, original.published, page=original.page), verdict):
            self._put()
            self.changed |= crown(self.session, self.story, self._me(), SETTLED)
            return None
        self.of, self.score = original.article_id, verdict.score
        self.word = relation(self.text, original.text, verdict, page=self.placement.page)
        best = self.placement.best
        for twin in (original, best.known if best else original):
            if twin.url and twin.url == self.article.url:
                self.word, self.of = "revised", twin.article_id
        self._put()
        return None

    def _original(self, representative: int) -> tuple[Known | None, Verdict | None]:
        for match in self.placement.verdicts:
            if match.known.article_id == representative:
                return match.known, match.verdict
        original = index.one_member(self.session, representative)
        return original, compare(self.text, original.text) if original else None

    def _me(self) -> Known:
        return Known(
            self.article.id, self.story, self.text, page=self.placement.page, leads=self.placement.leads,
            published=self.article.published_at or _seen(self.article), url=self.article.url,
            dated=self.article.published_at is not None,
        )  # fmt: skip

    def _link_pages(self) -> None:
        held_by = self.placement.held_by
        for page in held_by:
            if not page.page:
                index.mark_page(self.session, page.article_id)
                self.changed |= settle(self.session, page.story_id)
                self.stories.add(page.story_id)
                if page.story_id == self.story:
                    self._read_back()
        pages = [(page.article_id, page.story_id) for page in [*held_by, *self.placement.mentions]]
        self.changed.update(records.link_pages(self.session, pages, self.story))
        for story in self.placement.also:
            records.link_pages(self.session, [(self.article.id, self.story)], story)

    def _draw_copies(self) -> None:
        """Move copies here that went to a neighbouring story while this text was not known."""
        around = [known.story_id for known in [*self.placement.near, *self.placement.held_by]]
        neighbours = [story for story in dict.fromkeys(around) if story != self.story][:NEIGHBOURS]
        alone = {known.story_id for known in self.placement.near if known.alone}
        neighbours = [story for story in neighbours if story not in alone]
        if not neighbours:
            return
        moved = draw(self.session, neighbours, self._me())
        for story in dict.fromkeys(moved.values()):
            self.stories |= {story, self.story}
            self.changed |= settle(self.session, story)
        if moved:
            self.changed |= moved.keys() | settle(self.session, self.story)
            self._read_back()

    def obey_merges(self) -> None:
        for other in records.merged_with(self.session, self.article.id):
            if other != self.story:
                self.stories |= {other, self.story}
                self.story = unite(self.session, self.story, other, self.changed, by_hand=True) or self.story
                self.changed |= settle(self.session, self.story)
                self._read_back()

    def finish(self) -> Assignment:
        for name, value in (
            ("story_id", self.story),
            ("relation", self.word),
            ("relation_of", self.of),
            ("relation_score", self.score),
        ):
            set_committed_value(self.article, name, value)
        self.changed.discard(self.article.id)
        records.refresh_loaded(self.session, self.changed, self.stories)
        also = (
            records.pages_stories(self.session, self.article.id)
            if self.placement.page or self.placement.also
            else []
        )
        return Assignment(
            self.session,
            self.story,
            self.word,
            self.of,
            self.score,
            also,
            self.reason,
            self.changed,
            self.begun,
        )


def _seen(article: Article) -> datetime:
    return article.first_seen_at.astimezone(UTC)


def unite(session: Session, a: int, b: int, changed: set[int], *, by_hand: bool = False) -> int | None:
    """Make two stories one; return the one that stays: the one already in an issue, else the older.

    None when a person split them (and `by_hand` is not set).
    """
    if a == b or (not by_hand and records.kept_apart(session, a, b)):
        return None
    keep, gone = min(a, b), max(a, b)
    if records.in_issue(session, gone) and not records.in_issue(session, keep):
        keep, gone = gone, keep
    changed |= {known.article_id for known in index.members(session, [gone], SETTLED)}
    records.move_articles(session, gone, keep)
    return keep


def draw(session: Session, stories: list[int], leader: Known) -> dict[int, int]:
    """Move articles from `stories` to the leader's story that are better copies of it; return them with their old stories.

    Leading texts and full copies stay; so do articles that a person decided about.
    """
    moved: dict[int, int] = {}
    heads: dict[int, list[Known]] = {}
    for stray in index.strays(session, stories, SETTLED):
        verdict = compare(stray.text, leader.text)
        if verdict.kind != "same" or records.is_overridden(session, stray.article_id):
            continue
        if stray.story_id not in heads:
            everyone = index.members(session, [stray.story_id], SETTLED)
            heads[stray.story_id] = [known for known in everyone if known.leads and not known.page]
        now = (
            quality(stray.text, head.text, compare(stray.text, head.text)) for head in heads[stray.story_id]
        )
        if quality(stray.text, leader.text, verdict) > max(now, default=0.0) + BETTER:
            records.put_article(
                session, stray.article_id, leader.story_id, "excerpt", leader.article_id, verdict.score
            )
            moved[stray.article_id] = stray.story_id
    return moved


def settle(session: Session, story: int) -> set[int]:
    """Put one story in order: leading texts, original, labels, counts. Return the articles whose labels changed."""
    everyone = index.members(session, [story], SETTLED)
    records.recount(session, story)
    if not everyone:
        return set()
    _promote(session, everyone)
    original = everyone[0]
    for known in everyone[1:]:
        verdict = compare(known.text, original.text)
        if outranks(
            Copy(known.text, known.published, page=known.page),
            Copy(original.text, original.published, page=original.page),
            verdict,
        ):
            original = known
    return crown(session, story, original, SETTLED, everyone)


def _promote(session: Session, everyone: list[Known]) -> None:
    """See to it that every article is held by a leading text that is no page."""
    heads = [known for known in everyone if known.leads and not known.page]
    if heads or all(known.page for known in everyone):
        return
    for known in everyone:  # the longest first
        if known.page or known.leads:
            continue
        covered = max((compare(known.text, head.text).of_a for head in heads), default=0.0)
        if not heads or (covered < COVERED and (1 - covered) * len(known.text.body) >= MIN_UNCOVERED):
            index.add_leader(session, known.article_id, known.text)
            known.leads = True
            heads.append(known)


def crown(
    session: Session, story: int, original: Known, most: int, everyone: list[Known] | None = None
) -> set[int]:
    """Make `original` the story's original and label all others by it; return the articles that were changed."""
    everyone = everyone if everyone is not None else index.members(session, [story], most)
    row = session.get(Article, original.article_id)
    assert row is not None
    publisher = row.publisher or named_publisher(row.text)
    records.set_story(
        session, story, representative_id=original.article_id, title=row.title, first_publisher=publisher
    )
    records.put_article(session, original.article_id, story, "original", None, 1.0)
    changed = {original.article_id}
    for known in everyone:
        if known.article_id == original.article_id:
            continue
        verdict = compare(known.text, original.text)
        word = relation(known.text, original.text, verdict, page=known.page)
        records.put_article(session, known.article_id, story, word, original.article_id, verdict.score)
        changed.add(known.article_id)
    return changed
