import json
import os
import shutil
from dataclasses import replace

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from smallarea.run.stages import StageStore, code_hash, seed_of


def run(store, settings, after=(), fail=False):
    calls = []

    def compute(out):
        (out / "value.txt").write_text(str(settings))
        calls.append(1)
        if fail:
            raise KeyboardInterrupt

    stage = store.stage("demo", compute, settings=settings, code="as it was", after=after)
    return stage, len(calls)


def test_the_same_inputs_are_computed_once(tmp_path):
    first, computed = run(StageStore(tmp_path), {"a": 1, "b": 2})
    again, recomputed = run(StageStore(tmp_path), {"b": 2, "a": 1})
    assert (computed, recomputed) == (1, 0)
    assert again.folder == first.folder
    assert again.reused
    assert json.loads((again.folder / "stage.json").read_text())["key"] == first.key


def test_other_settings_and_other_stages_before_are_other_keys(tmp_path):
    store = StageStore(tmp_path)
    first, _ = run(store, {"a": 1})
    second, _ = run(store, {"a": 2})
    after_first, _ = run(store, {"a": 1}, after=(first,))
    after_second, _ = run(store, {"a": 1}, after=(second,))
    assert len({s.key for s in (first, second, after_first, after_second)}) == 4


def test_an_interrupted_stage_leaves_nothing_half_written(tmp_path):
    store = StageStore(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run(store, {"a": 1}, fail=True)
    assert list(tmp_path.iterdir()) == []
    _, computed = run(store, {"a": 1})
    assert computed == 1


def test_progress_is_told_the_stage_from_start_to_end(tmp_path):
    told = []
    run(StageStore(tmp_path, lambda what, share: told.append((what, share))), {})
    assert told == [("demo", 0.0), ("demo", 1.0)]


def test_code_hash_follows_the_source(tmp_path):
    (tmp_path / "a.py").write_text("x = 1")
    first = code_hash(str(tmp_path))
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("compiled")
    assert code_hash(str(tmp_path)) == first
    (tmp_path / "page.html.j2").write_text("a template is code too")
    assert code_hash(str(tmp_path)) != first
    (tmp_path / "a.py").write_text("x = 2")
    assert code_hash(str(tmp_path)) != first


def test_parts_of_a_run_have_seeds_of_their_own():
    seeds = {seed_of(seed, part) for seed in range(100) for part in ("nsum", "models", "tau")}
    assert len(seeds) == 300
    assert seed_of(7, "tau") == seed_of(7, "tau")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: (f / "value.txt").write_text("ten-fold"), "value.txt is not what was written"),
        (lambda f: (f / "value.txt").write_text(""), "value.txt is not what was written"),
        (lambda f: (f / "value.txt").unlink(), "value.txt is missing"),
        (lambda f: (f / "more.txt").touch(), "more.txt does not belong there"),
        (lambda f: (f / "stage.json").unlink(), "its stage.json is missing or cannot be read"),
        (lambda f: (f / "stage.json").write_text('{"key": '), "its stage.json is missing or"),
        (lambda f: (f / "stage.json").write_text("[]"), "its stage.json is missing or"),
        (lambda f: (f / "stage.json").write_text('{"key": 1}'), "its stage.json is missing or"),
        (lambda f: [p.unlink() for p in f.iterdir()], "its stage.json is missing or"),
        (lambda f: f.rename(f.with_name("away")), None),
    ],
)
def test_a_damaged_stage_is_said_and_computed_anew(tmp_path, damage, said):
    first, _ = run(StageStore(tmp_path), {"a": 1})
    damage(first.folder)
    store = StageStore(tmp_path)
    again, computed = run(store, {"a": 1})
    assert (again.folder, again.files, again.reused, computed) == (
        first.folder, first.files, False, 1
    )  # fmt: skip
    assert store.mended == ([] if said is None else store.mended)
    if said is not None:
        (sentence,) = store.mended
        assert sentence.startswith(f"stage demo: {said}")
    assert run(StageStore(tmp_path), {"a": 1})[0].reused


def test_a_stage_made_of_other_outputs_than_there_are_is_computed_anew(tmp_path):
    first, _ = run(StageStore(tmp_path), {"a": 1})
    run(StageStore(tmp_path), {"b": 2}, after=(first,))
    other = replace(first, files=first.files | {"value.txt": "0" * 64})
    store = StageStore(tmp_path)
    _, computed = run(store, {"b": 2}, after=(other,))
    assert computed == 1
    assert "other outputs of the stages before it" in store.mended[0]


def test_another_stages_record_is_noticed(tmp_path):
    first, _ = run(StageStore(tmp_path), {"a": 1})
    second, _ = run(StageStore(tmp_path), {"a": 2})
    for name in ("stage.json", "value.txt"):
        shutil.copy(second.folder / name, first.folder)
    store = StageStore(tmp_path)
    run(store, {"a": 1})
    assert "another stage's" in store.mended[0]


def test_a_stage_computes_on_one_thread(tmp_path):
    seen = {}

    def compute(out):
        seen["env"] = os.environ["OMP_NUM_THREADS"]
        seen["pools"] = {pool["num_threads"] for pool in threadpool_info()}
        (out / "x").touch()

    with threadpool_limits(2):
        StageStore(tmp_path).stage("demo", compute, settings={}, code="x")
    assert seen == {"env": "1", "pools": {1}}
