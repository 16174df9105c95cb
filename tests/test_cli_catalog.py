"""The catalog's commands: what is declared, and whether the files keep to it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from small import small_country
from typer.testing import CliRunner

from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.run.catalog_schema import SCHEMA, catalog_schema

ROOT = Path(__file__).parents[1]
CATALOG = "data_catalog.yaml"


def called(*words: str):
    return CliRunner().invoke(app, ["catalog", *words])


def test_sources_are_listed_and_shown(tmp_path):
    project = str(small_country(tmp_path).root)
    listed = called("list", "--project", project, "--json")
    assert json.loads(listed.stdout)["books"]["kind"] == "table"
    assert "books" in called("list", "--project", project).stdout
    shown = json.loads(called("show", "books", "--project", project).stdout)
    assert shown["key"] == {"code": "code"}
    with pytest.raises(InputError, match=r"there is no source 'boks'.*use books"):
        raise called("show", "boks", "--project", project).exception


def test_files_are_held_to_their_entries_without_a_run(tmp_path):
    project = small_country(tmp_path)
    words = ("check", "--project", str(project.root), "--json")
    sound = called(*words)
    assert sound.exit_code == 0
    (books,) = json.loads(sound.stdout)
    assert books["state"] == "sound"
    assert "12 of 12 rows matched" in books["said"]
    file = project.root / "data" / "books.csv"
    file.write_text(file.read_text().replace("books", "books read", 1))
    broken = called(*words)
    assert broken.exit_code == 3
    (books,) = json.loads(broken.stdout)
    assert "no column 'books'; the nearest is 'books read'" in books["said"]
    file.unlink()
    absent = called(*words)
    assert absent.exit_code == 0
    assert json.loads(absent.stdout)[0]["state"] == "absent"
    assert not (project.root / "runs").exists()


def test_what_is_shown_has_no_marks_of_its_style(tmp_path):
    project = str(small_country(tmp_path).root)
    for words in (["list"], ["check"]):
        assert "[" not in called(*words, "--project", project).stdout


def test_the_schema_takes_every_shipped_catalog_and_names_what_is_wrong():
    validator = Draft202012Validator(catalog_schema())
    validator.check_schema(validator.schema)
    for path in (ROOT / CATALOG, *ROOT.glob(f"examples/*/{CATALOG}")):
        assert list(validator.iter_errors(as_json(path))) == []
    wrong = as_json(ROOT / CATALOG)
    wrong["sources"]["roads"]["extend"] = "all"
    wrong["sources"]["telco"]["columns"]["subscribers"]["type"] = "whole"
    said = {tuple(e.absolute_path)[:2]: e.message for e in validator.iter_errors(wrong)}
    assert "'extend' was unexpected" in said["sources", "roads"]
    assert "'whole' is not one of" in said["sources", "telco"]


def test_every_field_of_a_source_is_explained_in_schema_and_docs():
    kinds = catalog_schema()["$defs"]
    docs = (ROOT / "docs" / "catalog.md").read_text()
    for kind in ("Source", "Column"):
        for name, field in kinds[kind]["properties"].items():
            assert field.get("description"), name
            assert re.search(rf"`{name}\b", docs), name


def test_the_schema_beside_the_catalog_is_the_present_one(tmp_path):
    kept = ROOT / SCHEMA
    assert json.loads(kept.read_text()) == catalog_schema(), "write it: smallarea catalog schema"
    assert called("schema", "--project", str(tmp_path)).exit_code == 0
    assert (tmp_path / SCHEMA).read_text() == kept.read_text()


def as_json(path: Path):
    return json.loads(json.dumps(yaml.safe_load(path.read_text()), default=str))
