"""An article page of an e-paper: title with kicker and subtitle, author, page, day, paper, body, images."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

from lxml.html import HtmlElement

from crawler.extract.torn_lines import names_of
from crawler.items import ArticleItem, Image
from crawler.pages.epapers.addresses import day_of
from crawler.pages.epapers.layouts import current_page, layouts, links, page_of
from crawler.pages.epapers.markup import Markup, paragraphs, text_of
from crawler.pages.epapers.properties import properties
from store.text import clean_line

_CONTENT_OPEN = re.compile(r"<!--\s{0,5}enpcontent\s{0,5}-->", re.IGNORECASE)
_CONTENT_CLOSE = re.compile(r"<!--\s{0,5}/enpcontent\s{0,5}-->", re.IGNORECASE)
#: Containers of the body, by tag, id or class, the innermost ones first.
_CONTAINERS = ("founder-content", "cms-content")
_CONTAINER_IDS = (
    "ozoom",
    "articlecontent",
    "contenttext",
    "zoom",
    "newscontent",
    "article-content",
    "artcontent",
)
_CONTAINER_CLASSES = (
    "cms-content", "newsdetatext", "article-content", "articlecontent", "detail-content", "content-text", "art-content", "news-content", "attachment-content", "font6", "text_c"
)  # fmt: skip
_PAPER_TAIL = re.compile(
    "(?:多媒体)?(?:数字|电子)(?:报刊|报纸|报|版)?(?:平台|阅读)?|(?:首页|ePaper|-人民网|报社$)", re.IGNORECASE
)
_DAY = re.compile(r"((?:19|20)\d{2})\s?[年/.-]\s?(\d{1,2})\s?[月/.-]\s?(\d{1,2})")
_SOURCE = re.compile("(?:来源|报纸名称|报名)[:：]\\s*([^\\s:：,，。<>（(]{2,20})")
_AUTHOR = re.compile(
    "(?:作者|记者|文/)[:：]\\s*([\u4e00-\u9fff·]{2,4}(?:[ 、,，]+[\u4e00-\u9fff·]{2,4}){0,4})(?![\u4e00-\u9fff])"
)
_SEC = re.compile("^(.{0,60}?)\\s*《?([^《》\\s]{2,12})》?\\s*[(（]\\s*\\d{4}年\\d{1,2}月\\d{1,2}日")
_LEDE = re.compile(
    "^[^。]{0,40}?[(（]\\s*((?:[^()（）\\s]{0,14})?(?:记者|通讯员)[^()（）]{1,50})[)）]|^[■□▶●◆◎○]\\s*([^。]{2,40})$|^((?:本报|见习|特约|全媒体)?(?:记者|通讯员)\\s*[^。]{2,30})$"
)
_MAX_IMAGES = 200
_PAPER = re.compile("(?:[报刊]|数字报.{0,4}|电子报.{0,4}|电子版|平台|[\u4e00-\u9fff]网)$")
_NAVIGATION = re.compile("导航|列表|目录|按日期|往期|上一|下一|相关(?:阅读|新闻)|放大|首页")
_FACTS = re.compile("版次|来源|作者|记者|\\d{4}年|^第?\\d+版|字体|打印")
_SIGN = re.compile("^[□■▶●◆]\\s*\\S|^(?:本报|特约|见习)?(?:记者|通讯员)\\s+[\u4e00-\u9fff]")
_CAPTION_PARTS = frozenset({"picture-caption", "img-caption", "imgtitle", "pic-info"})


@dataclass(slots=True)
class Heads:
    """Title with what stands above and below it, and the line of the author."""

    title: str = ""
    kicker: str | None = None
    subtitle: str | None = None
    author: str | None = None


@dataclass(slots=True)
class Body:
    """The body's paragraphs and its images."""

    paragraphs: list[str] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)


def read_article(document: Markup) -> ArticleItem:
    """Return the article as the page gives it; title or text are "" where it has none."""
    fields = properties(document.text)
    container = find_container(document)
    body = _body(document, container)
    heads = _heads(document, fields, container)
    number, name = _page(document, fields)
    return ArticleItem(
        url=document.url,
        title=heads.title,
        text="\n".join(_without_heads(body.paragraphs, heads)),
        kicker=heads.kicker,
        subtitle=heads.subtitle,
        author=heads.author or _author_in(body.paragraphs),
        published_at=_day(document, fields),
        publisher=_paper(document, fields),
        page_number=number,
        page_name=name,
        images=body.images,
    )


