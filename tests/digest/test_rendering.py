import html as markup
import io
import re
import zipfile
from pathlib import Path
from time import perf_counter
from typing import Any

import lxml.html
import msgspec
import pytest

from digest.briefing import write_docx
from digest.edition import Edition, edition_for
from digest.rendering import HTML_LIMIT, Links, RenderingError, render, render_message, render_page
from digest.sample import SAMPLE_NOW, sample_issue
from store.config import Config, DigestSection, Office

CONFIG = Config()
LINKS = Links(
    "https://digest.example.cn", "https://digest.example.cn/u/k", "https://digest.example.cn/p/k", "?k=x"
)
CASES = [(0, False), (1, False), (2, True), (40, False), (60, True), (500, True)]


def edition(stories: int = 60, *, hostile: bool = False) -> Edition:
    return edition_for(sample_issue(stories=stories, hostile=hostile))


def tree_of(html: str) -> Any:
    return lxml.html.fromstring(html)


def plain(html: str) -> str:
    return re.sub(r"\s+", "", tree_of(html).text_content())


@pytest.mark.parametrize(("stories", "hostile"), CASES)
def test_every_form_has_every_headline_zone_and_date(stories: int, hostile: bool) -> None:
    one = edition(stories, hostile=hostile)
    rendered = render(one, CONFIG, links=LINKS)
    page = plain(render_page(one, CONFIG, links=LINKS))
    text = "".join(rendered.text.split())
    for story in one.stories:
        for form in (text, page):
            assert f"{story.number}." + "".join(story.content["title"].split()) in form
            assert all(zone["name"] in form for zone in story.content["zones"])
            assert story.content["date"] in form
        assert story.content["url"] in rendered.text


@pytest.mark.parametrize(("stories", "hostile"), [(0, False), (1, False), (60, False), (60, True)])
def test_all_forms_tell_the_same_stories_in_the_same_order(stories: int, hostile: bool) -> None:
    one = edition(stories, hostile=hostile)
    rendered = render(one, CONFIG, links=LINKS)
    page = render_page(one, CONFIG, links=LINKS)
    word = zipfile.ZipFile(io.BytesIO(write_docx(one, CONFIG))).read("word/document.xml").decode()
    wanted = list(one.story_ids)
    assert [int(n) for n in re.findall(r'id="s(\d+)"', rendered.html)] == wanted
    assert [int(n) for n in re.findall(r'data-story="(\d+)"', page)] == wanted
    assert [int(n) for n in re.findall(r'w:name="story_(\d+)"', word)] == wanted
    assert [int(n) for n in re.findall(r"^(\d+)\. ", rendered.text, re.MULTILINE)] == [
        s.number for s in one.stories
    ]


@pytest.mark.parametrize(("stories", "hostile"), CASES)
def test_the_mail_stays_below_the_limit_and_says_what_it_leaves_out(stories: int, hostile: bool) -> None:
    one = edition(stories, hostile=hostile)
    html = render(one, CONFIG, links=LINKS).html
    assert len(html.encode()) <= HTML_LIMIT
    words = plain(html)
    missing = [s for s in one.stories if f"{s.number}." + "".join(s.content["title"].split()) not in words]
    assert f"另有{len(missing)}条一句话信息见" in words if missing else "条一句话信息见" not in words
    assert all(not story.in_full for story in missing)


def test_forty_long_stories_fit() -> None:
    issue = sample_issue(stories=40)
    for story in issue.stories:
        story.content |= {
            "title": "合肥高新区召开基层党建工作述职评议会议" * 2,
            "summary": "十一月十八日合肥高新区召开会议研究两新党建工作。" * 5,
            "url": "https://www.example.cn/" + "a" * 90 + str(story.story_id),
            "reprints": [
                {"publisher": f"样报{n}", "url": "https://copy.example.cn/" + "b" * 60} for n in range(6)
            ],
        }
    html = render(edition_for(issue), CONFIG, links=LINKS).html
    assert len(html.encode()) <= HTML_LIMIT


