"""Compares a raw TOML tree with the structs of `model`, so that one run names every mistake of shape at its place.

msgspec stops at the first mistake; this walks its own description of the same structs, so nothing is described twice.
Always true here: what is wrong is named, then mended where that misleads nobody, so that the rules run as well.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from difflib import get_close_matches

import msgspec
from msgspec import inspect

from portal.policy.model import Policy, Text

POLICY = inspect.type_info(Policy)
LANGUAGE_NAMES = {"en": "English", "fr": "French"}
PLAIN: Mapping[type[inspect.Type], str] = {
    inspect.StrType: "a text in quotes",
    inspect.BoolType: "true or false",
    inspect.IntType: "a whole number",
    inspect.DateType: "a date such as 2026-06-10, without quotes",
    inspect.VarTupleType: "a list in [ ]",
    inspect.DictType: "a table of texts",
}
STAND_INS: Mapping[type[inspect.Type], object] = {
    inspect.StrType: "…",
    inspect.BoolType: False,
    inspect.IntType: 1,
    inspect.DateType: dt.date(2000, 1, 1),
}
NAMES = ("id", "name")
"""What others refer to by these keys cannot be stood in for: a made-up name would make mistakes of its own."""
LABELS = ("id", "name", "object", "table", "prefix", "category")


def mend(raw: Mapping[str, object]) -> tuple[object, list[str]]:
    """Return the tree mended as far as can be, and one line per mistake: its place, what is wrong, what to write."""
    mistakes: list[str] = []
    return _read(raw, POLICY, "", mistakes), mistakes


def is_inside(mistake: str, places: Collection[str]) -> bool:
    """Tell whether a mistake lies in one of `places`, where something was mended and has been named already."""
    return any(mistake.startswith(f"{place}{end}") for place in places for end in (":", ".", "[", " "))


def entry(place: str, index: int, item: object) -> str:
    """Name one entry of a list: `categories[2] "prompts"`. Counted from 0, with its own name beside it."""
    labels = (item.get(key) if isinstance(item, Mapping) else getattr(item, key, None) for key in LABELS)
    label = next((found for found in labels if isinstance(found, str) and found), None)
    return f"{place}[{index}]" if label is None else f'{place}[{index}] "{label}"'


def suggestion(wrong: str, known: list[str]) -> str:
    """Say what was probably meant, or what there is."""
    close = get_close_matches(wrong, known, n=1)
    if close:
        return f'Did you mean "{close[0]}"?'
    return f"Write one of: {', '.join(known)}." if known else "There is none yet: write one."


def _read(value: object, kind: inspect.Type, place: str, mistakes: list[str]) -> object:
    match kind:
        case inspect.UnionType():
            return _read_union(value, kind, place, mistakes)
        case inspect.StructType() if isinstance(value, dict):
            return _read_struct(value, kind, place, mistakes)
        case inspect.VarTupleType() if isinstance(value, list):
            return [_read(item, kind.item_type, entry(place, i, item), mistakes) for i, item in enumerate(value)]
        case inspect.DictType() if isinstance(value, dict):
            return {key: _read(item, kind.value_type, f'{place}."{key}"', mistakes) for key, item in value.items()}
    if not _fits(value, kind):
        mistakes.append(f"{place}: is {_said(value)}. Write {_wanted(kind)}.")
        return _stand_in(kind)
    return value


def _read_union(value: object, kind: inspect.UnionType, place: str, mistakes: list[str]) -> object:
    """Follow the one choice that is not None, or the one whose tag the `kind` key names."""
    choices = [choice for choice in kind.types if not isinstance(choice, inspect.NoneType)]
    if len(choices) == 1 or not isinstance(value, dict):
        return _read(value, choices[0], place, mistakes)
    by_tag = {choice.tag: choice for choice in choices if isinstance(choice, inspect.StructType)}
    tag = value.get("kind")
    if isinstance(tag, str) and tag in by_tag:
        return _read(value, by_tag[tag], place, mistakes)
    what = "is missing" if tag is None else f"is {_said(tag)}"
    mistakes.append(f"{place}.kind: {what}. Write one of: {', '.join(map(str, by_tag))}.")
    return value


def _read_struct(value: dict[str, object], kind: inspect.StructType, place: str, mistakes: list[str]) -> object:
    dot = f"{place}." if place else ""
    fields = {field.encode_name: field for field in kind.fields}
    known = [*fields, kind.tag_field] if kind.tag_field else [*fields]
    mended = {}
    for key, item in value.items():
        if key in fields:
            mended[key] = _read(item, fields[key].type, f"{dot}{key}", mistakes)
        elif key == kind.tag_field:
            mended[key] = item
        else:
            mistakes.append(f"{dot}{key}: this key is not known here. {suggestion(key, known)}")
    for key, field in fields.items():
        if field.required and key not in value:
            mistakes.append(f"{dot}{key}: is missing. Write {_missing(kind, key, field.type)}.")
            if key not in NAMES and not isinstance(field.type, inspect.VarTupleType):
                mended[key] = _stand_in(field.type)
    return mended


def _stand_in(kind: inspect.Type) -> object:
    """Return a harmless value of the kind, or None, which fits nowhere, for lists: they are what others refer to."""
    match kind:
        case inspect.EnumType() | inspect.LiteralType():
            return _choices(kind)[0]
        case inspect.UnionType():
            return None
        case inspect.StructType():
            return {field.encode_name: _stand_in(field.type) for field in kind.fields if field.required}
    return STAND_INS.get(type(kind))


def _missing(parent: inspect.StructType, key: str, kind: inspect.Type) -> str:
    if parent.cls is Text:
        return f"the {LANGUAGE_NAMES[key]} text"
    return _wanted(kind)


def _fits(value: object, kind: inspect.Type) -> bool:
    match kind:
        case inspect.StrType():
            return isinstance(value, str)
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
        case inspect.DateType():
            return isinstance(value, dt.date) and not isinstance(value, dt.datetime)
        case inspect.EnumType() | inspect.LiteralType():
            return type(value) in (str, int) and value in _choices(kind)
    return False


def _choices(kind: inspect.EnumType | inspect.LiteralType) -> tuple[object, ...]:
    return tuple(member.value for member in kind.cls) if isinstance(kind, inspect.EnumType) else kind.values


def _wanted(kind: inspect.Type) -> str:
    match kind:
        case inspect.EnumType() | inspect.LiteralType():
            choices = ", ".join(str(choice) for choice in _choices(kind))
            return f"one of: {choices}" if "," in choices else choices
        case inspect.UnionType():
            return " or ".join(_wanted(choice) for choice in kind.types if not isinstance(choice, inspect.NoneType))
        case inspect.StructType(cls=cls) if cls is Text:
            return 'both languages: { en = "…", fr = "…" }'
        case inspect.StructType():
            needed = ", ".join(field.encode_name for field in kind.fields if field.required)
            return f"a table with {needed}" if needed else "a table, which may be empty"
    return next(wanted for plain, wanted in PLAIN.items() if isinstance(kind, plain))


def _said(value: object) -> str:
    """Name what was written, shortly: a policy file may hold anything."""
    names = {bool: "true or false", dict: "a table", list: "a list", float: "a number with a point"}
    if isinstance(value, str):
        return "an empty text" if not value else f'"{value[:40]}{"…" if len(value) > 40 else ""}"'
    if isinstance(value, int) and not isinstance(value, bool):
        return f"the number {value}" if abs(value) < 10**12 else "a number beyond all use"
    return names.get(type(value), "a date or time")


def decode(tree: object) -> Policy:
    """Turn a mended tree into the structs. Raises: msgspec.ValidationError."""
    return msgspec.convert(tree, Policy, strict=True)
