"""Editions as web pages in a folder that some web server shows: one page a parcel, whole or not at all."""

from __future__ import annotations

from digest.channels.base import BeforeTheDot, Parcel
from digest.channels.folder import FolderChannel, file_stem, write_file

#: Readable for the web server, whoever it runs as.
_MODE = 0o644


class WebpageChannel(FolderChannel):
    """The channel `webpage`. A page's name cannot be guessed from the recipient's address."""

    name = "webpage"

    def send(self, parcel: Parcel, before_the_dot: BeforeTheDot) -> str:
        target = self.directory / f"{file_stem(parcel)}.html"
        try:
            write_file(target, parcel.html.encode("utf-8", "replace"), before_the_dot, mode=_MODE)
        except OSError as error:
            raise self._fault(error) from None
        return f"written {target.name}"
