"""Patches that come with the explorer: the files of the command ``patch``, fitted beforehand."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.experiments.fitting_images import ImageSource
from explorer.experiments.patch import PatchAttack
from explorer.experiments.patch_recipe import PatchRecipe
from explorer.experiments.surroundings import Surroundings
from explorer.files import ASSETS

_FOLDER = ASSETS / "patches"


@dataclass(frozen=True, eq=False)
class BundledPatch:
    """``pixels`` float32 [C, P, P] as ``recipe`` says, ``fitted`` to so many pictures."""

    pixels: Tensor
    recipe: PatchRecipe
    fitted: int

    def judged_by(self, models: tuple[str, ...]) -> PatchRecipe:
        """The recipe with these classifiers, the attacked one first."""
        return replace(self.recipe, models=models)


@cache
def bundled_patches() -> tuple[BundledPatch, ...]:
    """The bundled patches, in the order of their folders' names."""
    return tuple(map(_read, sorted(path.parent for path in _FOLDER.glob("*/recipe.json"))))


def _read(folder: Path) -> BundledPatch:
    values = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    recipe = PatchRecipe(
        tuple(values["models"]),
        values["target"],
        PatchAttack(**values["attack"]),
        ImageSource(**values["source"]),
        Surroundings(**values["surroundings"]),
    )
    pixels = torch.from_numpy(np.load(folder / "patch.npy", allow_pickle=False))
    return BundledPatch(pixels, recipe, values["fitted"])
