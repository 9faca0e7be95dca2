from __future__ import annotations

import itertools
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from store.database import make_engine, session_scope
from store.models import Article, ArticleTag, ArticleVersion, Issue, IssueStory, Story, StoryArticle
from store.stories import (
    assign_story,
    borrowed_zones,
    explain,
    forget,
    group_documents,
    merge,
    reassign,
    rebuild,
    related,
    split,
)
from store.story_buckets import StoryBucket
from store.story_index import StoryFingerprint, StoryText
from store.story_unsettled import StoryUnsettled

Make = Callable[..., Article]

BOAT = (
    "三月里的码头，船舶研究院的老焊工带着学徒把四十二道焊缝重新查了一遍。\n"
    "云泽高新区党工委把支部建到船台上，选派17名党员技术员包保6条生产线，班前十分钟先讲工艺、再讲安全。\n"
    "据园区统计，半年里党员攻关小组解决难题58个，节约工时2300小时，交船周期由11个月缩短到9个月。\n"
    "学徒小穆说，以前有问题不敢问，现在师傅就在旁边，图纸看不懂当场就能弄明白。\n"
    "接下来，园区打算把这套做法推广到上下游的31家配套厂，让党旗在整条产业链上飘起来。"
)
BOAT_TITLE = "云泽高新区把支部建在船台上"
BUS = (
    "清晨六点半，石洲高新区的第一班通勤巴士准时发车，车厢里贴着红色的意见箱。\n"
    "去年冬天，两新组织党委收到114条留言，多半在抱怨下夜班打不到车，党员志愿者连夜画出了9条线路。\n"
    "如今每天有3800名职工坐上这趟车，司机老翟是退役军人，也是流动党员驿站的站长。\n"
    "车队支部还把理论学习搬进调度室，每周三下午半小时，雷打不动。\n"
    "管委会说，下一步要把站点延伸到新建的人才公寓和职业学校门口。"
)
BUS_TITLE = "一趟通勤巴士上的流动支部"


def put(session: Session, article: Article, now: datetime) -> Article:
    session.add(article)
    assign_story(session, article)
    return article


@pytest.fixture
def boat(session: Session, make_article: Make, now: datetime) -> Article:
    return put(session, make_article(title=BOAT_TITLE, text=BOAT, published_at=now - timedelta(days=2)), now)


def masked(text: str) -> str:
    return "".join("*" if c.isdigit() else c for c in text.replace("云泽", "**"))


def test_an_article_like_no_other_begins_a_story(session: Session, boat: Article) -> None:
    story = session.get_one(Story, boat.story_id)
    assert (boat.relation, boat.relation_of) == ("original", None)
    assert (story.title, story.article_count, story.representative_id) == (BOAT_TITLE, 1, boat.id)


def test_assigning_again_changes_nothing(session: Session, boat: Article, now: datetime) -> None:
    again = assign_story(session, boat)
    assert (again.story.id, again.relation, again.changed) == (boat.story_id, "original", set())
    assert session.get_one(Story, boat.story_id).article_count == 1


@pytest.mark.parametrize(
    ("change", "relation"),
    [
        (str, "reprint"),
        (lambda text: text.replace("，", ", ").replace("1", "１"), "reprint"),
        (masked, "anonymised"),
        (lambda text: text[:120] + "……", "excerpt"),
        (lambda text: "据新华社电 " + text, "reprint"),
    ],
)
def test_a_copy_joins_with_its_relation(
    session: Session,
    boat: Article,
    make_article: Make,
    now: datetime,
    change: Callable[[str], str],
    relation: str,
) -> None:
    copy = make_article(title=BOAT_TITLE, text=change(BOAT), published_at=now)
    session.add(copy)
    assignment = assign_story(session, copy)
    assert assignment.story.id == boat.story_id
    assert (assignment.relation, assignment.of) == (relation, boat.id)
    assert (copy.relation, copy.relation_of) == (relation, boat.id)
    assert assignment.story.article_count == 2


def test_another_article_stays_apart(
    session: Session, boat: Article, make_article: Make, now: datetime
) -> None:
    bus = put(session, make_article(title=BUS_TITLE, text=BUS), now)
    assert bus.story_id != boat.story_id


