"""Later waves of the twin: the same world, less of the harm, other people asked."""

from __future__ import annotations

import numpy as np
import pytest
from study import INDICATORS

from smallarea.errors import InputError
from smallarea.simulate import TwinSettings, grow_truth, simulate_survey


def test_the_truth_falls_and_its_geography_stays(corner, corner_settings):
    first = grow_truth(corner, INDICATORS, corner_settings)
    later = grow_truth(
        corner, INDICATORS, corner_settings.model_copy(update={"wave": 2, "decline": 0.3})
    )
    assert later.counts.to_numpy().sum() == pytest.approx(
        0.7 * first.counts.to_numpy().sum(), abs=4
    )
    np.testing.assert_allclose(later.counts, 0.7 * first.counts, atol=1.0)
    assert later.tau == first.tau
    assert later.surfaces.equals(first.surfaces)
    assert later.known.equals(first.known)


def test_a_later_wave_asks_other_people_there_or_elsewhere(corner, corner_settings):
    truth = grow_truth(corner, INDICATORS, corner_settings)
    first = simulate_survey(corner, INDICATORS, truth, corner_settings)
    for revisit in (False, True):
        settings = corner_settings.model_copy(update={"wave": 2, "revisit": revisit})
        later = simulate_survey(corner, INDICATORS, truth, settings)
        same = set(first.respondents["psu"]) == set(later.respondents["psu"])
        assert same == revisit
        assert not first.hidden["adult_degree"].equals(later.hidden["adult_degree"])
        assert first.groups.equals(later.groups)
    again = simulate_survey(corner, INDICATORS, truth, settings)
    assert again.respondents.equals(later.respondents)


@pytest.mark.parametrize("knobs", [{"decline": 0.3}, {"revisit": True}])
def test_the_first_wave_has_nothing_before_it(knobs):
    with pytest.raises(InputError, match=r"'wave'.*first wave"):
        TwinSettings(**knobs)
