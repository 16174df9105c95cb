"""Messy names: every usual spelling is understood, nothing is guessed."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallarea.areas import Frame
from smallarea.areas.names import canonical, match_names

VARIANTS = {
    "as it is": lambda name: name,
    "upper case": str.upper,
    "city behind": lambda name: (
        name.removeprefix("City of ") + " City" if name.startswith("City of ") else name
    ),
    "no city": lambda name: name.removeprefix("City of "),
    "remark": lambda name: f"{name} (Capital)",
    "abbreviated": lambda name: name.replace("Santa ", "Sta.").replace("Santo ", "Sto. "),
    "hyphens": lambda name: name.replace("-", " "),
    "no accents": lambda name: name.replace("ñ", "n"),
    "UTF-8 as Windows-1252": lambda name: name.encode().decode("cp1252"),
    "lost letter": lambda name: name.replace("ñ", "?"),
    "replacement character": lambda name: name.replace("ñ", "\ufffd"),
    "decomposed": lambda name: name.replace("ñ", "n\u0303"),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_area_is_found_under_every_usual_spelling(frame: Frame, variant: str) -> None:
    found = frame.match_names(
        frame.table["province"].str.upper(), frame.table["name"].map(VARIANTS[variant])
    )
    assert (found == frame.table.index).all()


@pytest.mark.parametrize(
    ("province", "name", "area_id"),
    [
        ("NCR", "Quezon City", "1381300000"),
        ("Compostela Valley", "Nabunturan (Capital)", "1108209000"),
        ("City of Cebu (Independent City)", "Cebu City", "0730600000"),
        ("Maguindanao", "Pagagawan (Datu Montawal)", "1908815000"),
        ("Maguindanao", "Datu Montawal", "1908815000"),
        ("Rizal", "Montalban", "0405808000"),
        ("Nueva Ecija", "Munoz City", "0304917000"),
        ("Zambonga del Sur", "Zamboanga City", "0931700000"),
        ("", "Makati", "1380300000"),
    ],
)
def test_former_names_and_provinces_are_understood(
    frame: Frame, province: str, name: str, area_id: str
) -> None:
    assert frame.match_names(pd.Series([province]), pd.Series([name])).tolist() == [area_id]


@pytest.mark.parametrize(
    ("province", "name", "why"),
    [
        ("", "San Jose", "many areas have this name"),
        ("", "Alaminos", "a city and a municipality, in two provinces"),
        ("Negros Occidental", "Isabela City", "Isabela there is a municipality"),
        ("Cebu", "Makaty", "no fuzzy matching"),
        ("Atlantis", "Makati", "no such province"),
        ("Laguna", "", "no name"),
        ("Laguna", None, "no name"),
        (None, "San Jose", "no province, and not unique"),
    ],
)
def test_nothing_is_guessed(frame: Frame, province: object, name: object, why: str) -> None:
    found = frame.match_names(pd.Series([province], dtype=object), pd.Series([name], dtype=object))
    assert found.isna().all(), why


def test_without_a_province_no_area_is_taken_for_another(frame: Frame) -> None:
    bare = frame.table["name"].str.removeprefix("City of ")
    found = frame.match_names(pd.Series("", index=bare.index), bare)
    known = found.notna()
    assert (found[known] == found.index[known]).all()
    assert known.mean() > 0.75


def test_present_name_wins_over_a_former_name(frame: Frame) -> None:
    # Lambayong is a municipality of Sultan Kudarat, and once was the name of another elsewhere.
    found = frame.match_names(pd.Series(["Sultan Kudarat"]), pd.Series(["Lambayong"]))
    assert frame.table.loc[found[0], "province"] == "Sultan Kudarat"


def small(*names: str) -> pd.DataFrame:
    """A frame's names: areas numbered from 0, all in one district."""
    areas = {"area_id": [str(i) for i in range(len(names))], "within": "Пн", "name": names}
    return pd.DataFrame(areas).assign(former=False)


def matched(within: str, name: str, names: pd.DataFrame) -> str | None:
    found = match_names(pd.Series([within]), pd.Series([name]), names, {"city": "*"})[0]
    return None if pd.isna(found) else found


@pytest.mark.parametrize(
    ("pair", "same"),
    [
        (("Київ", "київ"), True),
        (("Київ", "Харків"), False),
        (("किला", "काला"), False),  # the vowel signs alone differ
        (("กา", "กี"), False),
        (("서울", "부산"), False),
        (("東京", "京都"), False),
        (("Αθήνα", "ΑΘΗΝΑ"), True),
        (("Łódź", "Lodz"), True),
        (("Tromsø", "TROMSO"), True),
        (("Đà Nẵng", "Da Nang"), True),
        (("Gießen", "GIESSEN"), True),
        (("Ærø", "Aero"), True),
        (("Diyarbakır", "DIYARBAKIR"), True),
        (("Кам\u02bcянець", "Кам'янець"), True),
        (("می\u200cخواه", "میخواه"), True),
    ],
)
def test_letters_of_every_script_count(pair: tuple[str, str], same: bool) -> None:
    one, other = (canonical(name, {}) for name in pair)
    assert one
    assert (one == other) == same
    assert matched("Пн", pair[1], small(pair[0])) == ("0" if same else None)
    assert matched("Пд", pair[0], small(pair[0])) is None, "another district"


@pytest.mark.parametrize("name", ["?", "---", "()", " ", "(Київ)", "City"])
@pytest.mark.parametrize("within", ["", "Пн"])
def test_a_name_without_letters_is_no_area(within: str, name: str) -> None:
    assert matched(within, name, small("***", "Київ")) is None
    assert matched(within, name, small("!")) is None


@settings(max_examples=200)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
def test_canonical_form_is_final(text: str) -> None:
    spelling = {"city": "*", "of": "", "sta": "santa", "\ufffd": "n"}
    once = canonical(text, spelling)
    assert once == once.casefold()
    assert " " not in once
    if not once.startswith("*") and once not in spelling:
        assert canonical(once, spelling) == once
