"""Files as staff hand them in: PDF, HTML, MHTML, text, DOCX, EML, and ZIP of these; opened and read within limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from crawler.exceptions import NotAnArticle, PageError, PageNotUnderstood
from crawler.items import ArticleItem
from crawler.pages.archives import MAX_FILE_BYTES, MAX_TOTAL_BYTES, file_name, files_in, open_zip
from crawler.pages.mailed import MailPart, is_message, leaves, parse_message, subject_of
from crawler.pages.worddocs import is_word, read_word

#: Archives inside a file that was handed in: one level (a ZIP with mails with attachments is two).
MAX_LEVEL = 2
MAX_PARTS = 500
#: A mail's own text shorter than this beside attachments only says what is attached.
_COVERING_LETTER = 200
_HTML = re.compile(rb"<(?:!doctype html|html|head|body|meta|div|p|table|article|title)[\s>]", re.IGNORECASE)
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"RIFF")
_OTHER_ARCHIVES = (b"Rar!", b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\xd0\xcf\x11\xe0")
_CONTROLS = re.compile(b"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a hand-in: `kind` is pdf, html, text, docx, image or unreadable (`reason` says why).

    `name` is the file's name with those it was packed in before it; `title` a hint (a mail's subject).
    """

    name: str
    kind: str
    body: bytes
    url: str = ""
    declared: str | None = None
    title: str | None = None
    reason: str | None = None


def open_handin(name: str, body: bytes) -> list[Part]:
    """Return the readable parts of a file, archives and mails unpacked, in their order.

    Raises PageNotUnderstood("bad_archive", "too_large", "too_deep", "encrypted", "binary") for the file as a whole and
    NotAnArticle("empty"); a part that is broken inside a sound archive comes back as `unreadable`.
    """
    if not body.strip(b"\x00\r\n\t \xef\xbb\xbf"):
        raise NotAnArticle("empty", name[:200])
    if len(body) > MAX_TOTAL_BYTES:
        raise PageNotUnderstood("too_large", f"{len(body)} bytes")
    parts = list(_open(_safe_name(name), body, 0, _Budget()))
    if not parts:
        raise NotAnArticle("empty", name[:200])
    if len(parts) == 1 and parts[0].kind == "unreadable" and parts[0].body is body:
        raise PageNotUnderstood(parts[0].reason or "binary", name[:200])
    return parts


class _Budget:
    """Bytes and parts that one hand-in may still unpack to."""

    def __init__(self) -> None:
        self.bytes = MAX_TOTAL_BYTES
        self.parts = MAX_PARTS

    def take(self, size: int) -> None:
        self.bytes -= size
        self.parts -= 1
        if self.bytes < 0 or self.parts < 0:
            raise PageNotUnderstood("too_large", "more files or bytes than the limit")


def kind_of(name: str, body: bytes) -> str:
    """Return what bytes are: pdf, zip, docx, message, html, text, image or unreadable; the name decides nothing alone."""
    head = body[:2048]
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(_IMAGES[:3]) or (head.startswith(_IMAGES[3:]) and not head[:200].isascii()):
        return "image"
    if head.startswith(_OTHER_ARCHIVES):
        return "unreadable"
    if is_message(body):
        return "message"
    if _HTML.search(body[:16_384]) or (re.search(r"\.x?html?$", name, re.IGNORECASE) and b"<" in body):
        return "html"
    return "unreadable" if _is_binary(head) else "text"


