"""`smallarea publish` on a small project: what a tier holds, and all that it must not."""

from __future__ import annotations

import json
import re
import sqlite3
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
from small import small_country
from typer.testing import CliRunner

import smallarea as sa
from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.publish.basis import BASIS, STEPS
from smallarea.publish.map_draws import pack_draws
from smallarea.release import spill
from smallarea.release.tiers import ABOVE, BELOW, TIERS, UNTOLD
from smallarea.run import releasing
from smallarea.run.record import damage_of

FLAG = "its covariates lie outside what the surveyed areas show"


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> sa.Run:
    return small_country(tmp_path_factory.mktemp("publish") / "project").run()


@pytest.fixture(scope="module")
def tiers(run) -> dict[str, Path]:
    return dict(zip(TIERS, releasing.publish_tiers(run, list(TIERS)), strict=True))


def read(path: Path) -> str:
    """Everything a file says, by other means than the engine's own search."""
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return " ".join(book.read(name).decode() for name in book.namelist())
    if path.suffix == ".gpkg":
        return "\n".join(sqlite3.connect(path).iterdump())
    if path.suffix == ".parquet":
        table = pd.read_parquet(path)
        return f"{table.to_csv()} {path.read_bytes()!r}"
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        page = re.search(r'<script id="data"[^>]*>(.*?)</script>', text, re.DOTALL)
        assert (page is not None) is (path.name == "map.html")
        if page is None:
            return re.sub(r'data:image/png;base64,[^"]*', "", text)
        return page[1] + re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    return text


def test_a_tier_is_a_folder_of_its_own_with_its_manifest(run, tiers):
    for name, folder in tiers.items():
        assert folder == run.folder.parents[1] / "releases" / f"{run.folder.name}-{name}"
        files = {path.name for path in folder.iterdir()}
        assert files == {*TIERS[name].files, "manifest.json"}
        manifest = json.loads((folder / "manifest.json").read_text())
        assert (manifest["tier"], manifest["run"]) == (name, run.manifest["run"])
        assert damage_of(folder) == []
        assert CliRunner().invoke(app, ["verify", str(folder)]).exit_code == 0
    assert damage_of(run.folder) == []  # the run is as it was


@pytest.mark.parametrize("name", TIERS)
def test_nothing_forbidden_is_in_any_file(tiers, name):
    for path in tiers[name].iterdir():
        text = read(path).replace(FLAG, "")
        for word in ("surveyed", "interviewed", "exposure", "deff", '"seed"', "draws.nc", "tau_"):
            if (path.name, word) != ("report.html", "interviewed"):  # of no place, in what helps
                assert word not in text, (path.name, word)
        assert "internal" not in text, path.name
    data = json.loads(read(tiers[name] / "map.html").split("<!doctype")[0])
    assert "surveyed" not in data["areas"]


def test_a_partner_gets_areas_with_intervals(run, tiers):
    table = pd.read_parquet(tiers["partner"] / "estimates.parquet")
    assert set(table["area_id"]) == set(run.table()["area_id"])
    assert list(table) == [column for column in run.table() if column != "surveyed"]
    assert (table["q10"] < table["q90"]).all()
    own = run.table().set_index(["area_id", "indicator"])["q50"]
    made = table.set_index(["area_id", "indicator"])["q50"]
    assert (made / own.loc[made.index] - 1).abs().max() > 0.01  # not the run's numbers
    whole = pd.read_csv(tiers["partner"] / "levels.csv").set_index(["level", "indicator"])
    assert whole.loc[("nation", "left"), "q50"].item() == pytest.approx(
        pd.read_csv(run.folder / "national.csv").set_index("indicator").loc["left", "q50"], rel=0.02
    )


