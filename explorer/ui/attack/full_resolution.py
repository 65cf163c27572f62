"""The change at the photograph's own resolution, and whether the whole photograph still fools."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st
from PIL import Image

from explorer.classifiers import Classifier
from explorer.experiments.one_image.full_resolution import (
    FullResolutionReport,
    apply_at_full_resolution,
)
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackReport
from explorer.figures.captions import confidence_text
from explorer.ui.components.markdown import plain
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.classifiers import classifier
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.linked_widgets import BIND

PREVIEW = 1200  # pixels of the longer side on screen; the file has them all
PLACE = "full resolution"
KEY = "full_resolution"  # of the switch, also in the address


@dataclass(frozen=True)
class FullResolutionResponse:
    """The report, and previews of the changed photograph and of the change."""

    report: FullResolutionReport
    photo: Image.Image
    change: Image.Image


def full_resolution(response: AttackResponse) -> None:
    """The switch and, if it is on, the photograph.

    Nothing if the picture is no larger than the classifier's input.
    """
    model = classifier(response.report.recipe.model)
    image = response.request.picture.image
    if image.width <= model.input_size[1] and image.height <= model.input_size[0]:
        return
    st.header("Back in the full photograph")
    size = f"{image.width:,} × {image.height:,}"
    label = f"Apply the change to the full-size photograph ({size}) and classify that"
    allow(KEY, ("true", "false"))
    if not st.toggle(label, key=KEY, bind=BIND):
        return
    jobs = session_jobs(str(model.device))
    job = jobs.submit(PLACE, (PLACE, response.request.key), partial(_apply, response, model))
    applied = show_progress(jobs, job, PLACE, lambda job: "Applying the change")
    if applied is not None and job.done:
        _show(applied, response)


def _apply(
    response: AttackResponse, model: Classifier, job: Job[FullResolutionResponse]
) -> FullResolutionResponse:
    job.next_step()  # the rest is one step
    report = apply_at_full_resolution(response.request.picture.image, model, response.report)
    photo, change = _preview(report.full_resolution.photo), _preview(change_image(report))
    return FullResolutionResponse(report, photo, change)


def change_image(report: FullResolutionReport) -> Image.Image:
    """The change, in the photograph's size: grey is no change, black and white the largest."""
    change, corner = report.full_resolution.change, report.full_resolution.corner
    levels = np.rint(127.5 + 127.5 * change / (np.abs(change).max() or 1)).astype(np.uint8)
    image = Image.new("RGB", report.full_resolution.photo.size, (128, 128, 128))
    image.paste(Image.fromarray(levels), corner)
    return image


def _preview(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.thumbnail((PREVIEW, PREVIEW), Image.Resampling.LANCZOS)
    return image


def _show(applied: FullResolutionResponse, response: AttackResponse) -> None:
    full = applied.report.full_resolution
    st.markdown(verdict(applied.report, response.report))
    left, right = st.columns(2, gap="large")
    title = "the photograph with the change"
    left.image(applied.photo, title, output_format="PNG", alt=title)
    title = "the change alone"
    factor = 0.5 / full.linf if full.linf else 1.0
    caption = f"{title}, magnified {factor:.3g} ×"
    right.image(applied.change, caption, output_format="PNG", alt=title)
    st.caption(
        "This is the smallest full-size change that gives the adversarial view, rounded to 8 bits. "
        "Scaling averages pixels, so single pixels must change by more than ε."
    )
    st.download_button(
        "Whole photograph, PNG",
        partial(_png, full.photo),
        "adversarial-photograph.png",
        "image/png",
        on_click="ignore",
        icon=":material/download:",
        key="export photograph",
    )


def verdict(report: FullResolutionReport, attack: AttackReport) -> str:
    """Markdown: what the classifier says of the whole photograph, and how much changed."""
    says = f"it says “{plain(report.after.name)}” at {confidence_text(report.after.confidence)}."
    if not attack.success:
        text = f"The attack did not succeed, nor does the whole photograph: {says}"
    elif report.success:
        text = f"The whole photograph **still fools** the classifier: {says}"
    else:
        text = f"The whole photograph **no longer fools** the classifier: {says}"
    if report.centre is not None:
        says = f"“{plain(report.centre.name)}” at {confidence_text(report.centre.confidence)}"
        fools = "fools it too" if report.centre_success else "does not fool it"
        text += f" Seen through the classifier's own centre crop it {fools}: {says}."
    full = report.full_resolution
    change = f"L∞ {format_epsilon(full.linf, 'linf')}, L2 {full.l2:.3g}"
    return f"{text} Measured on the photograph's own pixels: {change}."


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
