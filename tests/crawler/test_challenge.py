"""Pages of a site's guard with status 200: told from layouts that changed, and from articles that speak of such things."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import select

from crawler.pages.challenge import find_challenge
from store.database import read_scope
from store.models import Article, Crawl, PassedUrl, Source
from tests.crawler.test_spiders import portal, source, texts
from tests.loopback import Office, Site

SLIDER = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>访问验证</title><style>.box{width:300px}</style></head>
<body><div class="box"><h3>访问验证</h3><p>为保障您的访问安全，请按住滑块，拖动到最右边</p><div id="slide"></div></div>
<script src="/verify/slide.js"></script></body></html>"""
COOKIE = """<html><head><script>(function(){var k=[12,45,7],s='';for(var i=0;i<k.length;i++){s+=String.fromCharCode(k[i]+60)}
document.cookie='pass='+s+';path=/';location.reload();})();</script></head><body></body></html>"""
PAGES = {
    "slider": SLIDER,
    "picture": """<html><body><form action="/check"><img src="/captcha.php?t=1"><input name="code"><button>提交</button></form></body></html>""",
    "typed": """<html><head><title>系统提示</title></head><body><p>您的访问过快，请输入下方验证码后继续访问</p><input name="c"></body></html>""",
    "cookie script": COOKIE,
    "cookie script that was named": """<script>document.cookie=('_')+('_jsl_clearance_s=')+('1.2|-1|x')+';max-age=60';location.href=location.pathname</script>""".replace(
        "('_')+('_jsl", "('__jsl"
    ),
    "cookie by argument": """<html><script>var arg1='5F0A';function reload(x){setCookie("acw_sc__v2",x);document.location.reload()}</script></html>""",
    "nothing shown": """<!DOCTYPE html><html><head><meta charset="utf-8"><script>$_ts=window['$_ts'];if(!$_ts)$_ts={};$_ts.nsd=1;</script></head><body></body></html>""",
    "english": """<html><head><title>Just a moment...</title></head><body><noscript>Enable JavaScript and cookies to continue</noscript>
        <script>window._cf_chl_opt={}</script></body></html>""",
    "block": """<html><head><title>网站防火墙</title></head><body><h1>您的请求疑似攻击行为，已被拦截</h1><p>事件编号：20261123-1</p></body></html>""",
    "too often": '{"code": 403, "msg": "访问过于频繁，请稍后再试", "data": null}',
    "safety": """<html><body><div>请完成安全验证</div><div id="c"></div><script src="//guard.example.cn/c.js"></script></body></html>""",
}
TALK = "近日，宝鸡高新区组织开展反诈宣传，民警提醒群众不要把验证码告诉他人，遇到要求“请完成安全验证”“拖动滑块完成拼图”的陌生链接不要点击。"
SHELL = """<!DOCTYPE html><html><head><title>党建网</title><script>if(/Mobile/.test(navigator.userAgent)){location.href='/m/'}</script></head>
    <body><div id="app"></div><script src="/js/app.8f3a.js"></script></body></html>"""
LOGIN = """<html><head><title>用户登录</title></head><body><form><input name="user"><input type="password" name="p">
    <img src="/captcha.jpg"><input name="code" placeholder="验证码"><button>登录</button></form></body></html>"""
