"""Which source a stage runs, read from its imports: the part of its key that no hand keeps.

Imports are walked statically, those inside functions too, those under `if TYPE_CHECKING` not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from smallarea.files import digest_of, sha256

PACKAGE = Path(__file__).parents[1]
#: What may hold an import statement.
HOLDERS = (ast.stmt, ast.ExceptHandler, ast.match_case)


def source_hash(entries: Iterable[Path], package: Path = PACKAGE) -> str:
    """Hash the entries and every file of the package that they import, directly or not.

    Parameters
    ----------
    entries : Python files; those outside the package (a project's own) count with their bytes too.
    package : the package's folder.
    """
    entries = sorted(Path(entry) for entry in entries)
    own = [
        (path.name, sha256(path)) for path in entries if not path.is_relative_to(package)
    ]  # fmt: skip
    return digest_of({"package": engine_hash(entries, package), "own": own})


def engine_hash(entries: Iterable[Path], package: Path = PACKAGE) -> str:
    """Hash every file of the package that the entries import, not the entries outside of it."""
    reached = {
        path.relative_to(package).as_posix(): sha256(path)
        for path in imported(entries, package)
        if path.is_relative_to(package)
    }
    return digest_of(reached)


def imported(entries: Iterable[Path], package: Path = PACKAGE) -> set[Path]:
    """Return the entries and all files of the package that they reach by importing.

    Importing `package.room.module` runs `package/room/__init__.py` too, and what that imports.
    The package's own `__init__.py` is reached but not followed: it only offers names lazily. Files
    that are no modules (templates) come with the room that holds them.
    """
    seen: set[Path] = set()
    present = set(package.rglob("*.py"))
    waiting = [Path(entry) for entry in entries]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        if path == package / "__init__.py":
            continue
        for name in _names(path.read_text(encoding="utf-8"), str(path), package.name):
            waiting += present.intersection(_candidates(name, package))
    rooms = {path.parent for path in seen if path.is_relative_to(package)} - {package}
    return seen | {kept for room in rooms for kept in _data_files(room)}


@cache
def _names(text: str, file: str, package: str) -> frozenset[str]:
    """Return what a module's text imports of the package; stages share most of their modules."""
    return frozenset(module_names(ast.parse(text, file), package))


def module_names(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the dotted names below `package` that a module imports when it runs.

    `from a.b import c` yields both `a.b` and `a.b.c`: `c` may be a module. Relative imports are not
    used in this code base and are refused by raising ValueError.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
            continue
        waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, HOLDERS)]
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module is None:
                raise ValueError(f"relative import in line {node.lineno}")
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (n for n in names if n == package or n.startswith(f"{package}."))


@cache
def _candidates(name: str, package: Path) -> frozenset[Path]:
    """Return where the file of a dotted name may be, and the `__init__` of every parent."""
    parts = name.split(".")[1:]
    folders = [package.joinpath(*parts[:n]) for n in range(len(parts) + 1)]
    modules = [folders[-1].with_suffix(".py")] if parts else []
    return frozenset([*(folder / "__init__.py" for folder in folders), *modules])


def _data_files(room: Path) -> Iterator[Path]:
    for path in sorted(room.iterdir()):
        if path.is_file() and path.suffix != ".py":
            yield path
        elif path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").is_file():
            yield from _data_files(path)
