"""Compose the weekly issue: choose, order, count, freeze. What is frozen is all that any form of the digest is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from digest.counts import compared, count, overview, per_theme, table
from digest.gaps import gaps
from digest.model import model_from
from digest.names import NO_THEME, SUPPLEMENT, Names, load_names
from digest.period import due_at, is_late, local_day, next_due
from digest.story import story_content
from digest.typography import repair
from digest.weights import PIN_POINTS, Facts, Reason, ordered, weigh
from store.config import Config
from store.database import Engine, Session, read_scope, session_scope
from store.issues import (
    Candidate,
    Draft,
    DraftStory,
    EditorAct,
    SourceLook,
    candidates,
    editor_acts,
    freeze,
    past_issues,
    source_looks,
)
from store.models import Issue
from store.stories import Told, events_among, practices, settle_stories

#: A story published this long before the period is old news found late: one line under 补录.
OLD_AFTER = timedelta(days=31)
#: Stories under 要闻, and how many of them one zone may have.
HEADLINES = 5
HEADLINES_PER_ZONE = 2
TREND_ISSUES = 12
#: Characters of a practice's name in the line that leads from one story of an event to the next.
_PRACTICE = 40


@dataclass(frozen=True, slots=True)
class Material:
    """Everything an issue is made from: the same material, configuration and `now` give the same issue."""

    stories: list[Candidate]
    acts: list[EditorAct]
    looks: list[SourceLook]
    before: list[Issue]


def compose_issue(engine: Engine, config: Config, now: datetime) -> Issue | None:
    """Compose and freeze the issue due at or before `now`; None when it exists, when the editor holds it, or for a second caller.

    Stories that wait for it are settled first, so that the order in which articles came shows in no issue.
    Raises VocabularyError for a broken vocabulary and ConfigError for a model that cannot be used; then no issue was written.
    """
    due = due_at(now, config.digest, config.zone_info)
    with read_scope(engine) as session:
        before = past_issues(session, TREND_ISSUES)
        if before and (due <= before[0].due_at or now <= before[0].period_end):
            return None
        if is_held(editor_acts(session)):
            return None
    settle_stories(engine, now)
    with read_scope(engine) as session:
        acts = editor_acts(session)
        material = Material(candidates(session, now), acts, _looks(session, config, before, due, now), before)
    draft = _with_model(draft_issue(material, config, due, now), material, config)
    with session_scope(engine) as session:
        return freeze(session, draft)


def coming_issue(engine: Engine, config: Config, now: datetime) -> Draft:
    """Return the issue as it would be frozen at `now` for the next due hour that has none yet; nothing is written."""
    with read_scope(engine) as session:
        before = past_issues(session, TREND_ISSUES)
        due = due_at(now, config.digest, config.zone_info)
        if before and due <= before[0].due_at:
            due = next_due(now, config.digest, config.zone_info)
        looks = _looks(session, config, before, due, now)
        material = Material(candidates(session, now), editor_acts(session), looks, before)
    return _with_model(draft_issue(material, config, due, now), material, config)


def _with_model(draft: Draft, material: Material, config: Config) -> Draft:
    """Give the stories in full the summaries of the office's model, if it has one; no transaction is open meanwhile."""
    if (model := model_from(config)) is None:
        return draft
    texts = {story.story_id: story.copies[0] for story in material.stories}
    for story in draft.stories:
        if story.in_full and story.content["summary_by"] == "extract":
            main, zones = texts[story.story_id], [zone["name"] for zone in story.content["zones"]]
            if summary := model.summary(main.title, main.text, zones):
                story.content |= {"summary": summary, "summary_by": "model"}
    return draft


def _looks(
    session: Session, config: Config, before: Sequence[Issue], due: datetime, now: datetime
) -> list[SourceLook]:
    since = before[0].period_end if before else due - timedelta(days=7)
    return source_looks(session, since, now, config.office.watch_zones)


def is_held(acts: Sequence[EditorAct]) -> bool:
    """Return whether the whole coming issue waits for the editor: the last of hold and approve without a story decides."""
    words = [act.kind for act in acts if act.story_id is None and act.kind in {"hold", "approve"}]
    return bool(words) and words[-1] == "hold"


