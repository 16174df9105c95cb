"""Bad files of every table that people bring: one sentence each; and names that stay inside."""

from __future__ import annotations

import subprocess
import sys

import pytest
from parsers import parsers
from small import CATALOG, small_country
from typer.testing import CliRunner

from smallarea.areas import build_frame
from smallarea.catalog import Source, load_catalog, locate, snapshot
from smallarea.cli import app
from smallarea.errors import InputError, InputWarning
from smallarea.options import show

TABLES = ("roster", "casework", "costs", "direct", "survey", "groups", "table", "ages")
BINARY = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


@pytest.fixture(scope="module")
def every(squares):
    return parsers(squares)


def lines(content):
    return content.decode().splitlines()


BAD = {
    "binary": lambda content: BINARY,
    "empty": lambda content: b"",
    "header alone": lambda content: lines(content)[0].encode(),
    "no header": lambda content: "\n".join(lines(content)[1:]).encode(),
    "a web page": lambda content: b"<!DOCTYPE html><html><body>404</body></html>",
    "a zip": lambda content: b"PK\x03\x04" + bytes(60),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_is_no_such_table(every, tmp_path, name, kind):
    file, valid, parse = every[name]
    (tmp_path / file).write_bytes(BAD[kind](valid))
    with pytest.raises(InputError, match=file.replace(".", r"\.")):
        parse(tmp_path / file)


OTHERWISE = {
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "semicolons": lambda text: text.replace(",", ";").encode(),
}


@pytest.mark.parametrize("name", ["roster", "casework", "costs", "direct", "table", "ages"])
@pytest.mark.parametrize("dialect", OTHERWISE)
def test_a_file_written_otherwise_is_the_same_file(every, tmp_path, name, dialect):
    file, valid, parse = every[name]
    (tmp_path / file).write_bytes(valid)
    plain = parse(tmp_path / file)
    (tmp_path / file).write_bytes(OTHERWISE[dialect](valid.decode()))
    assert repr(parse(tmp_path / file)) == repr(plain)


@pytest.mark.parametrize("name", TABLES)
def test_a_header_that_stands_twice(every, tmp_path, name):
    file, valid, parse = every[name]
    twice = [f"{line},{line.split(',')[0]}" for line in lines(valid)]
    (tmp_path / file).write_text("\n".join(twice))
    with pytest.raises(InputError, match="several columns"):
        parse(tmp_path / file)


@pytest.mark.parametrize("name", TABLES)
def test_a_missing_column(every, tmp_path, name):
    file, valid, parse = every[name]
    dropped = 1 if name == "survey" else 0  # a survey without ids is numbered
    kept = [line.split(",") for line in lines(valid)]
    (tmp_path / file).write_text(
        "\n".join(",".join(c for i, c in enumerate(line) if i != dropped) for line in kept)
    )
    with pytest.raises(InputError):
        parse(tmp_path / file)


@pytest.mark.parametrize(
    "name", ["casework", "costs", "direct", "groups", "table", "ages", "survey"]
)
@pytest.mark.parametrize("cell", ["-1", "many", "inf", "NaN?", "1e999"])
def test_a_cell_that_is_no_count(every, tmp_path, name, cell):
    file, valid, parse = every[name]
    told = [line.split(",") for line in lines(valid)]
    told[1][{"direct": 2, "groups": 2, "ages": 2}.get(name, 1)] = cell
    (tmp_path / file).write_text("\n".join(map(",".join, told)))
    with pytest.raises(InputError, match=r"row 1|row 2|teachers|respondent a"):
        parse(tmp_path / file)


def test_a_roster_is_read_as_it_was_listed(every, tmp_path):
    file, valid, parse = every["roster"]
    (tmp_path / file).write_bytes(b"\xef\xbb\xbf" + valid)
    read = parse(tmp_path / file)
    assert read["occupation"].isna().tolist() == [False, True, False]
    assert read["respondent_id"].tolist() == ["a", "a", "b"]
    (tmp_path / file).write_text("respondent_id,age_group,occupation\n,18-29,teachers\n")
    with pytest.raises(InputError, match=r"roster.csv, column 'respondent_id', row 2"):
        parse(tmp_path / file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_catalog_in_any_encoding_is_the_same(tmp_path, encoding):
    text = CATALOG.replace("Books read", "Libros leídos en Łódź")
    (tmp_path / "data_catalog.yaml").write_bytes(text.encode(encoding))
    assert load_catalog(tmp_path / "data_catalog.yaml").sources["books"].title[-4:] == "Łódź"


def test_an_old_encoding_is_guessed_and_said(tmp_path):
    text = CATALOG.replace("Books read", "Libros leídos").encode("latin-1")
    (tmp_path / "data_catalog.yaml").write_bytes(text)
    with pytest.warns(InputWarning, match="not UTF-8; it was read as windows-1252"):
        catalog = load_catalog(tmp_path / "data_catalog.yaml")
    assert catalog.sources["books"].title == "Libros leídos"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (BINARY, "not|no text"),
        ("[" * 5000, "nested too deeply"),
        ("a: &a [*a]", "data_catalog.yaml"),
        ("? [a]\n: 1", "data_catalog.yaml"),
        ("a: 2020-13-45", "not what YAML allows"),
        ("frame: {levels: 3}\nsources: {a: 1}", "sources > a"),
    ],
)
def test_a_catalog_that_is_none(tmp_path, content, said):
    content = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "data_catalog.yaml").write_bytes(content)
    with pytest.raises(InputError, match=said):
        load_catalog(tmp_path / "data_catalog.yaml")


