"""One article's way in: kept, classified, joined to its story. The same for spiders, hand-ins and second readings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from crawler.classify.classify import Classification, Classifier
from crawler.items import ArticleItem
from store.articles import (
    Incoming,
    Outcome,
    Prepared,
    add_new,
    add_tags,
    articles_by_key,
    copies_without_zone,
    new_row,
    prepare,
    revise,
    set_classification,
    tag_names,
)
from store.database import Session
from store.fetched import FetchedPage
from store.models import Article, ArticleTag
from store.pages import save_pages
from store.rechecks import note_freshness
from store.stories import assign_story, borrowed_zones, expect, reassign
from store.story_records import lock as hold_stories

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an article came from: its source's row, outlet and default zone. All empty for a hand-in."""

    source_id: int | None = None
    outlet: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """An article that only waits to be written: cleaned and classified. `at` is the moment it came."""

    item: ArticleItem
    origin: Origin
    prepared: Prepared
    verdict: Classification
    tags: list[dict[str, Any]]
    at: datetime


def arrive(item: ArticleItem, classifier: Classifier, origin: Origin, now: datetime) -> Arrival:
    """Return the item as it is written; all that can be done without a database."""
    prepared = prepare(incoming(item), now)
    verdict = _classify(prepared.columns, classifier, origin)
    return Arrival(item, origin, prepared, verdict, tags_of(verdict), now)


def ingest(
    session: Session, item: ArticleItem, classifier: Classifier, origin: Origin, now: datetime
) -> tuple[Article, Outcome]:
    """Add the item's article with its raw page, its tags and its story. May be repeated: a second time is "seen"."""
    return ingest_all(session, [arrive(item, classifier, origin, now)])[0]


def ingest_all(session: Session, arrivals: Sequence[Arrival]) -> list[tuple[Article, Outcome]]:
    """Add a batch of articles (some dozens), each as `ingest` does, and return them in order; one may come twice."""
    hold_stories(session)
    known = articles_by_key(session, [arrival.prepared.key for arrival in arrivals])
    begun = _add_new(session, known, arrivals)
    expect(session, [known[key] for key in begun])
    done: list[tuple[Article, Outcome]] = []
    for arrival in arrivals:
        article = known[arrival.prepared.key]
        if begun.get(arrival.prepared.key) is arrival:
            zones = [tag["name"] for tag in arrival.tags if tag["kind"] == "zone"]
            place(session, article, zones)
            done.append((article, "new"))
        else:
            done.append((article, _meet(session, article, arrival)))
    looked_at = [(article, arrival.item.page) for (article, _), arrival in zip(done, arrivals, strict=True)]
    note_freshness(session, *(page for article, page in looked_at if page and _may_be_shown(article)))
    return done


def _add_new(session: Session, known: dict[str, Article], arrivals: Sequence[Arrival]) -> dict[str, Arrival]:
    """Add the articles that are not in `known` and put them there; return the arrivals they are from by key."""
    begun: dict[str, Arrival] = {}
    for arrival in arrivals:
        if arrival.prepared.key not in known:
            begun.setdefault(arrival.prepared.key, arrival)
    pages = _keep_pages(session, list(begun.values()))
    rows = [
        new_row(
            arrival.prepared,
            arrival.at,
            arrival.verdict.to_dict(),
            source_id=arrival.origin.source_id,
            raw_page_id=pages[key],
        )
        for key, arrival in begun.items()
    ]
    known |= {article.url_key: article for article in add_new(session, rows)}
    add_tags(session, {known[key].id: arrival.tags for key, arrival in begun.items()})
    return begun


def _meet(session: Session, article: Article, arrival: Arrival) -> Outcome:
    """Bring an article that was kept before up to date."""
    revised = revise(session, article, arrival.prepared, arrival.at)
    page = arrival.item.page
    if page and (revised or not _is_kept(article, page)):
        article.raw_page_id = _keep_pages(session, [arrival])[arrival.prepared.key]
    if not revised:
        return "seen"
    set_classification(article, arrival.verdict.to_dict(), arrival.tags)
    place(session, article, revised=True)
    return "revised"


def _keep_pages(session: Session, arrivals: Sequence[Arrival]) -> dict[str, int | None]:
    """Keep the pages that articles came from; return the number of each one's first page by key."""
    first: dict[str, int | None] = {arrival.prepared.key: None for arrival in arrivals}
    with_page = [arrival for arrival in arrivals if arrival.item.page]
    pages = [(arrival.item.page, arrival.origin.source_id) for arrival in with_page if arrival.item.page]
    more = [(page, arrival.origin.source_id) for arrival in with_page for page in arrival.item.more_pages]
    numbers = save_pages(session, pages + more) if pages else []
    return first | {arrival.prepared.key: number for arrival, number in zip(with_page, numbers, strict=False)}


def _may_be_shown(article: Article) -> bool:
    return article.relevant or article.borderline


def _is_kept(article: Article, page: FetchedPage) -> bool:
    """Return whether an article that reads as before has its page already: what else changed on a site's page is not kept."""
    return page.reader == "portal" and article.raw_page_id is not None


def incoming(item: ArticleItem) -> Incoming:
    """Return the item's values as the store takes them."""
    values = {name: getattr(item, name) for name in Incoming.__dataclass_fields__ if name != "images"}
    return Incoming(**values, images=[asdict(image) for image in item.images])


def classify_article(article: Article, classifier: Classifier, origin: Origin) -> Classification:
    """Put the classifier's verdict and tags on the article and return the verdict."""
    columns = {name: getattr(article, name) for name in ("title", "text", "url", "publisher")}
    verdict = _classify(columns, classifier, origin)
    set_classification(article, verdict.to_dict(), tags_of(verdict))
    return verdict


def _classify(columns: Mapping[str, Any], classifier: Classifier, origin: Origin) -> Classification:
    return classifier.classify(
        columns["title"],
        columns["text"],
        url=columns["url"],
        publisher=columns["publisher"],
        source_zone=origin.zone,
        outlet=origin.outlet,
    )


def tags_of(verdict: Classification) -> list[dict[str, Any]]:
    """Return the verdict's zones and themes as rows for tags, one per name and kind."""
    zones = [
        ("zone", zone.name, zone.role, zone.field, zone.start, zone.end, zone.text)
        for zone in verdict.zones
        if zone.name != "unresolved"
    ]
    themes = [
        ("theme", theme.key, None, theme.field, theme.start, theme.end, theme.text)
        for theme in verdict.themes
    ]
    names = ("kind", "name", "role", "field", "start", "end", "text")
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for tag in zones + themes:
        first.setdefault((tag[0], tag[1]), dict(zip(names, tag, strict=True)))
    return list(first.values())


def place(
    session: Session,
    article: Article,
    zones: Sequence[str] | None = None,
    *,
    revised: bool = False,
) -> None:
    """Join the article to its story, anew when its text was revised; `zones` are those it names, None: look which.

    Copies that name no zone take those their twins name, whichever came first.
    """
    session.flush()
    join = reassign if revised else assign_story
    if zones is None:
        zones = tag_names(article, "zone")
    assignment = join(session, article, zones=zones)
    if assignment.begun and not assignment.changed:
        return
    session.flush()
    for copy in copies_without_zone(session, article.story_id):
        copy.tags.extend(borrowed_tag(name) for name in borrowed_zones(session, copy))


def borrowed_tag(zone: str) -> ArticleTag:
    """Return a tag for a zone that only another copy of the story names; its field says so."""
    return ArticleTag(kind="zone", name=zone, role="actor", field="twin", start=0, end=0, text="")