def find_container(document: Markup) -> HtmlElement | None:
    """Return the element that holds the body, or None; the largest when ids are repeated."""
    candidates = list(document.tagged(*_CONTAINERS))
    if not candidates:
        ids = frozenset(_CONTAINER_IDS)
        candidates = [e for e in document.elements if (e.get("id") or "").lower() in ids]
    if not candidates:
        candidates = list(document.with_class(*_CONTAINER_CLASSES))
    return max(candidates, key=lambda element: len(text_of(element)), default=None)


def _body(document: Markup, container: HtmlElement | None) -> Body:
    between = _between_comments(document)
    if between is not None and (container is None or not paragraphs(container)):
        container = between.root
        document = between
    if container is None:
        return Body()
    found = Body(paragraphs(container, skip=_CAPTION_PARTS))
    found.images = _images(document, container)
    captions = {image.caption for image in found.images if image.caption}
    found.paragraphs = [text for text in found.paragraphs if text not in captions]
    return found


def _between_comments(document: Markup) -> Markup | None:
    opened = _CONTENT_OPEN.search(document.text)
    closed = _CONTENT_CLOSE.search(document.text, opened.end()) if opened else None
    if opened is None or closed is None:
        return None
    return Markup(f"<div>{document.text[opened.end() : closed.start()]}</div>", document.url)


def _images(document: Markup, container: HtmlElement) -> list[Image]:
    """Return the images in the body and in the tables of pictures beside it (res/, pic/, att/), once each."""
    found: dict[str, Image] = {}
    inside = {id(element) for element in container.iter()}
    for element in islice([*container.iter("img"), *document.tagged("img")], _MAX_IMAGES):
        address = element.get("src") or element.get("data-src") or ""
        url = document.absolute(address)
        if url is None or not _is_picture(address, inside=id(element) in inside):
            continue
        caption = clean_line(element.get("alt") or element.get("title") or "") or _caption_below(element)
        found.setdefault(url, Image(url, caption=caption or None))
    return list(found.values())


def _is_picture(address: str, *, inside: bool) -> bool:
    if re.search(
        r"(?:tplimg|webimages|/static/|/images?/|icon|logo|_brief\.|blank|dot|\.gif|/js/|/css/)",
        address,
        re.IGNORECASE,
    ):
        return False
    return inside or bool(
        re.search(r"/(?:res|picture|photo)/[^?]{0,120}\.(?:jpe?g|png|webp)", address, re.IGNORECASE)
    )


def _caption_below(element: HtmlElement) -> str | None:
    """Return the text of the picture's own small table or figure, or None."""
    table = next(islice(element.iterancestors("table", "figure"), 1), None)
    inside = list(islice(table.iter(), 15)) if table is not None else []
    if table is None or len(inside) >= 15 or sum(child.tag == "img" for child in inside) != 1:
        return None
    text = text_of(table)
    return text if 4 <= len(text) <= 160 else None


def _heads(document: Markup, fields: dict[str, str], container: HtmlElement | None) -> Heads:
    """Return the headlines of the comment of properties, else those shown above the body."""
    shown = _shown_heads(document, container)
    if not fields.get("title"):
        return shown
    return Heads(
        fields["title"],
        kicker=fields.get("introtitle") or fields.get("yt"),
        subtitle=fields.get("subtitle"),
        author=_names(fields.get("author")) or shown.author,
    )


def _shown_heads(document: Markup, container: HtmlElement | None) -> Heads:
    listed = next((link.title for link in links(document) if link.url == document.url and link.title), None)
    heads = _headings_around(document, container, listed) or _headings_by_class(document) or Heads()
    heads.title = heads.title or listed or _declared_title(document)
    declared = document.meta("author")
    heads.author = heads.author or (_names(declared) if _is_name(declared) else None)
    heads.author = heads.author or _author_line(document, container)
    return heads


def _declared_title(document: Markup) -> str:
    parts = [part.strip() for part in re.split("[_|-]", document.title)]
    named = next((part for part in parts if part and not _PAPER.search(part)), "")
    return clean_line(document.meta("og:title") or document.meta("articletitle")) or named


