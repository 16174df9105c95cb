import pytest

from smallarea.errors import InputError
from smallarea.settings import read_settings

GOOD = {
    "seed": 1,
    "survey": "data/twin/survey",
    "tau_prior": {"a": 15, "b": 288, "source": "casework"},
    "draws": {"fast": 1000},
}


def test_a_complete_block_is_read():
    settings = read_settings(GOOD)
    assert settings.draws_of("fast") == 1000
    assert settings.describe_numbers == []


def test_names_of_values_are_keyed_as_a_survey_file_spells_them():
    settings = read_settings(GOOD | {"describe_by": {"urban": {0: "rural"}, "sex": None}})
    assert settings.describe_by == {"urban": {"0": "rural"}, "sex": None}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"seed": -1}, "seed"),
        ({"seeds": 1}, "seeds"),
        ({"tau_prior": {"a": 0, "b": 1, "source": ""}}, "tau_prior.a"),
        ({"draws": {"fast": 1}}, "draws.fast"),
        ({"describe_by": {"age": [30, 18]}}, "describe_by.age"),
        ({"describe_numbers": "profit"}, "describe_numbers"),
        ({"describe_by": {"sex": "F"}}, "describe_by.sex"),
        ({"remove": {"iqr": 3}}, "remove.iqr"),
        ({"remove": {"mad": 0}}, "remove.mad"),
    ],
)
def test_a_wrong_setting_is_named(change, field):
    with pytest.raises(InputError, match=rf"settings\.{field}"):
        read_settings(GOOD | change)


def test_a_misspelt_setting_is_named_and_not_the_one_it_leaves_missing():
    misspelt = {"sead" if key == "seed" else key: value for key, value in GOOD.items()}
    with pytest.raises(InputError, match=r"settings\.sead: there is no .*did you mean seed"):
        read_settings(misspelt)
    direct = {"flie": "direct.csv"}
    block = {key: value for key, value in GOOD.items() if key != "survey"} | {"direct": direct}
    with pytest.raises(InputError, match=r"settings\.direct\.flie: .*did you mean file"):
        read_settings(block)
    del misspelt["sead"]
    with pytest.raises(InputError, match=r"settings\.seed: it is missing"):
        read_settings(misspelt)


def test_an_unknown_profile_names_those_that_exist():
    with pytest.raises(InputError, match="choose one of fast"):
        read_settings(GOOD).draws_of("slow")


def test_a_slip_of_the_whole_block_is_said_of_the_block():
    with pytest.raises(InputError, match=r"data_catalog\.yaml, settings: name a survey's folder"):
        read_settings({"seed": 1, "draws": {"fast": 1000}})
