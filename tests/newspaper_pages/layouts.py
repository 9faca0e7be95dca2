"""Whole pages: the sheet divided into rectangles, each filled with an article of some make, an advert or notices."""

# ruff: noqa: PLR0917 - drawing takes coordinates, sizes and fonts

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.newspaper_pages.typeset import Gold, Sheet, Slot, Style, column_slots, fonts, pdf_of, width_of
from tests.newspaper_pages.words import PrintedArticle, Writer, advert, notice

if TYPE_CHECKING:
    from collections.abc import Sequence

Rect = tuple[float, float, float, float]
ORDERS = ("flow", "head_last", "blocks", "rows", "head_last")
MAKES = (
    *("top",) * 5,
    *("partial", "left_start", "upright_left", "upright_right", "upright_mid", "boxed", "briefs") * 2,
    *("lead", "lead_above", "photo", "corner_photo", "photo_top", "photo_story", "quote", "big_body"),
)
EXTRAS = ("notices", "table", "index", "open_advert")
SIZES = ((1000.0, 1440.0), (740.0, 1060.0), (860.0, 1190.0))


def page_pdf(seed: int, order: str | None = None) -> tuple[bytes, Gold]:
    """Return one page and what stands on it; the same seed gives the same page."""
    rng = random.Random(seed)
    sheet, gold = page(rng)
    order = order or rng.choice(ORDERS)
    gold.style = f"{order} {gold.style}"
    return pdf_of([(sheet, order)], rng), gold


def notices_pdf(seed: int) -> bytes:
    """Return a page with nothing but notices."""
    rng = random.Random(seed)
    sheet = Sheet(740.0, 1060.0, _style(rng))
    top = _furniture(sheet, rng, Gold())
    sheet.centred("公告栏", 30, 710, top + 34, 24, sheet.style.title_font, "notices/head")
    slots = column_slots(30, 710, [top + 60] * 4, 1000, sheet.style)
    sheet.fill([notice(rng) for _ in range(60)], slots, "notices")
    return pdf_of([(sheet, "flow")], rng)


def turned_pdf(seed: int) -> tuple[bytes, Gold]:
    """Return two pages; the first one's article goes on on the second (下转 / 上接)."""
    rng = random.Random(seed)
    gold, sheets, writer = Gold(), [], Writer(rng)
    for number in ("A01", "A05"):
        sheet = Sheet(740.0, 1060.0, _style(rng))
        top = _furniture(sheet, rng, Gold(), number)
        news = writer.news()
        if number == "A01":
            title, paragraphs = news.title, [writer.paragraph() for _ in range(9)]
            gold.articles.append({"title": title[0], "body": "\n".join(paragraphs)})
        part = (
            [*paragraphs[:4], paragraphs[4][:30]]
            if number == "A01"
            else [paragraphs[4][30:], *paragraphs[5:]]
        )
        part[-1] += "（下转A05版）" if number == "A01" else ""
        heading = title[0] if number == "A01" else f"（上接A01版）{title[0]}"
        sheet.line(heading, 30, top + 40, 26, sheet.style.title_font, "one/head")
        slots = column_slots(30, 710, [top + 60] * 3, top + 260, sheet.style)
        if number == "A05":
            sheet.style.indent = 0.0
            used, _ = sheet.fill(part[:1], slots, "one")
            sheet.style.indent = 2.0
            sheet.fill(part[1:], slots[used:], "one")
        else:
            sheet.fill(part, slots, "one")
        other = _article(sheet, (30, top + 300, 710, 980), "top", rng, "two")
        gold.articles += other.articles
        sheets.append((sheet, "head_last"))
    return pdf_of(sheets, rng), gold


def _style(rng: random.Random) -> Style:
    found = fonts()
    return Style(
        body=rng.choice((8.0, 8.6, 9.2, 9.6, 10.2)),
        leading=rng.choice((1.25, 1.32, 1.4, 1.5)),
        gutter=rng.choice((0.9, 1.3, 1.6, 2.0)),
        headline=rng.choice((2.2, 2.6, 3.0)),
        title_font=found["hei"],
        body_font=found["song"],
        byline_font=found["kai"],
        column_rules=rng.random() < 0.2,
        blanks=rng.random() < 0.3,
    )


