"""Results that were measured beforehand on images that do not come with the explorer.

Each is the ``recipe.json`` that a command wrote: the settings, the classifiers' digests, the rows
of the result, and the command that repeats it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from explorer.files import ASSETS

FOLDER = ASSETS / "measured"
UNIVERSAL, DISPUTE, DISPUTE_TRAINING = "universal", "dispute", "dispute_training"


@dataclass(frozen=True)
class Measured:
    """The ``rows`` of a result, and the ``command`` that they came from."""

    rows: list[dict[str, Any]]
    command: str


def measured(name: str) -> Measured | None:
    """The result called ``name``, one of the constants above; None if it is not installed."""
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        return None
    values = json.loads(path.read_text(encoding="utf-8"))
    return Measured(values["rows"], values["command"])
