"""The command line: quick help, one clear line for every fault, exit codes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from scheduler.cli import COMMANDS
from store.database import make_engine
from store.schema import upgrade
from tests.scheduler.program import run


def test_help_lists_every_command_and_is_quick(tmp_path: Path) -> None:
    run(tmp_path, "--help")
    started = time.monotonic()
    done = run(tmp_path, "--help")
    assert time.monotonic() - started < 1
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, name, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: parknews {name}")


def test_init_writes_what_doctor_and_the_others_need(tmp_path: Path) -> None:
    done = run(tmp_path, "init", "office")
    assert done.returncode == 0, done.stderr
    office = tmp_path / "office"
    assert {path.name for path in office.iterdir()} >= {"parknews.toml", "sources.toml", "inbox", "var"}
    assert "kept" in run(tmp_path, "init", "office").stdout
    doctor = run(office, "doctor")
    assert doctor.returncode == 1
    assert "FAIL mail: [mail] host is not set" in doctor.stdout
    faults = [line for line in doctor.stdout.splitlines() if line.startswith("FAIL")]
    assert [line for line in faults if "name server" not in line] == faults[
        -1:
    ]  # a machine without net has none
    assert "next issue" in run(office, "status").stdout
    assert "hand-ins" in run(office, "source", "list").stdout


@pytest.mark.parametrize(
    ("files", "arguments", "message"),
    [
        (
            {"parknews.toml": "[mial]\n"},
            ["status"],
            "parknews.toml:1: there is no section [mial]; did you mean mail?",
        ),
        (
            {"parknews.toml": "[[recipient]]\naddress = 'nobody'\n"},
            ["status"],
            "parknews.toml:2: [[recipient]] address must be a mail address such as name@example.cn, not",
        ),
        (
            {"parknews.toml": "", "sources.toml": "[[source]]\nkind = 'portl'\n"},
            ["source", "list"],
            "sources.toml:2: [[source]] kind must be",
        ),
        ({"parknews.toml": ""}, ["crawl"], "sources.toml: no such file of sources"),
        (
            {"parknews.toml": "[database]\nurl = 'sqlite:////proc/none/x.db'\n"},
            ["status"],
            "/proc/none cannot be made",
        ),
        ({}, ["--config", "none.toml", "status"], "none.toml: no such configuration file"),
        ({}, ["classify", "missing.jsonl"], "missing.jsonl"),
        ({}, ["article", "show", "1"], "no article '1'"),
        ({}, ["issue", "show", "9"], "there is no issue 9"),
        ({}, ["recipient", "add", "a@b"], "a@b"),
        ({}, ["issue", "compose", "--at", "gestern"], "'gestern' is no moment"),
    ],
)
def test_a_fault_is_one_clear_line(
    tmp_path: Path, files: dict[str, str], arguments: list[str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = run(tmp_path, *arguments)
    assert done.returncode in {1, 2}, done.stdout + done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_newer_than_the_code_is_refused(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'new.db'}")
    upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    done = run(tmp_path, "status", env={"PARKNEWS_DATABASE_URL": f"sqlite:///{tmp_path / 'new.db'}"})
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "schema 9999" in done.stderr


def test_a_password_never_shows(tmp_path: Path) -> None:
    done = run(tmp_path, "status", env={"PARKNEWS_DATABASE_URL": "postgresql://me:geheim@127.0.0.1:9/none"})
    assert done.returncode == 2
    assert "geheim" not in done.stdout + done.stderr


def test_inspect_answers_every_line_of_standard_input(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "宝鸡高新区召开党建推进会\n\n宝鸡高新区党工委召开推进会，部署新业态党建工作。\n会议要求建好红色驿站。\n",
        encoding="utf-8",
    )
    done = run(tmp_path, "inspect", "--json", stdin="a.txt\tfile:a\nnone.html\n")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert '"status": "ok"' in first
    assert "宝鸡高新区" in first
    assert '"status": "unreachable"' in second
    assert "宝鸡高新区" in run(tmp_path, "inspect", "a.txt").stdout


def test_classify_answers_every_line_and_names_a_faulty_one(tmp_path: Path) -> None:
    line = '{"id": 7, "title": "宝鸡高新区党工委开展主题党日活动", "text": "宝鸡高新区党工委组织机关党员开展主题党日活动。"}\n'
    done = run(tmp_path, "classify", "-", stdin=line)
    assert '"id": 7' in done.stdout
    assert '"relevant": true' in done.stdout
    explained = run(tmp_path, "classify", "--explain", "-", stdin=line)
    assert "zone   宝鸡高新区 (actor)" in explained.stdout
    assert "line 2: not JSON" in run(tmp_path, "classify", "-", stdin=line + "{\n").stderr


def test_story_group_joins_what_is_the_same(tmp_path: Path) -> None:
    text = (
        "宝鸡高新区党工委近日召开新业态新就业群体党建推进会，42家平台企业负责人参加。会议要求把快递小哥纳入网格管理，年内建成红色驿站36个。"
        * 2
    )
    other = (
        "镇江高新区举办产业链党建惠企义诊活动，来自三家医院的党员医生为企业职工看诊二百余人次，送药上门。" * 3
    )
    lines = "".join(
        f'{{"id": "{key}", "title": "t", "text": "{value}", "published_at": null, "publisher": null, "url": null}}\n'
        for key, value in (("a", text), ("b", text.replace("，", ",")), ("c", other))
    )
    done = run(tmp_path, "story", "group", "-", stdin=lines)
    assert done.returncode == 0, done.stderr
    import json

    last = {answer["id"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    assert last["a"]["story"] == last["b"]["story"] != last["c"]["story"]


def test_a_broken_template_of_the_office_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine" / "weekly").mkdir(parents=True)
    (tmp_path / "mine" / "weekly" / "subject.txt").write_text("{{ head.")
    (tmp_path / "parknews.toml").write_text('[digest]\ntemplates = "mine"\n')
    done = run(tmp_path, "issue", "preview", "--files")
    assert done.returncode == 2
    assert "weekly/subject.txt:1: " in done.stderr
    assert "Traceback" not in done.stderr
