"""What the chat robots share: a digest cut to their limits without a broken link, and their answers judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from digest.channels.base import BeforeTheDot, DeliveryError, Parcel
from digest.channels.http_post import Answer, Endpoint, HttpChannel, encode_body, judge_status, post
from digest.pace import Limits, Pace
from store.text import clean_line, clean_text

_MARKUP = str.maketrans("<>[]*`#_~\\|", "＜＞［］＊｀＃＿～＼｜")
#: Lines that hold a link keep "_", "#" and "~", which occur in links.
_MARKUP_IN_LINKS = str.maketrans("<>[]*`\\|", "＜＞［］＊｀＼｜")


def plain(text: str) -> str:
    """Return `text` without anything a chat would take for Markdown, a mention or a tag; links stay as they are."""
    lines = clean_text(text).split("\n")
    return "\n".join(line.translate(_MARKUP_IN_LINKS if "://" in line else _MARKUP) for line in lines)


def octets(text: str) -> int:
    """Return the length of `text` in UTF-8, which is what the limits count."""
    return len(text.encode("utf-8", "replace"))


def json_octets(text: str) -> int:
    """Return the length of `text` within a JSON body in UTF-8, where quotes and backslashes count twice."""
    return len(encode_body({"": text})) - 5


def cut(
    text: str, limit: int, tail: str, *, measure: Callable[[str], int] = octets, line_feed: int = 1
) -> str:
    """Return `text`, or as many whole lines of it as fit into `limit` by `measure` with `tail` below.

    `line_feed` is what one costs. A first line that is too long by itself is cut, but never within a link: then it goes.
    """
    lines = text.split("\n")
    if sum(measure(line) + line_feed for line in lines) - line_feed <= limit:
        return text
    room = limit - measure(tail)
    kept: list[str] = []
    for line in lines:
        cost = measure(line) + line_feed
        if cost > room:
            if not kept:
                kept.append(_cut_line(line, room - line_feed, measure))
            break
        kept.append(line)
        room -= cost
    return "\n".join([*kept, tail]).strip("\n")


def _cut_line(line: str, room: int, measure: Callable[[str], int]) -> str:
    room -= measure("…")
    end = 0
    while end < len(line) and (room := room - measure(line[end])) >= 0:
        end += 1
    short = line[:end]
    begin = short.rfind("://")
    if begin >= 0 and not any(character.isspace() for character in short[begin:]):
        short = short[: max(short.rfind(" ", 0, begin), 0)]
    return short.rstrip() + "…"


class Robot(HttpChannel):
    """The part of a chat robot's channel that does not depend on the chat. A robot speaks to a group, not to a person."""

    name = ""
    #: Octets of the text, or of the whole body where the chat counts that.
    limit = 0
    #: Messages a minute; all three chats allow 20 or more.
    per_minute = 20
    #: Codes in a chat's answer that mean "too fast" or "busy": try again later.
    busy_codes: frozenset[int] = frozenset()

    @property
    def pace(self) -> Pace:
        """The chat's pace. A new one, with nothing noted yet."""
        return Pace(Limits(per_minute=self.per_minute))

    def send(self, parcel: Parcel, before_the_dot: BeforeTheDot) -> str:
        body = encode_body(self.body(parcel))
        answer = post(self.signed_endpoint(), body, {}, before_the_dot)
        judge_status(self._endpoint, answer)
        return self._judge(answer)

    def body(self, parcel: Parcel) -> dict[str, Any]:
        """Return what the chat wants posted."""
        raise NotImplementedError

    def signed_endpoint(self) -> Endpoint:
        """Return where to post; chats that sign in the URL add to it."""
        return self._endpoint

    def _judge(self, answer: Answer) -> str:
        content = answer.content
        code = next((content[key] for key in ("errcode", "code", "StatusCode") if key in content), None)
        words = clean_line(str(content.get("errmsg") or content.get("msg") or ""))[:200]
        if code == 0:
            return f"0 {words}".strip()
        if not isinstance(code, int):
            raise DeliveryError(
                f"{self.name}: an answer nobody knows; the message may have arrived",
                in_doubt=True,
                reason="garbage",
            )
        reply = f"{code} {words}".strip()
        if code in self.busy_codes:
            raise DeliveryError(f"{self.name}: {reply}", blame="message", reason="busy", reply=reply)
        raise DeliveryError(
            f"{self.name} refused the message: {reply}; check the robot's address, secret and keywords in the chat",
            permanent=True,
            reason="refused",
            reply=reply,
        )


def headline(parcel: Parcel) -> str:
    """Return the subject on one line, without markup."""
    return plain(clean_line(parcel.subject)) or "要情"


def full_text_line(parcel: Parcel) -> str:
    """Return the line that closes a cut text."""
    return f"…… 全文：{parcel.url}" if parcel.url else "…… 全文见邮件"
