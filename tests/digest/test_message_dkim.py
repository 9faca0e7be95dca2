from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from digest.dkim import DkimError, DkimKey, load_key, sign
from digest.message import build_message
from tests.digest.test_message import Rendered, check

dkim = pytest.importorskip("dkim")
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def pem(key: object) -> str:
    octets: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]
    return octets.decode()


@pytest.fixture(scope="module", params=["rsa", "ed25519"])
def signing(request: pytest.FixtureRequest) -> tuple[DkimKey, bytes]:
    """A key and its DNS record."""
    if request.param == "rsa":
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
        return load_key(pem(private), "example.cn", "weekly"), record
    pytest.importorskip("nacl")  # the other program's library for these keys
    other = ed25519.Ed25519PrivateKey.generate()
    raw = other.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return load_key(pem(other), "example.cn", "weekly"), b"v=DKIM1; k=ed25519; p=" + base64.b64encode(raw)


def build(key: DkimKey | None, subject: str = "高新区党建要情" * 8) -> bytes:
    return build_message(
        Rendered(subject), recipient_address="zhang@example.cn", recipient_name="张三", sender="office@example.cn",
        reply_to="reply@example.cn", issue_id=1, message_date=NOW, list_id="weekly.example.cn",
        unsubscribe_url="https://news.example.cn/u/" + "x" * 90, unsubscribe_mailto="office@example.cn",
        domain="example.cn", dkim=key,
    )  # fmt: skip


def verify(message: bytes, record: bytes) -> bool:
    def lookup(name: bytes, timeout: int = 5) -> bytes:
        assert name.rstrip(b".") == b"weekly._domainkey.example.cn"
        return record

    return bool(dkim.verify(message, dnsfunc=lookup))


def test_another_program_verifies_the_signature(signing: tuple[DkimKey, bytes]) -> None:
    key, record = signing
    message = build(key)
    assert verify(message, record)
    assert message == build(key) or key.algorithm != "rsa-sha256"
    assert message.endswith(build(None))
    check(message)


def test_both_unsubscribe_headers_are_covered(signing: tuple[DkimKey, bytes]) -> None:
    key, record = signing
    message = build(key)
    assert not verify(message.replace(b"List-Unsubscribe=One-Click", b"List-Unsubscribe=Two-Click"), record)
    assert not verify(message.replace(b"/u/xxx", b"/u/yyy"), record)


@pytest.mark.parametrize("extra", [b"From: evil@example.com\r\n", b"Subject: evil\r\n"])
def test_a_second_from_or_subject_breaks_the_signature(signing: tuple[DkimKey, bytes], extra: bytes) -> None:
    key, record = signing
    head, gap, body = build(key).partition(b"MIME-Version")
    assert not verify(head + extra + gap + body, record)


def test_a_changed_body_breaks_the_signature(signing: tuple[DkimKey, bytes]) -> None:
    key, record = signing
    message = build(key)
    assert not verify(message.replace(b"\r\n--=_a", b"\r\nx\r\n--=_a", 1), record)


@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"\r\n\r\n\r\n", b"a  b \t c  \r\n\r\n", b"a", b" \r\n a\r\n"]
)
def test_any_body_is_canonicalised_as_the_other_program_does(
    signing: tuple[DkimKey, bytes], body: bytes
) -> None:
    key, record = signing
    message = sign(b"From: a@example.cn\r\nSubject:  a \t b\r\n c\r\n\r\n" + body, key, NOW)
    assert verify(message, record)


def test_the_key_is_in_no_text() -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    assert "private" not in repr(load_key(pem(private), "example.cn", "s"))


@pytest.mark.parametrize(
    "text", ["", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----", "geheim"]
)
def test_what_is_no_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(DkimError) as caught:
        load_key(text, "example.cn", "s")
    assert "c2VjcmV0" not in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(DkimError, match="neither"):
        load_key(pem(ec.generate_private_key(ec.SECP256R1())), "example.cn", "s")


@pytest.mark.parametrize("name", ["", "a;b", "a b", "a\r\nX: 1", "EXAMPLE", "例子"])
def test_names_that_could_change_the_header_are_refused(name: str) -> None:
    private = pem(ed25519.Ed25519PrivateKey.generate())
    for domain, selector in ((name, "s"), ("example.cn", name)):
        with pytest.raises(DkimError):
            load_key(private, domain, selector)
