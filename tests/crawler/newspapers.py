"""E-paper sites of every common family, written page by page: a front page, an issue of three pages, its articles.

Page 1 has two articles (the first with a picture) beside an advert and a credit, page 2 one, page 3 a PDF only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

SENTENCES = (
    "近日，{zone}高新区召开两新组织党建工作推进会，总结上半年工作，部署下半年任务，{n}家企业党组织负责人参加。",
    "会议指出，要把党的组织优势转化为发展优势，推动党建工作与企业生产经营同频共振，第{n}网格的经验值得推广。",
    "下一步，{zone}高新区将继续建强服务队伍，为企业发展提供坚强组织保证，年内新建党群服务站{n}个。",
)


@dataclass(frozen=True)
class PrintedArticle:
    """One article of an issue: on which page it stands and which one it is there."""

    paper: str
    zone: str
    page: int
    number: int
    day: date

    @property
    def title(self) -> str:
        kinds = ("建强产业链党委", "开展双报到活动", "党员突击队攻坚忙")
        return f"{self.zone}高新区{kinds[self.page + self.number - 2]}"

    @property
    def kicker(self) -> str:
        return f"夯基础强队伍之{self.day.day}"

    @property
    def texts(self) -> list[str]:
        number = 100 * self.day.day + 10 * self.page + self.number
        return [text.format(zone=self.zone, n=number) for text in SENTENCES]

    @property
    def body(self) -> str:
        return "".join(f"<p>　　{text}</p>" for text in self.texts)


@dataclass(frozen=True)
class Family:
    """How one family of systems writes: addresses (relative to the paper's folder) and pages."""

    name: str
    front: str
    front_page: Callable[[str], str]
    layout: str
    article: str
    pdf: str
    layout_page: Callable[[Family, str, str, date, int], str]
    article_page: Callable[[Family, PrintedArticle], str]
    image: str = ""
    encoding: str = "utf-8"

    def address(self, pattern: str, day: date, page: int = 1, number: int = 1) -> str:
        return day.strftime(pattern).replace("{p}", str(page)).replace("{n}", str(number))

    def issue(self, root: str, zone: str, day: date) -> dict[str, bytes]:
        """Return the pages of one day by their path; `root` is the paper's folder."""
        paper, made = f"{zone}日报", {}
        for page in (1, 2, 3):
            path = root + self.address(self.layout, day, page)
            made[path] = self.layout_page(self, paper, zone, day, page)
            for number in range(1, 3 - page + 1):
                news = PrintedArticle(paper, zone, page, number, day)
                made[root + self.address(self.article, day, page, number)] = self.article_page(self, news)
        return {path: html.encode(self.encoding, "xmlcharrefreplace") for path, html in made.items()}

    def listed(self, zone: str, day: date, page: int) -> list[tuple[str, str]]:
        """Return (file name, title) of what a page lists: articles, on the first also an advert and a credit."""
        rows = [
            (self.address(self.article, day, page, n), PrintedArticle("", zone, page, n, day).title)
            for n in range(1, 3 - page + 1)
        ]
        if page == 1:
            rows += [
                (self.address(self.article, day, page, n), title)
                for n, title in ((8, "广告"), (9, "本版责编 周安"))
            ]
        return rows


def _up(pattern: str) -> str:
    """Return the way from a page's folder back to the paper's."""
    return "../" * pattern.count("/")


def _redirect_meta(target: str) -> str:
    return f'<html><head><META HTTP-EQUIV="REFRESH" CONTENT="0; URL={target}"></head><body></body></html>'


def _redirect_script(target: str) -> str:
    return f'<html><head><script>window.location.href="{target}";</script></head><body></body></html>'


def _current_link(target: str) -> str:
    return f'<html><head><meta charset="utf-8"></head><body><p>欢迎阅读</p><a href="{target}">今日报纸</a></body></html>'


def _properties(news: PrintedArticle, prefix: str = "") -> str:
    fields = {
        "date": f"{news.day} 00:00:00:0",
        "author": "郭晓燕",
        "title": news.title,
        "subtitle": "",
        "introtitle": news.kicker,
        "pagenum": f"{news.page:02d}",
        "pagename": "要闻",
        "papername": news.paper,
    }
    inner = "".join(f"<{prefix}{name}>{value}</{prefix}{name}>" for name, value in fields.items())
    return f"<!--enpproperty {inner}/enpproperty-->"


def _picture(family: Family, news: PrintedArticle) -> str:
    if (news.page, news.number) != (1, 1):
        return ""
    return f'<img src="{_up(family.article)}{news.day.strftime(family.image)}">'


# --- pages ------------------------------------------------------------------------------------------------------------


def _v1_layout(family: Family, paper: str, zone: str, day: date, page: int) -> str:
    up = _up(family.layout)
    rows = family.listed(zone, day, page)
    areas = "".join(f'<Area coords="1,2,3,4" shape="polygon" href="{up}{url}">' for url, _ in rows)
    pages = "".join(
        f"<tr><td><a id=pageLink href=node_{n}.htm>第{n:02d}版：要闻</a></td>"
        f"<td><a href={up}{family.address(family.pdf, day, n)}><img src='/tplimg/pdf.gif'></a></td></tr>"
        for n in (1, 2, 3)
    )
    items = "".join(
        f"<tr><td><a href={up}{url}><div id=mp{i}>{title}</div></a></td></tr>"
        for i, (url, title) in enumerate(rows)
    )
    return (
        f'<html><head><meta http-equiv="Content-Type" content="text/html; charset=gbk"><title>{paper}数字报刊平台</title></head>'
        f'<body><MAP NAME="pagepicmap">{areas}</MAP><table><tr><td>第{page:02d}版：<STRONG>要闻</STRONG></td></tr></table>'
        f"<table>{pages}</table><TABLE>{items}</TABLE></body></html>"
    )


def _v1_article(family: Family, news: PrintedArticle) -> str:
    return (
        f'<html><head><meta http-equiv="Content-Type" content="text/html; charset=gbk"><title>{news.paper}</title></head><body>'
        f'<table><tr><td class="font02">{news.kicker}</td></tr><tr><td class="font01">{news.title}</td></tr></table>'
        f'<table id="picres"><tr><td>{_picture(family, news)}</td></tr></table>'
        f"<DIV id=ozoom><founder-content>{news.body}</founder-content></DIV>"
        f"<a href=node_2.htm id=pageLink>第02版：要闻</a></body></html>{_properties(news, 'founder-')}"
    )


def _v2_head(paper: str, extra: str = "") -> str:
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{paper}</title>{extra}</head><body>'


def _v2_layout(family: Family, paper: str, zone: str, day: date, page: int) -> str:
    up = _up(family.layout)
    pages = "".join(
        f'<li class="posRel"><a class="btn btn-block" href="node_0{n}.html">第0{n}版：要闻</a>'
        f'<a class="pdf" href="{up}{family.address(family.pdf, day, n)}"></a></li>'
        for n in (1, 2, 3)
    )
    items = "".join(
        f'<li class="resultList"><a href="{up}{url}"><h4>{title}</h4></a></li>'
        for url, title in family.listed(zone, day, page)
    )
    return f'{_v2_head(paper)}<div class="nav-list"><ul>{pages}</ul></div><div class="news-list"><ul>{items}</ul></div></body></html>'


def _v2_article(family: Family, news: PrintedArticle) -> str:
    return (
        f'{_v2_head(news.paper)}<h3>{news.kicker}</h3><h2 class="art-title">{news.title}</h2><div id="ozoom">'
        f"<founder-content><!--enpcontent-->{news.body}<p>{_picture(family, news)}</p><!--/enpcontent--></founder-content></div>"
        f"{_properties(news)}</body></html>"
    )


def _list_layout(family: Family, paper: str, zone: str, day: date, page: int) -> str:
    up = _up(family.layout)
    pages = "".join(
        f'<li class="posRelative"><a href="node_A{n}.html">A{n}版：要闻</a></li>' for n in (1, 2, 3)
    )
    items = "".join(
        f'<li class="clearfix"><a href="{up}{url}">{title}</a></li>'
        for url, title in family.listed(zone, day, page)
    )
    return (
        f'{_v2_head(paper)}<div id="pdfUrl" style="display:none">{up}{family.address(family.pdf, day, page)}</div>'
        f'<ul id="layoutlist">{pages}</ul><ul id="articlelist">{items}</ul></body></html>'
    )


_TQ = '<link rel="stylesheet" href="../../../../tqPaper/webcss/global.css">'


def _tq_layout(family: Family, paper: str, zone: str, day: date, page: int) -> str:
    up = _up(family.layout)
    rows = family.listed(zone, day, page)
    pages = "".join(
        f'<p><a href="node_{n}.html">第{n}版：要闻</a><a href="{up}{family.address(family.pdf, day, n)}" target=_blank></a></p>'
        for n in (1, 2, 3)
    )
    areas = "".join(f'<Area coords="80.8,132.0" shape="polygon" href="{up}{url}">' for url, _ in rows)
    items = "".join(f'<li><h3><a href="{up}{url}">{title}</a></h3><p></p></li>' for url, title in rows)
    return (
        f'{_v2_head(paper, _TQ)}<div class="Chunkiconlist">{pages}</div><MAP NAME="PagePicMap">{areas}</MAP>'
        f'<div class="newslisttit"><em>第{page}版：要闻</em></div><div class="newslist"><ul>{items}</ul></div></body></html>'
    )


def _tq_article(family: Family, news: PrintedArticle) -> str:
    return (
        f'{_v2_head(f"{news.title}_{news.paper}数字报", _TQ)}<div class="newsdetatit"><p style="text-align:center;">{news.kicker}</p>'
        f'<h3>{news.title}</h3><p><span class="Author">版次：0{news.page}</span><span>来源：{news.paper}&nbsp;&nbsp;{news.day:%Y年%m月%d日}</span></p></div>'
        f'<div class="newsdetatext"><founder-content><!--enpcontent-->{news.body}{_picture(family, news)}<!--/enpcontent--></founder-content></div>'
        '<div style="display:none;">作者：郭晓燕</div></body></html>'
    )


_RM = '<link href="../../../../x/projectPaper/rmPaper/files/default.css" rel="stylesheet">'


def _rm_layout(family: Family, paper: str, zone: str, day: date, page: int) -> str:
    up = _up(family.layout)
    pages = "".join(
        f'<div class="swiper-slide"><a id="pageLink" href="node_0{n}.html">0{n}版：要闻</a></div>'
        for n in (1, 2, 3)
    )
    items = "".join(
        f'<li><span>·</span><a href="{up}{url}"> {title} </a></li>'
        for url, title in family.listed(zone, day, page)
    )
    return (
        f'{_v2_head(paper, _RM)}<p class="left ban">第0{page}版：要闻</p>'
        f'<p class="right btn"><a href="{up}{family.address(family.pdf, day, page)}">PDF下载</a></p>'
        f'<div class="swiper-container">{pages}</div><ul class="news-list">{items}</ul></body></html>'
    )


def _rm_article(family: Family, news: PrintedArticle) -> str:
    return (
        f'{_v2_head(f"{news.title}--{news.paper}", _RM)}<div class="article"><h3>{news.kicker}</h3><h1>{news.title}</h1>'
        f'<p class="sec">郭晓燕<span class="date">《{news.paper}》（{news.day:%Y年%m月%d日} 第 0{news.page} 版）</span></p>'
        f'<div id="ozoom"><!--enpcontent-->{news.body}{_picture(family, news)}<!--/enpcontent--></div></div></body></html>'
    )


def _trs_head(paper: str, day: date) -> str:
    return (
        f'<html><head><META content="text/html; charset=gb2312" http-equiv=Content-Type><title>{paper}</title>'
        f'<meta name="publishdate" content="{day} "><meta name="source" content="{paper}"></head><body>'
    )


def _trs_layout(family: Family, paper: str, zone: str, day: date, page: int) -> str:
    rows = [(f"../{url.split('/', 1)[1]}", title) for url, title in family.listed(zone, day, page)]
    areas = "".join(
        f'<AREA id="items{i}" alt="{title}" title="{title}" class="areablock" shape=POLY coords="6.32,106.39" href="{url}">'
        for i, (url, title) in enumerate(rows)
    )
    items = "".join(
        f"""<tr class="items{i}" onclick="javascript:window.location.href='{url}'"><td>{title}</td></tr>"""
        for i, (url, title) in enumerate(rows)
    )
    pdf = f"../{family.address(family.pdf, day, page).split('/', 1)[1]}"
    return (
        f'{_trs_head(paper, day)}<script>var banciArray="001,002,003".split(",");\nvar YMD="{day:%Y%m%d}";</script>'
        f'<map name="map_of_yyb">{areas}</map><table><tr><td>第<span id="curbanci">00{page}</span>版：<STRONG>要闻</STRONG></td>'
        f"""<td><A href="#" onclick="window.location.href='{pdf}'"><IMG src="/pdf.gif"></A></td></tr></table><table>{items}</table></body></html>"""
    )


def _trs_article(family: Family, news: PrintedArticle) -> str:
    return (
        f'{_trs_head(news.paper, news.day)}<script>var banciArray="001,002,003".split(",");</script>'
        f'<table><tr><td>第<span id="curbanci">00{news.page}</span>版：<STRONG>要闻</STRONG></td></tr></table>'
        f'<table><tr><td class="font02">{news.kicker}</td></tr><tr><td><h1>{news.title}</h1></td></tr><tr><td>作者：郭晓燕</td></tr></table>'
        f'<table><tr><td class="font6"><span>{news.body}{_picture(family, news)}</span></td></tr></table></body></html>'
    )


def _fz_layout(family: Family, paper: str, zone: str, day: date, page: int) -> str:
    up = _up(family.layout)
    rows = family.listed(zone, day, page)
    pages = "".join(
        f'<li class="layout-catalogue-item"><a href="./node_{n}.html">第{n}版&nbsp;要闻</a>'
        f'<a class="pdf" href="{up}{family.address(family.pdf, day, n)}"></a></li>'
        for n in (1, 2, 3)
    )
    areas = "".join(
        f'<Area class="paperarea" coords="982,1410" shape="polygon" href="{up}{url}" title="\n   {title}\n">'
        for url, title in rows
    )
    items = "".join(
        f'<LI class="news-item"><a href="{up}{url}">\n  {title}\n </a></LI>' for url, title in rows
    )
    return (
        f'{_v2_head(paper)}<MAP NAME="pagepicmap">{areas}</MAP><ul class="layout-catalogue-list">{pages}</ul>'
        f'<ul class="news-list">{items}</ul></body></html>'
    )


def _fz_article(family: Family, news: PrintedArticle) -> str:
    pages = f'<li class="layout-catalogue-item"><a href="./node_{news.page}.html">第{news.page}版&nbsp;要闻</a></li>'
    return (
        f'{_v2_head(news.paper)}<ul class="layout-catalogue-list">{pages}</ul><div class="detail"><h3>{news.kicker}</h3>'
        f'<h1 class="title">{news.title}</h1><cms-content>{news.body}{_picture(family, news)}</cms-content></div></body></html>'
    )


FAMILIES = (
    Family(
        "founder_v1", "paperindex.htm", _redirect_meta, "html/%Y-%m/%d/node_{p}.htm", "html/%Y-%m/%d/content_{p}0{n}.htm",
        "page/1/%Y-%m/%d/0{p}/%Y%m%d0{p}_pdf.pdf", _v1_layout, _v1_article, "res/1/%Y-%m/%d/01/res03_attpic.jpg", "gbk",
    ),
    Family(
        "founder_v2", "pc/index.html", lambda target: _redirect_script(target.removeprefix("pc/")), "pc/layout/%Y%m/%d/node_0{p}.html",
        "pc/con/%Y%m/%d/content_7{p}0{n}.html", "pc/att/%Y%m/%d/1f0a{p}.pdf", _v2_layout, _v2_article, "pc/att/%Y%m/%d/a1.jpg",
    ),
    Family(
        "founder_v2_layoutlist", "index.html", _current_link, "pc/layout/%Y%m/%d/node_A{p}.html", "pc/content/%Y%m/%d/content_8{p}{n}.html",
        "pc/att/%Y%m/%d/5d6e{p}.pdf", _list_layout, _v2_article, "pc/att/%Y%m/%d/b1.jpg",
    ),
    Family(
        "founder_v2_tq", "index.html", _redirect_meta, "pc/layout/%Y%m/%d/node_{p}.html", "pc/con/%Y%m/%d/c55{p}{n}.html",
        "pc/att/%Y%m/%d/aaa-{p}.pdf", _tq_layout, _tq_article, "pc/att/%Y%m/%d/c1.jpg",
    ),
    Family(
        "rmrb", "paperindex.htm", _redirect_meta, "pc/layout/%Y%m/%d/node_0{p}.html", "pc/content/%Y%m/%d/content_30{p}{n}.html",
        "pc/attachement/%Y%m/%d/58d9{p}.pdf", _rm_layout, _rm_article, "pc/res/%Y%m/%d/d1.jpg",
    ),
    Family(
        "trs", "index.htm", _redirect_meta, "%Y%m%d/%Y%m%d_00{p}/%Y%m%d_00{p}.htm", "%Y%m%d/%Y%m%d_00{p}/%Y%m%d_00{p}_{n}.htm",
        "%Y%m%d/%Y%m%d_00{p}/news-yyb-128-%Y%m%d-m-00{p}-300.pdf", _trs_layout, _trs_article, "%Y%m%d/pic/e1.jpg", "gb2312",
    ),
    Family(
        "fzsyun", "index.html", _redirect_meta, "%Y/%m/%d/node_{p}.html", "%Y/%m/%d/content_99{p}{n}.html",
        "files/%Y%m%d/0{p}.pdf", _fz_layout, _fz_article, "%Y/%m/%d/f1.jpg",
    ),
)  # fmt: skip