def test_a_late_original_relabels_its_copies(session: Session, make_article: Make, now: datetime) -> None:
    excerpt = put(
        session, make_article(title=BOAT_TITLE, text=BOAT[:130], published_at=now, publisher="甲报"), now
    )
    copy = put(session, make_article(title=BOAT_TITLE, text=masked(BOAT), published_at=now), now)
    original = make_article(
        title=BOAT_TITLE,
        text=BOAT,
        published_at=now - timedelta(days=3),
        publisher="云泽日报",
        relevant=True,
        score=0.7,
    )
    session.add(original)
    assignment = assign_story(session, original)
    assert assignment.relation == "original"
    assert {excerpt.id, copy.id} <= assignment.changed
    assert [(a.relation, a.relation_of) for a in (excerpt, copy)] == [
        ("excerpt", original.id),
        ("anonymised", original.id),
    ]
    story = assignment.story
    assert (story.representative_id, story.first_publisher) == (original.id, "云泽日报")
    assert story.first_published_at == original.published_at
    assert (story.relevant, story.score, story.article_count) == (True, 0.7, 3)


def test_the_publisher_is_read_from_the_source_line(
    session: Session, make_article: Make, now: datetime
) -> None:
    text = "来源：云泽日报 2026-11-20 10:27\n" + BOAT
    article = put(session, make_article(title=BOAT_TITLE, text=text), now)
    assert session.get_one(Story, article.story_id).first_publisher == "云泽日报"


def test_all_orders_of_arrival_give_the_same_stories(sqlite_engine: Engine) -> None:
    """Original, two excerpts without common text, a page of two articles, its second article."""
    documents = [
        {"id": "boat", "title": BOAT_TITLE, "text": BOAT},
        {"id": "begin", "title": BOAT_TITLE, "text": BOAT[:100]},
        {"id": "end", "title": BOAT_TITLE, "text": BOAT[-110:]},
        {"id": "page", "title": BOAT_TITLE, "text": f"{BOAT}\n{BUS_TITLE}\n{BUS}"},
        {"id": "bus", "title": BUS_TITLE, "text": BUS},
    ]
    for order in itertools.permutations(documents):
        with session_scope(sqlite_engine) as session:
            session.execute(update(Article).values(story_id=None))
            session.execute(update(Story).values(representative_id=None, follow_up_of=None, merged_into=None))
            for model in (StoryFingerprint, StoryText, StoryArticle, Article, Story):
                session.execute(delete(model))
        lines = {line["id"]: line for line in group_documents(sqlite_engine, order)}
        names = [d["id"] for d in order]
        assert lines["boat"]["story"] == lines["begin"]["story"] == lines["end"]["story"], names
        assert lines["bus"]["story"] != lines["boat"]["story"], names
        told = {lines["page"]["story"], *lines["page"]["also"]}
        assert told & {lines["boat"]["story"], lines["bus"]["story"]}, names


def test_a_page_belongs_to_one_story_and_names_the_other(
    session: Session, boat: Article, make_article: Make, now: datetime
) -> None:
    bus = put(session, make_article(title=BUS_TITLE, text=BUS), now)
    page = make_article(title="第03版：要闻", text=f"{BOAT_TITLE}\n{BOAT}\n{BUS_TITLE}\n{BUS}")
    session.add(page)
    assignment = assign_story(session, page)
    assert assignment.relation == "contains"
    assert {assignment.story.id, *assignment.also} == {boat.story_id, bus.story_id}
    assert bus.story_id != boat.story_id


def test_a_follow_up_is_linked_and_not_merged(
    session: Session, boat: Article, make_article: Make, now: datetime
) -> None:
    quote = BOAT.split("\n")[1]
    text = f"{BUS}\n此前报道，{quote}\n{BUS_TITLE}又传来新的消息，码头上的灯一直亮到深夜。"
    later = put(session, make_article(title=BOAT_TITLE + "后续", text=text), now)
    assert later.story_id != boat.story_id
    assert session.get_one(Story, later.story_id).follow_up_of == boat.story_id


def test_the_same_template_of_another_month_is_another_story(
    session: Session, make_article: Make, now: datetime
) -> None:
    text = (
        "{m}月{d}日，云泽高新区党工委理论学习中心组召开今年第{m}次集体学习会，专题学习{t}重要论述。\n"
        "党工委书记梁远主持会议并讲话，班子成员结合分管工作作了交流发言，会议要求把学习成果转化为推动发展的思路举措。\n"
        "会议强调，要在学深悟透上下功夫，坚持读原著、学原文、悟原理，做到学思用贯通、知信行统一。"
    )
    title = "云泽高新区党工委召开理论学习中心组学习会"
    may = put(session, make_article(title=title, text=text.format(m=5, d=12, t="基层治理")), now)
    june = put(session, make_article(title=title, text=text.format(m=6, d=8, t="人才工作")), now)
    assert may.story_id != june.story_id


