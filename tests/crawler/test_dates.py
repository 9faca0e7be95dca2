from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.extract.dates import (
    clamp,
    complete,
    find_stamps,
    from_epoch,
    parse_stamp,
    relative_stamp,
    url_day,
)

NOW = datetime(2023, 6, 16, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018年06月06日08:25  来源：人民网", "2018-06-06T08:25:00+08:00"),
        ("2022-07-0810:27", "2022-07-08T10:27:00+08:00"),
        ("来源:马鞍山日报2022-07-08 10:27", "2022-07-08T10:27:00+08:00"),
        ("2019/10/8 9:20:59", "2019-10-08T09:20:59+08:00"),
        ("2019.10.8", "2019-10-08"),
        ("2023 06/15 09:26:12", "2023-06-15T09:26:12+08:00"),
        ("2023年6月15日 星期四 下午3:05", "2023-06-15T15:05:00+08:00"),
        ("( 2012-06-04 09:20:26 )", "2012-06-04T09:20:26+08:00"),
        ("2023-06-15T01:26:00Z", "2023-06-15T09:26:00+08:00"),
        ("2023-06-15T09:26:00.123+09:00", "2023-06-15T08:26:00+08:00"),
        ("2023年13月1日", None),
        ("1949年10月1日", None),
        ("2023-06-155", None),
        ("2020-2021", None),
    ],
)
def test_dates_of_running_text(text: str, expected: str | None) -> None:
    stamps = find_stamps(text)
    assert (stamps[0].isoformat() if stamps else None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thu, 15 Jun 2023 01:26:00 GMT", "2023-06-15T09:26:00+08:00"),
        ("15 Jun 2023", "2023-06-15"),
        ("20230615", "2023-06-15"),
        ("20230615092600", "2023-06-15T09:26:00+08:00"),
        ("1686792360", "2023-06-15T09:26:00+08:00"),
        ("1686792360000", "2023-06-15T09:26:00+08:00"),
        ("12345", None),
        ("", None),
    ],
)
def test_dates_written_for_machines(text: str, expected: str | None) -> None:
    stamp = parse_stamp(text)
    assert (stamp.isoformat() if stamp else None) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3小时前", "2023-06-16T05:00:00+08:00"),
        ("20分钟前", "2023-06-16T07:40:00+08:00"),
        ("刚刚", "2023-06-16T08:00:00+08:00"),
        ("昨天 08:30", "2023-06-15T08:30:00+08:00"),
        ("前天", "2023-06-14"),
        ("5天前", "2023-06-11"),
        ("很久以前", None),
    ],
)
def test_relative_times_count_from_now(text: str, expected: str | None) -> None:
    stamp = relative_stamp(text, NOW)
    assert (stamp.isoformat() if stamp else None) == expected


def test_a_date_without_year_needs_a_known_day() -> None:
    known = [date(2019, 9, 27)]
    found = complete("河南手机报 09-27 20:12", known, [])
    assert found is not None
    assert found.isoformat() == "2019-09-27T20:12:00+08:00"
    assert complete("09-28 20:12", known, []) is None
    assert complete("09-27 20:12", [], known) is None
    assert complete("19-09-27 20:12", [], known) is not None


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("http://a.cn/2019/10/13/c.html", date(2019, 10, 13)),
        ("http://a.cn/c/20191013/u1.html", date(2019, 10, 13)),
        ("http://a.cn/html/2019-10/13/content_1.htm", date(2019, 10, 13)),
        ("http://a.cn/n1/2019/1013/c1-2.html", date(2019, 10, 13)),
        ("http://a.cn/20191013/20191014/x.html", None),
        ("http://a.cn/show.asp?id=20191013", None),
        ("http://a.cn/123456789.html", None),
    ],
)
def test_the_day_of_an_address(url: str, day: date | None) -> None:
    assert url_day(url) == day


def test_dates_in_the_future_become_now_and_say_so() -> None:
    assert clamp("2033-01-01T08:00:00+08:00", NOW) == ("2023-06-16T08:00:00+08:00", True)
    assert clamp("2033-01-01", NOW) == ("2023-06-16", True)
    assert clamp("2023-06-16T08:04:00+08:00", NOW) == ("2023-06-16T08:04:00+08:00", False)
    assert clamp("2033-01-01", None) == ("2033-01-01", False)
    assert clamp(None, NOW) == (None, False)


def test_seconds_outside_the_web_are_no_time() -> None:
    assert from_epoch(1) is None
    assert from_epoch(9_999_999_999) is None


@given(st.text(alphabet="0123456789-/.年月日 :T+Z前天小时", max_size=60))
def test_no_text_breaks_the_readers(text: str) -> None:
    assert all(found.isoformat() for found in find_stamps(text))
    stamp = parse_stamp(text)
    assert stamp is None or stamp.isoformat()
    relative = relative_stamp(text, NOW)
    assert relative is None or relative.isoformat()
