"""What the watch, the monitors and the crawler say of a trouble, for operators who read Chinese. Pure.

Recorded and logged are English lines; pages and alarms show them in Chinese. What comes from outside (a server's answer, a
path, an exception) stays as it is, and so does a line that is not known here.
"""

from __future__ import annotations

import re
from functools import lru_cache

from digest.gaps import KNOWN_REASONS, reason_words
from store.watch import FAULTS

#: Reason words that readers of an issue are not told of.
_REASONS = {
    "http_418": "拒绝访问",
    "http_451": "因法律原因拒绝访问",
    "download_failed": "下载失败",
    "ignored": "请求被略过",
    "host_busy": "该站正由另一进程采集",
    "no_folder": "没有这个文件夹",
    "unreadable_file": "文件无法读取",
    "no_list": "栏目未能读取",
    "no_end": "采集没有收尾",
    "shutdown": "守护进程停机",
    "cancelled": "采集被取消",
    "closespider_timeout": "采集超时",
    "memusage_exceeded": "内存超限",
    "database_failed": "数据库出错",
    "child_died": "采集进程意外结束",
    "exception": "采集程序出错",
    "wrong_clock": "本机时钟有误",
    "bad_pdf": "PDF损坏",
    "bad_unicode": "PDF文字编码不可用",
    "bad_xml": "订阅源或站点地图不是有效的XML",
    "bad_archive": "压缩包或文档损坏",
    "binary": "不是文字内容",
    "encrypted": "需要密码",
    "no_text": "没有正文",
    "no_title": "没有标题",
    "scanned": "扫描件，需要文字识别",
    "too_deep": "页面嵌套过深",
    "time_limit": "解析超时",
    "memory_limit": "解析内存超限",
    "reader_crashed": "解析进程崩溃",
    "empty": "页面为空",
    "list_page": "是栏目页",
    "advert": "是广告",
    "notice": "是启事",
    "picture_only": "只有图片",
    "script_shell": "内容由脚本生成",
    "error_page": "是错误页",
    "redirect_page": "是跳转页",
    "not_newspaper": "不是报纸版面",
    "no_issue": "当日无报",
    "max_articles": "达到篇数上限",
}
_MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d"
#: An English line with {} for a part that is put into Chinese itself, {#} for a number, {@} for a moment; and the same in
#: Chinese, its parts by number.
_LINES = (
    ("{}; since {@}", "{0}，{1}起"),
    ("{#} of {#} sources are unreachable", "{1}个来源中有{0}个无法访问"),
    ("never anything new since {@}", "自{0}以来从未有过新文章"),
    ("the issue due {@} was not composed: {}", "应于{0}编发的一期没有编成：{1}"),
    ("the editor holds it", "编辑暂缓了编发"),
    ("see the daemon's log", "见守护进程日志"),
    ("{#} deliveries wait, none arrived; {}", "{0}份待发，无一送达；{1}"),
    ("{#} deliveries wait, none arrived", "{0}份待发，无一送达"),
    ("no mail server is configured", "没有配置邮件服务器"),
    ("the latest issue holds no story; look at the sources", "最近一期没有报道，请检查来源"),
    (
        "{#} may or may not have arrived; `parknews deliver --in-doubt` lists and settles them",
        "{0}份不知是否送达，用 parknews deliver --in-doubt 查看并处理",
    ),
    ("{#} wait since a day, {#} attempt(s): {}", "{0}份已等待一天，尝试{1}次：{2}"),
    (
        "more than the pace of the server lets go; `parknews doctor` names it",
        "超过服务器允许的发送速度，见 parknews doctor",
    ),
    ("it is {@} here, but things were recorded at {@}", "本机时间是{0}，却已有{1}的记录"),
    ("no daemon is running; start `parknews daemon`", "守护进程没有运行，请启动 parknews daemon"),
    ("the lists led to no article ({})", "栏目里没有找到文章（{0}）"),
    ("a part of it fails: {}", "部分读取失败：{0}"),
    ("every list leads to {}", "每个栏目都跳转到{0}"),
    (
        "nothing new for {#} working days; its rhythm allows {#}",
        "已有{0}个工作日没有新文章，按其规律至多{1}个",
    ),
    ("{#} new on one day; the most before was {#}", "一天新增{0}篇，此前最多{1}篇"),
    ("{#} of the last {#} {}; usually {#}%", "最近{1}篇中有{0}篇{2}，通常为{3}%"),
    ("pages gave no article text", "读不出正文"),
    ("articles name no publisher", "没有来源"),
    ("articles have no date", "没有日期"),
    ("articles hold replacement characters", "有乱码"),
    ("new articles are not relevant", "不相关"),
    ("the crawling process ended without a word", "采集进程没有留下记录就结束了"),
    (
        "the crawling process ended with code {} and left no record",
        "采集进程以代码{0}结束，没有留下记录",
    ),
    (
        "the visit went beyond its limit (wall_seconds) and was ended",
        "采集超过时限（wall_seconds），已被终止",
    ),
    ("{} is being visited by {}", "{0}正由{1}采集"),
)
_SUBJECTS = {
    "this machine": "本机",
    "weekly": "周报",
    "daemon": "守护进程",
    "sources": "来源清单",
    "mail": "邮件",
}
#: Kinds of alerts that are about a source.
_OF_SOURCES = frozenset(FAULTS) | {"silent_source"}
_PLACES = re.compile(r"(\{[#@]?\})")
#: Longer than any line of ours.
_LONGEST = 2_000


def in_chinese(line: str) -> str:
    """Return a detail of an alert, an evidence, an error or a reason word in Chinese; unchanged where it is not known."""
    if len(line) > _LONGEST:
        return line
    for pattern, chinese in _patterns():
        if found := pattern.fullmatch(line):
            return chinese.format(*map(in_chinese, found.groups()))
    return _reason(line)


def _reason(line: str) -> str:
    """Return `word: detail` or a word alone, the word explained."""
    word, colon, detail = line.partition(": ")
    known = _REASONS.get(word, "")
    if not known and (word.startswith("http_") or word in KNOWN_REASONS):
        known = reason_words(word)
    if not known:
        return line
    label = "" if known.endswith("）") else f"（{word}）"
    return f"{known}{label}{'：' if colon else ''}{in_chinese(detail)}"


def subject_in_chinese(kind: str, subject: str) -> str:
    """Return what an alert of this kind is about in Chinese; the names of sources stay."""
    if kind in _OF_SOURCES:
        return subject
    number = subject.removeprefix("issue ")
    return f"第{number}期" if number.isdigit() else _SUBJECTS.get(subject, subject)


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile("".join(map(_part, _PLACES.split(english)))), chinese) for english, chinese in _LINES]


def _part(text: str) -> str:
    return {"{}": "(.+)", "{#}": r"(\d+)", "{@}": f"({_MOMENT})"}.get(text, re.escape(text))
