"""What the documents and docstrings show is run: their code, their catalog, their commands."""

from __future__ import annotations

import doctest
import importlib
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import click
import pytest
import typer
from typer.testing import CliRunner

import smallarea as sa
from smallarea.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"(?:<!-- not run: (?P<why>[^>]+) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

#: Python blocks that are not run, as (page, reason). This list may only shrink.
NOT_RUN: list[tuple[str, str]] = []


class Block(NamedTuple):
    page: str
    line: int
    language: str
    text: str
    why: str | None


def blocks(*languages: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start("language")) + 1
            block = (match["language"], match["text"], match["why"])
            found.append(Block(page.relative_to(ROOT).as_posix(), line, *block))
    return [block for block in found if block.language in languages]


def named(block: Block) -> str:
    return f"{block.page}:{block.line}"


def examples() -> list[doctest.DocTest]:
    """Docstring examples of every module that has any; only those are imported."""
    found = []
    for path in sorted((ROOT / "smallarea").rglob("*.py")):
        if ">>> " in path.read_text(encoding="utf-8"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            module = importlib.import_module(".".join(p for p in parts if p != "__init__"))
            found += [test for test in doctest.DocTestFinder().find(module) if test.examples]
    return found


def commands() -> list[str]:
    """Every command line that starts with `smallarea`, in shell blocks, indented or inline code."""
    found = []
    for page in [*PAGES, *sorted((ROOT / "examples").glob("*/README.md"))]:
        text = page.read_text(encoding="utf-8")
        shell = [m["text"] for m in FENCE.finditer(text) if m["language"] in ("", "sh", "bash")]
        shell += re.findall(r"^    (.+)$", FENCE.sub("", text), re.MULTILINE)
        shell += [code for code in re.findall(r"`([^`]+)`", FENCE.sub("", text)) if " " in code]
        for block in shell:
            for line in block.replace("\\\n", " ").splitlines():
                found += [part.strip() for part in re.split(r"&&|\|\||#|;| > ", line)]
    return sorted({line for line in found if line.startswith("smallarea ")})


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> sa.Project:
    """The smallest project, as `smallarea init --minimal` writes it; its count is of victims."""
    root = tmp_path_factory.mktemp("docs") / "project"
    sa.Project.init(root, minimal=True)
    catalog, direct = root / "data_catalog.yaml", root / "data" / "direct.csv"
    catalog.write_text(catalog.read_text().replace("    left:\n", "    victims:\n"))
    direct.write_text(direct.read_text().replace(",left,", ",victims,"))
    return sa.Project(root)


def test_the_smallest_project_is_the_one_that_is_shown():
    (catalog,) = blocks("yaml")
    shown = {"data_catalog.yaml": catalog.text}
    for block in blocks("python"):
        for decorator, folder in (("@stream(", "features"), ("@model(", "models")):
            if decorator in block.text:
                (name,) = re.findall(r"^def (\w+)", block.text, re.MULTILINE)
                shown[f"{folder}/{name}.py"] = block.text
    folder = ROOT / "examples" / "smallest"
    kept = {p for pattern in ("*.yaml", "*/*.py") for p in folder.glob(pattern)}
    assert {p.relative_to(folder).as_posix(): p.read_text() for p in kept} == shown


@pytest.mark.parametrize("block", blocks("python"), ids=named)
def test_a_python_block_runs(block, project, monkeypatch):
    if block.why is not None:
        pytest.skip(f"not run: {block.why}")
    monkeypatch.chdir(project.root)
    exec(compile(block.text, named(block), "exec"), {"__name__": "docs"})


def test_blocks_that_are_not_run_are_counted():
    assert [(b.page, b.why) for b in blocks("python") if b.why is not None] == NOT_RUN


def test_the_smallest_catalog_goes_to_the_map(project):
    run = project.run()
    assert run.estimates().shape[0] == 12
    assert (run.folder / "map.html").is_file()


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_a_docstring_example_is_true(example, project, monkeypatch):
    monkeypatch.chdir(project.root)
    assert not any(doctest.SKIP in part.options for part in example.examples)
    said: list[str] = []
    outcome = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert outcome.failed == 0, "".join(said)


@pytest.mark.parametrize("line", commands())
def test_a_command_line_is_understood(line):
    words = shlex.split(re.sub(r"[\[\]]", "", line))[1:]
    name, *given = [word for word in words if word != "..."]
    command = typer.main.get_command(app)
    assert name in command.commands, f"no subcommand {name}"
    shown = CliRunner().invoke(app, [name, "--help"])
    assert shown.exit_code == 0
    sub = command.commands[name]
    bare = not given  # a mention, such as `smallarea nsum`, and no call
    try:
        sub.make_context(name, given, resilient_parsing=bare)
    except click.UsageError as error:
        pytest.fail(f"{line}: {error.format_message()}")


def test_every_target_of_make_that_is_shown_exists():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert set(re.findall(r"(?:^|`)make (\w+)", text, re.MULTILINE)) <= targets


def test_every_file_that_a_page_names_exists():
    for page in PAGES:
        text = FENCE.sub("", page.read_text(encoding="utf-8"))
        linked = re.findall(r"\]\(([^)#:]+)\)", text)
        for target in linked:
            assert (page.parent / target).exists(), f"{page.name}: {target}"
        shown = re.findall(r"`((?:smallarea|tests|benchmarks|docs|examples)/[\w./]+)`", text)
        for target in shown:
            assert (ROOT / target).exists(), f"{page.name}: {target}"
