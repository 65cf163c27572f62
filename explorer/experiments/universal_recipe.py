"""All that is needed to fit a universal perturbation again: a JSON file, a command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

import torch

from explorer.classifiers import Classifier
from explorer.engine import gradient_model
from explorer.experiments.fitting_images import ImageSource
from explorer.experiments.one_image.attack_image import versions
from explorer.experiments.sweep.recipe import exact_epsilon
from explorer.experiments.universal import Universal, UniversalAttack

FORMAT = 1


@dataclass(frozen=True)
class UniversalRecipe:
    """The settings, with names and digests in place of objects.

    The first of ``models`` is attacked and the others are shown the result. A recipe that was run
    has the SHA-256 of each classifier's ``weights`` by name, and what it was run with.
    """

    models: tuple[str, ...]
    attack: UniversalAttack
    source: ImageSource = field(default_factory=ImageSource)
    weights: Mapping[str, str] = field(default_factory=dict)
    precision: str = "auto"
    device: str = "cpu"
    threads: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)

    def with_surroundings(self, classifiers: Mapping[str, Classifier]) -> UniversalRecipe:
        """The same recipe with the digests, the precision, the device and the versions."""
        attacked = classifiers[self.models[0]]
        return replace(
            self,
            weights={name: each.digest for name, each in classifiers.items()},
            precision=gradient_model(attacked, self.attack.precision)[1],
            device=str(attacked.device),
            threads=torch.get_num_threads() if attacked.device.type == "cpu" else None,
            versions=versions(),
        )

    def to_json(self, result: Universal | None = None) -> str:
        """The recipe, the ``command`` that repeats it, and the ``rows`` of its result."""
        values = {"format": FORMAT, "command": self.command(), **asdict(self)}
        if result is not None:
            values |= {"fitted": result.fitted, "rows": universal_rows(result)}
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    def command(self, out: str = "out") -> str:
        """The command that does the same and writes into the folder ``out``."""
        attacked, *others = self.models
        attack = self.attack
        words = ["python", "-m", "explorer", "universal", *self.source.words(), "--model", attacked]
        words += ["--judge", *others] if others else []
        words += ["--norm", attack.norm, "--epsilon", exact_epsilon(attack.epsilon, attack.norm)]
        words += ["--steps", str(attack.steps), "--batch", str(attack.batch)]
        words += ["--seed", str(attack.seed)]
        if attack.precision != "auto":
            words += ["--precision", attack.precision]
        return shlex.join([*words, "--out", out])


def universal_rows(result: Universal) -> list[dict[str, object]]:
    """The result as a table: a row for δ and one for noise of its size, for each classifier."""
    return [
        {"change": change, **share.row()}
        for change, shares in (("universal", result.shares), ("noise", result.noise))
        for share in shares
    ]
