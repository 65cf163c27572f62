"""A recipe: all that is needed to repeat an attack, as a JSON file or a command line."""

from __future__ import annotations

import json
import reprlib
import shlex
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace

from explorer.attacks.settings import PLAIN
from explorer.errors import UserError
from explorer.experiments.one_image.numbers import RecipeError as RecipeError
from explorer.experiments.one_image.numbers import parse_number as parse_number
from explorer.images.geometry import CENTRE, Crop

FORMAT = 1
CONFIDENCE_TOLERANCE = 0.001  # below it two runs of one attack agree in what a classifier says
PREDICTIONS = f"predictions (confidences within {100 * CONFIDENCE_TOLERANCE:g} percentage points)"


def format_epsilon(epsilon: float, norm: str) -> str:
    """``8/255`` or ``1.785/255`` (8-bit levels) for L∞; ``0.5`` for L2."""
    if norm != "linf":
        return f"{epsilon:g}"
    return f"{round(epsilon * 255, 4):g}/255"


def common_precision(precisions: Iterable[str]) -> str | None:
    """The precision that all attacks used; None where they differ, as "auto" chose for each."""
    used = set(precisions)
    return used.pop() if len(used) == 1 else None


def parse_crop(text: str) -> Crop:
    """The crop that ``X,Y`` or ``X,Y,ZOOM`` stands for. Raises :class:`RecipeError`."""
    try:
        numbers = [float(part) for part in text.split(",")]
        if len(numbers) not in (2, 3):
            raise RecipeError("it is X,Y or X,Y,ZOOM, with X and Y from 0 to 1")
        return Crop(*numbers)
    except ValueError as error:
        reason = error if isinstance(error, UserError) else "it must be two or three numbers"
        raise RecipeError(f"{reprlib.repr(text)} is not a crop: {reason}") from None


def format_crop(crop: Crop) -> str:
    """The text that :func:`parse_crop` reads."""
    return f"{crop.x:.17g},{crop.y:.17g},{crop.zoom:.17g}"


def precision_note(wanted: Recipe, used: Recipe) -> str | None:
    """What to say where an attack could not use the precision that its recipe asked for."""
    if wanted.precision in ("auto", used.precision):
        return None
    return (
        f"This classifier can't be attacked in {wanted.precision} here: no copy of it agrees with "
        f"it. The gradients are in {used.precision}, so the result may differ from the one before."
    )


@dataclass(frozen=True)
class RecordedPrediction:
    """What a classifier said of an image: the class's ``name``, and its ``confidence``."""

    name: str
    confidence: float

    def __str__(self) -> str:
        return f"{self.name} {100 * self.confidence:.2f} %"

    def agrees_with(self, other: RecordedPrediction | None) -> bool:
        """Whether the name is the same and the confidence, within the tolerance."""
        return (
            other is not None
            and self.name == other.name
            and abs(self.confidence - other.confidence) <= CONFIDENCE_TOLERANCE
        )


