"""What a page asks the worker: attack this picture so; and what it gets back, ready to be drawn."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import AttackReport
from explorer.images.geometry import view
from explorer.ui.components.sprite_sheet import SpriteSheet, frames_fit, sprite_sheet_of
from explorer.ui.jobs.worker import Job
from explorer.ui.shared.classifiers import classifier
from explorer.ui.shared.picture import Picture


@dataclass(frozen=True)
class AttackRequest:
    """Attack ``picture`` as ``recipe`` says."""

    picture: Picture
    recipe: Recipe

    @property
    def key(self) -> tuple[str, str]:
        """Equal for questions that have the same answer from the same weights."""
        return self.picture.digest, self.recipe.to_json()


@dataclass(frozen=True)
class Timing:
    """Where the time of an answer went, in seconds: waiting for the worker, loading the classifier and preparing the picture,
    attacking, and encoding the film. ``kept`` says that the answer was given before and is shown again."""

    waited: float
    prepared: float
    attacked: float
    filmed: float
    kept: bool = False


@dataclass(frozen=True)
class AttackResponse:
    """The report, without its frames; these are in the film, where there was room for them."""

    question: AttackRequest
    report: AttackReport
    film: SpriteSheet | None
    title: str
    timing: Timing


def respond(question: AttackRequest, job: Job[AttackResponse]) -> AttackResponse:
    """Run the attack on the worker's thread. Raises what loading and attacking raise."""
    begun = time.perf_counter()
    recipe = question.recipe
    model = classifier(recipe.model)
    pixels = view(question.picture.image, model, recipe.crop)
    frames = frames_fit(model.input_size, recipe.steps, recipe.restarts)
    prepared = time.perf_counter()
    report = attack_image(
        model, pixels, recipe, frames=frames, on_step=job.on_step, cancelled=job.cancelled
    )
    attacked = time.perf_counter()
    film = sprite_sheet_of(report) if frames else None
    timing = Timing(
        job.waited, prepared - begun, attacked - prepared, time.perf_counter() - attacked
    )
    return AttackResponse(
        question,
        replace(report, trace=replace(report.trace, frames=None)),
        film,
        model.title,
        timing,
    )
