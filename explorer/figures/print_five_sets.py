"""The row of five sets for print, drawn with matplotlib, 7 inches wide."""

from __future__ import annotations

from matplotlib.figure import Figure

from explorer.experiments.ilyas2019.five_sets_result import FiveSetsResult, ModelInfo, SetImage
from explorer.figures.captions import count_of
from explorer.figures.palette import INK, INK_QUIET
from explorer.figures.prediction_bars import Bar, ClassBars, model_colours, prediction_bars
from explorer.figures.print_canvas import Canvas, line_height, text_width, wrap
from explorer.figures.set_words import head, look_heading, looks_like, start_words
from explorer.images.geometry import to_uint8

WIDTH, MARGIN, GAP = 7.0, 0.08, 0.12  # inches, as are all lengths below
COLUMNS = 5
SIDE = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
BAR_HEIGHT, SPACE = 0.075, 0.05
NAME_SIZE, TEXT_SIZE, SMALL_SIZE = 9.5, 7.0, 6.0  # points
HATCH = "//////"
BACKGROUND = "#ECECEC"  # of a bar


def five_sets_figure(row: FiveSetsResult) -> Figure:
    """The image in each set, with its label, what it looks like, and what each classifier says.

    As on the page: blue is the standard and orange the robust classifier, and bars of classifiers
    with which no image was made are hatched. A bold number is that of a prediction.
    """
    texts = [_texts(image, row) for image in row.images]
    bars = [prediction_bars(image, row.models) for image in row.images]
    picture_top = line_height(NAME_SIZE) + 2 * SPACE + line_height(TEXT_SIZE)
    texts_top = picture_top + SIDE + SPACE
    bars_top = texts_top + max(map(len, texts)) * line_height(TEXT_SIZE) + SPACE
    height_of_bars = max(sum(_height(each) for each in classes) for classes in bars)
    legend_top = bars_top + height_of_bars + SPACE
    caption = wrap(five_sets_caption(row), WIDTH - 2 * MARGIN, SMALL_SIZE)
    caption_top = legend_top + line_height(TEXT_SIZE) + SPACE
    canvas = Canvas(WIDTH, caption_top + len(caption) * line_height(SMALL_SIZE) + SPACE)
    for index, image in enumerate(row.images):
        left, words = MARGIN + index * (SIDE + GAP), head(image)
        middle = left + SIDE / 2
        canvas.lines(middle, SPACE, [words.short], NAME_SIZE, INK, weight="bold")
        canvas.lines(middle, SPACE + line_height(NAME_SIZE), [words.title], TEXT_SIZE, INK_QUIET)
        canvas.picture(left, picture_top, SIDE, to_uint8(image.image))
        canvas.lines(middle, texts_top, texts[index], TEXT_SIZE, INK)
        top = bars_top
        for classes in bars[index]:
            _draw_class(canvas, left, top, classes)
            top += _height(classes)
    _legend(canvas, legend_top, row.models)
    canvas.lines(WIDTH / 2, caption_top, caption, SMALL_SIZE, INK_QUIET)
    return canvas.figure


def five_sets_caption(row: FiveSetsResult) -> str:
    """The settings of the row, with their lengths in pixels of [0, 1]."""
    settings = row.settings
    return (
        "Sets of Ilyas et al. (2019). "
        f"D_R and D_NR: {count_of(settings.match_steps, 'step')} of L2 {settings.step_size:g}; "
        f"D_rand and D_det: {count_of(settings.attack_steps, 'step')}, L2 ε = "
        f"{settings.epsilon:g}; seed {settings.seed}. Images are rounded to 8 bits."
    )


def _texts(image: SetImage, row: FiveSetsResult) -> list[str]:
    """The lines between a picture and its bars."""
    parts = (
        start_words(image, row.names),
        f"label: {row.names[image.label]}",
        f"{look_heading(image)}: {looks_like(image, row.names)}",
    )
    return [line for part in parts for line in wrap(part, SIDE, TEXT_SIZE)]


def _heads(classes: ClassBars) -> list[str]:
    roles = f" ({', '.join(classes.roles)})" if classes.roles else ""
    return wrap(f"{classes.name}{roles}", SIDE, SMALL_SIZE, bold=True)


def _height(classes: ClassBars) -> float:
    each = line_height(SMALL_SIZE) + BAR_HEIGHT
    return len(_heads(classes)) * line_height(SMALL_SIZE) + len(classes.bars) * each + SPACE


def _draw_class(canvas: Canvas, left: float, top: float, classes: ClassBars) -> None:
    for line in _heads(classes):
        top += line_height(SMALL_SIZE)
        place = {"vertical": "bottom", "horizontal": "left", "weight": "bold"}
        canvas.text(left, top, line, SMALL_SIZE, INK, **place)
    for bar in classes.bars:
        _draw_bar(canvas, left, top, bar)
        top += line_height(SMALL_SIZE) + BAR_HEIGHT


def _draw_bar(canvas: Canvas, left: float, top: float, bar: Bar) -> None:
    weight = "bold" if bar.is_prediction else "normal"
    baseline = top + line_height(SMALL_SIZE)
    room = SIDE - text_width(bar.text, SMALL_SIZE, bar.is_prediction) - SPACE
    name = wrap(bar.classifier, room, SMALL_SIZE, bar.is_prediction)[0]
    for x, text, side in ((left, name, "left"), (left + SIDE, bar.text, "right")):
        place = {"vertical": "bottom", "horizontal": side, "weight": weight}
        canvas.text(x, baseline, text, SMALL_SIZE, INK, **place)
    canvas.box(left, baseline, SIDE, BAR_HEIGHT, BACKGROUND)
    hatch = HATCH if bar.striped else ""
    canvas.box(left, baseline, SIDE * bar.value, BAR_HEIGHT, bar.colour, hatch)


def _legend(canvas: Canvas, top: float, models: tuple[ModelInfo, ...]) -> None:
    """A coloured square and the title of each classifier, in a line."""
    square, space = 0.09, 0.06
    widths = [square + space + text_width(model.title, TEXT_SIZE) + 2 * GAP for model in models]
    left = max(MARGIN, (WIDTH - sum(widths)) / 2)
    for model, colour, width in zip(models, model_colours(models), widths, strict=True):
        hatch = "" if model.in_pair else HATCH
        canvas.box(left, top + 0.02, square, square, colour, hatch)
        bottom = top + line_height(TEXT_SIZE)
        place = {"vertical": "bottom", "horizontal": "left"}
        canvas.text(left + square + space, bottom, model.title, TEXT_SIZE, INK, **place)
        left += width
