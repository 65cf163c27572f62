"""All that is needed to repeat the two attacks of the dispute: a JSON file, a command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from explorer.classifiers import Classifier
from explorer.engine import gradient_model
from explorer.experiments.dispute import Dispute, DisputeAttack, dispute_rows
from explorer.experiments.surroundings import Surroundings, surroundings_of
from explorer.experiments.sweep.image_set import GALLERY
from explorer.experiments.sweep.recipe import exact_epsilon

FORMAT = 1


@dataclass(frozen=True)
class DisputeRecipe:
    """The settings, with names in place of objects, and what it ran with once it has.

    The first of ``models`` is attacked; ``ensemble`` are those of the others that the second attack
    is to spare. The first ``limit`` images of ``data`` are attacked.
    """

    models: tuple[str, ...]
    ensemble: tuple[str, ...]
    attack: DisputeAttack
    data: str = GALLERY
    limit: int | None = None
    surroundings: Surroundings | None = None

    def with_surroundings(self, classifiers: Mapping[str, Classifier]) -> DisputeRecipe:
        """The same recipe with what it runs with.

        The attacked classifier and the ensemble give gradients: what auto was for them is repeated
        by name where it was the same for all.
        """
        asked = self.attack.precision
        surroundings = surroundings_of(classifiers, asked)
        givers = (classifiers[name] for name in (self.models[0], *self.ensemble))
        used = {gradient_model(each, asked)[1] for each in givers}
        attack = replace(self.attack, precision=used.pop() if len(used) == 1 else asked)
        return replace(self, attack=attack, surroundings=surroundings)

    def to_json(self, result: Dispute) -> str:
        """The recipe, the ``command`` that repeats it, and the ``rows`` of its result."""
        values = {
            "format": FORMAT,
            "command": self.command(),
            **asdict(self),
            "rows": dispute_rows(result),
        }
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    def command(self, out: str = "out") -> str:
        """The command that does the same and writes into the folder ``out``."""
        attack, (attacked, *others) = self.attack, self.models
        words = ["python", "-m", "explorer", "dispute", "--model", attacked]
        words += ["--ensemble", *self.ensemble]
        judges = [name for name in others if name not in self.ensemble]
        words += ["--judge", *judges] if judges else []
        words += ["--data", self.data]
        words += [] if self.limit is None else ["--limit", str(self.limit)]
        words += ["--norm", attack.norm, "--epsilon", exact_epsilon(attack.epsilon, attack.norm)]
        words += ["--steps", str(attack.steps)]
        if attack.precision != "auto":
            words += ["--precision", attack.precision]
        return shlex.join([*words, "--out", out])
