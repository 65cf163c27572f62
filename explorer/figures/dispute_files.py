"""The two attacks of the dispute as files: a figure, a table and the recipe."""

from __future__ import annotations

from dataclasses import replace

from matplotlib.figure import Figure

from explorer.experiments.dispute import Dispute, dispute_rows
from explorer.experiments.dispute_recipe import DisputeRecipe
from explorer.experiments.fooled_share import FooledShare
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.figures.captions import NORM_NAMES, count_of
from explorer.figures.export import figure_bytes
from explorer.figures.palette import ADVERSARIAL, LOSS, ORIGINAL
from explorer.figures.set_captions import images_of
from explorer.figures.set_files import FORMATS, table_csv
from explorer.figures.share_chart import ShareSeries, share_figure

AXIS = "share that fools it"
_COLOURS = {"ordinary": ADVERSARIAL, "not to transfer": LOSS, "noise": ORIGINAL}
_NAMES = {
    "ordinary": "ordinary PGD",
    "not to transfer": "built not to transfer",
    "noise": "random noise of its size",
}


def dispute_series(result: Dispute) -> tuple[ShareSeries, ...]:
    """Both attacks and noise as series of a chart; a name says if it is of the ensemble."""
    shares = {name: outcome.transfers for name, outcome in result.outcomes.items()}
    return tuple(
        ShareSeries(
            _NAMES[name],
            _COLOURS[name],
            tuple(_marked(share, result.ensemble) for share in each),
        )
        for name, each in (*shares.items(), ("noise", result.noise[1:]))
    )


def dispute_caption(result: Dispute, recipe: DisputeRecipe) -> str:
    """What was attacked and how, in one line."""
    attack, images = recipe.attack, images_of(len(result.originals), recipe.data)
    ordinary, isolated = result.ordinary.success, result.isolated.success
    size = f"{NORM_NAMES[attack.norm]} ε = {format_epsilon(attack.epsilon, attack.norm)}"
    return (
        f"{images} that {ordinary.shown_as} gets right, {size}, "
        f"{count_of(attack.steps, 'step')}. Ordinary PGD fools it on "
        f"{ordinary.fooled:,}, the other attack on {isolated.fooled:,} of them. "
        "Of these, and of all images for the noise, those are counted that the classifier "
        "in the row got right before. The lines are 95 % Wilson intervals"
    )


def dispute_figure(result: Dispute, recipe: DisputeRecipe) -> Figure:
    """How often both attacks transfer to each classifier, for print."""
    return share_figure(dispute_series(result), AXIS, f"{dispute_caption(result, recipe)}.")


def dispute_files(result: Dispute, recipe: DisputeRecipe) -> dict[str, bytes]:
    """All files by name, the recipe last."""
    figure = dispute_figure(result, recipe)
    return {
        **{f"dispute.{each}": figure_bytes(figure, each) for each in FORMATS},
        "dispute.csv": table_csv(dispute_rows(result)).encode(),
        "recipe.json": recipe.to_json(result).encode(),
    }


def _marked(share: FooledShare, ensemble: tuple[str, ...]) -> FooledShare:
    if share.model not in ensemble:
        return share
    return replace(share, title=f"{share.shown_as} (in the ensemble)")
