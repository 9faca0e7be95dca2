"""What is wrong with a TOML file, in the words of whoever writes it: the key, what stands there, and what may."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from store.toml_lines import Step

#: Longest piece of a file that is repeated in a message, in characters.
_SHOWN = 60
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_PLAIN = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}
_CHINESE_SIGNS = {"“": '"', "”": '"', "‘": "'", "’": "'", "【": "[", "】": "]", "、": ",", "。": "."}


def fault_of(error: msgspec.ValidationError, data: Any, kind: Any) -> tuple[list[Step], str, object]:
    """Return where `data`, read from a file, is not what the struct `kind` takes, what is wrong in one line, and the value there."""
    message, found, where = str(error).rpartition(" - at `")
    message, where = (message, where) if found else (where, "")
    steps: list[Step] = [name or int(index) for name, index in _STEP.findall(where.rstrip("`"))]
    if unknown := re.match(r"Object contains unknown field `(.*)`$", message, re.DOTALL):
        return [*steps, unknown[1]], _unknown(steps, unknown[1], data, kind), None
    if missing := re.match(r"Object missing required field `(.*)`$", message):
        place = [*steps, missing[1]]
        return steps, f"{label(place)} is missing; it must be {allowed(kind, data, place)}", None
    value = _value(data, steps)
    if not message.startswith(("Expected ", "Invalid ")):  # a struct's own words, which begin with the key
        key = message.split(" ", 1)[0]
        place = [*steps, key] if isinstance(value, Mapping) and key in value else steps
        return place, f"{_table(steps)} {message}".strip(), None
    return steps, must_be(steps, allowed(kind, data, steps), value), value


def must_be(steps: Sequence[Step], wanted: str, value: object) -> str:
    """Return the sentence for a value that may not stand at `steps`."""
    every = "every element of " if isinstance(steps[-1], int) else ""
    return f"{every}{label(steps)} must be {wanted}, not {_shown(value)}"


def label(steps: Sequence[Step]) -> str:
    """Return a key as it stands in the file: `[mail] port`, `[[source]] urls`, `operators`."""
    last = max(place for place, step in enumerate(steps) if isinstance(step, str))
    return f"{_table(steps[:last])} {_key(str(steps[last]))}".strip()


def allowed(kind: Any, data: Any, steps: Sequence[Step]) -> str:
    """Return in words what may stand at `steps` of a file that is read as the struct `kind`."""
    name = next(step for step in reversed(steps) if isinstance(step, str))
    return _words(_hint(kind, data, steps), name)


def _hint(kind: Any, data: Any, steps: Sequence[Step]) -> Any:
    """Return the type at `steps`; of several structs that of the table's tag."""
    for step in steps:
        numbered = isinstance(step, int)
        kind = get_args(_bare(kind))[0] if numbered else _fields(_struct(kind, data), kind)[str(step)]
        data = _value(data, [step])
    return kind


def _bare(hint: Any) -> Any:
    """Return a type without its limits and without None."""
    if get_origin(hint) is Annotated:
        return _bare(get_args(hint)[0])
    others = [one for one in get_args(hint) if one is not NoneType]
    return _bare(others[0]) if NoneType in get_args(hint) and len(others) == 1 else hint


def _structs(hint: Any) -> list[type[msgspec.Struct]]:
    """Return the struct or structs a type stands for, none for another type."""
    parts = get_args(hint) or (_bare(hint),)
    return [part for part in parts if isinstance(part, type) and issubclass(part, msgspec.Struct)]


def _struct(hint: Any, data: Any) -> type[msgspec.Struct]:
    found = _structs(hint)
    tag = _value(data, [found[0].__struct_config__.tag_field or ""])
    return next((one for one in found if one.__struct_config__.tag == tag), found[0])


def _fields(struct: type[msgspec.Struct], hint: Any) -> dict[str, Any]:
    """Return the types of a table's keys by name, that of the tag among them."""
    hints = get_type_hints(struct, include_extras=True)
    found = {name: hints[name] for name in struct.__struct_fields__}
    if tag_field := struct.__struct_config__.tag_field:
        tags = tuple(one.__struct_config__.tag for one in _structs(hint))
        found = {tag_field: Literal[tags], **found}
    return found


def _words(hint: Any, name: str) -> str:
    """Return what a value of this type is in words; `name` is its key."""
    limits = [part for part in get_args(hint)[1:] if isinstance(part, msgspec.Meta)]
    if described := [limit.description for limit in limits if limit.description]:
        return str(described[0])
    bare = _bare(hint)
    if get_origin(bare) is Literal:
        return _choice([json.dumps(word) for word in get_args(bare)])
    if get_origin(bare) is list:
        element = get_args(bare)[0]
        tables, least = f"a list of tables, each under [[{name}]]", "not empty, " if limits else ""
        return tables if _structs(element) else f"a list in [ ], {least}each element {_words(element, name)}"
    if _structs(bare):
        return f"a section, [{name}]"
    if get_origin(hint) is not Annotated and bare is not hint:  # None is no value in TOML
        return _words(next(part for part in get_args(hint) if part is not NoneType), name)
    return " ".join([_PLAIN[bare], *map(_limit, limits)])


def _limit(limit: msgspec.Meta) -> str:
    if limit.pattern:
        return f"that matches {limit.pattern}"
    return f"from {limit.ge:g} to {limit.le:.10g}" if limit.le is not None else f"of at least {limit.ge:g}"


