"""Source (来源), author and editor from labelled lines, unlabelled bylines and a reporter's sign-off in the text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from crawler.extract.dates import find_stamps, is_relative
from crawler.extract.tree import Line, Node

#: Stands between the pieces of two elements of one line; a value ends there.
_EDGE = "\x1f"
_SP = r"[\s\x1f\u3000]{0,6}"
#: The first letters of all labels: the search steps over all other letters.
_LABEL_STARTS = (
    "信新文稿本内原消来來转摘出媒供发作撰采通见实首特记記主执责責网编編选组录添上刊创更發时時日浏点阅访人评字分打收关校审一二三初复终监统策摄攝图视"
    "技美栏值总标题我纠扫手索"
)
#: Labels as pages write them, also with blanks between their characters and in traditional characters.
_LABELS = re.compile(
    rf"(?=[{_LABEL_STARTS}])(?:(?P<source>(?<!图片)(?<!图)(?<!数据)(?<!照片)(?<!视频)(?:信息|新闻|文章|稿件|文稿|本文|内容|原文|消息)?[来來]{_SP}源(?:于|自)?(?!地|头)"
    rf"|稿{_SP}源|稿件来自|转载自|转自|摘自|(?<!转载请注明)出{_SP}处|原载(?:于)?|(?<![\u4e00-\u9fff])媒体|信息提供|供稿单位"
    r"|发布(?:机构|单位|部门))"
    rf"|(?P<author>(?:本文|文章|原文)?作{_SP}者|撰{_SP}[稿文写](?:人)?|采写|(?<![\u4e00-\u9fff])文字?(?=\s?[:：/|丨])|供稿人?|通讯员|通訊員"
    rf"|(?:本报|本网)?(?:见习|实习|首席|特约)?[记記]{_SP}者|主笔|执笔)"
    rf"|(?P<editor>责任主编|本文编辑|本期编辑|网络编辑|网页编辑|信息编辑|责任审校|[责責]任{_SP}[编編]{_SP}[辑輯]|[责責]{_SP}[编編]"
    r"|(?<!文字)(?<!视频)(?<!图文)(?<!技术)(?<!美术)(?<!栏目)(?<!执行)"
    rf"[编編]{_SP}[辑輯]|选{_SP}稿|组稿|录{_SP}入(?:者|人|员)?)"
    r"|(?P<other>(?:添加|发稿|上传|录入|刊发|创建|刊登|发布|发表|更新|發布|發佈)(?:时间|日期|時間|人|者|于)"
    rf"|发布|发表|[时時]{_SP}[间間]|日{_SP}期|(?:浏览|点击|阅读|访问)(?:次数|量|数|率)?|人气|评论(?:数)?|字{_SP}[号体](?:大小)?|分享到?|打印|收藏|关闭"
    rf"|校{_SP}对|审{_SP}[核签稿读校]|[一二三初复终]审(?!核)|监{_SP}制|统筹|策划|摄影|攝影|摄像|图片|(?:文字|视频|图文|技术|美术|栏目|执行)编辑"
    r"|栏目主编|值班主任|主编|总编|编审|编委|关键[字词]|标签|栏目|分类|责任校对|原标题|题图|图源|我要纠错|纠错|扫一扫|手机(?:看|阅读)|索引号|文号|主题词))"
)
#: A label has one of these behind it, "【" before it, or ends with one of the last two.
_LABELLED = re.compile(r"[:：∶|｜/丨【\[于自]")
_AFTER_LABEL = re.compile(rf"{_SP}[\])】）]?{_SP}[:：∶|｜/丨]{_SP}")
#: Each label of a source, an author or an editor holds one of these letters; most lines of a list hold none.
_NAMING = re.compile("[源稿自处载媒提布者写記记文供员員笔编編辑輯校录]")
_COLON = re.compile("[:：∶]")
_GAP = re.compile(_SP)
_LABEL_ONLY_BRACKET = re.compile(rf"{_SP}[】\]]{_SP}")
_STOPS = re.compile(
    r"[\x1e)）\]】〕》>|｜丨;；。!！?？]|[\s\u3000]{3,}|\d{4}[-/.年]\d{1,2}|(?:A-\s?A\+?)|\d{1,2}:\d\d|"
    r"[\s\x1f](?=[\u4e00-\u9fff]{2,10}\s?[:：])|[大中小]?字[号体]|我有话说|分享到|参与互动|T大|手机版|【|（|\[|\(|<<|>>|《大|"
    r"(?:^|(?<=[\s\x1f]))(?:分享|打印|收藏|关注|评论|浏览|点击|阅读|纠错|我要|订阅|微信|微博|参与|扫|举报|大\s中\s小|返回|复制|责任|用手机|查看|下载|[大中小]\s)"
)
#: A label of whatever wording: "发布开发区：", "组版:".
_OTHER_LABEL = re.compile(r"[\u4e00-\u9fff]{2,10}\s?[:：]")
_SOURCE_STOPS = re.compile(r"[\s\x1f](?=(?:本报|本网)?(?:记者|通讯员|编辑|责编|作者|摄影)[\s\x1f/])")
_TRIM = " \t\x1f\u3000:：,，、。.·-—_/|｜“”\"'《》〈〉<>【】[]()（）&"
_SITE_CODE = re.compile(r"(?<=[\u4e00-\u9fff])[\s_/]{0,2}(?:[A-Z]{1,4}\d{1,6}|[A-Z]{2}\d{2,6}|\d{3,8})$")
_REPORTER = r"(?:(?:本报|本网|本台|本刊|[\u4e00-\u9fff·]{2,10}?)?(?:特派|驻[\u4e00-\u9fff]{1,6}|见习|实习|首席|特约|全媒体|融媒体)?记者|通讯员)"
_NAME = r"(?!通讯员|实习|见习|记者)[\u4e00-\u9fff]{2,4}(?:·[\u4e00-\u9fff]{1,8})?"
_NAMES = rf"{_NAME}(?:[\s、，,&]{{1,3}}{_NAME}){{0,7}}"
#: "（记者 张三、李四 通讯员 王五）" in front of or behind the text.
_IN_TEXT = re.compile(
    rf"[（(]\s?[^（()）]{{0,16}}?记者\s?[:：]?\s?(?P<names>{_NAMES})(?:[\s、，,]{{1,3}}(?:通讯员|实习生|实习记者|见习记者)[\s:：]{{0,2}}(?P<more>{_NAMES}))?"
    rf"[^（()）]{{0,12}}[)）]"
)
_BYLINE_LINE = re.compile(
    rf"^[\s（(【\[■●□◎◆文/|丨]{{0,4}}{_REPORTER}[\s:：/|丨]{{0,3}}(?P<names>{_NAMES})(?:\s{{0,3}}(?:文|文/图|图/文|摄影报道|报道|通讯员[\s:：]{{0,2}}{_NAMES}))?[)）】\]\s]{{0,3}}$"
)
#: "【文/观察者 张三】", "文｜李四"
_WRITTEN_BY = re.compile(
    rf"^[\s【（(\[■●▲]{{0,3}}(?:文|撰文|撰稿|执笔|作者)\s?[/|｜丨:：]\s?(?:[^\s，。】）)]{{0,14}}?(?:作者|记者|编辑|评论员|特约)[\s:：]{{0,2}})?(?P<names>{_NAMES})\s?[】）)\]]?$"
)
_SIGNED = re.compile(
    rf"[（(]\s?(?:作者|文/|文[:：]|撰稿|供稿)?\s?[:：]?\s?(?P<names>{_NAME}(?:[\s、，,]{{1,3}}{_NAME}){{0,4}})\s?[)）]$"
)


@dataclass(slots=True)
class Byline:
    """What the lines around an article say about its making; names as the page writes them, one space between."""

    source: str | None = None
    author: str | None = None
    editor: str | None = None
    ranks: dict[str, int] = field(default_factory=dict)

    def offer(self, kind: str, value: str, rank: int) -> None:
        """Keep the value if its label is a better one than what is there (lower rank; the first of equals)."""
        if value and rank < self.ranks.get(kind, 99):
            setattr(self, kind, value)
            self.ranks[kind] = rank

    def take(self, other: Byline, base_rank: int) -> None:
        """Offer all that another one holds, at ranks that much higher."""
        for kind, rank in other.ranks.items():
            self.offer(kind, getattr(other, kind), base_rank + rank)


_WHITE = re.compile(r"[\xa0\t\r\n]")
_WIDE = re.compile(r"\s{4,}")


def joined(line: Line) -> str:
    """The line's text with a mark wherever another element begins, white space collapsed."""
    if len(line.parts) == 1 and line.parts[0][0] == line.text:
        return line.text
    out: list[str] = []
    previous: Node | None = None
    for text, node in line.parts:
        if previous is not None and node is not previous:
            out.append(_EDGE)
        out.append(text)
        previous = node
    text = _WHITE.sub(" ", "".join(out))
    return _WIDE.sub("   ", text).strip()


