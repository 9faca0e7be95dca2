from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.tokens import MAX_LENGTH, Purpose, make_token, read_token
from tests.digest.hostile_values import TEXTS

SECRET = "a secret nobody knows, long enough"
KEY = "0123456789abcdef0123456789abcdef"
PURPOSES: tuple[Purpose, ...] = ("unsubscribe", "preferences", "archive", "issue")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_token_gives_back_the_key_for_its_purpose_only(purpose: Purpose) -> None:
    token = make_token(SECRET, KEY, purpose)
    for other in PURPOSES:
        assert read_token(SECRET, token, other) == (KEY if other == purpose else None)


def test_a_token_is_the_same_every_time_and_fits_a_url() -> None:
    token = make_token(SECRET, KEY, "unsubscribe")
    assert token == make_token(SECRET, KEY, "unsubscribe")
    assert set(token) <= set(string.ascii_letters + string.digits + "-_.")
    assert len(token) < MAX_LENGTH


def test_another_secret_reads_nothing() -> None:
    assert (
        read_token("another secret, long enough too", make_token(SECRET, KEY, "archive"), "archive") is None
    )


@pytest.mark.parametrize("secret", ["", "short", "x" * 15])
def test_a_weak_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="PARKNEWS_WEB_SECRET"):
        make_token(secret, KEY, "archive")


def test_no_hostile_token_is_read() -> None:
    token = make_token(SECRET, KEY, "unsubscribe")
    for text in [
        *TEXTS,
        token[:-1],
        token + "A",
        token.upper(),
        KEY,
        f"{KEY}.",
        f".{token}",
        token + "\n",
        token * 2,
    ]:
        assert read_token(SECRET, text, "unsubscribe") is None, text


@given(st.text(max_size=100), st.integers(0, 75))
@settings(max_examples=200, deadline=None)
def test_no_changed_token_is_read(text: str, place: int) -> None:
    token = make_token(SECRET, KEY, "unsubscribe")
    assert read_token(SECRET, text, "unsubscribe") is None
    changed = token[:place] + text + token[place:]
    assert read_token(SECRET, changed, "unsubscribe") is None or changed == token
