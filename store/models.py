"""Every table of the product. Times are UTC; texts are clean NFC; states are words listed beside their column."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, MetaData, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from store.database import JsonValue, UtcDateTime

_NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
#: 64-bit key on PostgreSQL; on SQLite only INTEGER is the rowid.
Key = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    metadata: ClassVar[MetaData] = MetaData(naming_convention=_NAMES)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        dict[str, Any]: JsonValue,
        list[Any]: JsonValue,
        int: Integer,
    }


class Source(Base):
    """What is known of one configured source: its rhythm and its health. The definition itself stays in the TOML file."""

    __tablename__ = "source"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    publisher: Mapped[str | None]
    host: Mapped[str] = mapped_column(default="")
    enabled: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(default="new")  # new up late down paused
    interval_seconds: Mapped[int] = mapped_column(default=3600)
    next_check_at: Mapped[datetime | None] = mapped_column(index=True)
    checked_at: Mapped[datetime | None]
    last_new_at: Mapped[datetime | None]
    error_count: Mapped[int] = mapped_column(default=0)
    last_reason: Mapped[str | None]
    last_error: Mapped[str | None]
    faults: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # word of store.watch.FAULTS -> since, evidence
    trust: Mapped[dict[str, Any]] = mapped_column(default=dict)  # store.hints: kind of hint -> requests
    memory: Mapped[dict[str, Any]] = mapped_column(default=dict, deferred=True)  # store.watch.Memory
    first_seen_at: Mapped[datetime]


class Crawl(Base):
    """One visit of one source: what was asked for, what came, what was dropped and why."""

    __tablename__ = "crawl"
    __table_args__ = (
        Index(
            "ix_crawl_with_news",
            "source_id",
            "started_at",
            "new",
            sqlite_where=text("new > 0"),
            postgresql_where=text("new > 0"),
        ),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), index=True)
    started_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="running")  # running ok degraded failed interrupted
    reason: Mapped[str | None]
    requests: Mapped[int] = mapped_column(default=0)
    pages: Mapped[int] = mapped_column(default=0)
    links: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    seen: Mapped[int] = mapped_column(default=0)
    revised: Mapped[int] = mapped_column(default=0)
    dropped: Mapped[int] = mapped_column(default=0)
    errors: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(default=0)
    stats: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # reason word -> count; coverage: of new articles


class PageValidator(Base):
    """What a list page or a recent article said of its freshness when it was last asked for, for conditional GET."""

    __tablename__ = "page_validator"
    url: Mapped[str] = mapped_column(primary_key=True)
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    fetched_at: Mapped[datetime]
    listed: Mapped[list[Any]] = mapped_column(default=list)  # store.hints: what lists have said of an article
    hint: Mapped[str | None]  # kinds of hints that it has changed since, by which nobody has gone yet


class PassedUrl(Base):
    """An address that was read and gave no article (a picture page, a 404, quarantine), so that it is not fetched again."""

    __tablename__ = "passed_url"
    url_key: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    passed_at: Mapped[datetime]


class RawPage(Base):
    """The bytes of a page, zlib-compressed, so that its article can be read again; pruned by age and by total size."""

    __tablename__ = "raw_page"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"), index=True)
    url: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str]  # the kind of the source or hand-in that says which page object reads it
    fetched_at: Mapped[datetime] = mapped_column(index=True)
    declared_encoding: Mapped[str | None]
    checksum: Mapped[str] = mapped_column(index=True)
    size: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class Quarantine(Base):
    """A page that could not be read, with the reason; replayed by hand or when the extractor is newer."""

    __tablename__ = "quarantine"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    raw_page_id: Mapped[int] = mapped_column(ForeignKey("raw_page.id"), unique=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"), index=True)
    url: Mapped[str]
    reason: Mapped[str]
    detail: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(index=True)
    resolved_at: Mapped[datetime | None]


class Article(Base):
    """One article as one site shows it; unique by normalised URL and position on the page."""

    __tablename__ = "article"
    __table_args__ = (Index("ix_article_counted", "relevant", "borderline", "relation"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("source.id"), index=True)
    raw_page_id: Mapped[int | None] = mapped_column(ForeignKey("raw_page.id"), index=True)
    url: Mapped[str]
    url_key: Mapped[str] = mapped_column(unique=True)
    checksum: Mapped[str] = mapped_column(
        index=True
    )  # of title and text: tells a revision from a second visit
    version: Mapped[int] = mapped_column(default=1)
    title: Mapped[str]
    kicker: Mapped[str | None]
    subtitle: Mapped[str | None]
    text: Mapped[str]
    published_at: Mapped[datetime | None] = mapped_column(index=True)
    published_precision: Mapped[str | None]  # minute day
    publisher: Mapped[str | None]  # the original source (来源) as the page names it
    author: Mapped[str | None]
    editor: Mapped[str | None]
    page_number: Mapped[str | None]
    page_name: Mapped[str | None]
    images: Mapped[list[Any]] = mapped_column(default=list)
    confidence: Mapped[float] = mapped_column(default=1.0)
    flags: Mapped[list[Any]] = mapped_column(default=list)
    first_seen_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime]
    relevant: Mapped[bool] = mapped_column(default=False)
    borderline: Mapped[bool] = mapped_column(default=False)
    score: Mapped[float] = mapped_column(default=0.0)
    classification: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # reasons, figures, practices, organisations
    story_id: Mapped[int | None] = mapped_column(ForeignKey("story.id", use_alter=True), index=True)
    relation: Mapped[str | None]  # original reprint excerpt anonymised contains revised
    relation_of: Mapped[int | None] = mapped_column(Key)  # article id
    relation_score: Mapped[float | None]
    tags: Mapped[list[ArticleTag]] = relationship(
        back_populates="article", cascade="all, delete-orphan", passive_deletes=True
    )
    source: Mapped[Source | None] = relationship()


class ArticleVersion(Base):
    """An earlier text of a revised article."""

    __tablename__ = "article_version"
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    text: Mapped[str]
    replaced_at: Mapped[datetime]


class ArticleTag(Base):
    """One zone or theme of an article with the words that prove it."""

    __tablename__ = "article_tag"
    __table_args__ = (Index("ix_article_tag_kind_name", "kind", "name"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str]  # zone theme
    name: Mapped[str]  # the zone's short name or the theme's key
    role: Mapped[str | None]  # zones: actor mention
    field: Mapped[str]  # title text publisher host source
    start: Mapped[int]
    end: Mapped[int]
    text: Mapped[str]
    article: Mapped[Article] = relationship(back_populates="tags")


class Story(Base):
    """Articles that tell the same thing. The representative is the best copy, the first publisher is worked out."""

    __tablename__ = "story"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    representative_id: Mapped[int | None] = mapped_column(ForeignKey("article.id"), index=True)
    title: Mapped[str]
    first_publisher: Mapped[str | None]
    first_published_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime] = mapped_column(index=True)
    last_seen_at: Mapped[datetime]
    relevant: Mapped[bool] = mapped_column(default=False, index=True)  # any of its articles is
    score: Mapped[float] = mapped_column(default=0.0)
    article_count: Mapped[int] = mapped_column(default=1)
    follow_up_of: Mapped[int | None] = mapped_column(ForeignKey("story.id"))
    merged_into: Mapped[int | None] = mapped_column(
        ForeignKey("story.id")
    )  # kept so that old links go on working
    representative: Mapped[Article | None] = relationship(foreign_keys=[representative_id], post_update=True)


class StoryArticle(Base):
    """Further stories on a page that holds several (a round-up); an article's own story is `article.story_id`."""

    __tablename__ = "story_article"
    story_id: Mapped[int] = mapped_column(ForeignKey("story.id"), primary_key=True)
    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    relation: Mapped[str]


