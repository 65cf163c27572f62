"""A recipe: all that is needed to do an attack again. One recipe, three forms: a JSON file, the page's URL, a command line."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass, field, fields, replace
from fractions import Fraction
from typing import Any

from explorer.errors import UserError
from explorer.images.geometry import CENTRE, Crop

FORMAT = 1


class RecipeError(UserError):
    """A recipe that can't be read or used; the message says what is wrong."""


def format_epsilon(epsilon: float, norm: str) -> str:
    """``8/255`` for L∞ when ε is a whole number of 8-bit levels, ``1.785/255`` when not; a plain number for L2."""
    if norm != "linf":
        return f"{epsilon:g}"
    return f"{round(epsilon * 255, 4):g}/255"


def parse_crop(text: str) -> Crop:
    """``X,Y`` or ``X,Y,ZOOM`` as a crop. Raises :class:`RecipeError` for anything else."""
    try:
        numbers = [float(part) for part in text.split(",")]
        if len(numbers) not in (2, 3):
            raise ValueError("it is X,Y or X,Y,ZOOM, with X and Y from 0 to 1")
        return Crop(*numbers)
    except ValueError as error:
        raise RecipeError(f"{text!r} is not a crop: {error}") from None


def format_crop(crop: Crop) -> str:
    """The form that :func:`parse_crop` reads."""
    return f"{crop.x:.17g},{crop.y:.17g},{crop.zoom:.17g}"


def parse_number(text: str) -> float:
    """``0.03``, ``8/255`` or ``1.5/255`` as a float. Raises :class:`RecipeError` for anything else."""
    try:
        numerator, *rest = text.split("/")
        (denominator,) = rest or ["1"]  # ValueError where there are two strokes
        return float(Fraction(numerator.strip()) / Fraction(denominator.strip()))
    except (ValueError, ZeroDivisionError):
        raise RecipeError(f"{text!r} is not a number; write it as 0.03 or 8/255") from None


@dataclass(frozen=True)
class Recipe:
    """An attack on one image, in words that survive a process: names and digests instead of objects.

    ``image`` is where it came from (a path, or ``gallery:NAME``, or ``upload:NAME``), ``image_digest`` the SHA-256 of the
    attacked pixels as float32 [3, H, W], ``result_digest`` of the adversarial ones; ``weights_digest`` that of the weights.
    ``label`` and ``target`` are class indices (``label`` None: the model's own prediction). ``crop`` is the part of the picture
    that is attacked. ``versions``, ``device`` and ``precision`` are where and how it ran.
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
    seed: int = 0
    label: int | None = None
    target: int | None = None
    weights: str | None = None
    crop: Crop = CENTRE
    image_digest: str = ""
    weights_digest: str = ""
    result_digest: str = ""
    device: str = "cpu"
    precision: str = "auto"
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """Read :meth:`to_json`'s form. Raises :class:`RecipeError` when it is no recipe or of another format."""
        try:
            data: Any = json.loads(text)
        except ValueError as error:
            raise RecipeError(f"this is not a recipe: {error}") from None
        if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
            raise RecipeError(f"this is not a recipe of format {FORMAT}, as the explorer writes it")
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise RecipeError(
                f"the recipe has entries this version does not know: {', '.join(unknown)}"
            )
        try:
            if isinstance(data.get("crop"), dict):
                data["crop"] = Crop(**data["crop"])
            return cls(**data)
        except (TypeError, ValueError) as error:
            raise RecipeError(f"the recipe lacks something: {error}") from None

    def fgsm(self) -> Recipe:
        """The same with the fast gradient sign method: one full step from the image itself."""
        return replace(
            self,
            steps=1,
            step_size=self.epsilon,
            restarts=1,
            random_start=False,
            keep="last",
            precision="float32",
        )

    @property
    def is_fgsm(self) -> bool:
        """Whether this attack is FGSM."""
        return self.steps == 1 and self.step_size == self.epsilon and not self.random_start

    def with_classes(self, label: int | None, target: int | None) -> Recipe:
        """The same with these class indices."""
        return replace(self, label=label, target=target)

    def differences(self, again: Recipe) -> list[str]:
        """What differs in ``again``, this recipe run another time: inputs, result and surroundings, one phrase each."""
        found = []
        for name, what in (
            ("image_digest", "the image"),
            ("weights_digest", "the weights"),
            ("result_digest", "the adversarial image"),
        ):
            if getattr(self, name) and getattr(self, name) != getattr(again, name):
                found.append(
                    f"{what} is not the same"
                    if what != "the weights"
                    else "the weights are not the same"
                )
        for name, mine in {
            "device": self.device,
            "precision": self.precision,
            **self.versions,
        }.items():
            theirs = again.versions.get(name, getattr(again, name, None))
            if mine != theirs:
                found.append(f"{name}: was {mine}, is {theirs}")
        return found

    def command(self, out: str = "out") -> str:
        """The command line that does the same attack."""
        words = [
            "python",
            "-m",
            "explorer",
            "attack",
            self.image,
            "--model",
            self.model,
            "--norm",
            self.norm,
        ]
        words += ["--epsilon", format_epsilon(self.epsilon, self.norm), "--steps", str(self.steps)]
        options: list[tuple[str, object, object]] = [
            ("--weights", self.weights, None),
            ("--step-size", self.step_size, None),
            ("--label", self.label, None),
            ("--target", self.target, None),
            ("--restarts", self.restarts, 1),
            ("--loss", self.loss, "ce"),
            ("--keep", self.keep, "best"),
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
