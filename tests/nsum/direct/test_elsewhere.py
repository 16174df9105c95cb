"""Direct estimates from elsewhere: three kinds of rows, one kind of count."""

import numpy as np
import pandas as pd
import pytest

from smallarea.errors import InputError
from smallarea.nsum.direct.elsewhere import about_direct, national_from_direct, read_direct

IDS = ["0100101000", "0100102000", "0100103000", "0100201000"]


def write(folder, rows, columns):
    path = folder / "direct.csv"
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    return path


def test_reports_and_yes_are_the_counts_they_are(squares, tmp_path):
    path = write(
        tmp_path,
        [(IDS[1], "ill", 3, 100, None, None), (IDS[0], "ill", None, None, 5, 50)],
        ["area", "component", "reports", "exposure", "yes", "asked"],
    )
    direct = read_direct(path, squares, ["ill"], deff=1.5)
    assert list(direct.reports.index) == IDS[:2]
    assert direct.reports["ill"].tolist() == [5, 3]
    assert direct.exposure["ill"].tolist() == [50, 100]
    assert direct.deff["ill"] == 1.5
    rate = 8 / 150
    np.testing.assert_allclose(direct.variance["ill"], 1.5 * rate / np.array([50, 100]))


def test_an_estimate_keeps_its_mean_and_variance(squares, tmp_path):
    rows = [(IDS[0], "ill", 0.02, 0.0001), (IDS[1], "ill", 0.0, 0.0002), (IDS[2], "ill", 0.3, 0.01)]
    path = write(tmp_path, rows, ["area", "component", "estimate", "variance"])
    direct = read_direct(path, squares, ["ill"], deff=7)
    assert direct.deff["ill"] == 1.0  # the variance says it all
    assert direct.rate["ill"].tolist() == pytest.approx([0.02, 0.0, 0.3])
    assert direct.variance["ill"].tolist() == pytest.approx([0.0001, 0.0002, 0.01])


def test_estimates_of_one_variance_weigh_alike(squares, tmp_path):
    rates = [0.01, 0.05, 0.3]
    rows = [(area, "ill", rate, 0.002) for area, rate in zip(IDS, rates, strict=False)]
    path = write(tmp_path, rows, ["area", "component", "estimate", "variance"])
    direct = read_direct(path, squares, ["ill"])
    drawn = national_from_direct(direct, PEOPLE, 20_000, 1, {}).sel(component="ill")
    assert float(drawn.mean()) == pytest.approx(1e6 * np.mean(rates), rel=0.01)


def test_rows_of_another_design_effect_keep_their_information(squares, tmp_path):
    rows = [(IDS[0], "ill", 10, 100, 1.0), (IDS[1], "ill", 20, 200, 4.0)]
    path = write(tmp_path, rows, ["area", "component", "reports", "exposure", "deff"])
    direct = read_direct(path, squares, ["ill"])
    effective = direct.exposure["ill"] / direct.deff["ill"]
    assert effective.tolist() == pytest.approx([100, 50])
    assert direct.rate["ill"].tolist() == pytest.approx([0.1, 0.1])


def test_an_area_without_a_component_has_no_exposure_there(squares, tmp_path):
    rows = [(IDS[0], "ill", 1, 50), (IDS[1], "ill", 0, 50), (IDS[1], "old", 2, 50)]
    path = write(tmp_path, rows, ["area", "component", "yes", "asked"])
    direct = read_direct(path, squares, ["ill", "old"])
    assert direct.exposure.loc[IDS[0], "old"] == 0
    assert np.isnan(direct.reports.loc[IDS[0], "old"])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            ("9999999999", "ill", 1, 20),
            "'9999999999' is no code of the frame's areas .0100101000 to",
        ),
        (("Binalonan", "ill", 1, 20), "'Binalonan' is no code.*did you mean 0100102000, Binalonan"),
        (("Binalonn", "ill", 1, 20), "did you mean 0100102000, Binalonan"),
        ((None, "ill", 1, 20), "the cell is empty"),
        ((IDS[1], "sick", 1, 20), "no such component; there are ill"),
        ((IDS[0], "ill", 1, 20), "another row for this component"),
        ((IDS[1], "ill", 21, 20), "more said yes than were asked"),
        ((IDS[1], "ill", 0, 0), "leave such a row out"),
        ((IDS[1], "ill", 3, 0), "column .asked., row 3: it is 0; leave such a row out"),
        ((IDS[1], "ill", 1, None), "one pair"),
        ((IDS[1], "ill", -1, 20), "is negative"),
        ((IDS[1], "ill", "few", 20), "not a number"),
    ],
)
def test_a_bad_row_is_named(squares, tmp_path, row, words):
    path = write(tmp_path, [(IDS[0], "ill", 2, 20), row], ["area", "component", "yes", "asked"])
    with pytest.raises(InputError, match=words) as error:
        read_direct(path, squares, ["ill"])
    assert "direct.csv" in str(error.value)
    assert "row 3" in str(error.value)


