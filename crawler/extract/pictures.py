"""Pictures inside an article, with their captions."""

from __future__ import annotations

import re

from crawler.extract.body import Body
from crawler.extract.tree import PageImage, Tree

_ICON = re.compile(
    r"logo|icon|qrcode|ewm|erweima|share|weixin|wechat|spacer|blank|pixel|loading|arrow|btn|button|sprite|avatar|(?:^|/)(?:dot|line|bg)\b",
    re.IGNORECASE,
)
_MAX_PICTURES = 60
_CAPTION_ROOM = 120


def pictures(tree: Tree, body: Body, title: str) -> list[tuple[str, str | None]]:
    """Address as written and caption (or None) of each picture in the article, in order."""
    if body.node is None:
        return []
    own = {line.index for line in body.lines}
    out: dict[str, str | None] = {}
    for image in tree.images:
        if len(out) >= _MAX_PICTURES:
            break
        if not _inside(image, body) or _is_icon(image):
            continue
        out.setdefault(image.url, _caption(tree, image, own, body, title))
    return list(out.items())


def _inside(image: PageImage, body: Body) -> bool:
    node = body.node
    last = body.lines[-1].index + 1 if body.lines else body.last
    return node is not None and image.line <= last and image.node.is_within(node)


def _is_icon(image: PageImage) -> bool:
    for name in ("width", "height"):
        size = re.match(r"\d{1,4}", image.node.get(name))
        if size and int(size[0]) < 80:
            return True
    return (
        _ICON.search(image.url.rpartition("/")[2]) is not None or _ICON.search(image.node.words) is not None
    )


def _caption(tree: Tree, image: PageImage, own: set[int], body: Body, title: str) -> str | None:
    """The line dropped from the text right below the picture, else its alternative text where that says something."""
    if image.line < min(len(tree.lines), body.last):
        line = tree.lines[image.line]
        if (
            line.index not in own
            and not line.hidden
            and 3 < len(line.text) <= _CAPTION_ROOM
            and not line.links
        ):
            return line.text
    alt = image.alt
    says = (
        len(re.findall("[\u3400-\u9fff]", alt)) >= 4 and alt != title and not alt.endswith((".jpg", ".png"))
    )
    return alt if says else None
