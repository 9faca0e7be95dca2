"""Search, backup, export and statistics on the command line, and what they say when the disk or the database is at fault."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store.articles import Incoming, set_classification
from store.database import make_engine, session_scope
from store.schema import upgrade
from tests.arrivals import add_article
from tests.scheduler.program import PARKNEWS, run

TAG = {"field": "text", "start": 0, "end": 2, "text": "合肥"}


@pytest.fixture
def office(tmp_path: Path) -> Path:
    (tmp_path / "parknews.toml").write_text('[database]\nurl = "sqlite:///a.db"\n')
    engine = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    upgrade(engine)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    with session_scope(engine) as session:
        for number in range(30):
            article, _ = add_article(
                session, Incoming(f"http://a.cn/{number}", f"链上党建{number}", "合肥例会" * 300), now
            )
            tags = [
                TAG | {"kind": "zone", "name": "合肥高新区", "role": "actor"},
                TAG | {"kind": "theme", "name": "chain", "role": None},
            ]
            set_classification(article, {"relevant": True, "borderline": False, "score": 1.0}, tags)
    engine.dispose()  # the last connection puts everything into the one file
    return tmp_path


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_search_prints_lines_or_json(office: Path) -> None:
    done = run(office, "search", "鏈上", "例会", "--zone", "合肥高新区", "--limit", "2", "--json")
    found = json.loads(done.stdout)
    assert [one["title"] for one in found["found"]] == ["链上党建29", "链上党建28"]
    assert found["more"]
    text = run(office, "search", "党建7").stdout
    assert "链上党建7" in text
    assert "http://a.cn/7" in text
    assert run(office, "search", "没有的").stdout == "nothing found\n"
    assert "two characters" in run(office, "search", "党").stderr


def test_statistics_export_backup_and_restore_go_round(office: Path) -> None:
    table = json.loads(run(office, "statistics", "--of", "articles", "--format", "json").stdout)
    assert table == [
        {
            "period": "2026-11",
            "total": 30,
            "zones": {"合肥高新区": 30},
            "themes": {"chain": 30},
            "cells": {"合肥高新区": {"chain": 30}},
        }
    ]
    assert len(run(office, "export", "articles", "--format", "jsonl").stdout.splitlines()) == 30
    assert "30 rows" not in run(office, "backup", "b.gz").stdout
    assert "30 article" in run(office, "restore", "--check", "b.gz").stdout
    assert "not empty" in one_line(run(office, "restore", "b.gz"))
    (office / "parknews.toml").write_text('[database]\nurl = "sqlite:///new.db"\n')
    assert run(office, "restore", "b.gz").returncode == 0
    assert len(json.loads(run(office, "search", "链上", "--limit", "50", "--json").stdout)["found"]) == 30


def test_statistics_as_tables_hold_every_count_and_total(office: Path) -> None:
    assert run(office, "statistics", "--of", "articles", "--format", "csv", "-o", "s.csv").returncode == 0
    rows = list(csv.reader((office / "s.csv").read_text("utf-8-sig").splitlines()))
    assert rows == [
        ["period", "zone", "theme", "title", "count"],
        ["2026-11", "", "", "合计", "30"],
        ["2026-11", "合肥高新区", "", "合计", "30"],
        ["2026-11", "", "chain", "产业链党建与党建联盟", "30"],
        ["2026-11", "合肥高新区", "chain", "产业链党建与党建联盟", "30"],
    ]
    run(office, "statistics", "--of", "articles", "--format", "xlsx", "-o", "s.xlsx")
    with zipfile.ZipFile(office / "s.xlsx") as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<v>30</v>") == 4
    assert "cannot be written" in one_line(run(office, "statistics", "-o", "none/s.csv"))


@pytest.mark.parametrize(("until", "total"), [("2026-11-22", 0), ("2026-11-23", 30)])
def test_the_last_day_is_counted_as_it_is_searched(office: Path, until: str, total: int) -> None:
    tables = json.loads(
        run(office, "statistics", "--of", "articles", "--until", until, "--format", "json").stdout
    )
    found = json.loads(run(office, "search", "链上", "--until", until, "--limit", "50", "--json").stdout)
    assert sum(table["total"] for table in tables) == len(found["found"]) == total


def test_a_misspelt_theme_is_said_and_not_taken_for_a_quiet_week(office: Path) -> None:
    done = run(office, "search", "链上", "--theme", "chian")
    assert done.returncode == 2
    assert "no theme chian; there are " in done.stderr
    assert "chain" in done.stderr


def test_a_misspelt_zone_is_said_with_the_nearest_names(office: Path) -> None:
    done = run(office, "search", "链上", "--zone", "合肥高薪区")
    assert done.returncode == 2
    assert "no zone 合肥高薪区; did you mean 合肥高新区" in done.stderr
    assert run(office, "search", "链上", "--zone", "火星").stderr.endswith("no zone 火星\n")


@pytest.mark.parametrize("name", ["合肥高新技术产业开发区", "合肥高新區", "合肥高新区"])
def test_a_zone_is_found_by_any_of_its_names(office: Path, name: str) -> None:
    assert "链上党建7" in run(office, "search", "党建7", "--zone", name).stdout


def test_a_torn_backup_is_one_line_and_touches_nothing(office: Path) -> None:
    run(office, "backup", "b.gz")
    whole = (office / "b.gz").read_bytes()
    (office / "b.gz").write_bytes(whole[: len(whole) // 2])
    assert "torn" in one_line(run(office, "restore", "--force", "b.gz"))
    assert "链上党建7" in run(office, "search", "党建7").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search", "链上"], "parknews restore"),
        (["status"], "parknews restore"),
        (["backup", "b.gz"], "damaged"),
    ],
)
def test_a_file_that_is_no_database_is_said_with_the_way_out(
    office: Path, arguments: list[str], words: str
) -> None:
    (office / "a.db").write_bytes(b"not a database at all" * 1000)
    said = one_line(run(office, *arguments))
    assert words in said
    assert not (office / "b.gz").exists()


def test_a_damaged_database_is_said_with_the_way_out(office: Path) -> None:
    size = (office / "a.db").stat().st_size
    with (office / "a.db").open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(size - 8192))
    said = one_line(run(office, "backup", "b.gz"))
    assert "damaged" in said or "malformed" in said
    assert not (office / "b.gz").exists()


#: Takes from root what lets it pass by the modes of files; others need no such thing.
PLAIN_USER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root passes by all modes")
@pytest.mark.parametrize(
    ("mode", "arguments"), [(0o444, ["recipient", "add", "a@b.cn"]), (0o000, ["status"])]
)
def test_permissions_are_said_with_the_way_out(office: Path, mode: int, arguments: list[str]) -> None:
    (office / "a.db").chmod(mode)
    command = [*(PLAIN_USER if os.geteuid() == 0 else []), PARKNEWS, *arguments]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(office)}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=office, env=environment, timeout=60, check=False
    )
    assert "writable for this user" in one_line(done)


def test_a_folder_that_cannot_be_written_is_said(office: Path) -> None:
    assert "cannot be written" in one_line(run(office, "backup", "none/b.gz"))
    assert "cannot be written" in one_line(run(office, "export", "articles", "-o", "none/a.csv"))
