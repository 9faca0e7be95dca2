from pathlib import Path

import pytest

from digest.checking import check_templates


def check(folder: Path, name: str, text: str) -> list[str]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return check_templates(folder)


def test_the_products_own_templates_are_right() -> None:
    import digest

    assert check_templates(Path(digest.__path__[0]) / "templates") == []


def test_an_empty_folder_is_right_and_a_missing_one_is_named(tmp_path: Path) -> None:
    assert check_templates(tmp_path) == []
    assert check_templates(tmp_path / "none") == [f"{tmp_path / 'none'}:1: no such folder"]


@pytest.mark.parametrize(
    ("name", "text", "line", "words"),
    [
        ("weekly/subject.txt", "第一行\n{{ head.lable }}", 2, "lable"),
        ("weekly/subject.txt", "{{ nothing }}", 1, "nothing"),
        ("weekly/body.txt", "\n\n{% if x %}", 3, "end of template"),
        (
            "weekly/body.html",
            "<p>\n{% for s in edition.stories %}\n{{ s.content.titel }}\n{% endfor %}",
            3,
            "titel",
        ),
        ("weekly/body.html", "<a href='ftp://x.example'>x</a>", 1, "ftp"),
        ("weekly/page.html", "{{ ''.__class__.__mro__ }}", 1, "unsafe"),
        ("weekly/body.txt", "{{ edition.stories.append(1) }}", 1, "append"),
        ("weekly/parts.html", "{% macro title_row(text) %}{% endmacro %}", 1, ""),
        ("alert/body.txt", "ok\n{{ alerts[0].nothing }}", 2, "nothing"),
        ("web/story.html", "<p>\n\n{{ facts.contents }}", 3, "contents"),
        ("web/index.html", "<p>{{ issues[0].nothing }}", 1, "nothing"),
        ("weekly/new.html", "x", 1, "no template"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_line(
    tmp_path: Path, name: str, text: str, line: int, words: str
) -> None:
    faults = check(tmp_path, name, text)
    assert faults
    assert words in " ".join(faults)
    if name != "weekly/parts.html":
        assert faults[0].startswith(f"{tmp_path / name}:{line}: ")


def test_a_file_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "weekly").mkdir()
    (tmp_path / "weekly" / "subject.txt").write_bytes("党建".encode("gb18030"))
    assert check_templates(tmp_path) == [f"{tmp_path / 'weekly' / 'subject.txt'}:1: is not UTF-8"]


def test_a_mistyped_layout_is_named(tmp_path: Path) -> None:
    faults = check(tmp_path, "briefing.toml", "lines = 22\nmargin_topp = 30\n")
    assert len(faults) == 1
    assert faults[0].startswith(f"{tmp_path / 'briefing.toml'}:2: ")