def draft_issue(material: Material, config: Config, due: datetime, now: datetime) -> Draft:
    """Return the whole issue as values. Pure: no clock, no database, no chance."""
    names = load_names(config)
    last = material.before[0] if material.before else None
    start = last.period_end if last else due - timedelta(days=7)
    year = local_day(due, config.zone_info).year
    same_year = last is not None and last.year == year
    draft = Draft(
        number=last.number + 1 if last else 1,
        year=year,
        year_number=last.year_number + 1 if last and same_year else 1,
        period_start=start,
        period_end=now,
        due_at=due,
        composed_at=now,
        late=is_late(now, due),
        content={},
    )
    chosen, dropped, held = _without_dropped(material)
    draft.stories = _placed(chosen, material.acts, config, names, start)
    _link_events(draft.stories, chosen)
    draft.content = _content(draft, material, config, now) | {"dropped": len(dropped), "held": len(held)}
    told = {story.story_id for story in draft.stories} | dropped | held
    draft.edit_ids = [act.edit_id for act in material.acts if act.story_id is None or act.story_id in told]
    return draft


def _link_events(placed: Sequence[DraftStory], stories: Sequence[Candidate]) -> None:
    """Note beside each story which others of this issue tell of the same event, and by which practice that is known."""
    events = events_among(_told(story) for story in stories)
    titles = {story.story_id: story.content["title"] for story in placed}
    for story in placed:
        story.content["same_event"] = [
            {"story_id": other, "title": titles[other], "practice": repair(shared[0])[:_PRACTICE]}
            for other, shared in events.get(story.story_id, {}).items()
        ]


def _told(story: Candidate) -> Told:
    main = story.copies[0]
    zones = frozenset(tag.name for tag in main.tags if tag.kind == "zone")
    return Told(story.story_id, main.published_at, zones, practices(main.classification))


def _without_dropped(material: Material) -> tuple[list[Candidate], set[int], set[int]]:
    ids = {story.story_id for story in material.stories}
    dropped = {act.story_id for act in material.acts if act.kind == "drop" and act.story_id in ids}
    held = {act.story_id for act in material.acts if act.kind == "hold" and act.story_id in ids} - dropped
    left = [story for story in material.stories if story.story_id not in dropped | held]
    return left, {i for i in dropped if i is not None}, {i for i in held if i is not None}


def _placed(
    stories: Sequence[Candidate], acts: Sequence[EditorAct], config: Config, names: Names, start: datetime
) -> list[DraftStory]:
    """Stories in their sections: 要闻 and the others in full by theme and zone, then the one-line list, then 补录."""
    mine: dict[int, list[EditorAct]] = {}
    for act in acts:
        if act.story_id is not None:
            mine.setdefault(act.story_id, []).append(act)
    made = {s.story_id: _story(s, mine.get(s.story_id, []), config, names, start) for s in stories}
    news = [story for story in made.values() if story.section != SUPPLEMENT[0]]
    order = ordered((s.story_id, s.weight, _zones(s)) for s in news)
    limit = max(config.digest.max_stories, sum(made[i].weight >= PIN_POINTS for i in order))
    for place, story_id in enumerate(order):
        made[story_id].in_full = place < limit
    headlines = _headlines([made[i] for i in order if made[i].in_full])
    for story in news:
        story.content["headline"] = story.story_id in headlines
    zones = _zone_places([made[i] for i in order])
    place_of = {story_id: place for place, story_id in enumerate(order)}

    def position(story: DraftStory) -> tuple[Any, ...]:
        place = place_of.get(story.story_id, len(order) + story.story_id)
        if story.story_id in headlines:
            return (0, 0, 0, place)
        return (
            2 - story.in_full,
            names.order(story.section),
            zones.get(_first_zone(story), len(zones)),
            place,
        )

    placed = sorted(made.values(), key=position)
    for rank, story in enumerate(placed, 1):
        story.rank = rank
    return placed


def _story(
    candidate: Candidate, acts: Sequence[EditorAct], config: Config, names: Names, start: datetime
) -> DraftStory:
    content = story_content(candidate, acts, config, names)
    pinned = any(act.kind == "pin" for act in acts)
    facts = Facts(
        tuple(zone["name"] for zone in content["zones"]),
        tuple(content["outlets"]),
        len(content["figures"]),
        len(content["practices"]),
        candidate.published_at,
        candidate.earlier is not None,
        pinned,
        candidate.score,
    )
    reasons = weigh(facts, config.office.watch_zones, start)
    content["reasons"] = [{"label": r.label, "points": round(r.points, 1)} for r in reasons]
    moved = [act.value for act in acts if act.kind == "move" and act.value]
    section = moved[-1] if moved else _section(candidate, content, start, pinned=pinned)
    content["section_title"] = names.theme(section)
    return DraftStory(candidate.story_id, section, 0, False, _sum(reasons), content)


