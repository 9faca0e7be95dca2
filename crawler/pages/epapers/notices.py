"""Titles in a newspaper page's list that are no articles."""

from __future__ import annotations

import re

_NO_ARTICLE = re.compile(
    "(?:分类|公益|形象|本版|招聘|遗失)?(?:广告|公告|启事|声明|告示|通告|公示|信息)(?:栏|版|专版|专栏|信息|[一二三四五六七八九十\\d])?"
    "|(?:图片|摄影|图说|视觉)(?:报道|新闻|故事)?|(?:今日)?(?:导读|导航|目录|要目|索引|版面导读|内容导读|报头|报眼|刊头|题图|版头|眉头|报花|题花|栏头|压题图|插图|漫画|二维码|天气(?:预报)?)"
    "|(?:本版)?(?:责任)?(?:责编|编辑|主编|校对|美编|版式|组版)(?:[:：/ ].{0,40})?|本(?:版|报|期).{0,3}(?:责编|编辑|信息|声明|启事|地址|社址)(?:[:：].{0,40})?"
    "|无标题|标题|未命名|空白?|图|头图|配图|版权(?:声明|所有)?|社址.{0,30}|零售(?:价)?.{0,20}|稿件.{0,6}|(?:本版|本期|本报)?(?:责任|值班)?(?:责编|编辑|校对|主编|美编)[^。]{0,30}|\\d{1,4}|[\\W_]+"
)
_NOTICE_END = re.compile(
    "(?:公告|公示|启事|讣告|更正|致歉|(?:遗失|注销|减资|清算|严正|作废|债权.{0,4}|合并|分立)声明|通告|招标书?|拍卖会?|招租|招聘|征稿|征订|征文启事|欢迎(?:赐稿|投稿|订阅)|挂牌出让.{0,4})(?:[（(].{0,12}[）)])?$"
)
_ADVERT = re.compile("^[【\\[(（]?(?:广告|推广)[】\\])）:： ]|[（(]广告[）)]$|[ \u3000]广告$")


def is_no_article(title: str) -> bool:
    """Say whether a list's entry is an advert, a notice, a picture or a credit, going by its title."""
    bare = re.sub("\\s+", "", title)
    if not bare or _NO_ARTICLE.fullmatch(bare):
        return True
    return bool(_ADVERT.search(title) or (_NOTICE_END.search(bare) and len(bare) <= 40))


def is_advert_page(name: str) -> bool:
    """Say whether a newspaper page, going by its name, holds adverts or notices only."""
    return bool(
        re.fullmatch(
            "(?:整版|分类|公益|专题|形象)?(?:广告|公告|公示|启事|声明|分类信息)(?:专版|版|专刊)?",
            re.sub(r"\s+", "", name),
        )
    )


def reason_of(title: str) -> str:
    """Return why an entry is no article: a word of crawler.exceptions.NOT_ARTICLE_REASONS."""
    bare = re.sub("\\s+", "", title)
    if re.search("图片|摄影|图说|视觉|题图|漫画|插图", bare):
        return "picture_only"
    return "advert" if "广告" in bare or "推广" in bare else "notice"