def test_the_public_gets_units_and_classes(tiers):
    table = pd.read_csv(tiers["public"] / "estimates.csv")
    assert set(table["name"]) == {f"Shire {i}" for i in range(4)}
    classes = pd.read_csv(tiers["public"] / "classes.csv", dtype=str)
    assert len(classes) == 12
    assert set(classes["left_rate_class"]) <= {ABOVE, BELOW, UNTOLD}
    assert not any(re.fullmatch(r"[\d.]+", str(cell)) for cell in classes.to_numpy().ravel())
    assert "estimates.*" in (tiers["public"] / "README.md").read_text()


def embedded(folder: Path) -> tuple[dict, str]:
    text = (folder / "map.html").read_text(encoding="utf-8")
    page, draws = (
        re.search(rf'<script id="{name}"[^>]*>(.*?)</script>', text, re.DOTALL)[1]
        for name in ("data", "draws")
    )
    return json.loads(page), draws


def test_the_maps_draws_are_the_tiers_and_not_the_runs(run, tiers):
    safe = releasing.safe_draws(run, run.folder.parents[1], lambda *_: None)
    ids = safe.frame.table.index.sort_values()
    counts = safe.counts.sel(component="left", area_id=ids.to_numpy())
    data, draws = embedded(tiers["partner"])
    assert draws == pack_draws({"left": counts}, ids, safe.tau)[1]
    pooled = run.draws()["counts"].sel(component="left", area_id=ids.to_numpy())
    assert draws != pack_draws({"left": pooled}, ids, safe.tau)[1]
    assert data["draws"]["tau"] is None
    units, lines = embedded(tiers["public"])
    assert len(units["areas"]["id"]) == 4  # of no town is there any number
    assert len(lines) == 4 * units["draws"]["n"]
    assert units["plan"] is None
    towns = {f"Town {i}" for i in range(12)}
    assert not any(town in json.dumps(units) for town in towns)


def test_layers_of_levels_say_what_levels_csv_says(run, tiers):
    layers = {
        name: list(pyogrio.list_layers(f / "estimates.gpkg")[:, 0]) for name, f in tiers.items()
    }
    assert layers["partner"] == ["areas", "shire", "layer_styles"]
    assert layers["public"] == ["areas", "layer_styles"]  # its places are the shires
    table = pd.read_csv(tiers["partner"] / "levels.csv").set_index(["level", "indicator", "name"])
    shires = pyogrio.read_dataframe(tiers["partner"] / "estimates.gpkg", layer="shire")
    told = shires.set_index("name")["left_q10"]
    np.testing.assert_allclose(told, table.loc[("shire", "left"), "q10"].loc[told.index], rtol=1e-5)
    own = pyogrio.read_dataframe(run.folder / "estimates.gpkg", layer="shire")
    counts = run.draws()["counts"].sel(component="left")
    inside = [f"t{i:02d}" for i in range(3)]
    sums = counts.sel(area_id=inside).sum("area_id")
    mine = own.set_index("name").loc["Shire 0", "left_q50"]
    assert mine == pytest.approx(float(sums.median()))


def test_explain_and_the_card_say_the_same(run, tiers):
    for name, folder in tiers.items():
        data, _ = embedded(folder)
        basis = data["basis"]["totals"]["left"]
        table = pd.read_parquet(folder / "estimates.parquet")
        for i in (0, 3):
            place = data["areas"]["id"][i]
            words = ["explain", place, "--project", str(run.folder.parents[1]), "--tier", name]
            told = CliRunner().invoke(app, [*words, "--json"])
            assert told.exit_code == 0, told.output
            facts = json.loads(told.stdout)
            own = facts["basis"]
            for model, values in basis["models"].items():
                card = dict(zip(data["basis"]["parts"], [v[i] for v in values], strict=True))
                assert own["models"][model] == {k: v for k, v in card.items() if v is not None}
            steps = [values[i] for values in basis["steps"]]
            assert steps == [own[step] for step in STEPS]
            assert sum(own["parts"].values()) + steps[0] + steps[1] == pytest.approx(
                steps[2], abs=1
            )
            row = table[(table["area_id"] == place) & (table["indicator"] == "left_rate")].iloc[0]
            assert facts["estimate"]["q50"] == row["q50"]
            rates = table[table["indicator"] == "left_rate"]["q50"]
            assert np.exp(steps[2] / 100) == pytest.approx(row["q50"] / rates.median(), rel=0.011)
            assert "own" not in own["parts"]  # nothing of its own interviews
            text = CliRunner().invoke(app, words).output
            assert "agreement with totals" in text


