"""A patch as files: the patch to print, a figure, a table and the recipe."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from explorer.experiments.patch import Patch
from explorer.experiments.patch_recipe import PatchRecipe, patch_rows
from explorer.figures.captions import count_of, percent
from explorer.figures.export import figure_bytes
from explorer.figures.palette import ADVERSARIAL, ORIGINAL
from explorer.figures.set_files import FORMATS, table_csv
from explorer.figures.share_chart import ShareSeries, share_figure
from explorer.figures.universal_files import source_words
from explorer.images.geometry import to_png, to_uint8

AXIS = "share that it calls the target"
PRINT_SIDE = 1024  # pixels


def patch_series(result: Patch) -> tuple[ShareSeries, ...]:
    """The patch and one of noise as series of a chart."""
    return (
        ShareSeries("the patch", ADVERSARIAL, result.shares),
        ShareSeries("a patch of random noise", ORIGINAL, result.noise),
    )


def patch_caption(result: Patch, recipe: PatchRecipe) -> str:
    """How the patch was made, in one line."""
    attack = recipe.attack
    return (
        f"A patch of {percent(attack.area)} of the picture, turned by up to {attack.rotation:g}°, "
        f"fitted on {result.shares[0].shown_as} towards “{recipe.target}” to "
        f"{source_words(result.fitted, 'picture', recipe.source)} in "
        f"{count_of(attack.steps, 'step')}, seed {attack.seed}, and scored at one place in each "
        "picture that no step had used. Counted are pictures of other classes that the classifier "
        "gets right without a patch. The lines are 95 % Wilson intervals"
    )


def patch_figure(result: Patch, recipe: PatchRecipe) -> Figure:
    """How often the patch and noise make each classifier say the target, for print."""
    return share_figure(patch_series(result), AXIS, f"{patch_caption(result, recipe)}.")


def patch_files(result: Patch, recipe: PatchRecipe) -> dict[str, bytes]:
    """All files by name, the recipe last; ``print.png`` is the patch enlarged, for a printer."""
    array, large = io.BytesIO(), io.BytesIO()
    np.save(array, result.pixels.numpy(), allow_pickle=False)
    picture = Image.fromarray(to_uint8(result.pixels))
    picture.resize((PRINT_SIDE, PRINT_SIDE), Image.Resampling.BICUBIC).save(large, "PNG")
    figure = patch_figure(result, recipe)
    return {
        "patch.npy": array.getvalue(),
        "pixels.png": to_png(result.pixels),
        "print.png": large.getvalue(),
        **{f"patch.{each}": figure_bytes(figure, each) for each in FORMATS},
        "patch.csv": table_csv(patch_rows(result)).encode(),
        "recipe.json": recipe.to_json(result).encode(),
    }
