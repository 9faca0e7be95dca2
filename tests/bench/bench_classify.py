"""Articles a second for zones, themes and relevance together: `python tests/bench/bench_classify.py`.

Texts of 1,500 characters made of the project's own sentences: one in three speaks of zones and Party work, so that a
text holds about as many words of the vocabulary as a real article (150 to 200); every sixth is in traditional script.
Time is that of the processor, not of the clock.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from crawler.classify.classify import load_classifier

LENGTH = 1500
COUNT = 400
PLAIN = (
    "清晨的薄雾还没有散去，山脚下的茶园里已经有了采茶人的身影，竹篓里的嫩芽带着露水。",
    "记者在现场看到，三台起重机同时作业，工人们把最后一榀钢梁稳稳放到桥墩上，掌声随即响起。",
    "老张说，过去这条路一到雨天就泥泞难行，如今铺上了沥青，孩子上学再也不用绕远。",
    "气象部门预计，未来三天冷空气将影响北方大部，最低气温下降六到八摄氏度，需注意防寒保暖。",
    "实验室负责人表示，新的涂层材料在零下四十摄氏度仍能保持韧性，目前正在进行第二轮测试。",
    "展览分为四个单元，通过两百余件文物讲述了古城的变迁，周末每天接待观众近万人。",
    "当地居民自发组织了志愿服务队，为独居老人送餐、理发，还帮忙修理漏水的水管和老化的电线。",
    "从第一批种子下地到丰收，技术员几乎天天守在田间，记录下每一株苗的长势和病虫害情况。",
    "会议要求，各部门要压实责任，细化措施，确保各项任务按时完成，让群众有更多获得感。",
    "企业负责人介绍，今年以来订单比去年增长两成，生产线已经开足马力，预计年底产值突破五亿元。",
    "小区门口的便民服务点每天早上六点开门，水果蔬菜新鲜平价，邻居们买完菜顺便聊上几句。",
    "比赛进行到最后一分钟，主队队员抓住机会反击得手，全场观众起立欢呼，气氛达到高潮。",
)
QUALITY = Path(__file__).parents[1] / "quality"


def articles() -> list[tuple[str, str]]:
    rows = [
        line.split("\t")
        for line in (QUALITY / "relevance.tsv").read_text("utf-8").splitlines()
        if not line.startswith("#")
    ]
    rows = [row for row in rows if row[2].isascii() is False and "區" not in row[2]]
    chance = random.Random(5)
    made = []
    for number in range(COUNT):
        title = chance.choice(rows)[1]
        text = ""
        while len(text) < LENGTH:
            text += (chance.choice(PLAIN) if chance.random() < 2 / 3 else chance.choice(rows)[2]) + "\n"
        if not number % 6:
            text = text.replace("区", "區").replace("党", "黨").replace("国", "國").replace("会", "會")
        made.append((title, text[:LENGTH]))
    return made


def main() -> None:
    classifier = load_classifier()
    texts = articles()
    for title, text in texts[:20]:
        classifier.classify(title, text)
    best = min(_seconds(classifier, texts) for _ in range(5))
    sys.stdout.write(f"classify: {COUNT / best:,.0f} articles/s ({best / COUNT * 1e6:.0f} us each)\n")


def _seconds(classifier: object, texts: list[tuple[str, str]]) -> float:
    start = time.process_time()
    for title, text in texts:
        classifier.classify(title, text)  # type: ignore[attr-defined]
    return time.process_time() - start


if __name__ == "__main__":
    main()