class StoryOverride(Base):
    """A merge or split decided by a person; keyed by articles so that it survives a rebuild of all stories."""

    __tablename__ = "story_override"
    id: Mapped[int] = mapped_column(primary_key=True)
    action: Mapped[str]  # merge split
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), index=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), index=True)
    reason: Mapped[str] = mapped_column(default="")
    who: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class Issue(Base):
    """One frozen week. Issues tile time: each begins where the one before ended."""

    __tablename__ = "issue"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)  # 总第N期
    year: Mapped[int]
    year_number: Mapped[int]  # 2026年第47期
    period_start: Mapped[datetime]
    period_end: Mapped[datetime] = mapped_column(unique=True)
    due_at: Mapped[datetime] = mapped_column(
        unique=True
    )  # the hour it was due: makes a second daemon harmless
    composed_at: Mapped[datetime]
    late: Mapped[bool] = mapped_column(default=False)  # 补发
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the frozen masthead, counts, gaps, notes
    stories: Mapped[list[IssueStory]] = relationship(back_populates="issue", order_by="IssueStory.rank")
    __table_args__ = (UniqueConstraint("year", "year_number"),)


class IssueStory(Base):
    """A story's place in its one issue, with everything the forms need frozen beside it."""

    __tablename__ = "issue_story"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), index=True)
    story_id: Mapped[int] = mapped_column(ForeignKey("story.id"), unique=True)  # never twice
    section: Mapped[str]
    rank: Mapped[int]
    in_full: Mapped[bool] = mapped_column(default=True)
    weight: Mapped[float] = mapped_column(default=0.0)
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    said: Mapped[str] = mapped_column(default="")  # title and summary as search compares them
    issue: Mapped[Issue] = relationship(back_populates="stories")


