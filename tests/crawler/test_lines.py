"""Characters joined to lines, horizontal and vertical."""

from __future__ import annotations

from crawler.extract.lines import lines_of
from crawler.extract.pdf import Char, Frame


def row(
    text: str, x: float, base: float, size: float = 10.0, start: int = 0, pitch: float = 1.0
) -> list[Char]:
    return [
        Char(
            c,
            x + i * pitch * size,
            base - 0.86 * size,
            x + i * pitch * size + size,
            base + 0.14 * size,
            size,
            "F",
            start + i,
        )
        for i, c in enumerate(text)
        if c != " "
    ]


def column(
    text: str, x: float, top: float, size: float = 20.0, start: int = 0, pitch: float = 1.1
) -> list[Char]:
    return [
        Char(c, x, top + i * pitch * size, x + size, top + i * pitch * size + size, size, "F", start + 2 * i)
        for i, c in enumerate(text)
        if c != " "
    ]


def body(start: int = 5000) -> list[Char]:
    return [
        c for k in range(6) for c in row("这一行是普通的正文字号", 400, 700 + 14 * k, start=start + 20 * k)
    ]


def texts(chars: list[Char], barriers: list[Frame] | None = None) -> list[str]:
    return [line.text for line in lines_of(chars, barriers or [])]


def test_a_wide_gap_closes_when_a_line_below_runs_across_it() -> None:
    chars = row("据了解", 0, 100, pitch=1.8) + row("项目一期总投资", 0, 114, start=50)
    assert texts(chars) == ["据了解", "项目一期总投资"]


def test_a_gutter_between_columns_stays_open_although_the_stream_runs_row_by_row() -> None:
    chars = []
    for k in range(5):
        chars += row("左边一栏文字", 0, 100 + 14 * k, start=100 * k)
        chars += row("右边一栏文字", 69, 100 + 14 * k, start=100 * k + 6)
    assert sorted(set(texts(chars))) == ["右边一栏文字", "左边一栏文字"]


def test_a_gutter_as_narrow_as_letter_spacing_stays_open_when_the_stream_runs_down_the_columns() -> None:
    chars = []
    for k in range(5):
        chars += row("左边一栏文字", 0, 100 + 14 * k, start=10 * k)
        chars += row("右边一栏文字", 64, 100 + 14 * k, start=900 + 10 * k)
    chars.sort(key=lambda c: c.order)
    assert sorted(set(texts(chars))) == ["右边一栏文字", "左边一栏文字"]


def test_an_upright_rule_is_never_crossed() -> None:
    chars = row("标题左", 0, 100, 20) + row("标题右", 80, 100, 20, start=3)
    assert texts(chars, [Frame(69, 60, 70, 160)]) == ["标题左", "标题右"]


def test_vertical_headlines_are_found_by_pitch_and_their_signs_turned_back() -> None:
    lines = lines_of(column("以﹃绣花针﹄赋能管理", 10, 50) + body())
    (upright,) = [line for line in lines if line.vertical]
    assert upright.text == "以“绣花针”赋能管理"


def test_two_vertical_lines_drawn_row_by_row_are_not_rows() -> None:
    left, right = column("一行竖排标题在此", 10, 50), column("另行竖排标题在右", 36, 50)
    mixed = [
        c._replace(order=i) for i, c in enumerate(c for pair in zip(left, right, strict=True) for c in pair)
    ]
    found = {line.text for line in lines_of(mixed + body()) if line.vertical}
    assert found == {"一行竖排标题在此", "另行竖排标题在右"}


def test_a_vertical_headline_ends_at_a_level_rule() -> None:
    chars = column("上面的竖排标题", 10, 50) + column("下面的竖排标题", 10, 230, start=100)
    found = [line.text for line in lines_of(chars + body(), [Frame(0, 216, 300, 217)]) if line.vertical]
    assert found == ["上面的竖排标题", "下面的竖排标题"]


def test_names_keep_their_spaces_and_text_has_none() -> None:
    (line,) = lines_of(row("记者 张三 李四", 0, 100) + row("记者张三李四报道了此事", 0, 114, start=60))[:1]
    assert line.spaced == "记者 张三 李四"
    assert line.text == "记者张三李四"
