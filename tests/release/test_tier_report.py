"""A tier's report: what a reader with two minutes takes away, as HTML and as PDF."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from small import small_country
from typer.testing import CliRunner

from smallarea.cli import app
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


def test_a_page_that_is_not_there_is_named(tmp_path):
    made = CliRunner().invoke(app, ["pdf", str(tmp_path / "report.html")])
    assert made.exit_code != 0
    assert "there is no such file" in str(made.exception) + made.output
