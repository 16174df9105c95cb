"""A new project's files: the template, or the smallest project with invented data."""

from __future__ import annotations

import shutil
from pathlib import Path

from smallarea.errors import InputError
from smallarea.files import writing
from smallarea.run.inputs import CATALOG
from smallarea.run.stages import PACKAGE

CONTENT = (CATALOG, "features", "models")


def write_template(root: Path, *, minimal: bool = False) -> None:
    """Write a project into `root`; existing files are kept apart.

    minimal : the smallest project, with its invented data, in place of the template.

    Raises InputError when `root` already holds a project: nothing is overwritten.
    """
    content = (*CONTENT, "data") if minimal else CONTENT
    taken = [name for name in content if (root / name).exists()]
    if taken:
        raise InputError(
            f"{', '.join(taken)} exist already",
            where=str(root),
            remedy="choose another folder; a project is never overwritten",
        )
    template = PACKAGE / ("_smallest" if minimal else "_template")
    if not template.is_dir():  # running from a source checkout
        template = PACKAGE.parent / "examples" / "smallest" if minimal else PACKAGE.parent
    root.mkdir(parents=True, exist_ok=True)
    for name in content:
        with writing(root / name) as temporary:
            if (template / name).is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(template / name, temporary, ignore=ignore)
            else:
                shutil.copyfile(template / name, temporary)
