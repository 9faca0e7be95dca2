"""What stands on a newspaper page and is no article: head and foot of the page, bylines, adverts, notices."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from crawler.extract.lines import Line
    from crawler.extract.pdf import Frame, PdfPage

_DATE = re.compile(r"(20\d\d|19\d\d) ?[年.\-/] ?(\d{1,2}) ?[月.\-/] ?(\d{1,2})(?: ?日|(?!\d))")
_PAPER = re.compile(r"(?:^|[ 《])([\u4e00-\u9fff]{2,12}(?:报|日报|晚报|时报|导报|周刊|周报))(?=$|[ 》])")
_NUMBER = re.compile(r"^(?:第 ?)?([A-Z]{0,2}-?\d{1,3}[A-Z]?)(?: ?版)?$")
_HEAD = re.compile(
    r"星期[一二三四五六日天]|20\d\d ?[年.\-/] ?\d{1,2} ?[月.\-/] ?\d{1,2}|农历|国内统一|邮发代号|总第 ?\d|今日 ?\d+ ?版"
    r"|(?:责编|责任编辑|编辑|校对|版式|美编|值班|统筹|主编|组版|热线|邮箱)[：: ]|^第? ?[A-Z]?\d{1,3} ?版$"
)
#: Dates and credits in the head of a page are small; a headline that names a day is not.
_HEAD_SIZE = 18.0
_FOOT = re.compile(
    r"责编|责任编辑|编辑|校对|版式|美编|检校|组版|值班|热线|电话|邮箱|邮编|地址|印刷|定价|订阅|零售|广告|@|www\.|http|QQ|传真|社址|发行"
)
#: Where no rule parts the foot from the text, its lines must look like it: a word of the trade and what it names.
_FOOT_LINE = re.compile(
    r"(?:责编|责任编辑|编辑|校对|版式|美编|检校|组版|热线|邮箱|邮编|零售|印刷|定价|社址|网址)[：: ]|国内统一|邮发代号"
)
_TRADE = re.compile(r"责任?编辑?|责编|编辑|主编|统筹|值班|版式|校对|检校|美编|组版|策划|制图")
_CREDITS = re.compile(
    r"^(?:本版)?(?:责任?编辑?|责编|编辑|主编|统筹|值班\S{0,3}|版式|校对|美编|组版|策划|新闻热线|投稿邮箱)[：:]"
)


@dataclass
class Masthead:
    """What head and foot of a page say; None where they do not."""

    paper: str | None = None
    date: str | None = None
    page_number: str | None = None
    page_name: str | None = None
    texts: list[str] = field(default_factory=list)


def split_furniture(page: PdfPage, lines: Sequence[Line]) -> tuple[Masthead, list[Line]]:
    """Return what head and foot say, and the lines that belong to neither."""
    top, bottom = _head_end(page, lines), _foot_start(page, lines)
    head = [line for line in lines if (line.y0 + line.y1) / 2 <= top]
    foot = [line for line in lines if (line.y0 + line.y1) / 2 >= bottom]
    dropped = {id(line) for line in head + foot}
    rest = [line for line in lines if id(line) not in dropped and not _is_credits(line.spaced)]
    return read_masthead(head, foot), rest


def _is_credits(spaced: str) -> bool:
    """Whether a line anywhere on the page only says who made the page; words like 统筹 begin lines of text too."""
    if len(spaced) > 60 or "。" in spaced or "，" in spaced:
        return False
    return bool(_CREDITS.match(spaced)) or (" " in spaced and len(_TRADE.findall(spaced)) >= 2)


def _level_rules(page: PdfPage) -> list[Frame]:
    return [r for r in [*page.rules, *page.boxes] if r.width >= 0.5 * page.width and r.height < 8]


def _head_end(page: PdfPage, lines: Sequence[Line]) -> float:
    """The head ends at the first long rule below a date or page number, else with its last typical row."""
    limit = 0.14 * page.height
    typical = [
        line for line in lines if line.y1 <= limit and line.size < _HEAD_SIZE and _HEAD.search(line.spaced)
    ]
    rules = sorted(r.y1 for r in _level_rules(page) if r.y1 <= limit)
    for y in rules:
        above = [line for line in lines if line.y1 <= y + 2]
        close = [line for line in typical if y - 0.035 * page.height <= line.y1 <= y + 2]
        if above and (close or y <= 0.055 * page.height):
            return y + 2
    typical = [line for line in typical if line.y1 <= 0.07 * page.height]
    if not typical:
        return 0.0
    end = max(line.y1 for line in typical)
    beside = [
        line for line in lines if line.y0 < end and line.y1 <= 0.08 * page.height and len(line.text) < 16
    ]
    return max(end, *(line.y1 for line in beside)) if beside else end


def _foot_start(page: PdfPage, lines: Sequence[Line]) -> float:
    limit = 0.93 * page.height
    for y in sorted(r.y0 for r in _level_rules(page) if r.y0 >= limit):
        below = [line for line in lines if line.y0 >= y - 2]
        if not below or any(_FOOT.search(line.text) for line in below):
            return y - 2
    typical = [line.y0 for line in lines if line.y0 >= 0.955 * page.height and _FOOT_LINE.search(line.spaced)]
    return min(typical, default=page.height) - 1


def read_masthead(head: Iterable[Line], foot: Iterable[Line] = ()) -> Masthead:
    """Return paper, day, page number and page name as the lines of head and foot show them."""
    head, foot = sorted(head, key=lambda line: (round(line.base / 6), line.x0)), list(foot)
    found = Masthead(texts=[line.spaced for line in [*head, *foot]])
    joined = " ".join(found.texts)
    if match := _DATE.search(joined.replace(" 年", "年").replace("年 ", "年").replace("月 ", "月")):
        year, month, day = (int(g) for g in match.groups())
        if 1 <= month <= 12 and 1 <= day <= 31:
            found.date = f"{year:04d}-{month:02d}-{day:02d}"
    for line in head:
        _read_head_line(found, line)
    return found


def _read_head_line(found: Masthead, line: Line) -> None:
    text = line.spaced.strip()
    for word in text.split():
        if (match := _NUMBER.match(word)) and not found.page_number and not _DATE.search(text):
            found.page_number = match[1]
        elif (match := _PAPER.search(word)) and not found.paper:
            found.paper = match[1]
        elif (
            re.fullmatch(r"[\u4e00-\u9fff·]{2,8}", word)
            and not _HEAD.search(word)
            and not _FOOT.search(text)
            and not found.page_name
            and line.size >= 10
        ):
            found.page_name = word


# --- bylines ----------------------------------------------------------------------------------------------------------

_MARKS = "□■▶►◆●◇▲△▼▽※◎○◢◣★☆▍▌▎│┃￭▪•"
_ROLE = r"(?:记者|通讯员|报道员|撰稿人?|作者)"
_BYLINE = re.compile(
    rf"^(?:[{_MARKS}]\s*[\u4e00-\u9fff·/（）() ]{{2,40}}"
    rf"|(?:文/?图?|图文|撰文|图/?文?)[：:/ ]\s*[\u4e00-\u9fff·（）() ]{{2,30}}"
    rf"|[\u4e00-\u9fff· ]{{0,16}}?{_ROLE}[\u4e00-\u9fff·/（）()：: ]{{2,40}}"
    rf"|[\u4e00-\u9fff]{{2,4}}(?: [\u4e00-\u9fff]{{2,4}}){{0,3}} ?/? ?(?:文|文/图|文/摄))$"
)
_CREDIT = re.compile(
    r"(?:摄|摄影|供图|制图|绘|漫画|资料图|资料图片|图片来源.{0,12})[）)]?$|^(?:图|供图|摄影|图片)[：:/]"
)
_NAMES_AFTER = re.compile(
    r"(?:记者|通讯员|报道员|作者|撰文|文/?图?|图文)\s*[：:/]?\s*((?:(?!报道|通讯员|记者|见习|实习|受访)[\u4e00-\u9fff]{2,4}?(?:[ 、，]|(?=[）)\s/]|$|通讯员|记者|见习|实习|报道|文|摄|图))\s*){1,6})"
)
_NO_NAME = frozenset(
    [
        "本报",
        "记者",
        "通讯员",
        "报道",
        "摄",
        "文",
        "图",
        "文图",
        "摄影",
        "见习",
        "实习",
        "见习记者",
        "实习记者",
        "特约",
        "受访者",
        "供图",
        "报道员",
        "作者",
        "整理",
        "综合",
        "本报讯",
        "近日",
        "日前",
        "本版",
        "全媒体",
        "融媒体",
        "文摄",
        "摄影报道",
        "撰文",
        "编辑",
    ]
)
#: 下转A05版 at the end of a text, 上接A01版 at the start of a text or title.
TURNS_TO = re.compile(
    r"[（(【\[]?(?:下转|紧接|转)第?\s*([A-Z]?\d{1,3}[A-Z]?)\s*版[^）)】\]。]{0,14}[）)】\]]?$"
)
COMES_FROM = re.compile(r"[（(【\[]?(?:上接|接)第?\s*([A-Z]?\d{1,3}[A-Z]?)\s*版[^）)】\]。]{0,14}[）)】\]]?")
_DATELINE = re.compile(
    r"^(?:本报|[\u4e00-\u9fff·]{2,10}报|新华社|中新社|中新网|新华网|人民网|央视)[\u4e00-\u9fff\d年月日 ]{0,14}(?:讯|电|消息)"
)
_SIGNATURE = re.compile(
    r"[（(][^（）()。]{0,30}?(?:记者|通讯员|据|来源|摄影|综合)?[\u4e00-\u9fff·/、 ]{2,30}[）)]$"
)


def is_byline(spaced: str) -> bool:
    """Whether a short line only names authors (□ ▶ 本报记者, 通讯员, 文/图)."""
    text = spaced.strip()
    if len(text) > 46 or "。" in text or "，" in text:
        return False
    if not _BYLINE.match(text) or (is_credit(text) and "文" not in text[-12:]):
        return False
    return text[0] in _MARKS or "文" in text[-12:] or bool(authors_of(text))


def is_credit(spaced: str) -> bool:
    """Whether a short line only says who took or gave a picture."""
    return len(spaced) <= 30 and bool(_CREDIT.search(spaced.strip()))


def starts_article(spaced: str) -> bool:
    """Whether a text begins as only an article begins: 本报讯, 新华社……电, 上接A01版.

    Other papers' names count only for texts that begin a paragraph: a column may begin with 日报……消息 as well.
    """
    return bool(_DATELINE.match(spaced.lstrip(_MARKS + " ")) or COMES_FROM.match(spaced))


def starts_surely(spaced: str) -> bool:
    """Whether a text begins with 本报讯 or 上接: no column does so in the middle of a sentence."""
    return bool(re.match(r"[（(]?(?:本报(?:讯|.{0,10}(?:讯|电|消息))|上接)", spaced.lstrip(_MARKS + " ")))


def ends_article(text: str) -> bool:
    """Whether a text ends with the names of its authors in brackets or turns to another page."""
    last = text.rsplit("\n", 1)[-1].strip()
    tail = last[-34:]
    return bool(_SIGNATURE.search(tail) or TURNS_TO.search(tail)) and not tail.endswith("。")


def authors_of(spaced: str) -> list[str]:
    """Return the names a byline, a dateline or a signature gives, in order."""
    text = spaced.strip().strip(_MARKS).strip()
    found: list[str] = []
    for match in _NAMES_AFTER.finditer(text):
        found += re.split(r"[ 、，]+", match[1].strip())
    if not found and (text != spaced.strip() or re.search(r"(?:文|摄|图)$", text)):
        found = re.split(r"[ 、，/]+", re.sub(r"\s*/?\s*(?:文/图|文/摄|文|摄|图)$", "", text))
    names = [name for name in found if re.fullmatch(r"[\u4e00-\u9fff]{2,4}", name) and name not in _NO_NAME]
    return list(dict.fromkeys(names))


# --- adverts and notices ----------------------------------------------------------------------------------------------

#: Words and numbers that stand in adverts and hardly ever in news; 招商 and 优惠 alone are news of zones.
_CONTACT = re.compile(
    r"(?:电话|热线|地址|传真|邮箱|邮编|微信|QQ|网址|咨询|预约)[：:]|[热专]线\d|www\.|\.com|@|\d{3,4}[-—]\d{7,8}|1[3-9]\d{9}|400-?\d{3}|扫码|二维码"
)
_SELLING = re.compile(
    r"欢迎您|热烈祝贺|竭诚|特价|抢购|限时|诚聘|诚招|火爆|盛大开[业盘]|钜惠|尊享|团购|免费领|全场|招商热线|敬请光临|鼎力"
)
_PAUSE = re.compile(r"[，。、；]")
#: News has seven to ten commas and stops in 100 letters, an advert nought to three (pages measured: 0.4 and 8.1).
_PROSE = 3.0
_NOTICE_TITLE = re.compile(
    r"^(?!.*(?:发布|发出|印发|出台)).{0,14}(?:公告|公示|通告|声明|启事|讣告|遗失|作废|更正|分类信息|公告栏|广告)$|^(?:拍卖|招标|招租|转让|清算|注销|减资)[公通启]?[告事]?$"
)
_NOTICE_BODY = re.compile(
    r"遗失|声明作废|特此公告|特此声明|特此通告|公告送达|减资公告|注销公告|清算组|债权人|申报债权|竞买人|开标时间|营业执照(?:正|副)本|登报|统一社会信用代码|法院公告|以公告之日|自公告之日"
)


def is_advert(text: str, *, boxed: bool = False) -> bool:
    """Whether a text sells: addresses, telephone numbers and praise with little prose between."""
    signs = len(_CONTACT.findall(text)) + len(_SELLING.findall(text))
    length = max(60, len(text))
    prose = 100 * len(_PAUSE.findall(text)) / length
    if signs >= 2 and prose < (_PROSE + 1 if boxed else _PROSE):
        return True
    return signs >= 4 and 100 * signs / length > 2.5


def is_notice(title: str, text: str) -> bool:
    """Whether a text is a public notice (公告, 声明, 遗失, 注销) by its title or by its set phrases."""
    phrases = len(_NOTICE_BODY.findall(text))
    if _NOTICE_TITLE.search(title.strip()):
        return phrases >= 1 or len(text) < 300
    return phrases >= 2 and 100 * phrases / max(1, len(text)) > 0.8


def is_label(text: str) -> bool:
    """Whether a short text marks an advert."""
    return bool(re.fullmatch(r"[（(·\[]?(?:广告|公益广告|广告专版|AD|形象广告)[）)·\]]?", text.strip()))
