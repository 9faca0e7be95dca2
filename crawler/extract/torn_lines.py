"""Lines of text torn out of a newspaper page: what each one is, with the damage inside it repaired."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from enum import Enum

from crawler.extract.printed_lines import join_printed
from store.text import clean_text

#: Longer input is no newspaper page (a broadsheet page holds 8,000 to 12,000 characters).
MAX_CHARACTERS = 200_000
MAX_LINES = 5_000

CJK = "\u3400-\u9fff\uf900-\ufaff"
_CJK = re.compile(f"[{CJK}]")
_WIDE = f"{CJK}\u3000-\u303f\uff00-\uffef\u2018-\u201d\u2014\u2026\u00b7"
_SPACE_BESIDE_WIDE = re.compile(f"(?<=[{_WIDE}]) +(?=\\S)|(?<=\\S) +(?=[{_WIDE}])")
_SPACE_BESIDE_MARK = re.compile(r"(?<=[,;:!?%)\]}]) +(?=\S)|(?<=\S) +(?=[,;:!?%)\]}.])")

#: A sentence ends here, closing quotes and brackets included.
_FINISHED = re.compile("[。!?！？…;；.:：][”’」』》)）】\"']*$")
_SENTENCE_MARK = re.compile("[。;；]")

_FURNITURE = re.compile(
    "^(?:第?[A-Z]?\\d{1,3}版?|(?:[A-Z]\\d{1,2}|\\d{2})(?: ?版?[:： ]|版)[一-鿿·]{2,6}|[A-Z]\\d{1,2}(?:版)?|(?:(?:本版|责任|值班|版面|美术|图片|执行)?(?:责编|编辑|主编|校对|校检|版式|美编|制图|组版|检校|审读|总监)[:：/ ].{0,40})"
    "|\\d{4}年\\d{1,2}月\\d{1,2}日.{0,14}|(?:\\d{4}年\\d{1,2}月\\d{1,2}日)?星期[一二三四五六日天].{0,14}"
    "|(?:下转|上接|转自|紧接).{0,12}版.{0,6}|[(（](?:下转|上接|紧接).{1,14}[)）]"
    "|(?:新闻热线|投稿邮箱|电子邮箱|电子信箱|本报地址|邮编|网址|E-?mail|国内统一(?:连续出版物)?刊?号)[:： ]?.{0,60}"
    "|[-—=_*·.~]{2,}|总?第\\d+期.{0,10}|CN\\d{2}-\\d{4}.{0,20}|https?://\\S+|www\\.\\S+)$",
    re.IGNORECASE,
)
_TURN = re.compile(
    "[(（▶►→ ]{0,4}(?:下转|上接|紧接)第?[A-Z]?\\d{1,2}版?[^。]{0,10}[)）]?$|^[(（](?:上接|紧接)第?[A-Z]?\\d{1,2}版?[^。]{0,10}[)）]"
)

_CAPTION_START = re.compile(
    "^(?:[△▲▼◀▶←→↑↓]\\s*)?(?:[上下左右本主中]?(?:图|组图|组图片)(?:[①-⑩一二三四\\d])?(?:为|[:：])|[上下左右][图侧]|图片(?:来源|说明|新闻)?[:：]|图[①-⑩\\d][:：为]|图为"
    "|(?:资料|新闻)?(?:照片|图片)[:：]|题图[:：为]|制图[:：]|供图[:：]|摄影[:：])"
)
_CAPTION_END = re.compile(
    "(?:摄影报道|摄影|供图|摄|制图|(?:资料|效果)图|图/[^\\s。]{2,12}|文/图)[)）]?[。.]?$"
)
_CREDIT = re.compile(
    f"^(?:图片来源|图片由|图/|摄影?/|供图|图片)[:：]?[^。]{{1,24}}$|^[{CJK}\\s]{{2,16}}[/ ]?(?:摄影|供图|摄|图)$"
)
_CAPTION_SENTENCE = re.compile("^[^。]{1,120}。(?:[^。]{1,24}(?:摄影|供图|摄)[)）]?[。]?)?")

_ADVERT_MARKER = re.compile(
    "^[\\[【(（ ]*(?:公益|商业|形象)?(?:广 ?告|推 ?广|启 ?事|遗 ?失 ?声 ?明|声 ?明)[\\]】)） ]*$"
)
_NOTICE_TITLE = re.compile(
    "(?:公告|公示|通告|启事|声明|通知书|招标|拍卖会?|招租|清算|送达|注销|讣告|更正|致歉|减资|挂牌出让|广告|征订|订阅)[^。]{0,8}$"
)
_CONTACT = re.compile(
    "(?:(?:联系)?电话|热线|传真|手机|地址|邮箱|邮编|网址|联系人|咨询|微信|官网|公众号|QQ|E-?mail|抢购|预订|订购)\\s?(?:号码?)?[:：]"
    "|(?:热线|电话|咨询|专线)[:： ]?\\d|\\d{3,4}[-—－]\\d{7,8}|1[3-9]\\d{9}|400[- ]?\\d{3}[- ]?\\d{4}|[\\w.]{2,30}@[\\w.]{3,30}|扫码|二维码|(?:文明办|文明委|宣传部)\\S{0,4}宣$",
    re.IGNORECASE,
)
_SLOGAN = re.compile(
    "欢迎您|欢迎(?:各界|社会|广大|海内外|投资)|诚邀|诚聘|诚招|火热(?:招商|认购|开盘)|盛大开业|恭祝|恭贺|祝贺|特约刊登|倾情|独家|订阅|征订|优惠|钜惠|免费试|限时"
)
_ORGANISATION = re.compile(
    "(?:(?:文明办|宣传部|报社|局|委|办)宣|委员会|管委会|办公室|总公司|公司|集团|中心|局|厂|商会|协会|促进组|服务部|商场|银行|医院|学校|学院)$"
)

_NAME = f"[{CJK}]{{2,4}}"
_NAMES = f"{_NAME}(?:[ 、·]+{_NAME}){{0,5}}"
_ROLE = "(?:(?:本报|本刊|见习|首席|全媒体|融媒体|实习|特约|驻[^ ]{1,6}|[^ 。,，（）()]{2,8}报){0,3}(?:记者|通讯员|撰稿人?|评论员)|作者|文|撰文|整理|采写)"
_BYLINE_MARK = re.compile(
    f"^[▶►▷■□●◆◇○◎★☆◼◻▲△▪▫❏❐►|]+\\s*(?:文[/:：])?\\s*({_ROLE}[ /:：]*)?({_NAMES}(?:\\s*(?:{_ROLE})?[ /:：]*{_NAMES}){{0,4}}|{_ROLE})\\s*$"
)
_BYLINE_ROLE = re.compile(
    f"^(?:{_ROLE}[ /:：]+)({_NAMES})(?:[ /、]+{_ROLE}[ /:：]*({_NAMES}))?(?:\\s*(?:文/?图|报道|摄影报道))?$"
)
_BYLINE_TAIL = re.compile(f"^({_NAMES})\\s*/?(?:文|{_ROLE})$")
_BYLINE_PLAIN = re.compile(f"^(?:{_NAME}|[{CJK}] [{CJK}]|{_NAME}(?: [{CJK}]{{2,3}}){{1,3}})$")
_BYLINE_PAREN = re.compile(
    f"[(（]\\s*({_ROLE}[ /:：]*)?({_NAMES}(?:[ 、]+{_ROLE}[ /:：]*{_NAMES}){{0,4}})\\s*[)）]\\s*$"
)
_BYLINE_INLINE = re.compile(
    f"^[▶►▷■□◆◇]\\s*((?:{_ROLE}[ /:：]*)?[{CJK}]{{2,4}}(?: [{CJK}]{{2,3}})?) +(?=\\S{{12}})"
)
#: 文 alone is no role here: it is a frequent part of names.
_ROLE_WORDS = re.compile(_ROLE.replace("|文|", "|") + "[:：/]?")

#: 本报讯 and its kin, the byline in brackets and the dateline after it.
DATELINE = re.compile(
    f"^(?:本报讯|本刊讯|本网讯|本报综合消息|综合消息|[{CJK}]{{2,8}}(?:报|网|社)讯|(?:本报|新华社|中新社|据[{CJK}]{{2,8}})[{CJK}]{{0,8}}?(?:\\d{{1,2}}月)?\\d{{0,2}}日?[电讯])"
    "(?=[\\s(（:：,，]|[^\\s(（:：,，。]{3})\\s*(?:[(（]([^()（）]{2,60})[)）])?\\s*[:：]?\\s*"
)
_INNER_START = re.compile(
    "(?<=[。”」!?！？ ])\\s{0,3}(?=(?:本报讯|本刊讯)[\\s(（])|(?<=^广告) (?=\\S)|(?<=\\S) (?=[▶►▷□■◆] ?[\u4e00-\u9fff]{2,12})|(?<=[。”]) (?=[上下左右]图[:：为]|图为|图片来源[:：])"
)
_INNER_HEADLINE = re.compile(f'^([{CJK}“”"《》、·]{{10,30}}) (?=\\S{{60}})')

_LEAD = re.compile(
    "^(?:近日|日前|连日来|近年来|近期|近段时间|今年以来|去年以来|今年|去年|昨日|昨天|今日|今天|本月|当前|眼下|走进|初[春夏秋冬]|盛夏|金秋|时下|记者(?:日前|近日|从|昨)|"
    '\\d{1,2}月\\d{1,2}日|\\d{1,2}月\\d{1,2}[日至—-]|\\d{1,2}日|\\d{4}年|“[^”]{4,}”|"[^"]{4,}")'
)
_CONNECTIVE = re.compile(
    "^(?:此外|据悉|据了解|同时|下一步|目前|其中|与此同时|另外|接下来|然而|但是|因此|为此|对此|未来|随后|而|他|她|该|这|我们|在此)"
)
_MIDDLE_START = re.compile("^[的了着过和与及或等、,，。;；:：)）”》」]")
_LABEL = re.compile(
    "(?:在[一-鿿]{2}|周刊|专刊|专版|专栏|要闻|综合|新闻|动态|之窗|天地|视点|聚焦|关注|观察|纵横|园地|特刊|党建|高新区|时评|广场|论坛|资讯|时空|前沿|风采|风景线|一线|之声)$"
)
_NUMBERED = re.compile(
    "^(?:[一二三四五六七八九十]{1,2}[、.．]|[(（][一二三四五六七八九十\\d]{1,2}[)）]|\\d{1,2}[.．、]|第[一二三四五六七八九十][，、,])"
)


class Kind(Enum):
    """What a torn line is."""

    BODY = "body"
    HEADING = "heading"
    FRAGMENT = "fragment"
    BYLINE = "byline"
    CAPTION = "caption"
    ADVERT = "advert"
    MARKER = "marker"
    FURNITURE = "furniture"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the page: `raw` keeps its spaces, `text` has them repaired, `number` counts from 0."""

    text: str
    kind: Kind
    number: int
    raw: str = ""
    marked: bool = False
    names: str | None = None
    dateline: bool = False
    gap: int = 0


