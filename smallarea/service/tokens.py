"""Who may read which tier: tokens, of which only salted hashes are kept."""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from smallarea.errors import InputError
from smallarea.files import read_object, writing
from smallarea.release.tiers import TIERS, tier_called

#: The tokens' file in a project's store, read and written by its owner alone.
TOKENS = "tokens.json"


@dataclass(frozen=True)
class Token:
    """A token as it is kept: whose, of which tier, and what its text must hash to."""

    name: str
    tier: str
    made: str
    salt: str
    hash: str

    def is_of(self, text: str) -> bool:
        """Whether the text is this token; takes the same time whatever it is."""
        return hmac.compare_digest(_hash(self.salt, text), self.hash)


def read_tokens(path: Path) -> list[Token]:
    """Return the tokens of a file; raise InputError if it is none. No file: no tokens."""
    if not path.exists():
        return []
    try:
        return [Token(**entry) for entry in (read_object(path) or {})["tokens"]]
    except (KeyError, TypeError):
        raise InputError(
            "this is no file of tokens",
            where=str(path),
            remedy="remove it and hand out new tokens with `smallarea token add`",
        ) from None


def add_token(path: Path, name: str, tier: str) -> str:
    """Keep a new token's hash and return its text, which is told once.

    Raises InputError if there is no such tier, or somebody of that name has a token.
    """
    tier_called(tier)
    kept = read_tokens(path)
    if not name.strip() or any(one.name == name for one in kept):
        raise InputError(
            f"the name {name!r} is empty or taken",
            where="smallarea token add",
            remedy="give another name, or revoke the present token first",
        )
    text, salt = secrets.token_urlsafe(32), secrets.token_hex(16)
    made = f"{datetime.now(UTC):%Y-%m-%d}"
    _write(path, [*kept, Token(name, tier, made, salt, _hash(salt, text))])
    return text


def revoke_token(path: Path, name: str) -> None:
    """Forget a token; raise InputError if nobody of that name has one."""
    kept = read_tokens(path)
    left = [one for one in kept if one.name != name]
    if len(left) == len(kept):
        raise InputError(
            f"nobody called {name!r} has a token",
            where=str(path),
            remedy="`smallarea token list` says who has",
        )
    _write(path, left)


def tier_of(tokens: list[Token], text: str) -> tuple[str, str] | None:
    """Return name and tier of the token with this text, or None.

    All tokens are compared, so that the time taken does not tell which one fits.
    """
    fits = [one for one in tokens if one.is_of(text)]
    return (fits[0].name, fits[0].tier) if fits else None


def may_read(granted: str, tier: str) -> bool:
    """Whether who was granted one tier may read another: a partner reads what is public too."""
    order = list(TIERS)
    return order.index(tier) <= order.index(granted)


def _hash(salt: str, text: str) -> str:
    return sha256(f"{salt}:{text}".encode()).hexdigest()


def _write(path: Path, tokens: list[Token]) -> None:
    with writing(path) as temporary:
        temporary.touch(mode=0o600)
        listed = {"tokens": [asdict(one) for one in tokens]}
        temporary.write_text(json.dumps(listed, indent=1), encoding="utf-8")
