"""Fields of records: name, type in words, default, description.

Rules:

1. A field without a description is an error: what is not explained cannot be used.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import inspect as kinds

from reference.docstrings import docstring_of
from reference.markdown import alternatives, code

#: What a type that may be absent ends with: TOML has no null, JSON has.
OR_NULL = ", or `null`"

#: Turns a record into a link to where it is described.
Link = Callable[[type], str]


@dataclass(frozen=True)
class RecordField:
    """One field.

    Attributes:
        name: As it stands in JSON or TOML.
        type_text: Its type, in words.
        default_text: Its default as JSON; ``required`` when there is none.
        description: From the class's docstring.
        kind: As msgspec sees it.
    """

    name: str
    type_text: str
    default_text: str
    description: str
    kind: kinds.Type


def fields_of(record: type[msgspec.Struct], link: Link) -> list[RecordField]:
    """The fields of a record, in their order.

    Raises:
        ValueError: A field has no description.
    """
    described = docstring_of(record).attributes
    info = kinds.type_info(record)
    if not isinstance(info, kinds.StructType):
        raise TypeError(f"{record} is no record")
    fields = []
    for each in info.fields:
        if each.name not in described:
            raise ValueError(f"{record.__name__}.{each.name} is not described in its docstring")
        fields.append(
            RecordField(
                name=each.encode_name,
                type_text=type_in_words(each.type, link),
                default_text=_default(each),
                description=described[each.name],
                kind=each.type,
            )
        )
    return fields


def records_in(kind: kinds.Type) -> Iterator[type[msgspec.Struct]]:
    """Every record that a type mentions, itself included."""
    if isinstance(kind, kinds.StructType):
        yield kind.cls
    for child in _children(kind):
        yield from records_in(child)


def type_in_words(kind: kinds.Type, link: Link) -> str:
    """A type as people say it."""
    match kind:
        case kinds.UnionType():
            words = _union(kind, link)
        case kinds.StructType():
            words = link(kind.cls)
        case kinds.DictType(value_type=kinds.AnyType()):
            words = "JSON object"
        case kinds.DictType():
            words = f"{type_in_words(kind.value_type, link)}, by name"
        case kinds.VarTupleType():
            words = f"list of {type_in_words(kind.item_type, link)}"
        case kinds.TupleType():
            words = f"[{', '.join(type_in_words(each, link) for each in kind.item_types)}]"
        case kinds.LiteralType():
            words = alternatives([str(value) for value in kind.values])
        case kinds.EnumType():
            words = alternatives([str(member.value) for member in kind.cls])
        case _:
            words = _plain(kind)
    return words


def _union(kind: kinds.UnionType, link: Link) -> str:
    parts = [each for each in kind.types if not isinstance(each, kinds.NoneType)]
    words = " or ".join(type_in_words(each, link) for each in parts)
    return words if len(parts) == len(kind.types) else f"{words}{OR_NULL}"


def _plain(kind: kinds.Type) -> str:
    if isinstance(kind, kinds.StrType):
        return f"text like {code(kind.pattern)}" if kind.pattern else "text"
    if isinstance(kind, kinds.BoolType):
        return "true or false"
    if isinstance(kind, kinds.IntType):
        return " ".join(["whole number", *_bounds(kind)])
    if isinstance(kind, kinds.FloatType):
        return " ".join(["number", *_bounds(kind)])
    raise TypeError(f"there are no words for {kind}")


def _bounds(kind: kinds.IntType | kinds.FloatType) -> list[str]:
    limits = (("above", kind.gt), ("from", kind.ge), ("below", kind.lt), ("to", kind.le))
    words = [f"{word} {limit:g}" for word, limit in limits if limit is not None]
    if len(words) == 1:
        return [words[0] if kind.ge is None else f"{kind.ge:g} or more"]
    return [" and ".join(words) if kind.gt is not None else " ".join(words)] if words else []


def _children(kind: kinds.Type) -> Sequence[kinds.Type]:
    if isinstance(kind, kinds.UnionType):
        return kind.types
    if isinstance(kind, kinds.DictType):
        return (kind.key_type, kind.value_type)
    if isinstance(kind, kinds.VarTupleType):
        return (kind.item_type,)
    return kind.item_types if isinstance(kind, kinds.TupleType) else ()


def _default(each: kinds.Field) -> str:
    if each.required:
        return "required"
    value: Any = each.default
    if value is msgspec.NODEFAULT:
        value = each.default_factory() if callable(each.default_factory) else None
    if value is None:
        return "none"
    if isinstance(value, msgspec.Struct):
        return "its defaults"
    return code(json.dumps(msgspec.to_builtins(value)))