def cjk_length(text: str) -> int:
    """Return the number of Chinese characters in `text`."""
    return len(_CJK.findall(text))


def is_finished(text: str) -> bool:
    """Say whether `text` ends a sentence."""
    return bool(_FINISHED.search(text.rstrip()))


def is_lead(text: str) -> bool:
    """Say whether `text` opens the way articles open."""
    return bool(_LEAD.match(text))


def is_connective(text: str) -> bool:
    """Say whether `text` opens the way later paragraphs of an article open."""
    return bool(_CONNECTIVE.match(text))


def starts_inside(text: str) -> bool:
    """Say whether `text` can only be the rest of a sentence."""
    return bool(_MIDDLE_START.match(text))


def is_numbered(text: str) -> bool:
    """Say whether a heading counts (一、, (二), 3.): a subhead, never a headline."""
    return bool(_NUMBERED.match(text))


def is_label(text: str) -> bool:
    """Say whether a short line names a section of the paper rather than an article."""
    return 2 <= len(text) <= 8 and bool(_LABEL.search(text)) and text.rstrip() != "高新区"


def is_notice_title(text: str) -> bool:
    """Say whether a headline is that of a notice or an advert."""
    return bool(_NOTICE_TITLE.search(text)) and cjk_length(text) <= 26


def repair_spaces(text: str) -> str:
    """Return `text` without the spaces that tearing left beside Chinese characters and punctuation."""
    text = " ".join(text.split())
    return _SPACE_BESIDE_MARK.sub("", _SPACE_BESIDE_WIDE.sub("", text))


