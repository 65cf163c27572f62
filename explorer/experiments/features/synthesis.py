"""Pictures that classifiers draw: of each class, from noise, under an L2 budget.

Santurkar et al. 2019 (arXiv 1906.09453) and Engstrom et al. 2019 (arXiv 1906.00945): gradient
ascent on a class of a robust classifier draws an object, on that of a standard one static. Other
classifiers then say what they recognise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks.threat import flat_norm
from explorer.classifiers import Classifier
from explorer.datasets.labelled import LabelledImages
from explorer.errors import Cancelled, named_twice
from explorer.experiments.features.ascent import Ascent, ascend
from explorer.experiments.features.asked import FeatureError, IsCancelled, OnStep, classes_for
from explorer.experiments.features.recognition import Recognition, recognitions
from explorer.experiments.features.starts import DATA, NOISE, STARTS, pictures_by_class, start_of
from explorer.images.geometry import round_8bit

EPSILON, SIDE = 20.0, 32  # the L2 budget at this side; a larger picture has more, by its side
MAX_STEPS, MAX_COUNT, MAX_PICTURES, MAX_EPSILON = 1000, 100, 2000, 1000.0
MOST_CLASSES = 20  # that are drawn where none is named


@dataclass(frozen=True, kw_only=True)
class SynthesisSettings:
    """What is drawn, and how. One setting serves all classes and all classifiers.

    ``classes`` are indices of the first classifier; None stands for all, if they are at most 20.
    ``count`` pictures are drawn of each. ``epsilon`` is an L2 length in pixels of [0, 1]; None is
    20 at 32 × 32, scaled by the side. ``start`` is "noise", "grey" or "data". Raises
    :class:`FeatureError` for values out of range.
    """

    classes: tuple[int, ...] | None = None
    count: int = 1
    epsilon: float | None = None
    steps: int = 20
    start: str = NOISE
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= MAX_STEPS:
            raise FeatureError(f"steps must be from 1 to {MAX_STEPS:,}; they are {self.steps}")
        if not 1 <= self.count <= MAX_COUNT:
            raise FeatureError(
                f"the pictures of each class must be from 1 to {MAX_COUNT}; they are {self.count}"
            )
        check_epsilon(self.epsilon)
        if self.start not in STARTS:
            raise FeatureError(f"a start is one of {', '.join(STARTS)}, not {self.start!r}")
        if self.classes is not None and not self.classes:
            raise FeatureError("name at least one class")


@dataclass(frozen=True)
class Drawing:
    """The pictures that one classifier drew: ``images`` float32 [N, C, H, W] of 8 bits.

    ``targets`` are their classes, ``starts`` [N, C, H, W] where they began, and ``lengths`` [N]
    the L2 distance between the two. ``names`` are the classes' names, ``epsilon`` the budget,
    ``precision`` that of the gradients.
    """

    name: str
    title: str
    robust: bool
    names: tuple[str, ...]
    targets: tuple[int, ...]
    starts: Tensor
    images: Tensor
    lengths: tuple[float, ...]
    epsilon: float
    precision: str


@dataclass(frozen=True)
class Synthesis:
    """The drawings, and what each judge recognises in them."""

    drawings: tuple[Drawing, ...]
    recognitions: tuple[Recognition, ...]

    @property
    def judges(self) -> tuple[str, ...]:
        """The names of the judges, in their order."""
        return tuple(dict.fromkeys(each.judge for each in self.recognitions))

    def recognition(self, drawer: str, judge: str) -> Recognition | None:
        """What ``judge`` says of the pictures of ``drawer``; None if it can't judge them."""
        pairs = {(each.drawer, each.judge): each for each in self.recognitions}
        return pairs.get((drawer, judge))


@dataclass(frozen=True)
class SynthesisFrame:
    """Pictures under way: those of classifier ``name`` at ``step``, float32 [N, C, H, W]."""

    name: str
    step: int
    steps: int
    targets: tuple[int, ...]
    images: Tensor


OnFrame = Callable[[SynthesisFrame], None]


def check_epsilon(epsilon: float | None) -> None:
    """Raise :class:`FeatureError` for an L2 budget out of range."""
    if epsilon is not None and not 0 < epsilon <= MAX_EPSILON:
        raise FeatureError(
            f"epsilon must be above 0 and at most {MAX_EPSILON:g}, an L2 length; it is {epsilon:g}"
        )


def default_epsilon(size: tuple[int, int], at_side: float = EPSILON) -> float:
    """The budget for pictures of ``size``: ``at_side`` at 32 × 32, scaled by the side."""
    return float(round(at_side * (size[0] * size[1]) ** 0.5 / SIDE, 1))


