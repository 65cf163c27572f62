"""The images of a constructed set, computed in batches that fit the device's memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from explorer.attacks import OnStep
from explorer.classifiers import Classifier
from explorer.datasets.constructed.constructions import (
    IMAGE,
    ConstructionResult,
    noise,
    start_index,
    target_class,
)
from explorer.datasets.constructed.plan import Plan
from explorer.datasets.constructed.representation_matching import match_representations
from explorer.datasets.constructed.shards import Row
from explorer.datasets.constructed.targeted_attack import targeted_construction
from explorer.datasets.labelled import DataError, LabelledImages

# Pixel values in one batch: enough to use all of the device and little enough for any of its kind.
# The size is fixed so that a plan gives the same bytes; if memory forces smaller batches the images
# stay the same, and the last bit of ``objective`` may differ.
BATCH_VALUES = {"cpu": 100 * 3 * 32 * 32, "cuda": 4096 * 3 * 32 * 32}
# Kernels for a handful of images add in another order than those for many, and over hundreds of
# steps a last bit reaches the stored bytes. Smaller batches are therefore padded to this size.
MIN_BATCH = 8


def construct_rows(
    plan: Plan,
    classifier: Classifier,
    data: LabelledImages,
    indices: Sequence[int],
    *,
    on_batch: Callable[[int], None],
    on_step: OnStep | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Row]:
    """The rows of the set for these indices of ``data``; ``on_batch`` gets the number done so far.

    Raises :class:`DataError` if not even the smallest batch fits into the device's memory.
    """
    rows: list[Row] = []
    values = BATCH_VALUES.get(plan.device, BATCH_VALUES["cpu"])
    size = max(MIN_BATCH, values // data.images[0].numel())
    while len(rows) < len(indices):
        batch = indices[len(rows) : len(rows) + size]
        try:
            rows += construct_batch(plan, classifier, data, batch, on_step, cancelled)
        except torch.OutOfMemoryError:
            if size == MIN_BATCH:
                fault = f"{size} images do not fit into the device's memory"
                raise DataError(f"{fault}; use --device cpu") from None
            size = max(MIN_BATCH, size // 2)
            continue
        on_batch(len(rows))
    return rows


def construct_batch(
    plan: Plan,
    classifier: Classifier,
    data: LabelledImages,
    indices: Sequence[int],
    on_step: OnStep | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Row]:
    """The rows of the set for these indices of ``data``, computed together.

    ``on_step(done, steps, mean objective)`` is called after each step.
    """
    padded = [*indices, *[indices[-1]] * (MIN_BATCH - len(indices))]
    return _construct(plan, classifier, data, padded, on_step, cancelled)[: len(indices)]


def _construct(
    plan: Plan,
    classifier: Classifier,
    data: LabelledImages,
    indices: list[int],
    on_step: OnStep | None,
    cancelled: Callable[[], bool] | None,
) -> list[Row]:
    construction = plan.construction
    sources = _pixels(data.images[indices]).to(classifier.device)
    labels, rows = data.labels[indices], [data.row(index) for index in indices]
    starts: list[int | None] = [None] * len(indices)
    targets: list[int | None] = [None] * len(indices)
    if construction.matches_features:
        if construction.start == IMAGE:
            starts = [start_index(plan.seed, row, len(data)) for row in rows]
        result = match_representations(
            construction,
            classifier,
            sources,
            _start_images(plan, data, rows, starts).to(classifier.device),
            precision=plan.precision,
            on_step=on_step,
            cancelled=cancelled,
        )
        set_labels = labels
    else:
        drawn = [
            target_class(construction, plan.seed, row, int(label), len(plan.classes))
            for row, label in zip(rows, labels, strict=True)
        ]
        targets, set_labels = [*drawn], torch.tensor(drawn, dtype=torch.int64)
        result = targeted_construction(
            construction,
            classifier,
            sources,
            labels,
            set_labels,
            precision=plan.precision,
            on_step=on_step,
            cancelled=cancelled,
        )
    stored, predicted, reached = _store(classifier, result, set_labels)
    objective = result.objective.amin(dim=0).cpu()
    return [
        Row(
            image=stored[i],
            label=int(set_labels[i]),
            source_index=row,
            source_label=int(labels[i]),
            start_index=None if start is None else data.row(start),
            start_label=None if start is None else int(data.labels[start]),
            target=target,
            objective=float(objective[i]),
            reached=bool(reached[i]),
            predicted=int(predicted[i]),
        )
        for i, (row, start, target) in enumerate(zip(rows, starts, targets, strict=True))
    ]


def _start_images(
    plan: Plan, data: LabelledImages, rows: list[int], starts: list[int | None]
) -> Tensor:
    if plan.construction.start == IMAGE:
        return _pixels(data.images[[start for start in starts if start is not None]])
    return torch.stack([noise(plan.seed, row, data.images.shape[1:]) for row in rows])


def _store(
    classifier: Classifier, result: ConstructionResult, labels: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The images rounded to uint8, their predicted classes, and whether ``labels`` were reached."""
    stored = (result.images * 255).round().to(torch.uint8).cpu()
    with torch.no_grad():
        before = classifier(result.images).argmax(dim=1).cpu()
        after = classifier(_pixels(stored).to(classifier.device)).argmax(dim=1).cpu()
    return stored, after, before == labels


def _pixels(images: Tensor) -> Tensor:
    return images.float() / 255
