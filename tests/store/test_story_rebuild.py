"""Whatever the order of arrival, and whoever reads and writes meanwhile: after settling, stories are those of a rebuild."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session

from store.database import read_scope, session_scope
from store.models import Article, ArticleTag, Edit, Issue, IssueStory, Story, StoryArticle
from store.stories import arrive, assign_story, forget, rebuild, settle_stories
from store.story_buckets import StoryBucket
from store.story_differences import take_over
from store.story_index import StoryFingerprint, StoryText
from store.story_scratch import scratch_database, work_out
from store.story_unsettled import StoryUnsettled, mark, unsettled

Make = Callable[..., Article]

KILN_TITLE = "青浦湾高新区老窑厂里的党员工作站"
KILN = (
    "雨停之后，青浦湾高新区的老窑厂亮起了灯，十九名党员轮流守着最后一座龙窑。\n"
    "工作站挂牌的第一个月，修好了7台旧拉坯机，收了23个徒弟，最小的才十六岁。\n"
    "站长郁建明把烧窑的火候写成一本小册子，二百四十页，谁来都可以抄一份带走。\n"
    "外地客商上门看样，订单从去年的86件涨到今年的1350件，窑火一直烧到深夜。\n"
    "园区党工委说，明年要把废弃的两间坯房改成学堂，让手艺和规矩一起传下去。"
)
FERRY_TITLE = "凌水高新区渡口上的夜间值班岗"
FERRY = (
    "夜里十一点，凌水高新区的渡口只剩一盏灯，值班岗的卞岚正在给最后一班船记账。\n"
    "她是船运公司支部的组织委员，岗上六个人，四年里送过312名急诊病人过江。\n"
    "江面起雾的日子，值班岗就敲钟引路，钟声隔一分钟响一次，对岸的人都认得。\n"
    "公司给岗亭装了暖气和药箱，附近三家工厂的夜班工人也常来歇脚、热饭、充电。\n"
    "支部打算把值班日志印出来，厚厚五本，放进新落成的江边陈列室供人翻看。"
)


def documents() -> list[dict[str, str]]:
    """An original, a masked copy, an excerpt of it, a page of two articles and its second article, all of one day."""
    masked = "".join("*" if sign.isdigit() else sign for sign in KILN.replace("青浦湾", "***"))
    return [
        {"id": "kiln", "title": KILN_TITLE, "text": KILN},
        {"id": "end", "title": KILN_TITLE, "text": KILN[-110:]},
        {"id": "masked", "title": "老窑厂里的工作站", "text": masked},
        {"id": "page", "title": KILN_TITLE, "text": f"{KILN}\n{FERRY_TITLE}\n{FERRY}"},
        {"id": "ferry", "title": FERRY_TITLE, "text": FERRY},
    ]


def empty(engine: Engine) -> None:
    with session_scope(engine) as session:
        session.execute(update(Article).values(story_id=None))
        session.execute(update(Story).values(representative_id=None, follow_up_of=None, merged_into=None))
        for model in (
            StoryFingerprint, StoryBucket, StoryText, StoryArticle, StoryUnsettled, ArticleTag, Article, Story,
        ):  # fmt: skip
            session.execute(delete(model))


def told(lines: list[dict[str, Any]]) -> dict[str, tuple[frozenset[str], str, str | None, int]]:
    """Return of each document: those of its story, its relation, of which document, how many further stories it names."""
    together: dict[int, set[str]] = {}
    for line in lines:
        together.setdefault(line["story"], set()).add(line["id"])
    return {
        line["id"]: (frozenset(together[line["story"]]), line["relation"], line["of"], len(line["also"]))
        for line in lines
    }


def test_every_order_of_arrival_ends_in_the_same_stories(engine: Engine, now: datetime) -> None:
    outcomes = []
    orders = itertools.permutations(documents()[1:])
    for order in itertools.islice(orders, 0, None, 1 if engine.dialect.name == "sqlite" else 4):
        outcomes.append(told(arrive(engine, order, now=now)))
        empty(engine)
    assert all(outcome == outcomes[0] for outcome in outcomes)


def test_what_comes_in_its_order_leaves_nothing_to_settle(sqlite_engine: Engine, now: datetime) -> None:
    dated = [
        document | {"published_at": (now + timedelta(days=day)).isoformat()}
        for day, document in enumerate(documents())
    ]
    with session_scope(sqlite_engine) as session:
        for number, document in enumerate(dated, 1):
            article = Article(
                url=f"https://x.example/{number}", url_key=str(number), checksum=str(number), title=document["title"],
                text=document["text"], first_seen_at=now, updated_at=now,
                published_at=datetime.fromisoformat(document["published_at"]),
            )  # fmt: skip
            session.add(article)
            assign_story(session, article)
        assert unsettled(session) == 0
    assert settle_stories(sqlite_engine, now) is None
    rebuilt = rebuild(sqlite_engine, now)
    assert (rebuilt.articles, rebuilt.changed, rebuilt.left) == (5, 0, 0)


@pytest.fixture
def stored(engine: Engine, make_article: Make, now: datetime) -> Engine:
    """The documents in an order that leaves two excerpts apart, with a third article that has nothing to do with them."""
    with session_scope(engine) as session:
        for text, title in (
            (KILN[:95], "窑火"),
            (KILN[-110:], KILN_TITLE),
            (FERRY, FERRY_TITLE),
            (KILN + "\n" + FERRY_TITLE + "\n" + FERRY, KILN_TITLE),
            (KILN, KILN_TITLE),
        ):
            _store(session, make_article(title=title, text=text), now)
    return engine


def _store(session: Session, article: Article, now: datetime) -> Article:
    session.add(article)
    assign_story(session, article)
    return article


def stories(engine: Engine) -> dict[int, int | None]:
    with read_scope(engine) as session:
        return {row.id: row.story_id for row in session.execute(select(Article.id, Article.story_id))}


def _counts_hold(engine: Engine) -> None:
    with read_scope(engine) as session:
        held = list(stories(engine).values())
        for story in session.scalars(select(Story)):
            assert story.article_count == held.count(story.id)
            if story.article_count:
                assert story.representative is not None
                assert story.representative.story_id == story.id
                assert story.merged_into is None
        assert None not in held


def test_an_interrupted_rebuild_is_taken_up_by_settling(
    stored: Engine, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with session_scope(stored) as session:  # as if an earlier version had put all into stories of their own
        for article in session.scalars(select(Article).order_by(Article.id)).all():
            session.refresh(article)
            forget(session, article)
            session.flush()
        session.execute(delete(StoryUnsettled))

    def interrupted(*_: object) -> Iterator[object]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("store.story_differences._batches", interrupted)
        with pytest.raises(KeyboardInterrupt):
            rebuild(stored, now)
    assert settle_stories(stored, now) is not None
    _counts_hold(stored)
    assert settle_stories(stored, now) is None
    after = stories(stored)
    assert rebuild(stored, now).changed == 0
    assert stories(stored) == after


def test_stories_are_whole_while_others_read_and_write(
    stored: Engine, make_article: Make, now: datetime
) -> None:
    """An article that comes between copying and taking over is in a story at every moment, and settled the next time."""
    with scratch_database() as scratch:
        work_out(stored, scratch, now)
        assert None not in stories(stored).values()
        with session_scope(stored) as session:
            late = _store(session, make_article(title=FERRY_TITLE, text=FERRY + "（完）"), now).id
            alone = _store(session, make_article(title="别的", text="丙丁戊己" * 40), now).id
        take_over(stored, scratch)
    _counts_hold(stored)
    rebuild(stored, now)
    settled = stories(stored)
    assert settled[late] == settled[3]
    assert settled[alone] not in {story for number, story in settled.items() if number != alone}
    assert rebuild(stored, now).changed == 0


def test_what_was_changed_meanwhile_is_left_for_the_next_time(stored: Engine, now: datetime) -> None:
    with session_scope(stored) as session:
        session.execute(update(Article).where(Article.id == 1).values(relation="reprint"))
    with scratch_database() as scratch:
        work_out(stored, scratch, now)
        with session_scope(stored) as session:
            session.execute(update(Article).where(Article.id == 1).values(checksum="another"))
        _, left = take_over(stored, scratch)
    assert left
    assert set(left).isdisjoint(range(6, 9))
    rebuilt = rebuild(stored, now)
    assert rebuilt.left == 0
    assert rebuilt.changed >= 1
    _counts_hold(stored)


def test_zones_found_in_an_article_play_the_same_part_in_a_rebuild(
    engine: Engine, make_article: Make, now: datetime
) -> None:
    with session_scope(engine) as session:
        first = _store(session, make_article(title=KILN_TITLE, text=KILN), now)
        other = make_article(title="老窑厂里的党员工作站", text=FERRY[:40] + KILN[60:])
        other.tags.append(ArticleTag(kind="zone", name="凌水", field="text", start=0, end=2, text="凌水"))
        session.add(other)
        session.flush()
        assign_story(session, other, zones=["凌水"])
        apart = first.story_id != other.story_id
    rebuild(engine, now)
    settled = stories(engine)
    assert (settled[1] != settled[2]) == apart


def test_a_story_of_an_issue_keeps_its_number_and_its_edits(stored: Engine, now: datetime) -> None:
    """Two stories that a rebuild makes one: the one that went out stays, decisions about the other go along."""
    with session_scope(stored) as session:
        article = session.get_one(Article, 5)
        old = article.story_id
        new = Story(title="", first_seen_at=now, last_seen_at=now, representative_id=5, article_count=1)
        session.add(new)
        session.flush()
        article.story_id, article.relation, article.relation_of = new.id, "original", None
        issue = Issue(
            number=1, year=2026, year_number=1, period_start=now - timedelta(days=7), period_end=now, due_at=now,
            composed_at=now,
        )  # fmt: skip
        session.add(issue)
        session.flush()
        session.add(IssueStory(issue_id=issue.id, story_id=new.id, section="要闻", rank=1))
        session.add(Edit(kind="note", value="x", story_id=old, created_at=now))
        sent = new.id
    rebuild(stored, now)
    assert stories(stored)[5] == sent
    with read_scope(stored) as session:
        edited = session.scalars(select(Edit.story_id)).one()
        assert session.get_one(Story, edited).article_count
    _counts_hold(stored)


def test_many_articles_in_random_order_are_settled_like_a_rebuild(
    sqlite_engine: Engine, now: datetime
) -> None:
    """Excerpts, copies and pages of twelve invented articles that share a paragraph."""
    chance = random.Random(3)
    signs = [chr(0x4E00 + number) for number in range(400)]
    shared = "".join(chance.choices(signs, k=60))
    made: list[dict[str, str]] = []
    for family in range(12):
        lines = ["".join(chance.choices(signs, k=45)) + "。" for _ in range(6)] + [shared]
        title = "".join(chance.choices(signs, k=14))
        day = (now + timedelta(days=family % 3)).isoformat()
        for kind, text in (
            ("whole", "\n".join(lines)), ("begin", "\n".join(lines[:3])), ("end", "\n".join(lines[3:])),
            ("page", "\n".join([*lines, *(made[-2]["title"], made[-2]["text"])] if family else lines[1:])),
        ):  # fmt: skip
            made.append({"id": f"{family}{kind}", "title": title, "text": text, "published_at": day})
    outcomes = []
    for seed in range(3):
        random.Random(seed).shuffle(made)
        outcomes.append(told(arrive(sqlite_engine, made, now=now)))
        empty(sqlite_engine)
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_without_room_to_work_in_stories_stay_and_keep_waiting(
    stored: Engine, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stories(stored)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    assert settle_stories(stored, now) is None
    assert stories(stored) == before
    with read_scope(stored) as session:
        assert unsettled(session)


def test_settling_works_out_the_days_of_the_newcomer_and_no_earlier_ones(
    engine: Engine, make_article: Make, now: datetime
) -> None:
    """Two excerpts that stand apart until the whole article settles them; a year of other stories is not touched."""
    with session_scope(engine) as session:
        for weeks in range(52, 8, -4):
            text = FERRY.replace("渡口", "渡口" + "甲乙丙丁戊己庚辛壬癸子丑"[weeks // 4 - 2] * 30)
            _store(
                session,
                make_article(title=f"旧事{weeks}", text=text, published_at=now - timedelta(weeks=weeks)),
                now,
            )
        begin = _store(session, make_article(title="窑火", text=KILN[:95], published_at=now), now).id
        end = _store(session, make_article(title=KILN_TITLE, text=KILN[-110:], published_at=now), now).id
        whole = make_article(title=KILN_TITLE, text=KILN, published_at=now - timedelta(days=1))
        _store(session, whole, now)
        assert unsettled(session)
    settled = settle_stories(engine, now)
    assert settled is not None
    assert settled.articles == 3
    assert len({stories(engine)[number] for number in (begin, end)}) == 1
    assert rebuild(engine, now).changed == 0
    _counts_hold(engine)


def test_what_hangs_on_a_settled_story_is_settled_with_it(
    engine: Engine, make_article: Make, now: datetime
) -> None:
    """A page of last year that holds a story of today, what a person joined and what a story follows come along."""
    long_ago = now - timedelta(days=300)
    with session_scope(engine) as session:
        page = make_article(
            title=KILN_TITLE, text=KILN + "\n" + FERRY_TITLE + "\n" + FERRY, published_at=long_ago
        )
        _store(session, page, now)
        _store(session, make_article(title=FERRY_TITLE, text=FERRY, published_at=long_ago), now)
        _store(session, make_article(title="窑火", text=KILN[:95], published_at=now), now)
        _store(session, make_article(title="别的", text="丙丁戊己" * 40, published_at=long_ago), now)
    rebuild(engine, now)
    with session_scope(engine) as session:
        before = _links(session)
        assert before
        mark(session, [3])
    settled = settle_stories(engine, now)
    assert settled is not None
    assert settled.articles == 3
    with read_scope(engine) as session:
        assert _links(session) == before
    assert rebuild(engine, now).changed == 0


def _links(session: Session) -> set[tuple[int, int]]:
    rows = session.execute(select(StoryArticle.story_id, StoryArticle.article_id))
    return {(row.story_id, row.article_id) for row in rows}
