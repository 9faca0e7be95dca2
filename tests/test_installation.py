"""The wheel installed into a fresh environment works outside the checkout; what is delivered for services and containers is sound."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNITS = ("parknews.service", "parknews-web.service", "parknews-deadman.service")


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PARKNEWS_", "SCRAPY_", "PYTHONPATH"))
    }
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with the wheel; its dependencies are borrowed from the one the tests run in."""
    folder = tmp_path_factory.mktemp("fresh")
    copy = folder / "source"
    kept = ("crawler", "scheduler", "store", "digest", "pyproject.toml", "README.md", "LICENSE")
    copy.mkdir()
    for name in kept:
        path = ROOT / name
        shutil.copytree(path, copy / name) if path.is_dir() else shutil.copy(path, copy / name)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    offline = ("--no-index", "--no-deps", "--no-build-isolation")
    built = run(*pip, "wheel", *offline, "-w", folder, copy, cwd=folder)
    assert built.returncode == 0, built.stderr
    shutil.rmtree(copy)
    venv.create(folder / "env", with_pip=False)
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    packages = folder / "env" / "lib" / version / "site-packages"
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    wheel = next(folder.glob("parknews-*.whl"))
    python = folder / "env" / "bin" / "python"
    done = run(*pip, "--python", python, "install", "--no-index", "--no-deps", wheel, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "env" / "bin"


@pytest.mark.slow
def test_the_wheel_works_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    office = tmp_path / "office"
    made = run(installed / "parknews", "init", office, cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    (office / "sources.toml").write_text(
        '[[source]]\nname = "baoji"\nkind = "portal"\npublisher = "宝鸡新闻网"\nurls = ["https://news.example.cn/"]\n',
        encoding="utf-8",
    )
    owner = run(installed / "python", "-c", "import crawler; print(crawler.__file__)", cwd=office)
    assert Path(owner.stdout.strip()).is_relative_to(installed.parent)

    scrapy = (installed / "python", "-m", "scrapy")
    listed = run(*scrapy, "list", cwd=office)
    assert listed.stdout.split() == ["baoji"], listed.stderr
    checked = run(installed / "parknews", "doctor", cwd=office)
    assert "Traceback" not in checked.stderr
    assert checked.returncode in {0, 1}, checked.stderr
    assert (office / "var" / "parknews.db").is_file()
    schema = run(installed / "parknews", "db", "check", cwd=office)
    assert schema.returncode == 0, schema.stdout + schema.stderr


def test_the_units_run_the_commands_that_exist_and_are_hardened() -> None:
    from scheduler.cli import COMMANDS

    for unit in UNITS:
        parsed = ConfigParser(strict=False, interpolation=None)
        parsed.optionxform = str  # type: ignore[assignment,method-assign]
        parsed.read(DEPLOY / unit, encoding="utf-8")
        service = parsed["Service"]
        command = service["ExecStart"].split()
        assert command[0].endswith("/parknews")
        assert command[1] in COMMANDS
        for key in (
            "NoNewPrivileges",
            "PrivateTmp",
            "ProtectKernelTunables",
            "RestrictSUIDSGID",
            "LockPersonality",
        ):
            assert service[key] == "true", (unit, key)
        assert service["ProtectSystem"] == "strict"
        assert service["User"] == "parknews"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here")
def test_systemd_reads_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        text = (DEPLOY / unit).read_text(encoding="utf-8")
        program = re.search(r"^ExecStart=(\S+)", text, re.MULTILINE)
        assert program
        (tmp_path / unit).write_text(text.replace(program[1], "/bin/true"), encoding="utf-8")
    said = run("systemd-analyze", "verify", *(tmp_path / unit for unit in UNITS), cwd=tmp_path)
    wrong = [line for line in said.stderr.splitlines() if "parknews" in line]
    assert not wrong
    for unit in UNITS:  # of 10.0, the lower the better; 1.7 measured with systemd 252
        words = ("--offline=yes", "--threshold=20", "--no-pager", tmp_path / unit)
        judged = run("systemd-analyze", "security", *words, cwd=tmp_path)
        assert judged.returncode == 0, judged.stdout[-200:]


def test_the_container_is_built_from_the_lock_without_root_and_names_no_host() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes" in text
    assert re.search(r"^USER (?!root|0)\S+", text, re.MULTILINE)
    images = re.findall(r"^(?:FROM |ARG PYTHON=)([^$\s]+)$", text, re.MULTILINE)
    assert images == ["python:3.11-slim-bookworm"]
    assert "://" not in text
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.+)", text, re.MULTILINE) for word in line.split()[:-1]
    }
    assert all((ROOT / word).exists() for word in copied)


def test_the_compose_file_is_sound() -> None:
    yaml = pytest.importorskip("yaml")
    composed = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    services = composed["services"]
    gateway = composed["networks"]["default"]["ipam"]["config"][0]["gateway"]
    assert f'proxy = "{gateway}"' in (ROOT / "docs/howto/run-in-a-container.md").read_text(encoding="utf-8")
    assert set(services) == {"database", "daemon", "web"}
    for name in ("daemon", "web"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["healthcheck"]["test"][0] == "CMD"
        secrets = [
            value for key, value in services[name]["environment"].items() if "PASS" in key or "SECRET" in key
        ]
        assert all(value.startswith("/run/secrets/") for value in secrets)
    assert services["database"].get("ports") is None
