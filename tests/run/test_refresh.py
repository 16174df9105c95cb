"""`smallarea refresh`: models see today's streams through what they learned at the fit."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hostile import serving
from sklearn.impute import SimpleImputer
from typer.testing import CliRunner

import smallarea as sa
from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.models.kept import load_fits
from smallarea.refreshing import refresh

BOOKS = "data/books.csv"


def change(project, factor=3.0):
    """Change the books of the towns, all of them."""
    path = project.root / BOOKS
    table = pd.read_csv(path)
    table["books"] = (table["books"] * factor).round(2)
    table.to_csv(path, index=False)


def stage(run, name):
    return run.folder.parents[1] / run.manifest["stages"][name]["folder"]


def fits(run, name="models"):
    return load_fits(stage(run, name) / "fits.pkl.z")


def rates(run):
    return xr.load_dataarray(stage(run, "models") / "rates.nc", engine="h5netcdf")


def test_nothing_changed_is_the_same_run(copied):
    project = copied()
    before = project.latest()
    made = refresh(project)
    assert not made.changed
    assert made.run.folder == before.folder
    assert (made.look, made.refit, made.report) == ([], [], None)


def test_the_features_of_the_fit_give_the_draws_of_the_fit(finished):
    fitted = fits(finished)
    table = pd.read_parquet(stage(finished, "frame") / "table.parquet")
    table = table.set_index("area_id") if "area_id" in table else table
    from smallarea.run.stages import seed_of

    seed = seed_of(finished.manifest["seed"], "models")
    again = fitted.draws(fitted.features, table, 200, seed)
    xr.testing.assert_equal(again, rates(finished))


def test_scalers_and_medians_are_those_of_the_fit(copied):
    """A stream three times as large: the refitted pipeline would not see it, the kept one does."""
    project = copied()
    before = project.latest()
    old = fits(before)
    change(project)
    made = refresh(project)
    assert made.changed
    kept = fits(made.run, "fit")
    pd.testing.assert_frame_equal(kept.features, old.features)
    (ridge,) = [fit for name, (_, fit) in kept.members.items() if name == "poisson_ridge"]
    now = pd.read_parquet(made.run.folder / "features.parquet")
    assert (now["books"] > 2 * old.features["books"]).all()
    imputer, ranks, scaler = (ridge.scores_[i] for i in (1, 2, 4))
    median = old.features["books"].median()
    assert imputer.statistics_ == [median]
    assert ranks.quantiles_.max() == old.features["books"].max()
    before_fit = _scores(fits(before))
    assert (scaler.mean_, scaler.scale_) == (before_fit.mean_, before_fit.scale_)
    unknown, filled = (pd.DataFrame({"books": [x]}) for x in (np.nan, median))
    assert ridge.scores_.transform(unknown) == ridge.scores_.transform(filled)
    learned = [step for member in ridge.members_ for step in _steps(member)]
    inner = [step.statistics_[0] for step in learned if isinstance(step, SimpleImputer)]
    surveyed_books = old.features.loc[kept.surveyed, "books"]
    assert inner
    assert all(surveyed_books.min() <= x <= surveyed_books.max() for x in inner)
    assert max(inner) < now["books"].median()
    seen = kept.seen(now)
    surveyed = kept.surveyed
    pd.testing.assert_frame_equal(seen.loc[surveyed], old.features.loc[surveyed])
    others = now.index.difference(surveyed)
    pd.testing.assert_frame_equal(seen.loc[others], now.loc[others, seen.columns])
    refitted = refresh(project, refit=True)
    assert "fit" not in refitted.run.manifest["stages"]
    assert not np.allclose(rates(refitted.run), rates(made.run))


def _scores(kept):
    return next(
        fit.scores_[4] for name, (_, fit) in kept.members.items() if name != "national_rate"
    )


def _steps(model):
    """Yield all steps of pipelines within an estimator."""
    for inner in vars(model).values():
        for step in inner if isinstance(inner, list | tuple) else [inner]:
            own = step[1] if isinstance(step, tuple) else step
            if hasattr(own, "get_params"):
                yield own
                yield from _steps(own)


def test_what_moved_is_reported_and_a_refit_advised(copied):
    project = copied()
    before = project.latest()
    change(project, 10)
    ended = CliRunner().invoke(app, ["refresh", "--json", "--project", str(project.root)])
    assert ended.exit_code == 5, ended.output
    facts = json.loads(ended.stdout)
    assert facts["changed"]
    assert any("books has shifted since the fit" in said for said in facts["refit"])
    folder = project.root / "runs" / f"{project.latest().folder.name}-drift"
    assert str(folder) == facts["report"]
    drift = json.loads((folder / "drift.json").read_text())
    assert drift["earlier"] == before.folder.name
    (books,) = [f for f in drift["features"] if f["feature"] == "books"]
    assert books["state"] == "changed"
    assert books["psi"] > 0.25
    assert books["ks"] > 0.5
    text = (folder / "drift.html").read_text()
    assert "not fitted again" in text
    assert text.count("data:image/png") == 1
    assert folder.stat().st_mode & 0o077 == 0
    warnings = project.latest().manifest["warnings"]
    assert any("were not fitted again" in said for said in warnings)
    project.latest().require_intact()
    project.clean(keep=1)  # the fit stays
    change(project, 0.5)
    assert refresh(project).changed


@pytest.mark.parametrize("what", ["survey", "model", "stage"])
def test_a_fit_of_something_else_is_refused(copied, what):
    project = copied()
    change(project)
    if what == "survey":
        path = project.root / "data" / "direct.csv"
        path.write_text(path.read_text().replace(",9,", ",8,"))
    elif what == "model":
        path = project.root / "models" / "poisson_ridge.py"
        path.write_text(path.read_text() + "\n# another\n")
    else:
        path = stage(project.latest(), "models") / "fits.pkl.z"
        path.chmod(0o600)
        path.write_bytes(b"other")
    with pytest.raises(InputError, match=r"fitted models cannot be used.*refresh --refit"):
        refresh(project)
    assert refresh(project, refit=True).changed


def test_a_feature_that_is_gone_is_said(copied):
    project = copied()
    path = project.root / "features" / "books.py"
    path.write_text(
        path.read_text()
        .replace('[["books"]]', '[["books"]].rename(columns={"books": "read"})')
        .replace('unit={"books"', 'unit={"read"')
    )
    with pytest.raises(InputError, match=r"fitted on features books.*--refit"):
        refresh(project)


def test_fetched_and_refreshed_in_one_go(copied):
    project = copied()
    with serving() as server:
        server.files["books.csv"] = (project.root / BOOKS).read_bytes()
        (project.root / BOOKS).unlink()
        path = project.root / "data_catalog.yaml"
        url = f"    kind: table\n    url: {server.url('/whole/books.csv')}\n"
        path.write_text(path.read_text().replace("    kind: table\n", url))
        project = sa.Project(project.root)
        made = refresh(project)
        assert [one.state for one in made.fetched] == ["new"]
        again = refresh(project)
        assert again.fetched == []
        assert not again.changed
        server.files["books.csv"] = b"code,books\nt00,none\n"
        third = CliRunner().invoke(app, ["refresh", "--all", "--project", str(project.root)])
        assert third.exit_code == 4
        assert "warning source books" in third.output
        assert sa.Project(project.root).latest().folder == again.run.folder


def test_the_first_refresh_makes_the_first_run(finished, tmp_path):
    root = tmp_path / "new"
    shutil.copytree(
        finished.folder.parents[1], root, symlinks=True,
        ignore=shutil.ignore_patterns("runs", ".smallarea"),
    )  # fmt: skip
    made = refresh(sa.Project(root))
    assert made.changed
    assert made.drift is None