class Edit(Base):
    """What an editor decided about the coming issue: pin, drop, retitle, move, summary, hold, note, approve."""

    __tablename__ = "edit"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    story_id: Mapped[int | None] = mapped_column(ForeignKey("story.id"), index=True)
    kind: Mapped[str]
    value: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    who: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    issue_id: Mapped[int | None] = mapped_column(ForeignKey("issue.id"))  # the issue it took effect in


class Recipient(Base):
    """Who receives the digest and which cut of it."""

    __tablename__ = "recipient"
    id: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")
    zones: Mapped[list[Any]] = mapped_column(default=list)  # empty: all
    themes: Mapped[list[Any]] = mapped_column(default=list)
    provinces: Mapped[list[Any]] = mapped_column(default=list)
    channels: Mapped[list[Any]] = mapped_column(default=list)  # names of digest.channels; empty: mail
    word: Mapped[bool] = mapped_column(default=False)  # attach the Word briefing
    send_empty: Mapped[bool] = mapped_column(default=False)
    origin: Mapped[str] = mapped_column(default="command")  # config command
    token_key: Mapped[
        str
    ]  # random; personal links are signed over it, so that one recipient's links can be revoked
    active: Mapped[bool] = mapped_column(default=True)
    unsubscribed_at: Mapped[datetime | None]
    suppressed_at: Mapped[datetime | None]
    suppressed_reason: Mapped[str | None]
    created_at: Mapped[datetime]


class Delivery(Base):
    """The ledger: one row per issue, recipient and channel."""

    __tablename__ = "delivery"
    __table_args__ = (UniqueConstraint("issue_id", "recipient_id", "channel"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("issue.id"), index=True)
    recipient_id: Mapped[int] = mapped_column(ForeignKey("recipient.id"), index=True)
    channel: Mapped[str]
    state: Mapped[str] = mapped_column(
        default="queued", index=True
    )  # queued sending at_the_dot sent retry bounced suppressed skipped in_doubt
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    reply: Mapped[str | None]
    reason: Mapped[str | None]
    message_id: Mapped[str | None]
    created_at: Mapped[datetime]
    recipient: Mapped[Recipient] = relationship()
    issue: Mapped[Issue] = relationship()


class Alert(Base):
    """Something an operator must know: raised once, cleared once."""

    __tablename__ = "alert"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(index=True)  # monitor and subject, e.g. "unreachable:gmw-anhui"
    kind: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str] = mapped_column(default="")
    raised_at: Mapped[datetime] = mapped_column(index=True)
    cleared_at: Mapped[datetime | None]
    raise_notified_at: Mapped[datetime | None]
    clear_notified_at: Mapped[datetime | None]
    told: Mapped[dict[str, Any]] = mapped_column(default=dict)  # channel or address -> raised cleared


class Lease(Base):
    """Who may act: the one daemon, the one crawl per host. Taken, kept and lost by conditional UPDATE only."""

    __tablename__ = "lease"
    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    expires_at: Mapped[datetime]


class Audit(Base):
    """Who did what, when: every act of a person or command that changed what goes out."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    who: Mapped[str]
    what: Mapped[str]
    target: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
