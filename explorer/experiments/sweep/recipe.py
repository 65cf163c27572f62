"""All that is needed to ask a question about a set of images again: a JSON file, a command line."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass, field, replace

from explorer.experiments.one_image.recipe import common_precision, format_epsilon
from explorer.experiments.sweep.set_attack import SetAttack

FORMAT = 1
SWEEP, SMALLEST, TRANSFER = "sweep", "smallest", "transfer"  # the questions, and their commands


@dataclass(frozen=True)
class ModelRecord:
    """A classifier that was asked: its ``name``, where its weights came from, and what it used.

    ``weights_digest`` and ``images_digest`` are SHA-256 of its weights, and of the images as it
    takes them with its labels; ``precision`` is that of the gradients.
    """

    name: str
    weights: str | None = None
    weights_digest: str = ""
    images_digest: str = ""
    precision: str = "auto"


@dataclass(frozen=True)
class SetRecipe:
    """The settings of a question about many images, with names and digests in place of objects.

    ``images`` are pictures by path or ``gallery:KEY``, or ``data`` is the source of a data set;
    ``label`` is the class of all ``images``, by name or index. ``epsilons`` are the values asked
    for: none stands for the automatic scale of a sweep, and a smallest ε has none.
    """

    question: str
    models: tuple[ModelRecord, ...]
    attack: SetAttack
    epsilons: tuple[float, ...] = ()
    images: tuple[str, ...] = ()
    data: str | None = None
    limit: int | None = None
    label: str | None = None
    image_column: str | None = None
    label_column: str | None = None
    device: str = "cpu"
    threads: int | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The recipe as a JSON object, with the ``command`` that asks the same again.

        Both have the precision that was used, so that the command writes the same recipe.
        """
        pinned = replace(self, attack=replace(self.attack, precision=self._pinned_precision))
        values = {"format": FORMAT, "command": self.command(), **asdict(pinned)}
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    @property
    def precision(self) -> str:
        """The precision of the gradients; several, if the classifiers differ in it."""
        return ", ".join(dict.fromkeys(model.precision for model in self.models))

    @property
    def _pinned_precision(self) -> str:
        """What all classifiers used, so that another machine uses it too; else as it was asked."""
        return common_precision(each.precision for each in self.models) or self.attack.precision

    def command(self, out: str = "out") -> str:
        """The command that asks the same question and writes to the folder ``out``."""
        words = ["python", "-m", "explorer", self.question, *self.images]
        many = "--models" if self.question == TRANSFER else "--model"
        words += [many, *(model.name for model in self.models)]
        if any(model.weights for model in self.models):
            words += ["--weights", *(model.weights or "-" for model in self.models)]
        words += ["--norm", self.attack.norm]
        if self.epsilons:
            values = (exact_epsilon(epsilon, self.attack.norm) for epsilon in self.epsilons)
            words += ["--epsilon", *values]
        options: list[tuple[str, object, object]] = [
            ("--data", self.data, None),
            ("--image-column", self.image_column, None),
            ("--label-column", self.label_column, None),
            ("--limit", self.limit, None),
            ("--label", self.label, None),
            ("--steps", self.attack.steps, None),
            ("--restarts", self.attack.restarts, 1),
            ("--seed", self.attack.seed, 0),
            ("--precision", self._pinned_precision, "auto"),
        ]
        for option, value, default in options:
            if value != default:
                words += [option, str(value)]
        return shlex.join([*words, "--out", out])


def exact_epsilon(epsilon: float, norm: str) -> str:
    """The shortest text from which the same ε is read."""
    text = format_epsilon(epsilon, norm)
    numerator, *rest = text.split("/")
    value = float(numerator) / float(rest[0]) if rest else float(numerator)
    return text if value == epsilon else repr(epsilon)