@dataclass(frozen=True)
class Recipe:
    """The settings of an attack on one image, with names and digests in place of objects.

    ``image`` says where the picture comes from: a path, ``gallery:NAME`` or ``upload:NAME``;
    ``crop`` is the part of it that is attacked. ``label`` and ``target`` are class indices
    (``label`` None: the classifier's prediction; ``target`` None: any wrong class). ``effort`` is
    "thorough" where further attacks follow on the one described (see
    :mod:`explorer.experiments.effort`), or empty. The other settings are those of
    :class:`~explorer.attacks.PGD`.

    A recipe that was run also has SHA-256 digests, of the attacked and the adversarial pixels
    (``image_digest`` and ``result_digest``, as float32 [3, H, W]) and of the weights, and the
    ``device``, ``precision`` and ``versions`` that it was run with. ``original`` and
    ``adversarial`` are what the classifier said of the two images. ``threads`` is the number of
    CPU threads, with which it is repeated: in float32 it can change the last bits.
    """

    image: str
    model: str
    norm: str
    epsilon: float
    steps: int
    step_size: float | None = None
    restarts: int = 1
    random_start: bool = True
    loss: str = "ce"
    keep: str = "best"
    rule: str = PLAIN
    effort: str = ""
    seed: int = 0
    label: int | None = None
    target: int | None = None
    weights: str | None = None
    crop: Crop = CENTRE
    image_digest: str = ""
    weights_digest: str = ""
    result_digest: str = ""
    original: RecordedPrediction | None = None
    adversarial: RecordedPrediction | None = None
    device: str = "cpu"
    precision: str = "auto"
    threads: int | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The recipe as a JSON object, which ``recipe_file.read_recipe`` reads."""
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=False)

    def fgsm(self) -> Recipe:
        """The same recipe with the fast gradient sign method: one full step from the image."""
        return replace(
            self,
            steps=1,
            step_size=self.epsilon,
            restarts=1,
            random_start=False,
            keep="last",
            rule=PLAIN,
            effort="",
            precision="float32",
        )

    @property
    def is_fgsm(self) -> bool:
        """Whether this attack is FGSM."""
        return self.steps == 1 and self.step_size == self.epsilon and not self.random_start

    def with_classes(self, label: int | None, target: int | None) -> Recipe:
        """The same recipe with these class indices."""
        return replace(self, label=label, target=target)

    def differences(self, other: Recipe) -> list[str]:
        """What differs in ``other``, a second run of this recipe: one phrase each."""
        digests = (
            (self.image_digest, other.image_digest, "the image is not the same"),
            (self.weights_digest, other.weights_digest, "the weights are not the same"),
            (self.result_digest, other.result_digest, "the adversarial image is not the same"),
        )
        differences = [phrase for mine, others, phrase in digests if mine and mine != others]
        differences += [
            f"the prediction for the {what} image: was {mine}, is {others}"
            for mine, others, what in (
                (self.original, other.original, "original"),
                (self.adversarial, other.adversarial, "adversarial"),
            )
            if mine is not None and not mine.agrees_with(others)
        ]
        before, after = self._surroundings(), other._surroundings()
        for name, value in before.items():
            if value not in (after.get(name), "auto"):  # a request, and no result
                differences.append(f"{name}: was {value}, is {after.get(name)}")
        return differences

    @property
    def not_compared(self) -> list[str]:
        """What :meth:`differences` can't compare, as this recipe has no record of it."""
        return [name for name, record in self._records().items() if not record]

    @property
    def compared(self) -> list[str]:
        """What :meth:`differences` compares."""
        return [name for name, record in self._records().items() if record]

    def _records(self) -> dict[str, bool]:
        return {
            "image": bool(self.image_digest),
            "weights": bool(self.weights_digest),
            "adversarial image": bool(self.result_digest),
            PREDICTIONS: None not in (self.original, self.adversarial),
        }

    def _surroundings(self) -> dict[str, str]:
        threads = {} if self.threads is None else {"threads": str(self.threads)}
        return {"device": self.device, "precision": self.precision, **threads, **self.versions}

    def command(self, out: str = "out") -> str:
        """The command that runs the same attack and writes to the folder ``out``."""
        words = ["python", "-m", "explorer", "attack", self.image, "--model", self.model]
        words += ["--norm", self.norm, "--epsilon", format_epsilon(self.epsilon, self.norm)]
        words += ["--steps", str(self.steps)]
        options: list[tuple[str, object, object]] = [
            ("--weights", self.weights, None),
            ("--step-size", self.step_size, None),
            ("--label", self.label, None),
            ("--target", self.target, None),
            ("--restarts", self.restarts, 1),
            ("--loss", self.loss, "ce"),
            ("--keep", self.keep, "best"),
            ("--rule", self.rule, PLAIN),
            ("--effort", self.effort, ""),
            ("--seed", self.seed, 0),
            ("--precision", self.precision, "auto"),
        ]
        for option, value, default in options:
            if value != default:
                words += [option, f"{value:.17g}" if isinstance(value, float) else str(value)]
        if not self.random_start:
            words.append("--no-random-start")
        if self.crop != CENTRE:
            words += ["--crop", format_crop(self.crop)]
        return shlex.join([*words, "--out", out])
