"""A fault in a file of the office's is one line: the file, the line, the key, what is wrong and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from crawler.sources.loader import append_source, read_sources
from store.config import CHANNELS, Config, ConfigError, ConfigFile, Crawl, RecipientEntry, load_config
from store.toml_faults import allowed
from store.toml_file import MAX_BYTES

SECTIONS = {
    name: type(value)
    for name, value in msgspec.structs.asdict(ConfigFile()).items()
    if isinstance(value, msgspec.Struct)
}
#: Every key of every section, and of a recipient.
KEYS = [(f"[{name}]", name, key) for name, section in SECTIONS.items() for key in section.__struct_fields__]
KEYS += [("[[recipient]]", "recipient", key) for key in RecipientEntry.__struct_fields__]


def told(path: Path, text: str | bytes) -> str:
    """Return what is said of a configuration file, without its name at the beginning."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError) as caught:
        load_config(str(path), {})
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}:")
    return message.removeprefix(f"{path}:")


def told_of_source(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_sources([path])
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{path}:")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "parknews.toml"


@pytest.mark.parametrize(("header", "section", "key"), KEYS)
def test_a_value_of_a_wrong_type_names_the_key_and_what_is_allowed(
    path: Path, header: str, section: str, key: str
) -> None:
    steps: list[Any] = [section, 0, key] if header.startswith("[[") else [section, key]
    wanted = allowed(ConfigFile, {}, steps)
    assert told(path, f"# of the office\n{header}\n{key} = {{}}\n") == (
        f"3: {header} {key} must be {wanted}, not a single table"
    )


@pytest.mark.parametrize(("header", "section", "key"), KEYS)
def test_a_mistyped_key_names_the_one_that_was_meant(path: Path, header: str, section: str, key: str) -> None:
    mistyped = f"{key}e"
    said = told(path, f"{header}\n{mistyped} = 1\n")
    assert said.startswith(f"2: {header} has no key {mistyped}; did you mean {key}? Allowed: ")


@pytest.mark.parametrize("key", sorted({key for _, _, key in KEYS}))
def test_a_key_in_a_wrong_section_names_the_right_ones(path: Path, key: str) -> None:
    said = told(path, f"{key} = 'x'\n")
    if key in SECTIONS:
        return
    assert said.startswith(f"1: there is no key {key}; it belongs in [")
    for header in {header for header, _, one in KEYS if one == key}:
        assert header in said


NUMBERS = [
    (section, key, hint)
    for section, kind in SECTIONS.items()
    for key, hint in get_type_hints(kind, include_extras=True).items()
    if get_args(hint)[:1] in ((int,), (float,))
]


@pytest.mark.parametrize(("section", "key", "hint"), NUMBERS)
def test_a_number_beyond_its_limits_names_them(path: Path, section: str, key: str, hint: Any) -> None:
    limit = get_args(hint)[1]
    for beyond in (limit.ge - 1, limit.le + 1):
        said = told(path, f"[{section}]\n{key} = {beyond}\n")
        assert said.endswith(f"number from {limit.ge:g} to {limit.le:.10g}, not {beyond}")


FAULTS: list[tuple[str | bytes, str]] = [
    # values
    ("[digest]\nweekday = 'monday'\n", '2: [digest] weekday must be "mon", "tue", "wed", "thu", "fri", "sat" or "sun", not "monday"'),
    ("[mail]\nsecurity = 'ssl'\n", '2: [mail] security must be "starttls", "tls" or "none", not "ssl"'),
    ("[bounces]\nprotocol = 'IMAP'\n", '2: [bounces] protocol must be "imap" or "pop3", not "IMAP"'),
    ("[mail]\nport = '25'\n", '2: [mail] port must be a whole number from 1 to 65535, not "25"'),
    ("[mail]\nport = 25.0\n", "2: [mail] port must be a whole number from 1 to 65535, not 25.0"),
    ("[web]\nin_daemon = 1\n", "2: [web] in_daemon must be true or false, not 1"),
    ("[crawl]\ndelay = inf\n", "2: [crawl] delay must be a number from 0 to 86400, not inf"),
    ("[crawl]\ndelay = nan\n", "2: [crawl] delay must be a number from 0 to 86400, not nan"),
    ("[digest]\n\nhour = '8 Uhr'\n", '3: [digest] hour must be a time from "00:00" to "23:59", such as "08:30", not "8 Uhr"'),
    ('[digest]\nhour = "08:00\\n"\n', '2: [digest] hour must be a time from "00:00" to "23:59", such as "08:30", not "08:00\\n"'),
    ('[office]\nname = "a\\nb"\n', '2: [office] name must be text in quotes, on one line, not "a\\nb"'),
    ('[digest]\nfolder = "a\\u0000"\n', '2: [digest] folder must be text in quotes, on one line, not "a\\u0000"'),
    ("[office]\ntime_zone = 'Asia/Shangai'\n", '2: [office] time_zone must be a time zone such as Asia/Shanghai, not "Asia/Shangai"'),
    ("[mail]\nsender = 'x'\n", '2: [mail] sender must be a mail address such as name@example.cn, not "x"'),
    ("[web]\nproxy = 'localhost'\n", '2: [web] proxy must be an IP address such as 127.0.0.1, not "localhost"'),
    ("[web]\ntrust_proxy_user = 'X-User'\n", "2: [web] trust_proxy_user needs proxy beside it: the address the reverse proxy connects from"),
    ("[daemon]\nping_url = 'x'\n", '2: [daemon] ping_url must be an address that begins with http:// or https://, not "x"'),
    ("operators = [\n  'a@b.cn',\n  'wecomm',\n]\n", '3: every element of operators must be a mail address such as name@example.cn or one of wecom, dingtalk, feishu, webhook, not "wecomm"'),
    ("operators = 'a@b.cn'\n", '1: operators must be a list in [ ], each element text in quotes, on one line, not "a@b.cn"'),
    (f"[office]\nname = ['{'x' * 99}']\n", "2: [office] name must be text in quotes, on one line, not a list"),
    (f"[web]\nport = '{'x' * 99}'\n", f'2: [web] port must be a whole number from 1 to 65535, not "{"x" * 59}…'),
    # recipients
    ("[[recipient]]\nname = 'x'\n", "1: [[recipient]] address is missing; it must be text in quotes, on one line"),
    ("[recipient]\naddress = 'a@b.cn'\n", "1: recipient must be a list of tables, each under [[recipient]], not a single table"),
    (
        "[[recipient]]\naddress = 'a@b.cn'\n[[recipient]]\nname = 'x'\naddress = 'nobody'\n",
        '5: [[recipient]] address must be a mail address such as name@example.cn, not "nobody"',
    ),
    ("[[recipient]]\naddress = 'a@b.cn'\n[[recipient]]\naddress = 'A@b.cn'\n", "4: [[recipient]] address 'A@b.cn' is listed twice; keep one entry"),
    ("[[recipient]]\naddress = 'a@b.cn'\nzones = ['x', 1]\n", "3: every element of [[recipient]] zones must be text in quotes, on one line, not 1"),
    ("[[recipient]]\naddress = 'a@b.cn'\nchannels = [\n'mail',\n'fax']\n", f'5: every element of [[recipient]] channels must be one of {", ".join(CHANNELS)}, not "fax"'),
    # keys and sections
    ("[mails]\nhost = 'x'\n", "1: there is no section [mails]; did you mean mail? Allowed: office, database, "),
    ("[Mail]\nhost = 'x'\n", "1: there is no section [Mail]; did you mean mail? Allowed: office, database, "),
    ("mail = 3\n", "1: mail must be a section, [mail], not 3"),
    ("[[mail]]\nhost = 'x'\n", "1: mail must be a section, [mail], not a list"),
    ("path = 'x'\n", "1: there is no key path; allowed: office, "),
    ("[office]\noperators = []\n", "2: [office] has no key operators; it belongs above the first [section]; allowed: name, "),
    ("[office]\nmax_stories = 3\n", "2: [office] has no key max_stories; it belongs in [digest]; allowed: name, "),
    ('[office]\n"a\\nb" = 3\n', '1: [office] has no key "a\\nb"; allowed: name, '),
    # the line, in spite of everything TOML allows
    ("[office]\nunit = '''\nname = 3\n'''\n#name = 3\nname = 3\n", "2: [office] unit must be"),
    ("[crawl]\n# max = '''\ndelay = 1.0\n'timeout' = 0\n", "4: [crawl] timeout must be"),
    ("office.name = 'a'\nmail.port = 0\n", "2: [mail] port must be"),
    ("mail = {host = 'a', port = 0}\n", "1: [mail] port must be"),
    (" [ mail ] # here\n port = 0\n", "2: [mail] port must be"),
    # what is no TOML
    ("[mail]\nhost = 'a'\nhost = 'b'\n", "3: host stands here a second time; keep one"),
    ("[mail]\nport = 3\n[mail]\nhost = ''\n", "3: [mail] stands here a second time; keep one"),
    ("[office\n", "1: [office: expected ']' at the end of a table declaration"),
    ("[office]\nname = \n", "2: name: a value is missing after ="),
    ("[office]\nname = a\n", '2: name: text stands in quotes, such as name = "text"'),
    ("[digest]\nhour = 08:00\n", '2: hour: text stands in quotes, such as hour = "text"'),
    ("[digest]\nword = True\n", "2: word: write true or false in small letters"),
    ("[mail]\nhost: 'a'\n", "2: host: write = instead of :"),
    ("[mail]\nhost 'a'\n", "2: host 'a': expected '=' after a key in a key/value pair"),
    ("[mail]\nhost = 'secret\n", "2: host: expected \"'\""),
    ('[digest]\nfolder = "C:\\digest"\n', "2: folder: \\ has a meaning in double quotes; write / or put the path in single quotes"),
    ("[mail]\nhost = 'a\x07'\n", "2: host: found invalid character '\\x07'"),
    ("[mail]\n\x00", "2: ?: invalid statement"),
    ("[mail]\nport = " + "9" * 5000 + "\n", "2: port: a number is too long"),
    ("x = " + "[" * 5000, " lists are nested too deeply"),
    ("a" * 100, f"1: {'a' * 60}…: expected '=' after a key in a key/value pair"),
    # what an input method writes
    ("[mail]\nhost = “a”\n", '2: host: “ is a full-width sign; type " instead'),
    ('[mail]\nhost = "a”\n', '2: host: ” is a full-width sign; type " instead'),
    ("[mail]\nhost = ‘a’\n", "2: host: ‘ is a full-width sign; type ' instead"),
    ("[mail]\nhost ＝ 'a'\n", "2: host: ＝ is a full-width sign; type = instead"),
    ("[mail]\nhost = 'a'，\n", "2: host: ， is a full-width sign; type , instead"),
    ("［mail］\nhost = 'a'\n", "1: ［mail］: ［ is a full-width sign; type [ instead"),
    ("[mail]\nport = ５87\n", "2: port: ５ is a full-width sign; type 5 instead"),
    ("[mail]\n\u3000host = 'a'\n", "2: host: \u3000 is a full-width sign; type a blank instead"),
    # encodings and line ends
    ("\ufeff[mail]\nhots = 'a'\n", "2: [mail] has no key hots; did you mean host?"),
    ("[office]\nname = '高新'\n".encode("gbk"), "2: is not UTF-8 (perhaps GBK or UTF-16); save the file as UTF-8"),
    ("[office]\nname = '高新'\n".encode("utf-16"), "1: is not UTF-8 (perhaps GBK or UTF-16); save the file as UTF-8"),
    ("[mail]\r\nhots = 'a'\r\n", "2: [mail] has no key hots; did you mean host?"),
    ("[mail]\r\thots\t=\t'a'\r", "2: [mail] has no key hots; did you mean host?"),
    (b"#" * (MAX_BYTES + 1), " is larger than 8 MB; this is some other file"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_a_fault_is_told_in_one_line(path: Path, text: str | bytes, message: str) -> None:
    assert told(path, text).startswith(message)


def test_tabs_bom_and_foreign_line_ends_do_no_harm(path: Path) -> None:
    path.write_bytes("\ufeff[office]\r\n\tname\t=\t'高新'\r\n".encode())
    assert load_config(str(path), {}).office.name == "高新"


def test_a_folder_a_missing_file_and_a_loop_of_links_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder, loop = tmp_path / "folder", tmp_path / "loop"
    folder.mkdir()
    loop.symlink_to(loop)
    for place, message in (
        (folder, "is a folder; name a file in it"),
        (loop, "cannot be read: Too many levels of symbolic links"),
        (tmp_path / "none", "no such configuration file; `parknews init` writes one"),
    ):
        with pytest.raises(ConfigError) as caught:
            load_config(str(place), {})
        assert str(caught.value) == f"{place}: {message}"
    (tmp_path / "parknews.toml").symlink_to("none")  # it was meant to be there: no silent defaults
    with pytest.raises(ConfigError, match=r"parknews.toml: cannot be read: No such file"):
        load_config(None, {})


SOURCE = "[[source]]\nname = 'a'\nkind = 'portal'\npublisher = 'x'\nurls = ['https://a.cn/']\n"
SOURCE_FAULTS = [
    ("'portal'", "'portl'", '3: [[source]] kind must be "portal", "cms", "rss", "sitemap", "epaper", "pdf" or "folder", not "portl"'),
    ("kind = 'portal'\n", "", '1: [[source]] kind is missing; it must be "portal", '),
    ("'a'", "'A b'", '2: [[source]] name must be a short name of a-z, 0-9, - and _ in quotes, such as "gmw-anhui", not "A b"'),
    ("urls", "url", "5: [[source]] has no key url; did you mean urls? Allowed: kind, urls, include, "),
    ("'https://a.cn/'", "", "5: [[source]] urls must be a list in [ ], not empty, each element an address in quotes that begins with http:// or https://, not an empty one"),
    ("['https", "[\n'http://b.cn',\n'htps", '7: every element of [[source]] urls must be an address in quotes that begins with http:// or https://, not "htps://a.cn/"'),
    ("urls = ['https://a.cn/']\n", "", "1: [[source]] urls is missing; it must be a list in [ ], not empty, each element an address"),
    ("publisher", "include = '('\npublisher", "4: [[source]] include is no regular expression: missing ), unterminated subpattern at position 0"),
    ("publisher", "interval = '1x'\npublisher", '4: [[source]] interval must be minutes, hours or days in quotes: "30m", "6h" or "1d", not "1x"'),
    ("publisher", "zone = 3\npublisher", "4: [[source]] zone must be text in quotes, not 3"),
    ("publisher", "ocr = true\npublisher", "4: [[source]] has no key ocr; it belongs in [[source]] of kind epaper, pdf or folder; allowed: kind, "),
    ("[[source]]", "[[sources]]", "1: there is no section [sources]; did you mean source? Allowed: source"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), SOURCE_FAULTS)
def test_a_fault_of_a_source_is_told_in_one_line(path: Path, old: str, new: str, message: str) -> None:
    assert told_of_source(path, SOURCE.replace(old, new, 1)).startswith(message)


def test_a_source_can_be_added_to_a_file_that_notepad_wrote(tmp_path: Path) -> None:
    path = tmp_path / "sources.toml"
    path.write_bytes(f"\ufeff{SOURCE}".replace("\n", "\r\n").encode())
    config = Config(crawl=Crawl(sources=str(path)))
    append_source(config, {"name": "b", "kind": "folder", "publisher": "y", "path": "in"})
    assert [source.name for source in read_sources([path])] == ["a", "b"]
