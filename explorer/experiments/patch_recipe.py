"""All that is needed to fit a patch again: a JSON file, a command line, and its targets by name."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from explorer.attacks import AttackError
from explorer.classifiers import Classifier
from explorer.experiments.compare import matching_class
from explorer.experiments.fitting_images import ImageSource
from explorer.experiments.patch import Patch, PatchAttack
from explorer.experiments.surroundings import Surroundings, surroundings_of
from explorer.experiments.sweep.image_set import GALLERY
from explorer.experiments.universal_recipe import judged_words

FORMAT = 1
GALLERY_SOURCE = ImageSource(GALLERY, test=GALLERY)  # the same pictures, at other places


@dataclass(frozen=True)
class PatchRecipe:
    """The settings, with names in place of objects, and what it ran with once it has.

    The first of ``models`` is attacked, and the others are shown the result. ``target`` is the name
    of the class that the patch is to be taken for.
    """

    models: tuple[str, ...]
    target: str
    attack: PatchAttack
    source: ImageSource = field(default=GALLERY_SOURCE)
    surroundings: Surroundings | None = None

    def with_surroundings(self, classifiers: Mapping[str, Classifier]) -> PatchRecipe:
        """The same recipe with what it runs with."""
        surroundings = surroundings_of(classifiers, self.attack.precision)
        # Only the attacked classifier gives gradients: what auto was for it is repeated by name.
        attack = replace(self.attack, precision=surroundings.precision)
        return replace(self, attack=attack, surroundings=surroundings)

    def to_json(self, result: Patch) -> str:
        """The recipe, the ``command`` that repeats it, and the ``rows`` of its result."""
        values = {
            "format": FORMAT,
            "command": self.command(),
            **asdict(self),
            "fitted": result.fitted,
            "rows": patch_rows(result),
        }
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    def command(self, out: str = "out") -> str:
        """The command that does the same and writes into the folder ``out``."""
        attack = self.attack
        words = ["python", "-m", "explorer", "patch"]
        if self.source != GALLERY_SOURCE:
            words += self.source.words()
        words += [*judged_words(self.models), "--target", self.target]
        words += ["--area", f"{attack.area:g}", "--rotation", f"{attack.rotation:g}"]
        words += ["--steps", str(attack.steps), "--batch", str(attack.batch)]
        words += ["--seed", str(attack.seed)]
        words += [] if attack.precision == "auto" else ["--precision", attack.precision]
        return shlex.join([*words, "--out", out])


def targets_of(classifiers: Mapping[str, Classifier], target: int) -> dict[str, int]:
    """The class with the name of the first classifier's class ``target``, for each by name.

    Raises :class:`AttackError` for a classifier that has none.
    """
    first = next(iter(classifiers.values()))
    targets: dict[str, int] = {}
    for name, each in classifiers.items():
        index = matching_class(target, first.labels, each.labels)
        if index is None:
            raise AttackError(
                f"{name} has no class {first.labels[target]!r}; choose another target or other "
                "classifiers"
            )
        targets[name] = index
    return targets


def patch_rows(result: Patch) -> list[dict[str, object]]:
    """The result as a table: a row for the patch and one for noise, for each classifier."""
    return [
        {"patch": patch, **share.row()}
        for patch, shares in (("fitted", result.shares), ("noise", result.noise))
        for share in shares
    ]
