"""The constructed sets of the sample pictures: made on the person's machine the first time they are asked for, and kept there."""

from __future__ import annotations

from explorer.classifiers import Classifier
from explorer.datasets.constructed.build import build
from explorer.datasets.constructed.plan import load_or_write_plan, make_plan
from explorer.datasets.constructed.read import ConstructedSet, read_set
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.experiments.ilyas2019.five_sets import construction_for
from explorer.experiments.ilyas2019.five_sets_result import FiveSetsSettings
from explorer.files import cache_folder
from explorer.ui.jobs.worker import Job, Refused


def computed_set(
    name: str, maker: Classifier, data: LabelledImages, job: Job[ConstructedSet]
) -> ConstructedSet:
    """The set ``name`` of the labelled images of ``data``, made with ``maker`` by the page's default settings, or read back.

    Raises :class:`~explorer.ui.jobs.worker.Refused` where it can't be kept, :class:`~explorer.errors.Cancelled` when the job is.
    """
    data = data.take((data.labels >= 0).nonzero().flatten())
    settings = FiveSetsSettings().for_size(maker.input_size)
    plan = make_plan(
        construction_for(name, settings), maker, data, source="samples", seed=settings.seed
    )
    folder = cache_folder() / "sets" / f"{maker.name.replace(':', '-')}-{name}-{plan.digest[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        build(
            load_or_write_plan(plan, folder, automatic=False),
            maker,
            data,
            folder,
            on_step=job.on_step,
            cancelled=job.cancelled,
        )
        return read_set(folder)
    except DataError as error:
        raise Refused(str(error)) from None
    except OSError as error:
        raise Refused(
            f"Computed sets can't be kept in {cache_folder()} ({error.strerror or error}); set EXPLORER_CACHE to a folder that can "
            "be written."
        ) from None
