"""Summaries by a language model of the office's own choice (any OpenAI-compatible address). Off unless the environment names one.

PARKNEWS_MODEL_URL (such as https://models.example.cn/v1), PARKNEWS_MODEL_NAME and PARKNEWS_MODEL_KEY, or the files that
PARKNEWS_MODEL_…_FILE name. What the model writes goes out only through the fact gate, and is marked; whatever fails
(address, time, gate), the extractive summary stays.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from digest.fact_gate import refusal
from digest.typography import repair
from store.config import Config, ConfigError, secret

_log = logging.getLogger(__name__)
#: Seconds for one answer and for all of an issue together: the hour of the digest comes first.
ANSWER_SECONDS = 20.0
ISSUE_SECONDS = 180.0
LIMIT = 120
_TEXT_SENT = 6000
_ANSWER_BYTES = 200_000
#: After so many failures in a row the address is taken for down.
_PATIENCE = 3
#: Whatever a server, a network or a strange answer can cause; RecursionError is deeply nested JSON.
_FAULTS = (URLError, HTTPException, OSError, ValueError, KeyError, IndexError, TypeError, RecursionError)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_TASK = (
    "你是党建简报的编辑。用一到两句完整的话概括下面的报道，写明谁做了什么、有哪些数字。"
    f"总长不超过{LIMIT}字。只用原文中的词句，不得出现原文没有的数字、名称、园区和评价。只输出摘要。"
)


@dataclass(slots=True)
class Model:
    """An address that writes summaries, with its cache and the time it has left."""

    url: str
    name: str
    key: str
    cache: Path
    seconds: float = ISSUE_SECONDS
    _failures: int = 0
    _opener: Any = field(default_factory=lambda: build_opener(_NoRedirects, ProxyHandler({})))

    def summary(self, title: str, text: str, zones: list[str]) -> str:
        """Return a summary that passed the fact gate, or "". Asked once for the same article; never raises."""
        path = self.cache / f"{self._digest(title, text)}.json"
        answer = _cached(path)
        if answer is None:
            if self._failures >= _PATIENCE or self.seconds <= 0:
                return ""
            if (answer := self._ask(title, text)) is None:
                return ""
            _keep(path, answer)
        summary = repair(answer)
        if why := refusal(summary, title, text, zones, LIMIT):
            _log.info("summary of a model refused: %s", why)
            return ""
        return summary

    def _digest(self, title: str, text: str) -> str:
        parts = "\0".join((self.url, self.name, _TASK, title, text[:_TEXT_SENT]))
        return hashlib.sha256(parts.encode("utf-8", "replace")).hexdigest()[:40]

    def _ask(self, title: str, text: str) -> str | None:
        started = time.monotonic()
        try:
            answer = self._within(min(ANSWER_SECONDS, max(1.0, self.seconds)), title, text)
        except _FAULTS as error:
            self._failures += 1
            _log.warning("the model gave no summary: %s", type(error).__name__)
            return None
        finally:
            self.seconds -= time.monotonic() - started
        self._failures = 0
        return answer

    def _within(self, seconds: float, title: str, text: str) -> str:
        """The answer, or TimeoutError after `seconds`: a socket's own limit starts again with every byte that drips in."""
        got: Queue[str | Exception] = Queue(1)
        Thread(target=self._deliver, args=(got, title, text, seconds), daemon=True).start()
        try:
            answer = got.get(timeout=seconds)
        except Empty:
            raise TimeoutError from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _deliver(self, got: Queue[str | Exception], title: str, text: str, seconds: float) -> None:
        try:
            got.put(self._post(title, text, seconds))
        except _FAULTS as error:
            got.put(error)

    def _post(self, title: str, text: str, seconds: float) -> str:
        asked = [
            {"role": "system", "content": _TASK},
            {"role": "user", "content": f"{title}\n{text[:_TEXT_SENT]}"},
        ]
        body = json.dumps({"model": self.name, "messages": asked, "temperature": 0, "max_tokens": 400})
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.key}"}
        request = Request(f"{self.url}/chat/completions", body.encode("utf-8", "replace"), headers)  # noqa: S310
        with self._opener.open(request, timeout=seconds) as response:
            raw = response.read(_ANSWER_BYTES + 1)
        if len(raw) > _ANSWER_BYTES:
            raise ValueError("the answer is too large")
        content = json.loads(raw)["choices"][0]["message"]["content"]
        if not isinstance(content, str):
            raise TypeError("the answer is no text")
        return content


class _NoRedirects(HTTPRedirectHandler):
    """A redirect could carry the key to another host."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


def model_from(config: Config, environ: Mapping[str, str] = os.environ) -> Model | None:
    """Return the model the environment names, or None. Raises ConfigError for an address that cannot be used."""
    url = secret("model_url", environ).rstrip("/")
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ConfigError("PARKNEWS_MODEL_URL: must be https, or http on this machine")
    if not (name := secret("model_name", environ)):
        raise ConfigError("PARKNEWS_MODEL_NAME: names no model; set it beside PARKNEWS_MODEL_URL")
    return Model(url, name, secret("model_key", environ), config.resolve(config.digest.folder) / "summaries")


def _cached(path: Path) -> str | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, str) else None


def _keep(path: Path, answer: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(answer, ensure_ascii=True), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        _log.warning("a summary could not be kept: %s", error.strerror)