OUTSIDE = ["../secret.csv", "/etc/passwd", "a/../../x.csv", "C:/x.csv", "..\\x.csv", "", "a\x00b"]


def declared(name="s", file="s.csv"):
    papers = dict.fromkeys(("title", "publisher", "licence", "cadence", "vintage"), "x")
    key = {"code": "code"}
    return Source(name=name, file=file, kind="table", access="open", key=key, **papers)


@pytest.mark.parametrize("file", OUTSIDE)
def test_a_file_outside_of_the_project_is_refused(tmp_path, file):
    with pytest.raises(ValueError, match="no file below the project's folders"):
        declared(file=file)
    path = tmp_path / "data_catalog.yaml"
    for entry in ("file: books.csv", "file: towns.csv"):
        quoted = file.replace("\\", "\\\\").replace("\x00", "\\0")
        path.write_text(CATALOG.replace(entry, f'file: "{quoted}"'))
        with pytest.raises(InputError, match="no file below the project's folders"):
            build_frame(load_catalog(path), [tmp_path])


@pytest.mark.parametrize("name", ["..", "a/b", "../../x", "/x", "", ".x", "a\\b", "x" * 101, "a b"])
def test_a_name_that_is_no_folder_is_refused(name):
    with pytest.raises(ValueError, match="a source's name"):
        declared(name=name)


def test_a_link_that_leaves_the_folder_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "secret.csv").write_text("secret")
    (tmp_path / "data" / "s.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(InputError, match="a link that leaves the folder"):
        snapshot(declared(), [tmp_path / "data"], tmp_path / "store")
    assert not (tmp_path / "store").exists()
    (tmp_path / "data" / "inner.csv").write_text("x")
    (tmp_path / "data" / "s.csv").unlink()
    (tmp_path / "data" / "s.csv").symlink_to("inner.csv")
    assert locate(declared(), [tmp_path / "data"]) is not None
    (tmp_path / "linked").symlink_to(tmp_path / "data")
    assert locate(declared(), [tmp_path / "linked"]) is not None


NAME = "[red]x[bold] :smile: [link=x]"


def test_messages_are_printed_as_they_are(tmp_path):
    folder = tmp_path / NAME
    printed = CliRunner().invoke(app, ["status", "--project", str(folder)])
    assert NAME in str(printed.exception)
    made = subprocess.run(
        [sys.executable, "-m", "smallarea", "nsum", f"{NAME}.csv", "--groups", "g.csv"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 3
    assert f"error {NAME}.csv: no such file" in made.stderr


def test_signs_that_steer_a_terminal_are_written_out(capsys):
    show("warning \x1b[2Jgone \u202eturned \ud800 São Paulo")
    said = capsys.readouterr().out
    assert said == "warning \\x1b[2Jgone \\u202eturned \\ud800 São Paulo\n"


def test_a_bad_file_of_a_run_is_one_sentence(tmp_path):
    project = small_country(tmp_path / "project")
    (project.root / "data" / "direct.csv").write_bytes(BINARY)
    told = CliRunner().invoke(app, ["run", "--project", str(project.root), "--quiet"])
    assert isinstance(told.exception, InputError)
    assert told.exception.where == "direct.csv"
