"""What a project declares to publish, and what is refused with one sentence."""

import copy

import pytest
from study import CATALOG, INDICATORS

from smallarea.errors import InputError
from smallarea.indicators import read_indicators

ONE = {
    "title": "Ein Land",
    "populations": {"people": {"label": "Menschen"}},
    "components": {
        "ill": {
            "population": "people",
            "label": "Kranke",
            "definition": "Wer krank ist.",
            "excludes": "Wer gesund ist.",
            "reference_period": "2020",
        }
    },
}


def changed(path, value):
    block = copy.deepcopy(CATALOG.indicators)
    at = block
    *way, last = path
    for key in way:
        at = at[key]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return block


def test_one_component_and_no_ratio_is_a_whole_project():
    named = read_indicators(ONE)
    assert named.units == {"ill": "Menschen", "ill_rate": "per 1,000 Menschen"}
    assert named.headline == "ill"
    assert named.headlines == ("ill", "ill_rate")
    assert named.totals == ("ill",)
    assert named.parts("ill") == ("ill",)
    assert named.labels["ill_rate"] == "Kranke, per 1,000 Menschen"
    assert "Wer gesund ist." in named.meaning[0]


def test_twelve_components_work_as_well_as_one():
    block = copy.deepcopy(ONE)
    block["components"] = {f"c{i}": ONE["components"]["ill"] for i in range(12)}
    block["sums"] = {"all": {"of": [f"c{i}" for i in range(12)], "label": "Alle"}}
    named = read_indicators(block)
    assert len(named.units) == 26
    assert named.reference["all"] == "people"
    assert "upper bound" in named.meaning[-1]


def test_every_indicator_has_a_unit_and_a_label():
    assert set(INDICATORS.units) == set(INDICATORS.labels)
    assert len(INDICATORS.units) == 13
    assert INDICATORS.spoken("victims") == "child victims"


def test_what_is_counted_stands_with_every_number():
    assert INDICATORS.behind("victims_rate") == ("victims_live", "victims_nonlive")
    assert INDICATORS.behind("ratio") == tuple(INDICATORS.components)
    for name in INDICATORS.units:
        for component in INDICATORS.behind(name):
            assert "Not counted: " in INDICATORS.counted(component)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("components", "victims_live", "definition"), None, "victims_live.definition"),
        (("components", "victims_live", "excludes"), "", "victims_live.excludes"),
        (("components", "victims_live", "excludes"), "   ", "excludes: the text is blank"),
        (("components", "victims_live", "label"), " ", "label: the text is blank"),
        (("populations", "children", "network"), "worker", "network: .*'adult' or 'child'"),
        (("components", "victims_live", "reference_period"), None, "reference_period"),
        (("components", "victims_live", "population"), "elderly", "'elderly' is not declared"),
        (("sums", "victims", "of"), ["victims_live", "x"], "'x' is not declared"),
        (("sums", "victims", "of"), ["victims_live", "traffickers_live"], "different populations"),
        (("sums", "victims", "overlap"), 1.5, "sums.victims.overlap"),
        (("ratios", "ratio", "of"), ["victims", "y"], "'y' is not declared"),
        (("ratios", "victims"), {"of": ["victims", "traffickers"], "label": "x", "unit": "u"},
         "two indicators are called victims"),
        (("colour",), "red", "colour"),
        (("title",), None, "title"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(path, value, words):
    with pytest.raises(InputError, match=words) as error:
        read_indicators(changed(path, value))
    assert "data_catalog.yaml, indicators" in str(error.value)


def test_casework_informs_one_rate_through_one_sum():
    detection = {"column": "known", "mean": 0.1, "cv": 0.5, "source": "police"}
    block = changed(("sums", "victims", "detection"), detection)
    assert read_indicators(block).sums["victims"].detection.column == "known"
    block["sums"]["traffickers"]["detection"] = detection
    with pytest.raises(InputError, match="one reporting rate"):
        read_indicators(block)