def test_a_revised_text_keeps_its_story_number(
    session: Session, boat: Article, make_article: Make, now: datetime
) -> None:
    before = boat.story_id
    session.add(
        ArticleVersion(article_id=boat.id, version=1, title=boat.title, text=boat.text, replaced_at=now)
    )
    boat.text = BUS
    assignment = reassign(session, boat)
    assert (assignment.story.id, assignment.story.article_count) == (before, 1)
    copy = put(session, make_article(title=BUS_TITLE, text=BUS), now)
    assert copy.story_id == before
    other = put(session, make_article(title=BOAT_TITLE + "了", text=BOAT), now)
    assert other.story_id != before


def test_the_same_page_with_a_corrected_text_is_a_revision(
    session: Session, boat: Article, make_article: Make, now: datetime
) -> None:
    corrected = put(session, make_article(title=BOAT_TITLE, text=BOAT.replace("58", "57"), url=boat.url), now)
    assert (corrected.story_id, corrected.relation, corrected.relation_of) == (
        boat.story_id,
        "revised",
        boat.id,
    )


def test_splits_and_merges_by_hand_survive_new_arrivals_and_a_rebuild(
    engine: Engine, make_article: Make, now: datetime
) -> None:
    with session_scope(engine) as session:
        boat = put(session, make_article(title=BOAT_TITLE, text=BOAT), now)
        twin = put(session, make_article(title=BOAT_TITLE, text=BOAT + "（完）"), now)
        bus = put(session, make_article(title=BUS_TITLE, text=BUS), now)
        other = put(session, make_article(title="另一件事", text="柏山高新区的夜校开了第一堂课，" * 9), now)
        new = split(session, twin.id, "编辑", "不是一回事", now)
        assert (twin.story_id, twin.relation) == (new.id, "original")
        kept = merge(session, bus.story_id or 0, other.story_id or 0, "编辑", "同一件事", now)
        assert bus.story_id == other.story_id == kept.id
        put(session, make_article(title=BOAT_TITLE, text=BOAT), now)
        assert twin.story_id != boat.story_id
    with session_scope(engine) as session:
        before = {a.id: a.story_id for a in session.scalars(select(Article))}
    rebuilt = rebuild(engine, now)
    assert rebuilt.articles == 5
    with session_scope(engine) as session:
        after = {a.id: a.story_id for a in session.scalars(select(Article))}
        assert after == before
        assert session.scalar(select(func.count()).select_from(StoryUnsettled)) == 0


def test_a_story_of_an_issue_stays_when_stories_are_united(
    session: Session, make_article: Make, now: datetime
) -> None:
    begin = put(session, make_article(title="别的标题", text=BOAT[:90]), now)
    end = put(session, make_article(title=BOAT_TITLE, text=BOAT[-110:]), now)
    issue = Issue(
        number=1,
        year=2026,
        year_number=1,
        period_start=now - timedelta(days=7),
        period_end=now,
        due_at=now,
        composed_at=now,
    )
    session.add(issue)
    session.flush()
    session.add(IssueStory(issue_id=issue.id, story_id=end.story_id, section="要闻", rank=1))
    session.flush()
    sent, gone = end.story_id, begin.story_id
    assert gone is not None
    merge(session, gone, sent or 0, "编辑", "", now)
    assert begin.story_id == end.story_id == sent
    assert session.get_one(Story, gone).merged_into == sent


def test_a_deleted_article_leaves_nothing_behind(
    session: Session, boat: Article, make_article: Make, now: datetime
) -> None:
    copy = put(session, make_article(title=BOAT_TITLE, text=BOAT + "（完）"), now)
    story = boat.story_id
    forget(session, boat)
    session.delete(boat)
    session.flush()
    assert (copy.story_id, copy.relation) == (story, "original")
    assert session.scalars(select(StoryText.article_id)).all() == [copy.id]
    again = put(session, make_article(title=BOAT_TITLE, text=BOAT), now)
    assert again.story_id == story


def test_splitting_the_only_article_is_refused(session: Session, boat: Article, now: datetime) -> None:
    with pytest.raises(ValueError, match="only one"):
        split(session, boat.id, "编辑", "", now)
    with pytest.raises(LookupError):
        split(session, 987654, "编辑", "", now)


def test_two_reports_of_one_event_are_shown_beside_each_other(
    session: Session, make_article: Make, now: datetime
) -> None:
    def report(text: str, day: int, zone: str = "云泽", practice: str = "“船台课堂”") -> Article:
        told = make_article(title=text[:20], text=text, published_at=now - timedelta(days=day))
        told.classification = {"practices": [{"name": practice}]}
        told.tags.append(ArticleTag(kind="zone", name=zone, field="text", start=0, end=2, text=zone))
        return put(session, told, now)

    first, second = report(BOAT, 3), report(BUS, 2, practice="船台课堂")
    for other in (("丙" * 90, 9), ("丁" * 90, 3, "石洲"), ("戊" * 90, 3, "云泽", "红色巴士")):
        report(*other)
    assert first.story_id != second.story_id
    (event,) = related(session, first.story_id or 0)
    assert (event.story_id, event.zones, event.practices) == (second.story_id, ("云泽",), ("船台课堂",))
    assert "the same event, told by two: 船台课堂" in str(explain(session, first.id, second.id))
    assert related(session, 987654) == []


