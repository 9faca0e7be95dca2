"""The group robot of 企业微信: Markdown of at most 4096 octets, 20 messages a minute; the key in the URL is its password."""

from __future__ import annotations

from typing import Any

from digest.channels.base import Parcel
from digest.channels.robot import Robot, cut, full_text_line, headline, plain


class WeComChannel(Robot):
    """The channel `wecom`."""

    name = "wecom"
    limit = 4096
    busy_codes = frozenset({-1, 45009, 45033})

    def body(self, parcel: Parcel) -> dict[str, Any]:
        text = f"**{headline(parcel)}**\n{plain(parcel.text)}"
        return {"msgtype": "markdown", "markdown": {"content": cut(text, self.limit, full_text_line(parcel))}}
