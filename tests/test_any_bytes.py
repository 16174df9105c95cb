"""Whatever the bytes: a parser of what people bring gives a result or one InputError."""

from __future__ import annotations

import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parsers import parsers

from smallarea.errors import InputError

NAMES = (
    "catalog", "table", "table of names", "workbook", "sheet", "flows", "points",
    "points of GeoJSON", "lines", "raster", "table register", "ages", "psgc register", "roster",
    "casework", "direct", "costs", "survey", "survey workbook", "survey sheet", "survey of Stata",
    "survey of SPSS", "groups", "columns", "manifest",
)  # fmt: skip
#: What stands in files that people spoil.
PIECES = st.sampled_from([
    b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b",", b",,,", b"\n", b"\n\n", b'"', b";", b"\t",
    b"nan", b"inf", b"-1", b"1e999", b"-inf", b"0.5", b"<5", b"1,234", b"many", b"\xe9", b"[",
    b"{", b"- ", b": ", b"? ", b"null", b"~", b"!!python/object:os.system x", b"&a ", b"*a",
    b"=1+1", b"</c>", b"<c r=\"XFD9\"><f>1+1</f></c>", b"<row r=\"1048576\"/>", b't="s"', b't="e"',
    b't="d"', b"99999999999999999999", b"12345678.0", b"\xed\xa0\x80", b"2020-13-45", b"\r", b"0",
])  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn, content: bytes) -> bytes:
    """Cut, repeat, overwrite parts of a valid file, a few times."""
    for _ in range(draw(st.integers(1, 4))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
        if draw(st.booleans()):
            end = min(end, start + draw(st.integers(0, 8)))
        piece = draw(PIECES | st.binary(max_size=6) | st.just(content[start:end] * 2))
        content = content[:start] + piece + content[end:]
    return content


@pytest.fixture(scope="module")
def every(squares):
    return parsers(squares)


def parse(every, name, content=None):
    file, valid, parser = every[name]
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / file
        path.write_bytes(valid if content is None else content)
        return parser(path)


def test_every_parser_is_named(every):
    assert set(every) == set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "manifest"])
def test_the_valid_file_is_read(every, name):
    parse(every, name)


def try_spoilt(every, name, data):
    content = data.draw(spoilt(every[name][1]))
    with suppress(InputError):
        parse(every, name, content)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_spoilt_file_is_read_or_refused(every, name, data):
    try_spoilt(every, name, data)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_many_spoilt_files_are_read_or_refused(every, name, data):
    try_spoilt(every, name, data)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(every, name, content):
    with suppress(InputError):
        parse(every, name, content)
