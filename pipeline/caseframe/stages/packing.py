"""Lets Docs travel: spaCy packs what extensions hold with msgpack, which knows no records, so this teaches it ours.

Thanks to it `doc.to_bytes()`, `DocBin(store_user_data=True)` and `nlp.pipe(texts, n_process=2)` work and keep
`doc._.article`, `doc._.extraction` and `span._.quantity`. Reading makes only the records named here, never another
object.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache

import srsly

from caseframe.schema import Attributes

# Which records may travel, and where they are defined: quantities import what the schema does not know of.
RECORDS = {
    "Article": "caseframe.schema",
    "Attributes": "caseframe.schema",
    "Case": "caseframe.schema",
    "Extraction": "caseframe.schema",
    "Finding": "caseframe.schema",
    "MeshHeading": "caseframe.schema",
    "Origin": "caseframe.schema",
    "OtherAbstract": "caseframe.schema",
    "Quantity": "caseframe.stages.quantities",
    "Section": "caseframe.schema",
}
_MARK = "caseframe.record"
_VALUES = "values"

Chain = Callable[[object], object] | None


@cache
def _record(name: str) -> type:
    if name not in RECORDS:
        raise ValueError(f"these bytes hold a record {name!r}, which CaseFrame does not know")
    record = getattr(importlib.import_module(RECORDS[name]), name)
    assert isinstance(record, type)
    return record


def _field_names(record: type) -> list[str]:
    return [each.name for each in fields(record) if each.init] if is_dataclass(record) else []


@srsly.msgpack_encoders("caseframe.records")
def encode(obj: object, chain: Chain = None) -> object:
    """Gives msgpack a record as a dict it can pack; other objects go to the next encoder."""
    kind = type(obj)
    if RECORDS.get(kind.__name__) != kind.__module__:
        return chain(obj) if chain is not None else obj
    values = dict(obj) if isinstance(obj, Attributes) else [getattr(obj, name) for name in _field_names(kind)]
    return {_MARK: kind.__name__, _VALUES: values}


@srsly.msgpack_decoders("caseframe.records")
def decode(obj: dict[str, object], chain: Callable[[dict[str, object]], object] | None = None) -> object:
    """Makes the record of a packed dict again; other dicts go to the next decoder."""
    if _MARK not in obj:
        return chain(obj) if chain is not None else obj
    record = _record(str(obj[_MARK]))
    values = obj[_VALUES]
    if isinstance(values, dict):
        return record({name: _as_tuple(value) for name, value in values.items()})
    assert isinstance(values, list | tuple)
    return record(**dict(zip(_field_names(record), map(_as_tuple, values), strict=True)))


def _as_tuple(value: object) -> object:
    """Msgpack has no tuples; records hold nothing else."""
    return tuple(map(_as_tuple, value)) if isinstance(value, list | tuple) else value
