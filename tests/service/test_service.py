"""What readers of the service get: with a token, with a wrong one, with none."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import stat
from pathlib import Path

import pandas as pd
import pytest

from smallarea.errors import InputError
from smallarea.files import sha256
from smallarea.run.record import MANIFEST, seal
from smallarea.spreadsheets import harmless_table

PATHS = (
    "/", "/report.html", "/README.md", "/landing", "/conformance", "/runs", "/indicators",
    "/areas", "/estimates", "/collections", "/collections/public", "/collections/public/items",
)  # fmt: skip
PARTNER = ("/report.html?tier=partner", "/collections/partner", "/collections/partner/items",
           "/areas?tier=partner",
           "/estimates?tier=partner", "/?tier=partner", "/indicators?tier=partner",
           "/areas/t01?tier=partner", "/collections/partner/items/t01")  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_what_is_public_needs_no_token_and_a_wrong_one_opens_nothing(service, path):
    assert service().get(path).status_code == 200
    assert service("public").get(path).status_code == 200
    assert service("partner").get(path).status_code == 200
    wrong = service().get(path, Authorization="Bearer no-such-token")
    assert wrong.status_code == 401
    assert wrong.json() == {"error": "no such token"}
    closed = service(open=False).get(path)
    assert closed.status_code == 401
    assert service("public", open=False).get(path).status_code == 200


@pytest.mark.parametrize("path", PARTNER)
def test_the_partner_tier_needs_a_partners_token(service, path):
    for reader in (service(), service("public")):
        answer = reader.get(path)
        assert answer.status_code == 403
        assert answer.json() == {"error": "your access is to the public tier"}
    assert service("partner").get(path).status_code == 200


def test_a_browser_may_give_a_token_as_a_password(service):
    from base64 import b64encode

    reader = service("partner")
    text = reader.headers["Authorization"].removeprefix("Bearer ")
    basic = b64encode(f"me:{text}".encode()).decode()
    assert service().get("/?tier=partner", Authorization=f"Basic {basic}").status_code == 200
    assert service().get("/", Authorization="Basic %%%").status_code == 401
    assert service().get("/", Authorization="Digest x").status_code == 401


def test_numbers_are_those_of_the_tier(service, releases):
    folder = next(path for path in releases.iterdir() if path.name.endswith("partner"))
    table = pd.read_parquet(folder / "estimates.parquet")
    partner = service("partner")
    rows = partner.get("/estimates?limit=2000").json()["estimates"]
    assert len(rows) == len(table)
    for row, (_, wanted) in zip(rows, table.iterrows(), strict=True):
        assert row["area_id"] == wanted["area_id"]
        assert row["q50"] == (None if pd.isna(wanted["q50"]) else wanted["q50"])
    one = partner.get("/estimates?indicator=left_rate&place=t03").json()["estimates"]
    assert [(row["area_id"], row["indicator"]) for row in one] == [("t03", "left_rate")]
    levels = partner.get("/estimates?level=shire&indicator=left").json()["estimates"]
    assert {row["name"] for row in levels} == {f"Shire {i}" for i in range(4)}
    said = partner.get("/indicators").json()
    assert {i["indicator"]: i["unit"] for i in said["indicators"]} == {
        "left": "people", "left_rate": "per 1,000 people"
    }  # fmt: skip
    assert said["means"]
    assert said["does_not_say"]


def test_a_place_below_the_public_tier_is_told_why(service):
    answer = service().get("/areas/t01").json()
    assert answer["released"] is False
    assert "numbers of this tier are by Shire" in answer["because"]
    assert set(answer) == {"area_id", "released", "because", "classes"}
    assert not re.search(r"q50|mean", json.dumps(answer))
    unknown = service().get("/areas/nowhere")
    assert unknown.status_code == 404
    assert "not released" in unknown.json()["error"]
    assert service().get("/collections/public/items/t01").status_code == 404


def test_every_link_of_the_map_leads_somewhere(service, releases):
    for tier in ("public", "partner"):
        folder = next(path for path in releases.iterdir() if path.name.endswith(tier))
        data = re.search(r'<script id="data"[^>]*>(.*?)</script>', service(tier).get("/").text)
        assert data is not None
        links = json.loads(data[1])["links"]
        assert set(links) == {"report", "readme"}
        for file in links.values():
            answer = service(tier).get(f"/{file}")
            assert answer.status_code == 200
            assert answer.content == (folder / file).read_bytes()
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_gis_finds_its_way_from_the_first_page(service):
    reader = service("partner")
    first = reader.get("/", Accept="application/json")
    assert first.json() == reader.get("/?f=json").json() == reader.get("/landing").json()
    links = {link["rel"]: link["href"] for link in first.json()["links"]}
    assert reader.get(links["service-desc"]).json()["openapi"].startswith("3.")
    assert "core" in reader.get(links["conformance"]).json()["conformsTo"][0]
    for one in reader.get(links["data"]).json()["collections"]:
        items = next(link["href"] for link in one["links"] if link["rel"] == "items")
        assert reader.get(items).json()["numberMatched"] == {"public": 4, "partner": 12}[one["id"]]
    assert "text/html" in reader.get("/", Accept="text/html,*/*").headers["content-type"]


def test_features_are_paged_and_found_by_a_box(service):
    reader = service("partner")
    seen, path = [], "/collections/partner/items?limit=5"
    while path:
        page = reader.get(path)
        assert page.headers["content-type"] == "application/geo+json"
        found = page.json()
        assert found["type"] == "FeatureCollection"
        assert found["numberMatched"] == 12
        assert found["numberReturned"] == len(found["features"])
        seen += [feature["id"] for feature in found["features"]]
        path = next((link["href"] for link in found["links"] if link["rel"] == "next"), None)
    assert seen == [f"t{i:02d}" for i in range(12)]
    one = reader.get("/collections/partner/items/t05").json()
    assert one["properties"]["left_q10"] <= one["properties"]["left_q50"]
    lon, lat = pd.DataFrame(one["geometry"]["coordinates"][0]).mean()[:2]
    box = f"{lon - 0.001},{lat - 0.001},{lon + 0.001},{lat + 0.001}"
    assert reader.get(f"/collections/partner/items?bbox={box}").json()["features"] == [one]
    far = reader.get("/collections/partner/items?bbox=100,0,110,10").json()
    assert far["features"] == []
    over = reader.get("/collections/partner/items?bbox=9,-90,-170,90").json()  # the date line
    assert over["numberMatched"] == 12


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/estimates?indicater=left", "no parameter 'indicater' here"),
        ("/areas?limit=0", "limit: "),
        ("/areas?limit=many", "limit: "),
        ("/areas?offset=-1", "offset: "),
        ("/collections/public/items?bbox=1,2,3", "bbox: "),
        ("/collections/public/items?bbox=1,9,3,2", "bbox: "),
        ("/collections/public/items?bbox=nan,0,1,1", "bbox: "),
        ("/collections/public/items?bbox=a,b,c,d", "bbox: "),
    ],
)
def test_a_bad_question_is_answered_in_a_sentence(service, path, message):
    answer = service().get(path)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(message)


def test_what_is_not_there_is_not_found(service):
    for path in ("/nope", "/estimates?level=planet", "/?tier=internal", "/?run=2020", "/docs"):
        answer = service().get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]


def test_it_can_only_be_read(service):
    client = service().client
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert client.request(method, "/areas").status_code == 405
    head = client.head("/areas")
    assert (head.status_code, head.content) == (200, b"")


def test_what_has_not_changed_is_not_sent_again(service):
    for reader, path in ((service(), "/"), (service("partner"), "/areas")):
        first = reader.get(path)
        again = reader.get(path, **{"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = reader.get("/areas?limit=1", **{"If-None-Match": first.headers["etag"]})
        assert other.status_code == 200
    assert "private" in service("partner").get("/areas").headers["cache-control"]


def test_answers_are_compressed_for_those_who_can_read_it(service, releases):
    page = next(releases.glob("*public/map.html")).read_bytes()
    client = service().client
    with client.stream("GET", "/", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert gzip.decompress(raw) == page
    with client.stream("GET", "/", headers={"Accept-Encoding": "identity"}) as answer:
        assert b"".join(answer.iter_raw()) == page


def test_every_answer_is_sent_safely_and_the_map_runs_its_own_scripts_only(service):
    for path in ("/", "/areas", "/nope", "/areas?limit=x"):
        headers = service().get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"].replace(
            "style-src 'unsafe-inline'", ""
        )
    assert headers["content-security-policy"].count("sha256-") == 0
    assert service().get("/").headers["content-security-policy"].count("sha256-") >= 1


def test_who_asks_too_often_is_asked_to_wait(service):
    reader = service(rate=3)
    assert [reader.get("/areas").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert int(reader.get("/areas").headers["retry-after"]) >= 1
    other = service("public", rate=3)  # a token is counted by itself
    assert other.get("/areas").status_code == 200
    guesses = [reader.get("/areas", Authorization=f"Bearer {i}").status_code for i in range(3)]
    assert guesses == [429] * 3  # wrong tokens are counted by address


def test_the_diary_names_tokens_and_routes_and_no_reader_and_no_place(service, tmp_path):
    reader = service("partner")
    reader.get("/areas/t01", **{"User-Agent": "Mozilla of somebody"})
    service().get("/estimates?place=t01")
    service().get("/", Authorization="Bearer wrong")
    path = tmp_path / "store" / "service.log"
    text = path.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["route"] for line in lines] == ["/areas/{area_id}", "/estimates", ""]
    assert [line["status"] for line in lines] == [200, 200, 401]
    assert [line["who"] for line in lines][1:] == ["anonymous", "wrong token"]
    for secret in ("t01", "testclient", "Mozilla", reader.headers["Authorization"][7:], "127.0"):
        assert secret not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_revoked_token_ends_at_once(service, tmp_path):
    from smallarea.service.tokens import read_tokens, revoke_token

    reader, kept = service("partner"), tmp_path / "store" / "tokens.json"
    assert reader.get("/areas").status_code == 200
    revoke_token(kept, read_tokens(kept)[0].name)
    assert reader.get("/areas").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/../manifest.json", "/%2e%2e/%2e%2e/etc/passwd", "/releases", "/estimates.parquet",
        "/collections/..%2f..%2f/items", "/areas/..%2f..%2fdraws.nc", "/?run=../..",
        "/manifest.json",
        "/collections/public/items/%00", "/areas/" + "x" * 5000, "/?tier=partner%00",
    ],
)  # fmt: skip
def test_no_file_is_reached_by_its_path(service, path):
    answer = service().client.get(path)
    assert answer.status_code in (400, 403, 404)
    assert "Traceback" not in answer.text
    assert "sha256" not in answer.text


def test_the_public_tier_tells_nothing_of_the_partners(service, releases):
    folder = next(path for path in releases.iterdir() if path.name.endswith("partner"))
    table = pd.read_parquet(folder / "estimates.parquet")
    told = {f"{value:.6g}" for value in table["q50"].dropna()} | {
        repr(float(value)) for value in table["q50"].dropna()
    }
    places = table["area_id"].unique()
    asked = [
        *PATHS,
        "/openapi.json",
        "/estimates?limit=2000",
        "/collections/public/items?limit=2000",
    ]
    asked += [f"/areas/{area}" for area in places] + [f"/estimates?place={a}" for a in places]
    reader = service()
    for path in asked[1:]:
        text = reader.get(path).text
        numbers = set(re.findall(r"[-+]?\d+\.\d{3,}", text))
        assert not numbers & told, path


def test_an_edited_tier_and_a_run_are_not_served(releases, tmp_path):
    from smallarea.service.shelf import read_shelves

    copy = shutil.copytree(releases, tmp_path / "releases")
    one = next(copy.glob("*public"))
    path = one / "levels.csv"
    path.write_text(path.read_text().replace("1", "2", 1))
    with pytest.raises(InputError, match=r"changed after it was published: levels.csv"):
        read_shelves(copy)
    shutil.rmtree(one)
    run = next(path for path in (releases.parent / "runs").iterdir() if (path / MANIFEST).is_file())
    shutil.copytree(run, copy / "run", symlinks=False)
    with pytest.raises(InputError, match="not a published tier, and only tiers are served"):
        read_shelves(copy)
    with pytest.raises(InputError, match="no published tier here"):
        read_shelves(Path(tmp_path / "nothing"))


def test_a_withheld_number_of_a_level_is_null_and_the_others_stay_numbers(releases, tmp_path):
    from smallarea.service.answers import Answers
    from smallarea.service.shelf import Shelf, read_shelf

    folder = next(path for path in releases.iterdir() if path.name.endswith("partner"))
    copy = shutil.copytree(folder, tmp_path / "tier")
    table = pd.read_csv(copy / "levels.csv", dtype=str, keep_default_na=False)
    table.loc[0, "mean"], table.loc[1, "name"] = "", "NA"
    table.to_csv(copy / "levels.csv", index=False)
    rows = Answers(Shelf(copy, read_shelf(folder).manifest)).shelf.levels.to_dict("records")
    said = Answers(Shelf(copy, read_shelf(folder).manifest)).estimates_of(
        None, None, rows[0]["level"]
    )
    assert said[0]["mean"] is None
    assert isinstance(said[0]["q50"], float)
    assert all(isinstance(row["mean"], float) for row in said[1:])
    assert rows[1]["name"] == "NA"


def test_public_tiers_of_one_run_by_several_levels_are_told_apart(releases, tmp_path):
    """A second one, by larger units, beside the first: here a copy that says so."""
    from smallarea.service.shelf import read_shelves

    for path in releases.iterdir():
        shutil.copytree(path, tmp_path / path.name)
    public = next(path for path in tmp_path.iterdir() if path.name.endswith("-public"))
    larger = Path(shutil.copytree(public, f"{public}-nation"))
    table = pd.read_parquet(larger / "estimates.parquet")
    table = table.drop(columns="nation").assign(name="Larger")
    table.to_parquet(larger / "estimates.parquet")
    manifest = json.loads((larger / MANIFEST).read_text())
    manifest["outputs"]["estimates.parquet"] = sha256(larger / "estimates.parquet")
    manifest |= {"tier": "public-nation", "place": "Nation"}
    (larger / MANIFEST).write_text(json.dumps(seal(manifest)))
    assert [t for _, t in read_shelves(tmp_path)] == ["public", "public-nation", "partner"]
    reader = served(tmp_path, tmp_path / "kept")
    (run,) = reader.get("/runs").json()["runs"]
    assert run["tiers"] == ["public", "public-nation"]
    names = {
        tier: {row["name"] for row in reader.get(f"/areas?tier={tier}").json()["areas"]}
        for tier in run["tiers"]
    }
    assert names["public-nation"] == {"Larger"}
    assert names["public"] == {f"Shire {i}" for i in range(4)}
    assert {row["name"] for row in reader.get("/areas").json()["areas"]} == names["public"]
    found = reader.get("/collections").json()["collections"]
    assert {one["id"]: one["description"] for one in found} == {
        "public": "Places: Shire", "public-nation": "Places: Nation",
    }  # fmt: skip
    items = reader.get("/collections/public-nation/items").json()["features"]
    assert {one["properties"]["name"] for one in items} == {"Larger"}
    assert reader.get("/areas?tier=public-planet").status_code == 404
    assert reader.get("/areas?tier=partner-shire").status_code == 403
    shutil.rmtree(public)  # alone it is what is public
    reader = served(tmp_path, tmp_path / "kept")
    assert {row["name"] for row in reader.get("/areas?tier=public").json()["areas"]} == {"Larger"}
    (run,) = reader.get("/runs").json()["runs"]
    assert run["tiers"] == ["public-nation"]


def served(releases: Path, kept: Path):
    """A reader without a token of the tiers in a folder."""
    from starlette.testclient import TestClient

    from smallarea.service.app import create_app
    from smallarea.service.diary import Diary
    from smallarea.service.door import Door
    from smallarea.service.pace import Pace

    kept.mkdir(exist_ok=True)
    door = Door(kept / "tokens.json", Pace(10_000), Diary(kept / "service.log"), True)
    return TestClient(create_app(releases, door), raise_server_exceptions=False)


def test_a_name_made_safe_for_spreadsheets_is_itself_in_json(releases, tmp_path):
    from smallarea.service.answers import Answers
    from smallarea.service.shelf import Shelf, read_shelf

    folder = next(path for path in releases.iterdir() if path.name.endswith("public"))
    copy = Path(shutil.copytree(folder, tmp_path / "tier"))
    table = pd.read_csv(copy / "levels.csv", dtype=str, keep_default_na=False)
    table["name"] = "=Isla & +Co"
    harmless_table(table).to_csv(copy / "levels.csv", index=False)
    classes = pd.read_csv(copy / "classes.csv", dtype=str, keep_default_na=False)
    classes["name"] = ["-Town", "'s-Town", *classes["name"][2:]]
    harmless_table(classes).to_csv(copy / "classes.csv", index=False)
    assert "'=Isla" in (copy / "levels.csv").read_text()
    one = Answers(Shelf(copy, read_shelf(folder).manifest))
    said = one.estimates_of(None, None, "nation")
    assert {row["name"] for row in said} == {"=Isla & +Co"}
    told = [one.place(area)["classes"][0]["name"] for area in classes["area_id"][:2]]
    assert told == ["-Town", "'s-Town"]