def _is_binary(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    return len(_CONTROLS.findall(head)) * 20 > len(head)


def _open(name: str, body: bytes, level: int, budget: _Budget) -> Iterator[Part]:
    budget.take(len(body) if level else 0)
    kind = kind_of(name, body)
    if kind == "zip":
        yield from _open_zip(name, body, level, budget)
    elif kind == "message":
        yield from _open_message(name, body, level, budget)
    elif kind == "unreadable":
        yield Part(name, kind, body, reason="binary")
    else:
        yield Part(name, kind, body, url=name if kind != "pdf" else "")


def _open_zip(name: str, body: bytes, level: int, budget: _Budget) -> Iterator[Part]:
    with open_zip(body) as archive:
        names = [file_name(entry) for entry in archive.infolist()]
    if is_word(names):
        yield Part(name, "docx", body, url=name)
        return
    if "[Content_Types].xml" in names:
        yield Part(name, "unreadable", body, reason="binary")
        return
    if level >= MAX_LEVEL:
        raise PageNotUnderstood("too_deep", "archives in archives")
    for inner, content in files_in(body):
        yield from _inner(f"{name}/{_safe_name(inner)}", content, level + 1, budget)


def _inner(name: str, body: bytes, level: int, budget: _Budget) -> Iterator[Part]:
    """Yield the parts of a file inside another; what is broken there is reported, what is hostile refuses the whole."""
    if not body.strip():
        return
    try:
        yield from _open(name, body, level, budget)
    except PageNotUnderstood as error:
        if error.reason in {"too_large", "too_deep"}:
            raise
        yield Part(name, "unreadable", body, reason=error.reason)


def _open_message(name: str, body: bytes, level: int, budget: _Budget) -> Iterator[Part]:
    if level > MAX_LEVEL:
        raise PageNotUnderstood("too_deep", "mails in archives in archives")
    message = parse_message(body)
    found = list(leaves(message))
    if message.get_content_type() == "multipart/related" and (saved := _saved_page(found)):
        yield Part(name, "html", saved.body, url=saved.location or name, declared=saved.charset)
        return
    attached = [part for part in found if part.name and part.body]
    own = _own_text(found)
    if own is not None and (
        not attached or len(own.body) > _COVERING_LETTER or not any(_readable(p) for p in attached)
    ):
        kind = "html" if own.mime == "text/html" else "text"
        yield Part(name, kind, own.body, url=name, declared=own.charset, title=subject_of(message))
    for part in attached:
        yield from _inner(f"{name}/{_safe_name(part.name)}", part.body, level + 1, budget)


def _saved_page(found: list[MailPart]) -> MailPart | None:
    return next(
        (part for part in found if part.mime in {"text/html", "application/xhtml+xml"} and part.body), None
    )


def _own_text(found: list[MailPart]) -> MailPart | None:
    """Return the message's own text: the plain one when it says as much as the HTML one."""
    own = [part for part in found if not part.name and part.body.strip() and part.mime.startswith("text/")]
    plain = next((part for part in own if part.mime == "text/plain"), None)
    marked = next((part for part in own if part.mime == "text/html"), None)
    return plain or marked or next(iter(own), None)


def _readable(part: MailPart) -> bool:
    return kind_of(part.name, part.body) not in {"image", "unreadable"}


def _safe_name(name: str) -> str:
    """Return the last part of a name without control characters; it is shown and logged, never opened."""
    last = re.split(r"[\\/]", name.strip())[-1] or "file"
    return re.sub(r"[\x00-\x1f\x7f]", "", last)[:200]


def read_parts(name: str, body: bytes) -> tuple[list[ArticleItem], list[tuple[Part, PageNotUnderstood]]]:
    """Return the articles of a file and those of its parts that could not be read, each with the reason.

    One broken part does not keep the others back. Raises what `open_handin` raises, and the first reason when no part gave
    an article.
    """
    items: list[ArticleItem] = []
    unread: list[tuple[Part, PageNotUnderstood]] = []
    none: PageError | None = None
    for part in open_handin(name, body):
        try:
            items += read_part(part)
        except PageNotUnderstood as error:
            unread.append((part, error))
        except NotAnArticle as error:
            none = none or error
    if not items and (unread or none):
        raise unread[0][1] if unread else none or NotAnArticle("empty", name[:200])
    return items, unread


def read_part(part: Part) -> list[ArticleItem]:
    """Return the articles of one part. Raises PageNotUnderstood or NotAnArticle, nothing else."""
    if part.kind == "unreadable":
        raise PageNotUnderstood(part.reason or "binary", part.name)
    if part.kind == "image":
        raise NotAnArticle("picture_only", part.name)
    if len(part.body) > MAX_FILE_BYTES:
        raise PageNotUnderstood("too_large", f"{len(part.body)} bytes")
    return _READERS[part.kind](part)


def _read_pdf(part: Part) -> list[ArticleItem]:
    from crawler.pages.newspaper import read_limited

    return read_limited(part.body, part.url or part.name)


def _read_html(part: Part) -> list[ArticleItem]:
    from crawler.pages.epaper import EpaperPage
    from crawler.pages.portal import PortalArticlePage

    if b"enpproperty" in part.body or b"founder-content" in part.body:
        return EpaperPage(part.body, part.url, declared=part.declared).to_items()
    return PortalArticlePage(part.body, part.url, declared=part.declared).to_items()


def _read_text(part: Part) -> list[ArticleItem]:
    from crawler.extract.decoding import decode
    from crawler.pages.manuscripts import read_text

    return read_text(decode(part.body, part.declared).text, part.url, part.title)


def _read_docx(part: Part) -> list[ArticleItem]:
    from crawler.pages.manuscripts import Manuscript, Paragraph
    from crawler.pages.torn import TornText, looks_like_newspaper

    paragraphs: list[Paragraph] = read_word(part.body)
    if not any(p.look == "title" for p in paragraphs):
        text = "\n\n".join(p.text for p in paragraphs)
        if looks_like_newspaper(text):
            return TornText(text, part.url).to_items()
    return Manuscript(paragraphs, part.url, part.title).to_items()


_READERS = {"pdf": _read_pdf, "html": _read_html, "text": _read_text, "docx": _read_docx}
