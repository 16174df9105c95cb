"""Surveys that once gave an answer that cannot be true, each with its right value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from smallarea.errors import InputError
from smallarea.nsum import killworth
from smallarea.nsum.bayesian.fit import fit_nsum
from smallarea.nsum.bayesian.weighting import likelihood_weights
from smallarea.nsum.shell import nsum_survey
from smallarea.nsum.shell_models import _networks, bayesian
from smallarea.survey import Columns, read_ard


@pytest.fixture
def sized(nsum_cases: Path):
    """Size the groups of a case by a closed form: (its mean by group, its warnings)."""

    def run(case: str, model: str = "killworth", **how: Any) -> tuple[dict[str, float], str]:
        folder = nsum_cases / case
        survey = next(folder.glob("survey.*"))
        groups = folder / how.pop("groups", "groups.csv")
        if "columns" in how:
            how["columns"] = folder / how["columns"]
        found = nsum_survey(survey, groups, model, **how)
        return {g["group"]: g["mean"] for g in found["groups"]}, "\n".join(found["warnings"])

    return run


@pytest.mark.parametrize("model", ["killworth", "pimle"])
def test_more_people_than_a_group_has_are_refused_with_row_and_column(sized, model) -> None:
    with pytest.raises(InputError, match=r"survey.csv, column 'Reach': 1,000.*row 4.*43,700,000"):
        sized("answer-above-population", model)
    with pytest.raises(InputError, match=r"column 'auto': 100,000,000 in row 5.*3,400,012"):
        sized("eu-pollfish-es", model)


def test_a_declared_rule_removes_and_lists(sized) -> None:
    mean, said = sized("answer-above-population", reading={"remove": {"mad": 10, "degree": 1 / 3}})
    assert mean["Cases"] == pytest.approx(43_700_000 * 3 / 330)
    assert "row 4 Reach 1,000,000,000,000,000,000" in said
    assert "row 5 Cases 2,511, row 6 Cases 650" in said


def test_one_answer_that_carries_a_total_is_said_with_and_without(sized) -> None:
    mean, said = sized("one-answer-is-everything")
    assert mean["Cases"] == 1_170_000
    assert "beyond the population of 1,170,000" in said
    assert "column 'Cases': row 6: 300,000, of 200,000 people the respondent knows" in said
    assert "1,753,956 with the implausible answers, 29,008 without them" in said
    assert "one respondent (row 6) gives 100.0% of all reports" in said


def test_a_degree_asked_directly_needs_no_known_group(sized, nsum_cases: Path) -> None:
    assert sized("direct-degree", degree_column="reach")[0]["h"] == pytest.approx(1e6 / 170)
    assert sized("direct-degree", groups="groups_trick.csv")[0]["h"] == pytest.approx(1e6 / 170)
    with pytest.raises(InputError, match="--degree-column"):
        sized("direct-degree")
    folder = nsum_cases / "direct-degree"
    ard = read_ard(folder / "survey.csv", folder / "groups.csv", Columns(degree="reach"))
    ((_, how, part),) = _networks(ard, "summation")
    fit = fit_nsum(part, "barrier", degree=how, sampler="gibbs", draws=50, tune=50, chains=1)
    np.testing.assert_allclose(np.exp(fit.answers.log_degree), [50, 100, 20])


def test_two_columns_of_one_name_are_refused(sized) -> None:
    with pytest.raises(InputError, match="several columns of one name: teachers"):
        sized("duplicate-column-names")


@pytest.mark.parametrize("groups", ["groups.csv", "groups_comma_space.csv", "groups_blank_row.csv"])
def test_spaces_and_empty_rows_of_the_groups_do_not_matter(sized, groups) -> None:
    mean, _ = sized("group-name-trailing-space", groups=groups)
    assert mean["fsw"] == pytest.approx(12_000 / 9)


def test_a_stratum_with_one_psu_is_joined_in_every_path(nsum_cases: Path) -> None:
    folder = nsum_cases / "lonely-psu-bayes"
    files = folder / "survey.csv", folder / "groups.csv"
    deff = {}
    for name, columns in {
        "none": Columns(psu="psu"),
        "collapse": Columns(psu="psu", stratum="st"),
        "certainty": Columns(psu="psu", stratum="st", lonely="certainty"),
    }.items():
        ard = read_ard(*files, columns)
        deff[name] = likelihood_weights(ard, None, True).deff["h"]
        assert ("single PSU (B)" in "".join(ard.notes)) == (name != "none")
    assert deff["collapse"] == pytest.approx(89.2, abs=0.1)
    assert deff["collapse"] == pytest.approx(deff["none"])
    assert deff["certainty"] < deff["none"] / 4
    with pytest.raises(InputError, match="--lonely collapse"):
        read_ard(*files, Columns(psu="psu", stratum="st", lonely="fail"))


def test_pimle_says_whom_it_left_out(sized) -> None:
    mean, said = sized("pimle-drops-silently", "pimle")
    assert mean["h"] == pytest.approx(5_000)
    assert "h: 1 respondents who answered are left out (rows 3), with 4 reports" in said


def test_a_group_may_take_the_name_of_a_column_that_exists(sized, tmp_path: Path) -> None:
    mean, said = sized("rename-onto-existing-column", columns="columns.yaml")
    assert mean["fsw"] == pytest.approx(12_000 / 9)
    assert "not used: column fsw" in said
    (tmp_path / "twice.yaml").write_text("groups: {teachers: q9, fsw: q9}\n")
    with pytest.raises(InputError, match=r"column 'q9': teachers, fsw are read from one column"):
        sized("rename-onto-existing-column", columns=tmp_path / "twice.yaml")


@pytest.mark.parametrize("model", ["killworth", "degree"])
def test_sizes_that_are_shares_are_refused(sized, model) -> None:
    with pytest.raises(InputError, match=r"looks like a share.*numbers of people"):
        sized("sizes-as-shares-crash", model)


def test_missing_values_of_stata_are_missing(sized) -> None:
    assert sized("stata-extended-missing")[0]["h"] == pytest.approx(2_500)


def test_a_code_that_the_file_labels_is_no_count(sized) -> None:
    mean, said = sized("stata-label-dont-know")
    assert mean["h"] == pytest.approx(2_500)
    assert "99 'Do not know' in h (2)" in said


def test_a_top_code_that_spares_hidden_groups_says_so(sized) -> None:
    mean, said = sized("top-code-spares-hidden", columns="columns.yaml")
    assert mean["PSOE"] == 37_784_388
    assert "1 answers about hidden groups are above it (PSOE)" in said
    everywhere = {"top_code": {"known": 500, "hidden": 500}}
    capped, said = sized("top-code-spares-hidden", reading=everywhere)
    scale = (3_400_012 + 2_561_067) / (2 + 10 + 20 + 500 + 4 + 2 + 100 + 500)
    assert capped["PSOE"] == pytest.approx((10 + 18 + 1 + 2 + 500) * scale)
    assert "3 answers in 3 groups were above the top code" in said


@pytest.mark.parametrize(
    ("columns", "bound"),
    [(Columns(), 530.7), (Columns(psu="psu", stratum="stratum"), 844.2)],
)
def test_the_bound_of_a_silent_group_is_one(nsum_cases: Path, columns, bound) -> None:
    folder = nsum_cases / "unseen-bound-bayes"
    ard = read_ard(folder / "survey.csv", folder / "groups.csv", columns)
    closed = killworth(ard).summary().loc["msm", "q975"]
    assert closed == pytest.approx(bound, abs=0.1)
    named = {"psu": columns.psu, "strata": columns.stratum}
    for model in ("pimle", "power"):
        found = nsum_survey(folder / "survey.csv", folder / "groups.csv", model, **named)
        assert found["groups"][1]["q975"] == pytest.approx(closed)
    table, _, warnings = bayesian(ard, "degree", None, {}, None, 0, allow_unconverged=True)
    assert table.loc["msm", "q975"] == pytest.approx(closed)
    assert any("nobody reported anyone in msm" in said for said in warnings)
