"""The configuration file: defaults, environment, and errors that name file and line."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

from store.config import Config, ConfigError, is_address, load_config, secret


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "parknews.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_starter_file_equals_the_defaults(tmp_path: Path) -> None:
    text = files("scheduler.starter").joinpath("parknews.toml").read_text(encoding="utf-8")
    config = load_config(written(tmp_path, text), {})
    assert msgspec.structs.replace(config, path="", base=".") == Config()


def test_the_starter_file_shows_every_option() -> None:
    text = files("scheduler.starter").joinpath("parknews.toml").read_text(encoding="utf-8")
    sections = {
        name: value
        for name, value in msgspec.structs.asdict(Config()).items()
        if isinstance(value, msgspec.Struct)
    }
    missing = [
        f"{section}.{key}"
        for section, value in sections.items()
        for key in value.__struct_fields__
        if not re.search(rf"^(# )?{key} = ", text, re.MULTILINE)
    ]
    assert missing == []


def test_a_file_that_is_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such configuration file"):
        load_config(str(tmp_path / "none.toml"), {})


def test_a_database_url_that_is_none_is_told_of_without_its_password(tmp_path: Path) -> None:
    path = written(tmp_path, "[database]\nurl = 'mysql://me:word@x/y'\n")
    for given, environ in ((path, {}), (None, {"PARKNEWS_DATABASE_URL": "mysql://me:word@x/y"})):
        with pytest.raises(
            ConfigError, match="must be sqlite:///PATH or postgresql://USER@HOST/NAME"
        ) as caught:
            load_config(given, environ)
        assert "word" not in str(caught.value)


def test_the_database_url_of_the_environment_comes_first(tmp_path: Path) -> None:
    config = load_config(
        written(tmp_path, "[database]\nurl = 'sqlite:///a.db'\n"),
        {"PARKNEWS_DATABASE_URL": "postgresql://h/n"},
    )
    assert config.database_url == "postgresql://h/n"


def test_a_relative_database_lies_beside_the_file(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "[database]\nurl = 'sqlite:///var/a.db'\n"), {})
    assert config.database_url == f"sqlite:///{tmp_path}/var/a.db"


def test_a_secret_comes_from_the_variable_or_the_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from the file\n")
    assert secret("mail_password", {"PARKNEWS_MAIL_PASSWORD": "direct"}) == "direct"
    assert (
        secret("mail_password", {"PARKNEWS_MAIL_PASSWORD_FILE": str(tmp_path / "password")})
        == "from the file"
    )
    assert secret("mail_password", {}) == ""
    with pytest.raises(ConfigError, match="PARKNEWS_MAIL_PASSWORD_FILE"):
        secret("mail_password", {"PARKNEWS_MAIL_PASSWORD_FILE": str(tmp_path / "none")})


def test_a_secrets_file_of_notepad_is_read_and_one_that_is_no_text_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes("\ufeff口令\r\n".encode())
    environ = {"PARKNEWS_MAIL_PASSWORD_FILE": str(path)}
    assert secret("mail_password", environ) == "口令"
    path.write_bytes("口令\r\n".encode("gbk"))
    with pytest.raises(ConfigError, match=r"PARKNEWS_MAIL_PASSWORD_FILE: .*password:1: is not UTF-8"):
        secret("mail_password", environ)


@pytest.mark.parametrize("address", ["a@b.cn", "dang.qun+1@mail.example.gov.cn", "张三@例子.中国"])
def test_an_address_is_accepted(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@b",
        "@b.cn",
        "a@",
        "a b@c.cn",
        "a@b.cn\nBcc: x@y.cn",
        "a@b..cn",
        ".a@b.cn",
        "a.@b.cn",
        "a@-b.cn",
        "<a@b.cn>",
        "a@b.cn,c@d.cn",
        "a@b.cn\r",
        "x" * 65 + "@b.cn",
        "a@" + "b" * 64 + ".cn",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert not is_address(address)
