"""未能覆盖: which sources could not be read or were silent, and what that means for the zones an office watches. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from store.issues import SourceLook

#: What the reason words of the crawler mean to a reader; other words are shown as 未能读取.
KNOWN_REASONS = {
    "unreachable": "无法连接",
    "refused_connection": "拒绝连接",
    "connection_lost": "连接中断",
    "timeout": "连接超时",
    "dns": "域名无法解析",
    "certificate": "网站证书有误",
    "private_address": "地址指向内网",
    "robots": "网站声明不许抓取",
    "captcha": "需要验证码",
    "redirects": "栏目反复跳转",
    "no_links": "栏目中没有文章链接",
    "too_large": "页面过大",
    "interrupted": "访问中断",
}
_STATUSES = {
    "401": "需要登录",
    "403": "拒绝访问",
    "404": "栏目地址失效",
    "410": "栏目已撤销",
    "412": "拒绝访问",
    "429": "限制访问",
}


def reason_words(reason: str) -> str:
    """Return a reason word in the reader's language; http_503 becomes 网站出错（503）."""
    word = reason.partition(":")[0].strip()
    if word.startswith("http_"):
        status = word.removeprefix("http_")[:3]
        return _STATUSES.get(status) or (f"网站出错（{status}）" if status.isdigit() else "未能读取")
    return KNOWN_REASONS.get(word, "未能读取")


def gaps(
    looks: Sequence[SourceLook],
    watch: Sequence[str],
    told: frozenset[str],
    now: datetime,
    silent_after: timedelta,
) -> dict[str, Any]:
    """Return {sources, looked, failed, partial, silent, watch}; `told` are the zones this issue has stories of.

    A watched zone without stories is "none" (every source that ever wrote of it was read, and had nothing), "partial"
    (some were read) or "blind" (none was: whether there was news is not known).
    """
    failed = [look for look in looks if not look.looked]
    return {
        "sources": len(looks),
        "looked": len(looks) - len(failed),
        "failed": [_failure(look) for look in failed],
        "partial": [
            {"publisher": x.publisher, "failed": x.failed} for x in looks if x.looked and x.failed > x.looked
        ],
        "silent": [
            {"publisher": look.publisher, "days": days}
            for look in looks
            if look.looked
            and (days := (now - (look.last_new_at or look.first_seen_at)).days) >= silent_after.days
        ],
        "watch": [{"zone": zone, "status": _status(zone, looks)} for zone in watch if zone not in told],
    }


def _failure(look: SourceLook) -> dict[str, str]:
    if not look.failed:
        return {"publisher": look.publisher, "reason": "已暂停" if look.state == "paused" else "本期未访问"}
    return {"publisher": look.publisher, "reason": reason_words(look.reason)}


def _status(zone: str, looks: Sequence[SourceLook]) -> str:
    known = [look for look in looks if zone in look.zones] or list(looks)
    read = sum(look.looked > 0 for look in known)
    if not read:
        return "blind"
    return "none" if read == len(known) else "partial"