def repair_headline(text: str) -> str:
    """Return a headline with torn spaces closed; a space between two clauses of like length is meant and kept."""
    parts = [repair_spaces(part) for part in re.split("[ \u3000]+", text.strip())]
    lengths = [cjk_length(part) for part in parts]
    if len(parts) in {2, 3} and min(lengths) >= 4 and max(lengths) <= 2 * min(lengths):
        return _SPACE_BESIDE_MARK.sub("", " ".join(parts))
    return repair_spaces(" ".join(parts))


def names_of(text: str) -> str | None:
    """Return the names of a byline, joined by one space, its marks and roles dropped."""
    bare = _ROLE_WORDS.sub(" ", re.sub("[▶►▷■□●◆◇○◎★☆◼◻▲△▪▫❏❐|(（)）/:：]", " ", text))
    names = [name for name in re.split("[ 、,，]+", bare) if 2 <= len(name) <= 12]
    return " ".join(dict.fromkeys(names)) or None


def _split_joined(text: str) -> list[str]:
    """Return the pieces of a line that holds the end of one article and the start of the next."""
    pieces = [piece.strip() for piece in _INNER_START.split(text)]
    result: list[str] = []
    for piece in pieces:
        inline, headline = _BYLINE_INLINE.match(piece), _INNER_HEADLINE.match(piece)
        if inline:
            result += [f"□ {inline[1]}", piece[inline.end() :]]
        elif headline and (is_lead(piece[headline.end() :]) or piece[:5] == piece[headline.end() :][:5]):
            result += [headline[1], piece[headline.end() :]]
        else:
            result.append(piece)
    return [piece for piece in result if piece]


