"""What was computed about features as rows of pictures: gradients, and attacks with a large ε."""

from __future__ import annotations

from torch import Tensor

from explorer.experiments.features.gradients import ClassifierGradients, neighbour_correlation
from explorer.experiments.features.large_epsilon import LargeEpsilon
from explorer.experiments.picture_transfer import Transfer
from explorer.figures.captions import confidence_text, hundredths
from explorer.figures.gradient_maps import colour_map, diverging_map
from explorer.figures.tile_rows import Tile, TileRow, predicted_tile


def gradient_row(each: ClassifierGradients) -> TileRow:
    """The picture, and each gradient twice: its channels added, and each channel as it is."""
    tiles = [
        predicted_tile("picture", each.image, each.prediction),
        *_maps("gradient", each.plain),
    ]
    if each.smooth is not None:
        tiles += _maps("SmoothGrad", each.smooth)
    sentence = (
        f"Gradient for “{each.label_name}”. Correlation of neighbouring pixels: "
        f"{hundredths(neighbour_correlation(each.plain))}."
    )
    return TileRow(each.title, each.robust, sentence, tuple(tiles))


def large_epsilon_row(each: LargeEpsilon, titles: dict[str, str]) -> TileRow:
    """The picture and what the attacks make of it; ``titles`` has those of all classifiers."""
    first, last = each.reports[0], each.reports[-1]
    tiles = [predicted_tile("picture", first.original, first.before)]
    for report in each.reports:
        notes = [f"measured L2 {report.l2:.3g}"]
        if report is last:
            notes += [_seen(transfer, titles) for transfer in each.seen_by]
        title = f"ε = {report.recipe.epsilon:g}"
        tiles.append(predicted_tile(title, report.adversarial, report.after, *notes))
    sentence = (
        f"Attacked towards “{each.target_name}”, with the gradients of this classifier alone."
    )
    return TileRow(each.title, each.robust, sentence, tuple(tiles))


def _seen(transfer: Transfer, titles: dict[str, str]) -> str:
    title = titles[transfer.shown_to]
    if transfer.answer is None:
        return f"not shown to {title}: {transfer.note}"
    answer = transfer.answer.after
    return f"{title}: “{answer.name}”, {confidence_text(answer.confidence)}"


def _maps(title: str, gradient: Tensor) -> list[Tile]:
    summed, sum_scale = diverging_map(gradient)
    colours, scale = colour_map(gradient)
    return [
        Tile(f"{title}, colours added", summed, notes=(f"full colour: ±{sum_scale:.2g}",)),
        Tile(f"{title}, each colour", colours, notes=(f"full colour: ±{scale:.2g}",)),
    ]
