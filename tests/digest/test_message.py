from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.errors import NonASCIILocalPartDefect, UndecodableBytesDefect
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.addresses import AddressError, ascii_domain, wire_address
from digest.headers import HeaderError, encoded_words, literal_field
from digest.message import Attachment, MessageError, build_message, message_id
from store.text import clean_line
from tests.digest.hostile_values import BAD_ADDRESSES, BAD_URLS, TEXTS
from tests.digest.message_linter import lint

DATE = datetime(2026, 11, 23, 8, 0, tzinfo=timezone(timedelta(hours=8)))
EXPECTED = {
    "From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted",
    "Precedence", "MIME-Version", "Content-Type",
}  # fmt: skip


@dataclass(frozen=True)
class Rendered:
    subject: str = "高新区党建要情 2026年第47期"
    text: str = "一、要目\n二、党建"
    html: str = "<p>一、要目</p>"


def build(rendered: Rendered | None = None, **given: Any) -> bytes:
    values: dict[str, Any] = {
        "recipient_address": "zhang@example.cn",
        "recipient_name": "张三",
        "sender": "office@example.cn",
        "sender_name": "高新区党群工作部",
        "issue_id": 47,
        "message_date": DATE,
        "list_id": "weekly.example.cn",
        "list_name": "高新区党建要情",
        "unsubscribe_url": "https://news.example.cn/u/token",
        "unsubscribe_mailto": "office@example.cn?subject=unsubscribe",
        "domain": "example.cn",
    }
    return build_message(rendered or Rendered(), **(values | given))


def parse(message: bytes) -> EmailMessage:
    parsed = message_from_bytes(message, policy=policy.SMTP.clone(utf8=True))
    assert isinstance(parsed, EmailMessage)
    return parsed


def defects(parsed: EmailMessage) -> list[Any]:
    headers = [defect for value in parsed.values() for defect in getattr(value, "defects", ())]
    return [*headers, *(defect for part in parsed.walk() for defect in part.defects)]


def check(message: bytes, *, utf8: bool = False) -> EmailMessage:
    """The linter and Python's parser agree that there is nothing to say."""
    assert lint(message, utf8=utf8) == []
    parsed = parse(message)
    found = defects(parsed)
    if utf8:  # Python's parser knows RFC 5322 only
        found = [
            each for each in found if not isinstance(each, (NonASCIILocalPartDefect, UndecodableBytesDefect))
        ]
    assert found == []
    return parsed


def test_the_same_input_gives_the_same_bytes() -> None:
    assert build() == build()
    assert build() != build(issue_id=48)
    assert build() != build(recipient_address="li@example.cn")


def test_both_parsers_read_back_what_was_written() -> None:
    parsed = check(build())
    assert parsed["Subject"] == "高新区党建要情 2026年第47期"
    assert str(parsed["To"]) == "张三 <zhang@example.cn>"
    assert parsed["From"].addresses[0].display_name == "高新区党群工作部"
    assert parsed["Date"].datetime == DATE
    assert parsed["Message-ID"] == message_id(47, "zhang@example.cn", "example.cn")
    text, html = parsed.iter_parts()
    assert text.get_content() == "一、要目\r\n二、党建"
    assert html.get_content_type() == "text/html"
    assert set(parsed.keys()) == EXPECTED


def test_list_headers_are_as_the_rfcs_want_them() -> None:
    parsed = parse(build())
    assert (
        str(parsed["List-Unsubscribe"])
        == "<https://news.example.cn/u/token>, <mailto:office@example.cn?subject=unsubscribe>"
    )
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert str(parsed["List-Id"]) == "高新区党建要情 <weekly.example.cn>"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["Precedence"] == "bulk"


@pytest.mark.parametrize("length", [10, 60, 77, 78, 79, 200, 900])
def test_a_link_of_any_length_is_never_encoded_or_broken(length: int) -> None:
    url = "https://news.example.cn/u/" + "a" * length
    message = build(unsubscribe_url=url)
    check(message)
    assert f"<{url}>".encode() in message


def test_one_click_is_offered_only_with_an_https_link() -> None:
    assert "List-Unsubscribe-Post" not in parse(build(unsubscribe_url=""))
    assert "List-Unsubscribe-Post" not in parse(build(unsubscribe_url="http://news.example.cn/u/1"))
    assert "List-Unsubscribe" not in parse(build(unsubscribe_url="", unsubscribe_mailto=""))


def test_no_address_but_the_recipients_and_ours_is_in_the_mail() -> None:
    build(recipient_address="other@example.org", recipient_name="李四")
    message = build()
    assert b"other@" not in message
    assert message.count(b"zhang@example.cn") == 1


