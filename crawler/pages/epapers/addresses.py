"""Addresses of e-papers: which are pages, which are articles, what day they are of, and those of other days."""

from __future__ import annotations

import re
from datetime import date, timedelta

#: A longer range is a mistake in the configuration (ten years of a daily).
MAX_DAYS = 3_700

_LAYOUT = re.compile(
    r"(?:^|/)(?:node_[\w-]{1,12}\.s?html?|layout/[^?#]{0,60}node_?[\w-]{1,12}\.s?html?|\d{8}_[A-Za-z0-9]{1,5}/\d{8}_[A-Za-z0-9]{1,5}\.s?html?|nbs\.D\d{1,9}\w{1,20}\.htm)(?:\?[^#]*)?$",
    re.IGNORECASE,
)
_ARTICLE = re.compile(
    r"(?:^|/)(?:content_[\w-]{1,20}(?:_\d{1,3})?\.s?html?|con/(?:[\w-]{1,20}/){0,4}(?:c|content_?|con_?)?[\w-]{1,40}\.s?html?"
    r"|content/(?:[\w-]{1,20}/){0,4}(?:c|content_?)?[\w-]{1,40}\.s?html?|(?:art|article|c|cont|con)[_-]?[\w-]{0,6}\d{3,}[\w-]{0,40}\.s?html?"
    r"|\d{8}_[A-Za-z0-9]{1,5}_\d{1,3}\.s?html?|nw\.D\d{1,9}\w{1,20}_\d{8}_\w{1,4}-\w{1,5}\.htm)(?:\?[^#]*)?$",
    re.IGNORECASE,
)
_ISSUE = re.compile(
    r"/(?:html/\d{4}-\d{2}/\d{2}/|(?:layout|col|column|pc)/\d{6}/\d{2}/|\d{4}-\d{2}/\d{2}/|\d{6}/\d{2}/|\d{8}/)",
    re.IGNORECASE,
)

_YEAR, _MONTH, _DAY = r"(20\d{2}|19\d{2})", r"(0[1-9]|1[0-2])", r"(0[1-9]|[12]\d|3[01])"
#: Ways a day stands in these addresses, most particular first, each with its strftime form.
_DAYS = (
    (re.compile(rf"(?<!\d){_YEAR}-{_MONTH}/{_DAY}(?!\d)"), "%Y-%m/%d"),
    (re.compile(rf"(?<!\d){_YEAR}-{_MONTH}-{_DAY}(?!\d)"), "%Y-%m-%d"),
    (re.compile(rf"(?<!\d){_YEAR}{_MONTH}/{_DAY}(?!\d)"), "%Y%m/%d"),
    (re.compile(rf"(?<!\d){_YEAR}/{_MONTH}/{_DAY}(?!\d)"), "%Y/%m/%d"),
    (re.compile(rf"(?<!\d){_YEAR}/{_MONTH}{_DAY}(?!\d)"), "%Y/%m%d"),
    (re.compile(rf"(?<!\d){_YEAR}{_MONTH}{_DAY}(?!\d)"), "%Y%m%d"),
)


def is_layout(url: str) -> bool:
    """Say whether an address is that of a newspaper page."""
    return bool(_LAYOUT.search(url))


def is_article(url: str) -> bool:
    """Say whether an address is that of an article of an e-paper."""
    return not is_layout(url) and bool(_ARTICLE.search(url))


def is_issue(url: str) -> bool:
    """Say whether an address lies inside one day's issue."""
    return bool(_ISSUE.search(url))


def day_of(url: str) -> date | None:
    """Return the day that stands in an address, or None."""
    for pattern, _ in _DAYS:
        for match in pattern.finditer(url):
            found = _day(match)
            if found:
                return found
    return None


def _day(match: re.Match[str]) -> date | None:
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def issue_urls(layout_url: str, first: date, last: date) -> list[tuple[date, str]]:
    """Return (day, address) of the same newspaper page for every day from `first` to `last`, oldest first.

    An address without a day gives an empty list, as does a range that ends before it begins. At most MAX_DAYS days,
    the latest ones. Whether a paper appeared on a day is not known from its address.
    """
    template = _template(layout_url)
    if template is None or last < first:
        return []
    first = max(first, last - timedelta(days=MAX_DAYS - 1))
    days = ((first + timedelta(days=n)) for n in range((last - first).days + 1))
    return [(day, _fill(template, day)) for day in days]


def _template(url: str) -> list[str] | None:
    """Return the address in pieces, every second one a strftime form; None when no day stands in it."""
    day = day_of(url)
    if day is None:
        return None
    forms = [form for _, form in _DAYS]
    pattern = "|".join(re.escape(day.strftime(form)) for form in forms)
    pieces: list[str] = []
    position = 0
    for match in re.finditer(rf"(?<!\d)(?:{pattern})(?!\d)", url):
        form = next(form for form in forms if day.strftime(form) == match[0])
        pieces += [url[position : match.start()], form]
        position = match.end()
    pieces.append(url[position:])
    return _with_year_folder(pieces, day)


def _with_year_folder(pieces: list[str], day: date) -> list[str]:
    """Return the pieces with a folder named after the year, if one stands before the day, varied as well."""
    folder = f"/{day.year}/"
    if len(pieces) < 3 or not pieces[0].endswith(folder):
        return pieces
    return [pieces[0].removesuffix(folder) + "/", "%Y", "/" + "", pieces[1], *pieces[2:]]


def _fill(template: list[str], day: date) -> str:
    forms = {form for _, form in _DAYS} | {"%Y"}
    return "".join(day.strftime(piece) if piece in forms else piece for piece in template)
