"""Surveys shared by the tests of the scale-up room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from smallarea.survey import ARD, make_ard

RWANDA_POPULATION = 10_718_378


@pytest.fixture(scope="session")
def rwanda_tables(golden: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Answers and groups of the example survey of the R package networkreporting."""
    survey = pd.read_csv(golden / "nsum" / "rwanda_example_survey.csv")
    known = pd.read_csv(golden / "nsum" / "rwanda_example_knownpop.csv")
    groups = pd.concat(
        [
            known.rename(columns={"known.popn": "group"}).assign(kind="known"),
            pd.DataFrame({"group": ["sex.workers", "msm", "idu", "clients"], "kind": "hidden"}),
        ]
    ).assign(population=RWANDA_POPULATION)
    return survey, groups


@pytest.fixture(scope="session")
def rwanda(rwanda_tables: tuple[pd.DataFrame, pd.DataFrame]) -> ARD:
    """That survey with its clusters, regions and weights, known groups top-coded at 30."""
    return make_ard(
        *rwanda_tables,
        respondent="id",
        weight="indweight",
        psu="cluster",
        stratum="region",
        top_code=30,
    )


@pytest.fixture(scope="session")
def rwanda_zero_filled(rwanda_tables: tuple[pd.DataFrame, pd.DataFrame]) -> ARD:
    """The same with its one missing answer set to 0, as networkreporting 0.3.1 computes."""
    survey, groups = rwanda_tables
    return make_ard(
        survey.fillna({"muslim": 0}),
        groups,
        respondent="id",
        weight="indweight",
        psu="cluster",
        stratum="region",
        top_code=30,
    )


CURITIBA_POPULATION = 1_817_434


@pytest.fixture(scope="session")
def curitiba(golden: Path) -> Callable[[str], ARD]:
    """Surveys simulated by the R package NSUM 1.0: degree, barrier or transmission."""
    groups = pd.read_csv(golden / "nsum" / "curitiba_groups.csv")
    hidden = groups["role"] != "known"
    groups = pd.DataFrame(
        {
            "group": groups["group"],
            "kind": hidden.map({True: "hidden", False: "known"}),
            "size": groups["size"].mask(hidden),
            "population": CURITIBA_POPULATION,
        }
    )

    def load(case: str) -> ARD:
        return make_ard(pd.read_csv(golden / "nsum" / f"curitiba_sim_{case}.csv"), groups)

    return load
