"""What every stage is given: catalog, settings, resolved inputs, the store, profile and seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smallarea.run.code import source_hash
from smallarea.run.stages import seed_of

if TYPE_CHECKING:
    from smallarea.catalog import Catalog
    from smallarea.indicators import Indicators
    from smallarea.run.inputs import Inputs
    from smallarea.run.stages import StageStore
    from smallarea.settings import Settings


@dataclass(frozen=True)
class Job:
    """One run to be made; nothing in it changes while the stages run.

    fit : folder of the stage whose fitted models are used; None: they are fitted.
    top_k : the k of "among the k highest areas", known when the frame is: see `run.frame.framed`.
    """

    catalog: Catalog
    settings: Settings
    indicators: Indicators
    inputs: Inputs
    store: StageStore
    profile: str
    seed: int
    top_k: int = 0
    fit: Path | None = None

    @property
    def draws(self) -> int:
        """Number of draws in which every estimate travels, by the profile."""
        return self.settings.draws_of(self.profile)

    def seed_of(self, part: str) -> int:
        """Derive one part's seed from the run's, so that no two parts share random numbers."""
        return seed_of(self.seed, part)

    def code(self, entry: str, content: Path | None = None) -> str:
        """Hash what a stage's module imports, and a folder of the project's own files with it."""
        own = sorted(content.glob("*.py")) if content is not None else []
        return source_hash([Path(entry), *own])
