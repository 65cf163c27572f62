"""An attack that a page asks of the worker, and its response, ready to be drawn."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from explorer.classifiers import Classifier
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.frames import frames_fit
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import AttackReport
from explorer.images.geometry import preprocess
from explorer.ui.components.sprite_sheet import SpriteSheet, sprite_sheet_of
from explorer.ui.jobs.job import Job
from explorer.ui.shared.picture import Picture


@dataclass(frozen=True)
class AttackRequest:
    """Attack ``picture`` as ``recipe`` says."""

    picture: Picture
    recipe: Recipe

    @property
    def key(self) -> tuple[str, str]:
        """Equal for requests that have the same response if the weights are the same."""
        return self.picture.digest, self.recipe.to_json()


@dataclass(frozen=True)
class Timing:
    """Seconds of each stage: the waits for the device, also between two steps (``queue``), loading
    the classifier and preparing the picture (``preparation``), the ``attack`` without them, and its
    ``sprite_sheet``.
    ``from_cache``: the response was computed before and is shown again.
    """

    queue: float
    preparation: float
    attack: float
    sprite_sheet: float
    from_cache: bool = False


@dataclass(frozen=True)
class AttackResponse:
    """The report without its frames, which are in ``sprite_sheet``, or None if there are too many.

    ``classifier_title`` is what the pages call the classifier.
    """

    request: AttackRequest
    report: AttackReport
    sprite_sheet: SpriteSheet | None
    classifier_title: str
    timing: Timing


def respond(request: AttackRequest, model: Classifier, job: Job[AttackResponse]) -> AttackResponse:
    """Run the attack on ``model``, the recipe's, on the worker's thread. Raises what it raises."""
    started = time.perf_counter()
    recipe = request.recipe
    pixels = preprocess(request.picture.image, model, recipe.crop)
    frames = frames_fit(model.input_size, recipe.steps, recipe.restarts)
    prepared = time.perf_counter()
    report = attack_image(
        model, pixels, recipe, frames=frames, on_step=job.on_step, cancelled=job.next_step
    )
    attacked = time.perf_counter()
    sprite_sheet = sprite_sheet_of(report) if frames else None
    timing = Timing(
        queue=job.seconds_waited,
        preparation=prepared - started,
        attack=attacked - prepared - job.seconds_waited,
        sprite_sheet=time.perf_counter() - attacked,
    )
    report = replace(report, trace=replace(report.trace, frames=None))
    return AttackResponse(request, report, sprite_sheet, model.title, timing)
