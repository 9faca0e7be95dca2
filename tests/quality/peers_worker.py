"""Runs one other extractor inside .venv-peers: page names as JSON lines in, what it reads as JSON lines out."""

from __future__ import annotations

import json
import re
import resource
import sys
import time
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def decoded(body: bytes) -> str:
    """Return a page's text: the peers get it decoded, since most cannot do it for the GB family."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return body.decode("utf-8", "replace")


def trafilatura(text: str, url: str) -> Row:
    from trafilatura import bare_extraction

    found = bare_extraction(text, url=url or None, with_metadata=True, include_comments=False)
    found = found.as_dict() if hasattr(found, "as_dict") else (found or {})
    return {
        "title": found.get("title"),
        "published_at": found.get("date"),
        "author": found.get("author"),
        "publisher": found.get("sitename"),
        "text": found.get("text"),
    }


def readability_lxml(text: str, url: str) -> Row:
    from lxml.html import fromstring
    from readability import Document

    document = Document(text, url=url)
    summary: Any = fromstring(document.summary())
    return {"title": document.short_title(), "text": summary.text_content()}


def newspaper4k(text: str, url: str) -> Row:
    from newspaper import Article

    article = Article(url or "https://news.example/a.html", language="zh", fetch_images=False)
    article.download(input_html=text)
    article.parse()
    when = article.publish_date
    return {
        "title": article.title,
        "published_at": when.isoformat() if hasattr(when, "isoformat") else when,
        "author": " ".join(article.authors),
        "text": article.text,
    }


def gne(text: str, url: str) -> Row:
    from gne import GeneralNewsExtractor

    host = re.match(r"https?://[^/]*", url)
    found = GeneralNewsExtractor().extract(text, host=host[0] if host else "http://n.example")
    return {
        "title": found["title"],
        "published_at": found["publish_time"],
        "author": found["author"],
        "text": found["content"],
    }


READERS = {
    "trafilatura": trafilatura,
    "readability-lxml": readability_lxml,
    "newspaper4k": newspaper4k,
    "gne": gne,
}


def main() -> None:
    """Read every page once, after one for the imports, which are no page's time."""
    reader = READERS[sys.argv[1]]
    pages = [json.loads(line) for line in sys.stdin if line.strip()]
    read(reader, pages[0])
    for page in pages:
        print(json.dumps({"file": page["file"], **read(reader, page)}, ensure_ascii=False, default=str))
    print(json.dumps({"mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def read(reader: Any, page: Row) -> Row:
    """Return a page as the extractor sees it, with its seconds of CPU; what it raises is an empty page."""
    text = decoded(Path(page["path"]).read_bytes())
    started = time.process_time()
    try:
        found = reader(text, page["url"])
    except Exception as error:  # noqa: BLE001 - a stranger's library may raise anything
        found = {"error": repr(error)}
    return {**found, "cpu": time.process_time() - started}


if __name__ == "__main__":
    main()