def test_the_same_input_gives_the_same_bytes() -> None:
    first = render(edition(hostile=True), CONFIG, links=LINKS)
    assert render(edition(hostile=True), CONFIG, links=LINKS) == first
    assert render_page(edition(), CONFIG, links=LINKS) == render_page(edition(), CONFIG, links=LINKS)


def test_markup_of_a_title_is_text() -> None:
    rendered = render(edition(60, hostile=True), CONFIG, links=LINKS)
    assert "<script" not in rendered.html.lower()
    assert markup.escape("<script>alert(1)</script>") in rendered.html
    assert "{{7*7}}" in rendered.html
    assert "\u202e" not in rendered.html + rendered.text + rendered.subject


@pytest.mark.parametrize("hostile", [False, True])
def test_the_mail_links_only_to_the_web_and_loads_nothing(hostile: bool) -> None:
    html = render(edition(60, hostile=hostile), CONFIG, links=LINKS).html
    tree = tree_of(html)
    for element, attribute, target, _ in tree.iterlinks():
        assert (element.tag, attribute) == ("a", "href")
        assert target.startswith(("http://", "https://")) or tree.xpath("//*[@id=$id]", id=target[1:])
    assert "url(" not in html
    assert not tree.xpath("//script|//img|//link|//iframe|//object|//form|//@onclick|//@onload")


def test_the_mail_is_readable_without_its_style_sheet() -> None:
    html = render(edition(), CONFIG, links=LINKS).html
    bare = tree_of(re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))
    bars = bare.xpath('//td[@class="bar" and contains(@style, "background:#b3151b")]/@bgcolor')
    assert len(bars) > 5
    assert all("style" in heading.attrib for heading in bare.xpath("//h1|//h2|//h3"))


def test_stories_of_one_event_name_each_other_with_a_link_in_every_form() -> None:
    one = edition()
    pair = [story for story in one.stories if story.same_event]
    assert [[other.story_id for other in story.same_event] for story in pair] == [
        [pair[1].story_id],
        [pair[0].story_id],
    ]
    rendered, page = render(one, CONFIG, links=LINKS), render_page(one, CONFIG, links=LINKS)
    for other in pair:
        words = f"第{other.number}条"
        assert f"同一事件另见：{words}（“星火驿站”）" in rendered.text
        assert f'同一事件另见：<a href="#s{other.story_id}">{words}</a>（“星火驿站”）' in rendered.html
        assert f'同一事件另见：<a href="#story-{other.story_id}">{words}</a>（“星火驿站”）' in page


def test_a_line_that_does_not_fit_into_the_mail_is_named_without_a_link() -> None:
    issue = sample_issue(stories=500)
    first, last = issue.stories[0], issue.stories[-1]
    entry = {"title": "一条", "practice": "船台课堂"}
    first.content["same_event"] = [entry | {"story_id": last.story_id}]
    last.content["same_event"] = [entry | {"story_id": first.story_id}]
    html = render(edition_for(issue), CONFIG, links=LINKS).html
    assert "条一句话信息见" in html
    assert f"同一事件另见：第{len(issue.stories)}条（“船台课堂”）" in html


def test_an_issue_frozen_without_such_links_still_renders() -> None:
    issue = sample_issue(stories=24)
    for story in issue.stories:
        del story.content["same_event"]
    one = edition_for(issue)
    rendered = render(one, CONFIG, links=LINKS)
    assert "同一事件" not in rendered.text + rendered.html + render_page(one, CONFIG, links=LINKS)
    assert write_docx(one, CONFIG)


def test_a_recipients_links_are_in_their_places() -> None:
    rendered = render(edition(), CONFIG, links=LINKS)
    for address in (LINKS.unsubscribe, LINKS.preferences, "https://digest.example.cn/issues/47?k=x"):
        assert address in rendered.html
        assert address in rendered.text
    without = render(edition(), CONFIG, links=Links())
    assert "退订" not in without.html + without.text
    assert "digest.example.cn" not in without.html + without.text


def test_the_subject_is_one_line_and_says_which_issue() -> None:
    assert (
        render(edition(0), CONFIG, links=LINKS).subject
        == "高新区党建要情2026年第47期（总第47期）：本期无报道"
    )
    assert "\n" not in render(edition(60, hostile=True), CONFIG, links=LINKS).subject


