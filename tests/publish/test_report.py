"""The report: says what it was given, in words, on one page that needs nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from study import COMPONENTS, INDICATORS

from smallarea.catalog import ReadReport
from smallarea.catalog.declare import Comparison
from smallarea.errors import InputError
from smallarea.indicators import Population
from smallarea.publish.draws import draws_dataset
from smallarea.publish.estimates import SYNTHETIC, estimate_areas, estimate_groups, flag_areas
from smallarea.publish.figures import top_figure
from smallarea.publish.interviews import interviews
from smallarea.publish.pages import cell, percent
from smallarea.publish.report import ReportInput, write_report
from smallarea.publish.words import INTERNAL, number


@pytest.fixture(scope="module")
def given(toy) -> ReportInput:
    models = ["national_rate", "fay_herriot"]
    unmatched = pd.DataFrame({"row": [7], "key": ["0999999999"], "reason": ["unknown code"]})
    return ReportInput(
        indicators=INDICATORS.model_copy(update={"title": "Toy & country"}),
        estimates=toy.public,
        national=estimate_groups(toy.counts, toy.table.assign(nation="all"), "nation", INDICATORS),
        groups={"region": estimate_groups(toy.counts, toy.table, "region", INDICATORS)},
        labels={"areas": "towns", "region": "Region"},
        draws=draws_dataset(toy.counts, toy.tau, toy.table, INDICATORS, synthetic=True),
        geometry=toy.geometry,
        tau_prior="Beta(9, 170), invented",
        evidence="Covariates did not help: they are noise.",
        scores=pd.DataFrame({"gain": [0.0, 3.21]}, index=models),
        weights=pd.Series({"fay_herriot": 1.0}),
        agreement=pd.DataFrame(
            {
                "projected": 900.0,
                "national": 1000.0,
                "z": -0.5,
                "shift": 0.1,
                "movement_median": 0.2,
                "movement_max": 0.4,
                "bounded_draws": 0.001,
                "bounded_values": 0.0,
                "above_one": 0.002,
            }
            | {
                f"{method}_{end}": 0.05
                for method in ("raking", "ratio", "difference")
                for end in ("median", "max")
            },
            index=pd.Index(COMPONENTS, name="component"),
        ),
        sources=pd.DataFrame({"title": ["Lights"], "publisher": ["N & A"], "sha256": ["ab" * 32]}),
        trace={"run": "20260101-x", "seed": 7},
        k=5,
        reads=[ReadReport("poverty", "poverty.csv", 10, 9, unmatched)],
        warnings=["victims: something is off"],
        score_words={"gain": "log score above the first model's"},
    )


@pytest.fixture(scope="module")
def page(given, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(given, path)
    return path.read_text(encoding="utf-8")


def test_page_needs_nothing_from_outside_and_runs_no_script(page):
    assert not re.search(
        r"<script|<link|@import|url\((?!#)|(?:src|href)=\"(?!data:|#|map\.html)", page
    )
    assert "default-src 'none'" in page


def test_page_says_what_it_was_given(page, given):
    text = unescape(re.sub(r"<[^>]+>", "", page))
    assert page.count(f'role="note">{SYNTHETIC}') == 1
    for words in (
        "Toy & country", "Beta(9, 170), invented", "they are noise", "N & A", "ab" * 32,
        "9 of 10 rows matched", "0999999999", "something is off", "20260101-x", INTERNAL,
        "1 of 24 areas: numbers withheld", "8 of 24 areas: it lies where the survey did not go",
    ):  # fmt: skip
        assert words in text
    row = given.national.set_index("indicator").loc["victims"]
    assert f"{number(row['q10'])} to {number(row['q90'])}" in text
    assert page.count("<svg") == 2  # the curves; there is no calibration
    assert "data:image/png;base64," in page


@pytest.mark.parametrize("size", [0.03, 1.0])
def test_the_legend_stands_beside_the_country_and_shapes_leave_no_gaps(toy, size):
    """Neighbours share a wavy border; a fixed tolerance would straighten it in a small country."""
    wave = [(0.15 * np.sin(9 * t), t) for t in np.linspace(0, 1, 60)]
    west = shapely.Polygon([(-1, 0), *wave, (-1, 1)])
    east = shapely.Polygon([(1, 0), *wave, (1, 1)])
    shapes = gpd.GeoSeries([west, east], index=toy.table.index[:2], crs=4326)
    shapes = shapes.affine_transform([size, 0, 0, size, 10, 50])
    figure = top_figure(pd.Series(0.5, shapes.index), shapes, 1, "")
    figure.draw_without_rendering()
    (axis,), (legend,) = figure.axes, figure.legends
    assert legend.get_title().get_text() == "chance of being the highest"
    box, words = axis.get_window_extent(), legend.get_window_extent()
    assert not box.overlaps(words)
    assert words.x1 <= figure.bbox.x1
    drawn = [shapely.Polygon(path.vertices) for path in axis.collections[0].get_paths()]
    lost = shapely.union_all(shapes.to_numpy()).difference(shapely.union_all(drawn))
    assert lost.area < 0.001 * shapes.union_all().area
    assert 2 * size < np.ptp(axis.get_xlim()) < 2.1 * size


def test_without_acquaintances_the_page_speaks_of_none(given, tmp_path):
    plan = pd.DataFrame(
        {"target": "areas", "step": [1, 2], "area_id": ["a", "b"], "name": ["A", "B"]}
    ).assign(province="P", nation_sd=0.9, areas_sd=0.8)
    direct = replace(
        given, asked=False, tau_prior=None, survey={"next_places": plan}, stated=list(COMPONENTS)
    )
    write_report(direct, tmp_path / "direct.html")
    text = (tmp_path / "direct.html").read_text()
    read = re.sub(r"<style.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL)
    assert "<h2>Where to ask next</h2>" in text
    assert "2 more places asked as those so far" in read
    assert "The national total was given from elsewhere." in read
    for words in ("interviews say", "reported", "same interviews", "anybody there told", "safe",
                  "hundreds of places", "atios"):  # fmt: skip
        assert words not in read.replace(INDICATORS.labels["ratio"], ""), words
    write_report(replace(direct, stated=["victims_live"]), tmp_path / "some.html")
    text = (tmp_path / "some.html").read_text()
    assert "Where no national total was given, both come from the same direct estimates" in text


def test_cells_around_points_are_said_to_be_cells(given, tmp_path):
    write_report(replace(given, drawn=24), tmp_path / "all.html")
    words = "are cells drawn around points, not the borders of places."
    assert f"<li>Shapes {words}</li>" in (tmp_path / "all.html").read_text()
    write_report(replace(given, drawn=3), tmp_path / "some.html")
    assert f"<li>3 of 24 shapes {words}</li>" in (tmp_path / "some.html").read_text()
    write_report(replace(given, k=1), tmp_path / "first.html")
    text = (tmp_path / "first.html").read_text()
    assert "cells drawn" not in text
    assert "Nobody can say which place has the most" in text


def test_regions_count_places_and_what_to_expect_of_them(page, toy):
    row = re.search(r"<tr><td>Region 0.*?</tr>", page, re.S)[0]
    cells = re.findall(r'<td class="n">(.*?)</td>', row)
    victims = toy.public[
        (toy.public["indicator"] == "victims") & (toy.public["region"] == "Region 0")
    ]
    assert cells[:2] == ["8", "5"]
    assert cells[-1] == f"{victims['p_top'].sum():.1f}"
    assert "left out of the survey" in re.search(r"<tr><td>Region 2.*?</tr>", page, re.S)[0]


def test_without_findings_nothing_is_said_of_the_interviews(page):
    assert "What the interviews say" not in page


def test_the_interviews_section_says_what_was_found(given, tmp_path):
    who = pd.DataFrame(
        {
            "variable": ["all", "sex", "sex"],
            "level": ["all", "women", "men"],
            "respondents": [900.0, 450.0, 450.0],
            "share": [0.05, 0.07, 0.03],
            "low": [0.04, 0.05, 0.02],
            "high": [0.065, 0.09, 0.045],
            "of_reporters": [1.0, 0.7, 0.3],
            "of_respondents": [1.0, 0.5, 0.5],
            "note": ["", "", "suppressed"],
        }
    )
    relative = pd.DataFrame(
        {
            "indicator": ["victims", "victims"],
            "variable": "sex",
            "level": ["women", "men"],
            "relative": [1.37, np.nan],
            "low": [1.1, np.nan],
            "high": [1.7, np.nan],
            "note": ["", "suppressed"],
        }
    )
    trimming = pd.DataFrame(
        {
            "network": "adult",
            "step": [0, 1],
            "removed": [None, "night_guards"],
            "removed_ratio": [np.nan, 2.6],
            "group": "traffickers_live",
            "relative": [1.0, 0.93],
        }
    )
    casework = pd.DataFrame(
        [("tau prior", name, 0.05) for name in ("q025", "q50", "q975")]
        + [("areas with casework", "used", 2.0), ("areas with casework", "left out", 1.0)],
        columns=["quantity", "statistic", "value"],
    )
    known = pd.DataFrame(
        {
            "network": "adult",
            "group": ["guards", "nurses", "twins", "drivers"],
            "estimate": [90.0, 250.0, 310.0, 700.0],
            "ratio": [0.9, 1.25, 1.03, 0.7],
        }
    )
    recall = pd.DataFrame({"network": ["adult"], "slope": [0.7], "slope_se": [0.14]})
    empty = dict.fromkeys(("median", "median_low", "median_high", "q25", "q75"), np.nan)
    mean = {"mean": 1234.0, "mean_low": 1100.0, "mean_high": 1400.0}
    few = {"column": "age", "respondents": np.nan, **empty} | dict.fromkeys(mean, np.nan)
    numbers = pd.DataFrame(
        [
            {"column": "profit_a_month", "respondents": 35, **mean, **empty}
            | {"note": "partly suppressed"},
            few | {"note": "suppressed"},
        ]
    )
    tables = {
        "who_reported": who,
        "numbers": numbers,
        "relative_reporting": relative,
        "trimming": trimming,
        "casework": casework,
        "known_groups": known,
        "recall": recall,
    }
    write_report(
        replace(given, survey=tables, survey_notes=["no column income"]), tmp_path / "r.html"
    )
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", unescape((tmp_path / "r.html").read_text())))
    assert "Of about 900 people" in text
    assert "1.4 (1.1 to 1.7)" in text
    assert "sex: men withheld: too few withheld" in text
    assert "profit a month about 351,234 (1,100 to 1,400)–– to –" in text
    assert "age withheld: too few" in text
    assert "A dash: withheld" in text
    assert "remove night guards (2.6 times the true size)" in text
    assert "live-streaming to 0.93 times as many" in text
    assert "Note: no column income." in text
    assert "Where to interview next" not in text
    assert "no clear sign that small groups" in text
    assert "0.7 (0.098 to 1.3)" in text  # with four groups two standard errors are not enough
    assert "as well as" not in text
    assert "at least nineteen" not in text
    assert "withheld here: so few places" in text


METHODS = (
    "untrimmed", "leave_one_out_low", "leave_one_out_high", "trimmed", "mean_of_ratios", "pimle",
    "summation", "recall_adjusted",
)  # fmt: skip


@pytest.mark.parametrize("prior", ["Beta(9, 170), invented", None])
def test_a_reporting_rate_is_spoken_of_only_where_there_is_one(given, tmp_path, prior):
    methods = pd.DataFrame({"group": ["traffickers_live"], **dict.fromkeys(METHODS, 90.0)})
    write_report(
        replace(given, survey={"side_by_side": methods}, tau_prior=prior), tmp_path / "r.html"
    )
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert ("People reported, before the reporting rate, for" in text) == (prior is not None)
    assert ("People reported for the whole country" in text) == (prior is None)


def test_people_of_a_network_are_called_as_the_project_calls_them():
    known = pd.DataFrame(
        {"network": "adult", "group": list("abcd"), "estimate": 90.0, "ratio": [0.9, 1.2, 1.0, 0.7]}
    )
    recall = pd.DataFrame({"network": ["adult"], "slope": [0.7], "slope_se": [0.14]})
    tables = {"known_groups": known, "recall": recall}
    assert interviews(tables, INDICATORS)["known"][0]["people"] == "adults"
    people = Population(label="inhabitants")
    named = INDICATORS.model_copy(update={"populations": {"inhabitants": people}})
    assert interviews(tables, named)["known"][0]["people"] == "inhabitants"


def test_what_is_said_of_invented_answers_is_true_of_examples_too(page):
    assert "nobody gave them" in page
    for words in ("digital twin", "real map", "invented by a computer"):
        assert words not in page


def test_a_real_survey_carries_no_banner(given, toy, tmp_path):
    flags = flag_areas(toy.table, synthetic=False)
    real = estimate_areas(toy.counts, toy.table, flags, toy.surveyed, INDICATORS, k=5)
    write_report(replace(given, estimates=real), tmp_path / "report.html")
    assert SYNTHETIC not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_undeclared_columns_stay_off_the_page(given, tmp_path):
    spoilt = replace(given, estimates=given.estimates.assign(reports=3))
    with pytest.raises(InputError, match="columns reports"):
        write_report(spoilt, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_numbers_are_no_more_precise_than_they_are():
    assert [number(x) for x in (471_416, 2.034, 0.0123, 0.0, np.nan)] == [
        "470,000",
        "2",
        "0.012",
        "0",
        "–",
    ]
    assert [percent(x) for x in (0.0, 0.001, 0.5, np.nan)] == [
        "0\u00a0%",
        "under 1\u00a0%",
        "50\u00a0%",
        "–",
    ]
    assert [cell(x) for x in (1234.5, 0.12345, None, "a")] == ["1,234", "0.123", "–", "a"]


def test_figures_published_elsewhere_stand_in_one_table(given, tmp_path):
    block = {
        "figure": "2 million <b>",
        "counts": "children disrupted",
        "period": 2021,
        "source": "a",
    }
    others = (
        Comparison.model_validate(block | {"comparable": "it counts other things"}),
        Comparison.model_validate(block | {"figure": "1 in 10", "comparable": True}),
    )
    write_report(replace(given, comparisons=others), tmp_path / "with.html")
    write_report(given, tmp_path / "without.html")
    page = (tmp_path / "with.html").read_text()
    assert "2 million &lt;b&gt;</td><td>children disrupted</td><td>2021</td>" in page
    assert "<td>no: it counts other things</td>" in page
    assert page.count("<td>yes</td>") == 1
    assert "Beside other figures" not in (tmp_path / "without.html").read_text()
    with pytest.raises(ValueError, match="say why it is not"):
        Comparison.model_validate(block | {"comparable": False})


def test_the_page_says_how_ranges_held_and_what_would_move_totals(given, tmp_path):
    row = {f"bin_{i}{end}": 0.1 for i in range(10) for end in ("", "_low", "_high")}
    for share in (50, 80, 95):
        row |= {f"cover_{share}{end}": 0.61 for end in ("", "_low", "_high")}
    held = pd.DataFrame([row | {"zeros": 0.78, "groups": 60}] * 2)
    held.index = pd.Index(["victims_live", "all"], name="component")
    aside = [("source Nightlights & more: lights has a value in 41.7% of the areas", {})]
    write_report(replace(given, calibration=held, aside=aside), tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text()
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", page)))
    assert "each of 60 units (province)" in text
    assert "61 % (61 % to 61 %) where 80 % are promised" in text
    assert "80 % and 95 % intervals held less than they promise" in text
    assert "78 % of these numbers are 0" in text
    assert "8 of 24 places, among them all of Region 2, are in the totals" in text
    assert "Nightlights & more: lights has a value in 41.7% of the areas." in text
    assert "smallarea compare --without stream" in text


def test_without_them_the_page_says_so(given, page):
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", page)))
    assert "Calibration" not in text  # models kept by an earlier version
    assert "None: this run read the newest file at hand of every source." in text