def _unknown(steps: Sequence[Step], name: str, data: Any, kind: Any) -> str:
    """Return the sentence for a key or section that is none: where it belongs, which it resembles, what there is."""
    known = list(_fields(_struct(_hint(kind, data, steps), _value(data, steps)), _hint(kind, data, steps)))
    value = _value(data, [*steps, name])
    is_table = isinstance(value, Mapping) or (isinstance(value, list) and any(map(_is_table, value)))
    what = f"key {_key(name)}" if steps or not is_table else f"section [{_key(name)}]"
    sentence = f"{_table(steps)} has no {what}" if steps else f"there is no {what}"
    alike = {word.lower(): word for word in known}
    near = difflib.get_close_matches(name.lower(), alike, 1)
    if homes := list(_homes(kind, name)):
        sentence += f"; it belongs {' or '.join(homes)}"
    elif near:
        sentence += f"; did you mean {alike[near[0]]}?"
    return (
        f"{sentence} Allowed: {', '.join(known)}"
        if near and not homes
        else f"{sentence}; allowed: {', '.join(known)}"
    )


def _homes(kind: Any, name: str) -> Iterator[str]:
    """Yield the places of a file that have a key `name`."""
    hints = _fields(kind, kind)
    if name in hints:
        yield "above the first [section]"
    for section, hint in hints.items():
        inner = get_args(hint)[0] if get_origin(hint) is list else hint
        brackets = f"[[{section}]]" if get_origin(hint) is list else f"[{section}]"
        having = [
            struct.__struct_config__.tag for struct in _structs(inner) if name in _fields(struct, inner)
        ]
        if having:
            yield f"in {brackets}" + (f" of kind {_choice(list(map(str, having)))}" if having[0] else "")


def syntax_fault(text: str, error: ValueError) -> tuple[int, str]:
    """Return the line of a text that is no TOML, and what is wrong there with the way out of what is often done."""
    lines = text.split("\n")
    message, _, place = str(error).partition(" (at ")
    found = re.match(r"line (\d+), column (\d+)", place)
    number, column = (int(found[1]), int(found[2])) if found else (len(text.rstrip().split("\n")), 0)
    line = lines[number - 1]
    if hint := _twice(message, line) or _wide_sign(line, column) or _habit(message, line):
        return number, hint
    if not isinstance(
        error, tomllib.TOMLDecodeError
    ):  # Python refuses to read numbers of thousands of digits
        message = "a number is too long"
    return number, f"{_head(line)}: {message[:1].lower()}{message[1:]}".removeprefix(": ")


def _twice(message: str, line: str) -> str:
    if not message.startswith(("Cannot declare", "Cannot overwrite", "Cannot mutate")):
        return ""
    return f"{_head(line)} stands here a second time; keep one"


def _wide_sign(line: str, column: int) -> str:
    """Name the sign at `column` (from 1), or a quote in the line, that an input method wrote and TOML does not know."""
    quotes = [sign for sign in line if sign in "“”‘’＂＇"]
    for sign in [*line[max(column - 1, 0) : column], *quotes]:
        plain = _CHINESE_SIGNS.get(sign) or unicodedata.normalize("NFKC", sign)
        if plain != sign and plain.isascii():
            return f"{_head(line)}: {sign} is a full-width sign; type {plain if plain.strip() else 'a blank'} instead"
    return ""


def _habit(message: str, line: str) -> str:
    """Name what other file formats allow."""
    head, (_, _, value) = _head(line), line.partition("=")
    value = value.strip()
    if "Unescaped '\\'" in message:
        return f"{head}: \\ has a meaning in double quotes; write / or put the path in single quotes"
    if message.startswith("Expected '='") and re.match(r"\s*[\w-]+\s*:", line):
        return f"{head}: write = instead of :"
    if value.lower() in {"true", "false", "yes", "no", "on", "off", "none", "null"}:
        return f"{head}: write true or false in small letters"
    if message.startswith(("Invalid value", "Expected newline")) and value and value[0] not in "\"'[{#":
        return f'{head}: text stands in quotes, such as {head} = "text"'
    if message.startswith("Invalid value") and not value:
        return f"{head}: a value is missing after ="
    return ""


def _head(line: str) -> str:
    """Return the part of a line that names a key: the rest may be a secret."""
    return _cut(re.split("[=＝:：]", line.strip(), maxsplit=1)[0].strip())


def _table(steps: Sequence[Step]) -> str:
    names = ".".join(_key(step) for step in steps if isinstance(step, str))
    if not names:
        return ""
    return f"[[{names}]]" if any(isinstance(step, int) for step in steps) else f"[{names}]"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", name) else _shown(name)


def _value(data: Any, steps: Sequence[Step]) -> Any:
    for step in steps:
        if isinstance(data, Mapping):
            data = data.get(str(step))
        elif isinstance(data, list) and isinstance(step, int):
            data = data[step]
        else:
            return None
    return data


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _shown(value: object) -> str:
    """Return a value as TOML writes it, at most 60 characters of it."""
    if isinstance(value, Mapping):
        return "a single table"
    if isinstance(value, list):
        return "a list" if value else "an empty one"
    if isinstance(value, str | bool):
        return _cut(json.dumps(value, ensure_ascii=False))
    return _cut(str(value))


def _cut(text: str) -> str:
    kept = "".join(sign if sign.isprintable() else "?" for sign in text)
    return kept if len(kept) <= _SHOWN else f"{kept[:_SHOWN]}…"


def _choice(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
