"""Invented news in Chinese: articles of any length whose sentences differ, from lists of words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

PLACES = [
    "青岚",
    "云溪",
    "泽州",
    "柳川",
    "石桥",
    "江陵",
    "宁丰",
    "海平",
    "白鹭",
    "临湖",
    "安澜",
    "松原",
    "龙泉",
    "西岭",
    "南屏",
    "长宁",
    "金河",
    "望江",
    "秀水",
    "东亭",
]
BODIES = [
    "高新区",
    "开发区",
    "产业园",
    "管委会",
    "社区",
    "街道",
    "总工会",
    "法院",
    "税务局",
    "农场",
    "医院",
    "中学",
    "车站",
    "图书馆",
    "研究院",
    "水务公司",
]
WHO = [
    "党支部",
    "志愿者",
    "工程师",
    "网格员",
    "老党员",
    "青年突击队",
    "技术骨干",
    "居民代表",
    "企业负责人",
    "服务专班",
    "检修班组",
    "大学生村官",
]
DO = [
    "走访",
    "调研",
    "培训",
    "检查",
    "座谈",
    "攻关",
    "宣讲",
    "巡查",
    "帮扶",
    "签约",
    "演练",
    "慰问",
    "评比",
    "修缮",
    "改造",
    "播种",
    "交流",
    "验收",
]
THING = [
    "生产车间",
    "老旧小区",
    "河道堤岸",
    "创新平台",
    "蔬菜大棚",
    "养老驿站",
    "充电设施",
    "供水管网",
    "数字档案",
    "实训基地",
    "物流通道",
    "文化广场",
    "科普展厅",
    "集装箱码头",
]
RESULT = [
    "效率明显提高",
    "群众纷纷点赞",
    "隐患全部消除",
    "订单持续增加",
    "难题迎刃而解",
    "环境焕然一新",
    "成本逐步下降",
    "协议顺利落地",
    "工期大为缩短",
    "课堂更加生动",
]
TIME = [
    "近日",
    "连日来",
    "上周",
    "今年以来",
    "去年底",
    "清晨",
    "雨后",
    "入夏后",
    "节日期间",
    "傍晚",
    "年初",
    "一季度",
]
LINK = [
    "据介绍",
    "与此同时",
    "此外",
    "下一步",
    "不仅如此",
    "在现场",
    "记者了解到",
    "截至目前",
    "在他看来",
    "为此",
]
SAID = ["说", "表示", "介绍", "告诉记者", "坦言", "回忆道"]
IDEA = ["一线", "先锋", "红色", "匠心", "绿色", "智慧", "暖心", "同行", "清廉", "奋进"]
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = "明华建国志强秀英丽娟文军海燕晓东春梅立新玉兰永平思远佳琪子涵雨桐浩然若曦"


@dataclass
class PrintedArticle:
    """What an article says, before it is set."""

    title: list[str]
    kicker: str = ""
    subtitle: str = ""
    authors: list[str] = field(default_factory=list)
    paragraphs: list[str] = field(default_factory=list)
    subheads: dict[int, str] = field(default_factory=dict)


class Writer:
    """Writes about one place and body; every sentence is new."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.place, self.body = rng.choice(PLACES), rng.choice(BODIES)

    def name(self) -> str:
        return self.rng.choice(SURNAMES) + "".join(self.rng.sample(GIVEN, self.rng.choice((1, 2, 2))))

    def number(self) -> str:
        kind = self.rng.randrange(4)
        if kind == 0:
            return f"{self.rng.randint(2, 980)}"
        if kind == 1:
            return f"{self.rng.uniform(1, 60):.1f}"
        return f"{self.rng.randint(3, 99)}" if kind == 2 else f"{self.rng.randint(1000, 9000)}余"

    def sentence(self) -> str:
        r, c = self.rng, self.rng.choice
        forms = (
            lambda: f"{c(TIME)}，{self.place}{self.body}{c(WHO)}来到{c(THING)}开展{c(DO)}，{c(RESULT)}。",
            lambda: (
                f"{c(LINK)}，{self.place}{self.body}已{c(DO)}{c(THING)}{self.number()}处，{c(DO)}{c(WHO)}{self.number()}人次，{c(RESULT)}。"
            ),
            lambda: (
                f"“我们把{c(THING)}当作自家的事，{c(DO)}一遍再{c(DO)}一遍。”{self.place}{self.body}{c(WHO)}{self.name()}{c(SAID)}。"
            ),
            lambda: (
                f"围绕“{c(IDEA)}{c(DO)}”行动，{c(WHO)}与{c(WHO)}结成对子，就{c(THING)}和{c(THING)}反复{c(DO)}，{c(RESULT)}，{c(RESULT)}。"
            ),
            lambda: (
                f"{r.randint(1, 12)}月{r.randint(1, 28)}日，{self.place}{self.body}投入{self.number()}万元{c(DO)}{c(THING)}（一期），同比增长{r.uniform(1, 40):.1f}%。"
            ),
            lambda: (
                f"{self.place}{self.body}负责人{self.name()}{c(SAID)}，{c(DO)}之后{c(RESULT)}，{c(WHO)}还将继续{c(DO)}{c(THING)}。"
            ),
            lambda: (
                f"从{c(THING)}到{c(THING)}，从{c(DO)}到{c(DO)}，{self.place}人用{self.number()}个日夜写下了{c(IDEA)}答卷。"
            ),
        )
        return c(forms)()

    def paragraph(self) -> str:
        return "".join(self.sentence() for _ in range(self.rng.choice((1, 1, 2, 2, 3))))

    def headline(self, lines: int) -> list[str]:
        c = self.rng.choice
        first = c(
            [
                f"{self.place}{self.body}{c(DO)}{c(THING)}",
                f"“{c(IDEA)}{c(DO)}”走进{self.place}{c(THING)}",
                f"{self.place}{c(WHO)}{c(DO)}忙",
                f"{self.place}{self.body}：{c(RESULT)}",
            ]
        )
        second = f"{c(WHO)}{c(DO)}{c(RESULT)}"
        if lines == 1 and self.rng.random() < 0.2:
            return [f"{self.place}{c(THING)}{c(DO)}{c(DO)} {second}"]
        return [first, second, f"{c(THING)}{c(RESULT)}"][:lines]

    def news(self, lines: int = 1) -> PrintedArticle:
        r, c = self.rng, self.rng.choice
        found = PrintedArticle(self.headline(lines), authors=[self.name() for _ in range(c((1, 1, 2)))])
        if r.random() < 0.3:
            found.kicker = f"{self.place}{self.body}创新“{c(IDEA)}{c(DO)}”机制"
        if r.random() < 0.3:
            found.subtitle = f"——{self.place}{self.body}{c(WHO)}{c(DO)}{c(THING)}纪实"
        return found

    def story(self) -> str:
        """Return what stands under a picture that is a story of its own."""
        return "".join(self.sentence() for _ in range(3))

    def subhead(self) -> str:
        c = self.rng.choice
        return c([f"{c(DO)}{c(DO)} {c(RESULT)}", f"“{c(IDEA)}{c(DO)}”{c(RESULT)}", f"{c(THING)}{c(RESULT)}"])

    def caption(self) -> str:
        return f"{self.place}{self.body}{self.rng.choice(WHO)}在{self.rng.choice(THING)}{self.rng.choice(DO)}。{self.name()} 摄"


