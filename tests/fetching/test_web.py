"""Servers that are slow, break off, send elsewhere, are ill, or send something else."""

from __future__ import annotations

import pytest

from smallarea.errors import InputError
from smallarea.fetching.web import Got, Patience, download

HASTY = Patience(tries=4, pause=0.01, silence=0.5, whole=20)
CONTENT = b"code,books\n" + b"t00,1\n" * 60_000


@pytest.fixture
def get(server, tmp_path):
    server.files["books.csv"] = CONTENT

    def fetch(vice, most=1e6, patience=HASTY, **more):
        return download(
            server.url(f"/{vice}/books.csv"),
            tmp_path / "part",
            most=most,
            patience=patience,
            **more,
        )

    return fetch


@pytest.mark.parametrize("vice", ["whole", "moved", "ill", "cut", "cut_unmarked", "packed"])
def test_the_whole_file_comes(get, vice):
    got = get(vice)
    assert got.path is not None
    assert got.path.read_bytes() == CONTENT
    assert [p.name for p in got.path.parent.iterdir()] == ["part"]


def test_what_broke_off_goes_on_and_is_not_sent_twice(get, server):
    get("cut")
    ranges = [headers.get("Range") for _, headers, _ in server.sent]
    assert len(ranges) == 3
    assert ranges[0] is None
    starts = [int(said[6:-1]) for said in ranges[1:]]
    assert 0.4 * len(CONTENT) < starts[0] <= len(CONTENT) // 2  # all but a block of what had come
    assert starts[0] < starts[1]


def test_it_goes_on_in_another_process(get, server):
    with pytest.raises(InputError, match=r"broke off|after 1 tries"):
        get("cut", patience=Patience(tries=1, pause=0))
    get("cut")
    assert server.sent[1][1]["Range"].startswith("bytes=1")


def test_a_file_that_changed_in_between_is_taken_from_its_beginning(get, server):
    with pytest.raises(InputError):
        get("cut", patience=Patience(tries=1, pause=0))
    server.files["books.csv"] = other = CONTENT.replace(b"1", b"2")
    path = get("cut").path
    assert path is not None
    assert path.read_bytes() == other


def test_unchanged_is_not_sent_again(get):
    first = get("whole")
    assert get("whole", known=Got(None, first.etag)) == Got(None)


@pytest.mark.parametrize(
    ("vice", "said"),
    [
        ("dead", "answers 500, after 4 tries"),
        ("page", "a web page came"),
        ("typed_page", "a web page came"),
        ("round", "one address to the next"),
        ("out", "cannot be asked"),
        ("endless", "more than 1,000,000 bytes"),
        ("closed", "answers 401"),
        ("missing", "answers 404"),
        ("nothing", "is empty"),
        ("silent", "silent, after"),
    ],
)
def test_what_cannot_be_had_is_said(get, vice, said, tmp_path):
    patience = Patience(tries=4, pause=0.01, silence=0.2) if vice == "silent" else HASTY
    with pytest.raises(InputError, match=said):
        get(vice, patience=patience)
    left = tmp_path / "part"
    assert not left.exists() or left.stat().st_size == 0


def test_a_final_answer_is_not_asked_for_again(get, server):
    for vice in ("missing", "page", "closed"):
        with pytest.raises(InputError):
            get(vice)
    assert set(server.asked.values()) == {1}


def test_too_large_is_refused_before_it_comes(get):
    with pytest.raises(InputError, match="more than 100 bytes"):
        get("whole", most=100)


def test_who_drips_is_left(get):
    with pytest.raises(InputError, match="too slow"):
        get("slow", patience=Patience(tries=1, silence=5, whole=0.3))


def test_nobody_there(tmp_path):
    with pytest.raises(InputError, match="no connection, after 2 tries"):
        download("http://127.0.0.1:9/x", tmp_path / "part", most=1, patience=Patience(2, 0.01))


def test_a_credential_opens_and_stays_with_its_host(get, tmp_path):
    path = get("closed", token="open-sesame").path
    assert path is not None
    assert path.read_bytes() == CONTENT
    with pytest.raises(InputError, match="only sent over https") as error:
        download("http://example.org/x", tmp_path / "part", most=1, token="open-sesame")
    assert "sesame" not in str(error.value)