def split_lines(text: str) -> list[tuple[str, int, bool]]:
    """Return (line, number, whether more than one empty line stood before it) of the non-empty lines."""
    found: list[tuple[str, int, bool]] = []
    empty = 0
    for number, line in enumerate(clean_text(text[:MAX_CHARACTERS]).split("\n")[:MAX_LINES]):
        stripped = line.replace("\u3000", " ").replace("\u00a0", " ").strip()
        if not stripped:
            empty += 1
            continue
        found += [(piece, number, empty > 1) for piece in _split_joined(stripped)]
        empty = 0
    return join_printed(found, is_finished, _starts_anew)


def _starts_anew(before: str, text: str) -> bool:
    """Say whether printed line `text` begins an article: a dateline, or an opening below a line without any sign."""
    if DATELINE.match(text) or _BYLINE_MARK.match(text[:40]):
        return True
    headline = not re.search(r"[^\w\s“”]", before)
    return headline and (is_lead(text) or text[:5] == before[:5])


def read_lines(text: str) -> list[Line]:
    """Return the lines of `text` in order, each with what it is; never raises on any text."""
    lines: list[Line] = []
    for raw, number, gap in split_lines(text):
        lines += _classify(raw, number, gap=gap)
    return _mark_adverts(_mark_plain_bylines(_mark_fragments(_mark_column_ends(lines))))


def _mark_column_ends(lines: list[Line]) -> list[Line]:
    """Return the lines with long ones that stop inside a sentence, above plain text, made text: no headline is so long."""
    result = list(lines)
    for i, (line, following) in enumerate(itertools.pairwise(lines)):
        if (
            line.kind is not Kind.HEADING
            or line.marked
            or following.kind is not Kind.BODY
            or following.dateline
        ):
            continue
        length = cjk_length(line.text)
        clauses = len(re.findall("[,，、]", line.text))
        two_parts = len(re.findall(f"(?<=[{CJK}]) (?=[{CJK}“])", line.raw)) == 1 and length <= 32
        torn = length > 30 or (length > 22 and clauses) or (length > 12 and clauses > 1)
        unbalanced = length > 20 and line.text.count("“") != line.text.count("”")
        if (torn and not two_parts) or unbalanced:
            result[i] = replace(line, text=repair_spaces(line.raw), kind=Kind.BODY)
    return result


