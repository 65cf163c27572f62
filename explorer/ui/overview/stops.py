"""The seven stops of the tour in words. It imports nothing slow: the page begins with this text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stop:
    """A stop of the tour.

    ``sentence`` is what it says, ``terms`` are the words of the glossary that it uses, and
    ``module`` is the module of ``explorer.ui.overview`` that draws it. ``linked`` are the keys of
    its choices, which are in the page's address while it is open.
    """

    number: int
    title: str
    sentence: str
    terms: tuple[str, ...]
    module: str
    linked: tuple[str, ...]


STOPS = (
    Stop(
        1,
        "Adversarial Explorer",
        "To you, the original and the attacked picture show the same thing; to a neural network "
        "they do not. A change too small to notice makes it see something else. The attack below "
        "was computed on this machine.",
        ("epsilon", "linf", "l2", "ssim", "pgd", "fgsm"),
        "panda_stop",
        ("tour_guess_panda",),
    ),
    Stop(
        2,
        "How each step is chosen",
        "A step changes every value of every pixel by the same small amount; the sign of the "
        "gradient says whether up or down.",
        ("gradient", "step_size", "epsilon", "pgd"),
        "step_stop",
        ("tour_pixel", "tour_guess_step"),
    ),
    Stop(
        3,
        "ε under your finger",
        "ε is the most by which any value may change: a larger ε lets the attack do more, and lets "
        "you see more of it.",
        ("epsilon", "linf", "l2", "ssim", "restart"),
        "epsilon_stop",
        ("tour_levels", "tour_guess_epsilon"),
    ),
    Stop(
        4,
        "Random noise does nothing",
        "One of the changes below was computed with the classifier's gradient, the other is random "
        "noise of the same size.",
        ("linf", "gradient", "epsilon"),
        "noise_stop",
        ("tour_noise", "tour_guess_noise"),
    ),
    Stop(
        5,
        "Standard beside robust",
        "The second classifier has the same architecture as the first, but was trained on pictures "
        "that were attacked while it learned.",
        ("robust_accuracy", "epsilon", "pgd"),
        "robust_stop",
        ("tour_epsilon", "tour_guess_robust"),
    ),
    Stop(
        6,
        "One picture in five training sets",
        "Ilyas et al. (2019) built training sets whose labels fit what you see, or only what a "
        "classifier sees.",
        ("robust_feature", "l2", "wilson"),
        "sets_stop",
        ("tour_view", "tour_guess_sets"),
    ),
    Stop(
        7,
        "Bugs or features?",
        "If an attack only used the flaws of one classifier, it would not fool another one that "
        "was trained separately.",
        ("transfer", "wilson", "robust_feature"),
        "transfer_stop",
        ("tour_transfer", "tour_guess_transfer"),
    ),
)
FIRST, LAST = STOPS[0].number, STOPS[-1].number