def _sum(reasons: Sequence[Reason]) -> float:
    return round(sum(reason.points for reason in reasons), 1)


def _section(candidate: Candidate, content: dict[str, Any], start: datetime, *, pinned: bool) -> str:
    if candidate.published_at and candidate.published_at < start - OLD_AFTER and not pinned:
        return SUPPLEMENT[0]
    return str(content["themes"][0]["key"]) if content["themes"] else NO_THEME[0]


def _zones(story: DraftStory) -> tuple[str, ...]:
    return tuple(zone["name"] for zone in story.content["zones"])


def _first_zone(story: DraftStory) -> str:
    return _zones(story)[0] if _zones(story) else ""


def _zone_places(stories: Sequence[DraftStory]) -> dict[str, int]:
    """Zones in the order of their weightiest story; a story without zone comes last."""
    places: dict[str, int] = {}
    for story in stories:
        if zone := _first_zone(story):
            places.setdefault(zone, len(places))
    return places


def _headlines(stories: Sequence[DraftStory]) -> set[int]:
    chosen: list[DraftStory] = []
    for story in stories:
        same = sum(_first_zone(other) == _first_zone(story) for other in chosen)
        pinned = story.weight >= PIN_POINTS
        if len(chosen) < HEADLINES and (pinned or same < HEADLINES_PER_ZONE or not _first_zone(story)):
            chosen.append(story)
    return {story.story_id for story in chosen} if len(stories) > HEADLINES else set()


def _content(draft: Draft, material: Material, config: Config, now: datetime) -> dict[str, Any]:
    contents = [story.content for story in draft.stories]
    numbers, themes = count(contents), per_theme(contents)
    before = [issue.content.get("counts", {}).get("stories", 0) for issue in material.before]
    change = compared(numbers["stories"], before)
    told = frozenset(zone["name"] for content in contents for zone in content["zones"])
    silent = timedelta(days=config.daemon.silent_days)
    return {
        "masthead": _masthead(draft, config),
        "overview": overview(numbers, themes, contents, change),
        "counts": numbers,
        "change": change,
        "themes": themes,
        "table": table(contents, themes),
        "trend": _trend(draft, material.before, numbers["stories"]),
        "gaps": gaps(material.looks, config.office.watch_zones, told, now, silent),
        "notes": _values(material.acts, "note"),
        "errata": _values(material.acts, "erratum"),
        "approved_by": next((a.who for a in reversed(material.acts) if a.kind == "approve"), ""),
        "max_stories": config.digest.max_stories,
        "theme_titles": dict(load_names(config).themes),
        "watch_zones": list(config.office.watch_zones),
    }


def _values(acts: Sequence[EditorAct], kind: str) -> list[str]:
    return [act.value for act in acts if act.kind == kind and act.story_id is None and act.value.strip()]


def _masthead(draft: Draft, config: Config) -> dict[str, Any]:
    zone, office = config.zone_info, config.office
    first, last = local_day(draft.period_start, zone), local_day(draft.period_end, zone)
    return {
        "name": office.name,
        "unit": office.unit,
        "contact": office.contact,
        "title": f"{office.name}{draft.year}年第{draft.year_number}期",
        "label": f"{draft.year}年第{draft.year_number}期",
        "total": f"总第{draft.number}期",
        "date": local_day(draft.composed_at, zone).isoformat(),
        "date_words": day_words(local_day(draft.composed_at, zone)),
        "period": f"{day_words(first)}至{day_words(last, first)}",
        "days": round((draft.period_end - draft.period_start) / timedelta(days=1)),
        "late": draft.late,
        "due_words": day_words(local_day(draft.due_at, zone)),
        "report_to": office.report_to,
        "send_to": office.send_to,
    }


def day_words(day: date, after: date | None = None) -> str:
    """Return 2026年11月23日, without the year when it is that of `after`."""
    year = "" if after and after.year == day.year else f"{day.year}年"
    return f"{year}{day.month}月{day.day}日"


def _trend(draft: Draft, before: Sequence[Issue], stories: int) -> list[dict[str, Any]]:
    past = [
        {
            "label": f"{issue.year}年第{issue.year_number}期",
            "stories": issue.content.get("counts", {}).get("stories", 0),
        }
        for issue in reversed(before[: TREND_ISSUES - 1])
    ]
    return [*past, {"label": f"{draft.year}年第{draft.year_number}期", "stories": stories}]
