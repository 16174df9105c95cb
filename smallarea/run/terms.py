"""The terms of sources, held to before a run and before anything is made of a finished one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from smallarea.catalog.terms import require_allowed

if TYPE_CHECKING:
    from smallarea.catalog import Catalog
    from smallarea.run.inputs import Inputs


def require_terms_of(catalog: Catalog, manifest: Mapping[str, Any], purpose: str | None) -> None:
    """Raise InputError if the terms of a source that a finished run was made of forbid its use."""
    for entry in manifest["inputs"]:
        name = entry.get("source")
        if name in catalog.sources and not entry.get("synthetic"):
            require_allowed(name, catalog.sources[name], purpose, date.today())


def require_terms(catalog: Catalog, inputs: Inputs, purpose: str | None) -> None:
    """Raise InputError if a source's terms forbid its use today; invented files have none."""
    for name in inputs.sources:
        if name not in inputs.invented:
            require_allowed(name, catalog.sources[name], purpose, date.today())
