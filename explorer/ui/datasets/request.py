"""What the data page asks the worker: this picture as each set holds it, or one of them while a person watches."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from explorer.attacks import AttackError
from explorer.classifiers import Entry
from explorer.experiments.ilyas2019.five_sets import (
    ModelPair,
    make_five_sets,
    make_set_image,
    noise_start,
    with_label,
)
from explorer.experiments.ilyas2019.five_sets_result import (
    FiveSetsResult,
    ConstructionFrame,
    SetImage,
    FiveSetsSettings,
    SourceImage,
    FiveSetsProgress,
    StartImage,
)
from explorer.images.geometry import view
from explorer.ui.jobs.worker import Job, Refused
from explorer.ui.shared.classifiers import classifier
from explorer.ui.shared.picture import Picture


@dataclass(frozen=True)
class ClassifierPair:
    """A standard and a robust classifier of the same data."""

    standard: Entry
    robust: Entry

    @property
    def title(self) -> str:
        """What their names have in common, or else both."""
        common = self.standard.name.removesuffix("-standard")
        return (
            common
            if self.robust.name == f"{common}-robust"
            else f"{self.standard.name} and {self.robust.name}"
        )


def pairs(entries: dict[str, Entry]) -> dict[str, ClassifierPair]:
    """Each robust classifier with the first standard one of the same data, by title; those of the paper's data first."""
    found = []
    for robust in (entry for entry in entries.values() if entry.robust):
        standard = next(
            (each for each in entries.values() if not each.robust and each.data == robust.data),
            None,
        )
        if standard is not None:
            found.append(ClassifierPair(standard, robust))
    found.sort(key=lambda pair: not pair.standard.name.startswith("cifar10"))
    return {pair.title: pair for pair in found}


def others(pair: ClassifierPair, entries: dict[str, Entry]) -> list[str]:
    """Further classifiers with the classes of the pair, which can be asked too."""
    known = pair.standard.card.labels if pair.standard.card else None
    chosen = (pair.standard.name, pair.robust.name)
    return [
        entry.name
        for entry in entries.values()
        if entry.name not in chosen and entry.card and entry.card.labels == known
    ]


@dataclass(frozen=True)
class FiveSetsRequest:
    """``picture`` as each set would hold it. ``label`` is the class it carries (None: what the robust classifier says), ``perceived_label``
    the one a person sees in it, ``index`` its place in its data (−1: it has none). ``start`` None is noise, ``start_index`` the place
    of the start in the gallery. ``controls`` are the values of the widgets that asked it, to ask it again."""

    pair: ClassifierPair
    others: tuple[str, ...]
    picture: Picture
    index: int
    label: int | None
    perceived_label: int | None
    start: Picture | None
    start_index: int | None
    settings: FiveSetsSettings
    controls: dict[str, Any]

    @property
    def key(self) -> Hashable:
        """Equal for questions that have the same answer."""
        start = None if self.start is None else (self.start.digest, self.start.label)
        picture = (self.picture.digest, self.index, self.label, self.perceived_label)
        return (
            self.pair.standard.name,
            self.pair.robust.name,
            self.others,
            picture,
            start,
            self.settings,
        )

    def panel(self) -> ModelPair:
        """The loaded classifiers. Raises :class:`~explorer.classifiers.ClassifierError`."""
        standard, robust, *rest = (
            classifier(name)
            for name in (self.pair.standard.name, self.pair.robust.name, *self.others)
        )
        return ModelPair(standard, robust, tuple(rest))

    def pictures(self, panel: ModelPair) -> tuple[SourceImage, StartImage]:
        """The two pictures as the classifiers see them."""
        model = panel.standard
        source = SourceImage(
            view(self.picture.image, model), self.label, self.perceived_label, self.index
        )
        if self.start is None:
            return source, noise_start(self.settings.seed, self.index, model.input_size)
        return source, StartImage(view(self.start.image, model), self.start.label)


def make_five_sets_row(question: FiveSetsRequest, job: Job[FiveSetsResult]) -> FiveSetsResult:
    """Make the row on the worker's thread; its :class:`FiveSetsProgress` is what the job shows meanwhile."""
    panel = question.panel()
    source, start = question.pictures(panel)

    def on_stage(stage: FiveSetsProgress) -> None:
        job.shown = stage
        sizes = (
            question.settings.match_steps,
            question.settings.match_steps,
            *[question.settings.attack_steps] * 2,
        )
        number = len(stage.made) - 1
        job.progress = sum(sizes[:number]) + stage.frame.step, sum(sizes)

    try:
        return make_five_sets(
            source, start, panel, question.settings, on_progress=on_stage, cancelled=job.cancelled
        )
    except AttackError:
        raise
    except ValueError as error:
        raise Refused(str(error)) from None


@dataclass(frozen=True)
class BuildRequest:
    """One image of the row, made while a person watches; ``press`` counts the presses, so that each one is made anew."""

    row: FiveSetsRequest
    name: str
    press: int

    @property
    def key(self) -> Hashable:
        return self.row.key, self.name, self.press


@dataclass(frozen=True)
class BuiltImage:
    """An image made on the page. ``source`` is the settled one."""

    question: BuildRequest
    source: SourceImage
    image: SetImage


def build_image(question: BuildRequest, job: Job[BuiltImage]) -> BuiltImage:
    """Make one image on the worker's thread; its :class:`ConstructionFrame` is what the job shows meanwhile."""
    panel = question.row.panel()
    source, start = question.row.pictures(panel)
    source = with_label(source, panel)

    def on_frame(frame: ConstructionFrame) -> None:
        job.shown = frame
        job.progress = frame.step, frame.steps

    made = make_set_image(
        question.name,
        source,
        start,
        panel,
        question.row.settings,
        on_frame=on_frame,
        cancelled=job.cancelled,
    )
    return BuiltImage(question, source, made)