def page(rng: random.Random) -> tuple[Sheet, Gold]:
    width, height = rng.choice(SIZES)
    sheet, gold = Sheet(width, height, _style(rng)), Gold()
    top = _furniture(sheet, rng, gold)
    rects = _divide((24, top + 12, width - 24, height - 40), rng, 0, width)
    makes = []
    for i, rect in enumerate(rects):
        make = _make_for(rect, rng, sheet, i)
        makes.append(make)
        part = (
            _extra(sheet, rect, make, rng, f"u{i}")
            if make in EXTRAS
            else _advert(sheet, rect, rng, f"u{i}")
            if make == "advert"
            else _article(sheet, rect, make, rng, f"u{i}")
        )
        gold.articles += part.articles
        gold.adverts += part.adverts
        gold.captions += part.captions
    gold.style = f"{width:.0f} " + ",".join(makes)
    return sheet, gold


def _furniture(sheet: Sheet, rng: random.Random, gold: Gold, number: str = "") -> float:
    title, body = sheet.style.title_font, sheet.style.body_font
    width, height = sheet.width, sheet.height
    sheet.line(rng.choice(("青岚日报", "云溪高新导报", "江陵晚报")), 24, 40, 18, title, "furniture")
    sheet.line(
        f"2025年{rng.randint(1, 12)}月{rng.randint(1, 28)}日 星期{rng.choice('一二三四五')}",
        220,
        40,
        8,
        body,
        "furniture",
    )
    sheet.line(rng.choice(("要闻", "园区", "党建周刊", "综合新闻")), width - 200, 40, 20, title, "furniture")
    sheet.line(
        number or f"{rng.choice('AB')}{rng.randint(1, 16):02d}", width - 70, 40, 26, title, "furniture"
    )
    sheet.line(
        f"责编：{Writer(rng).name()} 版式：{Writer(rng).name()} 校对：{Writer(rng).name()}",
        24,
        height - 16,
        8,
        body,
        "furniture",
    )
    sheet.line("新闻热线：010-62345678", width / 2, height - 16, 8, body, "furniture")
    if rng.random() < 0.7:
        sheet.rule(24, 50, width - 24, 50)
    return 52.0


def _divide(rect: Rect, rng: random.Random, depth: int, page_width: float) -> list[Rect]:
    """Cut a rectangle like a newspaper: bands first, then side by side."""
    x0, y0, x1, y1 = rect
    wide, tall = x1 - x0, y1 - y0
    can_level, can_upright = tall > 420, wide > 430
    if depth >= 4 or not (can_level or can_upright) or (depth >= 2 and rng.random() < 0.25):
        return [rect]
    if can_level and (depth % 2 == 0 or not can_upright):
        cut = y0 + tall * rng.uniform(0.38, 0.62)
        parts = [(x0, y0, x1, cut - 10), (x0, cut + 10, x1, y1)]
    else:
        cut = x0 + wide * rng.uniform(0.38, 0.62)
        parts = [(x0, y0, cut - 9, y1), (cut + 9, y0, x1, y1)]
    return [r for part in parts for r in _divide(part, rng, depth + 1, page_width)]


def _make_for(rect: Rect, rng: random.Random, sheet: Sheet, i: int) -> str:
    wide, tall = rect[2] - rect[0], rect[3] - rect[1]
    if i > 0 and rng.random() < 0.14 and tall < 420:
        return rng.choice(("advert", "advert", *EXTRAS))
    make = rng.choice(MAKES)
    if tall < 240 and make in ("photo_top", "photo_story", "quote"):
        make = "top"
    if wide < 300 and make in ("quote", "partial", "left_start", "upright_mid", "corner_photo", "photo"):
        make = "top"
    if tall < 180 and make.startswith(("upright", "lead", "boxed", "photo", "briefs", "corner")):
        make = "top"
    return make


# --- articles ---------------------------------------------------------------------------------------------------------