def test_why_shows_the_shared_passages(
    session: Session, boat: Article, make_article: Make, now: datetime
) -> None:
    copy = put(session, make_article(title="转载", text="编者按：好文章。\n" + BOAT[:150]), now)
    why = explain(session, boat.id, copy.id)
    assert (why.together, why.kind, why.masked) == (True, "same", False)
    assert why.score > 0.9
    assert why.b.marked(lambda passage: f"<{passage}>").startswith("编者按：好文章。\n<三月里的码头")
    assert why.a.text[slice(*why.a.shared[0])] == BOAT[: why.a.shared[0][1]]
    assert "one story" in str(why)
    assert "编者按：好文章。\n【三月里的码头" in str(why)
    with pytest.raises(LookupError):
        explain(session, boat.id, 987654)


def test_a_masked_copy_borrows_the_zones_of_its_twin(
    session: Session, boat: Article, make_article: Make, now: datetime
) -> None:
    boat.tags.append(ArticleTag(kind="zone", name="云泽", field="text", start=0, end=2, text="云泽"))
    copy = put(session, make_article(title="**高新区把支部建在船台上", text=masked(BOAT)), now)
    assert borrowed_zones(session, copy) == ["云泽"]
    assert borrowed_zones(session, boat) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "好",
        "首页\n要闻\n分享到\n版权声明",
        "\ud800\ud83d坏字",
        "*" * 500,
        "党" * 5000,
        "0123456789" * 300,
    ],
    ids=["empty", "one word", "furniture", "broken", "masks", "one sign", "digits"],
)
def test_odd_texts_get_stories_of_their_own(
    session: Session, boat: Article, make_article: Make, now: datetime, text: str
) -> None:
    from store.text import clean_text

    odd = put(session, make_article(title="", text=clean_text(text)), now)
    assert odd.story_id is not None
    session.flush()
    session.expire(odd, ["flags"])
    assert ("short" in odd.flags) == (len(text) < 200 or "*" in text)
    assert odd.story_id != boat.story_id


def test_a_thousand_identical_pages_and_a_megabyte_take_linear_time(sqlite_engine: Engine) -> None:
    same = ({"id": n, "title": BOAT_TITLE, "text": BOAT} for n in range(1000))
    begin = time.process_time()
    lines = {line["id"]: line for line in group_documents(sqlite_engine, same)}
    assert len({line["story"] for line in lines.values()}) == 1
    huge = [
        {"id": "huge", "title": "巨", "text": "".join(chr(0x4E00 + n * n % 20000) for n in range(1_000_000))}
    ]
    assert len(list(group_documents(sqlite_engine, huge))) == 1
    assert time.process_time() - begin < 15


def _group_half(url: str, numbers: range) -> None:
    engine = make_engine(url)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    for number in numbers:
        family = number % 25
        text = "\n".join(
            f"第{family}家{sign}，{BOAT[family * 3 : family * 3 + 40]}{family}{sign * 7}"
            for sign in "甲乙丙丁戊己"
        )
        with session_scope(engine) as session:
            article = Article(
                url=f"https://x.example/{number}", url_key=f"x/{number}", checksum=str(number), title=f"第{family}家的标题很长",
                text=text, first_seen_at=now, updated_at=now,
            )  # fmt: skip
            session.add(article)
            assign_story(session, article)
    engine.dispose()


def test_two_processes_give_every_article_one_story(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_group_half, args=(url, range(start, 100, 2))) for start in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    with session_scope(engine) as session:
        stories = Counter(session.scalars(select(Article.story_id)))
        assert None not in stories
        assert sum(stories.values()) == 100
        counted = session.execute(select(Story.id, Story.article_count)).all()
        assert {story: count for story, count in counted if count} == dict(stories)
        leaders = session.scalar(select(func.count()).select_from(StoryText))
        assert leaders == len(stories)
        kept = StoryFingerprint.article_id if engine.dialect.name == "sqlite" else StoryBucket.bucket
        assert session.scalars(select(kept).limit(1)).all()
        assert session.scalar(select(func.count()).select_from(StoryArticle)) == 0


def test_the_index_is_narrow(sqlite_engine: Engine, tmp_path: Path) -> None:
    with sqlite_engine.connect() as connection:
        made = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE name = 'story_fingerprint'"
        ).scalar_one()
    assert "WITHOUT ROWID" in made
