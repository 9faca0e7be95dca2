"""Made-up articles and every kind of copy and look-alike of them, from a seed: documents in order of arrival and labelled pairs.

The articles are built from this file's own words; nothing is taken from anywhere. Their sentences are grammatical enough
to have the statistics of Chinese news: function words, names, figures, set phrases that all share.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import opencc


def _listed(words: str) -> list[str]:
    return words.split()


_NOUNS = _listed(
    "党员 支部 企业 园区 项目 干部 群众 社区 车间 技术 团队 服务 平台 机制 产业 链条 人才 专班 网格 驿站 课堂 阵地 品牌 清单 台账 难题 诉求 "
    "订单 工艺 设备 图纸 样品 芯片 电机 叶片 船舶 药品 软件 数据 仓库 码头 厂房 食堂 宿舍 班车 学校 医院 公园 河道 楼宇 商圈 街道 窗口 热线 "
    "导师 学徒 骑手 司机 农户 专家 教授 博士 书记 主任 厂长 班长 会计 律师 医生 教师 志愿者 退役军人 技术员 联络员 宣讲团 联合会 研究院 实验室"
)
_VERBS = _listed(
    "走访 梳理 协调 推动 解决 培训 组建 打通 认领 公示 评议 试点 改造 升级 对接 引进 孵化 调研 攻关 签约 投产 检修 回访 慰问 宣讲 帮扶 招募 "
    "轮值 结对 挂牌 验收 复盘 督办 通报 表彰 选派 轮训 联建 共享 减免 补贴 压缩 简化 优化 搭建 延伸 覆盖 激活 点亮 擦亮 破解 兑现 落实 盘活"
)
_LINKS = _listed(
    "并 同时 随后 为此 据介绍 不仅如此 在此基础上 一段时间以来 从去年起 接下来 与此同时 说到变化"
)
_TAILS = _listed(
    "受到好评 成为常态 见到实效 少走弯路 当天办结 一次办好 逐项销号 全程留痕 比往年早 有人牵头 有人跟进 形成闭环"
)
_ZONES = _listed("云泽 石洲 凌水 柏山 东渚 鹤台 临塘 金岭 双溪 望河 平陵 青浦湾 白洋 安澜")
_SURNAMES, _GIVEN = "梁穆温柯卞桑厉翟樊郁", "建明晓岚志远文斌海燕立新雨桐"
_SLOGANS = (
    "下一步要坚持把党的领导贯穿发展全过程各环节，以高质量党建引领保障高质量发展，推动各项任务落地见效，为奋力谱写现代化建设新篇章提供坚强保证。",
    "会议强调，要提高站位、压实责任，聚焦主责主业，以钉钉子精神抓好落实，持之以恒正风肃纪，营造风清气正、干事创业的良好氛围。",
)
_FURNITURE_HEAD = (
    "网站首页\n新闻中心\n专题\n当前位置：首页 > 要闻 > 正文\n字号：大 中 小\n分享到：微信 朋友圈\n"
)
_FURNITURE_TAIL = "\n责任编辑：{name}\n相关阅读\n{links}\n版权声明：本网原创内容未经授权不得转载\n扫一扫 下载客户端\n关于我们 联系方式 网站地图"


@dataclass
class Sample:
    """Documents in order of arrival; pairs are (id, id, one story?, kind); `pages` maps a page to the articles it holds."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    pairs: list[tuple[str, str, bool, str]] = field(default_factory=list)
    pages: dict[str, list[str]] = field(default_factory=dict)


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.sample = Sample()
        self.day = date(2026, 1, 1)
        self.traditional = opencc.OpenCC("s2t")

    def words(self, of: list[str], least: int, most: int) -> str:
        return "".join(self.random.choice(of) for _ in range(self.random.randint(least, most)))

    def name(self) -> str:
        return self.random.choice(_SURNAMES) + self.words(list(_GIVEN), 1, 2)

    def clause(self) -> str:
        pick = self.random.choice
        number = self.random.randint(2, 9800)
        forms = (
            lambda: f"{pick(_NOUNS)}{pick(_VERBS)}{pick(_NOUNS)}{pick(_NOUNS)}",
            lambda: f"{pick(_VERBS)}{pick(_NOUNS)}{number}{pick('个名项家次')}",
            lambda: f"{pick(_LINKS)}{pick(_NOUNS)}{pick(_TAILS)}",
            lambda: f"{self.name()}带着{pick(_NOUNS)}到{pick(_NOUNS)}{pick(_VERBS)}{pick(_NOUNS)}",
            lambda: f"把{pick(_NOUNS)}{pick(_VERBS)}到{pick(_NOUNS)}里",
        )
        return pick(forms)()

    def sentence(self) -> str:
        return "，".join(self.clause() for _ in range(self.random.randint(2, 5))) + "。"

    def paragraph(self) -> str:
        return "".join(self.sentence() for _ in range(self.random.randint(2, 4)))

    def title(self) -> str:
        pick = self.random.choice
        return f"{pick(_ZONES)}高新区{pick(_VERBS)}{pick(_NOUNS)}{pick(_VERBS)}{pick(_NOUNS)}{pick(_NOUNS)}"

    def article(self, paragraphs: int) -> tuple[str, str]:
        return self.title(), "\n".join(self.paragraph() for _ in range(paragraphs))

    def add(self, title: str, text: str, *, days: int = 0, site: str | None = None) -> str:
        number = len(self.sample.documents)
        self.sample.documents.append(
            {
                "id": f"d{number:05d}",
                "title": title,
                "text": text,
                "publisher": site or f"s{self.random.randint(0, 30):02d}",
                "published_at": (self.day + timedelta(days=days)).isoformat(),
                "url": f"https://site{number}.example/{number}.html",
            }
        )
        return f"d{number:05d}"

    def pair(self, a: str, b: str, same: bool, kind: str) -> None:
        self.sample.pairs.append((a, b, same, kind))

    # ---- changes: text -> text
    def width(self, text: str) -> str:
        return text.replace("，", ",").replace("。", ". ").replace("1", "１").replace("6", "６")

    def masked(self, text: str) -> str:
        for zone in _ZONES:
            text = text.replace(zone, "**")
        return "".join("*" if c.isdigit() and self.random.random() < 0.8 else c for c in text)

    def page(self, text: str) -> str:
        links = "\n".join(self.title() for _ in range(5))
        return (
            _FURNITURE_HEAD
            + f"来源：{self.random.choice(_ZONES)}日报\n"
            + text
            + _FURNITURE_TAIL.format(name=self.name(), links=links)
        )

    def torn(self, text: str) -> str:
        out, line = [], 0
        for c in text.replace("\n", ""):
            out.append(c)
            line += 1
            if line >= 17 + self.random.randint(0, 2):
                out.append("\n")
                line = 0
            elif self.random.random() < 0.02:
                out.append(" ")
        return "".join(out)

    def noisy(self, text: str) -> str:
        return "".join(self.random.choice(_GIVEN) if self.random.random() < 0.012 else c for c in text)

    def cut(self, share: float) -> Callable[[str], str]:
        return lambda text: text[: int(len(text) * share)] + "……"

    def middle(self, text: str) -> str:
        return text[int(len(text) * 0.35) : int(len(text) * 0.65)]

    def abstract(self, text: str) -> str:
        sentences = text.replace("\n", "").split("。")
        return "。".join(sentences[:3]) + "。"

    def dropped(self, text: str) -> str:
        lines = text.split("\n")
        return "\n".join(line for place, line in enumerate(lines) if place % 3 != 1)

    def reordered(self, text: str) -> str:
        lines = text.split("\n")
        rest = lines[1:]
        self.random.shuffle(rest)
        return "\n".join([lines[0], *rest])

    def edited(self, share: float) -> Callable[[str], str]:
        def edit(text: str) -> str:
            done = []
            for line in text.split("\n"):
                sentences = [s for s in line.split("。") if s]
                done.append(
                    "。".join(self.clause() if self.random.random() < share else s for s in sentences) + "。"
                )
            return "\n".join(done)

        return edit

    def figures(self, text: str) -> str:
        out = []
        for clause in text.split("，"):
            changes = any(c.isdigit() for c in clause) and self.random.random() < 0.35
            out.append("".join(str((int(c) + 3) % 10) if changes and c.isdigit() else c for c in clause))
        return "，".join(out)

    def wire(self, text: str) -> str:
        return f"据新华社电（记者{self.name()}）" + text

    def copies(self) -> dict[str, Callable[[str], str]]:
        def both(*changes: Callable[[str], str]) -> Callable[[str], str]:
            def change(text: str) -> str:
                for one in changes:
                    text = one(text)
                return text

            return change

        return {
            "verbatim": str,
            "width": self.width,
            "masked": self.masked,
            "masked page": both(self.masked, self.page),
            "masked torn": both(self.masked, self.torn),
            "masked half": both(self.cut(0.5), self.masked),
            "traditional": self.traditional.convert,
            "page": self.page,
            "torn": self.torn,
            "noise": both(self.noisy, self.torn),
            "cut 30": self.cut(0.3),
            "cut 50": self.cut(0.5),
            "cut 70": self.cut(0.7),
            "middle": self.middle,
            "abstract": self.abstract,
            "dropped": self.dropped,
            "reordered": self.reordered,
            "edited 5": self.edited(0.05),
            "edited 20": self.edited(0.2),
            "figures": self.figures,
            "headline": str,
            "wire": both(self.wire, self.edited(0.2), self.width),
        }

    def family(self, paragraphs: int = 6) -> str:
        """One article with all its copies; return the original's id."""
        title, text = self.article(paragraphs)
        original = self.add(title, text)
        for kind, change in self.copies().items():
            heading = f"要闻｜{self.title()[-8:]}" if kind == "headline" else title
            if kind.startswith("traditional"):
                heading = self.traditional.convert(title)
            if kind.startswith("masked") and self.random.random() < 0.5:
                heading = self.masked(title)
            copy = self.add(heading, change(text), days=self.random.randint(0, 9))
            self.pair(original, copy, same=True, kind=kind)
        return original

    def brief(self) -> None:
        title, text = self.title(), self.sentence() + self.sentence()
        original = self.add(title, text)
        for kind, change in (("brief", str), ("brief width", self.width), ("brief page", self.page)):
            self.pair(original, self.add(title, change(text)), same=True, kind=kind)

    # ---- look-alikes
    def study(self) -> None:
        """Meetings of one zone in two months, and of another zone, from one template."""
        zones = self.random.sample(_ZONES, 2)
        cases = [(zones[0], 3), (zones[0], 4), (zones[1], 3)]
        people = {zone: (self.name(), self.name()) for zone in zones}
        topics = self.random.sample(["基层治理", "作风建设", "人才工作", "产业创新", "生态保护"], 3)
        ids = []
        for (zone, month), topic in zip(cases, topics, strict=True):
            head, second = people[zone]
            text = (
                f"{month}月{self.random.randint(2, 27)}日，{zone}高新区党工委理论学习中心组召开今年第{month}次集体学习会，专题学习{topic}重要论述。\n"
                f"党工委书记{head}主持会议并讲话，党工委副书记{second}领学，班子成员结合分管工作作了交流发言。\n"
                f"{head}指出，{topic}重要论述内涵丰富、思想深刻，为做好当前和今后一个时期的工作提供了根本遵循，各级党组织要切实抓好学习贯彻。\n"
                f"要在学深悟透上下功夫，坚持读原著、学原文、悟原理，做到学思用贯通、知信行统一，把学习成果转化为推动工作的思路举措。\n{_SLOGANS[1]}"
            )
            ids.append(self.add(f"{zone}高新区党工委召开理论学习中心组学习会", text, days=30 * month))
        self.pair(ids[0], ids[1], same=False, kind="study next month")
        self.pair(ids[0], ids[2], same=False, kind="study other zone")

    def statistics(self) -> None:
        zone, roll = self.random.choice(_ZONES), self.random.randint
        ids = []
        for month in (5, 6):
            text = "\n".join(
                (
                    f"1至{month}月，{zone}高新区经济运行总体平稳、稳中有进，主要指标好于预期。",
                    f"规模以上工业增加值同比增长{roll(30, 99) / 10}%，固定资产投资增长{roll(100, 199) / 10}%，技改投资增长{roll(200, 300) / 10}%。",
                    f"新签约项目{roll(10, 90)}个，总投资{roll(1000, 9000) / 10}亿元，新开工项目{roll(10, 90)}个，新增高新技术企业{roll(10, 99)}家。",
                    f"全区共有非公企业党组织{roll(100, 999)}个，党员{roll(1000, 9999)}名，党的工作覆盖率达到{roll(700, 990) / 10}%。",
                )
            )
            ids.append(self.add(f"{zone}高新区经济运行情况", text, days=30 * month))
        self.pair(ids[0], ids[1], same=False, kind="statistics")

    def slogans(self) -> None:
        ids = []
        for _ in range(2):
            title, text = self.article(3)
            ids.append(self.add(title, text + "\n" + "\n".join(_SLOGANS)))
        self.pair(ids[0], ids[1], same=False, kind="slogans")

    def two_on_a_page(self) -> None:
        parts = [self.article(self.random.randint(3, 6)) for _ in range(2)]
        ids = [self.add(title, text) for title, text in parts]
        page = self.add(parts[0][0], "\n".join((parts[0][1], "", parts[1][0], parts[1][1])), days=3)
        self.pair(ids[0], ids[1], same=False, kind="two on a page")
        self.sample.pages[page] = ids

    def newspaper_page(self) -> None:
        parts = [self.article(self.random.randint(2, 5)) for _ in range(5)]
        ids = [self.add(title, text) for title, text in parts]
        text = "\n".join(f"{title}\n{self.torn(text)}" for title, text in parts)
        self.sample.pages[self.add("第03版：要闻", text, days=2)] = ids

    def follow_up(self, original: str) -> None:
        told = next(d for d in self.sample.documents if d["id"] == original)
        quote = told["text"].split("\n")[1]
        text = "\n".join((self.paragraph(), "此前报道，" + quote, self.paragraph(), self.paragraph()))
        self.pair(original, self.add(told["title"] + "后续", text, days=12), same=False, kind="follow-up")

    def roundup(self, originals: list[str]) -> None:
        told = [d for d in self.sample.documents if d["id"] in originals]
        text = "\n".join(f"{n}. {d['title']}\n{d['text'][:60]}" for n, d in enumerate(told, 1))
        page = self.add("一周要闻", text, days=9)
        for original in originals:
            self.pair(original, page, same=False, kind="round-up")


def make(seed: int, families: int = 12) -> Sample:
    """Return a sample with all kinds of copies and look-alikes, in order of publication."""
    maker = Maker(seed)
    originals = []
    for number in range(families):
        maker.day = date(2026, 1, 1) + timedelta(days=10 * number)
        originals.append(maker.family(maker.random.randint(3, 9)))
        for more in (maker.brief, maker.study, maker.statistics, maker.slogans, maker.two_on_a_page):
            more()
        maker.follow_up(originals[-1])
    maker.newspaper_page()
    maker.roundup(originals[:6])
    maker.sample.documents.sort(key=lambda d: str(d["published_at"]))
    return maker.sample
