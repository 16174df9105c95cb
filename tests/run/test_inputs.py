"""Every input is read once: what is edited while a run works neither counts nor stays behind."""

from __future__ import annotations

import shutil

import pytest
from small import small_country

from smallarea.areas import frame_files
from smallarea.catalog import Catalog, kept_copy
from smallarea.errors import InputError
from smallarea.files import sha256
from smallarea.run import pipeline

#: Each an edit that makes other numbers.
EDITS = {
    "data/direct.csv": lambda text: text.replace(",9,", ",90,"),
    "data/books.csv": lambda text: text.replace("t00,", "t00,7"),
    "data/towns.csv": lambda text: text.replace("Town 0,", "Town zero,"),
    "data_catalog.yaml": lambda text: text.replace("seed: 3", "seed: 4"),
    "features/books.py": lambda text: text.replace('[["books"]]', '[["books"]] ** 3'),
    "models/poisson_ridge.py": lambda text: "raise SystemError",
}


def test_an_edit_between_two_stages_is_not_seen_and_poisons_nothing(
    finished, tmp_path, monkeypatch
):
    project = small_country(tmp_path / "project")
    kept = {name: (project.root / name).read_text() for name in EDITS}
    first = pipeline.frame_stage

    def edited_after(*given):
        stage = first(*given)
        for name, edit in EDITS.items():
            changed = edit(kept[name])
            assert changed != kept[name]
            (project.root / name).write_text(changed)
        return stage

    monkeypatch.setattr(pipeline, "frame_stage", edited_after)
    run = project.run()
    assert run.manifest["outputs"] == finished.manifest["outputs"]
    assert run.manifest["inputs"] == finished.manifest["inputs"]
    monkeypatch.undo()
    for name, text in kept.items():
        (project.root / name).write_text(text)
    again = project.run()
    assert again.folder == run.folder
    assert all(stage["reused"] for stage in again.manifest["stages"].values())


def test_the_manifest_signs_what_was_used(finished):
    root = finished.folder.parents[1]
    signed = {entry["file"]: entry["sha256"] for entry in finished.manifest["inputs"]}
    assert set(signed) == {*EDITS, "models/national_rate.py", "books.csv", "towns.csv"} - {
        "data/books.csv", "data/towns.csv"
    }  # fmt: skip
    for name, digest in signed.items():
        path = root / name
        assert sha256(path if path.is_file() else root / "data" / name) == digest


def test_nothing_is_copied_twice(copied):
    project = copied()
    before = {path: path.stat().st_ino for path in project.root.rglob("*") if path.is_file()}
    project.run()
    after = {path: path.stat().st_ino for path in project.root.rglob("*") if path.is_file()}
    assert after == before


def test_a_damaged_copy_is_replaced_and_said(copied):
    project = copied()
    store = project.root / ".smallarea"
    copies = [*store.glob("inputs/*.csv"), *store.glob("snapshots/*/*.csv")]
    assert len(copies) == 3
    for copy in copies:
        copy.chmod(0o600)
        copy.write_text("damaged")
    again = project.run()
    assert again.folder == project.latest().folder
    assert len(again.manifest["mended"]) == 3
    assert "the kept copy of books.csv was damaged" in " ".join(again.manifest["mended"])
    assert {sha256(copy) for copy in copies} == {copy.stem for copy in copies}


def test_a_copy_is_named_by_the_bytes_that_were_copied(tmp_path):
    (tmp_path / "a.csv").write_text("one")
    first = kept_copy(tmp_path / "a.csv", tmp_path / "store")
    (tmp_path / "a.csv").write_text("two")
    assert first.read_text() == "one"
    assert first.stem == sha256(first)
    assert kept_copy(tmp_path / "a.csv", tmp_path / "store") != first
    assert len(list((tmp_path / "store").iterdir())) == 2


@pytest.mark.parametrize("room", ["features", "models"])
def test_a_project_without_a_room_is_told(copied, room):
    project = copied()
    shutil.rmtree(project.root / room)
    with pytest.raises(InputError, match="there is no such folder"):
        project.run()


@pytest.mark.parametrize("room", ["features", "models"])
def test_an_empty_room_is_called_by_its_name(copied, room):
    project = copied()
    for path in (project.root / room).glob("*.py"):
        path.unlink()
    with pytest.raises(InputError) as error:
        project.run()
    assert error.value.where == room
    assert ".smallarea" not in str(error.value)


def test_a_shapefile_comes_with_all_its_parts(tmp_path):
    for suffix in (".shp", ".dbf", ".shx"):
        (tmp_path / f"towns{suffix}").touch()
    (tmp_path / "table.csv").touch()
    frame = {
        "connector": "table", "publisher": "x", "licence": "x", "vintage": "2020",
        "crs": "EPSG:32632", "area_crs": "EPSG:6933", "file": "table.csv", "code": "c",
        "name": "n", "population": "p", "levels": [{"name": "shire"}],
        "boundaries": {"file": "towns.shp", "code": "c", "source": "x"},
    }  # fmt: skip
    found = frame_files(Catalog.model_validate({"frame": frame, "sources": {}}), [tmp_path])
    assert {path.name for path in found} == {"table.csv", "towns.shp", "towns.dbf", "towns.shx"}
