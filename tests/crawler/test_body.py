from __future__ import annotations

from crawler.extract.body import find_body
from crawler.extract.tree import parse

P = "六月的云岭高新区，机器轰鸣、车流不息，一场由链上企业党支部轮流主持的项目会诊正在进行，企业的困难当场有了答复。"
Q = "产业链党委实行双书记制，每月召开一次联席会议，梳理上下游企业在用工、物流、融资等方面的需求清单，逐项销号。"


def text(markup: str) -> str:
    return find_body(parse(markup)).text


def test_paragraphs_and_subheads_stay_in_order() -> None:
    assert (
        text(f"<div><p>{P}</p><p><strong>链上聚合力</strong></p><p>{Q}</p></div>") == f"{P}\n链上聚合力\n{Q}"
    )


def test_breaks_make_paragraphs_where_no_element_does() -> None:
    assert text(f"<td>　　{P}<br><br>　　{Q}<br></td>") == f"{P}\n{Q}"


def test_each_paragraph_in_a_box_of_its_own_is_one_article() -> None:
    boxes = "".join(f'<div class="para"><div class="t">{x}</div></div>' for x in (P, Q, P + Q))
    assert text(f"<div>{boxes}</div>") == "\n".join((P, Q, P + Q))


def test_comments_related_news_and_rights_notes_are_left_out() -> None:
    page = (
        f"<div class=main><div class=text><p>{P}</p><p>{Q}</p><p>责任编辑：张三</p></div>"
        f"<div class=related><h3>相关阅读</h3><p><a href=/1>另一条新闻</a>{P[::-1]}</p></div>"
        f"<div class=comment-list><p>{Q[::-1]}</p><p>{P[::-1]}</p><p>{Q[::-1]}</p></div>"
        "<p>版权声明：本网所有内容，未经授权不得转载。</p></div>"
    )
    assert text(page) == f"{P}\n{Q}"


def test_a_short_article_beats_long_comments() -> None:
    comments = "".join(f"<li><div class=comment-txt>{Q[::-1]}{i}</div></li>" for i in range(30))
    assert text(f"<li><div class=c><p>{P}</p></div><div class=comments><ul>{comments}</ul></div></li>") == P


def test_a_wrapper_named_like_furniture_is_still_read() -> None:
    assert text(f"<div class=comment-box><div><p>{P}</p><p>{Q}</p></div></div>") == f"{P}\n{Q}"


def test_words_of_law_in_an_article_are_no_notice() -> None:
    law = "违反本规定的，视情节轻重予以处罚，并依法追究有关部门的法律责任，有关版权纠纷依照法律处理。"
    assert law in text(f"<div><p>{P}</p><p>{law}</p><p>{Q}</p></div>")


def test_captions_go_and_sentences_below_pictures_stay() -> None:
    page = (
        f"<div><p>{P}</p><p align=center><img src=1.jpg></p><p align=center>图为座谈会现场。</p>"
        f"<p align=center><img src=2.jpg></p><p align=center>企业代表发言 赵强 摄</p><p><img src=3.jpg></p><p>{Q}</p></div>"
    )
    assert text(page) == f"{P}\n{Q}"


def test_the_button_behind_the_last_sentence_goes() -> None:
    assert text(f"<div><p>{P}</p><p>{Q}<a href=/>返回首页&gt;&gt;</a></p></div>") == f"{P}\n{Q}"


def test_a_byline_inside_the_text_element_is_not_text() -> None:
    page = f"<div><p>2023-06-15 09:26　来源：云岭日报　作者：张三</p><p>原标题：旧题</p><p>{P}</p><p>{Q}</p></div>"
    assert text(page) == f"{P}\n{Q}"


def test_hidden_text_is_read_only_where_nothing_else_is() -> None:
    assert text(f"<div style='display:none'><p>{P}</p></div><div><p>{Q}</p></div>") == Q
    assert text(f"<div style='display:none'><p>{P}</p><p>{Q}</p></div>") == f"{P}\n{Q}"


def test_rows_of_a_data_table_stay_together() -> None:
    page = f"<div><p>{P}</p><table><tr><td>新能源</td><td>21</td></tr></table><p>{Q}</p></div>"
    assert text(page) == f"{P}\n新能源 21\n{Q}"


def test_a_page_without_text_has_no_body() -> None:
    assert text("<div id=app></div>") == ""


COMMENT = "说得好，希望有关部门能够真正落实到位，让大家得到实惠，期待更多这样的好消息，也请多关注我们这里。"


def test_comments_without_any_name_are_known_by_their_make() -> None:
    comments = "".join(
        f"<div><span>网友{i}</span><p>{COMMENT}</p><span>{i}小时前</span><a href=#>回复</a></div>"
        for i in range(15)
    )
    assert text(f"<div><h1>题</h1><div><p>{P}</p></div></div><div>{comments}</div>") == P


def test_other_news_with_summaries_is_known_by_its_make() -> None:
    news = "".join(f"<li><a href=/{i}>另一条新闻的标题{i}</a><p>{COMMENT}</p></li>" for i in range(8))
    assert text(f"<div><p>{P}</p></div><ul>{news}</ul>") == P


def test_a_column_of_other_news_above_the_headline_is_not_the_article() -> None:
    column = f"<div><h2>今日要闻</h2><p>{COMMENT}{COMMENT}</p><p>{COMMENT}</p></div>"
    assert (
        text(
            f"<title>小支部撬动大服务</title>{column}<div><h1>小支部撬动大服务</h1><div><p>{P}</p><p>{Q}</p></div></div>"
        )
        == f"{P}\n{Q}"
    )


def test_sections_of_an_article_in_boxes_are_no_list_of_entries() -> None:
    sections = "".join(f"<section><h2>小标题{i}</h2><p>{P}{i}</p><p>{Q}{i}</p></section>" for i in range(5))
    assert text(f"<div class=article>{sections}</div>").count("小标题") == 5


def test_an_article_ends_at_its_editors_when_only_lists_follow() -> None:
    links = "".join(f"<p><a href=/{i}>小编最近文章{i}</a></p>" for i in range(9))
    page = f"<div><p>{P}{P}</p><p>{Q}</p><p>责任编辑：张三</p>{links}<div><p>{COMMENT * 3}</p></div></div>"
    assert text(page) == f"{P}{P}\n{Q}"
