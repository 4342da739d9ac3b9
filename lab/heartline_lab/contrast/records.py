"""Frozen dataclasses from plain data, as `dataclasses.asdict` and JSON leave it. Pure.

Rule: fields are numbers, strings, other such records, tuples of one kind, mappings from strings, or None beside one of
these.
"""

import dataclasses
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

_Record = TypeVar("_Record")


def record(kind: type[_Record], raw: Mapping[str, Any]) -> _Record:
    """A record of that kind. Raises TypeError, KeyError when the data is not of it."""
    hints = get_type_hints(kind)
    return kind(**{name: _value(hints[name], value) for name, value in raw.items()})


def _value(kind: Any, raw: Any) -> Any:
    if dataclasses.is_dataclass(kind):
        return record(kind, raw)  # type: ignore[arg-type]
    inner = get_args(kind)
    if get_origin(kind) is tuple:
        return tuple(_value(inner[0], item) for item in raw)
    if get_origin(kind) is Mapping:
        return {name: _value(inner[1], value) for name, value in raw.items()}
    if isinstance(kind, UnionType) and raw is not None:
        return _value(next(part for part in inner if part is not NoneType), raw)
    return raw
