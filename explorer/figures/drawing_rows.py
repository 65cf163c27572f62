"""Pictures that classifiers drew as rows of tiles, and who recognises them as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from explorer.experiments.features.inversion import Inversion
from explorer.experiments.features.painting import Painting
from explorer.experiments.features.recognition import Recognition
from explorer.experiments.features.synthesis import Drawing, Synthesis
from explorer.figures.captions import confidence_text, percent
from explorer.figures.tile_rows import Tile, TileRow, predicted_tile

COLUMNS = 12  # pictures in a row on screen
RIGHT, WRONG = "✓", "✗"


@dataclass(frozen=True)
class JudgeRow:
    """One judge's verdicts: a text for each drawing, and one for the noise they began with."""

    judge: str
    cells: tuple[str, ...]
    control: str


def share(count: int, n: int, low: float, high: float) -> str:
    """``9 of 10 (59.6 % to 98.2 %)``: a count with the 95 % Wilson interval of its proportion."""
    return f"{count:,} of {n:,} ({percent(low)} to {percent(high)})"


def recognised(answer: Recognition | None) -> str:
    """How many pictures a judge recognises, with the interval; "—" where it can't judge them."""
    return "—" if answer is None else share(answer.count, answer.n, *answer.interval)


def judge_rows(synthesis: Synthesis) -> tuple[JudgeRow, ...]:
    """A row for each judge, in their order."""
    rows = []
    for judge in synthesis.judges:
        answers = [synthesis.recognition(each.name, judge) for each in synthesis.drawings]
        cells = tuple(
            f"{recognised(answer)}{' (drew them)' if each.name == judge else ''}"
            for each, answer in zip(synthesis.drawings, answers, strict=True)
        )
        known = next(answer for answer in answers if answer is not None)
        rows.append(JudgeRow(judge, cells, f"{known.control:,} of {known.n:,}"))
    return tuple(rows)


def synthesis_rows(
    synthesis: Synthesis, judge: str, title: str, columns: int = COLUMNS
) -> tuple[TileRow, ...]:
    """The pictures of each classifier with what ``judge``, called ``title``, says of them.

    Of several pictures of a class the first is shown, ``columns`` of them in a row.
    """
    rows: list[TileRow] = []
    for drawing in synthesis.drawings:
        answer = synthesis.recognition(drawing.name, judge)
        tiles = [_drawn(drawing, answer, i) for i in range(len(set(drawing.targets)))]
        sentence = f"{title} can't judge these pictures."
        if answer is not None:
            sentence = f"{title} recognises {recognised(answer)}."
            if drawing.name == judge:
                sentence += " It drew them itself."
        for first in range(0, len(tiles), columns):
            part = tuple(tiles[first : first + columns])
            rows.append(TileRow(drawing.title, drawing.robust, sentence, part))
    return tuple(rows)


def _drawn(drawing: Drawing, answer: Recognition | None, index: int) -> Tile:
    title, image = drawing.names[drawing.targets[index]], drawing.images[index]
    if answer is None:
        return Tile(title, image)
    said, mark = answer.answers[index], RIGHT if answer.recognised[index] else WRONG
    return Tile(title, image, said.name, (f"{mark} {confidence_text(said.confidence)}",))


def frame_row(
    name: str, robust: bool, names: Sequence[str], targets: Sequence[int], images: Tensor
) -> TileRow:
    """Pictures under way."""
    tiles = tuple(Tile(names[target], image) for target, image in zip(targets, images, strict=True))
    return TileRow(name, robust, "", tiles[:COLUMNS])


def inversion_row(each: Inversion) -> TileRow:
    """The picture, the noise, and what the classifier's features led to."""
    tiles = (
        predicted_tile("picture", each.picture, each.target),
        Tile("start", each.start, "", (f"SSIM with the picture {each.start_similarity:.3f}",)),
        predicted_tile(
            "inverted from its features",
            each.image,
            each.prediction,
            f"SSIM with the picture {each.similarity:.3f}",
        ),
    )
    sentence = (
        f"Distance of the features from the picture's: {percent(each.distances[0])} of their "
        f"length at the start, {percent(each.nearest)} at the end."
    )
    return TileRow(each.title, each.robust, sentence, tiles)


def painting_row(each: Painting) -> TileRow:
    """The picture, what may be painted, and the painted picture."""
    marked = each.original * (0.35 + 0.65 * each.mask)
    tiles = (
        predicted_tile("picture", each.original, each.before),
        Tile("marked", marked, "", (f"{percent(each.share)} of the picture",)),
        predicted_tile("painted", each.image, each.after, f"measured L2 {each.length:.3g}"),
    )
    names: Mapping[int, str] = dict(enumerate(each.before.names))
    sentence = (
        f"Painted as “{names[each.target]}”, with a change of at most L2 ε = {each.epsilon:g}."
    )
    return TileRow(each.title, each.robust, sentence, tiles)