def _columns(wide: float, style: Style, rng: random.Random) -> int:
    most = max(1, int(wide / (11.5 * style.body)))
    least = max(1, int(wide / (24 * style.body)))
    return rng.randint(least, most) if most > least else least


def _article(sheet: Sheet, rect: Rect, make: str, rng: random.Random, unit: str) -> Gold:
    if make == "briefs":
        return _briefs(sheet, rect, rng, unit)
    if make == "photo_story":
        return _photo_story(sheet, rect, rng, unit)
    if make == "big_body":
        plain, sheet.style.body = sheet.style.body, round(1.14 * sheet.style.body, 1)
        gold = _article(sheet, rect, "top", rng, unit)
        sheet.style.body = plain
        return gold
    gold, style, writer = Gold(), sheet.style, Writer(rng)
    news = writer.news(rng.choice((1, 1, 1, 2, 2, 3)) if rect[2] - rect[0] > 300 else rng.choice((1, 2)))
    x0, y0, x1, y1 = rect
    if make == "boxed":
        sheet.box(x0, y0, x1, y1)
        x0, y0, x1, y1 = x0 + 12, y0 + 10, x1 - 12, y1 - 8
    elif rng.random() < 0.45:
        sheet.rule(x0, y1 + 8, x1, y1 + 8)
    columns = _columns(x1 - x0, style, rng)
    tops, holes = [y0] * columns, []
    inner = (x0, y0, x1, y1)
    if make.startswith("upright"):
        slots = _upright(sheet, inner, make, news, columns, rng, unit)
    elif make in ("partial", "left_start") and columns >= 3:
        slots = _beside(sheet, inner, make, news, columns, rng, unit)
    else:
        lead_top = y0
        if make == "photo_top":
            lead_top = y0 + min(0.35 * (y1 - y0), 0.6 * (x1 - x0))
            sheet.picture(x0, y0, x1, lead_top)
            lead_top += 8
        if make == "lead_above":
            lead_top = _lead(sheet, (x0, y0, x1), writer, news, unit) + 4
        top = _headline(sheet, (x0, lead_top, x1), news, rng, unit)
        if make == "lead":
            top = _lead(sheet, (x0, top, x1), writer, news, unit) + 6
        tops = [top] * columns
        if make in ("photo", "corner_photo"):
            holes = [_photo(sheet, (x0, top, x1, y1), columns, make, writer, gold, rng, unit)]
        if make == "quote":
            holes = [_quote(sheet, (x0, top, x1, y1), columns, writer, unit)]
        slots = column_slots(x0, x1, tops, y1, style, holes)
        if style.column_rules and not holes:
            gutter = style.gutter * style.body
            width = (x1 - x0 - gutter * (columns - 1)) / columns
            for k in range(1, columns):
                x = x0 + k * (width + gutter) - gutter / 2
                sheet.rule(x, top, x, y1)
    return _write(sheet, slots, news, writer, gold, rng, unit)


def _write(
    sheet: Sheet,
    slots: Sequence[Slot],
    news: PrintedArticle,
    writer: Writer,
    gold: Gold,
    rng: random.Random,
    unit: str,
) -> Gold:
    """Write paragraphs until the slots are nearly full, then set them."""
    if len(slots) < 3:
        sheet.ops = [op for op in sheet.ops if op.unit.split("/")[0] != unit]
        return gold
    goal = int(len(slots) * rng.uniform(0.86, 0.99)) if len(slots) > 12 else len(slots)
    lead, news.paragraphs = list(news.paragraphs), []
    room = sum(slot.width for slot in slots[:goal]) / sheet.style.body
    plan: list[str] = []
    opening = rng.choice(("本报讯 ", "本报讯（记者 {a}）", "", "", "", "本报讯 记者{a}报道 "))
    while True:
        text = writer.paragraph() if plan else opening.format(a=news.authors[0]) + writer.paragraph()
        lines = sum(int((len(p) + 2) / (room / max(1, goal))) + 1 for p in [*plan, text])
        if lines > goal - 1 and plan:
            break
        plan.append(text)
        if lines > goal:
            break
    subheads = (
        {i: writer.subhead() for i in range(2, len(plan) - 1, 4)}
        if len(plan) > 6 and rng.random() < 0.6
        else {}
    )
    for keep in range(len(plan), 0, -1):
        before = len(sheet.ops)
        _, whole = sheet.fill(plan[:keep], slots, unit, subheads)
        if whole == keep:
            break
        del sheet.ops[before:]
    else:
        sheet.ops = [op for op in sheet.ops if op.unit.split("/")[0] != unit]
        return gold
    body = plan[:keep]
    if rng.random() < 0.12 and not opening:
        at = max(
            k
            for k, op in enumerate(sheet.ops)
            if op.unit.startswith(f"{unit}/") and op.unit != f"{unit}/head"
        )
        if (
            sheet.ops[at].text.endswith("。")
            and len(sheet.ops[at].text) * style_of(sheet) < slots[0].width - 60
        ):
            sheet.ops[at].text += f"（{news.authors[0]}）"
    body[0] = body[0].removeprefix("本报讯 ")
    gold.articles.append(
        {
            "title": "".join(news.title),
            "kicker": news.kicker,
            "subtitle": news.subtitle,
            "byline": news.authors,
            "body": "\n".join([*lead, *body]),
        }
    )
    return gold


