"""A tier's report: what a reader with two minutes takes away, as HTML and as PDF."""

from __future__ import annotations

import re
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from matplotlib.text import Text
from shapely import box
from small import small_country
from typer.testing import CliRunner

from smallarea.cli import app
from smallarea.publish.figures import ranges_figure, top_figure
from smallarea.release.tiers import TIERS
from smallarea.run.releasing import publish_tiers


@pytest.fixture(scope="module")
def tiers(tmp_path_factory) -> dict[str, Path]:
    run = small_country(tmp_path_factory.mktemp("reported") / "project").run()
    return dict(zip(TIERS, publish_tiers(run, list(TIERS)), strict=True))


def words(page: str) -> str:
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("tier", list(TIERS))
def test_five_sentences_come_first_and_are_of_the_results(tiers, tier):
    page = (tiers[tier] / "report.html").read_text()
    five = re.search(r'<ol class="five">(.*?)</ol>', page, re.DOTALL)
    assert five is not None
    sentences = re.findall(r"<li>(.*?)</li>", five[1], re.DOTALL)
    assert len(sentences) == 5
    assert re.match(
        r"Left-handed people: between [\d,]+ and [\d,]+ in the whole country", sentences[0]
    )
    places = {"public": 4, "partner": 12}[tier]
    assert re.search(rf"of {places}\b", sentences[2])
    assert page.index("In two minutes") < page.index("Where") < page.index("How it was made")
    assert page.count("data:image/png;base64,") == 3
    assert "http" not in words(page)


def test_no_report_of_a_tier_tells_what_its_tables_do_not(tiers):
    text = words((tiers["public"] / "report.html").read_text())
    assert not [name for name in (f"Town {i}" for i in range(12)) if name in text]
    assert "Shire" in text


def test_how_far_to_trust_it_counts_the_places_of_the_tier(tiers):
    for tier, named in (("public", "Shire"), ("partner", "towns")):
        page = (tiers[tier] / "report.html").read_text()
        header = re.search(r"How far to trust it</h2>\s*<table>\s*<tr><th>(.*?)</th>", page)
        assert header is not None
        assert header[1] == named
    assert "Shire: how many there are" in words(page)


def test_the_pdf_has_the_same_text_on_pages(tiers, tmp_path):
    pytest.importorskip("weasyprint", reason="the extra `pdf` is not installed: no PDF is tested")
    pdfium = pytest.importorskip("pypdfium2", reason="no reader of PDFs: none is tested")
    page = tiers["partner"] / "report.html"
    made = CliRunner().invoke(app, ["pdf", str(page), "--out", str(tmp_path / "r.pdf")])
    assert made.exit_code == 0, made.output
    book = pdfium.PdfDocument(tmp_path / "r.pdf")
    text = " ".join(page.get_textpage().get_text_range() for page in book)
    flat = re.sub(r"\W+", "", text)
    for heading in re.findall(r"<h2>(.*?)</h2>", page.read_text()):
        assert re.sub(r"\W+", "", heading) in flat
    assert "In two minutes" in book[0].get_textpage().get_text_range()
    assert "Where" in book[1].get_textpage().get_text_range()
    assert 3 <= len(book) <= 8


@pytest.mark.parametrize("label", ["Left-handed people", "People who " + "hardly ever " * 6])
def test_words_of_the_ranges_can_be_read_in_print_and_none_is_cut_off(label):
    """On A4 without its margins (180 mm) the figure has three fifths of the width."""
    names = ["City of San Jose Del Monte and its surroundings", *(f"Town {i}" for i in range(19))]
    rows = pd.DataFrame({"name": names, "p_top": 0.97})
    for at, name in enumerate(("q025", "q10", "q25", "q50", "q75", "q90", "q975")):
        rows[name] = 3.0 * 4**at
    figure = ranges_figure(rows, 100.0, label, 100)
    figure.draw_without_rendering()
    shown = 0.6 * (180 / 25.4 - 0.1) / figure.get_figwidth()
    (axis,) = figure.axes
    low, high = axis.get_xlim()
    beyond = {one for one in axis.get_xticklabels() if not low <= one.get_position()[0] <= high}
    words = [one for one in figure.findobj(Text) if one.get_text() and one not in beyond]
    assert names[0] + "  97%" in [one.get_text() for one in words]
    width, height = figure.bbox.size
    for one in words:
        assert one.get_fontsize() * shown >= 7
        place = one.get_window_extent()
        assert place.x0 >= -1, one.get_text()
        assert place.x1 <= width + 1, one.get_text()
        assert -1 <= place.y0 <= place.y1 <= height + 1


def test_the_map_beside_them_can_be_read_too_and_the_likely_places_are_named(tiers):
    shapes = gpd.GeoSeries([box(0, 0, 1, 2), box(1, 0, 2, 2)], index=["a", "b"], crs=4326)
    figure = top_figure(pd.Series([0.1, None], shapes.index, dtype=float), shapes, 100, "", 3.2)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert legend.get_window_extent().x1 <= figure.bbox.x1
    shown = 0.4 * (180 / 25.4 - 0.1) / figure.get_figwidth()
    assert min(one.get_fontsize() for one in legend.findobj(Text)) * shown >= 6.9
    estimates = pd.read_parquet(tiers["partner"] / "estimates.parquet")
    rows = estimates[(estimates["indicator"] == "left") & (estimates["p_top"] >= 0.8)]
    page = words((tiers["partner"] / "report.html").read_text())
    assert f"80 % or more for {len(rows)} places" in page
    if len(rows):
        assert f"80&nbsp;% or more: {'; '.join(sorted(rows['name']))}." in page


def test_a_page_that_is_not_there_is_named(tmp_path):
    made = CliRunner().invoke(app, ["pdf", str(tmp_path / "report.html")])
    assert made.exit_code != 0
    assert "there is no such file" in str(made.exception) + made.output
