"""The documentation says what the code does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from scheduler.cli import cli
from scheduler.reference import faults_page

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference as `make docs` writes it: in a process of its own, for a command keeps the help option of its first call."""
    folder = tmp_path_factory.mktemp("docs") / "reference"
    subprocess.run([sys.executable, "-m", "scheduler.reference", str(folder)], check=True, cwd=ROOT)
    return folder


@pytest.mark.parametrize("name", ["catalogue.md", "cli.md", "config.md", "sources.md", "themes.md"])
def test_the_reference_is_what_the_code_says(name: str, reference: Path) -> None:
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert written == (reference / name).read_text(encoding="utf-8"), "run `make docs`"


def test_the_table_of_faults_is_what_the_tests_say() -> None:
    written = (ROOT / "docs" / "explanation" / "faults.md").read_text(encoding="utf-8")
    assert written == faults_page(ROOT / "tests" / "faults"), "run `make docs`"
    for fault in (
        "crash at any step", "crash around SMTP's 250", "disk full", "database locked", "two daemons", "late start", "4xx, 5xx, timeout",
        "TLS bad or stripped", "slow server", "gzip bomb", "huge page", "billion laughs", "hostile PDF", "SSRF", "robots change", "traps",
        "header injection", "template injection", "wildcards", "dates in the future",
    ):  # fmt: skip
        assert fault in written


def test_every_link_in_the_documentation_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readme_leads_with_the_two_commands(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    commands = re.findall(r"^(?:\$ )?((?:make|parknews|\.venv/bin/parknews) .+)$", text, re.MULTILINE)
    assert [command.split("#")[0].strip() for command in commands[:2]] == ["make demo", "make test"]


def test_both_readmes_name_the_same_pages_and_commands() -> None:
    english, chinese = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")
    )
    for pattern in (
        r"\]\((docs/[^)]+)\)",
        r"\bmake [a-z]+(?: [A-Z]+=1)?",
        r"parknews [a-z]+",
        r"[A-Z]+(?:_[A-Z]+)+",
    ):
        assert set(re.findall(pattern, chinese)) == set(re.findall(pattern, english)), pattern


def test_the_tutorial_puts_the_command_on_the_path_before_it_is_called_by_name() -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    assert text.index('export PATH="$PWD/.venv/bin:$PATH"') < text.index("\nparknews ")


def named_commands() -> set[str]:
    """Return every `parknews …` of the documentation, and the lines of its examples that begin with one."""
    found: set[str] = set()
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        found |= set(re.findall(r"`(?:\.venv/bin/)?parknews ([^`\n]+)`", text))
        for example in re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL):
            found |= set(
                re.findall(r"^(?:\$ )?(?:\.venv/bin/)?parknews ([^#\n|;&>]+)", example, re.MULTILINE)
            )
    return found


def wrong_word(command: click.Command, words: list[str]) -> str:
    """Return the first word that is neither a sub-command nor an option there, "" for none."""
    options = {name for option in command.params for name in option.opts + option.secondary_opts}
    for place, word in enumerate(words):
        if word.startswith("-") and word != "-" and word.split("=")[0] not in options | {"--help", "-h"}:
            return word
        if isinstance(command, click.Group) and re.fullmatch("[a-z-]+", word) and not word.startswith("-"):
            below = command.get_command(click.Context(command), word)
            return wrong_word(below, words[place + 1 :]) if below else word
    return ""


def test_commands_and_options_named_in_the_documentation_exist() -> None:
    named = named_commands()
    assert len(named) > 50
    wrong = {line: wrong_word(cli, re.findall(r"[^\s\[\]/,]+", line)) for line in named}
    assert {line: word for line, word in wrong.items() if word} == {}


def test_every_decision_says_context_choice_and_what_would_change_it() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert decisions
    for page in decisions:
        text = page.read_text(encoding="utf-8")
        for heading in ("## Context", "## Choice", "## What would change it"):
            assert heading in text, f"{page.name} has no {heading!r}"
