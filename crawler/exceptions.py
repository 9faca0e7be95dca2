"""Why a page gave no article. The reason words are the `status` of `parknews inspect` and the keys of crawl statistics."""

from __future__ import annotations

#: Pages that could not be read: kept in quarantine with their bytes.
QUARANTINE_REASONS = frozenset(
    {
        "bad_pdf",  # broken, truncated or otherwise unreadable PDF
        "bad_unicode",  # a PDF whose characters have no usable Unicode
        "bad_xml",  # feed or sitemap that is no XML, or hostile XML
        "bad_archive",  # broken or hostile ZIP, DOCX, MHTML or EML
        "binary",  # bytes that are no text of any kind we read
        "encrypted",  # needs a password
        "no_text",  # nothing that could be an article's text
        "no_title",  # text, but no headline anywhere
        "scanned",  # pictures of text (needs the ocr extra)
        "too_deep",  # nested beyond the limit
        "too_large",  # beyond the size limit
        "time_limit",  # reading took longer than allowed
        "memory_limit",  # reading took more memory than allowed
        "reader_crashed",  # the child process that read it died
    }
)

#: Pages that were read and are no article: counted, not kept.
NOT_ARTICLE_REASONS = frozenset(
    {
        "empty",
        "list_page",
        "advert",
        "notice",
        "picture_only",
        "script_shell",
        "error_page",
        "redirect_page",
        "not_newspaper",
    }
)


class PageError(Exception):
    """A page gave no article; `reason` is a word from the sets above, `detail` says more for the operator."""

    reasons: frozenset[str] = frozenset()

    def __init__(self, reason: str, detail: str = "") -> None:
        if reason not in self.reasons:
            msg = f"unknown reason word {reason!r}"
            raise ValueError(msg)
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


class PageNotUnderstood(PageError):
    """The page may hold an article and could not be read: quarantine it."""

    reasons = QUARANTINE_REASONS


class NotAnArticle(PageError):
    """The page was understood and is no article: count it and go on."""

    reasons = NOT_ARTICLE_REASONS
