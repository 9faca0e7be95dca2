"""Publication times as Chinese pages write them. Everything is Asia/Shanghai unless the text gives an offset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

SHANGHAI = timezone(timedelta(hours=8))
#: The web has no Chinese news before this year; earlier years in a byline are history, not publication.
_FIRST_YEAR = 1995
_LAST_YEAR = 2099

_TIME = (
    r"(?:(?:[T \t\xa0\u3000,，|/_-]|&nbsp;|星期[一二三四五六日天]|周[一二三四五六日天]|[（(]|[)）]|上午|下午|晚上|凌晨|北京时间){0,8}"
    r"(?P<hour>[01]?\d|2[0-4])\s?[:：时時点]\s?(?P<minute>[0-5]\d)(?:\s?[:：分]\s?(?P<second>[0-5]\d))?"
    r"(?:\.\d{1,9})?(?:\s?(?P<zone>Z|[+-]\d\d:?\d\d)(?!\d))?)?"
)
_STAMP = re.compile(
    # The look behind follows the year, so that the search steps over all that is not "1" or "2".
    r"(?P<year>(?:19|20)\d\d)(?<![\d.]\d{4})"
    r"(?:(?:\s?(?P<sep>[-/.－—])\s?(?P<month>\d{1,2})\s?(?P=sep)\s?(?P<day>\d{2}|\d(?!\d))(?:(?!\d)|(?=\d{1,2}\s?[:：时点]))(?![/.]\d))"
    r"|(?:\s{1,3}(?P<month3>\d{1,2})\s{0,2}[/-]\s{0,2}(?P<day3>\d{2}|\d(?!\d))(?![/-]))"
    r"|(?:\s{0,3}年\s{0,3}(?P<month2>\d{1,2})\s{0,3}月\s{0,3}(?P<day2>\d{1,2})\s{0,3}[日号]?))" + _TIME
)
_COMPACT = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d)"
    r"(?:[T ]?(?P<hour>[01]\d|2[0-3]):?(?P<minute>[0-5]\d)(?::?(?P<second>[0-5]\d))?)?(?!\d)"
)
_RFC = re.compile(
    r"(?:\w{3},? )?(?P<day>\d{1,2})[ -](?P<month>[A-Z][a-z]{2})[a-z]{0,6}[ -](?P<year>(?:19|20)\d\d)"
    r"(?: (?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?: (?P<zone>[A-Z]{1,4}|[+-]\d\d:?\d\d))?)?"
)
_MONTHS = {
    name: n
    for n, name in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
_RELATIVE = re.compile(
    r"(?<!\d)(?P<count>\d{1,3})\s?(?P<unit>秒钟?|分钟?|小时|个小时|天|日|周|星期|个月)[之以]?前"
    r"|(?P<word>刚刚|今天|昨天|前天)(?:\s?(?P<hour>[01]?\d|2[0-3])[:：](?P<minute>[0-5]\d))?"
)
_UNITS = {
    "秒": 1,
    "分": 60,
    "小": 3600,
    "个小": 3600,
    "天": 86400,
    "日": 86400,
    "周": 604800,
    "星": 604800,
    "个月": 2592000,
}
_URL_DAY = re.compile(
    r"(?<!\d)(?P<year>20[0-3]\d)(?:[-/_]?(?P<month>0[1-9]|1[0-2])[-/_]?(?P<day>0[1-9]|[12]\d|3[01]))(?!\d)"
)


#: A day without year, or with two digits of it: worth something only beside a year known from elsewhere.
_PARTIAL = re.compile(
    r"(?<![\d.:/-])(?:(?P<short>\d\d)[-/.年])?(?P<month>0?[1-9]|1[0-2])[-/.月](?P<day>0[1-9]|[12]\d|3[01]|[1-9])日?"
    r"\s{0,3}(?P<hour>[01]?\d|2[0-3])[:：](?P<minute>[0-5]\d)(?:[:：](?P<second>[0-5]\d))?(?!\d)"
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A day, and the time of day where the text gives one (`time` is HH:MM or HH:MM:SS); `span` in the text."""

    day: date
    time: str | None = None
    zone: str | None = None
    span: tuple[int, int] = (0, 0)

    def isoformat(self) -> str:
        """ISO text in +08:00, or the bare day."""
        if self.time is None:
            return self.day.isoformat()
        hour, minute, *rest = self.time.split(":")
        moment = datetime(
            self.day.year, self.day.month, self.day.day, int(hour), int(minute), int(rest[0]) if rest else 0,
            tzinfo=SHANGHAI,
        )  # fmt: skip
        if self.zone and self.zone not in ("+08:00", "+0800"):
            moment = moment.replace(tzinfo=_zone(self.zone)).astimezone(SHANGHAI)
        return moment.isoformat()


def _zone(text: str) -> timezone:
    if text[:1] not in "+-":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 14 or minutes > 59:
        return SHANGHAI
    delta = timedelta(hours=hours, minutes=minutes)
    return timezone(-delta if text[0] == "-" else delta)


