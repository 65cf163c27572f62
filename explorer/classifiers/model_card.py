"""Model cards: what a bundled classifier is, how it was made and what was measured of it, as JSON beside its weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from explorer.classifiers.classifier import ClassifierError

PGD = "PGD"


@dataclass(frozen=True)
class Accuracy:
    """Measured accuracy: on ``n`` images of ``data``, under ``attack`` in ``norm`` with ``epsilon``; 95 % Wilson interval."""

    data: str
    n: int
    norm: str
    epsilon: float
    steps: int
    accuracy: float
    low: float
    high: float
    attack: str = PGD


@dataclass(frozen=True)
class ModelCard:
    """``build`` is the :class:`~explorer.classifiers.small_net.NetworkConfig`, ``recipe`` the training recipe, as plain dicts;
    ``epochs`` how many were done;
    ``weights_digest`` the SHA-256 of the loaded weights (:attr:`Classifier.digest`)."""

    name: str
    title: str
    data: str
    training: str
    robust: bool
    labels: tuple[str, ...]
    gallery: str
    input_size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    network: dict[str, Any]
    recipe: dict[str, Any]
    parameters: int
    seed: int
    hardware: str
    epochs: int
    seconds: float
    versions: dict[str, str]
    weights_digest: str
    command: str
    accuracy: tuple[Accuracy, ...] = field(default=())

    def write(self, path: Path) -> None:
        path.write_text(
            json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )

    @classmethod
    def read(cls, path: Path) -> ModelCard:
        """Raises :class:`ClassifierError` when the file is no model card."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            rows = tuple(Accuracy(**row) for row in data.pop("accuracy"))
            for item in fields(cls):
                if isinstance(data.get(item.name), list):
                    data[item.name] = tuple(data[item.name])
            return cls(**data, accuracy=rows)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ClassifierError(f"{path} is not a readable model card: {error}") from None

    def at(self, epsilon: float, attack: str = PGD) -> Accuracy | None:
        """The first row measured at this L2 epsilon by this attack, if any; at 0 there is nothing to attack."""
        rows = (row for row in self.accuracy if row.epsilon == epsilon)
        return next((row for row in rows if epsilon == 0 or row.attack == attack), None)
