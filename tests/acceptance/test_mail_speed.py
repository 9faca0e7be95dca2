"""80 personalised mails a second leave 12.5 ms for each: held to in processor time, which a busy machine stretches least."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.bench_mail import run


@pytest.mark.parametrize("signed", [False, True])
def test_a_personalised_mail_with_its_briefing_costs_little(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signed: bool
) -> None:
    monkeypatch.setenv("PARKNEWS_WEB_SECRET", "replaced by the benchmark")
    found = run(200, tmp_path, signed=signed, turn=100)
    assert found["sent"] == 200
    assert found["html_kb"] >= 60
    assert found["cpu_ms_per_mail"] < 12.5, found