def test_gaps_corrections_and_notes_are_told_in_every_form() -> None:
    rendered = render(edition(), CONFIG, links=LINKS)
    page = plain(render_page(edition(), CONFIG, links=LINKS))
    for form in (plain(rendered.html), "".join(rendered.text.split()), page):
        for words in (
            "未能覆盖",
            "贵阳样报（连接超时）",
            "相关来源均未能访问",
            "勘误",
            "编者按",
            "后续",
            "2026年第45期",
            "报：",
            "送：",
        ):
            assert words.replace("报：", "") in form


def test_an_office_replaces_a_template(tmp_path: Path) -> None:
    (tmp_path / "weekly").mkdir()
    (tmp_path / "weekly" / "subject.txt").write_text("本单位：{{ head.label }}", encoding="utf-8")
    config = Config(digest=DigestSection(templates=str(tmp_path)))
    rendered = render(edition(), config, links=LINKS)
    assert rendered.subject == "本单位：2026年第47期"
    assert "本周数字" in rendered.html


@pytest.mark.parametrize(
    "body",
    [
        '<p><a href="javascript:alert(1)">x</a>',
        '<p><img src="https://spy.example/x.gif">',
        '<p><a href="data:text/html,x">x</a>',
        '<link rel="stylesheet" href="https://cdn.example/x.css"><p>x',
        '<p style="background:url(https://spy.example/x.gif)">x',
        '<p><a href="/here">x</a>',
    ],
)
def test_a_template_that_would_link_or_load_elsewhere_is_refused(tmp_path: Path, body: str) -> None:
    (tmp_path / "weekly").mkdir()
    (tmp_path / "weekly" / "body.html").write_text(body, encoding="utf-8")
    with pytest.raises(RenderingError, match=r"weekly/body\.html"):
        render(edition(1), Config(digest=DigestSection(templates=str(tmp_path))), links=LINKS)


def test_odd_words_in_the_masthead_are_text() -> None:
    office = Office(name="要情<b>&", unit='单位"', contact="<script>", report_to="{{7*7}}")
    one = edition_for(sample_issue(Config(office=office), stories=3))
    html = render(one, CONFIG, links=LINKS).html
    assert "<b>&" not in html
    assert "要情&lt;b&gt;&amp;" in html
    assert "<script" not in html


def test_alerts_and_confirmations_are_rendered() -> None:
    alerts = [
        {
            "state": "raised",
            "kind": "来源拒绝访问",
            "subject": "园区<日报>",
            "detail": "超时",
            "at": "2026-11-20 08:00",
        },
        {"state": "cleared", "kind": "odd_kind", "subject": "样报网", "detail": "", "at": "2026-11-21 08:00"},
    ]
    alert = render_message("alert", CONFIG, {"alerts": alerts, "at": SAMPLE_NOW})
    assert alert.subject == "【高新区党建要情】运行告警：1项待处理，1项已恢复"
    assert "来源拒绝访问：园区<日报>" in alert.text
    assert "园区&lt;日报&gt;" in alert.html
    confirm = render_message(
        "confirm", CONFIG, {"title": "退订成功", "message": "不再发送。", "link": "javascript:x"}
    )
    assert "href" not in confirm.html


def test_sixty_stories_in_all_forms_take_under_three_seconds() -> None:
    render(edition(1), CONFIG, links=LINKS)
    start = perf_counter()
    one = edition(60)
    render(one, CONFIG, links=LINKS)
    render_page(one, CONFIG, links=LINKS)
    write_docx(one, CONFIG)
    assert perf_counter() - start < 3


def test_the_frozen_content_survives_json() -> None:
    issue = sample_issue(stories=60, hostile=True)
    before = render(edition_for(issue), CONFIG, links=LINKS)
    issue.content = msgspec.json.decode(msgspec.json.encode(issue.content))
    for story in issue.stories:
        story.content = msgspec.json.decode(msgspec.json.encode(story.content))
    assert render(edition_for(issue), CONFIG, links=LINKS) == before