def test_attachments_come_back_with_name_and_bytes() -> None:
    file = Attachment(
        "高新区党建要情（第47期）.docx", "application/vnd.openxmlformats", bytes(range(256)) * 99
    )
    parsed = check(build(attachments=[file]))
    assert parsed.get_content_type() == "multipart/mixed"
    (found,) = parsed.iter_attachments()
    assert found.get_filename() == file.filename
    assert found.get_payload(decode=True) == file.content


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a" * 600 + ".docx", "字" * 600 + ".docx", "", "\r\nX: 1", "a/b\\c"]
)
def test_a_file_name_cannot_do_harm(name: str) -> None:
    parsed = check(build(attachments=[Attachment(name, "text/plain\r\nX: 1", b"x")]))
    (found,) = parsed.iter_attachments()
    kept = found.get_filename()
    assert kept
    assert "/" not in kept
    assert len(kept.encode()) <= 255
    assert name[-5:] != ".docx" or kept.endswith(".docx")


def test_an_internationalised_domain_goes_out_in_ascii() -> None:
    message = build(recipient_address="zhang@例子.中国", sender="office@例子.中国")
    parsed = check(message)
    assert parsed["To"].addresses[0].addr_spec == "zhang@xn--fsqu00a.xn--fiqs8s"


def test_a_chinese_local_part_is_written_in_utf8() -> None:
    message = build(recipient_address="张三@例子.中国")
    check(message, utf8=True)
    assert "<张三@xn--fsqu00a.xn--fiqs8s>".encode() in message


def test_a_naive_date_is_refused() -> None:
    with pytest.raises(MessageError, match="naive"):
        build(message_date=datetime(2026, 11, 23))  # noqa: DTZ001


def test_the_message_id_does_not_show_the_address() -> None:
    assert "zhang" not in message_id(1, "zhang@example.cn", "example.cn")
    assert message_id(1, "A@example.cn", "x.cn") == message_id(1, "a@example.cn", "x.cn")


def test_more_than_three_hundred_hostile_texts_never_make_a_second_field() -> None:
    assert len(TEXTS) >= 300
    for text in TEXTS:
        message = build(
            Rendered(text, text, text), recipient_name=text, sender_name=text, list_name=text,
            attachments=[Attachment(text, text, b"x")],
        )  # fmt: skip
        parsed = check(message)
        assert set(parsed.keys()) == EXPECTED, text
        assert len(parsed.keys()) == len(EXPECTED), text


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_as_it_was_but_for_what_has_no_place_in_a_line(text: str) -> None:
    parsed = check(build(Rendered(subject=text), recipient_name=text))
    assert " ".join(str(parsed["Subject"]).split()) == " ".join(clean_line(text).split())
    assert len(parsed.keys()) == len(EXPECTED)
    assert parsed["To"].addresses[0].addr_spec == "zhang@example.cn"


@given(st.text(max_size=40), st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_address_is_refused_or_harmless(local: str, domain: str) -> None:
    for address in (f"{local}@example.cn", f"a@{domain}.cn", f"{local}@{domain}", local):
        try:
            message = build(recipient_address=address)
        except ValueError:
            continue
        parsed = check(message, utf8=True)
        assert len(parsed["To"].addresses) == 1
        assert len(parsed.keys()) == len(EXPECTED)


@pytest.mark.parametrize("address", [*BAD_ADDRESSES, *(text for text in TEXTS if "@" not in text)][:200])
def test_no_bad_address_is_taken_for_recipient_sender_or_reply(address: str) -> None:
    with pytest.raises(AddressError) as caught:
        wire_address(address)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError):  # noqa: PT011 - any of the documented kinds
        build(recipient_address=address)


@pytest.mark.parametrize("url", BAD_URLS)
def test_no_bad_link_gets_into_the_header(url: str) -> None:
    with pytest.raises((MessageError, HeaderError)):
        build(unsubscribe_url=url)


@given(st.text(max_size=120))
@settings(max_examples=200, deadline=None)
def test_any_link_is_refused_or_harmless(tail: str) -> None:
    try:
        message = build(
            unsubscribe_url=f"https://news.example.cn/{tail}", unsubscribe_mailto=f"office@example.cn?{tail}"
        )
    except ValueError:
        return
    assert len(check(message).keys()) == len(EXPECTED)


@pytest.mark.parametrize(
    "text", [text for text in TEXTS if "\n" in text or "\r" in text or not text.isascii()][:80]
)
def test_a_literal_field_refuses_what_it_cannot_hold(text: str) -> None:
    with pytest.raises(HeaderError):
        literal_field("X-Test", text)


@pytest.mark.parametrize("domain", ["例子.测试", "münchen.de", "EXAMPLE.cn"])
def test_domains_become_a_labels(domain: str) -> None:
    assert ascii_domain(domain).isascii()
    assert ascii_domain(domain) == ascii_domain(domain).lower()


def test_an_encoded_word_never_splits_a_character() -> None:
    for word in encoded_words("党建😀" * 60):
        assert len(word) <= 75
        base64.b64decode(word.removeprefix("=?utf-8?b?").removesuffix("?=")).decode("utf-8")


def test_dates_before_and_after_utc_are_written_with_their_zone() -> None:
    assert (
        parse(build(message_date=datetime(2026, 1, 1, tzinfo=UTC)))["Date"]
        == "Thu, 01 Jan 2026 00:00:00 +0000"
    )
