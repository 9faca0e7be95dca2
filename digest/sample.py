"""Made-up issues: what `parknews template check` renders, and what tests look at. Deterministic, no database."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from digest.issue import Material, draft_issue
from store.config import Config, Office
from store.issues import Candidate, Copy, Draft, Earlier, EditorAct, SourceLook, Tag
from store.models import Issue

#: A Monday, 08:00 in Shanghai.
SAMPLE_NOW = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
_PRACTICE = re.compile("“[^”]+”(?=党群服务中心)")
_FIGURE = re.compile(
    "(?:党组织|结对|收集问题|解决技术难题|驿站|民生实事|服务职工|指导员)[^0-9]?[0-9]+[个名家件项人]"
)
_ZONES = [
    "合肥高新区",
    "西安高新区",
    "成都高新区",
    "武汉东湖高新区",
    "长沙高新区",
    "济南高新区",
    "杭州高新区",
    "南京高新区",
    "郑州高新区",
    "厦门火炬高新区",
    "芜湖高新区",
    "宝鸡高新区",
    "柳州高新区",
    "绵阳高新区",
    "常州高新区",
    "昆明高新区",
]
_OUTLETS = ["园区日报", "示例晚报", "样报网", "党群在线", "基层先锋网", "样例新闻客户端"]
_DEEDS = (
    (
        "service",
        "推行“首席服务员”制度，党员干部联系企业{n}家",
        "11月{d}日，{z}党工委召开助企服务推进会，{n}名党员干部与企业“一对一”结对，现场收集问题{m}件、办结{k}件。会议由党工委组织部主持。",
    ),
    (
        "chain",
        "链上党建联盟扩至{n}家，年内解决技术难题{k}项",
        "{z}依托产业链组建党建联盟，吸纳上下游企业党组织{n}个，今年已组织联合攻关{m}次，解决技术难题{k}项。联盟实行轮值制度。",
    ),
    (
        "two_new",
        "新建两新党组织{n}个，组织覆盖持续扩大",
        "记者11月{d}日从{z}获悉，今年以来全区新建两新党组织{n}个，选派党建指导员{m}名，党的组织覆盖率达到9{k}%。",
    ),
    (
        "venue",
        "党群服务中心晚间开放，服务职工{n}人次",
        "{z}“星火驿站”党群服务中心实行错时开放，开设夜校课程{k}门，累计服务职工{n}人次。驿站由{m}名党员志愿者值守。",
    ),
    (
        "gig",
        "为骑手建驿站{k}个，吸纳流动党员{n}名",
        "围绕新就业群体，{z}建成“小哥驿站”{k}个，登记流动党员{n}名，每月举办“骑手说事”活动。该区还开通了诉求直通车。",
    ),
    (
        "study",
        "举办理论学习读书班，{n}名干部参加",
        "11月{d}日至{e}日，{z}举办领导干部理论学习读书班，{n}名干部参加，安排专题辅导{k}场。",
    ),
    (
        "discipline",
        "开展作风巡察，发现问题{n}个",
        "{z}纪检监察工委对{k}个部门开展作风专项巡察，发现问题{n}个，已督促整改{m}个。",
    ),
    (
        "governance",
        "网格党支部牵头办成民生实事{n}件",
        "{z}把党支部建在网格上，{k}个网格党支部今年办成民生实事{n}件，群众满意率9{k}%。",
    ),
    (
        "mass",
        "工会联合会成立，{n}家企业职工入会",
        "11月{d}日，{z}工会联合会成立，首批{n}家企业的{m}00名职工入会。",
    ),
    (
        "org",
        "召开党建工作述职评议会",
        "11月{d}日，{z}召开基层党建工作述职评议会，{k}个党委书记现场述职，{n}名代表测评。",
    ),
)
#: Stories that tell of another one's event in other words.
_SAME_EVENT = {13: 3}
#: Texts that have broken templates, mail readers or Word before.
HOSTILE = (
    "<script>alert(1)</script>党建<b>引领</b>",
    "{{7*7}}{% for x in y %}党建",
    "超长标题" * 75,
    "\u202e反向的标题\u202c与\u200e控制符\x07\x00",
    "😀👨‍👩‍👧‍👦红色🚩引擎",
    "坏\ud800字\ufffe符 & < > \" ' ]]>",
    "العربية في العنوان 党建",
    "",
)


def sample_issue(config: Config | None = None, *, stories: int = 60, hostile: bool = False) -> Draft:
    """Return an issue of `stories` made-up stories; with `hostile` every third has a title, link or gap meant to break things."""
    made = config or Config(
        office=Office(
            watch_zones=["合肥高新区", "贵阳高新区"], report_to="党工委领导", send_to="各部门、各直属党组织"
        )
    )
    material = Material(
        [_candidate(n, hostile=hostile) for n in range(stories)],
        _acts(stories),
        _looks(),
        [_past(n) for n in range(46, 36, -1)],
    )
    return draft_issue(material, made, SAMPLE_NOW, SAMPLE_NOW)


def _candidate(n: int, *, hostile: bool) -> Candidate:
    theme, title, text = _DEEDS[n % len(_DEEDS)]
    told = _SAME_EVENT.get(n, n)
    zone = _ZONES[(told * 7 + told // 5) % len(_ZONES)]
    words = {
        "z": zone,
        "n": 12 + n * 5 % 70,
        "m": 8 + n % 9,
        "k": 3 + n % 6,
        "d": 16 + n % 6,
        "e": 17 + n % 6,
    }
    title, text = f"{zone}{title.format(**words)}", text.format(**words)
    published = (
        SAMPLE_NOW - timedelta(hours=5 + told * 3 % 150) if n % 20 != 19 else SAMPLE_NOW - timedelta(days=90)
    )
    url, outlets = f"https://news.example.cn/2026/11/{n}.html", _OUTLETS[n % 5 : n % 5 + 1 + n % 4]
    moment: datetime | None = published
    if hostile and n % 3 == 0:
        title, url = (
            HOSTILE[n // 3 % len(HOSTILE)],
            "javascript:alert(1)" if n % 2 else 'https://a.example/<">',
        )
        moment, outlets, zone = None, [""] if n % 6 else outlets, "" if n % 9 else zone
    tags = (*((Tag("zone", zone, "actor"),) if zone else ()), Tag("theme", theme, None))
    read: dict[str, Any] = {"figures": _FIGURE.findall(text), "practices": _PRACTICE.findall(text)}
    seen = SAMPLE_NOW - timedelta(hours=2)
    main = Copy(n * 10, title, text, url, outlets[0], outlets[0], moment, seen, "", read, (), tags)
    copies = _copies(main, outlets)
    earlier = Earlier(9000 + n, "前期报道的标题", 45, 2026, 45) if n % 17 == 3 else None
    return Candidate(n + 1, title, outlets[0], moment, published, 0.9, copies, earlier)


def _copies(first: Copy, outlets: list[str]) -> tuple[Copy, ...]:
    further = [
        replace(
            first,
            article_id=first.article_id + n,
            url=f"https://copy{n}.example.cn/{first.article_id}",
            publisher=name,
            site=name,
        )
        for n, name in enumerate(outlets[1:], 1)
    ]
    return (first, *further)


def _acts(stories: int) -> list[EditorAct]:
    at = SAMPLE_NOW - timedelta(hours=3)
    note = "本期助企服务类报道较多，各单位可结合实际借鉴。"
    acts = [EditorAct(1, None, "note", note, "", "编者", at, None)]
    if stories > 1:
        acts.append(
            EditorAct(2, None, "erratum", "第46期第3条“服务站53个”应为“服务站35个”。", "", "编者", at, None)
        )
        acts.append(EditorAct(3, 2, "pin", "", "领导关注", "编者", at, None))
    return acts


def _looks() -> list[SourceLook]:
    first, fresh = SAMPLE_NOW - timedelta(days=300), SAMPLE_NOW - timedelta(days=1)
    return [
        SourceLook("a", "园区日报", "up", "", 160, 2, first, fresh, frozenset({"合肥高新区"})),
        SourceLook("b", "贵阳样报", "down", "timeout", 0, 12, first, first, frozenset({"贵阳高新区"})),
        SourceLook("c", "基层先锋网", "up", "", 168, 0, first, SAMPLE_NOW - timedelta(days=23), frozenset()),
    ]


def _past(number: int) -> Issue:
    end = SAMPLE_NOW - timedelta(days=7 * (47 - number))
    return Issue(
        number=number,
        year=2026,
        year_number=number,
        period_start=end - timedelta(days=7),
        period_end=end,
        due_at=end,
        composed_at=end,
        content={"counts": {"stories": 30 + number * 13 % 29}},
    )