def _headline(
    sheet: Sheet,
    place: tuple[float, float, float],
    news: PrintedArticle,
    rng: random.Random,
    unit: str,
    upto: float = 9.0,
) -> float:
    """Set kicker, title, subtitle and byline over a measure; return where the text may begin."""
    x0, y, x1 = place
    style, font = sheet.style, sheet.style.title_font
    longest = max(len(line) for line in news.title)
    size = min(style.body * rng.uniform(style.headline, 4.4), (x1 - x0) / (longest + 0.6), 46)
    if size < 1.8 * style.body and len(news.title) == 1 and " " in news.title[0]:
        news.title = news.title[0].split(" ")
        size = min(style.body * style.headline, (x1 - x0) / (max(map(len, news.title)) + 0.6))
    if size < 1.8 * style.body and len(news.title) == 1:
        half = len(news.title[0]) // 2
        news.title = [news.title[0][:half], news.title[0][half:]]
        size = min(style.body * style.headline, (x1 - x0) / (max(map(len, news.title)) + 0.6))
    left = rng.random() < 0.35
    if news.kicker:
        small = min(0.5 * size, (x1 - x0) / (len(news.kicker) + 1))
        if small < 1.15 * style.body:
            news.kicker = ""
        else:
            y += small * 1.1
            _set(sheet, news.kicker, (x0, x1), y, small, font, unit, left)
            y += 0.4 * small
    for line in news.title:
        y += size
        _set(sheet, line, (x0, x1), y, size, font, unit, left)
        y += 0.16 * size
    if news.subtitle:
        small = min(0.5 * size, (x1 - x0) / (len(news.subtitle) + 1))
        if small < 1.15 * style.body:
            news.subtitle = ""
        else:
            y += small * 1.4
            _set(sheet, news.subtitle, (x0, x1), y, small, font, unit, left)
    if rng.random() < 0.45:
        byline = rng.choice(("■ {n}", "本报记者 {n}", "□ 记者 {n}", "▶ {n} 文/图")).format(
            n=" ".join(news.authors)
        )
        y += 2.0 * style.body
        _set(sheet, byline, (x0, x1), y, style.body, style.byline_font, unit, left)
    return y + 0.9 * style.body


def _set(
    sheet: Sheet,
    text: str,
    measure: tuple[float, float],
    y: float,
    size: float,
    font: str,
    unit: str,
    left: bool,
) -> None:
    if left:
        sheet.line(text, measure[0], y, size, font, f"{unit}/head")
    else:
        sheet.centred(text, *measure, y, size, font, f"{unit}/head")


