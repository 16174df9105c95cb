import shutil
from pathlib import Path

import pytest

from smallarea.run.code import PACKAGE, imported, source_hash

STAGES = ("frame", "features", "nsum", "models", "projection", "findings", "publish")


@pytest.fixture
def copied(tmp_path):
    ignore = shutil.ignore_patterns("__pycache__", "_template", "_smallest")
    return Path(shutil.copytree(PACKAGE, tmp_path / "smallarea", ignore=ignore))


def reached(package: Path, entry: str) -> set[str]:
    return {
        path.relative_to(package).as_posix() for path in imported([package / entry], package)
    }  # fmt: skip


def test_an_import_added_anywhere_on_the_way_changes_the_key(copied):
    entry = copied / "run" / "frame.py"
    before = source_hash([entry], copied)
    assert "projection/decisions.py" not in reached(copied, "run/frame.py")
    names = copied / "areas" / "names.py"
    names.write_text(
        names.read_text() + "\n\ndef late():\n    import smallarea.projection.decisions\n"
    )
    assert "projection/decisions.py" in reached(copied, "run/frame.py")
    changed = source_hash([entry], copied)
    assert changed != before
    decisions = copied / "projection" / "decisions.py"
    decisions.write_text(decisions.read_text() + "\n# other source\n")
    assert source_hash([entry], copied) != changed


def test_an_import_for_types_only_is_not_followed(copied):
    names = copied / "areas" / "names.py"
    names.write_text(
        names.read_text()
        + "\nfrom typing import TYPE_CHECKING\n"
        + "\nif TYPE_CHECKING:\n    import smallarea.publish.map\n"
    )
    assert "publish/map.py" not in reached(copied, "run/frame.py")


def test_a_template_is_code_of_the_stage_that_publishes(copied):
    assert "publish/templates/map.html.j2" in reached(copied, "run/publish.py")
    assert "publish/templates/map.html.j2" not in reached(copied, "run/nsum.py")
    before = source_hash([copied / "run" / "publish.py"], copied)
    page = copied / "publish" / "templates" / "map.html.j2"
    page.write_text(page.read_text() + "<!-- -->")
    assert source_hash([copied / "run" / "publish.py"], copied) != before


def test_what_another_python_is_compiling_is_no_source(copied):
    entry = copied / "run" / "nsum.py"
    before = source_hash([entry], copied)
    half_written = copied / "nsum" / "__pycache__" / "bayes.cpython-311.pyc.140234"
    half_written.parent.mkdir(exist_ok=True)
    half_written.write_bytes(b"half")
    assert source_hash([entry], copied) == before


def test_a_projects_own_file_counts_with_what_it_imports(copied, tmp_path):
    own = tmp_path / "models" / "mine.py"
    own.parent.mkdir()
    own.write_text("import json\n")
    before = source_hash([own], copied)
    own.write_text("from smallarea.models import model\n")
    assert source_hash([own], copied) != before
    assert copied / "models" / "__init__.py" in imported([own], copied)


def test_the_order_of_files_is_irrelevant(copied):
    entries = [copied / "run" / f"{name}.py" for name in STAGES]
    assert source_hash(entries, copied) == source_hash(entries[::-1], copied)


def test_relative_imports_are_refused(tmp_path):
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "a.py").write_text("from . import b\n")
    with pytest.raises(ValueError, match="relative import in line 1"):
        imported([package / "a.py"], package)
