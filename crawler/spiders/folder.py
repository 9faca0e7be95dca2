"""The drop folder: files that staff hand in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from crawler.items import UnreadPage
from crawler.pages.reading import unread_parts
from crawler.spiders.walk import Output, Walk
from store.database import read_scope
from store.fetched import FetchedPage
from store.pages import has_content

#: Files that editors and systems leave lying about.
_NOISE = (".", "~$")


class FolderWalk(Walk):
    """Every file is read once, whatever its name; files stay where they are."""

    def start(self) -> Iterable[Output]:
        self.tally.listless = True
        folder = self.spider.context.config.resolve(self.source.path)
        if fault := _fault(folder):
            self.tally.fail("no_folder", f"{folder} {fault}", is_list=True)
            self.tally.listless = False
            return
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.startswith(_NOISE):
                yield from self._read_file(folder, path)

    def _read_file(self, folder: Path, path: Path) -> Iterator[Output]:
        name = path.relative_to(folder).as_posix()
        self.tally.links += 1
        if path.stat().st_size > self.spider.context.config.crawl.max_pdf_mb * 2**20:
            self.tally.fail("too_large", f"{path}: {path.stat().st_size} bytes", is_list=False)
            return
        try:
            body = path.read_bytes()
        except OSError as error:
            self.tally.fail("unreadable_file", f"{path}: {error.strerror}", is_list=False)
            return
        page = FetchedPage(f"file:{self.source.name}/{name}", "handin", body, self.spider.context.now())
        with read_scope(self.spider.context.engine) as session:
            known = page.checksum in self._asked or has_content(session, page.checksum)
        self._asked.add(page.checksum)
        if known:
            self.tally.known += 1
            return
        self.tally.pages += 1
        outputs = list(self.read(page))
        if any(not isinstance(output, UnreadPage) for output in outputs):
            outputs += [
                UnreadPage(
                    part.url, error.reason, error.detail, keep=True, source=self.source.name, page=part
                )
                for part, error in unread_parts(page)
            ]
        self.spider.logger.info("%s: %s", name, _became(outputs))
        yield from outputs


def _fault(folder: Path) -> str:
    """Return why nothing can be taken from the folder: one that may not be read would look empty."""
    try:
        next(folder.iterdir(), None)
    except NotADirectoryError:
        return "is no folder; make it or correct `path`"
    except FileNotFoundError:
        return "is not there; make it or correct `path`"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""


def _became(outputs: list[Output]) -> str:
    """What became of a file, for the operator."""
    unread = [output for output in outputs if isinstance(output, UnreadPage)]
    if len(unread) == len(outputs):
        return unread[0].reason if unread else "0 article(s)"
    broken = "".join(f"; {output.url.rsplit('/', 1)[-1]}: {output.reason}" for output in unread)
    return f"{len(outputs) - len(unread)} article(s){broken}"
