"""stage.json: what a finished stage wrote and of what; a folder that differs is not trusted."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from smallarea.files import differences, read_object

RECORD = "stage.json"


class Written(BaseModel):
    """One output."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    bytes: int


class Record(BaseModel):
    """A finished stage's own account, written last.

    Attributes
    ----------
    key : see :mod:`smallarea.run.stages`.
    seconds : that it took to compute.
    made_of : stage before it -> hash of all that stage had written.
    files : name -> hash and size of every output.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    seconds: float
    made_of: dict[str, str]
    files: dict[str, Written]

    @property
    def hashes(self) -> dict[str, str]:
        """Name -> SHA-256 hex digest of every output."""
        return {name: written.sha256 for name, written in self.files.items()}


def read_record(folder: Path) -> Record | None:
    """Return a stage's record, None where it has none that can be understood."""
    try:
        return Record.model_validate(read_object(folder / RECORD))
    except ValidationError:
        return None


def damage(folder: Path) -> str:
    """Say how a stage's files differ from its record, '' if in nothing."""
    record = read_record(folder)
    if record is None:
        return f"its {RECORD} is missing or cannot be read"
    return some(differences(folder, record.hashes, (RECORD,)))


def unfit(folder: Path, key: str, made_of: dict[str, str]) -> str:
    """Say why a folder is not the finished stage of this key, '' if it is."""
    if said := damage(folder):
        return said
    record = read_record(folder)
    assert record is not None
    if record.key != key:
        return f"its {RECORD} is another stage's"
    if record.made_of != made_of:
        return "it was made of other outputs of the stages before it"
    return ""


def some(said: list[str], most: int = 3) -> str:
    """Return the first few sentences and how many more there are."""
    more = f" and {len(said) - most} more" if len(said) > most else ""
    return "; ".join(said[:most]) + more
