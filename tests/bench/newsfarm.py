"""A generated web of news sites for the bench: eight loopback hosts, four families of CMS, two encodings, pages of a given size.

Six hosts are known by their columns, one by its sitemap, one by its feed.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate

from tests.acceptance.farm import Farm, Headers, Reply

COLUMNS = 4
#: How a source at each host is read, and from where.
LISTS = [
    *[("portal", [f"/col{column}/" for column in range(COLUMNS)])] * 6,
    ("sitemap", ["/sitemap.xml"]),
    ("rss", ["/feed.xml"]),
]
#: Where an edit shows on a host with columns: in the headline, in the date, or only on the article's own page.
SHOWN = ("headline", "nowhere", "date")
_SIGNS = [chr(code) for code in range(0x4E00, 0x4E00 + 2500)]
_WEIGHTS = list(accumulate(1 / (rank + 10) for rank in range(len(_SIGNS))))
_ZONES = ("宝鸡高新区", "武汉东湖高新区", "合肥高新区", "成都高新区", "西安高新区", "苏州工业园区")
_DEEDS = (
    "党建工作推进会召开",
    "新就业群体党建结出硕果",
    "“两新”党组织书记培训班开班",
    "主题党日走进企业",
    "党工委部署基层党建",
)
_FACTS = (
    "会议要求，各街道党工委把快递小哥、网约车司机纳入网格管理，建成红色驿站36个，配备党建指导员58名。",
    "党工委组织部负责人介绍，今年以来新成立非公企业党支部17个，发展党员9名，解决难题120余件。",
)


@dataclass
class NewsFarm:
    """`farm` answers with `articles` pages; `edit` and `publish` make the next day."""

    farm: Farm
    articles: int
    size: int
    seed: int = 7
    columns: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    edits: dict[int, int] = field(default_factory=dict)
    shown: dict[int, str] = field(default_factory=dict)
    edited_at: str = "2026-11-20T09:30:00+08:00"

    def build(self) -> None:
        """Put up every list and article."""
        for number in range(self.articles):
            self.publish(number)

    def publish(self, number: int) -> None:
        """Put up one article at the head of its column."""
        host, column = self.place(number)
        self.columns.setdefault((host, column), []).insert(0, number)
        self.farm.pages[host, self.path(number)] = lambda headers: self._article(number, headers)
        self.farm.pages[host, f"/col{column}/"] = lambda headers: self._list(host, column, headers)
        self.farm.pages[host, "/sitemap.xml"] = lambda headers: self._map(host, headers)
        self.farm.pages[host, "/feed.xml"] = lambda headers: self._feed(host, headers)

    def place(self, number: int) -> tuple[str, int]:
        """Return the host and column of an article."""
        hosts = self.farm.hosts
        return hosts[number % len(hosts)], number // len(hosts) % COLUMNS

    def path(self, number: int) -> str:
        """Return an article's path in the manner of its host's CMS."""
        family = self.farm.hosts.index(self.place(number)[0]) % 4
        shapes = (
            "/art/2026/11/20/art_12_{}.html",
            "/202611/t20261120_{}.shtml",
            "/content/2026-11/20/content_{}.htm",
        )
        return [*shapes, "/news/show-{}.html"][family].format(100_000 + number)

    def edit(self, number: int) -> None:
        """Change an article's text; `shown` says where its lists tell of it."""
        kind, _ = LISTS[self.farm.hosts.index(self.place(number)[0])]
        self.shown[number] = SHOWN[len(self.edits) % len(SHOWN)] if kind == "portal" else kind
        self.edits[number] = self.edits.get(number, 0) + 1

    def _family(self, host: str) -> tuple[int, str]:
        index = self.farm.hosts.index(host)
        return index % 4, "gb18030" if index % 2 else "utf-8"

    def _list(self, host: str, column: int, headers: Headers) -> Reply:
        family, encoding = self._family(host)
        rows = "".join(
            f'<li><a href="{self.path(number)}" title="{self.title(number)}">{self.title(number)}</a><span>{self._day(number)}</span></li>'
            for number in self.columns[host, column]
        )
        head = f'<!DOCTYPE html><html><head><meta charset="{encoding}"><title>党建要闻</title></head><body>{_menu(family)}'
        return _tagged(
            (head + f'<ul class="list">{rows}</ul></body></html>').encode(encoding), headers, encoding
        )

    def _day(self, number: int) -> str:
        return "2026-11-21" if self.shown.get(number) == "date" else "2026-11-20"

    def _changed(self, number: int) -> str:
        return self.edited_at if self.shown.get(number) in {"sitemap", "rss"} else "2026-11-20T09:30:00+08:00"

    def _numbers(self, host: str) -> list[int]:
        return [number for column in range(COLUMNS) for number in self.columns.get((host, column), [])]

    def _map(self, host: str, headers: Headers) -> Reply:
        root = self.farm.root(host)
        rows = "".join(
            f"<url><loc>{root}{self.path(number)}</loc><lastmod>{self._changed(number)}</lastmod></url>"
            for number in self._numbers(host)
        )
        body = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'
        return _tagged(body.encode(), headers, "utf-8")

    def _feed(self, host: str, headers: Headers) -> Reply:
        root = self.farm.root(host)
        rows = "".join(
            f'<entry><title>{self.title(number)}</title><link href="{root}{self.path(number)}"/>'
            f"<published>2026-11-20T09:30:00+08:00</published><updated>{self._changed(number)}</updated></entry>"
            for number in self._numbers(host)
        )
        return _tagged(f'<feed xmlns="http://www.w3.org/2005/Atom">{rows}</feed>'.encode(), headers, "utf-8")

    def title(self, number: int) -> str:
        """Return an article's headline as it stands now."""
        return ("更正：" if self.shown.get(number) == "headline" else "") + self._first_title(number)

    def _first_title(self, number: int) -> str:
        chance = random.Random(self.seed * 1_000_003 + number)
        return f"{chance.choice(_ZONES)}{chance.choice(_DEEDS)}{''.join(chance.choices(_SIGNS, k=6))}"

    def paragraphs(self, number: int) -> list[str]:
        """Return an article's text as it stands now."""
        chance = random.Random(self.seed * 2_000_003 + number)
        made = [_paragraph(chance) for _ in range(chance.randint(5, 14))]
        zone = self._first_title(number)[:6]
        edited = [f"更正：参加人数应为{count + 101}人。" for count in range(self.edits.get(number, 0))]
        return [f"11月20日，{zone}{_FACTS[number % 2]}", *made, *edited]

    def _article(self, number: int, headers: Headers) -> Reply:
        host, _ = self.place(number)
        family, encoding = self._family(host)
        body = "".join(f"<p>　　{text}</p>" for text in self.paragraphs(number))
        page = _PAGES[family](self.title(number), body)
        core = f'<!DOCTYPE html><html><head><meta charset="{encoding}">{page}'.encode(encoding)
        return _tagged(_filled(core, self.size, number, encoding), headers, encoding)


