"""Lines that stand around an article on any Chinese site and are not the article: one place for their wording."""

from __future__ import annotations

import re
from functools import lru_cache

_EDITOR_WORDS = (
    r"责任编辑|責任編輯|責編|編輯|责\s{0,4}编|本文编辑|本期编辑|网络编辑|网编|值班编辑|执行编辑|栏目编辑|新媒体编辑|微信编辑|编辑|编\s{1,4}辑|选稿|组稿|"
    r"[一二三]审|[初复终]审|审核|审签|审读|校对|编审|编校|监制|总监制|值班主任|值班编委|值班总编|值班主编|责任主编|主编|责任校对|信息编辑|网页编辑|"
    r"技术编辑|图文编辑|视频编辑|责任编委|编排|统筹|策划"
)
#: A line of editors: "责任编辑：…", "(责编：甲、乙)", "编辑 | 丙", also after the last sentence of a paragraph.
EDITOR_LINE = re.compile(
    rf"^(?:【[^】]{{2,4}}】\s?)?[\s\[【（(<>《〔▲■●*—-]{{0,4}}(?:{_EDITOR_WORDS})\s{{0,4}}(?:[:：|｜/丨]|[】\]]\s?[:：]?)"
)
_BARE_EDITOR = re.compile(
    r"^[\s（(\[【]{0,2}(?:本版|责任|本期)?(?:编辑|校对)\s{1,3}[\u4e00-\u9fff]{2,4}(?:[\s、][\u4e00-\u9fff]{2,4}){0,3}[\s）)\]】]{0,2}$"
)
_CREDITS = re.compile(
    r"(?:^|[\s\u3000；;，,|丨（(\[【])(?:记者|编辑|责编|责任编辑|来源|作者|审核|校对|摄影|文字|图片|供稿|供图|监制|统筹|撰稿|组版|[一二三初复终]审)\s{0,2}[:：]"
)
EDITOR_TAIL = re.compile(
    rf"[（(\[【〔]\s{{0,3}}(?:{_EDITOR_WORDS})\s{{0,3}}[:：|｜/]\s{{0,3}}[^。！？]{{0,40}}[)）\]】〕]?\s{{0,3}}$"
)
_SECTION = (
    r"相關(?:新聞|閱讀|報導|文章)|延伸閱讀|推薦閱讀|熱門(?:新聞|文章)|相关(?:阅读|新闻|链接|报道|推荐|文章|内容|资讯|专题|稿件|热词|信息|附件|文件|图片|视频|标签|搜索|评论|解读|热点)|推荐(?:阅读|新闻|文章|视频|内容)|"
    r"延伸阅读|扩展阅读|猜你喜欢|为(?:您|你)推荐|(?:您|你)可能(?:还|也|会|感兴趣)|(?:您|你)可能感兴趣的|大家都在(?:看|搜|读)|大家爱看|"
    r"热门(?:推荐|新闻|文章|评论|排行|阅读|点击|标签|搜索|视频|图片|资讯|专题)|热点(?:推荐|新闻|排行|图片|聚焦|专题|关注)|精彩(?:推荐|图集|图片|阅读|视频|专题|内容)|"
    r"编辑推荐|新闻推荐|最新(?:新闻|文章|评论|资讯|推荐|更新|发布|消息)|新闻排行|点击排行|阅读排行|(?:24|48)小时(?:热|排|点击|新闻)|(?:一周|本周|今日|每日)(?:热|排行|推荐|要闻)|"
    r"网友评论|用户评论|我要评论|我来说两句|发表评论|评论列表|全部评论|最新评论|网友跟帖|文章评论|参与评论|查看评论|写评论|精彩评论|"
    r"更多(?:新闻|精彩|相关|内容|资讯|阅读|>>|＞＞|文章|推荐|图片|视频)|往期(?:回顾|推荐|精选|精彩)|今日(?:推荐|热点|要闻|关注)|视觉焦点|独家策划|图片新闻|"
    r"您此时的心情|看完这篇|新闻表情排行|新闻心情|友情链接|附件下载|分享到|分享至|扫码阅读|扫一扫|精选留言|本文相关|文章标签|关键词"
)
SECTION_HEAD = re.compile(
    rf"^[\s\[【（(<>《>＞|▼↓■●◆·*—-]{{0,4}}(?:{_SECTION})[^。，]{{0,8}}[:：>＞\])】）》↓▼|\s]{{0,6}}$"
)
_CONTROLS = re.compile(
    r"^[\s\[【（(<|>＞]{0,4}(?:分享(?:到|至|给)?|转发(?:到)?|打印(?:本[页文稿])?|收藏(?:本[页文])?|点赞|评论|举报|投诉|我要纠错|纠错|挑错|字[号体](?:大小)?|字号选择|"
    r"关闭(?:窗口|本页|页面)?|返回(?:顶部|首页|列表|上一页)?|繁體|简体|繁体|无障碍(?:阅读)?|手机(?:看新闻|阅读|版|浏览)|浏览(?:次数|量)|阅读(?:次数|量|数|全文|剩余全文|原文|下一篇)?|"
    r"点击(?:数|量|率|次数|查看|加载|右上角|图片|播放|下方|上方|收听)|人气|访问(?:量|次数)|播放|暂停|全屏|参与(?:人数)?|登录|注册|我要(?:投稿|评论|分享|留言|收藏|打印)|"
    r"微信|微博|朋友圈|QQ空间|QQ好友|新浪微博|腾讯微博|人人网|豆瓣|复制链接|复制网址|Qzone|加入收藏|推荐(?:给好友|到)?|赞|踩|顶|"
    r"[大中小](?:号)?|正文|上一[篇页条张]|下一[篇页条张]|上篇|下篇|首页|尾页|末页|加载更多|查看更多|查看全部|展开(?:全文|剩余)?|收起|"
    r"显示全文|全文阅读|余下全文|在本页阅读全文|单页阅读|听新闻|语音播报|听全文|朗读|关注|已关注|立即下载|下载客户端|打开APP|打开客户端|打赏|赞赏|喜欢|在看|"
    r"复制成功|图片来自网络|资料图|网络图|图集|编辑|原创|微信扫一扫|T大|T小|T\+|T-|A\+|A-|责任编辑|来源|作者)"
    r"[\d\s:：()（）|｜\[\]【】、,，.·/><＞＜+-]{0,12}$",
    re.IGNORECASE,
)
#: Heads that are never subheads of an article; the others may be (附件, 相关信息) and need links below them.
_STRONG_HEAD = re.compile(
    r"评论|跟帖|分享|推荐|热门|热点|排行|猜|您|你|大家|心情|更多|往期|看点|焦点|扫|最新|标签|小时|友情|推薦|熱門"
)


