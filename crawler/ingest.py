"""One article's way in: kept, classified, joined to its story. The same for spiders, hand-ins and second readings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from crawler.classify.classify import Classification, Classifier
from crawler.items import ArticleItem
from store.articles import Incoming, Outcome, add_article, articles_of_story, set_classification, tag_names
from store.database import Session
from store.fetched import FetchedPage
from store.models import Article, ArticleTag
from store.pages import save_page
from store.rechecks import note_freshness
from store.stories import assign_story, borrowed_zones, reassign

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an article came from: its source's row, outlet and default zone. All empty for a hand-in."""

    source_id: int | None = None
    outlet: str | None = None
    zone: str | None = None


def ingest(
    session: Session, item: ArticleItem, classifier: Classifier, origin: Origin, now: datetime
) -> tuple[Article, Outcome]:
    """Add the item's article with its raw page, its tags and its story. May be repeated: a second time is "seen"."""
    article, outcome = add_article(session, incoming(item), now, source_id=origin.source_id)
    if item.page and (outcome != "seen" or not _is_kept(article, item.page)):
        article.raw_page_id = save_page(session, item.page, origin.source_id).id
        for page in item.more_pages:
            save_page(session, page, origin.source_id)
    if outcome != "seen":
        classify_article(article, classifier, origin)
        place(session, article, now, revised=outcome == "revised")
    if item.page and (article.relevant or article.borderline):
        note_freshness(session, item.page)
    return article, outcome


def _is_kept(article: Article, page: FetchedPage) -> bool:
    """Return whether an article that reads as before has its page already: what else changed on a site's page is not kept."""
    return page.reader == "portal" and article.raw_page_id is not None


def incoming(item: ArticleItem) -> Incoming:
    """Return the item's values as the store takes them."""
    values = {name: getattr(item, name) for name in Incoming.__dataclass_fields__ if name != "images"}
    return Incoming(**values, images=[asdict(image) for image in item.images])


def classify_article(article: Article, classifier: Classifier, origin: Origin) -> Classification:
    """Put the classifier's verdict and tags on the article and return the verdict."""
    verdict = classifier.classify(
        article.title,
        article.text,
        url=article.url,
        publisher=article.publisher,
        source_zone=origin.zone,
        outlet=origin.outlet,
    )
    set_classification(article, verdict.to_dict(), tags_of(verdict))
    return verdict


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


def place(session: Session, article: Article, now: datetime, *, revised: bool = False) -> None:
    """Join the article to its story, anew when its text was revised.

    Copies that name no zone take those their twins name, whichever came first.
    """
    session.flush()
    join = reassign if revised else assign_story
    assignment = join(session, article, zones=tag_names(article, "zone"), now=now)
    if assignment.begun and not assignment.changed:
        return
    session.flush()
    for copy in articles_of_story(session, article.story_id):
        if not tag_names(copy, "zone", "actor"):
            copy.tags.extend(borrowed_tag(name) for name in borrowed_zones(session, copy))


def borrowed_tag(zone: str) -> ArticleTag:
    """Return a tag for a zone that only another copy of the story names; its field says so."""
    return ArticleTag(kind="zone", name=zone, role="actor", field="twin", start=0, end=0, text="")
