"""Word documents (DOCX): their paragraphs in order, with what each looks like; nothing outside the file is read."""

from __future__ import annotations

import re

from lxml import etree

from crawler.exceptions import NotAnArticle, PageNotUnderstood
from crawler.pages.archives import open_zip, read_entry
from crawler.pages.manuscripts import Paragraph
from store.text import clean_text

MAX_XML = 24_000_000
MAX_PARAGRAPHS = 20_000
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_TITLE_STYLE = re.compile(r"^(?:title|标题|文章标题|公文标题)$", re.IGNORECASE)
_HEADING_STYLE = re.compile(r"^(?:heading|标题)\s*([1-6])$", re.IGNORECASE)


def is_word(names: list[str]) -> bool:
    """Say whether an archive with these files is a Word document."""
    return "[Content_Types].xml" in names and any(name.startswith("word/document") for name in names)


def read_word(body: bytes) -> list[Paragraph]:
    """Return the document's paragraphs, tables as one paragraph a row with cells divided by " | ".

    Footnotes, headers, comments, deleted text and everything the document only refers to are left out. Raises
    PageNotUnderstood("bad_archive" or "too_large") and NotAnArticle("empty").
    """
    with open_zip(body) as archive:
        names = archive.namelist()
        document = next((n for n in ("word/document.xml", "word/document2.xml") if n in names), None)
        if document is None:
            raise PageNotUnderstood("bad_archive", "no document inside")
        root = _parse(read_entry(archive, document, MAX_XML))
        styles = (
            _styles(_parse(read_entry(archive, "word/styles.xml", MAX_XML)))
            if "word/styles.xml" in names
            else {}
        )
    found = list(_paragraphs(root, styles))
    if not found:
        raise NotAnArticle("empty")
    return found


def _parse(xml: bytes) -> etree._Element:
    """Return the tree of a part in the transitional name space. Document types are refused: no writer makes them."""
    if re.search(rb"<!DOCTYPE|<!ENTITY", xml[:4096]):
        raise PageNotUnderstood("bad_archive", "a document type")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(xml.replace(_STRICT[1:-1].encode(), _W[1:-1].encode()), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise PageNotUnderstood("bad_archive", str(error)[:200]) from error


def _styles(root: etree._Element) -> dict[str, str]:
    """Return style names by id."""
    found: dict[str, str] = {}
    for style in root.iter(f"{_W}style"):
        name = style.find(f"{_W}name")
        if name is not None:
            found[style.get(f"{_W}styleId") or ""] = name.get(f"{_W}val") or ""
    return found


def _paragraphs(root: etree._Element, styles: dict[str, str]) -> list[Paragraph]:
    body = root.find(f"{_W}body")
    found: list[Paragraph] = []
    for element in _blocks(body if body is not None else root):
        if len(found) >= MAX_PARAGRAPHS:
            break
        if element.tag == f"{_W}tbl":
            found += [Paragraph(row, "table") for row in _rows(element)]
        else:
            found += _read(element, styles)
    return _with_titles(found)


def _with_titles(found: list[Paragraph]) -> list[Paragraph]:
    """Return the paragraphs with headings of the first level made titles where no style says title."""
    first = "heading" if any(paragraph.look == "title" for paragraph in found) else "title"
    return [Paragraph(p.text, first) if p.look == "heading 1" else p for p in found]


def _blocks(body: etree._Element) -> list[etree._Element]:
    """Return paragraphs and tables in order, those of content controls and inserted text included."""
    stack, found = list(reversed(body)), []
    while stack:
        element = stack.pop()
        if element.tag in {f"{_W}p", f"{_W}tbl"}:
            found.append(element)
        elif element.tag in {f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml", f"{_W}smartTag"}:
            stack.extend(reversed(element))
    return found


def _rows(table: etree._Element) -> list[str]:
    rows: list[str] = []
    for row in table.iter(f"{_W}tr"):
        cells = [
            " ".join(filter(None, (_text(p) for p in cell.iter(f"{_W}p"))))
            for cell in row.iterchildren(f"{_W}tc")
        ]
        text = " | ".join(cell for cell in cells if cell)
        if text:
            rows.append(text)
    return rows


def _read(element: etree._Element, styles: dict[str, str]) -> list[Paragraph]:
    style = _look(element, styles)
    lines = [" ".join(line.split()) for line in _text(element).split("\n")]
    return [Paragraph(line, style) for line in lines if line]


def _text(paragraph: etree._Element) -> str:
    """Return a paragraph's text; drawings, fallbacks and deleted runs are left out, breaks become line feeds."""
    pieces: list[str] = []
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        if element.tag == f"{_W}t":
            pieces.append(element.text or "")
        elif element.tag in {f"{_W}br", f"{_W}cr"}:
            pieces.append("\n")
        elif element.tag == f"{_W}tab":
            pieces.append(" ")
        elif element.tag == f"{_W}noBreakHyphen":
            pieces.append("-")
        elif element.tag not in {
            f"{_W}del",
            f"{_W}drawing",
            f"{_W}pict",
            f"{_W}object",
            f"{_MC}AlternateContent",
            f"{_W}instrText",
        }:
            stack.extend(reversed(element))
    return clean_text("".join(pieces))


def _look(element: etree._Element, styles: dict[str, str]) -> str:
    """Return "title", "heading 1", "heading", "bold" (all of it), "centred" or ""."""
    properties = element.find(f"{_W}pPr")
    if properties is not None:
        style = properties.find(f"{_W}pStyle")
        name = (style.get(f"{_W}val") or "") if style is not None else ""
        for said in (styles.get(name, ""), name):
            if _TITLE_STYLE.match(said):
                return "title"
            heading = _HEADING_STYLE.match(said)
            if heading:
                return "heading 1" if heading[1] == "1" else "heading"
        align = properties.find(f"{_W}jc")
        if align is not None and align.get(f"{_W}val") == "center":
            return "centred"
    runs = [run for run in element.iter(f"{_W}r") if run.find(f"{_W}t") is not None]
    return "bold" if runs and all(_is_bold(run) for run in runs) else ""


def _is_bold(run: etree._Element) -> bool:
    bold = run.find(f"{_W}rPr/{_W}b")
    return bold is not None and bold.get(f"{_W}val") not in {"0", "false", "off"}