def _each(starts: str, rest: str) -> str:
    """Alternatives that each begin with a letter: such a search steps over all other letters, ten times as fast."""
    return "|".join(start + rest for start in starts.split("|"))


_NOTICE = re.compile(
    r"免责声明|版权(?:声明|归|所有|与免责)|未经(?:书面|本[网站报]|许可|授权|允许|同意|本公司)|转载自?请|如需转载|禁止(?:转载|复制)|谢绝转载|请勿转载|"
    r"不(?:代表|意味着)(?:本[站网]|[^，。]{0,12}(?:立场|观点|赞同))|仅代表(?:作者|个人|本人)|信息(?:网络传播视听|存储空间|发布平台)|"
    r"如(?:有|涉及|需|因|若)[^。]{0,24}(?:侵权|版权|著作权|删除|转载)[^。]{0,30}(?:联系|告知|删除|处理|通知)|侵权(?:请|必究|联系|删除|即删)|"
    r"本[网站报](?:所有|未注明|注明|转载|原创|凡)|凡(?:注明|本网|本站|标注|来源)|请(?:使用|在)?(?:浏览器|微信)[^。]{0,10}(?:分享|打开|扫)|"
    + _each("扫描?|长按|识别", "[^。，]{0,14}二维码")
    + r"|扫(?:一扫|码)[^。]{0,12}(?:关注|下载|分享|阅读|手机|查看|加入|打开)|"
    r"关注[^。，]{0,16}(?:公众号|微信号|公众平台|官方微信|微信平台|官方微博)|微信(?:公众号|号)[:：]|"
    + _each("下载|打开|安装", "[^。，]{0,12}(?:客户端|(?i:APP))")
    + "|"
    + _each("举报|投诉|新闻热线|联系|爆料|投稿", "(?:电话|邮箱|热线|方式)")
    + r"|更多[^。，]{0,16}(?:请关注|请点击|敬请|尽在|请下载|请登录|请访问|请浏览)|"
    r"公网安备|特别声明|点击(?:此处|这里|进入|上方|下方|图片)[^。]{0,14}$|正文已结束|邮发代号|网站标识码|不构成(?:投资|任何)|风险自担|"
    r"本文(?:系|为|由|来自|来源)[^。]{0,30}(?:授权|转载|首发|原创|公众号|不得)"
)
_NOTICE_IN_LATIN = re.compile("icp[备证]|copyright|all rights reserved")
_NOTICE_START = re.compile(
    r"声明[:：]|[^。]{0,12}相关(?:资讯|新闻|内容)请关注|国内统一刊号[:：]|"
    r"(?:地址|邮编|主办|承办|技术支持|主办单位|运行维护)[^。]{0,80}(?:邮编|电话|承办|技术支持|传真|版权|备案|邮发)"
)
_ORIGIN = re.compile(
    r"^[\s\[【（(<《]{0,4}(?:原标题|原题|原文标题|原文链接|文章来源|稿件来源|信息来源|新闻来源|资料来源|图片来源|内容来源|[来來]\s{0,4}源(?:于)?|稿源|转自|摘自|出处|原载于?|发布时间|发布日期|"
    r"更新时间|(?:时\s{0,2}间|日\s{0,2}期)(?=\s?[:：]\s?(?:(?:19|20)\d\d\s?[-/.年]|$))|作\s{0,4}者|供稿(?:单位|人)?|发布(?:单位|人|机构|者)|录入|录入者|来稿|本文来源|本文转自|关键[词字]|标\s?签|分类|栏目|浏览量|浏览次数|点击数|点击率|点击|阅读量|阅读|"
    r"字号|频道|索引号|主题词|上传时间|信息提供|文图来源|图文来源|图片|配图|摄影|供图|题图|图源|文章标签|Tags?)\s{0,3}(?:[:：|｜丨]|$|[】)）]\s?[:：]?)",
    re.IGNORECASE,
)
_CAPTION = re.compile(
    r"^(?:[▲△▼↑↓◆◀▶►]|[（(]?(?:图为|图[一二三四五六七八九十\d]{0,2}[:：]|图说|图片说明|配图|题图|资料图|资料图片|视频截图|网页截图|制图|漫画)|图\s?\d{1,2}\s|[（(]图)"
)
_CREDIT = re.compile(
    r"(?:[（(【\[]?(?:摄影|供图|图片来源|图源|资料图片?|图片?|照片|来源|图/|插图|制图|漫画)[^。，]{0,24}[)）】\]]?|"
    r"[^。，]{0,20}(?:摄|供图|/摄|制图|资料图片?|图片|绘|发)[)）】\]]?|新华社发|新华社记者[^。]{2,8}摄)\s?$"
)
#: No match of the pattern above is longer.
_CREDIT_ROOM = 40
_PAGER_PIECE = re.compile(
    r"上一页|下一页|首页|尾页|末页|[共第]\s?\d{1,3}\s?页|\d{1,3}|\.{2,3}|[…\s\[\]【】（）()<>＜＞«»|/·]"
)
_CRUMB = re.compile(
    r"(?:当前|现在|您的|所在)(?:的)?位置|您(?:现|当前)?(?:所)?在(?:的位置)?[:：]|首页\s{0,3}[>＞»›/\-—→|]{1,3}|[>＞»›]{1,3}\s{0,3}(?:正文|内容|详情|文章)\s{0,2}$|正在阅读"
)
_SIGNS = re.compile(
    r"^[-—_=~*·•.\s\d+×xX,，|/<>]{1,30}$|^[-—\s*]{0,6}(?:THE\s?)?END[-—\s*]{0,6}$|^(?:更多|详细|详情|MORE)[>＞»\s.…]{0,6}$",
    re.IGNORECASE,
)
_SENTENCE = re.compile("[。！？!?；;…]")
_PUNCTUATION = re.compile("[，。！？；：、,!?;“”‘’…—]")


