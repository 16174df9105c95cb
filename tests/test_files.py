import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.files import digest_of, sha256, write_json, writing


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


def test_input_error_says_where_what_and_what_to_do():
    error = InputError("3 counts are negative", where="a.csv, column 'x'", remedy="correct them")
    assert str(error) == "a.csv, column 'x': 3 counts are negative. correct them."
