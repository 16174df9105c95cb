import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.files import digest_of, keep_private, sha256, write_json, writing
from smallarea.project import Project


def test_hash_of_a_file_is_sha256(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(path) == expected


def test_hash_of_a_folder_sees_names_and_bytes(tmp_path):
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "a").write_text("1")
    first = sha256(folder)
    (folder / "a").rename(folder / "b")
    second = sha256(folder)
    (folder / "b").write_text("2")
    assert len({first, second, sha256(folder)}) == 3


@given(st.dictionaries(st.text(max_size=5), st.integers(), min_size=2, max_size=6))
def test_order_of_keys_is_irrelevant(mapping):
    assert digest_of(mapping) == digest_of(dict(reversed(list(mapping.items()))))


def test_failed_write_leaves_the_old_content_and_no_debris(tmp_path):
    path = tmp_path / "out.json"
    write_json(path, {"a": 1})

    def fail(temporary):
        temporary.write_text("half")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError), writing(path) as temporary:
        fail(temporary)
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]


def test_a_folder_is_replaced_whole(tmp_path):
    target = tmp_path / "dir"
    for name in ("old", "new"):
        with writing(target) as temporary:
            temporary.mkdir()
            (temporary / name).touch()
    assert [p.name for p in target.iterdir()] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["dir"]


@pytest.fixture(params=[0, 0o022], ids=["umask 0", "umask 022"])
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(folder):
    """Modes of a folder and all below it, links left out."""
    paths = [folder, *(p for p in folder.rglob("*") if not p.is_symlink())]
    return {p.relative_to(folder).as_posix(): oct(p.stat().st_mode & 0o777) for p in paths}


def test_a_private_tree_is_its_owners_alone_and_links_are_not_followed(tmp_path, umask):
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    outside.mkdir()
    for path in (tree / "x", tree / "a" / "b" / "y", tree / "kept", outside / "z"):
        path.touch()
    (tree / "kept").chmod(0o444)
    for name, target in (("link", outside), ("file", outside / "z"), ("gone", "nowhere")):
        (tree / name).symlink_to(target)
    before = modes(outside)
    keep_private(tree)
    assert modes(outside) == before
    assert modes(tree) == {
        ".": "0o700", "a": "0o700", "a/b": "0o700", "a/b/y": "0o600", "x": "0o600", "kept": "0o400",
    }  # fmt: skip


def test_runs_and_stages_are_private_as_are_earlier_runs(tmp_path, umask):
    project = Project.init(tmp_path / "project")
    earlier = project.root / "runs" / "earlier" / "map.html"
    earlier.parent.mkdir(parents=True)
    earlier.touch()

    def compute(out):
        (out / "survey").mkdir()
        (out / "survey" / "told.csv").touch()
        write_json(out / "summary.json", {})

    store = project._store(lambda what, share: None)
    stage = store.stage("publish", compute, settings={}, code=("errors.py",))
    assert set(modes(stage.folder).values()) == {"0o700", "0o600"}
    project._keep(stage, {"run": "now", "seconds": 1, "stages": {}, "mended": []}, str)
    for top, known in (("runs", "now/survey/told.csv"), (".smallarea", "stages")):
        found = modes(project.root / top)
        assert known in found
        for name, mode in found.items():
            assert mode == ("0o700" if (project.root / top / name).is_dir() else "0o600"), name
    assert project.latest().folder.name == "now"


def test_input_error_says_where_what_and_what_to_do():
    error = InputError("3 counts are negative", where="a.csv, column 'x'", remedy="correct them")
    assert str(error) == "a.csv, column 'x': 3 counts are negative. correct them."
