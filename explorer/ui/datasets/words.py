"""The sets in words: what each is, what its image shows and what it does not."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.experiments.ilyas2019.five_sets_result import FiveSetsResult, ModelInfo, SetImage


@dataclass(frozen=True)
class SetWords:
    """``short`` is the set's name in the paper, ``title`` what it is, ``button`` what the button says that makes such an image."""

    short: str
    title: str
    button: str


SETS = {
    "d": SetWords("D", "as it is", ""),
    "d_r": SetWords("D_R", "robustified", "Robustify this image (D_R)"),
    "d_nr": SetWords("D_NR", "non-robust", "Make it non-robust (D_NR)"),
    "d_rand": SetWords("D_rand", "random label", "Mislabel it at random (D_rand)"),
    "d_det": SetWords("D_det", "the next label", "Mislabel it by one (D_det)"),
}
NOT_SAID, NOISE_SEEN = "not said", "noise"


def seen(image: SetImage, names: tuple[str, ...]) -> str:
    """What a person sees in the image, by what it was made from."""
    if image.perceived_label is not None:
        return names[image.perceived_label]
    return NOISE_SEEN if image.name == "d_nr" and image.from_noise else NOT_SAID


def shows(row: FiveSetsResult, image: SetImage) -> tuple[str, str]:
    """What the set shows, and what it does not: two halves of a sentence that begin "shows" and "does not show"."""
    label = f"“{row.names[image.label]}”"
    builder = builder_of(image, row.models)
    if builder is not None and image.predictions[builder].index != image.label:
        kind = "robust" if row.models[builder].robust else "standard"
        return (
            f"an attempt that fell short: the {kind} classifier it was made with does not call it {label}.",
            "what the set would: take more steps, or a larger step size or ε.",
        )
    if image.name == "d_r":
        return (
            f"that what the robust classifier looks for is enough to make an image {label}, whatever it began as.",
            "that these are the features people use.",
        )
    if image.name == "d_nr":
        return (
            f"that what makes an image {label} to the standard classifier can hide in a picture of something else.",
            "that nothing a person could see came across with it.",
        )
    if image.name == "d_rand":
        if image.label == row.source.label:
            return (
                "nothing new here: the draw gave its own class; another seed draws again.",
                "what a wrong label would do.",
            )
        return (
            f"how little makes the standard classifier say {label}; a classifier trained on such images only still learns real classes.",
            "that no robust feature helps it: a few leak in (Goh 2019).",
        )
    if image.name == "d_det":
        return (
            "the same where what a person sees always points to the class before: only non-robust features can teach the label.",
            "that every adversarial example is a feature: some are plain bugs (Nakkiran 2019).",
        )
    return "what each classifier makes of the source.", "which features it uses for that."


def builder_of(image: SetImage, models: tuple[ModelInfo, ...]) -> int | None:
    """Which of the judges the image was made with; None for D."""
    if image.objective is None:
        return None
    return next(
        place
        for place, judge in enumerate(models)
        if judge.in_pair and judge.robust == (image.name == "d_r")
    )


def made_with(image: SetImage, models: tuple[ModelInfo, ...]) -> str:
    """The same in words: "made with CIFAR-10 robust"."""
    builder = builder_of(image, models)
    return "not changed" if builder is None else f"made with {models[builder].title}"


def objective_words(matched: bool) -> str:
    """What a construction lowers."""
    return "feature distance" if matched else "cross-entropy of the label"
