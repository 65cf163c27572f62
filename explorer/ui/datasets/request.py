"""What the page asks the worker for: one picture in each set, or in one set step by step."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from explorer.classifiers import Entry
from explorer.experiments.ilyas2019.five_sets import (
    make_five_sets,
    make_set_image,
    noise_start,
    with_label,
)
from explorer.experiments.ilyas2019.five_sets_result import (
    ConstructionFrame,
    FiveSetsProgress,
    FiveSetsResult,
    FiveSetsSettings,
    SetImage,
    SourceImage,
    StartImage,
)
from explorer.experiments.ilyas2019.model_pair import ModelPair
from explorer.images.geometry import preprocess
from explorer.ui.datasets.pair import ClassifierPair
from explorer.ui.jobs.job import Job
from explorer.ui.shared.classifiers import classifier_of
from explorer.ui.shared.picture import Picture


@dataclass(frozen=True)
class FiveSetsRequest:
    """``picture`` in each of the five sets, built with ``pair``; ``others`` are only asked about
    the images.

    ``index`` is the place of the picture in its data (−1 for an upload), and ``set_name`` the
    constructed set that it is an image of, or empty. ``label`` is the class it
    carries, None for the prediction of the robust classifier; ``perceived_label`` is the class that
    a person sees in it, None if that is unknown. ``start`` None is noise; ``start_index`` is the
    place of the start in the gallery. ``controls`` are the values of the widgets, to restore them.
    """

    pair: ClassifierPair
    others: tuple[Entry, ...]
    picture: Picture
    index: int
    label: int | None
    perceived_label: int | None
    start: Picture | None
    start_index: int | None
    settings: FiveSetsSettings
    controls: dict[str, Any]
    set_name: str = ""

    @property
    def key(self) -> Hashable:
        """Equal for requests that have the same result."""
        start = None if self.start is None else (self.start.digest, self.start.label)
        known = (self.index, self.label, self.perceived_label, self.set_name)
        picture = (self.picture.digest, *known)
        entries = (self.pair.standard, self.pair.robust, *self.others)
        names = tuple(entry.name for entry in entries)
        return (names, picture, start, self.settings)

    def load_models(self) -> ModelPair:
        """The loaded classifiers. Raises :class:`~explorer.classifiers.ClassifierError`."""
        standard, robust = classifier_of(self.pair.standard), classifier_of(self.pair.robust)
        return ModelPair(standard, robust, tuple(map(classifier_of, self.others)))

    def images(self, models: ModelPair) -> tuple[SourceImage, StartImage]:
        """The source and the start as the classifiers get them."""
        model = models.standard
        source = SourceImage(
            preprocess(self.picture.image, model),
            self.label,
            self.perceived_label,
            self.index,
            self.set_name,
        )
        if self.start is None:
            size, channels = model.input_size, model.channels
            return source, noise_start(self.settings.seed, self.index, size, channels)
        return source, StartImage(preprocess(self.start.image, model), self.start.label)


def compute_five_sets(request: FiveSetsRequest, job: Job[FiveSetsResult]) -> FiveSetsResult:
    """The work of a job. Its preview is a :class:`FiveSetsProgress`."""
    models = request.load_models()
    source, start = request.images(models)
    settings = request.settings
    steps = (*[settings.match_steps] * 2, *[settings.attack_steps] * 2)

    def on_progress(progress: FiveSetsProgress) -> None:
        job.preview = progress
        finished = len(progress.images) - 1  # the first image is the source itself
        job.progress = sum(steps[:finished]) + progress.frame.step, sum(steps)

    return make_five_sets(
        source, start, models, settings, on_progress=on_progress, cancelled=job.next_step
    )


@dataclass(frozen=True)
class BuildRequest:
    """One image of a row, for the set ``name``. Each press of a button has another ``press``, so
    that the image is built anew.
    """

    row: FiveSetsRequest
    name: str
    press: int

    @property
    def key(self) -> Hashable:
        """Different for each press."""
        return self.row.key, self.name, self.press


@dataclass(frozen=True)
class BuiltImage:
    """An image that a visitor built. ``source`` has its label."""

    request: BuildRequest
    source: SourceImage
    image: SetImage


def build_image(request: BuildRequest, job: Job[BuiltImage]) -> BuiltImage:
    """The work of a job. Its preview is a :class:`ConstructionFrame`."""
    models = request.row.load_models()
    source, start = request.row.images(models)
    source = with_label(source, models)

    def on_frame(frame: ConstructionFrame) -> None:
        job.preview = frame
        job.progress = frame.step, frame.steps

    image = make_set_image(
        request.name,
        source,
        start,
        models,
        request.row.settings,
        on_frame=on_frame,
        cancelled=job.next_step,
    )
    return BuiltImage(request, source, image)
