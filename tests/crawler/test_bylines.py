from __future__ import annotations

import pytest

from crawler.extract import bylines
from crawler.extract.bylines import Byline, read_classes, read_lines, read_text, read_unlabelled
from crawler.extract.tree import Line, parse


def lines(markup: str) -> list[Line]:
    return parse(markup).lines


def labelled(markup: str) -> tuple[str | None, str | None, str | None]:
    byline = Byline()
    read_lines(lines(markup), byline)
    return byline.source, byline.author, byline.editor


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        (
            "2019/10/8 9:20:59 来源：<a href=x>浦东时报</a> 作者：杨珍莹 选稿：费扬",
            ("浦东时报", "杨珍莹", "费扬"),
        ),
        ("2022-07-08 10:27来源:马鞍山日报2022-07-08 10:27", ("马鞍山日报", None, None)),
        ("<p>(责编：汤诗瑶、丁涛)</p>", (None, None, "汤诗瑶、丁涛")),
        ("<p>【责任编辑:焦鹏】</p>", (None, None, "焦鹏")),
        ("<p>[来源：华声在线] [作者：风吟 潘梁平] [编辑：周泽中]</p>", ("华声在线", "风吟 潘梁平", "周泽中")),
        ("<span>来源：</span><a href=x>云岭日报</a><span>字号：大 中 小</span>", ("云岭日报", None, None)),
        (
            "<em>来源：</em><i>江城晚报</i><em>作者：</em><i>马悦</i><em>添加时间：</em><i>2021-11-02</i>",
            ("江城晚报", "马悦", None),
        ),
        ("<a href=x>人民网</a>来源：人民网-<a href=y>文化频道</a>", ("人民网-文化频道", None, None)),
        ("<p>来源于：东区办事处</p>", ("东区办事处", None, None)),
        ("<p>作者： 记者王敬照</p><p>编辑： 王华军</p>", (None, "王敬照", "王华军")),
        ("<p>[责任编辑：韩保林 PK155]</p>", (None, None, "韩保林")),
        ("<p>（责任编辑： HN666）</p>", (None, None, "HN666")),
        ("<p>来源：</p><p>示例日报</p>", ("示例日报", None, None)),
        ("<p>图片来源：网络</p>", (None, None, None)),
        ("<p>数据来源广泛，质量可靠。</p>", (None, None, None)),
        ("<p>（编辑：小王）</p><p>责任编辑：小李</p>", (None, None, "小李")),
        ("<p>来源：临江发布 | 责任编辑：何静</p>", ("临江发布", None, "何静")),
        ("<p>发布时间:2022-01-21 来源:东方网 发布开发区:张江高新区</p>", ("东方网", None, None)),
        ("<p>编辑：张三 审核：李四 校对：王五</p>", (None, None, "张三")),
        ("<p>编辑: 组版: 校对:</p>", (None, None, None)),
        ("<p>编辑 高贸宣</p>", (None, None, "高贸宣")),
        ("<p>来源：央视新闻微信公众号</p>", ("央视新闻微信公众号", None, None)),
        ("<p>（来源：新华日报 记者 张三 编辑 李四）</p>", ("新华日报", None, None)),
        ("<p>信息来源：管委会办公室 信息提供日期：2023-05-08 浏览次数：</p>", ("管委会办公室", None, None)),
        ("<p>供稿：党政办 供图：张三 编辑：李四</p>", (None, "党政办", "李四")),
        ("<p>【作者:张三(记者)】【编辑:李四】</p>", (None, "张三", "李四")),
        ("<p>來源：示例社　記者：張三　責任編輯：李四</p>", ("示例社", "張三", "李四")),
    ],
)
def test_labels_give_their_values(markup: str, expected: tuple[str | None, str | None, str | None]) -> None:
    assert labelled(markup) == expected


@pytest.mark.parametrize(
    ("markup", "source"),
    [
        ("<span>2019-09-26 10:56:28</span> <a href=x>证券时报网</a>", "证券时报网"),
        ("<span>原创</span> <span>南方都市报</span> <span>2019-09-09 16:01:46</span>", "南方都市报"),
        ("<span>中国网</span> <span>2019-11-25 10:37</span>", "中国网"),
        ("<p>2019-09-26 10:56:28</p>", None),
    ],
)
def test_the_name_beside_a_date_is_the_source(markup: str, source: str | None) -> None:
    byline = Byline()
    read_unlabelled(lines(markup), byline)
    assert byline.source == source