def test_a_component_without_any_row_is_named(squares, tmp_path):
    path = write(tmp_path, [(IDS[0], "ill", 2, 20)], ["area", "component", "yes", "asked"])
    with pytest.raises(InputError, match="no row for old"):
        read_direct(path, squares, ["ill", "old"])


def test_what_a_file_rests_on_is_said_in_a_few_words(tmp_path):
    rows = [(IDS[0], "ill", 1, 50), (IDS[1], "ill", 0, 40), (IDS[1], "old", 2, 50)]
    path = write(tmp_path, rows, ["area", "component", "yes", "asked"])
    assert about_direct(path, 1.5) == "2 areas, 50 to 90 people asked, design effect 1.5"
    rates = [(IDS[0], "ill", 0.1, 0.01)]
    path = write(tmp_path, rates, ["area", "component", "estimate", "variance"])
    assert about_direct(path) == "1 areas, 1 rates with their variances"


PEOPLE = pd.DataFrame({"ill": 250_000.0}, [*IDS[:3], "0100202000"])


def direct_of(squares, tmp_path, yes):
    rows = [(area, "ill", y, 50) for area, y in zip(IDS, yes, strict=True)]
    path = write(tmp_path, rows, ["area", "component", "yes", "asked"])
    return read_direct(path, squares, ["ill"])


def test_a_stated_total_is_drawn_with_its_error(squares, tmp_path):
    direct = direct_of(squares, tmp_path, [1, 2, 3, 4])
    drawn = national_from_direct(direct, PEOPLE, 20_000, 1, {"ill": (5e4, 5e3)})
    values = drawn.sel(component="ill").to_numpy()
    assert values.mean() == pytest.approx(5e4, abs=4 * 5e3 / np.sqrt(20_000))
    assert values.std() == pytest.approx(5e3, rel=0.03)
    assert (values > 0).all()


def test_without_a_total_the_areas_are_the_sampling_units(squares, tmp_path):
    yes = [0, 1, 8, 11]
    direct = direct_of(squares, tmp_path, yes)
    made = national_from_direct(direct, PEOPLE, 20_000, 1, {})
    drawn = made.sel(component="ill")
    assert made.attrs["as_drawn"] == "ill"
    assert float(drawn.mean()) == pytest.approx(1e6 * 20 / 200, rel=0.01)
    spread = np.std(yes) / 50 / np.sqrt(5)  # Dirichlet(1, 1, 1, 1): sd / sqrt(n + 1)
    assert float(drawn.std()) == pytest.approx(1e6 * spread, rel=0.03)
    again = national_from_direct(direct, PEOPLE, 20_000, 1, {}).sel(component="ill")
    np.testing.assert_array_equal(again, drawn)


def test_where_nobody_said_yes_the_draws_say_what_is_ruled_out(squares, tmp_path):
    direct = direct_of(squares, tmp_path, [0, 0, 0, 0])
    drawn = national_from_direct(direct, PEOPLE, 5000, 1, {})
    assert drawn.attrs["silent"] == "ill"
    assert float(drawn.quantile(0.95)) < 1e6 * 3 / 200


def test_rows_that_are_all_alike_still_have_their_sampling_error(squares, tmp_path):
    drawn = national_from_direct(direct_of(squares, tmp_path, [5, 5, 5, 5]), PEOPLE, 20_000, 1, {})
    assert float(drawn.std()) == pytest.approx(1e6 * np.sqrt(0.1 / 200), rel=0.03)


def test_where_every_area_has_a_row_each_counts_by_its_people(squares, tmp_path):
    people = pd.DataFrame({"ill": [700_000.0, 100_000, 100_000, 100_000]}, IDS)
    direct = direct_of(squares, tmp_path, [1, 10, 10, 10])
    made = national_from_direct(direct, people, 20_000, 1, {})
    assert made.attrs["as_drawn"] == ""
    assert float(made.mean()) == pytest.approx(700_000 * 0.02 + 300_000 * 0.2, rel=0.01)


def test_a_total_of_no_component_is_refused(squares, tmp_path):
    direct = direct_of(squares, tmp_path, [1, 2, 3, 4])
    with pytest.raises(InputError, match="no component 'il'") as error:
        national_from_direct(direct, PEOPLE, 100, 1, {"il": (5e4, 5e3)})
    assert "settings.direct.national.il" in str(error.value)
