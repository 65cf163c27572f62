"""A universal perturbation as files: the perturbation, a figure, a table and the recipe."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.figure import Figure

from explorer.experiments.fitting_images import BUNDLED, ImageSource
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.universal import Universal
from explorer.experiments.universal_recipe import UniversalRecipe, universal_rows
from explorer.figures.captions import NORM_NAMES, count_of
from explorer.figures.export import figure_bytes
from explorer.figures.palette import ADVERSARIAL, ORIGINAL
from explorer.figures.set_captions import images_of
from explorer.figures.set_files import FORMATS, table_csv
from explorer.figures.share_chart import ShareSeries, share_figure
from explorer.images.distances import perturbation_image
from explorer.images.geometry import to_png

AXIS = "share of other images that it fools"


def universal_series(result: Universal) -> tuple[ShareSeries, ...]:
    """δ and noise of its size as series of a chart."""
    return (
        ShareSeries("universal perturbation", ADVERSARIAL, result.shares),
        ShareSeries("random noise of its size", ORIGINAL, result.noise),
    )


def universal_caption(result: Universal, recipe: UniversalRecipe) -> str:
    """How δ was made, in one line."""
    attack = recipe.attack
    size = f"{NORM_NAMES[attack.norm]} ε = {format_epsilon(attack.epsilon, attack.norm)}"
    return (
        f"One perturbation, {size}, fitted on {result.shares[0].shown_as} to "
        f"{source_words(result.fitted, 'image', recipe.source)} in "
        f"{count_of(attack.steps, 'step')}, seed {attack.seed}. Counted are other images that the "
        "classifier in the row gets right. The lines are 95 % Wilson intervals"
    )


def source_words(count: int, noun: str, source: ImageSource) -> str:
    """``250 bundled images``, or ``1,000 images of cifar10:train``."""
    if source.data == BUNDLED:
        return count_of(count, f"bundled {noun}")
    return images_of(count, source.data, noun)


def universal_figure(result: Universal, recipe: UniversalRecipe) -> Figure:
    """How often δ and noise fool each classifier, for print."""
    caption = f"{universal_caption(result, recipe)}."
    return share_figure(universal_series(result), AXIS, caption)


def universal_files(result: Universal, recipe: UniversalRecipe) -> dict[str, bytes]:
    """All files by name, the recipe last; ``perturbation.npy`` has the exact δ."""
    array = io.BytesIO()
    np.save(array, result.delta.numpy(), allow_pickle=False)
    figure = universal_figure(result, recipe)
    return {
        "perturbation.png": to_png(perturbation_image(result.delta)),
        "perturbation.npy": array.getvalue(),
        **{f"universal.{each}": figure_bytes(figure, each) for each in FORMATS},
        "universal.csv": table_csv(universal_rows(result)).encode(),
        "recipe.json": recipe.to_json(result).encode(),
    }