def _headings_around(document: Markup, container: HtmlElement | None, listed: str | None) -> Heads | None:
    """Return the headlines of a page that has its title in a heading: h3/h2 above it, h2 or a paragraph below."""
    title = _title_heading(document, container, listed)
    if title is None:
        return None
    parent = title.getparent()
    near = list(parent) if parent is not None else [title]
    place = near.index(title)
    above = [text_of(e) for e in near[:place] if e.tag in {"h2", "h3", "h4", "p", "div"}]
    kicker = " ".join(text for text in above if 0 < len(text) <= 80 and not _FACTS.search(text))
    below = [e for e in near[place + 1 :] if e.tag in {"h2", "h3", "h4", "p"} and e is not container]
    subtitle = next((text for e in below if _is_subtitle(e, text := text_of(e))), None)
    if not kicker and not subtitle:
        kicker, subtitle = _cells_around(title)
    return Heads(text_of(title), kicker=kicker or None, subtitle=subtitle or None)


def _cells_around(title: HtmlElement) -> tuple[str, str]:
    """Return what the rows above and below a title in a table of its own say, where they are of the headlines' class."""
    table = next(title.iterancestors("table"), None)
    cells = list(islice(table.iter("td"), 12)) if table is not None else []
    place = next((at for at, cell in enumerate(cells) if title in list(cell)), None)
    if place is None:
        return "", ""
    above, below = cells[max(0, place - 1) : place], cells[place + 1 : place + 2]
    texts = [
        next((text_of(cell) for cell in near if "font02" in (cell.get("class") or "")), "")
        for near in (above, below)
    ]
    kicker, subtitle = (text if 0 < len(text) <= 80 and not _FACTS.search(text) else "" for text in texts)
    return kicker, subtitle


def _title_heading(document: Markup, container: HtmlElement | None, listed: str | None) -> HtmlElement | None:
    """Return the heading that is the title: the one the page's list or <title> names, else the largest near the body."""
    headings: list[HtmlElement] = []
    for element in document.elements:
        if element is container and headings:
            break
        if element.tag in {"h1", "h2", "h3", "h4"} and "none" not in (element.get("style") or ""):
            text = text_of(element)
            if 4 <= len(text) <= 120 and not _PAPER.search(text) and not _NAVIGATION.search(text):
                headings.append(element)
    near = headings[-6:]
    names = [re.sub(r"\s", "", name) for name in (listed, document.title) if name]
    known = [e for e in near if any(re.sub(r"\s", "", text_of(e)) in name for name in names)]
    return min(reversed(known or near), key=lambda e: str(e.tag), default=None)


def _is_subtitle(element: HtmlElement, text: str) -> bool:
    if not 0 < len(text) <= 80 or _FACTS.search(text):
        return False
    return element.tag != "p" or not (element.get("class") or "")


def _headings_by_class(document: Markup) -> Heads | None:
    """Return the headlines of the table templates: rows of font02 (kicker), font01 (title), font02 (subtitle, author)."""
    rows = [e for e in document.with_class("font01", "font02") if e.tag in {"td", "span", "p", "div"}]
    titles = [i for i, e in enumerate(rows) if "font01" in (e.get("class") or "") and text_of(e)]
    if not titles:
        return None
    place = titles[0]
    above = text_of(rows[place - 1]) if place else ""
    below = [text_of(e) for e in rows[place + 1 : place + 3]]
    subtitle, author = ([*below, "", ""])[:2]
    return Heads(text_of(rows[place]), above or None, subtitle or None, _names(author))


def _author_line(document: Markup, container: HtmlElement | None) -> str | None:
    for element in document.with_class("sec", "author", "Author", "writer", "zuozhe"):
        text = text_of(element)
        match = _SEC.match(text)
        names = _names(match[1] if match else text if not re.search("版次|来源|\\d", text) else None)
        if names:
            return names
    around = (
        {id(e) for e in [*container.iter(), *container.iterancestors()]} if container is not None else set()
    )
    for element in document.tagged("div", "span", "p", "td"):
        if id(element) in around or len(element) > 6:
            continue
        text = text_of(element)
        match = _AUTHOR.search(text) if len(text) <= 160 else None
        if match:
            return _names(match[1])
        byline = _SIGN.match(text) if len(text) <= 60 else None
        if byline:
            return names_of(text)
    return None


