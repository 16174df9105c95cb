import errno
import json
import os
import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import small_country

from smallarea import files
from smallarea.errors import InputError
from smallarea.files import (
    digest_of,
    keep_private,
    refusal,
    remove,
    sha256,
    sweep,
    write_json,
    writing,
)


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


def folder_of(target, name):
    with writing(target) as temporary:
        temporary.mkdir()
        (temporary / name).touch()


def test_while_a_folder_is_replaced_one_of_both_is_there(tmp_path):
    target, seen, done = tmp_path / "dir", set(), threading.Event()
    folder_of(target, "old")

    def look():
        while not done.is_set():
            seen.add(target.is_dir())

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(100):
        folder_of(target, "new")
        folder_of(target, "old")
    done.set()
    looking.join()
    assert seen == {True}


def test_where_folders_cannot_be_exchanged_a_kill_between_is_mended(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    target = tmp_path / "dir"
    folder_of(target, "old")
    folder_of(target, "new")
    assert os.listdir(target) == ["new"]
    holder = tmp_path / ".dir.a1b2c3d4.unfinished"  # as a kill between the two renames leaves it
    holder.mkdir()
    target.rename(holder / "replaced")
    assert sweep(tmp_path) == 1
    assert os.listdir(target) == ["new"]
    assert os.listdir(tmp_path) == ["dir"]


def test_what_is_removed_is_gone(tmp_path):
    folder_of(tmp_path / "dir", "x")
    remove(tmp_path / "dir")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_what_the_disk_refuses_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch, number):
    def full(*_args):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=re.escape(str(tmp_path / "a.json"))) as caught:
        write_json(tmp_path / "a.json", {})
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_known_by_what_libraries_say(tmp_path):
    for words in ("errno = 28, 'No space left on device'", "database or disk is full"):
        assert "the disk is full" in str(refusal(RuntimeError(words), tmp_path))
    inside = tmp_path / ".stage.a1b2c3d4.unfinished" / "stage" / "x.csv"
    assert f"{tmp_path}: the disk" in str(refusal(OSError(28, "x"), inside))
    assert refusal(ValueError("a defect"), tmp_path) is None


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
    project = small_country(tmp_path / "project")
    earlier = project.root / "runs" / "earlier" / "map.html"
    earlier.parent.mkdir(parents=True)
    earlier.touch()
    run = project.run()
    for top, known in (("runs", f"{run.folder.name}/survey/README.md"), (".smallarea", "stages")):
        found = modes(project.root / top)
        assert known in found
        assert {name: mode for name, mode in found.items() if int(mode, 8) & 0o077} == {}
    assert "earlier/map.html" in modes(project.root / "runs")


def test_input_error_says_where_what_and_what_to_do():
    error = InputError("3 counts are negative", where="a.csv, column 'x'", remedy="correct them")
    assert str(error) == "a.csv, column 'x': 3 counts are negative. correct them."
