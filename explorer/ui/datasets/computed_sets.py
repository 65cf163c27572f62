"""Constructed sets of the sample pictures: built on this machine on first use, then read back."""

from __future__ import annotations

from dataclasses import replace

from explorer.classifiers import Classifier
from explorer.datasets.constructed.build import build
from explorer.datasets.constructed.plan import load_or_write_plan, make_plan
from explorer.datasets.constructed.read import ConstructedSet, read_set
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.experiments.ilyas2019.five_sets import construction_for
from explorer.experiments.ilyas2019.five_sets_result import FiveSetsSettings
from explorer.files import FileError, cache_folder
from explorer.images.geometry import with_channels
from explorer.ui.jobs.job import Job


def computed_set(
    name: str, classifier: Classifier, data: LabelledImages, job: Job[ConstructedSet]
) -> ConstructedSet:
    """The set ``name`` of the labelled images of ``data``, with the default settings of the page.

    It is built with ``classifier`` and stored in the cache folder, unless it is already there.
    Raises :class:`~explorer.errors.UserError` when it can't be built or stored, and
    :class:`~explorer.errors.Cancelled` when the job is cancelled.
    """
    data = data.take((data.labels >= 0).nonzero().flatten())
    data = replace(data, images=with_channels(data.images, classifier.channels))
    if not len(data):
        raise DataError(
            f"no sample picture shows a class of {classifier.title}; choose other classifiers"
        )
    settings = FiveSetsSettings().for_size(classifier.input_size)
    construction = construction_for(name, settings)
    plan = make_plan(construction, classifier, data, source="samples", seed=settings.seed)
    model = classifier.name.replace(":", "-")
    folder = cache_folder() / "sets" / f"{model}-{name}-{plan.digest[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        plan = load_or_write_plan(plan, folder, automatic=False)
        build(plan, classifier, data, folder, on_step=job.on_step, cancelled=job.next_step)
        return read_set(folder)
    except OSError as error:
        raise FileError(
            f"can't store computed sets in {cache_folder()}: {error.strerror or error}; set "
            "EXPLORER_CACHE to a folder that can be written"
        ) from None