ADVERT_LINES = (
    "{place}商贸城盛大开业",
    "全场特价 竭诚欢迎您",
    "开业期间全场优惠，团购更省心",
    "电话：0{a}-{b}",
    "地址：{place}市{place}路{n}号商贸城三层",
    "招商热线：400-{b}",
    "微信扫码咨询 名额有限",
)


def advert(rng: random.Random) -> list[str]:
    """Return the lines of an advert."""
    values = {
        "place": rng.choice(PLACES),
        "a": rng.randint(100, 999),
        "b": rng.randint(1000000, 9999999),
        "n": rng.randint(1, 900),
    }
    return [line.format(**values) for line in ADVERT_LINES]


def notice(rng: random.Random) -> str:
    """Return one small notice (遗失声明, 注销公告, 减资公告)."""
    place, name = rng.choice(PLACES), rng.choice(SURNAMES) + "".join(rng.sample(GIVEN, 2))
    code = "".join(rng.choice("0123456789ABCDEFGHJK") for _ in range(18))
    return rng.choice(
        [
            f"遗失声明：{place}{name}商行遗失营业执照副本，统一社会信用代码：{code}，声明作废。",
            f"注销公告：{place}{name}有限公司经股东会决议拟注销，已成立清算组，请债权人自公告之日起45日内申报债权。",
            f"减资公告：{place}{name}科技有限公司经决议减少注册资本至{rng.randint(10, 900)}万元，请债权人申报债权，特此公告。",
            f"{name}不慎遗失残疾证，证号{rng.randint(10**9, 10**10)}，声明作废。",
        ]
    )
