"""A recipe: all that is needed to do an attack again. One recipe, three forms: a JSON file, the page's URL, a command line."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from typing import Any

FORMAT = 1


class RecipeError(ValueError):
    """A recipe that can't be read or used; the message says what is wrong."""


def format_epsilon(epsilon: float, norm: str) -> str:
    """``8/255`` for L∞ when ε is a whole number of 8-bit levels, ``1.785/255`` when not; a plain number for L2."""
    if norm != "linf":
        return f"{epsilon:g}"
    return f"{round(epsilon * 255, 4):g}/255"


def parse_number(text: str) -> float:
    """``0.03``, ``8/255`` or ``1.5/255`` as a float. Raises :class:`RecipeError` for anything else."""
    numerator, _, denominator = text.strip().partition("/")
    try:
        value = float(Fraction(numerator.strip()) / Fraction(denominator.strip() or "1"))
    except (ValueError, ZeroDivisionError):
        raise RecipeError(f"{text!r} is not a number; write it as 0.03 or 8/255") from None
    return value


@dataclass(frozen=True)
class Recipe:
    """An attack on one image, in words that survive a process: names and digests instead of objects.

    ``image`` is where it came from (a path, or ``gallery:NAME``, or ``upload:NAME``), ``image_digest`` the SHA-256 of the
    attacked pixels as float32 [3, H, W]; ``weights_digest`` that of the classifier's weights. ``label`` and ``target`` are
    class indices (``label`` None: the model's own prediction). ``versions``, ``device`` and ``precision`` are where it ran.
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
    image_digest: str = ""
    weights_digest: str = ""
    device: str = "cpu"
    precision: str = "float32"
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
            raise RecipeError(f"the recipe has entries this version does not know: {', '.join(unknown)}")
        try:
            return cls(**data)
        except TypeError as error:
            raise RecipeError(f"the recipe lacks something: {error}") from None

    def command(self, out: str = "out") -> str:
        """The command line that does the same attack."""
        words = ["python", "-m", "explorer", "attack", self.image, "--model", self.model, "--norm", self.norm]
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
        ]
        for option, value, default in options:
            if value != default:
                words += [option, f"{value:.17g}" if isinstance(value, float) else str(value)]
        if not self.random_start:
            words.append("--no-random-start")
        return shlex.join([*words, "--out", out])