def is_editor_line(text: str) -> bool:
    """Whether the line names editors and says nothing else."""
    if len(text) > 80 or "。" in text:
        return False
    if len(text) <= 60 and (EDITOR_LINE.match(text) or _BARE_EDITOR.match(text)):
        return True
    return len(_CREDITS.findall(text)) >= 2


def is_section_head(text: str) -> bool:
    """Whether the line heads a list of other articles, comments or share buttons."""
    return len(text) <= 24 and SECTION_HEAD.match(text) is not None


def is_strong_head(text: str) -> bool:
    """Whether a section head can only be the page's, never a subhead of the article."""
    return is_section_head(text) and _STRONG_HEAD.search(text) is not None


def is_control(text: str) -> bool:
    """Whether the line is a button or counter, or nothing but signs."""
    return len(text) <= 30 and (_CONTROLS.match(text) is not None or _SIGNS.match(text) is not None)


def is_notice(text: str) -> bool:
    """Whether the line is about the page (rights, apps, QR codes), not of the article."""
    return len(text) <= 400 and _is_notice(text)


@lru_cache(maxsize=512)
def _is_notice(text: str) -> bool:
    """The same; kept, since a line is asked for it at several steps and pages of one site end with the same lines."""
    return (
        _NOTICE.search(text) is not None
        or _NOTICE_START.match(text) is not None
        or _NOTICE_IN_LATIN.search(text.lower()) is not None
    )


def is_origin(text: str) -> bool:
    """Whether the line gives original title, source, author or time with a label."""
    return len(text) <= 90 and _ORIGIN.match(text) is not None


def is_caption(text: str) -> bool:
    """Whether the line says by itself that it explains a picture."""
    return len(text) <= 160 and (_CAPTION.match(text) is not None)


def is_credit(text: str) -> bool:
    """Whether the line ends as picture captions do: who took it, where it is from."""
    return len(text) <= 120 and _CREDIT.search(text[-_CREDIT_ROOM:]) is not None


def is_pager(text: str) -> bool:
    """Whether the line leads to other pages of the article."""
    if len(text) > 80 or not ("页" in text or "1" in text):
        return False
    return not _PAGER_PIECE.sub("", text) and ("页" in text or "2" in text)


def is_breadcrumb(text: str) -> bool:
    """Whether the line is the path of the page in its site."""
    return len(text) <= 160 and "。" not in text and _CRUMB.search(text) is not None


def sentences(text: str) -> int:
    """How many sentence ends the text has."""
    return len(_SENTENCE.findall(text))


def punctuation(text: str) -> int:
    """How many Chinese punctuation marks the text has."""
    return len(_PUNCTUATION.findall(text))