def test_elements_that_call_themselves_source_or_author_are_believed() -> None:
    byline = Byline()
    read_classes(
        lines(
            "<p><span class=a_catalog>金融</span><span class=a_source>棱镜</span><span class=time>2019-09-23</span></p>"
        ),
        byline,
    )
    assert byline.source == "棱镜"


@pytest.mark.parametrize(
    ("paragraphs", "author"),
    [
        (["半月谈记者 史卫燕", "正文。"], "史卫燕"),
        (["本报讯（记者 张三、李四 通讯员 王五）近日，高新区……"], "张三 李四"),
        (["正文第一段。", "确保了水质安全。（记者 高爽）"], "高爽"),
        (["【文/观察者网专栏作者 王文】", "正文。"], "王文"),
        (["执笔/叨叨姐、胡一刀&李小飞刀", "正文。"], "叨叨姐 胡一刀 李小飞刀"),
        (["正文。", "最后一段。（刘佑祥）"], "刘佑祥"),
        (["记者从会上获悉，今年将新建党群服务中心。"], None),
    ],
)
def test_reporters_named_in_the_text_are_the_authors(paragraphs: list[str], author: str | None) -> None:
    byline = Byline()
    read_text(paragraphs, byline)
    assert byline.author == author


def test_what_lines_say_by_themselves_can_be_offered_below_what_is_known() -> None:
    told = parse("<p>来源：云溪日报</p><p>责任编辑：李想</p><p>更多要闻</p><p>编辑：</p><p>王晓</p>").lines
    found, whole = bylines.labelled(told), Byline(source="高新网", ranks={"source": 3})
    whole.take(found, 4)
    again = Byline(source="高新网", ranks={"source": 3})
    read_lines(told, again, 4)
    assert (found.source, found.editor) == ("云溪日报", "李想")
    assert (whole.source, whole.editor) == ("高新网", "李想")
    assert whole == again


def test_a_better_label_wins_whatever_the_order() -> None:
    byline = Byline()
    byline.offer("source", "甲", 3)
    byline.offer("source", "乙", 1)
    byline.offer("source", "丙", 1)
    assert byline.source == "乙"


SOURCE_LABELS = """来源 來源 信息来源 新闻来源 文章来源 稿件来源 文稿来源 本文来源 内容来源 原文来源 消息来源 稿源 来源于 出处 媒体 信息提供 供稿单位
发布机构 发布单位 发布部门""".split()  # fmt: skip  # noqa: SIM905
AUTHOR_LABELS = "作者 本文作者 文章作者 撰稿 撰文 撰写人 采写 文 文字 供稿 供稿人 通讯员 通訊員 记者 記者 本报记者 见习记者 主笔 执笔".split()  # fmt: skip  # noqa: SIM905
EDITOR_LABELS = "责任主编 本文编辑 本期编辑 网络编辑 网页编辑 信息编辑 责任审校 责任编辑 責任編輯 责编 責編 编辑 編輯 选稿 组稿 录入员".split()  # fmt: skip  # noqa: SIM905
OTHER_LABELS = """添加时间 发稿时间 上传时间 刊发时间 创建时间 刊登日期 发布 发表 更新时间 發布時間 时间 時間 日期 浏览次数 点击数 阅读量 访问量 人气 评论数
字号 分享到 打印 收藏 关闭 校对 审核 一审 二审 三审 初审 复审 终审 监制 统筹 策划 摄影 攝影 摄像 图片 文字编辑 视频编辑 图文编辑 技术编辑 美术编辑 栏目编辑
执行编辑 栏目主编 值班主任 主编 总编 编审 编委 关键词 标签 栏目 分类 责任校对 原标题 题图 图源 我要纠错 纠错 扫一扫 手机看 索引号 文号 主题词""".split()  # fmt: skip  # noqa: SIM905


@pytest.mark.parametrize(
    ("kind", "labels"),
    [(0, SOURCE_LABELS), (1, AUTHOR_LABELS), (2, EDITOR_LABELS)],
    ids=["source", "author", "editor"],
)
def test_every_label_is_known_by_its_first_letter(kind: int, labels: list[str]) -> None:
    found = {label: labelled(f"<p>{label}：甲乙丙</p>") for label in labels}
    assert [label for label, values in found.items() if values[kind] != "甲乙丙"] == []


def test_a_value_ends_where_any_other_label_begins() -> None:
    found = {label: labelled(f"<p>来源：示例社{label}：5</p>")[0] for label in OTHER_LABELS}
    assert [label for label, source in found.items() if source != "示例社"] == []