def read_line(text: str, byline: Byline, base_rank: int = 0) -> str | None:
    """Take labelled values of one line; the kind of a label that stands at its end without a value."""
    found = _labels(text)
    dangling = None
    for number, (match, after) in enumerate(found):
        kind = match.lastgroup or "other"
        if kind == "other":
            continue
        end = found[number + 1][0].start() if number + 1 < len(found) else len(text)
        raw = text[after.end() : max(end, after.end())]
        if number + 1 < len(found) and found[number + 1][0].lastgroup == "other":
            raw = _LABEL_HEAD.sub("", raw)
        value = clean_value(kind, raw)
        if value:
            byline.offer(kind, value, base_rank + _label_rank(kind, match[0]))
        elif not raw.strip(_TRIM):
            dangling = kind if number + 1 == len(found) else None
    return dangling


@lru_cache(maxsize=256)
def _labels(text: str) -> tuple[tuple[re.Match[str], re.Match[str]], ...]:
    """The labels of a line with what makes them such; kept, since a page's lines are read for several purposes."""
    if not _LABELLED.search(text):
        return ()
    return tuple((m, after) for m in _LABELS.finditer(text) if (after := _after_label(text, m)) is not None)


#: The first half of a longer label ("信息提供|日期：") that the next label was found in.
_LABEL_HEAD = re.compile(r"(?<=\S)[\s\x1f][\u4e00-\u9fff]{1,6}$")


