"""The rules of the house: data move down the list of rooms, and no import climbs back up."""

import ast
import re
from graphlib import TopologicalSorter

from smallarea.run.code import PACKAGE, module_names

#: From the ground to the roof; a room imports only itself and what stands before it.
ROOMS = (
    "errors", "progress", "limits", "spreadsheets", "declared", "files", "executors",
    "indicators", "settings", "reading", "areas", "catalog", "fetching", "features", "survey",
    "nsum", "fieldwork", "models", "projection", "findings", "publish", "release", "simulate",
    "run", "service", "project", "watching", "summary", "refreshing", "assets", "options", "upkeep",
    "cli_catalog", "cli_change", "cli_compare", "cli_design", "cli_features", "cli_fieldwork",
    "cli_nsum", "cli_publish", "cli_refresh", "cli_serve", "cli_target", "cli", "__main__",
)  # fmt: skip


#: Where an installed package keeps the projects that `smallarea init` writes.
OWN = {"_template", "_smallest"}


def modules() -> dict[str, ast.Module]:
    paths = [p for p in PACKAGE.rglob("*.py") if not OWN & set(p.parts)]
    return {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): ast.parse(
            path.read_text(encoding="utf-8")
        )
        for path in paths
    }


def room_of(module: str) -> str:
    name = module.removeprefix("smallarea.").removesuffix(".__init__")
    return name.split(".")[0]


def arrows(*, types: bool = False) -> set[tuple[str, str]]:
    """Module -> module, from imports anywhere in a file; the facade's lazy one is left out.

    types : whether imports that only a type checker sees count too.
    """
    found, known = set(), modules()
    for name, tree in known.items():
        if name == "smallarea.__init__":
            continue
        named = set(module_names(tree, "smallarea")) | (type_names(tree) if types else set())
        for target in named:
            for module in (target, f"{target}.__init__"):
                if module in known and module not in (name, "smallarea.__init__"):
                    found.add((name, module))
    return found


def type_names(tree: ast.Module) -> set[str]:
    """Return the dotted names of all `from` imports of a module, those for types alone too."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = {f"{node.module}.{alias.name}" for node in imports for alias in node.names}
    return names | {str(node.module) for node in imports}


def test_every_module_has_a_room():
    rooms = {room_of(name) for name in modules()} - {"smallarea", "__init__"}
    assert rooms == set(ROOMS)


def test_no_import_climbs():
    floor = {room: number for number, room in enumerate(ROOMS)}
    climbing = sorted(f"{a} -> {b}" for a, b in arrows() if floor[room_of(a)] < floor[room_of(b)])
    assert climbing == []


def test_no_circle_between_modules():
    inside = {(a, b) for a, b in arrows(types=True) if not b.endswith("__init__")}
    graph: dict[str, set[str]] = {}
    for a, b in inside:
        graph.setdefault(a, set()).add(b)
    list(TopologicalSorter(graph).static_order())  # raises CycleError, naming the circle


def test_no_circle_between_inner_rooms():
    """`nsum.bayesian` and `nsum.classical` are inner rooms, `nsum.shell` stands in none."""
    graph: dict[str, set[str]] = {}
    for a, b in arrows():
        rooms = [name.removesuffix(".__init__").rsplit(".", 1)[0] for name in (a, b)]
        inner = [room for room in rooms if room.count(".") == 2]
        if len(inner) == 2 and inner[0] != inner[1]:
            graph.setdefault(inner[0], set()).add(inner[1])
    assert graph["smallarea.nsum.annex"] >= {"smallarea.nsum.classical", "smallarea.nsum.bayesian"}
    list(TopologicalSorter(graph).static_order())


#: Words of one project: its places, its register, its harm. They belong in its catalog.
ONE_PROJECT = re.compile(
    r"barangay|provinc|\bregions?(?:_|\b)|victim|trafficker|philippin|psgc|pantawid|municipal",
    re.IGNORECASE,
)
#: Files that name the registers the engine ships, which are the registers' own names; and a name
#: that others still use.
SHIPPED = {
    "areas/build.py": "the table of connectors",
    "run/stages.py": "libraries whose versions decide a stage's key",
}


def test_the_engine_knows_no_project():
    files = [p for p in PACKAGE.rglob("*.py") if not OWN & set(p.parts)]
    names = {p.relative_to(PACKAGE).as_posix(): p for p in files}
    own = {n: p for n, p in names.items() if not n.startswith("areas/registers/psgc")}
    found = {n for n, p in own.items() if ONE_PROJECT.search(p.read_text(encoding="utf-8"))}
    assert found - set(SHIPPED) == set(), "move these words to the project's catalog"
    assert set(SHIPPED) - found == set(), "they name none any more: take these files off the list"


def test_the_pages_know_no_project():
    """Templates, scripts and styles; `region` is a role that HTML gives to parts of a page."""
    found = [
        p.name
        for ending in ("html.j2", "js", "css")
        for p in PACKAGE.rglob(f"*.{ending}")
        if ONE_PROJECT.search(p.read_text(encoding="utf-8").replace('role="region"', ""))
    ]
    assert found == [], "move these words to the project's catalog"