def _paragraph(chance: random.Random) -> str:
    signs = chance.choices(_SIGNS, cum_weights=_WEIGHTS, k=chance.randint(60, 180))
    return "，".join("".join(signs[start : start + 15]) for start in range(0, len(signs), 15)) + "。"


def _tagged(body: bytes, headers: Headers, encoding: str) -> Reply:
    tag = f'"{hashlib.sha1(body, usedforsecurity=False).hexdigest()[:16]}"'
    if headers.get("if-none-match") == tag:
        return 304, {"ETag": tag}, b""
    return 200, {"Content-Type": f"text/html; charset={encoding}", "ETag": tag}, body


def _menu(family: int) -> str:
    links = "".join(f'<li><a href="/c{number}/">栏目{number}</a></li>' for number in range(20 + family))
    return f'<div class="nav menu"><ul>{links}</ul></div>'


def _filled(core: bytes, size: int, number: int, encoding: str) -> bytes:
    """Return the page blown up with what real ones carry: scripts and styles, then menus and lists of other articles."""
    script = b"<script>var s=" + b"'" + b"x9_" * (size // 8) + b"';</script>"
    style = b"<style>" + b".a%d{margin:0;padding:1px}" % number * (size // 120) + b"</style>"
    row = '<li class="item"><a href="/other/{0}.shtml" target="_blank">相关阅读{0}：学习贯彻重要讲话精神</a><em>11-1{1}</em></li>'
    room = max(0, size - len(core) - len(script) - len(style))
    rows = "".join(row.format(number * 97 + index, index % 10) for index in range(room // 110)).encode(
        encoding
    )
    side = b'<div class="side related"><ul>' + rows + b"</ul></div></body></html>"
    return core.replace(b"</head>", style + script + b"</head>").replace(b"</body></html>", side)


def _trs(title: str, body: str) -> str:
    return (
        f"<title>{title}_高新区门户网站</title><meta name='PubDate' content='2026-11-20 09:30'></head><body>{_menu(0)}"
        f"<div class='main'><h1>{title}</h1><div class='info'>来源：宝鸡日报　发布时间：2026-11-20 09:30　责任编辑：李想</div>"
        f"<div class='TRS_Editor'>{body}</div></div><div class='footer'>版权所有 ICP备00000000号</div></body></html>"
    )


def _jcms(title: str, body: str) -> str:
    return (
        f"<title>{title}</title></head><body>{_menu(1)}<table width='1000'><tr><td class='title'>{title}</td></tr>"
        f"<tr><td>发布日期：2026-11-20 10:12 信息来源：党工委组织部 浏览次数：<span id='hits'></span></td></tr>"
        f"<tr><td class='bt_content'><div id='zoom'>{body}</div></td></tr></table></body></html>"
    )


def _portal(title: str, body: str) -> str:
    return (
        f"<title>{title}--新闻中心</title></head><body>{_menu(2)}<article><h1 class='article-title'>{title}</h1>"
        f"<p class='meta'><span>2026年11月20日08:15</span><span>来源：长江日报</span></p>"
        f"<div class='rm_txt_con'>{body}</div><p>(责编：王晓、张明)</p></article></body></html>"
    )


def _phpcms(title: str, body: str) -> str:
    return (
        f"<title>{title} - 高新视窗</title></head><body>{_menu(3)}<div id='Article'><h1>{title}<br>"
        f"<span>2026-11-20 16:40:05 来源：高新视窗 作者：赵晓 点击：</span></h1><div class='content'>{body}</div></div></body></html>"
    )


_PAGES: tuple[Callable[[str, str], str], ...] = (_trs, _jcms, _portal, _phpcms)
