"""Second looks: pages read again, texts classified again, hand-ins by command."""

from __future__ import annotations

from sqlalchemy import select, update

from store.database import read_scope, session_scope
from store.models import Article, ArticleVersion
from tests.crawler.test_spiders import portal, source, texts
from tests.loopback import Office, Site


def test_kept_pages_are_read_again_without_a_request(site: Site, office: Office) -> None:
    portal(site, 2)
    office.write_sources(source("baoji", "portal", f"{site.root}/list.html"))
    office.run("parknews", "crawl")
    site.asked.clear()
    with session_scope(office.engine) as session:
        session.execute(update(Article).where(Article.id == 1).values(text="读坏了", editor=None))
    assert office.run("parknews", "article", "reread").stdout.strip() == "1 changed, 1 same"
    with read_scope(office.engine) as session:
        article = session.get_one(Article, 1)
        assert (article.editor, article.version) == ("李想", 1)
        assert "党建工作推进会" in article.text
        assert session.scalars(select(ArticleVersion)).all() == []
    assert site.asked == []


def test_an_article_over_several_pages_is_read_again_whole(site: Site, office: Office) -> None:
    site.pages["/list.html"] = site.list_page([("/a/1.html", "宝鸡高新区党建联盟成立大会召开")])
    more = '<div class="page"><span>1</span> <a href="1_2.html">2</a> <a href="1_2.html">下一页</a></div>'
    site.pages["/a/1.html"] = site.article_page("宝鸡高新区党建联盟成立大会召开", texts(1), extra=more)
    site.pages["/a/1_2.html"] = site.article_page("宝鸡高新区党建联盟成立大会召开", texts(2))
    office.write_sources(source("baoji", "portal", f"{site.root}/list.html"))
    office.run("parknews", "crawl")
    assert office.run("parknews", "article", "reread").stdout.strip() == "1 same"


def test_a_changed_vocabulary_is_applied_to_what_is_kept(site: Site, office: Office) -> None:
    portal(site, 1)
    office.write_sources(source("baoji", "portal", f"{site.root}/list.html"))
    office.run("parknews", "crawl")
    assert office.run("parknews", "article", "reclassify").stdout.strip() == "1 same"
    config = office.folder / "parknews.toml"
    config.write_text(config.read_text() + "[classify]\nthreshold = 1.0\n", encoding="utf-8")
    assert office.run("parknews", "article", "reclassify").stdout.strip() == "1 changed"
    with read_scope(office.engine) as session:
        assert session.scalars(select(Article.relevant)).all() == [False]


def test_hand_ins_by_command_are_reported_one_by_one(office: Office) -> None:
    office.write_sources("")
    (office.folder / "good.txt").write_text(
        "宝鸡高新区召开新业态党建推进会\n\n" + "\n".join(texts(3)), encoding="utf-8"
    )
    (office.folder / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    done = office.run("parknews", "article", "add", "broken.pdf", "good.txt", "missing.txt")
    assert done.returncode == 2
    assert "good.txt: new article 1: 宝鸡高新区召开新业态党建推进会" in done.stdout
    assert "broken.pdf: bad_pdf" in done.stderr
    assert "missing.txt" in done.stderr
    assert "Traceback" not in done.stderr
    again = office.run("parknews", "article", "add", "good.txt")
    assert (again.returncode, again.stdout.split(":")[1].strip()) == (0, "seen article 1")
    shown = office.run("parknews", "article", "show", "1").stdout
    assert "宝鸡高新区 (actor)" in shown
    assert "1 page(s) in quarantine" in office.run("parknews", "article", "quarantine").stdout


def test_an_article_is_added_by_its_address(site: Site, office: Office) -> None:
    office.write_sources("")
    site.pages["/a/1.html"] = site.article_page("宝鸡高新区党建联盟成立大会召开", texts(1))
    refused = office.run("parknews", "article", "add", f"{site.root}/a/1.html")
    assert refused.returncode == 2
    assert "private address" in refused.stderr
    added = office.run("parknews", "article", "add", "--allow-private", f"{site.root}/a/1.html")
    assert "new article 1: 宝鸡高新区党建联盟成立大会召开" in added.stdout