def _stamp(found: re.Match[str], year: str, month: str | int, day: str) -> Stamp | None:
    number = int(year)
    if not _FIRST_YEAR <= number <= _LAST_YEAR:
        return None
    try:
        moment = date(number, int(month), int(day))
    except ValueError:
        return None
    groups = found.groupdict()
    time = None
    if groups.get("hour") is not None and int(groups["hour"]) < 24:
        hour = int(groups["hour"])
        if hour < 12 and ("下午" in found[0] or "晚上" in found[0]):
            hour += 12
        time = f"{hour:02d}:{groups['minute']}" + (f":{groups['second']}" if groups.get("second") else "")
    return Stamp(moment, time, groups.get("zone"), found.span())


def _month_day(found: re.Match[str]) -> tuple[str, str]:
    return (
        found["month"] or found["month2"] or found["month3"],
        found["day"] or found["day2"] or found["day3"],
    )


def find_stamps(text: str) -> list[Stamp]:
    """All full dates of a text (year, month and day), in order, with their times of day."""
    out = []
    for found in _STAMP.finditer(text):
        stamp = _stamp(found, found["year"], *_month_day(found))
        if stamp is not None:
            out.append(stamp)
    return out


def parse_stamp(text: str) -> Stamp | None:
    """The date of a machine-written value: ISO 8601, RFC 822, compact digits, Unix seconds or milliseconds."""
    text = text.strip()[:80]
    if stamps := find_stamps(text):
        return stamps[0]
    if text.isdigit() and len(text) in (10, 13):
        return from_epoch(int(text) // (1000 if len(text) == 13 else 1))
    if found := _COMPACT.search(text):
        return _stamp(found, found["year"], found["month"], found["day"])
    if (found := _RFC.search(text)) and found["month"] in _MONTHS:
        stamp = _stamp(found, found["year"], _MONTHS[found["month"]], found["day"])
        if stamp and stamp.time and not stamp.zone:
            return Stamp(stamp.day, stamp.time, "Z", stamp.span)
        return stamp
    return None


def from_epoch(seconds: int) -> Stamp | None:
    """Unix seconds as a stamp in Shanghai time; None outside the years of web news."""
    if not 788_918_400 <= seconds <= 4_000_000_000:
        return None
    moment = datetime.fromtimestamp(seconds, SHANGHAI)
    return Stamp(moment.date(), moment.strftime("%H:%M:%S"))


def is_relative(text: str) -> bool:
    """Whether the text gives a time relative to when it is read."""
    return _RELATIVE.search(text) is not None


def relative_stamp(text: str, now: datetime) -> Stamp | None:
    """The moment that "3小时前", "昨天 08:30" or "刚刚" means when read at `now` (aware)."""
    found = _RELATIVE.search(text)
    if not found:
        return None
    local = now.astimezone(SHANGHAI)
    if found["count"]:
        unit = next(seconds for prefix, seconds in sorted(_UNITS.items(), key=lambda kv: -len(kv[0]))
                    if found["unit"].startswith(prefix))  # fmt: skip
        moment = local - timedelta(seconds=int(found["count"]) * unit)
        exact = unit < 86400
        return Stamp(moment.date(), moment.strftime("%H:%M") if exact else None, span=found.span())
    if found["word"] == "刚刚":
        return Stamp(local.date(), local.strftime("%H:%M"), span=found.span())
    day = local.date() - timedelta(days={"今天": 0, "昨天": 1, "前天": 2}[found["word"]])
    time = f"{int(found['hour']):02d}:{found['minute']}" if found["hour"] else None
    return Stamp(day, time, span=found.span())


def url_day(url: str) -> date | None:
    """The day in an address such as /2019/10/13/ or /20191013/; None where there is none or more than one."""
    days = set()
    for found in _URL_DAY.finditer(url.partition("//")[2].partition("?")[0]):
        try:
            days.add(date(int(found["year"]), int(found["month"]), int(found["day"])))
        except ValueError:
            continue
    return days.pop() if len(days) == 1 else None


def complete(text: str, known: list[date], hinted: list[date]) -> Stamp | None:
    """The first "09-27 20:12" (or "18-03-08 23:16") of the text whose month and day a known day confirms.

    `hinted` days confirm only dates that have two digits of the year.
    """
    for found in _PARTIAL.finditer(text):
        for day in [*known, *hinted] if found["short"] else known:
            same = (day.month, day.day) == (int(found["month"]), int(found["day"]))
            if same and (not found["short"] or day.year % 100 == int(found["short"])):
                time = f"{int(found['hour']):02d}:{found['minute']}"
                return Stamp(
                    day, time + (f":{found['second']}" if found["second"] else ""), span=found.span()
                )
    return None


def clamp(published_at: str | None, now: datetime | None) -> tuple[str | None, bool]:
    """A date later than `now` (a page that pins itself to the top) becomes `now`; says whether it was."""
    if published_at is None or now is None:
        return published_at, False
    if len(published_at) == 10:
        future = published_at > now.astimezone(SHANGHAI).date().isoformat()
        return (now.astimezone(SHANGHAI).date().isoformat(), True) if future else (published_at, False)
    # Clocks of servers differ; five minutes ahead is not a date in the future.
    if datetime.fromisoformat(published_at) > now + timedelta(minutes=5):
        return now.astimezone(SHANGHAI).replace(microsecond=0).isoformat(), True
    return published_at, False