def synthesise(
    classifiers: Mapping[str, Classifier],
    settings: SynthesisSettings,
    judges: Mapping[str, Classifier],
    *,
    data: Mapping[str, LabelledImages] | None = None,
    on_step: OnStep | None = None,
    on_frame: OnFrame | None = None,
    cancelled: IsCancelled | None = None,
) -> Synthesis:
    """What each of ``classifiers`` draws, by name, and what the ``judges`` recognise.

    The starts depend on the seed, the class and the number of the picture, and are the same for
    classifiers of one size. ``data`` are the pictures on which the "data" start is fitted, for each
    classifier by name. ``on_step(done, total)`` counts steps. Raises :class:`FeatureError` for what
    can't be drawn and :class:`~explorer.errors.Cancelled`.
    """
    first = next(iter(classifiers.values()))
    classes = chosen_classes(first, settings)
    own = {name: _own_classes(classifiers, name, classes) for name in classifiers}
    total, done = settings.steps * settings.count * len(classifiers), 0
    drawings: list[Drawing] = []
    for name, model in classifiers.items():

        def count_step(step: int, steps: int, loss: float) -> None:
            nonlocal done
            done += 1
            if on_step is not None:
                on_step(done, total)

        fitted = _fitted(settings, name, own[name], data)
        starts, ascents = list[Tensor](), list[Ascent]()
        for number in range(settings.count):
            begin = _starts(model, settings, own[name], number, fitted)

            def show(step: int, points: Tensor, name: str = name) -> None:
                if on_frame is not None and step:
                    frame = points.detach().cpu()
                    on_frame(SynthesisFrame(name, step, settings.steps, own[name], frame))

            starts.append(begin)
            ascents.append(
                ascend(
                    model,
                    begin,
                    torch.tensor(own[name]),
                    epsilon=_epsilon(settings, model),
                    steps=settings.steps,
                    on_step=count_step,
                    on_image=show,
                    cancelled=cancelled,
                )
            )
        drawings.append(_drawing(name, model, settings, own[name], starts, ascents))
    return Synthesis(tuple(drawings), _judged(classifiers, drawings, judges, cancelled))


def chosen_classes(classifier: Classifier, settings: SynthesisSettings) -> tuple[int, ...]:
    """The classes that are drawn, as indices of the first ``classifier``.

    Raises :class:`FeatureError` for classes it lacks, for one named twice, and for too many.
    """
    count = len(classifier.labels)
    classes = settings.classes
    if classes is None:
        if count > MOST_CLASSES:
            raise FeatureError(f"{classifier.name} has {count:,} classes; name those to draw")
        classes = tuple(range(count))
    for index in classes:
        if not 0 <= index < count:
            raise FeatureError(f"{classifier.name} has classes 0 to {count - 1}, not {index}")
    names = [f"{classifier.labels[index]} ({index})" for index in classes]  # two may have one label
    if wrong := named_twice(names, "class"):
        raise FeatureError(wrong)
    if len(classes) * settings.count > MAX_PICTURES:
        raise FeatureError(f"at most {MAX_PICTURES:,} pictures are drawn at once; ask for fewer")
    return classes


def _own_classes(
    classifiers: Mapping[str, Classifier], name: str, classes: tuple[int, ...]
) -> tuple[int, ...]:
    first = next(iter(classifiers.values()))
    indices = []
    for index in classes:
        match = classes_for(classifiers, index)[name]
        if match is None:
            raise FeatureError(
                f"{name} has no class “{first.labels[index]}”; choose classes that all have"
            )
        indices.append(match)
    return tuple(indices)


def _fitted(
    settings: SynthesisSettings,
    name: str,
    classes: tuple[int, ...],
    data: Mapping[str, LabelledImages] | None,
) -> dict[int, Tensor]:
    if settings.start != DATA:
        return {}
    if data is None:
        raise FeatureError("a start from data needs labelled pictures to fit the Gaussian on")
    return pictures_by_class(data[name], classes)


def _starts(
    model: Classifier,
    settings: SynthesisSettings,
    classes: tuple[int, ...],
    number: int,
    fitted: Mapping[int, Tensor],
) -> Tensor:
    shape = (model.channels, *model.input_size)
    each = len(model.labels)
    return torch.stack(
        [
            start_of(settings.start, settings.seed, number * each + index, shape, fitted.get(index))
            for index in classes
        ]
    )


def _epsilon(settings: SynthesisSettings, model: Classifier) -> float:
    return default_epsilon(model.input_size) if settings.epsilon is None else settings.epsilon


def _drawing(
    name: str,
    model: Classifier,
    settings: SynthesisSettings,
    classes: tuple[int, ...],
    starts: list[Tensor],
    ascents: list[Ascent],
) -> Drawing:
    before, after = torch.cat(starts), round_8bit(torch.cat([each.images for each in ascents]))
    lengths = tuple(flat_norm(after - before, "l2").tolist())
    return Drawing(
        name,
        model.title,
        model.robust,
        model.labels,
        classes * settings.count,
        before,
        after,
        lengths,
        _epsilon(settings, model),
        ascents[0].precision,
    )


def _judged(
    classifiers: Mapping[str, Classifier],
    drawings: list[Drawing],
    judges: Mapping[str, Classifier],
    cancelled: IsCancelled | None,
) -> tuple[Recognition, ...]:
    answers: list[Recognition] = []
    for name, judge in judges.items():
        if cancelled is not None and cancelled():
            raise Cancelled
        answers += recognitions(judge, name, drawings, classifiers)
    return tuple(answers)