def _author_in(lines: list[str]) -> str | None:
    """Return the names of the byline in the body's first or last lines, or None."""
    for line in [*lines[:3], *lines[-1:]]:
        match = _LEDE.search(line)
        if match:
            return names_of(next(group for group in match.groups() if group))
    return None


def _names(text: str | None) -> str | None:
    text = clean_line(text or "")
    text = re.sub("^(?:作者|记者|文/?图?)[:：]\\s*", "", text)
    return (names_of(text) or text) if 2 <= len(text) <= 60 else None


def _is_name(text: str) -> bool:
    return bool(re.fullmatch("[\u4e00-\u9fff·\\s、,，]{2,40}", text.strip())) and not re.search(
        "报$|社$|网$|日报|晚报", text.strip()
    )


def _without_heads(lines: list[str], heads: Heads) -> list[str]:
    """Return the body without headlines repeated at its start."""
    said = {re.sub(r"\s", "", text) for text in (heads.title, heads.kicker, heads.subtitle) if text}
    start = 0
    while start < min(len(lines), 4) and re.sub(r"\s", "", lines[start]) in said:
        start += 1
    return lines[start:]


def _page(document: Markup, fields: dict[str, str]) -> tuple[str | None, str | None]:
    number = fields.get("pagenum")
    shown_number, shown_name = _shown_page(document)
    number = number or shown_number
    same = number is not None and shown_number is not None and number.lstrip("0") == shown_number.lstrip("0")
    return number, fields.get("pagename") or (shown_name if same else None) or _listed_name(document, number)


def _listed_name(document: Markup, number: str | None) -> str | None:
    """Return the name that the page's list of newspaper pages gives to page `number`."""
    pages = (page_of(link.title or "") for link in layouts(document)) if number else ()
    return next(
        (name for listed, name in pages if listed and listed.lstrip("0") == (number or "").lstrip("0")), None
    )


def _shown_page(document: Markup) -> tuple[str | None, str | None]:
    number, name = current_page(document)
    if number:
        return number, name
    said = re.search(
        "版次[:：]\\s*(?:第)?\\s*([A-Z]{0,2}\\d{1,3}[A-Z]?)(?:版?[:：]?\\s*([^\\s<>&;|]{1,14}))?",
        document.text,
    )
    if said:
        return said[1], None
    sec = re.search(
        "(?:19|20)\\d{2}年\\d{1,2}月\\d{1,2}日\\s*[^<>]{0,12}第\\s*([A-Z]?\\d{1,3})\\s*版", document.text
    )
    return (sec[1], None) if sec else page_of(document.meta("page"))


def _day(document: Markup, fields: dict[str, str]) -> str | None:
    """Return the issue's day: of the properties, the address, the page's metadata, else the first one shown."""
    for text in (fields.get("date"), document.meta("publishdate")):
        match = _DAY.match(text or "")
        if match:
            return f"{match[1]}-{int(match[2]):02d}-{int(match[3]):02d}"
    found = day_of(document.url)
    if found:
        return found.isoformat()
    match = _DAY.search(re.sub("<[^<>]{0,300}>", "", document.text[:60_000]))
    return f"{match[1]}-{int(match[2]):02d}-{int(match[3]):02d}" if match else None


def _paper(document: Markup, fields: dict[str, str]) -> str | None:
    """Return the paper's name."""
    for name in (fields.get("papername"), document.meta("source")):
        if name:
            return name
    said = _SOURCE.search(re.sub("<[^<>]{0,300}>|&nbsp;", " ", document.text[:200_000]))
    if said and re.search("[报刊]$|日报|晚报", said[1]):
        return said[1]
    section = re.search("《([^《》]{2,14}[报刊版])》\\s*[(（]\\s*\\d{4}年", document.text)
    if section:
        return section[1]
    return paper_in_title(document.title)


def paper_in_title(title: str) -> str | None:
    """Return the name of the paper a page's <title> ends or begins with, or None."""
    parts = [part.strip() for part in re.split("[_|—-]", title) if part.strip()]
    for part in [*reversed(parts)]:
        bare = _PAPER_TAIL.sub("", part).strip()
        if re.search("(?:[报刊]|时报|日报|晚报|导报|版)$", bare) and 2 <= len(bare) <= 20:
            return bare
    return None
