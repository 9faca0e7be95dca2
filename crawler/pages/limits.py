"""Run a page reader in a child process that may crash, hang or eat memory without harm to this one.

The child imports only the reader's module, sets its own limits before it reads the first byte and dies with its parent.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module
from typing import TYPE_CHECKING

from crawler.exceptions import NotAnArticle, PageNotUnderstood
from crawler.extract.allowance import allow
from crawler.items import ArticleItem, Image

if TYPE_CHECKING:
    from collections.abc import Callable

_MEGABYTE = 1 << 20
#: What a reader may write back: the text of an issue has less than a megabyte.
_MAX_ANSWER = 32 * _MEGABYTE
_PR_SET_PDEATHSIG = 1


def run_limited(
    function_path: str,
    body: bytes,
    url: str,
    *,
    seconds: float = 10,
    in_all: float | None = None,
    megabytes: int = 512,
) -> list[ArticleItem]:
    """Return what `package.module:function`(body, url) returns, computed in a child process.

        Raises what the function raises of PageNotUnderstood and NotAnArticle, and PageNotUnderstood("time_limit") after
        `seconds` of wall or processor time, ("memory_limit") when it asks for more than `megabytes` of address space, and
        ("reader_crashed") when it dies or raises anything else. The PDF library aborts when it is refused memory. With `in_all`
    the reader has `seconds` of processor time for each page that it begins (`more_time`), and `in_all` of both for the file.
    """
    in_all = max(seconds, in_all or seconds)
    command = [sys.executable, "-m", "crawler.pages.limits", function_path, url]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PARKNEWS_")},  # secrets
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        "READER_SECONDS": str(seconds),
        "READER_IN_ALL": str(in_all),
        "READER_MEGABYTES": str(megabytes),
    }
    with subprocess.Popen(  # noqa: S603 - our own interpreter, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    ) as child:
        try:
            answer, errors = child.communicate(body, timeout=in_all + 0.5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            raise PageNotUnderstood("time_limit", f"{in_all:g} s") from None
    return _answer(child.returncode, answer, errors)


def _answer(code: int, answer: bytes, errors: bytes) -> list[ArticleItem]:
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise PageNotUnderstood("time_limit", "processor time")
    if code in (-signal.SIGABRT, -signal.SIGTRAP, -signal.SIGILL):
        raise PageNotUnderstood("memory_limit", f"ended by signal {-code}")
    if code != 0 or not answer or len(answer) > _MAX_ANSWER:
        detail = errors.decode(errors="replace").strip().splitlines()[-1:] or [f"exit {code}"]
        raise PageNotUnderstood("reader_crashed", detail[0][:200])
    try:
        report = json.loads(answer)
    except ValueError as error:
        raise PageNotUnderstood("reader_crashed", "broken answer") from error
    if "items" in report:
        return [_item(row) for row in report["items"]]
    kind = NotAnArticle if report["kind"] == "NotAnArticle" else PageNotUnderstood
    raise kind(report["reason"], report["detail"])


def _item(row: dict[str, object]) -> ArticleItem:
    images = row.pop("images", [])
    item = ArticleItem(**row)  # type: ignore[arg-type]
    item.images = [Image(**image) for image in images]  # type: ignore[attr-defined]
    return item


def _limit(seconds: float, in_all: float, megabytes: int) -> None:
    import ctypes
    import resource

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    whole, first = max(1, int(in_all + 0.999)), max(1, int(seconds + 0.999))
    resource.setrlimit(resource.RLIMIT_CPU, (first, whole + 1))
    if in_all > seconds:
        allow(seconds)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * _MEGABYTE, megabytes * _MEGABYTE))


def _report(read: Callable[[bytes, str], list[ArticleItem]], body: bytes, url: str) -> dict[str, object]:
    try:
        return {"items": [asdict(item) for item in read(body, url)]}
    except (PageNotUnderstood, NotAnArticle) as error:
        return {"kind": type(error).__name__, "reason": error.reason, "detail": error.detail}
    except MemoryError:
        return {"kind": "PageNotUnderstood", "reason": "memory_limit", "detail": "address space"}
    except RecursionError:
        return {"kind": "PageNotUnderstood", "reason": "too_deep", "detail": "recursion"}


def main() -> None:
    """The child: read the page from standard input, write the answer as JSON to standard output."""
    module, _, name = sys.argv[1].partition(":")
    read = getattr(import_module(module), name)
    _limit(
        float(os.environ["READER_SECONDS"]),
        float(os.environ["READER_IN_ALL"]),
        int(os.environ["READER_MEGABYTES"]),
    )
    try:
        report = _report(read, sys.stdin.buffer.read(), sys.argv[2])
        answer = json.dumps(report)
    except MemoryError:
        answer = '{"kind": "PageNotUnderstood", "reason": "memory_limit", "detail": "address space"}'
    sys.stdout.write(answer)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
