"""Newspaper page PDFs: named directly, or linked from a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urljoin, urlsplit

from scrapy.http import Response, TextResponse

from crawler.items import Link
from crawler.spiders.walk import PDF_PATH, Output, Walk


class PdfWalk(Walk):
    """Every linked `.pdf` that was never read is one newspaper page."""

    def start(self) -> Iterable[Output]:
        direct = [Link(url) for url in self.source.urls if urlsplit(url).path.lower().endswith(PDF_PATH)]
        if direct:
            self.tally.listless = True
            yield from self.article_requests(direct, "pdf")
        for url in self.source.urls:
            if Link(url) not in direct:
                yield self.list_request(url, self.read_index)

    def read_index(self, response: Response) -> Iterator[Output]:
        """Yield requests for the PDFs a page links to."""
        if not isinstance(response, TextResponse):
            return
        hrefs = [
            urljoin(response.url, href.strip())
            for href in response.css("a::attr(href), area::attr(href)").getall()
        ]
        found = dict.fromkeys(href for href in hrefs if urlsplit(href).path.lower().endswith(PDF_PATH))
        yield from self.article_requests([Link(href) for href in found], "pdf")