def _beside(
    sheet: Sheet, rect: Rect, make: str, news: PrintedArticle, columns: int, rng: random.Random, unit: str
) -> list[Slot]:
    """The headline stands over some columns only; the others begin at its height."""
    x0, y0, x1, y1 = rect
    style = sheet.style
    gutter = style.gutter * style.body
    width = (x1 - x0 - gutter * (columns - 1)) / columns
    over = rng.randint(2, columns - 1)
    if make == "partial":
        top = _headline(sheet, (x0, y0, x0 + over * (width + gutter) - gutter), news, rng, unit)
        tops = [top] * over + [y0] * (columns - over)
    else:
        top = _headline(sheet, (x0 + (columns - over) * (width + gutter), y0, x1), news, rng, unit)
        tops = [y0] * (columns - over) + [top] * over
    return column_slots(x0, x1, tops, y1, style)


def _upright(
    sheet: Sheet, rect: Rect, make: str, news: PrintedArticle, columns: int, rng: random.Random, unit: str
) -> list[Slot]:
    x0, y0, x1, y1 = rect
    style, font = sheet.style, sheet.style.title_font
    news.subtitle = ""
    if " " in news.title[0] and (y1 - y0) / (1.14 * len(news.title[0])) < 1.8 * style.body:
        news.title = news.title[0].split(" ")
    size = min(style.body * style.headline, (y1 - y0) / (1.14 * max(map(len, news.title))))
    small = 0.55 * size
    if len(news.kicker) * small * 1.12 > y1 - y0 or small < 1.2 * style.body:
        news.kicker = ""
    block = len(news.title) * 1.3 * size + (1.5 * small if news.kicker else 0) + style.body
    mid = make == "upright_mid" and columns >= 3
    first = columns // 2 if mid else 0
    usable = (x1 - x0) - block
    gutter = style.gutter * style.body
    width = (usable - gutter * (columns - 1)) / columns
    if width < 8 * style.body:
        columns = max(1, columns - 1)
        first = min(first, columns - 1)
        width = (usable - gutter * (columns - 1)) / columns
    at = (
        x0 + first * (width + gutter)
        if mid and first
        else (x0 if make != "upright_right" else x1 - block + style.body)
    )
    right = at + block - style.body
    if news.kicker:
        sheet.upright(news.kicker, right - small, y0 + size, small, font, f"{unit}/head")
        right -= 1.5 * small
    for line in news.title:
        sheet.upright(
            line,
            right - size,
            y0 + (0 if line is news.title[0] else 1.2 * size * (size * 1.12 * (len(line) + 1.2) < y1 - y0)),
            size,
            font,
            f"{unit}/head",
        )
        right -= 1.3 * size
    if make == "upright_right":
        return column_slots(x0, x1 - block, [y0] * columns, y1, style)
    if mid and first:
        before = column_slots(x0, at - gutter, [y0] * first, y1, style)
        return before + column_slots(at + block, x1, [y0] * (columns - first), y1, style, first_column=first)
    return column_slots(x0 + block, x1, [y0] * columns, y1, style)


def _lead(
    sheet: Sheet, place: tuple[float, float, float], writer: Writer, news: PrintedArticle, unit: str
) -> float:
    x0, y, x1 = place
    style = sheet.style
    paragraph = writer.sentence() + writer.sentence()
    plain = style.body
    style.body = round(plain * 1.15, 1)
    inset = 0.04 * (x1 - x0)
    slots = column_slots(x0 + inset, x1 - inset, [y + 4], y + 400, style)
    used, _ = sheet.fill([paragraph], slots, f"{unit}/lead")
    bottom = slots[used - 1].y + 0.8 * style.body
    style.body = plain
    news.paragraphs.append(paragraph)
    return bottom


def _photo(
    sheet: Sheet,
    rect: Rect,
    columns: int,
    make: str,
    writer: Writer,
    gold: Gold,
    rng: random.Random,
    unit: str,
) -> Rect:
    """Put a picture with its caption into the columns' room; return the room they take."""
    x0, y0, x1, y1 = rect
    style = sheet.style
    gutter = style.gutter * style.body
    width = (x1 - x0 - gutter * (columns - 1)) / columns
    over = min(columns, 2 if columns > 2 else 1)
    first = rng.randint(0, columns - over)
    left = x0 + first * (width + gutter)
    wide = over * (width + gutter) - gutter
    if make == "corner_photo" and columns >= 2:
        wide = width * 0.5 if width > 15 * style.body else wide
    tall = min(0.42 * (y1 - y0), wide * 0.66)
    top = y0 if rng.random() < 0.5 else y0 + (y1 - y0 - tall) * rng.uniform(0.3, 0.5)
    caption, size = writer.caption(), 0.88 * style.body
    sheet.picture(left, top, left + wide, top + tall)
    if width_of(caption, style.byline_font, size) > wide:
        caption = caption.split("。")[0][: int(wide / size) - 1]
    sheet.line(caption, left, top + tall + 1.2 * size, size, style.byline_font, f"{unit}/caption")
    gold.captions.append(caption)
    return (left - 1, top - 0.3 * style.body, left + wide + 1, top + tall + 2.2 * size)


