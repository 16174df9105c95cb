"""Building the frame with the register that the catalog names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from smallarea.areas.frame import Frame
from smallarea.areas.registers.psgc_frame import psgc_files, psgc_frame
from smallarea.areas.registers.psgc_spec import PsgcSpec
from smallarea.areas.registers.table import TableSpec, table_files, table_frame
from smallarea.areas.spec import FrameSpec
from smallarea.errors import InputError
from smallarea.files import sha256


class Register(NamedTuple):
    """What makes a frame of a `frame:` block: how, from which files, what the block may
    say, and from which package."""

    build: Callable[[Mapping[str, Any], Sequence[Path]], Frame]
    files: Callable[[Mapping[str, Any], Sequence[Path]], list[Path]]
    spec: type[FrameSpec]
    package: str | None = None


REGISTERS = {
    "psgc": Register(psgc_frame, psgc_files, PsgcSpec, "psgc"),
    "table": Register(table_frame, table_files, TableSpec),
}


def build_frame(catalog: Any, data_dirs: Sequence[Path]) -> Frame:
    """Build the frame of a catalog.

    Parameters
    ----------
    catalog : anything with a `frame` mapping; its `connector` names the register.
    data_dirs : searched in this order for the register's files.

    Raises
    ------
    InputError : the catalog's frame block or one of the files is not as it should be.
    """
    return _register(catalog).build(catalog.frame, data_dirs)


def frame_inputs(catalog: Any, data_dirs: Sequence[Path]) -> dict[str, str]:
    """Return what `build_frame` would read: each file's hash, the register's package's version."""
    register = _register(catalog)
    inputs = {path.name: sha256(path) for path in frame_files(catalog, data_dirs)}
    if register.package:
        inputs = {f"package {register.package}": version(register.package)} | inputs
    return inputs


def frame_files(catalog: Any, data_dirs: Sequence[Path]) -> list[Path]:
    """Return the files that `build_frame` would read, with those that belong to a shapefile."""
    named = _register(catalog).files(catalog.frame, data_dirs)
    return named + [
        path.with_suffix(suffix)
        for path in named
        if path.suffix == ".shp"
        for suffix in (".shx", ".dbf", ".prj", ".cpg")
        if path.with_suffix(suffix).is_file()
    ]


def _register(catalog: Any) -> Register:
    connector = catalog.frame.get("connector")
    if connector not in REGISTERS:
        raise InputError(
            f"there is no connector '{connector}'" if connector else "no connector is named",
            where="data_catalog.yaml, frame.connector",
            remedy=f"use {' or '.join(REGISTERS)}, or add a register under "
            "smallarea/areas/registers",
        )
    return REGISTERS[connector]