def _classify(raw: str, number: int, *, gap: bool) -> list[Line]:
    bare = re.sub(r"^#{1,6}\s+|^\*\*(?=.+\*\*$)", "", raw)
    marked = bare != raw
    bare = bare.removesuffix("**").strip()
    made = Line(repair_spaces(bare), Kind.BODY, number, raw=bare, marked=marked, gap=int(gap))
    special = _special(made)
    if special is not None:
        return special
    dateline = DATELINE.match(bare)
    if dateline and cjk_length(bare) > dateline.end() - dateline.start() + 4:
        names = names_of(dateline[1]) if dateline[1] else None
        return _with_ending(
            replace(made, text=repair_spaces(bare[dateline.end() :]), names=names, dateline=True)
        )
    length = cjk_length(made.text)
    if marked or _looks_like_heading(made.text, length):
        kind = Kind.FRAGMENT if length <= 3 and len(made.text) <= 4 and not marked else Kind.HEADING
        return [replace(made, text=repair_headline(bare), kind=kind)]
    return _with_ending(made)


def _special(line: Line) -> list[Line] | None:
    """Return the line as furniture, caption, byline or advert marker, or None when it is none of them."""
    text, bare = line.text, line.raw
    if _ADVERT_MARKER.match(bare):
        return [replace(line, kind=Kind.MARKER)]
    if _FURNITURE.match(bare) or not re.search(r"\w", text):
        return [replace(line, kind=Kind.FURNITURE)]
    if len(bare) <= 60 and not line.marked and _is_byline(bare):
        return [replace(line, kind=Kind.BYLINE, names=names_of(bare))]
    if _CAPTION_START.match(bare) or _CREDIT.match(bare):
        return _caption(line)
    if len(text) <= 90 and _CAPTION_END.search(text) and not text.endswith(("图", "图。")):
        return [replace(line, kind=Kind.CAPTION)]
    return None


def _is_byline(bare: str) -> bool:
    return bool(_BYLINE_MARK.match(bare) or _BYLINE_ROLE.match(bare) or _BYLINE_TAIL.match(bare))


def _caption(line: Line) -> list[Line]:
    """Return a caption, and the text that tearing joined to its end as a body of its own."""
    end = _CAPTION_SENTENCE.match(line.text)
    rest = line.text[end.end() :] if end else ""
    if end is None or cjk_length(rest) < 15 or _CAPTION_END.search(rest):
        return [replace(line, kind=Kind.CAPTION)]
    return [replace(line, text=end[0], kind=Kind.CAPTION), replace(line, text=rest, raw=rest)]


def _with_ending(line: Line) -> list[Line]:
    """Return a body line without its turn (下转) and with the byline in brackets at its end taken off."""
    text = _TURN.sub("", line.text)
    ending = _BYLINE_PAREN.search(text, max(0, len(text) - 60))
    named = ending and (ending[1] or looks_like_name(ending[2]))
    if ending and named and cjk_length(text) > 30 and is_finished(text[: ending.start()]):
        name = Line(ending[0], Kind.BYLINE, line.number, names=names_of(ending[0]))
        return [replace(line, text=text[: ending.start()].rstrip()), name]
    return [replace(line, text=text)]


def _looks_like_heading(text: str, length: int) -> bool:
    if not 1 <= length <= 34 or len(text) > 45:
        return False
    if _SENTENCE_MARK.search(text[:-1]) or text[-1] in "。;；,，、":
        return False
    if re.match('[“"]', text) and re.search("[!?！？]", text[:-1]):
        return False
    return not (length > 20 and len(re.findall("[,，]", text)) >= 2)


def _mark_fragments(lines: list[Line]) -> list[Line]:
    """Return the lines with signs and figures that stand alone among a torn headline's pieces made pieces of it."""
    pieces = {Kind.FRAGMENT, Kind.HEADING}
    result = list(lines)
    for i, line in enumerate(lines):
        if len(line.text) > 4 or line.marked or line.kind not in {Kind.FURNITURE, Kind.BODY}:
            continue
        beside = [result[j].kind for j in (i - 1, i + 1) if 0 <= j < len(lines)]
        if Kind.FRAGMENT in beside and (
            len(beside) < 2 or all(kind in pieces or kind is line.kind for kind in beside)
        ):
            result[i] = replace(line, kind=Kind.FRAGMENT)
    return result


