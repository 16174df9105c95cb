"""The twin survey: the study's design, and answers that follow the stated model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from study import CATALOG, COMPONENTS, INDICATORS, REFERENCE, twin_settings

from smallarea.errors import InputError
from smallarea.simulate import grow_truth, simulate_survey
from smallarea.simulate.design import draw_interviews
from smallarea.simulate.people import relative_reporting, respondents
from smallarea.survey import make_ard

CHILD_AGES = tuple(CATALOG.twin["ages"])
KNOWN = (*CATALOG.twin["known"], *CHILD_AGES)
OCCUPATIONS = tuple(name for name in CATALOG.twin["known"] if name != "students")


class TestDesign:
    def test_the_study_s_sample(self, frame, survey):
        people = survey.respondents
        main, extra = people[people["replicate"] == 0], people[people["replicate"] == 1]
        assert len(people) == 3_700
        assert main["area_id"].nunique() == 150
        assert len(main[["area_id", "psu"]].drop_duplicates()) == 150
        assert (main.groupby("area_id").size() == 24).all()
        assert (extra.groupby("area_id").size() == 25).tolist() == [True] * 4
        assert frame.table.loc[extra["area_id"], "region"].str.contains("NCR").all()
        assert set(extra["area_id"]) <= set(main["area_id"])
        assert not set(extra["psu"]) & set(main["psu"])
        assert frame.table.loc[people["area_id"], "covered"].all()
        assert (frame.psus.loc[people["psu"], "area_id"].array == people["area_id"].array).all()
        assert main.groupby("stratum")["area_id"].nunique().min() >= 2
        assert (people["sex"].value_counts(normalize=True) - 0.5).abs().max() < 0.001
        assert people["age"].between(18, 65).all()

    def test_horvitz_thompson_totals_are_unbiased(self, frame):
        """With PPS by adults, the estimated urban population is right on average."""
        settings = twin_settings()
        covered = frame.psus["area_id"].map(frame.table["covered"]).astype(bool)
        urban = frame.psus["population"][covered & frame.psus["urban"]].sum()
        estimates = []
        for seed in range(60):
            drawn = draw_interviews(frame, "adults", settings, np.random.default_rng(seed))
            persons = drawn["households"] * settings.household_size
            estimates.append((persons * drawn["urban"]).sum())
        error = np.mean(estimates) - urban
        assert abs(error) < 4 * np.std(estimates) / np.sqrt(len(estimates))
        assert np.std(estimates) < 0.1 * urban

    def test_weights_sum_to_the_adults_of_the_frame(self, frame, survey):
        adults = frame.table.loc[frame.table["covered"], "adults"].sum()
        total = survey.respondents["weight"].sum()  # respondents stop at 65
        assert 0.88 < total / adults < 1.0

    @pytest.mark.parametrize(
        "knobs", [{"areas": 20}, {"areas": 2_000}, {"replicate_in": "0000000000"}]
    )
    def test_an_impossible_design_is_refused(self, frame, truth, knobs):
        with pytest.raises(InputError):
            simulate_survey(frame, INDICATORS, truth, twin_settings(**knobs))


class TestAnswers:
    def test_columns_and_types(self, survey):
        columns = ["area_id", "psu", "stratum", "weight", "urban", "replicate", "age", "sex"]
        columns += ["marital", "internet", *KNOWN, *COMPONENTS]
        assert list(survey.respondents.columns) == columns
        assert survey.respondents.index.str.startswith("SYNTHETIC").all()
        missing = survey.respondents[[*KNOWN, *COMPONENTS]].isna().to_numpy().mean()
        assert missing == pytest.approx(0.005, abs=0.002)

    def test_the_survey_room_takes_them(self, survey):
        ard = make_ard(
            survey.respondents.reset_index(),
            survey.groups.reset_index(),
            respondent="respondent_id",
            weight="weight",
            stratum="stratum",
            psu="psu",
            area="area_id",
        )
        assert len(ard) == 3_700
        assert ard.hidden("child") == ["victims_live", "victims_nonlive"]

    def test_hidden_groups_are_reported_by_about_two_in_a_hundred(self, frame):
        settings = twin_settings(seed=2, tau_cv=0)
        survey = simulate_survey(
            frame, INDICATORS, grow_truth(frame, INDICATORS, settings), settings
        )
        zeros = (survey.respondents[list(COMPONENTS)] == 0).mean()
        assert zeros.between(0.97, 0.99).all()
        reporters = survey.respondents[list(COMPONENTS)].sum(axis=1) > 0
        assert survey.respondents.loc[reporters, "urban"].mean() > 0.65
        older = survey.respondents["age"] >= 60
        assert reporters[older].mean() < 0.6 * reporters[~older].mean()

    def test_the_child_age_answers_sum_to_the_child_degree(self, survey):
        answers = survey.respondents[list(CHILD_AGES)]
        complete = answers.notna().all(axis=1)
        sums = answers[complete].sum(axis=1)
        assert (sums == survey.hidden["child_degree"][complete]).all()
        assert (sums == 0).mean() == pytest.approx(0.02, abs=0.01)

    def test_networks_have_the_stated_size(self, survey):
        medians = survey.hidden[["adult_degree", "child_degree"]].median()
        assert 230 <= medians["adult_degree"] <= 265  # 10 % more in towns
        assert medians["child_degree"] == pytest.approx(45, rel=0.06)

    def test_large_groups_are_under_and_small_ones_over_recalled(self, frame, survey):
        share = survey.groups["size"] / survey.groups["population"]
        degrees = survey.hidden["adult_degree"]
        recalled = survey.respondents[list(OCCUPATIONS)].astype(float).sum() / degrees.sum()
        ratio = np.log((recalled / share[list(OCCUPATIONS)]).astype(float))
        slope = np.polyfit(np.log(share[list(OCCUPATIONS)].astype(float)), ratio, 1)[0]
        assert slope == pytest.approx(twin_settings().recall_slope - 1, abs=0.1)
        assert ratio["construction_workers"] < 0 < ratio["social_workers"]

    def test_reports_are_tau_times_prevalence_times_degree(self, frame, truth):
        """Averaged over surveys of one world the weighted scale-up with true degrees is right."""
        settings = twin_settings(seed=7, spill=0, degree_urban=1, missing=0)
        covered = frame.table["covered"]
        expected = truth.tau * truth.counts[covered].sum()
        ratios = []
        for seed in range(25):
            survey = simulate_survey(
                frame, INDICATORS, truth, settings.model_copy(update={"seed": seed})
            )
            weight = survey.respondents["weight"]
            for component in COMPONENTS:
                child = REFERENCE[component] == "children"
                degree = survey.hidden["child_degree" if child else "adult_degree"]
                rate = (weight * survey.respondents[component]).sum() / (weight * degree).sum()
                people = frame.table.loc[covered, REFERENCE[component]].sum()
                ratios.append(rate * people / expected[component])
        ratios = np.reshape(ratios, (25, 4)).mean(axis=1)
        assert abs(ratios.mean() - 1) < 4 * ratios.std() / 5
        assert ratios.std() < 0.25

    def test_respondents_differ_in_reporting_but_not_on_average(self):
        settings = twin_settings()
        interviews = pd.DataFrame({"urban": np.ones(200_000, int)})
        rng = np.random.default_rng(1)
        people = respondents(interviews, np.zeros(len(interviews)), rng)
        relative = relative_reporting(people, settings)
        assert relative.mean() == pytest.approx(1, abs=0.005)
        old = people["age"] >= 60
        assert relative[old].mean() < 0.3 * relative[~old].mean()

    def test_barangays_of_one_area_differ(self, frame, truth):
        """Without barangay effects two barangays of an area report alike; with them they do not."""

        def between(sd: float) -> float:
            settings = twin_settings(
                seed=3, unit_sd=sd, barrier=0, degree_sd=0, missing=0, degree_urban=1
            )
            people = simulate_survey(frame, INDICATORS, truth, settings).respondents
            cities = people[people["area_id"].isin(people["area_id"][people["replicate"] == 1])]
            mean = cities.groupby(["area_id", "psu"])["drivers"].mean().astype(float)
            return float(np.log(mean).groupby("area_id").std().mean())

        assert between(0.8) > 3 * between(0.0)


class TestRoster:
    def test_households_are_of_the_stated_size(self, survey):
        members = survey.roster.groupby("respondent_id").size()
        assert len(members) == 3_700
        assert members.mean() == pytest.approx(4.5, abs=0.15)
        per_area = survey.roster.groupby("area_id").size()
        assert 95 < per_area.median() < 122

    def test_the_respondent_comes_first(self, survey):
        first = survey.roster[survey.roster["person"] == 1].set_index("respondent_id")
        assert first["sex"].equals(survey.respondents["sex"])
        assert (first["age_group"].isin(["18-34", "35-59", "60+"])).all()

    def test_occupations_follow_the_truth(self, frame, survey, truth):
        adults = survey.roster[survey.roster["age_group"].isin(["18-34", "35-59", "60+"])]
        share = adults["occupation"].value_counts() / len(adults)
        areas = survey.respondents.drop_duplicates("area_id")["area_id"]
        local = truth.known.loc[areas].div(frame.table.loc[areas, "adults"], axis=0)
        for group in ("construction_workers", "drivers", "teachers"):
            assert share[group] == pytest.approx(local[group].mean(), rel=0.25)

    def test_a_single_occupation_is_absent_in_many_areas(self, survey):
        seen = survey.roster.groupby("area_id")["occupation"].agg(set)
        absent = {g: 1 - seen.map(lambda s, g=g: g in s).mean() for g in OCCUPATIONS}
        assert min(absent.values()) < 0.15
        assert max(absent.values()) > 0.9


def test_casework_knows_fewer_people_than_there_are(survey, truth):
    known = survey.casework
    assert known["operations"].sum() == 348
    assert known["victims_known"].sum() == pytest.approx(1_181, rel=0.15)
    assert known["suspects_known"].sum() == pytest.approx(359, rel=0.25)
    assert len(known) < 400
    victims = truth.counts[["victims_live", "victims_nonlive"]].sum(axis=1)
    assert (known["victims_known"] <= victims.loc[known.index]).all()


def test_a_seed_gives_one_survey_and_another_seed_another(corner, corner_settings):
    truth = grow_truth(corner, INDICATORS, corner_settings)
    one, same = (simulate_survey(corner, INDICATORS, truth, corner_settings) for _ in range(2))
    for part in ("respondents", "groups", "roster", "casework", "hidden"):
        pd.testing.assert_frame_equal(getattr(one, part), getattr(same, part))
    other = simulate_survey(
        corner, INDICATORS, truth, corner_settings.model_copy(update={"seed": 6})
    )
    assert not one.respondents["psu"].equals(other.respondents["psu"])


def test_a_knob_of_one_part_leaves_the_other_parts_alone(corner, corner_settings):
    truth = grow_truth(corner, INDICATORS, corner_settings)
    changed = grow_truth(corner, INDICATORS, corner_settings.model_copy(update={"tau_mean": 0.1}))
    pd.testing.assert_frame_equal(truth.counts, changed.counts)
    changed = corner_settings.model_copy(update={"operations": 10})
    one, other = (simulate_survey(corner, INDICATORS, truth, s) for s in (corner_settings, changed))
    pd.testing.assert_frame_equal(one.respondents, other.respondents)
