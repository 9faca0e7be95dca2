"""The header that tells a site on which page a link to it was found, as browsers send it: some sites refuse who does not say."""

from __future__ import annotations

from scrapy.utils.url import strip_url


def referer(page: str, url: str) -> dict[str, str]:
    """Return the header of a request for `url` that `page` links to: none where `page` is "" or would be shown unencrypted."""
    if not page or (page.startswith("https:") and not url.startswith("https:")):
        return {}
    return {"Referer": page}


def shown(page: str) -> str:
    """Return what of a page's address others may see: neither names and passwords nor a fragment."""
    return strip_url(page)