def _after_label(text: str, match: re.Match[str]) -> re.Match[str] | None:
    """The colon (or bracket) that makes the word a label; None where it is a word of a sentence."""
    after = _AFTER_LABEL.match(text, match.end())
    if after is not None and match.lastgroup == "other" and not _COLON.search(after[0]):
        return None
    if after is None and text[match.start() - 1 : match.start()] in ("【", "["):
        after = _LABEL_ONLY_BRACKET.match(text, match.end())
    if after is None and text[match.end() - 1 : match.end()] in ("于", "自"):
        after = _GAP.match(text, match.end())
    return after


def _label_rank(kind: str, label: str) -> int:
    label = re.sub(r"[\s\x1f]", "", label)
    if kind == "editor":
        return 0 if label.startswith(("责", "責")) else 1 if "录" not in label else 3
    if kind == "source":
        return (
            0
            if "来源" in label or "稿源" in label
            else 2
            if label in ("媒体", "信息提供", "供稿单位") or label.startswith("发布")
            else 1
        )
    return 0 if "作者" in label else 1


def clean_value(kind: str, raw: str) -> str:
    """A value without brackets, buttons and codes; empty where nothing is left."""
    raw = raw.lstrip(_TRIM)
    if _OTHER_LABEL.match(raw):
        return ""
    raw = _cut_at_edge(raw, kind)
    for stops in (_STOPS, _SOURCE_STOPS) if kind == "source" else (_STOPS,):
        if stop := stops.search(raw):
            raw = raw[: stop.start()]
    value = " ".join(raw.replace(_EDGE, " ").split()).strip(_TRIM)
    value = value.removesuffix("等").strip() if "、" in value or value.endswith(" 等") else value
    if kind == "source":
        return value if 0 < len(value) <= 40 and not value.startswith(("http", "www.")) else ""
    value = re.sub(r"^(?:记者|本报记者|本网记者|通讯员|责编|文/)\s?[:：]?\s?", "", value)
    if len(value) > 2:
        value = _SITE_CODE.sub("", value).strip(_TRIM)
    return value if 0 < len(value) <= 48 and "，" not in value else ""


