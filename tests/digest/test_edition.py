from types import SimpleNamespace
from typing import Any

import pytest

from digest.edition import edition_for
from digest.sample import sample_issue
from store.config import Config, DigestSection

ISSUE = sample_issue(stories=60)


def wishes(**given: Any) -> Any:
    return SimpleNamespace(
        **({"name": "", "zones": [], "themes": [], "provinces": [], "send_empty": False} | given)
    )


def test_the_whole_issue_has_every_story_once_in_the_frozen_order() -> None:
    edition = edition_for(ISSUE)
    assert edition.story_ids == tuple(story.story_id for story in ISSUE.stories)
    assert [story.number for story in edition.stories] == list(range(1, 61))
    shown = [*edition.headlines]
    shown += [story for section in (*edition.sections, *edition.briefs) for story in section.stories]
    assert [story.number for story in shown] == list(range(1, 61))


def test_stories_of_one_event_name_each_other_only_where_both_are_in_the_cut() -> None:
    pair = [story for story in edition_for(ISSUE).stories if story.same_event]
    zone = pair[0].content["zones"][0]["name"]
    both = {story.story_id: story for story in edition_for(ISSUE, wishes(zones=[zone])).stories}
    for story, other in (pair, pair[::-1]):
        (link,) = both[story.story_id].same_event
        assert (link.story_id, link.number) == (other.story_id, both[other.story_id].number)
        assert link.brief == 0
    issue = sample_issue(stories=60)
    issue.stories = [story for story in issue.stories if story.story_id != pair[1].story_id]
    assert not any(story.same_event for story in edition_for(issue).stories)


def test_a_recipient_without_wishes_gets_the_whole() -> None:
    edition = edition_for(ISSUE, wishes())
    assert edition.story_ids == edition_for(ISSUE).story_ids
    assert edition.choice == ""
    assert edition.content == ISSUE.content


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"zones": ["西安高新区"]}, lambda c: "西安高新区" in [z["name"] for z in c["zones"]]),
        ({"provinces": ["安徽省"]}, lambda c: "安徽" in [z["province"] for z in c["zones"]]),
        ({"themes": ["chain", "gig"]}, lambda c: {"chain", "gig"} & {t["key"] for t in c["themes"]}),
        (
            {"zones": ["西安高新区"], "provinces": ["安徽"], "themes": ["org", "service"]},
            lambda c: (
                {"org", "service"} & {t["key"] for t in c["themes"]}
                and any(z["name"] == "西安高新区" or z["province"] == "安徽" for z in c["zones"])
            ),
        ),
    ],
)
def test_a_cut_has_what_was_asked_for_and_nothing_else(given: dict[str, Any], wanted: Any) -> None:
    edition = edition_for(ISSUE, wishes(**given))
    expected = {story.story_id for story in ISSUE.stories if wanted(story.content)}
    assert expected
    assert set(edition.story_ids) == expected
    assert edition.content["counts"]["stories"] == len(expected)
    assert sum(row["total"] for row in edition.content["table"]["rows"]) >= len(expected)
    assert edition.whole == 60
    assert f"报道{len(expected)}条" in edition.content["overview"]


def test_a_cut_has_room_for_what_was_only_a_line() -> None:
    issue = sample_issue(Config(digest=DigestSection(max_stories=12)), stories=60)
    edition = edition_for(issue, wishes(themes=["org"]))
    assert all(story.in_full for story in edition.stories if story.section == "org")
    assert [story.number for story in edition.stories] == list(range(1, len(edition.stories) + 1))
    assert any(not story.in_full for story in issue.stories if story.section == "org")


def test_a_section_appears_once_in_a_cut() -> None:
    issue = sample_issue(Config(digest=DigestSection(max_stories=12)), stories=60)
    for zone in ("西安高新区", "合肥高新区"):
        keys = [section.key for section in edition_for(issue, wishes(zones=[zone])).sections]
        assert len(keys) == len(set(keys))


def test_an_empty_cut_goes_only_to_who_asked_for_empty_weeks() -> None:
    assert not edition_for(ISSUE, wishes(zones=["拉萨高新区"])).wanted
    assert edition_for(ISSUE, wishes(zones=["拉萨高新区"], send_empty=True)).wanted
    assert not edition_for(sample_issue(stories=0), wishes()).wanted
    assert edition_for(sample_issue(stories=0)).wanted


def test_the_choice_is_told_in_words() -> None:
    edition = edition_for(ISSUE, wishes(zones=["西安高新区"], themes=["org"]))
    assert edition.choice == "园区：西安高新区；主题：组织建设"


def test_a_story_of_unknown_zone_reaches_only_who_chose_no_place() -> None:
    issue = sample_issue(stories=30, hostile=True)
    unknown = {story.story_id for story in issue.stories if not story.content["zones"]}
    assert unknown
    assert unknown <= set(edition_for(issue).story_ids)
    zones = sorted({zone["name"] for story in issue.stories for zone in story.content["zones"]})
    assert not unknown & set(edition_for(issue, wishes(zones=zones)).story_ids)
