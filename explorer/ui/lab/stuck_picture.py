"""The chosen picture without a patch, with it, and with one of noise at the same place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import streamlit as st
import torch
from torch import Tensor

from explorer.experiments.one_image.attack_image import image_digest, predict
from explorer.experiments.one_image.report import Prediction
from explorer.experiments.patch import noise_patch
from explorer.experiments.placement import stick
from explorer.figures.captions import confidence_text
from explorer.images.geometry import preprocess
from explorer.ui.components.markdown import plain, sentence
from explorer.ui.jobs.job import Job
from explorer.ui.lab.changed_row import NO_BREAK, picture_row
from explorer.ui.lab.keys import PAGE
from explorer.ui.lab.patch_controls import PatchRequest
from explorer.ui.shared.classifiers import classifier, identity
from explorer.ui.shared.known_result import known_or_computed
from explorer.ui.shared.own_question import is_own_question

SIDE = 224  # pixels
_PLACE = "lab stuck"


class _Stuck(NamedTuple):
    pictures: Tensor
    predictions: list[Prediction]


def draw_stuck(request: PatchRequest, patch: Tensor) -> None:
    """Draw the pictures, each with what the attacked classifier says of it."""
    model = classifier(request.recipe.models[0])
    key = (image_digest(patch), request.place, request.picture.digest, identity(model))
    shown = known_or_computed(
        *(PAGE, _PLACE, key, str(model.device), _work(request, patch), _doing),
        is_own=is_own_question([model.name], [request.picture.source]),
    )
    stuck: _Stuck | None = shown.result
    if stuck is None:
        return
    titles = ("as it is", "with the patch", "with noise in its place")
    target = request.recipe.target
    tiles = [
        (picture, f"{title}: {_said(prediction, target)}")
        for picture, title, prediction in zip(
            stuck.pictures, titles, stuck.predictions, strict=True
        )
    ]
    picture_row([(patch, f"the patch, for “{plain(target)}”"), *tiles], "lab stuck row", SIDE)
    for note in model.notes:
        st.caption(sentence(note))


def _work(request: PatchRequest, patch: Tensor) -> Callable[[Job[_Stuck]], _Stuck]:
    model = classifier(request.recipe.models[0])

    def work(job: Job[_Stuck]) -> _Stuck:
        job.next_step()
        image = preprocess(request.picture.image, model)[None]
        noise = noise_patch(patch, request.recipe.attack.seed)
        both = [stick(image, each, request.placements) for each in (patch, noise)]
        pictures = torch.cat([image, *both])
        return _Stuck(pictures, predict(model, pictures))

    return work


def _said(prediction: Prediction, target: str) -> str:
    confidence = confidence_text(prediction.confidence).replace(" ", NO_BREAK)
    name = plain(prediction.name)
    return f"**{name}**, {confidence}" if prediction.name == target else f"{name}, {confidence}"


def _doing(job: Job[Any]) -> str:
    return "Classifying the picture"
