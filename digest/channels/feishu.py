"""The custom bot of 飞书: a rich text without any markup in it, signed in the body; 20 KB, 100 messages a minute."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from digest.channels.base import Parcel
from digest.channels.robot import Robot, cut, json_octets
from store.text import clean_line, clean_text

#: A text may hold a tag that calls everybody.
_TAGS = str.maketrans("<>", "＜＞")


class FeishuChannel(Robot):
    """The channel `feishu`."""

    name = "feishu"
    #: A body of 20 KB is allowed; the rest is left for title, link and signature.
    limit = 18_000
    busy_codes = frozenset({9499, 11232, 11233})

    def body(self, parcel: Parcel) -> dict[str, Any]:
        title = clean_line(parcel.subject).translate(_TAGS)[:200] or "要情"
        text = cut(
            clean_text(parcel.text).translate(_TAGS), self.limit, "……", measure=json_octets, line_feed=2
        )
        lines: list[list[dict[str, str]]] = [[{"tag": "text", "text": text}]]
        if parcel.url:
            lines.append([{"tag": "a", "text": "查看全文", "href": parcel.url}])
        content = {"post": {"zh_cn": {"title": title, "content": lines}}}
        return {**self._signature(), "msg_type": "post", "content": content}

    def _signature(self) -> dict[str, str]:
        """The key is moment and secret, the signed text is empty: so 飞书 wants it."""
        if not self._secret:
            return {}
        moment = str(int(self._clock()))
        signed = hmac.new(f"{moment}\n{self._secret}".encode(), b"", hashlib.sha256).digest()
        return {"timestamp": moment, "sign": base64.b64encode(signed).decode("ascii")}