def _briefs(sheet: Sheet, rect: Rect, rng: random.Random, unit: str) -> Gold:
    """Several short items below each other, a rule between."""
    gold, style = Gold(), sheet.style
    x0, y0, x1, y1 = rect
    count = max(2, min(4, int((y1 - y0) / 130)))
    tall = (y1 - y0) / count
    for k in range(count):
        writer = Writer(rng)
        news = writer.news()
        news.kicker = news.subtitle = ""
        news.title = [news.title[0].split(" ")[0]]
        top = y0 + k * tall
        size = min(rng.choice((1.5, 1.7, 2.0)) * style.body, (x1 - x0) / (len(news.title[0]) + 1))
        sheet.line(
            news.title[0], x0 + style.body, top + 1.2 * size, size, style.title_font, f"{unit}b{k}/head"
        )
        columns = max(1, min(2, int((x1 - x0) / (17 * style.body))))
        slots = column_slots(x0, x1, [top + 1.9 * size] * columns, top + tall - 12, style)
        _write(sheet, slots, news, writer, gold, rng, f"{unit}b{k}")
        if k + 1 < count and rng.random() < 0.6:
            sheet.rule(x0, top + tall - 4, x1, top + tall - 4)
    return gold


def _advert(sheet: Sheet, rect: Rect, rng: random.Random, unit: str) -> Gold:
    gold, style = Gold(), sheet.style
    x0, y0, x1, y1 = rect
    lines = advert(rng)
    if rng.random() < 0.8:
        sheet.box(x0, y0, x1, y1)
    y = y0 + 30
    for i, line in enumerate(lines):
        size = min((2.6, 1.9, 1.4)[i] * style.body if i < 3 else style.body, (x1 - x0 - 20) / (len(line) + 1))
        sheet.centred(line, x0, x1, y, size, style.title_font, f"{unit}/ad{i}")
        y += 1.9 * size
        if y > y1 - 10:
            lines = lines[: i + 1]
            break
    sheet.line("广告", x1 - 24, y1 - 6, 8, style.title_font, f"{unit}/label")
    gold.adverts.append("\n".join(lines))
    return gold


def style_of(sheet: Sheet) -> float:
    return sheet.style.body


def _photo_story(sheet: Sheet, rect: Rect, rng: random.Random, unit: str) -> Gold:
    """A picture whose text below it is all there is, under a headline above, below or beside."""
    gold, style, writer = Gold(), sheet.style, Writer(rng)
    x0, y0, x1, y1 = rect
    title, text = writer.headline(1)[0].split(" ")[0], writer.story()
    upright = (y1 - y0) > 1.15 * 2.2 * style.body * len(title) and rng.random() < 0.5
    size = min(2.4 * style.body, (x1 - x0) / (len(title) + 1))
    if upright:
        sheet.upright(title, x1 - size, y0 + 4, size, style.title_font, f"{unit}/head")
        x1 -= size + 1.2 * style.body
    else:
        sheet.centred(title, x0, x1, y0 + size, size, style.title_font, f"{unit}/head")
        y0 += 1.5 * size
    bottom = y0 + min(0.55 * (y1 - y0), 0.7 * (x1 - x0))
    sheet.picture(x0, y0, x1, bottom)
    slots = column_slots(x0, x1, [bottom + 4], y1, style)
    while text and sheet.fill([text], slots, f"{unit}/trial")[1] < 1:
        text = text[: text.rstrip("。").rfind("。") + 1]
    sheet.ops = [op for op in sheet.ops if op.unit.split("/")[:2] != [unit, "trial"]]
    if not text:
        sheet.ops = [op for op in sheet.ops if op.unit.split("/")[0] != unit]
        return gold
    sheet.fill([text], slots, unit)
    gold.articles.append({"title": title, "kicker": "", "subtitle": "", "byline": [], "body": text})
    return gold


