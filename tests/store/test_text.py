from __future__ import annotations

import unicodedata

import pytest

from store.text import nfkc


@pytest.mark.parametrize(
    "text", ["", "高新区：党建，Ａ１（甲）…？！；", "①㎡ﬁ\u3000é", "＜\u0338，\u0301", "\ud800，"]
)
def test_compatible_forms_are_those_of_unicode(text: str) -> None:
    assert nfkc(text) == unicodedata.normalize("NFKC", text)
