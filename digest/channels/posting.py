"""The channels that post to a URL, as far as the environment names one: robots of three chats and the generic webhook."""

from __future__ import annotations

import os
from collections.abc import Mapping

from digest.channels.base import Channel
from digest.channels.dingtalk import DingTalkChannel
from digest.channels.feishu import FeishuChannel
from digest.channels.http_post import Endpoint
from digest.channels.webhook import WebhookChannel
from digest.channels.wecom import WeComChannel
from store.config import secret

KINDS = (WeComChannel, DingTalkChannel, FeishuChannel, WebhookChannel)


def posting_channels(environ: Mapping[str, str] = os.environ) -> dict[str, Channel]:
    """Return by name the channels whose URL stands in PARKNEWS_<NAME>_URL (or the file PARKNEWS_<NAME>_URL_FILE names).

    A signing secret, where the chat has one, comes from PARKNEWS_<NAME>_SECRET likewise. Raises ConfigError for a file that
    cannot be read. The URLs are passwords themselves and stand in no configuration file.
    """
    found = {kind.name: posting_channel(kind.name, environ) for kind in KINDS}
    return {name: channel for name, channel in found.items() if channel is not None}


def posting_channel(name: str, environ: Mapping[str, str] = os.environ, prefix: str = "") -> Channel | None:
    """Return one of KINDS with the URL and secret of PARKNEWS_<PREFIX><NAME>_…, None without a URL. Raises as above."""
    kind = next(kind for kind in KINDS if kind.name == name)
    url = secret(f"{prefix}{name}_url", environ)
    return kind(Endpoint(url), secret(f"{prefix}{name}_secret", environ)) if url else None
