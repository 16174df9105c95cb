"""A run may count an earlier wave's answers, where its catalog says what share of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from small import small_country

import smallarea as sa
from smallarea.errors import InputError

KNOWN = {"twins": 900, "pilots": 400, "bakers": 1500}


def write_survey(folder: Path, areas: list[int], seed: int) -> None:
    """Twenty respondents in each of some towns; the share left-handed rises with the town."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    area = np.repeat(areas, 20)
    degree = rng.lognormal(5, 0.4, len(area))
    people = 30_000
    table = pd.DataFrame(
        {
            "respondent_id": [f"r{seed}-{i}" for i in range(len(area))],
            "area_id": [f"t{a:02d}" for a in area],
            "psu": [f"p{a}" for a in area],
            "stratum": "all",
            "weight": 1.0,
        }
    )
    for name, size in KNOWN.items():
        table[name] = rng.poisson(degree * size / people)
    table["left"] = rng.poisson(degree * 0.02 * (1 + area / 6))
    table.to_csv(folder / "respondents.csv", index=False)
    groups = [[n, "known", s, people, "adult"] for n, s in KNOWN.items()]
    groups.append(["left", "hidden", None, people, "adult"])
    columns = ["group", "kind", "size", "population", "network"]
    pd.DataFrame(groups, columns=columns).to_csv(folder / "groups.csv", index=False)


def project(root: Path, **earlier) -> sa.Project:
    """The small project with a survey, and an earlier wave in other towns."""
    made = small_country(root)
    catalog = yaml.safe_load((root / "data_catalog.yaml").read_text())
    del catalog["settings"]["direct"]
    catalog["indicators"]["populations"]["population"]["network"] = "adult"
    catalog["settings"] |= {"survey": "data/now"} | ({"earlier": earlier} if earlier else {})
    (root / "data_catalog.yaml").write_text(yaml.safe_dump(catalog))
    write_survey(root / "data" / "now", [0, 2, 4, 6, 8, 10], 1)
    write_survey(root / "data" / "then", [1, 2, 5, 6, 9, 10], 2)
    return sa.Project(made.root)


def facts(run: sa.Run) -> dict:
    return json.loads((run.folder / "summary.json").read_text())


@pytest.mark.slow
def test_an_earlier_wave_counts_only_where_it_is_declared(tmp_path):
    alone = project(tmp_path / "alone").run()
    both = project(tmp_path / "both", survey="data/then", share=0.5).run()
    one, two = (run.estimates("left") for run in (alone, both))
    assert not np.allclose(one["mean"], two["mean"])
    # The nation is the present wave's alone; who is surveyed is too.
    assert one["mean"].sum() == pytest.approx(two["mean"].sum(), rel=1e-9)
    assert (one["surveyed"] == two["surveyed"]).all()
    files = [entry["file"] for entry in both.manifest["inputs"]]
    assert "data/then/respondents.csv" in files
    assert "data/then/respondents.csv" not in [e["file"] for e in alone.manifest["inputs"]]
    said = [
        json.loads((run.folder / "summary.json").read_text())["warnings"] for run in (alone, both)
    ]
    assert not any("earlier wave" in one for one in said[0])
    assert any("50% of the interviews of an earlier wave (data/then)" in one for one in said[1])


@pytest.mark.parametrize(
    ("earlier", "message"),
    [
        ({"survey": "data/gone", "share": 0.5}, "settings.earlier.survey"),
        ({"survey": "data/then", "share": 1.5}, "earlier.share"),
        ({"survey": "data/then"}, "earlier.share"),
    ],
)
def test_an_earlier_wave_that_cannot_be_is_named(tmp_path, earlier, message):
    with pytest.raises(InputError) as error:
        project(tmp_path / "project", **earlier).run()
    assert message in f"{error.value} {error.value.where} {error.value.remedy}"
