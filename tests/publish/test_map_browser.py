"""The page in a browser, by mouse, finger and keys; no network, no error."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from study import INDICATORS

from smallarea.areas.boundaries import EMBEDDED
from smallarea.projection import reference_sizes
from smallarea.publish.basis import basis_table
from smallarea.publish.map import write_map
from smallarea.publish.map_data import Beside
from smallarea.publish.words import languages

WORDS = {"area": "Town", "areas": "towns", "province": "Province", "region": "Region"}
OWN = ("file:", "blob:")
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 640}


@pytest.fixture(scope="module")
def file(toy, tmp_path_factory):
    path = tmp_path_factory.mktemp("browser") / "map.html"
    sizes = reference_sizes(toy.table, INDICATORS)
    rows = pd.MultiIndex.from_product(
        [["trees", "smooth"], list(INDICATORS.components), toy.table.index],
        names=["model", "component", "area_id"],
    )
    values = np.random.default_rng(3).normal(0, 0.3, (len(rows), 4))
    parts = pd.DataFrame(values, rows, ["roads", "night_lights", "space", "groups"])
    plan = pd.DataFrame({"area_id": toy.table.index[[3, 9]], "areas_sd": [0.97, 0.95]})
    table = toy.table.assign(geometry_source=EMBEDDED, urban_share=np.linspace(0, 1, 24))
    beside = Beside(
        toy.tau,
        basis_table(parts, toy.counts / sizes, toy.public, sizes, INDICATORS),
        plan,
        earlier=toy.public,
        earlier_name="before",
        links={"report": "report.html"},
    )
    write_map(
        toy.public, toy.counts, table, toy.geometry, path, INDICATORS,
        k=5, labels=WORDS, beside=beside, spelling={"city": "*", "of": ""},
    )  # fmt: skip
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("NO BROWSER: chromium not found")
    playwright = pytest.importorskip("playwright.sync_api", reason="NO PLAYWRIGHT")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, file):
    """A function that opens the page; in the end, there was no error and no request."""
    said: list[str] = []
    contexts = []

    def opening(hash_: str = "", **how: object):
        context = browser.new_context(**{"viewport": WIDE, "locale": "en", **how})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
        page.on("request", lambda r: said.append(r.url) if r.url[:5] not in OWN else None)
        page.goto(f"{file.as_uri()}{hash_}")
        return page

    yield opening
    for context in contexts:
        context.close()
    assert said == []


def middle_of(page, i: int) -> tuple[float, float]:
    return page.evaluate(
        f"(() => {{ const b = shapes[{i}].box, c = canvas.getBoundingClientRect();"
        "return [(b[0] + b[2]) / 2 * eye.scale + eye.x + c.left,"
        " (b[1] + b[3]) / 2 * eye.scale + eye.y + c.top]; })()"
    )


def test_it_opens_on_chances_and_a_place_can_be_pointed_at_and_clicked(opened):
    page = opened()
    assert page.input_value("#layer") == "above"
    page.mouse.move(*middle_of(page, 7))
    assert page.inner_text("#tip").startswith("Town 7, Province 1")
    page.mouse.click(*middle_of(page, 7))
    text = page.inner_text("#panel")
    for words in (
        "Town 7",
        "Eight times in ten",
        "Beside others",
        "anywhere from",
        "What it rests on",
    ):
        assert words in text
    assert "Nobody was interviewed here" in text
    assert "The two ranges overlap: no change can be told." in text
    assert page.get_attribute("#panel .bars", "aria-label").startswith("Ranges: 50 %")


def test_the_legend_and_the_chosen_set_are_where_they_are_seen(opened):
    page = opened()
    box = page.locator("#legend li").first.bounding_box()
    seen = "([x, y]) => document.elementFromPoint(x, y).closest('#legend') !== null"
    assert page.evaluate(seen, [box["x"] + 3, box["y"] + 3])
    assert "interviewed here" in page.inner_text("#legend")
    page.select_option("#layer", "q50")
    assert "up to 3 ×" in page.inner_text("#legend")


def test_search_by_name_without_accent_by_code_and_with_keys(opened):
    page = opened()
    page.fill("#search", "penarr")
    page.press("#search", "Enter")
    assert page.inner_text("#panel h2") == "Peñarrubia"
    page.fill("#search", "0000000108")
    page.press("#search", "Enter")
    assert page.inner_text("#panel h2") == "Town 7"
    page.fill("#search", "town 1")
    page.press("#search", "ArrowDown")
    assert page.get_attribute("#search", "aria-activedescendant") == "hit1"
    page.press("#search", "Escape")
    assert page.is_hidden("#hits")


def test_the_table_is_on_top_sorts_filters_and_opens_a_place(opened):
    page = opened()
    page.click("#view")
    assert page.locator("#table tbody tr").count() == 24
    row = page.locator("#table tbody tr button").nth(2)
    name = row.inner_text()
    row.click()  # refused where something else is on top
    assert page.inner_text("#panel h2") == name
    page.click('[data-sort="q50"]')
    medians = page.locator("#table tbody tr td:nth-of-type(5)").all_inner_texts()
    numbers = [float(x.replace(",", "")) for x in medians if re.match(r"[\d,.]+$", x)]
    assert numbers == sorted(numbers, reverse=True)
    assert page.get_attribute('th:has([data-sort="q50"])', "aria-sort") == "descending"
    page.click('[data-sort="q50"]')
    assert page.get_attribute('th:has([data-sort="q50"])', "aria-sort") == "ascending"
    page.select_option("#filter-1", label="Region 1")
    assert page.locator("#table tbody tr").count() == 8
    assert "8 of 24 places" in page.inner_text("#table caption")
    options = page.locator("#filter-0 option").all_inner_texts()
    assert options == ["All", "Province 2", "Province 3"]


def test_the_file_holds_what_is_shown(opened):
    page = opened("#what=victims&as=count&view=table")
    page.select_option("#filter-0", label="Province 1")
    with page.expect_download() as kept:
        page.click("#csv")
    text = Path(kept.value.path()).read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["area_id"] for row in rows} == {f"{i:010d}" for i in range(105, 109)}
    assert {row["indicator"] for row in rows} == {"victims"}
    held = next(row for row in rows if row["area_id"] == "0000000105")
    assert held["q10"] == held["q975"] == held["rank_low"] == ""
    assert all(row["notice"] == "SYNTHETIC SURVEY" for row in rows)


def test_the_panel_chooses_says_how_sure_and_keeps_the_link(opened):
    page = opened("#as=count")
    page.click("#tab-plan")
    page.fill("#plan-k", "4")
    page.press("#plan-k", "Tab")
    assert page.locator("#found ol li").count() == 4
    text = page.inner_text("#found")
    for words in (
        "This set holds",
        "are expected to belong",
        "places at random",
        "places with most people",
    ):
        assert words in text
    page.fill("#plan-min", "1")
    page.select_option("#plan-level", label="Region")
    chosen = page.evaluate("[...state.chosen].map(i => data.areas.levels[1][i])")
    assert set(chosen) == {0, 1, 2}
    page.fill("#plan-min", "2")
    page.press("#plan-min", "Tab")
    assert "ask for 6 places" in page.inner_text("#found")
    page.fill("#plan-min", "0")
    page.select_option("#plan-by", "budget")
    page.fill("#plan-budget", "6")
    page.press("#plan-budget", "Tab")
    assert "It costs" in page.inner_text("#found")
    again = opened(f"#{page.url.split('#')[1]}")
    assert again.inner_text("#found") == page.inner_text("#found")


def test_the_reporting_rate_moves_reach_and_not_the_set(opened):
    page = opened("#as=count&tab=plan")
    before = page.evaluate("[...state.chosen].sort()")
    reach = "quantiles(state.found.kinds.chosen, [0.5])[0]"
    page.check("#plan-fix")
    slide = (
        "([end]) => { const s = $('plan-tau'); s.value = s[end];"
        " s.dispatchEvent(new Event('change', { bubbles: true })); }"
    )
    page.evaluate(slide, ["min"])
    low = page.evaluate(reach)
    page.evaluate(slide, ["max"])
    assert page.evaluate(reach) < 0.6 * low
    assert page.evaluate("[...state.chosen].sort()") == before
    page.uncheck("#plan-fix")
    page.select_option("#plan-urban", "half")
    assert "places chosen without it stay" in page.inner_text("#found")


def test_two_places_are_compared_within_draws(opened, toy):
    page = opened("#as=count&compare=0000000108,0000000110&tab=compare")
    victims = toy.counts.sel(component=["victims_live", "victims_nonlive"]).sum("component")
    x, y = (
        victims.sel(area_id="0000000108").to_numpy(),
        victims.sel(area_id="0000000110").to_numpy(),
    )
    text = page.inner_text("#panel")
    told = float(re.search(r"more children with a chance of (?:under |over )?(\d+) %", text)[1])
    assert told == pytest.approx(100 * (x > y).mean(), abs=3)
    low, high = (
        float(n.replace(",", ""))
        for n in re.search(r"Together: ([\d,.]+) to ([\d,.]+)", text).groups()
    )
    np.testing.assert_allclose([low, high], np.quantile(x + y, [0.1, 0.9]), rtol=0.08)
    page.fill("#compare-add", "Town 2")
    page.press("#compare-add", "Enter")
    assert page.locator("#panel .chosen li").count() == 3


def test_a_phone_shows_map_and_card_together_and_takes_touch(opened):
    page = opened(viewport=PHONE, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("$('choose').open") is False
    page.touchscreen.tap(*middle_of(page, 3))
    box = page.locator("#panel h2").bounding_box()
    assert page.inner_text("#panel h2") == "Town 3"
    assert 0 <= box["y"] < 640
    assert box["x"] + box["width"] <= 360
    assert page.locator("#map").bounding_box()["height"] > 150
    page.tap("#view")
    page.locator("#table tbody button").first.tap()


def test_print_keeps_legend_colours_and_the_last_column(opened):
    page = opened("#view=table&tab=plan")
    page.emulate_media(media="print")
    assert page.is_visible("#legend")
    adjust = "getComputedStyle(document.querySelector('#legend i')).printColorAdjust"
    assert page.evaluate(adjust) == "exact"
    assert page.is_hidden("#tabs")
    assert page.locator("#table thead th").last.is_visible()
    wide = (
        "document.querySelector('#table table').scrollWidth <= document.documentElement.clientWidth"
    )
    assert page.evaluate(wide)
    assert page.is_visible("#found")


def test_everything_is_reached_by_keys(opened):
    page = opened()
    page.focus("#tab-place")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-plan"
    page.keyboard.press("ArrowLeft")
    page.focus("#map")
    scale = page.evaluate("eye.scale")
    page.keyboard.press("+")
    assert page.evaluate("eye.scale") > scale
    page.keyboard.press("0")
    assert page.evaluate("eye.scale") == pytest.approx(scale)
    seen = set()
    page.focus("#what")
    for _ in range(30):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.id"))
    assert {
        "layer",
        "filter-0",
        "filter-1",
        "lang",
        "search",
        "view",
        "csv",
        "print",
        "map",
        "panel",
    } <= seen
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, select, canvas[tabindex]')]"
        ".filter(e => e.offsetParent && !e.textContent.trim() && !e.labels?.length"
        " && !e.getAttribute('aria-label')).map(e => e.outerHTML)"
    )
    assert unnamed == []


@pytest.mark.parametrize("language", languages())
def test_every_tab_speaks_every_language_and_leaves_no_name_unfilled(opened, language):
    page = opened(f"#lang={language}&area=0000000108&plan=k,3,0,0,0,0,0,0")
    words = languages()[language]["page"]
    assert page.inner_text("#tab-plan") == words["tab_plan"]
    assert page.evaluate("document.documentElement.lang") == language
    for tab in ("place", "plan", "compare", "next", "about"):
        page.click(f"#tab-{tab}")
        assert not re.search(r"\{\w+\}|undefined|NaN", page.inner_text("body")), tab
    page.select_option("#lang", "en")
    assert page.inner_text("#tab-plan") == languages()["en"]["page"]["tab_plan"]


def test_the_card_says_the_sums_of_the_basis(opened):
    page = opened("#area=0000000108")
    page.click("#panel details summary")
    rows = page.locator("#panel details tbody tr").all()
    cells = {
        r.locator("td").first.inner_text(): r.locator("td").all_inner_texts()[1:] for r in rows
    }
    logs = {k: np.log(float(v[-1])) for k, v in cells.items()}
    whole = logs.pop("in all")
    assert sum(logs.values()) == pytest.approx(whole, abs=0.05)  # of two decimals each
    for part in ("roads", "night lights", "nearby places"):
        by_model = [np.log(float(x)) for x in cells[part][:2]]
        assert np.mean(by_model) == pytest.approx(logs[part], abs=0.02)
