"""The stream decorator, and how a project's stream files are found and loaded by path."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from smallarea.errors import InputError


@dataclass(frozen=True)
class Stream:
    """A function from sources and areas to columns, one row per area.

    Call it as `stream(*data, areas)`: one argument per source, in order, then the frame.
    """

    function: Callable[..., pd.DataFrame]
    sources: tuple[str, ...]
    unit: Mapping[str, str]
    domain: str = ""

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def about(self) -> str:
        """What the columns mean, and their trap: the docstring of the stream's file or function."""
        return (self.function.__doc__ or self.function.__globals__.get("__doc__") or "").strip()

    def __call__(self, *data: object) -> pd.DataFrame:
        return self.function(*data)


def stream(
    source: str | Sequence[str] = (),
    *,
    unit: Mapping[str, str] | None = None,
    domain: str = "",
) -> Callable[[Callable[..., pd.DataFrame]], Stream]:
    """Declare a stream: the catalog's source(s) it takes and the unit of every column it makes.

    The function takes one argument per source, as `smallarea.catalog.read` returns it, then the
    frame; it returns a DataFrame indexed by every `area_id` of the frame, missing values as NaN.
    Without a source it takes the frame alone, and `domain` says what it is about; otherwise the
    sources do.

    Raises
    ------
    InputError : no unit is given.
    """
    if unit is None:
        raise InputError(
            "@stream says no unit of its columns",
            where="stream",
            remedy='add unit={"COLUMN": "what one of it is"}, an entry for every column returned',
        )
    sources = (source,) if isinstance(source, str) else tuple(source)
    return lambda function: Stream(function, sources, dict(unit), domain)


def load_streams(features_dir: Path) -> dict[Path, Stream]:
    """Load every stream file of a folder, sorted by name; each holds one stream.

    Files that begin with an underscore hold shared code, not streams.

    Raises
    ------
    InputError : the folder is absent, a file does not load or does not hold exactly one stream.
    """
    if not features_dir.is_dir():
        raise InputError(
            "there is no such folder",
            where=str(features_dir),
            remedy="a project directory needs a folder of stream files: `smallarea init`",
        )
    paths = sorted(p for p in features_dir.glob("*.py") if not p.name.startswith("_"))
    return {path: _load(path) for path in paths}


def _load(path: Path) -> Stream:
    spec = importlib.util.spec_from_file_location(f"_stream_file_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except InputError as error:
        raise InputError(
            error.what, where=f"stream file {path.name}", remedy=error.remedy
        ) from error
    except Exception as error:
        raise InputError(
            f"it does not load: {type(error).__name__}: {error}",
            where=f"stream file {path.name}",
            remedy="correct the file, or begin its name with an underscore to leave it out",
        ) from error
    streams = [value for value in vars(module).values() if isinstance(value, Stream)]
    if len(streams) != 1:
        raise InputError(
            f"it holds {len(streams)} streams, not one",
            where=f"stream file {path.name}",
            remedy="decorate exactly one function with @stream",
        )
    return streams[0]
