"""Back in the full photograph: the change at the photograph's own resolution, and whether the whole still fools."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st
from PIL import Image

from explorer.experiments.one_image.full_photo import (
    FullResolutionReport,
    attack_at_full_resolution,
)
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackReport
from explorer.figures.captions import percent
from explorer.ui.components.markdown import plain
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.jobs.worker import Job
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.classifiers import classifier

SHOWN = 1200  # pixels of the longer side on screen; the file has them all


@dataclass(frozen=True)
class FullPhotoResponse:
    """The report and the two pictures on screen."""

    report: FullResolutionReport
    photo: Image.Image
    change: Image.Image


def full_photo(answer: AttackResponse) -> None:
    """The switch and, when it is on, the photograph; nothing where the picture is no larger than what the classifier sees."""
    model = classifier(answer.report.recipe.model)
    image = answer.question.picture.image
    if image.width <= model.input_size[1] and image.height <= model.input_size[0]:
        return
    st.subheader("Back in the full photograph")
    size = f"{image.width} × {image.height}"
    words = f"Carry the change back into the photograph at its own {size} pixels, and ask the classifier about the whole"
    if not st.toggle(words, key="paste"):
        return
    way = session_jobs(str(model.device))
    job = way.submit("paste", ("paste", answer.question.key), partial(_paste, answer))
    found = show_progress(way, job, "paste", lambda job: "Carrying the change back")
    if found is not None and job.done:
        _show(found, answer)


def _paste(answer: AttackResponse, job: Job[FullPhotoResponse]) -> FullPhotoResponse:
    model = classifier(answer.report.recipe.model)
    report = attack_at_full_resolution(answer.question.picture.image, model, answer.report)
    return FullPhotoResponse(
        report, _small(report.full_resolution.photo), _small(change_image(report))
    )


def change_image(report: FullResolutionReport) -> Image.Image:
    """The change as an image of the photograph's size: grey is no change, black and white the largest."""
    change, (left, top) = report.full_resolution.change, report.full_resolution.corner
    levels = np.rint(127.5 + 127.5 * change / (np.abs(change).max() or 1)).astype(np.uint8)
    whole = Image.new("RGB", report.full_resolution.photo.size, (128, 128, 128))
    whole.paste(Image.fromarray(levels), (left, top))
    return whole


def _small(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.thumbnail((SHOWN, SHOWN), Image.Resampling.LANCZOS)
    return image


def _show(found: FullPhotoResponse, answer: AttackResponse) -> None:
    report, attacked = found.report, answer.report
    st.markdown(sentence(report, attacked))
    left, right = st.columns(2, gap="large")
    left.image(
        found.photo,
        "the photograph with the change",
        output_format="PNG",
        alt="the photograph with the change",
    )
    factor = 0.5 / report.full_resolution.linf if report.full_resolution.linf else 1.0
    right.image(
        found.change,
        f"the change alone, magnified {factor:.3g} ×",
        output_format="PNG",
        alt="the change alone",
    )
    st.caption(
        "Of all changes that give the classifier's view its adversarial form this is the shortest, rounded to 8 bits. Scaling a photograph "
        "down averages pixels, so that single pixels must change by more than ε."
    )
    st.download_button(
        "Whole photograph, PNG",
        partial(_png, report.full_resolution.photo),
        "adversarial-photograph.png",
        "image/png",
        on_click="ignore",
        icon=":material/download:",
        key="export photograph",
    )


def sentence(report: FullResolutionReport, attacked: AttackReport) -> str:
    """What the classifier says of the whole photograph, and how much changed."""
    says = f"it says “{plain(report.after.name)}” at {percent(report.after.confidence)}."
    if not attacked.success:
        text = f"The attack did not succeed, and the whole photograph does no better: {says}"
    elif report.success:
        text = f"The whole photograph **still fools** the classifier: {says}"
    else:
        text = f"The whole photograph **no longer fools** the classifier: {says}"
    if report.centre is not None:
        through = f"“{plain(report.centre.name)}” at {percent(report.centre.confidence)}"
        fools = "fools it too" if report.centre_success else "does not fool it"
        text += f" Seen through its own centre crop it {fools}: {through}."
    change = f"L∞ {format_epsilon(report.full_resolution.linf, 'linf')}, L2 {report.full_resolution.l2:.3g}"
    return f"{text} Measured on the photograph's own pixels: {change}."


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
