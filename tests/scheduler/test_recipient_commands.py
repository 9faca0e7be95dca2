"""`parknews recipient` over a SQLite office: added, imported, erased, let back in, linked."""

from __future__ import annotations

import json
import re
from pathlib import Path

from store.database import read_scope
from store.recipients import list_recipients
from tests.digest.hostile_values import BAD_ADDRESSES
from tests.loopback import Office

SECRET = "a secret only for tests, long enough"


def run(office: Office, *words: str, code: int = 0) -> str:
    """Run `parknews recipient …` and return what it said; a failure must be told on stderr without a traceback."""
    done = office.call("parknews", "recipient", *words)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if code == 0 else done.stderr


def addresses(office: Office) -> list[str]:
    with read_scope(office.engine) as session:
        return [row.address for row in list_recipients(session)]


def test_a_recipients_whole_life(office: Office) -> None:
    run(office, "add", "Li@Example.cn", "--name", "李想", "--zone", "合肥高新区", "--word")
    assert "already a recipient" in run(office, "add", "li@example.cn", code=2)
    assert re.search(r"^li@example\.cn +active +合肥高新区$", run(office, "list"), re.MULTILINE)
    shown = json.loads(run(office, "show", "LI@example.cn"))
    assert shown["recipient"]["name"] == "李想"
    assert "token_key" not in shown["recipient"]
    assert [act["what"] for act in shown["acts"]] == ["recipient.add"]
    assert run(office, "remove", "li@example.cn") == "removed li@example.cn\n"
    assert run(office, "reactivate", "li@example.cn") == "li@example.cn is written to again\n"
    assert run(office, "remove", "--erase", "li@example.cn") == "erased li@example.cn\n"
    assert "no recipient" in run(office, "show", "li@example.cn", code=2)
    assert "nothing is kept" in run(office, "remove", "--erase", "li@example.cn", code=1)
    assert "erased on request" in run(office, "add", "li@example.cn", code=2)
    assert "may now add it again" in run(office, "reactivate", "li@example.cn")
    run(office, "add", "li@example.cn")
    assert addresses(office) == ["li@example.cn"]


def test_a_channel_that_does_not_exist_is_refused(office: Office) -> None:
    said = run(office, "add", "a@example.cn", "--channel", "wechat", code=2)
    assert "no channel 'wechat'; there are mail, folder, webpage, wecom" in said
    run(office, "add", "a@example.cn", "--channel", "wecom", "--channel", "folder")
    assert "everything by wecom, folder" in run(office, "list")


def test_a_file_goes_in_and_comes_out_the_same(office: Office, tmp_path: Path) -> None:
    text = "邮箱,姓名,高新区,主题,附简报\na@example.cn,王敏,合肥高新区、宝鸡高新区,,是\nb@example.cn,=1+1,,chain;org,否\n"
    (tmp_path / "in.csv").write_bytes(text.encode("gb18030"))
    assert run(office, "import", "in.csv") == "2 added, 0 were there already\n"
    exported = run(office, "export")
    assert exported.startswith("\ufeffaddress,name,zones,themes,provinces,channels,word,send_empty\n")
    assert "'=1+1" in exported
    assert "a@example.cn,王敏,合肥高新区;宝鸡高新区," in exported
    (tmp_path / "out.csv").write_text(exported, encoding="utf-8")
    assert run(office, "import", "out.csv") == "0 added, 2 were there already\n"


def test_a_faulty_file_names_every_line_and_imports_nothing(office: Office, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("address,word\na@example.cn,是\nnobody,\nb@example.cn,vielleicht\n")
    said = run(office, "import", "in.csv", code=1)
    assert "in.csv:3: 'nobody' is not a mail address" in said
    assert "in.csv:4: word is 'vielleicht'" in said
    assert "nothing was imported; 2 faults" in said
    assert addresses(office) == []


def test_links_are_shown_and_can_be_made_worthless(office: Office) -> None:
    run(office, "add", "a@example.cn")
    assert "set [digest] public_url" in run(office, "link", "a@example.cn", code=1)
    with (office.folder / "parknews.toml").open("a") as file:
        file.write('[digest]\npublic_url = "https://news.example.cn"\n')
    (office.folder / "secret").write_text(SECRET)
    office.secrets["PARKNEWS_WEB_SECRET_FILE"] = str(office.folder / "secret")
    first = run(office, "link", "a@example.cn")
    assert re.search(
        r"^preferences https://news\.example\.cn/p/[0-9a-f]{32}\.[\w-]{43}$", first, re.MULTILINE
    )
    assert run(office, "link", "a@example.cn") == first
    assert run(office, "link", "--new", "a@example.cn") != first
    assert "no recipient" in run(office, "link", "b@example.cn", code=2)


HOSTILE = (
    "",
    "nobody",
    "a@b",
    "a@example.cn\r\nBcc: x@example.cn",
    "<script>@example.cn",
    "a b@example.cn",
    "一@@例.cn",
)


def test_a_hostile_address_is_refused_in_one_line(office: Office) -> None:
    for address in HOSTILE:
        for words in (["add"], ["remove"], ["remove", "--erase"], ["reactivate"]):
            said = run(office, *words, "--", address, code=2)
            assert said.count("\n") == 1
            assert "is not a mail address; write name@example.cn" in said
        for word in ("show", "link"):
            said = run(office, word, "--", address, code=2)
            assert said.count("\n") == 1


def test_the_installed_command_does_the_same(office: Office) -> None:
    done = office.run("parknews", "recipient", "add", "a@example.cn")
    assert (done.returncode, done.stdout) == (0, "added a@example.cn\n")
    done = office.run("parknews", "recipient", "add", "a@example.cn")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_no_hostile_address_of_a_file_comes_in(office: Office, tmp_path: Path) -> None:
    lines = [f'"{value.replace(chr(34), chr(34) * 2)}"' for value in BAD_ADDRESSES if "\0" not in value]
    (tmp_path / "in.csv").write_bytes("\n".join(["address", *lines]).encode("utf-8", "replace"))
    said = run(office, "import", "in.csv", code=1)
    assert "nothing was imported" in said
    assert addresses(office) == []
