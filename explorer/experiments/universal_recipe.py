"""All that is needed to fit a universal perturbation again: a JSON file, a command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from explorer.classifiers import Classifier
from explorer.experiments.fitting_images import ImageSource
from explorer.experiments.surroundings import Surroundings, surroundings_of
from explorer.experiments.sweep.recipe import exact_epsilon
from explorer.experiments.universal import Universal, UniversalAttack

FORMAT = 1


@dataclass(frozen=True)
class UniversalRecipe:
    """The settings, with names in place of objects, and what it ran with once it has.

    The first of ``models`` is attacked, and the others are shown the result.
    """

    models: tuple[str, ...]
    attack: UniversalAttack
    source: ImageSource = field(default_factory=ImageSource)
    surroundings: Surroundings | None = None

    def with_surroundings(self, classifiers: Mapping[str, Classifier]) -> UniversalRecipe:
        """The same recipe with what it runs with."""
        surroundings = surroundings_of(classifiers, self.attack.precision)
        # Only the attacked classifier gives gradients: what auto was for it is repeated by name.
        attack = replace(self.attack, precision=surroundings.precision)
        return replace(self, attack=attack, surroundings=surroundings)

    def to_json(self, result: Universal) -> str:
        """The recipe, the ``command`` that repeats it, and the ``rows`` of its result."""
        values = {
            "format": FORMAT,
            "command": self.command(),
            **asdict(self),
            "fitted": result.fitted,
            "rows": universal_rows(result),
        }
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    def command(self, out: str = "out") -> str:
        """The command that does the same and writes into the folder ``out``."""
        attack = self.attack
        words = ["python", "-m", "explorer", "universal", *self.source.words()]
        words += judged_words(self.models)
        words += ["--norm", attack.norm, "--epsilon", exact_epsilon(attack.epsilon, attack.norm)]
        words += ["--steps", str(attack.steps), "--batch", str(attack.batch)]
        words += ["--seed", str(attack.seed)]
        words += [] if attack.precision == "auto" else ["--precision", attack.precision]
        return shlex.join([*words, "--out", out])


def judged_words(models: tuple[str, ...]) -> list[str]:
    """The options that name the attacked classifier and the others."""
    attacked, *others = models
    return ["--model", attacked, *(["--judge", *others] if others else [])]


def universal_rows(result: Universal) -> list[dict[str, object]]:
    """The result as a table: a row for δ and one for noise of its size, for each classifier."""
    return [
        {"change": change, **share.row()}
        for change, shares in (("universal", result.shares), ("noise", result.noise))
        for share in shares
    ]
