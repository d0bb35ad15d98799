"""Views: an event narrowed to the fields that a fold reads, so that the rest of its body is passed over undecoded.

A fold lists a view among its interests in place of the event and is shown the view as ``record.event``. Nothing of
it is stored; older versions are brought up before they are narrowed. May import ``lpr.events`` only.
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import inspect

from lpr.events import Event


class View(Event, frozen=True, kw_only=True):
    """Some fields of the event ``of``, with its names, types and defaults. May be empty: it happened, is all.

    A struct within may be narrowed as well, by a struct of fewer fields.
    """

    of: ClassVar[type[Event]]


def event_of(kind: type[Event]) -> type[Event]:
    """The event that is stored: of a view its ``of``, else ``kind``. Raises TypeError for a view that doesn't fit."""
    if not issubclass(kind, View):
        return kind
    _check(kind.__name__, inspect.type_info(kind), inspect.type_info(kind.of))
    return kind.of


def _check(place: str, narrow: inspect.Type, whole: inspect.Type) -> None:
    """Whether every body of ``whole`` is one of ``narrow``."""
    if isinstance(narrow, inspect.StructType) and isinstance(whole, inspect.StructType):
        _check_fields(place, narrow, whole)
    elif isinstance(narrow, inspect.VarTupleType) and isinstance(whole, inspect.VarTupleType):
        _check(f"{place}[]", narrow.item_type, whole.item_type)
    elif narrow != whole:
        raise TypeError(f"{place}: the view has {_said(narrow)}, the event {_said(whole)}")


def _check_fields(place: str, narrow: inspect.StructType, whole: inspect.StructType) -> None:
    fields = {field.name: field for field in whole.fields}
    for field in narrow.fields:
        given = fields.get(field.name)
        if given is None:
            raise TypeError(f"{place}.{field.name}: {whole.cls.__name__} has no such field")
        if _default(field) != _default(given):
            raise TypeError(f"{place}.{field.name}: another default than in {whole.cls.__name__}")
        _check(f"{place}.{field.name}", field.type, given.type)


def _default(field: inspect.Field) -> tuple[bool, Any, Any]:
    return field.required, field.default, field.default_factory


def _said(kind: inspect.Type) -> str:
    return kind.cls.__name__ if isinstance(kind, inspect.StructType) else type(kind).__name__.removesuffix("Type")
