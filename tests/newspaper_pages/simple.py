"""A page with one article over three columns, for tests in which its layout plays no part."""

from __future__ import annotations

from tests.newspaper_pages.typeset import Sheet, Style, column_slots, fonts


def simple_page() -> Sheet:
    fonts()
    sheet = Sheet(740, 1060, Style())
    sheet.line("青岚日报", 24, 40, 18, "STSong-Light", "furniture")
    sheet.line("2025年7月14日 星期一", 220, 40, 8, "STSong-Light", "furniture")
    sheet.line("党建周刊", 540, 40, 20, "STSong-Light", "furniture")
    sheet.line("A03", 670, 40, 26, "STSong-Light", "furniture")
    sheet.rule(24, 50, 716, 50)
    sheet.line("云溪高新区创新机制", 60, 84, 15, "STSong-Light", "one/head")
    sheet.line("云溪把支部建在产业链上", 60, 120, 30, "STSong-Light", "one/head")
    sheet.line("——车间里的先锋岗", 60, 146, 14, "STSong-Light", "one/head")
    sheet.line("■ 王明华 李思远", 60, 166, 9.2, "STSong-Light", "one/head")
    paragraphs = [
        "近日，云溪高新区把党支部建在产业链上，工程师和网格员结成对子，难题迎刃而解。" * 3,
        "“我们把车间当作自家的事，检查一遍再检查一遍。”检修班组王梅说，效率明显提高。" * 3,
        "截至目前，云溪高新区已走访车间83处，培训技术骨干1200余人次，订单持续增加。" * 4,
    ]
    sheet.fill(paragraphs, column_slots(24, 716, [180] * 3, 330, sheet.style), "one")
    return sheet
