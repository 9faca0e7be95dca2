"""Makes newspaper pages of articles and tears their text as copying out of a page PDF or an OCR tool does."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

_SLIPS = {"入": "人", "未": "末", "己": "已", "日": "曰", "向": "间", "——": "一", "土": "士", "大": "太"}
_CITIES = [
    "衡川",
    "临泽",
    "青岚",
    "苏宁",
    "东陵",
    "海昌",
    "云水",
    "长宁",
    "平渡",
    "金沂",
    "丰原",
    "蓝田",
    "石门",
    "宝山",
    "新安",
    "武沙",
    "江岭",
    "通河",
    "涪陵",
    "泉南",
    "德清",
    "广宁",
    "齐河",
    "嘉定",
    "昌平",
    "梧川",
    "安塘",
    "赤岭",
    "桂江",
    "银沙",
]
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = [
    "伟",
    "芳",
    "敏静",
    "建国",
    "晓燕",
    "志强",
    "雨桐",
    "思远",
    "海涛",
    "文博",
    "丽",
    "军",
    "春梅",
    "立新",
    "佳",
    "宏宇",
]
_ADVERTS = (
    (
        "{zone}欢迎您",
        "凝心聚力 再谱新篇",
        "{zone}管理委员会",
        "电话: 0{n}-{p}",
        "地址: {city}市创新大道{k}号",
    ),
    ("{city}商业银行", "服务实体 普惠民生", "客服热线:96{k}", "网址:www.bank{k}.example"),
    ("热烈祝贺{zone}科技大市场开业", "诚邀海内外客商投资兴业", "招商热线:0{n}-{p} 邮箱:zs{k}@example.cn"),
    ("{city}印象·书香府邸", "现房实景 火热认购中", "抢购热线:0{n}-{p}", "项目地址:{city}市滨河路{k}号"),
    ("爱国守法 明礼诚信 团结友善 勤俭自强 敬业奉献", "{zone}文明办宣"),
)
_FURNITURE = (
    "A4 党建",
    "责任编辑:{name} 版式:{name} 校对:{name}",
    "2025年7月1{d}日 星期二",
    "本版责编:{name}",
    "新闻热线:010-68{k}",
)


@dataclass
class Piece:
    """An article to be set on a page; `torn` articles have their headline torn."""

    title: str
    paragraphs: list[str]
    kicker: str | None = None
    byline: str | None = None
    subheads: dict[int, str] = field(default_factory=dict)
    caption: str | None = None
    torn: bool = False

    @property
    def body(self) -> str:
        return "\n".join(self.paragraphs)


@dataclass
class TornPage:
    """The torn text with what it was made of."""

    text: str
    articles: list[Piece]
    adverts: list[str]
    captions: list[str]


def name(rng: random.Random) -> str:
    return rng.choice(_SURNAMES) + rng.choice(_GIVEN)


def zone(rng: random.Random) -> str:
    return rng.choice(_CITIES) + "高新区"


def _fill(text: str, rng: random.Random) -> str:
    city = rng.choice(_CITIES)
    values = {
        "zone": city + "高新区",
        "city": city,
        "name": name(rng),
        "d": rng.randint(0, 9),
        "n": rng.randint(300, 900),
    }
    return text.format(p=rng.randint(2_000_000, 8_999_999), k=rng.randint(100, 999), **values)


def _columns(text: str, rng: random.Random) -> list[str]:
    """Cut a paragraph where columns end: once or twice, mostly inside a sentence."""
    if len(text) < 120 or rng.random() < 0.45:
        return [text]
    cut = rng.randint(40, len(text) - 30)
    return [text[:cut], *([text[cut:]] if rng.random() < 0.8 else _columns(text[cut:], rng))]


def _spaced(text: str, rng: random.Random) -> str:
    """Leave a space at every end of a printed line, as careless joining does."""
    width = rng.randint(11, 24)
    return " ".join(text[i : i + width] for i in range(0, len(text), width))


def _slips(text: str, rng: random.Random, rate: float) -> str:
    return "".join(_SLIPS[c] if c in _SLIPS and rng.random() < rate else c for c in text)


def _torn_headline(title: str, rng: random.Random) -> list[str]:
    style = rng.random()
    if style < 0.35:
        pieces, i = [], 0
        while i < len(title):
            step = rng.randint(1, 3)
            pieces.append(title[i : i + step])
            i += step
        return pieces
    if style < 0.6:
        cut = rng.randint(max(2, len(title) - 4), len(title) - 1)
        return [title[:cut], *title[cut:]]
    if style < 0.8:
        cut = len(title) // 2
        return [title[:cut], title[cut:]]
    cut = 6 if "高新区" in title[:6] else rng.randint(3, max(4, len(title) - 6))
    start, rest = title[:cut], title[cut:]
    half = min(len(rest), rng.randint(2, 5))
    first = rest[:half] + start if rng.random() < 0.4 and "高新区" in start else start + rest[:half]
    return [first, *rest[half:]]


def tear(articles: list[Piece], rng: random.Random, *, slip_rate: float = 0.02) -> TornPage:
    """Return the articles set on one page and torn."""
    marked = rng.random() < 0.35
    page = TornPage("", articles, [], [])
    lines: list[str] = []
    if rng.random() < 0.4:
        lines.append(
            ("## " if marked else "") + rng.choice(["党建在高新", "园区动态", "综合新闻", "高新视点"])
        )
    for piece in articles:
        lines += _article(piece, rng, page, marked=marked, slip_rate=slip_rate)
        if rng.random() < 0.3:
            lines += _advert(rng, page)
    if rng.random() < 0.5:
        place = rng.choice([0, len(lines)])
        lines[place:place] = [_fill(rng.choice(_FURNITURE), rng)]
    page.text = _joined(lines, rng)
    return page


def _joined(lines: list[str], rng: random.Random) -> str:
    out = ""
    for i, line in enumerate(lines):
        glue = i and line.startswith("本报讯") and lines[i - 1].endswith("。") and rng.random() < 0.15
        out += ("" if not i else " " if glue else "\n\n\n\n" if rng.random() < 0.05 else "\n\n") + line
    return out


def _advert(rng: random.Random, page: TornPage) -> list[str]:
    lines = [_fill(line, rng) for line in rng.choice(_ADVERTS)]
    page.adverts.append("\n".join(lines))
    marker = rng.random() < 0.7 or not any(
        mark in lines[-1] for mark in ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    )
    return ["广告", *lines] if marker else lines


def _article(
    piece: Piece, rng: random.Random, page: TornPage, *, marked: bool, slip_rate: float
) -> list[str]:
    body: list[str] = []
    for i, paragraph in enumerate(piece.paragraphs):
        if i in piece.subheads:
            body.append(("## " if marked else "") + piece.subheads[i])
        segments = _columns(_slips(paragraph, rng, slip_rate), rng)
        body += [_spaced(s, rng) if rng.random() < 0.25 else s for s in segments]
    head: list[str] = []
    dateline = piece.torn or rng.random() < 0.45
    if piece.kicker and not piece.torn:
        head.append(("## " if marked else "") + piece.kicker)
    if not piece.torn:
        head.append(("## " if marked else "") + piece.title)
    if dateline:
        by = (
            f"({rng.choice(['通讯员', '记者', '特约通讯员'])} {piece.byline})"
            if piece.byline and rng.random() < 0.5
            else ""
        )
        body[0] = f"本报讯{by or ' '}" + body[0]
    elif piece.byline:
        head.append(rng.choice(["▶ ", "□ ", "■ 本报记者 ", "本报记者 ", ""]) + piece.byline)
    if piece.torn:
        place = rng.randint(1, max(1, len(body) - 1))
        body[place:place] = _torn_headline(piece.title, rng)
    if piece.caption:
        page.captions.append(piece.caption)
        place = rng.randint(0, len(body)) if not piece.torn else len(body)
        body[place:place] = [piece.caption]
    return head + body
