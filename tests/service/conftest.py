"""Both tiers of a small run, published once, and a service over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from small import small_country

from smallarea.release.tiers import TIERS
from smallarea.run.releasing import publish_tiers

pytest.importorskip("fastapi", reason="the extra `api` is not installed: no service is tested")


@dataclass(frozen=True)
class Reader:
    """Somebody who asks the service, with a token or without."""

    client: Any
    headers: dict[str, str]

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=self.headers | headers)


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of published tiers."""
    run = small_country(tmp_path_factory.mktemp("served") / "project").run()
    return publish_tiers(run, list(TIERS))[0].parent


@pytest.fixture
def service(releases: Path, tmp_path: Path) -> Callable[..., Reader]:
    """Readers of a service of their own: `service("partner")` has a partner's token."""
    from starlette.testclient import TestClient

    from smallarea.service.app import create_app
    from smallarea.service.diary import Diary
    from smallarea.service.door import Door
    from smallarea.service.pace import Pace
    from smallarea.service.tokens import add_token

    kept = tmp_path / "store" / "tokens.json"
    kept.parent.mkdir()
    diary = Diary(tmp_path / "store" / "service.log")
    made: dict[tuple[int, bool], Any] = {}

    def reader(tier: str | None = None, *, rate: int = 10_000, open: bool = True) -> Reader:
        if (rate, open) not in made:
            door = Door(kept, Pace(rate), diary, open)
            made[rate, open] = TestClient(create_app(releases, door), raise_server_exceptions=False)
        headers = {}
        if tier is not None:
            text = add_token(kept, f"{tier} {len(kept.read_text()) if kept.exists() else 0}", tier)
            headers = {"Authorization": f"Bearer {text}"}
        return Reader(made[rate, open], headers)

    return reader
