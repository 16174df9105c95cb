"""The JSON schema of `data_catalog.yaml`, by which an editor completes and checks it."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from smallarea.areas.build import REGISTERS
from smallarea.catalog import Catalog, Source
from smallarea.declared import Declared
from smallarea.indicators import Indicators
from smallarea.settings import Settings
from smallarea.simulate import TwinSettings

#: The file beside a catalog, and what a catalog's first line says of it.
SCHEMA = "data_catalog.schema.json"


def catalog_schema() -> dict[str, Any]:
    """Return the schema: the models by which every block is read, each field with what it means.

    It knows fields, types and ranges. What hangs on several fields together (a key that fits its
    kind, an error column that is declared) only the engine checks.
    """
    blocks: dict[str, type[BaseModel]] = {
        "indicators": Indicators,
        "settings": Settings,
        "twin": TwinSettings,
    }
    models: list[type[BaseModel]] = [
        Catalog,
        Source,
        *blocks.values(),
        *(r.spec for r in REGISTERS.values()),
    ]
    refs, schema = models_json_schema(
        [(model, "validation") for model in models], title="data_catalog.yaml"
    )
    own = {model: refs[model, "validation"] for model in models}
    kinds = schema["$defs"]
    for model in _subclasses(Declared):
        if model.__name__ in kinds:
            _describe(kinds[model.__name__], model)
    source = _named(kinds, Source)
    del source["properties"]["name"]  # it is the entry's key
    source["required"].remove("name")
    catalog = kinds.pop(own[Catalog]["$ref"].rpartition("/")[2])
    catalog["properties"] |= {name: own[model] for name, model in blocks.items()}
    for name, register in REGISTERS.items():
        frame = _named(kinds, register.spec)
        frame["properties"]["connector"] = {"const": name}
    catalog["properties"]["frame"] = {"anyOf": [own[r.spec] for r in REGISTERS.values()]}
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return dialect | catalog | {"title": schema["title"], "$defs": kinds}


def _named(kinds: dict[str, Any], model: type) -> dict[str, Any]:
    return kinds[model.__name__]


def _subclasses(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in model.__subclasses__():
        yield child
        yield from _subclasses(child)


def _describe(kind: dict[str, Any], model: type) -> None:
    """Put the text below each field of a class into the field's description.

    Pydantic would do so itself, at every start of the engine.
    """
    for owner in model.__mro__:
        if not issubclass(owner, Declared) or owner is Declared:
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, below in zip(body.body, body.body[1:], strict=False):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ) if name in kind["properties"]:
                    kind["properties"][name].setdefault("description", inspect.cleandoc(text))