def _quote(sheet: Sheet, rect: Rect, columns: int, writer: Writer, unit: str) -> Rect:
    """A pull quote in large type in the middle of a column."""
    x0, y0, x1, y1 = rect
    style = sheet.style
    gutter = style.gutter * style.body
    width = (x1 - x0 - gutter * (columns - 1)) / columns
    left = x0 + (columns // 2) * (width + gutter)
    size, top = 1.5 * style.body, y0 + 0.4 * (y1 - y0)
    text = f"{writer.place}{writer.subhead().replace(' ', '')}从这里起步"
    per_line = max(4, int(width / size) - 1)
    rows = [text[k : k + per_line] for k in range(0, len(text), per_line)][:3]
    for k, part in enumerate(rows):
        sheet.line(part, left + 4, top + (k + 1.2) * 1.4 * size, size, style.title_font, f"{unit}/quote")
    bottom = top + (len(rows) + 0.6) * 1.4 * size
    sheet.rule(left, top, left + width, top)
    sheet.rule(left, bottom, left + width, bottom)
    return (left - 1, top - 6, left + width + 1, bottom + 4)


def _extra(sheet: Sheet, rect: Rect, make: str, rng: random.Random, unit: str) -> Gold:
    """Notices, a table, an index of the issue or an advert without a box: nothing of it is an article."""
    gold, style = Gold(), sheet.style
    x0, y0, x1, y1 = rect
    if make == "notices":
        sheet.box(x0, y0, x1, y1)
        sheet.centred("公告", x0, x1, y0 + 24, 20, style.title_font, f"{unit}/head")
        columns = max(1, int((x1 - x0) / 150))
        slots = column_slots(x0 + 8, x1 - 8, [y0 + 34] * columns, y1 - 8, style)
        texts = [notice(rng) for _ in range(max(2, len(slots) // 7))]
        sheet.fill(texts, slots, unit)
        gold.adverts.append(texts[0])
    elif make == "table":
        sheet.centred("今日天气", x0, x1, y0 + 16, 14, style.title_font, f"{unit}/head")
        for k in range(int((y1 - y0 - 30) / 16)):
            sheet.rule(x0, y0 + 24 + 16 * k, x1, y0 + 24 + 16 * k)
            for j, cell in enumerate(
                (
                    rng.choice(("青岚", "云溪", "江陵")),
                    rng.choice(("晴", "多云转晴", "小雨")),
                    f"{rng.randint(1, 9)}~{rng.randint(10, 30)}",
                )
            ):
                sheet.line(
                    cell,
                    x0 + 6 + j * (x1 - x0) / 3,
                    y0 + 36 + 16 * k,
                    style.body,
                    style.body_font,
                    f"{unit}/{j}",
                )
    elif make == "index":
        sheet.box(x0, y0, x0 + min(260, x1 - x0), min(y1, y0 + 150))
        sheet.line("导读", x0 + 10, y0 + 24, 16, style.title_font, f"{unit}/head")
        for k in range(3):
            title = Writer(rng).headline(1)[0].replace(" ", "")[:13]
            sheet.line(
                f"▶ {title}", x0 + 10, y0 + 52 + 34 * k, 1.3 * style.body, style.title_font, f"{unit}/{k}"
            )
            sheet.line(f"A{k + 3}版", x0 + 200, y0 + 66 + 34 * k, style.body, style.body_font, f"{unit}/{k}")
    else:
        sheet.rule(x0, y0, x1, y0)
        part = _advert(sheet, (x0, y0 + 4, x1, y1), rng, unit)
        sheet.ops = [op for op in sheet.ops if not (op.kind == "box" and op.y == y0 + 4)]
        gold.adverts += part.adverts
    return gold
