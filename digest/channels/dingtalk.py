"""The custom robot of 钉钉: Markdown, signed in the URL (加签); 20 messages a minute, or it is silenced for ten."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from digest.channels.base import Parcel
from digest.channels.http_post import Endpoint
from digest.channels.robot import Robot, cut, full_text_line, headline, json_octets, plain


class DingTalkChannel(Robot):
    """The channel `dingtalk`."""

    name = "dingtalk"
    #: A body of 20,000 octets is allowed; 1,000 are left for the title and what is around.
    limit = 19_000
    busy_codes = frozenset({-1, 130101, 410100, 660026})

    def body(self, parcel: Parcel) -> dict[str, Any]:
        title = headline(parcel)
        text = f"### {title}\n\n{plain(parcel.text)}"
        text = cut(text, self.limit, full_text_line(parcel), measure=json_octets, line_feed=4)
        # single line feeds are swallowed in this dialect of Markdown; a blank line is not
        return {"msgtype": "markdown", "markdown": {"title": title[:60], "text": text.replace("\n", "  \n")}}

    def signed_endpoint(self) -> Endpoint:
        if not self._secret:
            return self._endpoint
        moment = str(int(self._clock() * 1000))
        signed = hmac.new(
            self._secret.encode(), f"{moment}\n{self._secret}".encode(), hashlib.sha256
        ).digest()
        sign = quote(base64.b64encode(signed).decode("ascii"), safe="")
        glue = "&" if "?" in self._endpoint.url else "?"
        return replace(self._endpoint, url=f"{self._endpoint.url}{glue}timestamp={moment}&sign={sign}")
