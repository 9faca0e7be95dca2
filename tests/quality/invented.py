"""Invents articles about zones that exist nowhere: headlines, bodies and bylines for made newspaper pages."""

from __future__ import annotations

import random

from tests.quality.torn_pages import Piece, name, zone

_TOPICS = {
    "产业链": "产业链党建",
    "楼宇": "楼宇党建",
    "营商": "营商环境",
    "人才": "人才服务",
    "廉洁": "清廉园区",
    "志愿": "志愿服务",
    "两新": "两新组织党建",
    "治理": "基层治理",
}
_TITLES = (
    "{z}{t}激发园区新动能",
    "{z}以{t}赋能高质量发展",
    "{z}:{t}跑出加速度",
    "{t}为企业发展添动力",
    "{z}“红色{k}”品牌擦亮{t}底色",
    "党建引领{t} 园区发展有活力",
    "{z}打造{t}“{n}分钟服务圈”",
    "{z}{t}做法获评全省优秀案例",
)
_OPENINGS = (
    "近日,{z}召开{t}工作推进会,总结今年以来的做法和成效,对下一阶段{t}工作作出部署。会议由{z}党工委副书记{p}主持。",
    "{m}月{d}日,{z}{t}现场观摩活动在{c}产业园举行,来自{n}家企业的党组织负责人参加活动,实地查看了党群服务中心和车间一线。",
    "今年以来,{z}聚焦{t},以“红色{k}”为抓手,推动党组织建在项目一线、党员先锋作用发挥在关键环节,各项工作取得新进展。",
    "日前,记者走进{z}{c}产业园,党群服务中心里人来人往,前来咨询政策的企业代表正在与党员先锋岗的工作人员交流,{t}的氛围扑面而来。",
)
_SENTENCES = (
    "{z}把{t}纳入年度重点任务清单,建立“周调度、月通报、季评比”机制,确保{n}项任务件件有着落。",
    "针对企业反映的用工、融资、用能等问题,{z}组建{n}支党员服务队,累计走访企业{q}家,协调解决问题{h}件。",
    "“以前办一件事要跑好几个部门,现在服务专员上门帮我们把材料一次备齐。”{c}公司负责人{p}说。",
    "在{c}产业园,党支部与生产班组结对共建,党员{p}带领团队攻克{n}项工艺难题,产品合格率提高到{h}%以上。",
    "{z}坚持党建带群建,依托{n}个党群服务站常态化开展政策宣讲、技能培训、法律咨询等活动,覆盖职工{q}余人次。",
    "据介绍,{c}公司党支部成立以来,先后培养入党积极分子{n}名,把{h}名业务骨干培养成党员。",
    "为了让{t}见到实效,{z}推行“一企一策”清单化管理,由党工委班子成员带头包联重点项目{n}个。",
    "{z}还建立了企业评价机制,每季度请企业给服务打分,满意度由年初的{h}%上升到目前的九成以上。",
    "下一步,{z}将继续深化{t},完善制度、创新载体、建强队伍,以高质量党建引领高质量发展。",
    "{p}告诉记者,服务队每周都会到企业走一走、看一看,能当场解决的当场解决,不能当场解决的限期答复。",
    "党课讲到了车间,{z}邀请劳动模范、技术能手走上讲台,用{n}个身边故事讲透道理,听课职工超过{q}人次。",
    "围绕{t},{z}与{c}学院共建实训基地,今年已有{h}名毕业生通过基地走上工作岗位。",
)
_KICKERS = ("{z}创新载体抓落实——", "把支部建在产业链上", "小切口做好大文章", "{z}党工委聚焦主责主业——")
_SUBHEADS = (
    "建强组织筑堡垒",
    "优化服务解难题",
    "创新机制添活力",
    "凝聚合力促发展",
    '"双链融合"提质效',
    '"清单管理"见实效',
)
_CAPTIONS = (
    "图为{z}党员服务队走访企业。",
    "右图:{m}月{d}日,{z}开展主题党日活动。",
    "左图:技术人员在车间讨论工艺。 {p} 摄",
    "图片来源:{z}",
)
_PHRASES = [
    "衡器",
    "精工",
    "启明",
    "恒泰",
    "远航",
    "华锐",
    "中晟",
    "联创",
    "天诺",
    "智远",
    "金桥",
    "瑞丰",
    "创谷",
    "海川",
    "凌云",
    "博远",
]


def invent(rng: random.Random, *, torn: bool) -> Piece:
    """Return an invented article; `torn` has its headline torn."""
    topic = _TOPICS[rng.choice(list(_TOPICS))]
    values = {"z": zone(rng), "t": topic, "k": rng.choice(_PHRASES)}
    paragraphs = [_filled(rng.choice(_OPENINGS), rng, values)]
    pool = rng.sample(_SENTENCES, rng.randint(5, len(_SENTENCES)))
    while pool:
        take = min(len(pool), rng.randint(1, 3))
        paragraphs.append("".join(_filled(pool.pop(), rng, values) for _ in range(take)))
    piece = Piece(_filled(rng.choice(_TITLES), rng, values), paragraphs, torn=torn)
    piece.byline = name(rng) if rng.random() < 0.7 else None
    if rng.random() < 0.25:
        piece.kicker = _filled(rng.choice(_KICKERS), rng, values)
    if len(paragraphs) >= 4 and rng.random() < 0.4:
        length = rng.choice((7, 9))
        first, second = rng.sample([s for s in _SUBHEADS if len(s) == length], 2)
        piece.subheads = {1: first, 3: second}
    if rng.random() < 0.35:
        piece.caption = _filled(rng.choice(_CAPTIONS), rng, values)
    return piece


def _filled(text: str, rng: random.Random, values: dict[str, str]) -> str:
    numbers = {"n": rng.randint(3, 30), "q": rng.randint(60, 900), "h": rng.randint(40, 99)}
    day = {"m": rng.randint(1, 12), "d": rng.randint(1, 28)}
    return text.format(p=name(rng), c=rng.choice(_PHRASES), **numbers, **day, **values)
