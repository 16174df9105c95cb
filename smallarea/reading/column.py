"""What a column of a file must hold."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Column(BaseModel):
    """What a column must hold. Its key in the catalog is the name that stream files use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    header: str | None = None
    """What heads the column in the file, or how that begins; by default the column's name."""
    type: Literal["integer", "number", "text"] = "number"
    min: float | None = None
    max: float | None = None
    optional: bool = False
    """The file may lack the column; it is then all missing."""
    expected: Literal["+", "-"] | None = None
    """The sign that a relation with what is estimated is expected to have."""
    why: str = ""
    """Why that sign is expected, or none can be."""
    error: str | None = None
    """The column with this one's published standard error."""
