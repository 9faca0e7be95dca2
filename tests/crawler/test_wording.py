from __future__ import annotations

import pytest

from crawler.extract.wording import is_credit, is_notice

NOTICES = (
    "免责声明", "版权归示例社", "未经本网许可", "转载请注明出处", "转载自请联系", "如需转载请来信", "禁止转载", "谢绝转载", "请勿转载",
    "不代表本站", "并不意味着示例网赞同其观点", "仅代表作者本人", "信息存储空间", "如有侵权请及时联系删除", "侵权必究", "本网所有稿件", "凡本网注明",
    "请在微信中打开", "扫描下方二维码", "长按图中二维码", "识别图中二维码", "扫码关注", "扫一扫下载", "关注示例公众号", "微信号：abc", "下载示例客户端",
    "打开示例app", "安装手机客户端", "举报电话", "投诉邮箱", "新闻热线电话", "联系方式", "爆料热线", "投稿邮箱", "更多新闻请关注", "京ICP备1号", "京icp证1号",
    "公网安备", "COPYRIGHT 示例", "All rights reserved", "声明：本文", "特别声明", "点击此处", "示例相关资讯请关注", "正文已结束", "国内统一刊号：CN",
    "地址：示例路 邮编：1", "主办单位：示例 技术支持：甲", "邮发代号", "网站标识码", "不构成投资建议", "风险自担", "本文来自示例公众号",
)  # fmt: skip
NEWS = (
    "高新区召开会议", "会议发布重要声明：今后五年", "代表们不代表自己", "记者联系了企业负责人", "他把地址写在纸上，没有邮编", "请微信转告大家",
    "区里打开新局面", "更多企业落户高新区", "信息产业园",
)  # fmt: skip


@pytest.mark.parametrize("text", NOTICES)
def test_notices_of_the_page_are_told_from_news(text: str) -> None:
    assert is_notice(text)


@pytest.mark.parametrize("text", NEWS)
def test_news_is_no_notice(text: str) -> None:
    assert not is_notice(text)


def test_a_credit_is_read_off_the_end_of_a_caption() -> None:
    long = "六月一日，党员志愿者在高新区党群服务中心为职工子女讲故事并赠送图书文具等节日礼物，" * 2
    assert is_credit(f"{long}记者张三摄")
    assert is_credit(f"{long}（图片来源：{'示例' * 11}）")
    assert not is_credit(f"（图片来源：示例社）{long}")
    assert not is_credit(f"{long * 3}张三摄")
