"""The sets of Ilyas et al. (2019) in words: their names, and what an image should look like."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.datasets.constructed.constructions import CONSTRUCTIONS, D_DET, D_NR, D_R, D_RAND
from explorer.experiments.ilyas2019.five_sets_result import D, SetImage

UNKNOWN, NOISE = "unknown", "noise"


@dataclass(frozen=True)
class SetWords:
    """``short`` is the name in the paper, ``title`` what the set is."""

    short: str
    title: str


SETS = {
    D: SetWords("D", "as it is"),
    D_R.name: SetWords("D_R", "robust features"),
    D_NR.name: SetWords("D_NR", "non-robust features"),
    D_RAND.name: SetWords("D_rand", "random label"),
    D_DET.name: SetWords("D_det", "the next label"),
}


def head(image: SetImage) -> SetWords:
    """Name and title of an image. A source that is an image of a set has the name of that set."""
    words = SETS[image.name]
    if image.name != D or image.set_name not in SETS:
        return words
    return SetWords(SETS[image.set_name].short, f"the source, {words.title}")


def looks_like(image: SetImage, names: tuple[str, ...]) -> str:
    """What the image should look like: a class, noise, or unknown."""
    if image.perceived_label is not None:
        return names[image.perceived_label]
    construction = CONSTRUCTIONS.get(image.name)
    if construction is not None and construction.looks_like == "start" and image.from_noise:
        return NOISE
    return UNKNOWN


def look_heading(image: SetImage) -> str:
    """The words before what :func:`looks_like` says, by what was done to the image.

    An image of D was not changed. One of D_R should turn into something else, and those of the
    other sets should go on looking like what they were.
    """
    if image.name == D and not image.set_name:
        return "shows"
    of = image.set_name if image.name == D else image.name
    return "should look like" if of == D_R.name else "should still look like"


def start_words(image: SetImage, names: tuple[str, ...]) -> str:
    """Where the construction of an image started, as ``start: truck``."""
    if image.start is None:
        return "the source itself"
    if not image.matches_features:
        return "start: the source"
    if image.from_noise:
        return "start: noise"
    if image.start_label is None:
        return "start: start picture"
    return f"start: {names[image.start_label]}"
