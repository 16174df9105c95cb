"""The catalog's commands: what is declared, and whether the files keep to it."""

from __future__ import annotations

import json

import pytest
from small import small_country
from typer.testing import CliRunner

from smallarea.cli import app
from smallarea.errors import InputError


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
