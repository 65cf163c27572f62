"""The card of a model that a person added: what its state dict does not say, as a JSON file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from explorer.classifiers.error import ClassifierError
from explorer.classifiers.imagenet import IMAGENET_MEAN, IMAGENET_STD
from explorer.errors import short

MIN_INPUT, MAX_INPUT = 16, 1024  # pixels of the input's side
# What reading a card of any contents may raise; OverflowError: a number that no float holds.
_UNREADABLE = OSError, ValueError, TypeError, AttributeError, RecursionError, OverflowError
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


@dataclass(frozen=True)
class UserModelCard:
    """One of the architectures, with its labels and its preprocessing.

    The network takes squares of ``input_size`` pixels; a photograph is first resized until its
    shorter side is ``resize`` pixels long. Only GoogLeNet and Inception v3 have torchvision's
    ``transform_input``: it is on for its published weights and what was fine-tuned from them, and
    off for networks that were trained from scratch. ``mean`` and ``std`` are one number each for
    weights that take grey images. Empty ``labels`` stand for ImageNet's if there
    are 1000 classes, else for numbers. Raises :class:`ClassifierError` for values that can't be.
    """

    name: str
    architecture: str
    labels: tuple[str, ...] = ()
    input_size: int = 224
    resize: int = 256
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    robust: bool = False
    transform_input: bool = True

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            wrong = f"{self.name!r} can't be its name" if self.name else "give it a name"
            raise ClassifierError(
                f"{wrong}{_fault_of(self.name)}: up to 60 of the letters A to Z, digits, dots, "
                "hyphens and underscores, a letter or digit first"
            )
        if not MIN_INPUT <= self.input_size <= MAX_INPUT:
            raise ClassifierError(
                f"the input's side must be from {MIN_INPUT} to {MAX_INPUT} pixels; it is "
                f"{self.input_size}"
            )
        if self.resize < self.input_size:
            raise ClassifierError(
                f"the shorter side ({self.resize}) must not be less than the input's "
                f"({self.input_size})"
            )

    @property
    def training(self) -> str:
        """The architecture and how it was trained, for lists."""
        without = "" if self.transform_input else " without transform_input"
        return f"{self.architecture}{without}, {'robust' if self.robust else 'standard'}"

    def to_json(self) -> str:
        """The text of the file that :meth:`read` takes."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> UserModelCard:
        """The card in that file. Raises :class:`ClassifierError` when it holds none."""
        try:
            if not path.is_file():  # reading a pipe would never end
                raise ValueError("it is no file")
            values = json.loads(path.read_text(encoding="utf-8"))
            for field, is_valid in _FIELDS.items():
                if field in values and not is_valid(values[field]):
                    raise ValueError(f"its {field} can't be {values[field]!r}")
            lists = {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
            return cls(**values | lists)
        except _UNREADABLE as error:
            raise ClassifierError(
                f"{path} is not a readable card: {short(error)}; add the model again"
            ) from None


def _fault_of(name: str) -> str:
    """Why a name is refused, where it has a character that no name may have."""
    wrong = next((each for each in name if not re.match(r"[A-Za-z0-9._-]", each)), None)
    if wrong is None:
        return ""
    return " because of the space" if wrong.isspace() else f" because of {wrong!r}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool) and math.isfinite(value)


def _are_colours(value: Any) -> bool:
    return isinstance(value, list) and len(value) in (1, 3) and all(map(_is_number, value))


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "name": _is_text,
    "architecture": _is_text,
    "labels": lambda value: isinstance(value, list) and all(map(_is_text, value)),
    "input_size": _is_integer,
    "resize": _is_integer,
    "mean": _are_colours,
    "std": _are_colours,
    "robust": lambda value: isinstance(value, bool),
    "transform_input": lambda value: isinstance(value, bool),
}
