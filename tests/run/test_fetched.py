"""`smallarea fetch` on the small project: what comes is kept, what breaks its entry is not used."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date, timedelta

import keyring
import keyring.backends.fail
import openpyxl
import pytest
from hostile import serving
from small import small_country
from typer.testing import CliRunner

import smallarea as sa
from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.fetching.state import read_state
from smallarea.fetching.web import Patience, credential
from smallarea.refreshing import fetch

HASTY = Patience(tries=2, pause=0.01, silence=0.5)
FILE = ".smallarea/downloads/files/books.csv"


@pytest.fixture
def server():
    with serving() as made:
        yield made


def declared(root, text):
    path = root / "data_catalog.yaml"
    content = path.read_text()
    path.write_text(content.replace("    kind: table\n", f"    kind: table\n{text}", 1))
    return sa.Project(root)


@pytest.fixture
def fetching(tmp_path, server):
    """A project whose books are on the server, not in its data folder."""
    root = small_country(tmp_path / "project").root
    server.files["books.csv"] = (root / "data" / "books.csv").read_bytes()
    (root / "data" / "books.csv").unlink()
    return declared(root, f"    url: {server.url('/whole/books.csv')}\n")


def test_it_comes_once_and_is_read_by_the_run(fetching, server):
    (one,) = fetch(fetching, patience=HASTY)
    assert (one.source, one.state) == ("books", "new")
    assert (fetching.root / FILE).read_bytes() == server.files["books.csv"]
    (again,) = fetch(fetching, patience=HASTY)
    assert again.state == "unchanged"
    assert server.sent[-1][1]["If-None-Match"]
    papers = json.loads(
        next((fetching.root / ".smallarea/snapshots/books").glob("*.papers.json")).read_text()
    )
    assert papers["url"] == fetching.catalog.sources["books"].url
    assert papers["etag"]
    assert "folder" not in papers
    run = fetching.run()
    (used,) = [e["sha256"] for e in run.manifest["inputs"] if e.get("source") == "books"]
    assert used == papers["sha256"]
    assert fetch(fetching, due=True) == []


def test_what_breaks_its_entry_is_set_aside_and_the_last_good_one_used(fetching, server):
    fetch(fetching)
    first = fetching.run()
    good = server.files["books.csv"]
    server.files["books.csv"] = b"code,books\nt00,-4\n"
    (one,) = fetch(fetching)
    assert one.state == "quarantined"
    assert "-4" in one.said or "less than" in one.said
    assert (fetching.root / FILE).read_bytes() == good
    (report,) = (fetching.root / ".smallarea/snapshots/books").glob("*.quarantine.md")
    assert str(report) in one.said
    (again,) = fetch(fetching)
    assert again.state == "quarantined"
    assert fetching.run().folder == first.folder
    shown = CliRunner().invoke(app, ["fetch", "--json", "--project", str(fetching.root)])
    assert shown.exit_code == 4
    assert json.loads(shown.stdout)[0]["state"] == "quarantined"
    server.files["books.csv"] = good + b"\n"
    assert fetch(fetching)[0].state == "new"


def test_an_entry_that_was_corrected_lifts_the_quarantine(fetching, server):
    server.files["books.csv"] = server.files["books.csv"].replace(b"t00,", b"t00,-")
    (one,) = fetch(fetching)
    assert one.state == "quarantined"
    assert "there is no good one" in one.said
    path = fetching.root / "data_catalog.yaml"
    path.write_text(path.read_text().replace("{min: 0}", "{min: -9}"))
    (one,) = fetch(sa.Project(fetching.root))
    assert one.state == "new"
    assert not list((fetching.root / ".smallarea/snapshots/books").glob("*.quarantine.md"))
    (fetching.root / FILE).unlink()  # it comes back from its snapshot
    assert fetch(sa.Project(fetching.root))[0].state == "new"
    assert (fetching.root / FILE).read_bytes() == server.files["books.csv"]


def test_a_file_in_the_data_folder_wins_and_that_is_said(fetching):
    (fetching.root / "data" / "books.csv").write_text("code,books\nt00,1\n")
    (one,) = fetch(fetching)
    assert one.good
    assert "not used, for" in one.said


def test_one_that_fails_leaves_the_others_and_the_last_good_one(fetching, server):
    fetch(fetching)
    root = fetching.root
    catalog = (root / "data_catalog.yaml").read_text()
    (root / "data_catalog.yaml").write_text(catalog.replace("/whole/", "/dead/"))
    project = sa.Project(root)
    (one,) = fetch(project, patience=HASTY)
    assert one.state == "failed"
    assert (root / FILE).is_file()
    state = read_state(root / ".smallarea", "books")
    assert "answers 500" in str(state.failed)
    project.run()


def test_the_declared_hash_is_held_to(fetching):
    project = declared(fetching.root, f"    sha256: {'ab' * 32}\n")
    (one,) = fetch(project)
    assert one.state == "failed"
    assert "abababababab... is declared" in one.said


def test_terms_stop_fetch_and_run(fetching, server):
    fetch(fetching)
    fetching.run()
    yesterday = date.today() - timedelta(days=1)
    for text in (f"agreement_ends: {yesterday}", f"retention_until: {yesterday}",
                 "purposes: [research]"):  # fmt: skip
        before = (fetching.root / "data_catalog.yaml").read_text()
        project = declared(fetching.root, f"    {text}\n")
        asked = server.asked.total()
        assert fetch(project)[0].state == "failed"
        assert server.asked.total() == asked
        with pytest.raises(InputError, match=r"source 'books': .*smallarea purge books"):
            project.run()
        with pytest.raises(InputError, match="purge books"):
            project.publish("public")
        with pytest.raises(InputError, match="purge books"):
            project.compare()
        (fetching.root / "data_catalog.yaml").write_text(before)
    project = declared(fetching.root, "    purposes: [research]\n")
    path = project.root / "data_catalog.yaml"
    path.write_text(path.read_text().replace("settings:\n", "settings:\n  purpose: research\n"))
    assert fetch(sa.Project(project.root))[0].good


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def get_password(self, service, username):
        return {("smallarea", "books"): "open-sesame"}.get((service, username))

    def set_password(self, service, username, password):
        raise NotImplementedError


@pytest.mark.parametrize("kept_in", ["environment", "keyring"])
def test_a_credential_is_written_nowhere(fetching, monkeypatch, kept_in):
    before = keyring.get_keyring()
    if kept_in == "environment":
        monkeypatch.setenv("SMALLAREA_TOKEN_BOOKS", "open-sesame")
    else:
        keyring.set_keyring(Ring())
    try:
        _see_that_it_is_written_nowhere(fetching)
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize("around", ["\n", " sesame", "\u00e9"])
def test_a_token_that_cannot_be_sent_is_not_shown(monkeypatch, around):
    monkeypatch.setenv("SMALLAREA_TOKEN_BOOKS", f"open{around}")
    with pytest.raises(InputError, match="cannot be sent") as error:
        credential("books")
    assert "open" not in str(error.value)


def test_without_a_keyring_there_is_no_credential():
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        assert credential("books") is None
    finally:
        keyring.set_keyring(before)


def _see_that_it_is_written_nowhere(fetching):
    path = fetching.root / "data_catalog.yaml"
    path.write_text(path.read_text().replace("/whole/", "/closed/"))
    project = sa.Project(fetching.root)
    assert fetch(project)[0].state == "new"
    project.run()
    files = [p for p in project.root.rglob("*") if p.is_file()]
    assert not [p for p in files if b"sesame" in p.read_bytes()]


def test_names_that_are_no_sources(fetching):
    with pytest.raises(InputError, match=r"no source 'bokks'.*books"):
        fetch(fetching, ["bokks"])


def test_a_file_address(fetching, tmp_path, server):
    (tmp_path / "away.csv").write_bytes(server.files["books.csv"])
    path = fetching.root / "data_catalog.yaml"
    text = path.read_text().replace(server.url("/whole/books.csv"), f"file://{tmp_path}/away.csv")
    path.write_text(text)
    assert [one.state for one in fetch(sa.Project(fetching.root))] == ["new"]
    assert [one.state for one in fetch(sa.Project(fetching.root))] == ["unchanged"]


def test_a_pxweb_table(fetching, server):
    codes = [f"t{i:02d}" for i in range(12)]
    server.answer = {
        "id": ["Town", "What"], "size": [12, 1], "role": {"metric": ["What"]},
        "dimension": {
            "Town": {"category": {"index": codes}},
            "What": {"category": {"label": {"books": "Books read"}}},
        },
        "value": list(range(12)),
    }  # fmt: skip
    path = fetching.root / "data_catalog.yaml"
    asked = "query: [{code: Town, selection: {filter: all, values: ['*']}}]"
    path.write_text(
        path.read_text().replace("key: {code: code}", f"key: {{code: Town}}\n    {asked}")
    )
    project = sa.Project(fetching.root)
    assert fetch(project)[0].state == "new"
    sent = json.loads(server.sent[-1][2])
    assert sent["response"] == {"format": "json-stat2"}
    assert sent["query"][0]["code"] == "Town"
    assert fetch(project)[0].state == "unchanged"
    values = project.run().folder / "features.csv"
    assert "books" in values.read_text()


def bomb():
    """A workbook whose sheet unpacks to a hundred million bytes."""
    text = io.BytesIO()
    with zipfile.ZipFile(text, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 100_000_000)
    return text.getvalue()


def book(cell):
    text = io.BytesIO()
    made = openpyxl.Workbook()
    made.active.append(["code", "books"])
    made.active.append(["t00", cell])
    made.save(text)
    return text.getvalue()


def climbing():
    """A workbook with a part that leads out of it, and one with an entity of the computer's."""
    text = io.BytesIO(book(1))
    with zipfile.ZipFile(text, "a") as archive:
        archive.writestr("../../../climbed", b"here")
    return text.getvalue()


