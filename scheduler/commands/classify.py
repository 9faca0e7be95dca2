"""`parknews classify`: what texts are about."""

from __future__ import annotations

import json
from typing import IO, Any

import click


class _WithThemes(click.Command):
    """Its help ends with the keys of the themes, which a recipient's wishes are written in."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        from store.vocabulary.themes import load_themes

        with formatter.section("Themes"):
            formatter.write_dl([(theme.key, theme.zh) for theme in load_themes()])


@click.command(cls=_WithThemes)
@click.argument("lines", metavar="FILE", type=click.File("r", encoding="utf-8", errors="replace"))
@click.option("--explain", is_flag=True, help="Print the evidence in words instead of JSON lines.")
def classify_command(lines: IO[str], explain: bool) -> None:
    """Read {"id","title","text","url","publisher"} lines from FILE (- for standard input), write one verdict a line."""
    from crawler.context import classifier_for
    from store.config import load_config

    classifier = classifier_for(load_config())
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        given = _parse(line, number)
        title, text = given.get("title") or "", given.get("text") or ""
        verdict = classifier.classify(
            title, text, url=given.get("url") or "", publisher=given.get("publisher")
        ).to_dict()
        answer = {"id": given.get("id")} | verdict
        click.echo(explanation(answer, title) if explain else json.dumps(answer, ensure_ascii=False))


def _parse(line: str, number: int) -> dict[str, Any]:
    try:
        given = json.loads(line)
    except json.JSONDecodeError as error:
        raise click.ClickException(f"line {number}: not JSON ({error.msg})") from error
    if not isinstance(given, dict):
        raise click.ClickException(f"line {number}: not a JSON object")
    return given


def explanation(answer: dict[str, Any], title: str) -> str:
    """Return a verdict in words: the score, what spoke for and against, zones and themes with their evidence."""
    word = "relevant" if answer["relevant"] else "borderline" if answer["borderline"] else "not relevant"
    rows = [f"{answer['id']}: {title}", f"  {word}, score {answer['score']:.3f}"]
    rows += [
        f"  {reason['weight']:+.2f}  {reason['field']:9} {reason['term']}  {reason['note']}"
        for reason in answer["reasons"]
    ]
    rows += [
        f"  zone   {zone['name']} ({zone['role']}) from {zone['field']} {zone['span']}: {zone['text']}"
        for zone in answer["zones"]
    ]
    rows += [
        f"  theme  {theme['key']} from {theme['field']} {theme['span']}: {theme['text']}"
        for theme in answer["themes"]
    ]
    return "\n".join(rows)