OTHERS = {
    "article": Site.article_page("民警提醒：请完成安全验证的链接别乱点", [TALK * 8]).decode(),
    "short article": Site.article_page(
        "民警提醒群众不要泄露验证码", [TALK], extra="<p>" + "相关报道" * 120 + "</p>"
    ).decode(),
    "application": SHELL,
    "login": LOGIN,
    "away": "<html><head><title>x</title></head><body><script>location.href='/index.html'</script></body></html>",
    "empty list": Site.list_page([]).decode(),
    "records": '{"code": 0, "msg": "success", "data": []}',
    "not there": "<html><head><title>404 Not Found</title></head><body><center><h1>404 Not Found</h1></center></body></html>",
    "counting": "<html><body><p>"
    + "党建工作推进会召开。" * 30
    + "</p><script>document.cookie='seen=1';function back(){location.reload()}</script></body></html>",
    "nothing": "",
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_guards_page_is_told_by_what_it_asks_or_does(name: str, encoding: str) -> None:
    text = PAGES[name].replace('charset="utf-8"', f'charset="{encoding}"')
    evidence = find_challenge(text.encode(encoding))
    assert evidence
    assert len(evidence) < 300
    assert "\n" not in evidence


@pytest.mark.parametrize("name", OTHERS)
def test_pages_that_speak_of_it_or_show_nothing_are_no_guards(name: str) -> None:
    assert find_challenge(OTHERS[name].encode()) is None


def test_an_empty_page_behind_a_redirect_to_a_check_is_a_guards() -> None:
    asked = "http://a.example/djyw/"
    assert find_challenge(b"<html></html>", None, "http://a.example/waf_verify.html", asked)
    assert (
        find_challenge(
            b"<html></html>", None, "http://a.example/challenge/1.html", "http://a.example/challenge/"
        )
        is None
    )
    assert find_challenge(b"<html></html>", None, "http://a.example/djyw/index.html", asked) is None


def test_a_short_article_that_could_be_read_needs_more_than_a_word() -> None:
    short = "<html><title>通知</title><body><p>因系统检测到攻击，网站访问被限制，现已恢复。</p></body></html>".encode()
    assert find_challenge(short)
    assert find_challenge(short, sure=True) is None
    assert find_challenge(SLIDER.encode(), sure=True)
    assert find_challenge(Site.article_page("民警提醒", [TALK * 3]), sure=True) is None


def test_a_short_article_about_verifications_is_kept(site: Site, office: Office) -> None:
    site.pages["/list.html"] = site.list_page([("/a/0.html", "民警提醒：请完成安全验证的链接别乱点")])
    site.pages["/a/0.html"] = site.article_page("民警提醒：请完成安全验证的链接别乱点", [TALK])
    office.write_sources(source("baoji", "portal", f"{site.root}/list.html"))
    assert office.run("scrapy", "crawl", "baoji").returncode == 0
    with read_scope(office.engine) as session:
        assert session.scalars(select(Article.text)).one() == TALK


@pytest.mark.parametrize(
    "body",
    [b"<script" * 60_000, b"<!--" * 100_000, b"<img " * 80_000, b"<" * 400_000, "请完成".encode() * 50_000, b"<script>" + b"document.cookie " * 25_000],
    ids=["scripts", "comments", "pictures", "tags", "words", "cookies"],
)  # fmt: skip
def test_hostile_pages_take_no_time(body: bytes) -> None:
    began = time.process_time()
    find_challenge(body)
    assert time.process_time() - began < 2


def test_a_guarded_site_is_refused_and_nothing_of_it_is_lost(site: Site, office: Office) -> None:
    """Lists first, then articles, then nothing is guarded: what was withheld is read at last."""
    portal(site, 8)
    pages = dict(site.pages)
    office.write_sources(source("baoji", "portal", f"{site.root}/list.html"))
    site.pages["/list.html"] = SLIDER.encode()
    for _ in range(2):
        assert office.run("scrapy", "crawl", "baoji").returncode == 0
    with read_scope(office.engine) as session:
        baoji = session.scalars(select(Source)).one()
        assert (baoji.state, set(baoji.faults), baoji.last_reason) == ("down", {"refused"}, "captcha")
        assert "访问验证" in baoji.faults["refused"]["evidence"]

    site.pages["/list.html"] = pages["/list.html"]
    for path in pages.keys() - {"/list.html"}:
        site.pages[path] = COOKIE.encode()
    site.asked.clear()
    assert office.run("scrapy", "crawl", "baoji").returncode == 0
    assert (
        len([path for path, _ in site.asked if path.startswith("/a/")]) <= 5
    )  # after three it is left alone
    with read_scope(office.engine) as session:
        assert session.scalars(select(Crawl.reason).order_by(Crawl.id.desc()).limit(1)).one() == "captcha"
        assert session.scalars(select(PassedUrl)).all() == []
        assert session.scalars(select(Article)).all() == []

    site.pages |= pages
    assert office.run("scrapy", "crawl", "baoji").returncode == 0
    site.pages["/a/0.html"] = SLIDER.encode()  # on a second look, to which another headline leads
    site.pages["/list.html"] = site.list_page([("/a/0.html", "宝鸡高新区首次党建工作会议召开")])
    site.asked.clear()
    assert office.run("scrapy", "crawl", "baoji").returncode == 0
    assert ("/a/0.html", 200) in site.asked
    with read_scope(office.engine) as session:
        kept = session.scalars(select(Article).order_by(Article.url)).all()
        assert [article.version for article in kept] == [1] * 8
        assert texts(0)[0][:20] in kept[0].text
        baoji = session.scalars(select(Source)).one()
        assert (baoji.faults, baoji.last_reason) == ({}, None)


def test_a_guard_behind_an_error_status_is_named(site: Site, office: Office) -> None:
    site.pages["/list.html"] = (521, {"Content-Type": "text/html"}, COOKIE.encode())
    site.pages["/other.html"] = (403, {"Content-Type": "text/html"}, PAGES["block"].encode())
    office.write_sources(
        source("cookie", "portal", f"{site.root}/list.html")
        + source("block", "portal", f"{site.root}/other.html")
    )
    assert office.run("parknews", "crawl").returncode in {0, 1}
    with read_scope(office.engine) as session:
        reasons = dict(session.execute(select(Source.name, Source.last_reason)).all())
        errors = dict(session.execute(select(Source.name, Source.last_error)).all())
    assert reasons == {"cookie": "captcha", "block": "http_403"}
    assert "已被拦截" in str(errors["block"])