def entity():
    good, text = io.BytesIO(book(1)), io.BytesIO()
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(text, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("sheet1.xml"):
                said = b'<!DOCTYPE w [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
                content = said + content.replace(b"<v>1</v>", b"<v>&e;</v>")
            new.writestr(name, content)
    return text.getvalue()


@pytest.mark.parametrize("make", [bomb, entity, lambda: book("=1+1"), lambda: b"PK\x03\x04"])
def test_hostile_workbooks_are_set_aside(fetching, server, make):
    server.files["books.csv"] = make()
    path = fetching.root / "data_catalog.yaml"
    path.write_text(path.read_text().replace("file: books.csv", "file: books.xlsx"))
    (one,) = fetch(sa.Project(fetching.root))
    assert one.state == "quarantined", one.said
    with pytest.raises(InputError):
        sa.Project(fetching.root).run()


def test_a_workbook_that_leads_out_leaves_nothing_outside(fetching, server, tmp_path):
    server.files["books.csv"] = climbing()
    path = fetching.root / "data_catalog.yaml"
    path.write_text(path.read_text().replace("file: books.csv", "file: books.xlsx"))
    fetch(sa.Project(fetching.root))
    assert not list(tmp_path.rglob("climbed"))


def test_a_file_on_s3(fetching, server):
    moto_server = pytest.importorskip("moto.server")
    fsspec = pytest.importorskip("fsspec")
    pytest.importorskip("s3fs")
    storage = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    storage.start()
    host, port = storage.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        files = fsspec.filesystem("s3", use_listings_cache=False, skip_instance_cache=True)
        files.mkdir("sources")
        files.pipe_file("sources/books.csv", server.files["books.csv"])
        path = fetching.root / "data_catalog.yaml"
        url = server.url("/whole/books.csv")
        path.write_text(path.read_text().replace(url, "s3://sources/books.csv"))
        project = sa.Project(fetching.root)
        assert [one.state for one in fetch(project)] == ["new"]
        assert [one.state for one in fetch(project)] == ["unchanged"]
        files.rm_file("sources/books.csv")
        assert "no such file is there" in fetch(project)[0].said
    storage.stop()


def test_lines_of_an_osm_extract(fetching, server):
    """OpenStreetMap's own XML, as extract services give it; read as any other layer of lines."""
    server.files["books.csv"] = OSM.encode()
    path = fetching.root / "data_catalog.yaml"
    url = server.url("/whole/books.csv")
    path.write_text(path.read_text().replace("sources:\n", ROADS.format(url=url), 1))
    fetched = fetch(sa.Project(fetching.root), ["roads"])
    assert [one.state for one in fetched] == ["new"], fetched[0].said


ROADS = """sources:
  roads:
    title: Roads
    publisher: OpenStreetMap
    licence: ODbL
    access: open
    file: roads.osm
    url: {url}
    kind: lines
    layer: lines
    cadence: weekly
    vintage: "2020"
    optional: true
    columns: {{highway: {{type: text}}}}
"""
OSM = """<?xml version='1.0' encoding='UTF-8'?>
<osm version="0.6"><node id="1" lat="50.0" lon="10.0" version="1"/>
<node id="2" lat="50.1" lon="10.1" version="1"/>
<way id="3" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way></osm>
"""
