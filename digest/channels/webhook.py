"""A generic webhook: the edition as JSON, signed, for whatever an office builds itself."""

from __future__ import annotations

import hashlib
import hmac

from digest.channels.base import BeforeTheDot, Parcel
from digest.channels.http_post import HttpChannel, encode_body, judge_status, post


class WebhookChannel(HttpChannel):
    """The channel `webhook`.

    Posts `{"id", "subject", "text", "html", "url"}`. With a secret, `X-Parknews-Signature` is the hex HMAC-SHA256 over
    `<X-Parknews-Timestamp>.<body>`; receivers should drop an `id` they have seen. Any 2xx answer is an acceptance.
    """

    name = "webhook"

    def send(self, parcel: Parcel, before_the_dot: BeforeTheDot) -> str:
        content = {"subject": parcel.subject, "text": parcel.text, "html": parcel.html, "url": parcel.url}
        body = encode_body({"id": parcel.message_id.strip("<>"), **content})
        answer = post(self._endpoint, body, self._signature(body), before_the_dot)
        judge_status(self._endpoint, answer)
        return f"HTTP {answer.status}"

    def _signature(self, body: bytes) -> dict[str, str]:
        if not self._secret:
            return {}
        moment = str(int(self._clock()))
        signed = hmac.new(self._secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Parknews-Timestamp": moment, "X-Parknews-Signature": f"sha256={signed}"}