#: What joins a site's name to its channel's.
_GOES_ON = ("-", "－", "—", "、", "·")


def _cut_at_edge(raw: str, kind: str) -> str:
    """A value goes on over an element's edge only with a hyphen or comma, or before anything was read."""
    pieces = raw.split(_EDGE)
    out = pieces[0]
    for piece in pieces[1:]:
        if not out.strip(_TRIM):
            out += piece
        elif not piece.strip():
            out += " "
        elif out.rstrip().endswith(_GOES_ON) or piece.lstrip().startswith(_GOES_ON):
            out += piece
        elif kind != "source" and not out.endswith(" ") and re.fullmatch(rf"\s?{_NAMES}\s?", piece):
            out += " " + piece
        else:
            break
    return out


#: "编辑 高贸宣" without a colon, alone in its line.
_BARE_EDITOR = re.compile(
    rf"^[\s（(\[【]{{0,2}}(?:本版|责任|本期)?编辑\s{{1,3}}(?P<names>{_NAMES})[\s）)\]】]{{0,2}}$"
)


def read_lines(lines: list[Line], byline: Byline, base_rank: int = 0) -> None:
    """Take the labelled values of several lines; a label at a line's end takes the next short line as its value."""
    dangling: str | None = None
    for line in lines:
        if len(line.text) > 240:
            dangling = None
            continue
        named = _NAMING.search(line.text) is not None
        if not dangling and not (named and (_LABELLED.search(line.text) or "编辑" in line.text)):
            continue
        text = joined(line)
        if dangling and len(line.text) <= 30 and not _LABELS.match(text):
            byline.offer(dangling, clean_value(dangling, text), base_rank + 1)
        if bare := _BARE_EDITOR.match(text):
            byline.offer("editor", _spaced(bare["names"]), base_rank + 2)
        dangling = read_line(text, byline, base_rank)


def labelled(lines: list[Line]) -> Byline:
    """The labelled values of several lines by themselves."""
    byline = Byline()
    read_lines(lines, byline)
    return byline


_SOURCE_WORDS = re.compile(
    r"source|laiyuan|(?<![a-z])from(?![a-z])|(?<![a-z])ly(?![a-z])|media[-_]?name|origin|account|profile_nickname|js_name|site[-_]?name"
)
_AUTHOR_WORDS = re.compile(r"author|zuozhe|(?<![a-z])writer|byline|reporter")
_NOT_A_NAME = re.compile(
    r"^(?:[大中小原创转赞热荐]$|原创|转载|正文|首页|分享|评论|打印|收藏|字号|来源|作者|编辑|阅读|浏览|点击|关注|我要|扫|微信$|微博$|微信扫|发布|更新|最后|时间|日期|星期|今天|昨天|关闭|纠错|格林尼治|"
    r"责任|第\s?[\dA-Z]|版次|用手机|手机|返回|投稿|订阅|\d|A[+-]|T[+-]|稿|记者|图片|视频|下载|登录|注册|查看|加入|举报)"
)


