"""Files and folders that belong to somebody else: the doctor runs as a user to whom they are closed, also when the tests run as root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scheduler.examinations import _database_fault
from store.config import Config
from store.database import DatabaseUnavailable, SQLAlchemyError

SOMEBODY_ELSE = 54321
SETPRIV = shutil.which("setpriv")
pytestmark = pytest.mark.skipif(os.geteuid() == 0 and SETPRIV is None, reason="root without setpriv")


def close(path: Path, mode: int) -> None:
    path.chmod(mode)
    if os.geteuid() == 0:
        os.chown(path, SOMEBODY_ELSE, SOMEBODY_ELSE)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "parknews.toml").write_text("")
    for name in ("inbox", "var/digest/outbox"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "sources.toml").write_text(
        '[[source]]\nname = "hand-ins"\nkind = "folder"\npublisher = "本办收件"\npath = "inbox"\n',
        encoding="utf-8",
    )
    assert parknews(tmp_path, "db", "upgrade").returncode == 0
    return tmp_path


def parknews(place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    powerless = (str(SETPRIV), "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PARKNEWS_")}
    return subprocess.run(
        [*powerless, sys.executable, "-m", "scheduler", *command],
        cwd=place, env=kept | {"PYTHONSAFEPATH": "1"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_what_may_not_be_read_or_written_is_named_each_with_its_way_out(place: Path) -> None:
    database = place / "var" / "parknews.db"
    close(database, 0o444)
    close(place / "inbox", 0o700 if os.geteuid() == 0 else 0)
    close(place / "var" / "digest" / "outbox", 0o555)
    done = parknews(place, "doctor")
    assert (done.returncode, done.stderr) == (1, "")
    assert f"FAIL source hand-ins: {place / 'inbox'} may not be read\n" in done.stdout
    assert (
        f"FAIL digest folder: {place / 'var' / 'digest' / 'outbox'}: may not be written to\n" in done.stdout
    )
    assert f"FAIL database: {database}: attempt to write a readonly database\n" in done.stdout


def test_a_closed_folder_of_hand_ins_is_no_empty_one(place: Path) -> None:
    close(place / "inbox", 0o700 if os.geteuid() == 0 else 0)
    visit = parknews(place, "crawl", "hand-ins")
    assert visit.returncode == 1
    assert "no_folder" in visit.stdout


@pytest.mark.parametrize("name", ["parknews.toml", "sources.toml"])
def test_a_file_that_may_not_be_read_has_no_line_to_correct(place: Path, name: str) -> None:
    close(place / name, 0o600 if os.geteuid() == 0 else 0)
    done = parknews(place, "doctor")
    assert done.returncode == 1
    assert "cannot be read: Permission denied\n     -> let the service's user read that file" in done.stdout
    assert "the line that is named" not in done.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("cannot execute UPDATE in a read-only transaction", "database_standby"),
        ("permission denied for table alembic_version", "database_rights"),
        ('FATAL: database "parknews" does not exist', "database_missing"),
        ("database is locked", "database_locked"),
        ("disk I/O error", "database_disk"),
        ("database or disk is full", "database_full"),
        ('could not extend file "base/1": No space left on device', "database_full"),
    ],
)
def test_what_a_database_complains_of_has_a_way_out_of_its_own(words: str, code: str) -> None:
    check = _database_fault(Config(), SQLAlchemyError(words))
    assert check.code == code
    assert words in check.detail
    assert "parknews.db: " in check.detail


def test_a_database_whose_address_is_none_is_told_as_it_is() -> None:
    assert _database_fault(Config(), DatabaseUnavailable("no folder")).code == "database_folder"