def test_explain_of_a_tier_refuses_what_is_not_in_it(run, tiers):
    words = ["--project", str(run.folder.parents[1]), "--tier", "public"]
    with pytest.raises(InputError, match="names larger places alone"):
        CliRunner().invoke(app, ["explain", "Town 3", *words], catch_exceptions=False)


def test_what_was_answered_in_a_group_moves_no_part_of_a_place_in_it(tmp_path):
    made = []
    for name, yes in (("as it is", None), ("many told", 60)):
        project = small_country(tmp_path / name)
        if yes is not None:
            answers = pd.read_csv(project.root / "data" / "direct.csv")
            answers.loc[answers["area"].isin(["t00", "t02"]), "yes"] = yes
            answers.to_csv(project.root / "data" / "direct.csv", index=False)
        project.run()
        made.append(project.publish("partner")[0])
    first, second = (pd.read_parquet(folder / BASIS) for folder in made)
    inside = first["area_id"].isin(["t00", "t01", "t02"]) & (first["model"] != "")
    key = ["area_id", "model", "part"]
    same = first[inside].merge(second, on=key, suffixes=("", "_then"))
    assert len(same) == inside.sum() > 0
    # Parts are taken from the mean over all areas, which the others' answers move; not apart.
    moved = (same["effect"] - same["effect_then"]).groupby([same["model"], same["part"]])
    assert (moved.max() - moved.min() <= 1).all()  # rounding


def test_the_audit_is_kept_beside_the_run_and_is_internal(run, tiers):
    for name in tiers:
        folder = run.folder.parent / f"{run.folder.name}-{name}-audit"
        facts = json.loads((folder / "audit.json").read_text())
        assert all(check["holds"] is not False for check in facts["checks"])
        assert {"attack", "columns", "contents"} <= {check["name"] for check in facts["checks"]}
        assert "Signed" in (folder / "audit.md").read_text()
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())


def test_the_command_says_where(run, tmp_path):
    words = ["publish", "--run", str(run.folder), "--tier", "public", "--out", str(tmp_path)]
    made = CliRunner().invoke(app, [*words, "--json"])
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["folders"] == [str(tmp_path / f"{run.folder.name}-public")]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda t: t.assign(surveyed=True), "columns: not declared: surveyed"),
        (
            lambda t: t.assign(notice="unit 0102816010"),
            "contents: estimates.csv holds '0102816010'",
        ),
    ],
)
def test_a_failing_check_refuses_and_writes_nothing(run, tmp_path, monkeypatch, spoil, said):
    tables_of, drawn = releasing.tier_tables, releasing.safe_draws

    def spoilt(*given):
        tables = tables_of(*given)
        return replace(tables, estimates=spoil(tables.estimates))

    monkeypatch.setattr(releasing, "tier_tables", spoilt)
    secret = frozenset({"0102816010"})
    monkeypatch.setattr(releasing, "safe_draws", lambda *a: replace(drawn(*a), units=secret))
    audits = sorted(run.folder.parent.iterdir())
    with pytest.raises(InputError, match=re.escape(said)):
        releasing.publish_tiers(run, ["partner"], out=tmp_path / "there")
    assert not list(tmp_path.rglob("*.*"))
    assert sorted(run.folder.parent.iterdir()) == audits


