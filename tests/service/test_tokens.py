"""Tokens are kept as hashes; how often one may ask is counted by reader."""

from __future__ import annotations

import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.service.pace import Pace
from smallarea.service.tokens import (
    add_token,
    may_read,
    read_tokens,
    revoke_token,
    tier_of,
)


def test_only_a_salted_hash_is_kept(tmp_path):
    path = tmp_path / "tokens.json"
    one, two = add_token(path, "one", "partner"), add_token(path, "two", "public")
    assert one not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = read_tokens(path)
    assert len({token.salt for token in kept}) == 2
    assert tier_of(kept, one) == ("one", "partner")
    assert tier_of(kept, two) == ("two", "public")
    assert tier_of(kept, one[:-1]) is None
    assert tier_of(kept, "") is None
    revoke_token(path, "one")
    assert tier_of(read_tokens(path), one) is None


def test_what_cannot_be_is_refused(tmp_path):
    path = tmp_path / "tokens.json"
    add_token(path, "one", "partner")
    for name, tier, message in (
        ("one", "public", "empty or taken"), (" ", "public", "empty or taken"),
        ("two", "internal", "no tier 'internal'"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=message):
            add_token(path, name, tier)
    with pytest.raises(InputError, match="nobody called 'three' has a token"):
        revoke_token(path, "three")
    path.write_text('{"tokens": [{"name": 1}]}')
    with pytest.raises(InputError, match="no file of tokens"):
        read_tokens(path)


def test_a_partner_reads_what_is_public_and_not_the_other_way():
    assert may_read("partner", "public")
    assert may_read("partner", "partner")
    assert not may_read("public", "partner")


def test_tokens_by_the_command_line(tmp_path):
    (tmp_path / ".smallarea").mkdir()
    run = CliRunner()
    made = run.invoke(app, ["token", "add", "Office", "--project", str(tmp_path)])
    text = made.stdout.strip()
    assert len(text) >= 40
    listed = run.invoke(app, ["token", "list", "--json", "--project", str(tmp_path)])
    (entry,) = json.loads(listed.stdout)
    assert (entry["name"], entry["tier"]) == ("Office", "partner")
    assert text not in listed.stdout
    ended = run.invoke(app, ["token", "revoke", "Office", "--project", str(tmp_path)])
    assert ended.exit_code == 0
    assert read_tokens(tmp_path / ".smallarea" / "tokens.json") == []


@given(st.lists(st.floats(0, 30), min_size=1, max_size=80), st.integers(1, 40))
def test_nobody_asks_more_often_than_a_full_bucket_and_the_rate(gaps, rate):
    now = [0.0]
    pace, allowed = Pace(rate, lambda: now[0]), 0
    for gap in gaps:
        now[0] += gap
        wait = pace.wait("one")
        allowed += wait == 0
        assert 0 <= wait <= 60 / rate + 1e-9
        assert allowed <= rate + now[0] * rate / 60 + 1e-6
    assert pace.wait("another") == 0