def read_unlabelled(lines: list[Line], byline: Byline, rank: int = 3) -> None:
    """Lines such as "2019-09-26 10:56 证券时报网" or "原创 南方都市报 2019-09-09 16:01": the name beside the date."""
    for line in lines:
        if len(line.text) > 90:
            continue
        text = joined(line)
        stamps = find_stamps(text.replace(_EDGE, " "))
        dated = bool(stamps) or (len(line.text) <= 40 and is_relative(text))
        if not dated or (_LABELS.search(text) and byline.source):
            continue
        start, end = stamps[0].span if stamps else (len(text), len(text))
        pieces = _pieces(text[end:]) or _pieces(text[:start])
        if pieces:
            if len(pieces) > 1 and text.lstrip().startswith("原创") and re.fullmatch(_NAME, pieces[0]):
                # "原创 作者 公众号 日期"
                byline.offer("author", pieces.pop(0), rank)
            byline.offer("source", pieces[0], rank)
            if len(pieces) == 2 and "·" in text and re.fullmatch(_NAME, pieces[1]):
                byline.offer("author", pieces[1], rank)


def _pieces(text: str) -> list[str]:
    """Name-like pieces of the rest of a byline."""
    out = []
    for raw in re.split(r"[\x1f|｜\[\]【】（）()]|\s{1,9}", text):
        piece = raw.strip(_TRIM)
        if (
            2 <= len(piece) <= 16
            and not is_relative(piece)
            and not _NOT_A_NAME.match(piece)
            and not _LABELS.match(piece)
        ):
            out.append(piece)
    return out


def read_classes(lines: list[Line], byline: Byline, rank: int = 2) -> None:
    """Pieces whose element calls itself source or author; those beside a date are more than a mere account name."""
    for line in lines:
        own = rank if find_stamps(line.text) else rank + 8
        if len(line.text) > 120:
            continue
        for text, node in line.parts:
            value = " ".join(text.split()).strip(_TRIM)
            if (
                not 2 <= len(value) <= 24
                or _COLON.search(value)
                or find_stamps(value)
                or _NOT_A_NAME.match(value)
                or _LABELS.match(value)
            ):
                continue
            words = f"{node.words} {node.get('itemprop')} {node.get('data-role')}"
            if node.link >= 0 and not node.is_link:
                words += " " + next(outer.words for outer in node.ancestors() if outer.is_link)
            if node.parent is not None and not node.words:
                words += " " + node.parent.words
            if _SOURCE_WORDS.search(words):
                byline.offer("source", value, own)
            elif _AUTHOR_WORDS.search(words):
                byline.offer("author", value, own)


def read_reporters(lines: list[Line], byline: Byline, rank: int = 8) -> None:
    """Lines that are nothing but "某报记者 张三" between headline and text."""
    for line in lines:
        if len(line.text) <= 50 and (found := _BYLINE_LINE.match(line.text) or _WRITTEN_BY.match(line.text)):
            byline.offer("author", _spaced(found["names"]), rank)


def read_text(paragraphs: list[str], byline: Byline, rank: int = 20) -> None:
    """Reporters named in the text: "（记者 张三）", a line "本报记者 张三", a signature "（张三）" at the end."""
    for text in [*paragraphs[:6], *paragraphs[-6:]]:
        if len(text) <= 50 and (found := _BYLINE_LINE.match(text) or _WRITTEN_BY.match(text)):
            byline.offer("author", _spaced(found["names"]), rank)
    for text in [*paragraphs[:3], *paragraphs[-3:]]:
        for part in (text[:90], text[-60:]):
            if found := _IN_TEXT.search(part):
                byline.offer("author", _spaced(found["names"]), rank + 1)
    if paragraphs and (found := _SIGNED.search(paragraphs[-1][-40:])):
        byline.offer("author", _spaced(found["names"]), rank + 2)


def _spaced(names: str) -> str:
    return " ".join(re.split(r"[\s、，,&]+", names.strip()))