def test_an_attack_that_gains_refuses(run, tmp_path, monkeypatch):
    drawn = releasing.safe_draws

    def leaking(*given):
        safe = drawn(*given)
        worse = {"pooled": 0.9, "safe": 0.7, "unasked": 0.6, "gain": 0.1, "se": 0.02}
        worse |= {"low": 0.06, "high": 0.14}
        return replace(safe, attack=safe.attack.assign(**worse))

    monkeypatch.setattr(releasing, "safe_draws", leaking)
    with pytest.raises(InputError, match="attack: largest difference"):
        releasing.publish_tiers(run, ["public"], out=tmp_path)


def run_and_publish(project: sa.Project) -> list[Path]:
    project.run()
    return project.publish("public", "partner")


def test_a_withheld_area_cannot_be_had_from_the_other_tier(tmp_path):
    project = small_country(tmp_path / "project")
    towns = pd.read_csv(project.root / "data" / "towns.csv")
    towns.loc[1, "people"] = 300
    towns.to_csv(project.root / "data" / "towns.csv", index=False)
    public, partner = run_and_publish(sa.Project(project.root))
    areas = pd.read_csv(partner / "estimates.csv")
    assert areas[areas["name"] == "Town 1"][["mean", "q50", "p_top"]].isna().all(axis=None)
    sums = [public / "estimates.csv", public / "levels.csv", partner / "levels.csv"]
    for table in map(pd.read_csv, sums):
        assert table[["mean", "sd"]].isna().all(axis=None)
        assert table["q50"].notna().all()
    classes = pd.read_csv(public / "classes.csv").set_index("name")
    assert classes.loc["Town 1", "left_rate_class"] == UNTOLD


def test_changed_models_and_unknown_tiers_are_refused(run):
    with pytest.raises(InputError, match="no tier 'internal'"):
        releasing.publish_tiers(run, ["internal"])
    path = run.folder.parents[1] / "models" / "poisson_ridge.py"
    text = path.read_text()
    path.write_text(text + "\n")
    try:
        with pytest.raises(InputError, match=r"models/poisson_ridge.py changed"):
            releasing.publish_tiers(run, ["public"])
    finally:
        path.write_text(text)


#: Files of a tier that name no place.
NAMELESS = (
    "basis.parquet",
    "levels.csv",
    "manifest.json",
    "README.md",
    "estimates.csv-metadata.json",
)


def test_the_search_opens_every_kind_of_file(tmp_path, tiers):
    for path in tiers["partner"].iterdir():
        if path.name not in NAMELESS:
            assert "Town 3" in spill.contents(path), path.name
    (tmp_path / "a.csv").write_text("psu,x\n1,2\n")
    (tmp_path / "b.json").write_text('{"a": "0102816010"}')
    said = ["a.csv holds 'psu'", "b.json holds '0102816010'"]
    assert spill.spilled(tmp_path, ["0102816010", "1"]) == said


def test_a_parquet_file_is_searched_in_cells_and_notes_and_shapes_are_no_words(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    shapes = pa.array([b"\x01 psu \x02", b"respondent_id"], pa.binary())
    table = pa.table({"name": ["A", "B"], "geometry": shapes})
    pq.write_table(table, tmp_path / "places.parquet")
    assert spill.spilled(tmp_path, ["0102816010"]) == []
    noted = table.replace_schema_metadata({"made": "of 0102816010"})
    pq.write_table(noted, tmp_path / "places.parquet")
    assert spill.spilled(tmp_path, ["0102816010"]) == ["places.parquet holds '0102816010'"]
    pq.write_table(table.append_column("psu", [[1, 2]]), tmp_path / "places.parquet")
    assert spill.spilled(tmp_path, []) == ["places.parquet holds 'psu'"]
    pq.write_table(
        table.set_column(0, "name", [["A", "x respondents y"]]), tmp_path / "places.parquet"
    )
    assert spill.spilled(tmp_path, []) == ["places.parquet holds 'respondents'"]
