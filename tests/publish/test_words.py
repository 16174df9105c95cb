"""The page's words: every language says everything, with the same names to fill in."""

from __future__ import annotations

import re

import pytest

from smallarea.publish.map import SCRIPTS, TEMPLATES
from smallarea.publish.words import languages
from smallarea.release.tiers import TIERS

WORDS = languages()
SCRIPT = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in SCRIPTS)
PAGE = (TEMPLATES / "map.html.j2").read_text(encoding="utf-8")


def flat(words: object, at: str = "") -> dict[str, str]:
    if isinstance(words, dict):
        return {k: v for key, own in words.items() for k, v in flat(own, f"{at}.{key}").items()}
    if isinstance(words, list):
        return {k: v for n, own in enumerate(words) for k, v in flat(own, f"{at}.{n}").items()}
    return {at: str(words)}


def test_english_is_first_and_not_alone():
    assert next(iter(WORDS)) == "en"
    assert len(WORDS) > 1


@pytest.mark.parametrize("language", WORDS)
def test_no_word_is_missing_and_names_are_the_same(language):
    english, own = flat(WORDS["en"]), flat(WORDS[language])
    assert set(own) == set(english)
    for key, text in own.items():
        assert text.strip(), key
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", english[key])), (
            key
        )
    if language != "en":
        same = [key for key in own if own[key] == english[key] and len(own[key]) > 12]
        assert same == [], "not translated"


def test_every_word_that_the_page_asks_for_is_there():
    asked = set(re.findall(r"""\bth?\("(\w+)\"""", SCRIPT))
    asked |= set(re.findall(r'data-(?:t|label)="(\w+)"', PAGE)) | set(
        re.findall(r"t\.(\w+) ", PAGE)
    )
    assert asked - set(WORDS["en"]["page"]) == set()
    assert len(asked) > 80


def test_every_word_is_used():
    for key in WORDS["en"]["page"]:
        named = re.search(rf"""["'.`]{key}["'` ]""", SCRIPT + PAGE)
        made = key.split("_")[0] in ("layer", "tab", "urban", "as") or key in ("report", "readme")
        assert named or made, key


def test_tiers_say_for_whom_they_are_as_the_page_does():
    assert {name: tier.reader for name, tier in TIERS.items()} == {
        name: text for name, text in WORDS["en"]["standing"].items() if name != "internal"
    }
