"""Moving pictures for slides, as GIF, animated WebP or APNG: the same bytes each time.

On the left is the original, which stays; on the right the attacked image of each frame. Below each
are the prediction and its confidence. The file loops, and its last frame is held.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from explorer.figures.captions import confidence_text
from explorer.figures.palette import INK, INK_QUIET

# APNG has the ending and the type of a PNG: programs that don't know it show the first frame.
FORMATS = {"gif": "image/gif", "webp": "image/webp", "png": "image/png"}
MAX_FRAMES = 24  # with which a file of 224 × 224 stays below 10 MB
SECONDS = 4.0  # of all frames but the last one
FASTEST, SLOWEST, HELD = 80, 500, 2500  # milliseconds of a frame, and of the last one

# Pixels.
SIDE, LARGEST_SIDE = 256, 320  # small images are enlarged by a whole factor, large ones reduced
MARGIN, GAP, SPACE = 16, 20, 6
TITLE_SIZE, NAME_SIZE, TEXT_SIZE, CAPTION_SIZE = 15, 19, 15, 12
NAME_LINES = 2
SPACING = 1.3  # of lines, in sizes of their text
EDGES = 8  # colours from white to that of a text, at the edges of its letters


@dataclass(frozen=True)
class Frame:
    """``pixels`` uint8 [H, W, 3] with a ``title`` above and the prediction below.

    ``note`` is a last line and ``colour`` that of the predicted class.
    """

    pixels: NDArray[np.uint8]
    title: str
    name: str
    confidence: float
    note: str = ""
    colour: str = INK


@dataclass(frozen=True)
class Animation:
    """The ``original`` beside each of ``frames``, of the same size, above the same ``caption``.

    Each item of the caption begins a line.
    """

    original: Frame
    frames: tuple[Frame, ...]
    caption: tuple[str, ...]


def animation_bytes(animation: Animation, format: str) -> bytes:
    """``animation`` as a file: a "gif", "webp" or "png" (APNG).

    WebP and APNG have the exact pixels. A GIF has 256 colours, which change more than a small ε
    does. Raises ``ValueError`` for another format.
    """
    if format not in FORMATS:
        raise ValueError(f"unknown format {format!r}: it is 'gif', 'webp' or 'png'")
    names = [_name_lines(frame) for frame in (animation.original, *animation.frames)]
    pictures = [_draw(animation, each, max(map(len, names))) for each in animation.frames]
    between = round(min(SLOWEST, max(FASTEST, 1000 * SECONDS / len(pictures))), -1)
    durations = [int(between)] * (len(pictures) - 1) + [HELD]
    options: dict[str, object] = {"loop": 0, "duration": durations}
    if format == "gif":
        pictures = _with_common_colours(animation, pictures)
        options |= {"optimize": False, "disposal": 1}
    elif format == "webp":
        options |= {"lossless": True, "quality": 50, "method": 2}
    buffer = io.BytesIO()
    pictures[0].save(buffer, format, save_all=True, append_images=pictures[1:], **options)
    return buffer.getvalue()


def _with_common_colours(animation: Animation, pictures: list[Image.Image]) -> list[Image.Image]:
    """The pictures in the same 256 colours: with colours for each, all of them would flicker."""
    frames = [_scaled(frame.pixels) for frame in (animation.original, *animation.frames)]
    width, height = frames[0].size
    sheet = Image.new("RGB", (width, height * len(frames)))
    for index, frame in enumerate(frames):
        sheet.paste(frame, (0, index * height))
    texts = _text_colours(animation)
    of_frames = sheet.quantize(256 - len(texts), Image.Quantize.MEDIANCUT).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(value for colour in texts for value in colour), *of_frames])
    return [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in pictures]


def _text_colours(animation: Animation) -> list[tuple[int, ...]]:
    """White and the colours of the texts, with those at their soft edges."""
    inks = dict.fromkeys([INK, INK_QUIET, *(frame.colour for frame in animation.frames)])
    edges = [
        tuple(255 - round(part / EDGES * (255 - value)) for value in ImageColor.getrgb(ink)[:3])
        for ink in inks
        for part in range(1, EDGES + 1)
    ]
    return [(255, 255, 255), *dict.fromkeys(edges)]


def _draw(animation: Animation, frame: Frame, name_lines: int) -> Image.Image:
    image = _scaled(frame.pixels)
    side = image.width
    width = 2 * MARGIN + 2 * side + GAP
    small = _font(CAPTION_SIZE)
    caption = [
        line for part in animation.caption for line in _lines(part, small, width - 2 * MARGIN, 2)
    ]
    texts = name_lines * _height(NAME_SIZE) + 2 * _height(TEXT_SIZE)
    bottom = MARGIN + _height(TITLE_SIZE) + image.height + texts + 2 * SPACE
    height = bottom + len(caption) * _height(CAPTION_SIZE) + MARGIN
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    for index, each in enumerate((animation.original, frame)):
        _column(picture, draw, each, MARGIN + index * (side + GAP), side)
    for index, line in enumerate(caption):
        y = bottom + index * _height(CAPTION_SIZE)
        draw.text((width / 2, y), line, INK_QUIET, small, anchor="ma")
    return picture


def _column(
    picture: Image.Image, draw: ImageDraw.ImageDraw, frame: Frame, left: int, side: int
) -> None:
    """A frame with its texts, each centred."""
    middle, y = left + side / 2, float(MARGIN)
    draw.text((middle, y), frame.title, INK_QUIET, _font(TITLE_SIZE), anchor="ma")
    y += _height(TITLE_SIZE)
    image = _scaled(frame.pixels)
    picture.paste(image, (left, int(y)))
    y += image.height + SPACE
    for line in _name_lines(frame):
        draw.text((middle, y), line, frame.colour, _font(NAME_SIZE, bold=True), anchor="ma")
        y += _height(NAME_SIZE)
    for text in (f"{confidence_text(frame.confidence)} confidence", frame.note):
        draw.text((middle, y), text, INK, _font(TEXT_SIZE), anchor="ma")
        y += _height(TEXT_SIZE)


def _name_lines(frame: Frame) -> list[str]:
    """The predicted class in lines as wide as the picture."""
    side = _scaled(frame.pixels).width
    return _lines(frame.name, _font(NAME_SIZE, bold=True), side, NAME_LINES)


def _scaled(pixels: NDArray[np.uint8]) -> Image.Image:
    """The image in whole multiples of its pixels, or reduced if it is large."""
    image = Image.fromarray(pixels)
    largest = max(image.size)
    if largest > LARGEST_SIDE:
        image.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
        return image
    factor = max(1, SIDE // largest)
    size = (factor * image.width, factor * image.height)
    return image.resize(size, Image.Resampling.NEAREST)


def _lines(text: str, font: ImageFont.FreeTypeFont, width: float, most: int) -> list[str]:
    """``text`` in at most ``most`` lines; what has no room ends with "…"."""
    lines: list[str] = []
    for word in text.split() or [""]:
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and (font.getlength(joined) <= width or len(lines) == most):
            lines[-1] = joined
        else:
            lines.append(word)
    return [_shortened(line, font, width) for line in lines]


def _shortened(line: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    if font.getlength(line) <= width:
        return line
    while line and font.getlength(f"{line}…") > width:
        line = line[:-1]
    return f"{line.rstrip()}…"


def _height(size: int) -> int:
    return round(size * SPACING)


@cache
def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font of the print figures, which comes with matplotlib."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size)
