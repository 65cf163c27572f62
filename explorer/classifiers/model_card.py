"""Model cards: what a classifier is, how it was trained and its measured accuracy.

The card of a bundled classifier is a JSON file beside its weights.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from explorer.classifiers.classifier import RGB
from explorer.classifiers.error import ClassifierError
from explorer.errors import short

PGD = "PGD"


@dataclass(frozen=True)
class Accuracy:
    """Accuracy as a fraction, ``low`` to ``high`` its 95 % Wilson interval.

    It was measured on ``n`` images of ``data`` under ``attack`` in ``norm`` with ``epsilon``.
    """

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
    """The contents of a card.

    ``weights_digest`` is the :attr:`Classifier.digest` that the loaded weights must have, and
    ``resize`` the classifier's. ``network`` is the
    :class:`~explorer.classifiers.small_net.NetworkConfig` and ``recipe`` the training recipe, both
    as plain dicts. ``epochs`` says how many of the recipe's epochs were done. What is not known of
    a classifier that others trained has its default; ``command`` then measures its accuracy.
    """

    name: str
    title: str
    data: str
    training: str
    robust: bool
    labels: tuple[str, ...]
    gallery: str
    input_size: tuple[int, int]
    mean: RGB
    std: RGB
    parameters: int
    weights_digest: str
    command: str
    resize: int | None = None
    network: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    hardware: str = ""
    epochs: int | None = None
    seconds: float | None = None
    versions: dict[str, str] = field(default_factory=dict)
    accuracy: tuple[Accuracy, ...] = ()

    def to_json(self) -> str:
        """The text of the card's file."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> ModelCard:
        """The card in that file. Raises :class:`ClassifierError` when the file is no model card."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            rows = tuple(Accuracy(**row) for row in values.pop("accuracy"))
            for each in fields(cls):
                if isinstance(values.get(each.name), list):
                    values[each.name] = tuple(values[each.name])
            return cls(**values, accuracy=rows)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ClassifierError(f"{path} is not a readable model card: {short(error)}") from None

    def at(self, epsilon: float, attack: str = PGD) -> Accuracy | None:
        """The first accuracy measured at this ε under this attack, or None.

        At ε = 0 there is nothing to attack, so every attack's row will do.
        """
        rows = (row for row in self.accuracy if row.epsilon == epsilon)
        return next((row for row in rows if epsilon == 0 or row.attack == attack), None)