def _mark_plain_bylines(lines: list[Line]) -> list[Line]:
    """Return the lines with a bare name between a headline and its body recognised as a byline."""
    result = list(lines)
    for i in range(1, len(lines) - 1):
        line = lines[i]
        if line.kind not in {Kind.HEADING, Kind.FRAGMENT} or line.marked or not _BYLINE_PLAIN.match(line.raw):
            continue
        long_enough = lines[i + 1].kind is Kind.BODY and cjk_length(lines[i + 1].text) > 30
        before = lines[i - 1]
        if (
            before.kind is Kind.HEADING
            and cjk_length(before.text) >= 6
            and long_enough
            and looks_like_name(line.text)
        ):
            result[i] = replace(line, kind=Kind.BYLINE, names=names_of(line.raw))
    return result


#: The hundred most frequent surnames and the compound ones (2020 census order).
_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙"
    "史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝"
)


def looks_like_name(text: str) -> bool:
    """Say whether every part of `text` begins with a common surname and is as long as a name."""
    parts = text.split() if " " in text else [text]
    return all(2 <= len(part) <= 4 and part[0] in _SURNAMES for part in parts)


def _mark_adverts(lines: list[Line]) -> list[Line]:
    """Return the lines with those of adverts marked: around contact lines, and after an advert's marker."""
    kinds = [line.kind for line in lines]
    in_advert = False
    for i, line in enumerate(lines):
        if line.kind is Kind.MARKER:
            in_advert = True
        elif in_advert:
            in_advert = _advert_goes_on(lines, i)
        if in_advert:
            kinds[i] = Kind.ADVERT
        elif _is_contact(line):
            kinds[i] = Kind.ADVERT
            _mark_backwards(lines, kinds, i)
    return [replace(line, kind=kind) for line, kind in zip(lines, kinds, strict=True)]


def _is_contact(line: Line) -> bool:
    if line.kind not in {Kind.BODY, Kind.HEADING, Kind.ADVERT}:
        return False
    cues = len(_CONTACT.findall(line.raw))
    return (cues >= 1 and cjk_length(line.text) <= 60 and not is_finished(line.text)) or cues >= 3


def _is_advert_copy(line: Line) -> bool:
    """Say whether a line beside contact lines is part of the advert: slogans, names of bodies, short lines."""
    if line.kind is Kind.BODY:
        return bool(_SLOGAN.search(line.text)) and cjk_length(line.text) <= 90
    return line.kind in {Kind.HEADING, Kind.FRAGMENT, Kind.FURNITURE, Kind.MARKER}


def _mark_backwards(lines: list[Line], kinds: list[Kind], i: int) -> None:
    """Mark the slogans before a contact line, at most six, as its advert."""
    for j in range(i - 1, max(-1, i - 7), -1):
        if kinds[j] is Kind.ADVERT or not _is_advert_copy(lines[j]):
            return
        kinds[j] = Kind.ADVERT


def _advert_goes_on(lines: list[Line], i: int) -> bool:
    """Say whether line `i`, after an advert's marker, still belongs to the advert."""
    line = lines[i]
    if line.dateline or line.kind is Kind.BYLINE:
        return False
    if line.kind is Kind.BODY:
        return bool(_CONTACT.search(line.raw) or _SLOGAN.search(line.text)) or cjk_length(line.text) < 25
    following = next((n for n in lines[i + 1 : i + 4] if n.kind not in {Kind.FURNITURE, Kind.CAPTION}), None)
    if line.kind is not Kind.HEADING or following is None or _ORGANISATION.search(line.text):
        return True
    if _SLOGAN.search(line.text) or _CONTACT.search(line.raw):
        return True
    opens = following.kind is Kind.BYLINE or following.dateline
    return not (
        opens
        or (
            following.kind is Kind.BODY
            and cjk_length(following.text) >= 40
            and not _SLOGAN.search(following.text)
        )
    )
