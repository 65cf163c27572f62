"""The sets in words: what each one is, and what its image shows and does not show."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.datasets.constructed.constructions import CONSTRUCTIONS, D_DET, D_NR, D_R, D_RAND
from explorer.experiments.ilyas2019.five_sets_result import D, FiveSetsResult, ModelInfo, SetImage

# The labels of the buttons that build such an image.
BUTTONS = {
    D_R.name: "Robustify this image (D_R)",
    D_NR.name: "Make it non-robust (D_NR)",
    D_RAND.name: "Mislabel it at random (D_rand)",
    D_DET.name: "Mislabel it by one (D_det)",
}


@dataclass(frozen=True)
class Sentence:
    """A sentence whose first words, the ``lead``, are set in bold."""

    lead: str
    text: str


def explanation(row: FiveSetsResult, image: SetImage) -> tuple[Sentence, Sentence]:
    """What the image shows and what it does not show; after a failed attempt, what to try."""
    label = f"“{row.names[image.label]}”"
    builder = builder_index(image, row.models)
    if builder is not None and image.predictions[builder].index != image.label:
        kind = "robust" if row.models[builder].robust else "standard"
        return (
            Sentence(
                "This attempt failed:",
                f"the {kind} classifier that it was built with does not call it {label}.",
            ),
            Sentence("Try", "more steps, a larger step size or a larger ε."),
        )
    if image.name == D_RAND.name and image.label == row.source.label:
        return (
            Sentence("Shows", "nothing new: the random label is its own class. Try another seed."),
            Sentence("Does not show", "what a wrong label would do."),
        )
    shows, does_not_show = _EXPLANATIONS[image.name]
    shows = shows.format(label=label)
    return Sentence("Shows", shows), Sentence("Does not show", does_not_show)


_EXPLANATIONS = {
    D: (
        "what each classifier says of the unchanged picture.",
        "which features it uses for that.",
    ),
    D_R.name: (
        "that what the robust classifier looks for is enough to make an image {label}, whatever it "
        "was at the start.",
        "that these are the features people use.",
    ),
    D_NR.name: (
        "that what makes an image {label} to the standard classifier can hide in a picture of "
        "something else.",
        "that nothing a person could see was transferred with it.",
    ),
    D_RAND.name: (
        "how little makes the standard classifier say {label}; a classifier trained only on such "
        "images still learns real classes.",
        "that no robust feature helps it: a few leak in (Goh 2019).",
    ),
    D_DET.name: (
        "the same with a fixed rule: the label is always the class after the one you see, so only "
        "non-robust features can teach it.",
        "that every adversarial example is a feature: some are plain bugs (Nakkiran 2019).",
    ),
}


def builder_index(image: SetImage, models: tuple[ModelInfo, ...]) -> int | None:
    """The index in ``models`` of the classifier that the image was built with; None for D."""
    construction = CONSTRUCTIONS.get(image.name)
    if construction is None:
        return None
    return next(
        index
        for index, model in enumerate(models)
        if model.in_pair and model.robust == construction.robust
    )


def built_with(image: SetImage, models: tuple[ModelInfo, ...]) -> str:
    """The classifier in words, such as "built with CIFAR-10 robust"."""
    builder = builder_index(image, models)
    return "not changed" if builder is None else f"built with {models[builder].title}"


def objective_words(matches_features: bool) -> str:
    """What a construction minimises."""
    return "feature distance" if matches_features else "cross-entropy of the label"
