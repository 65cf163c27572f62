"""Files of a result, the link that restores the page, and the command line.

matplotlib, which draws the figures, is imported only when a file is built.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from explorer.classifiers.entry import USER_PREFIX
from explorer.errors import UserError
from explorer.experiments.one_image.recipe import Recipe
from explorer.images.open import UPLOAD_PREFIX
from explorer.ui.components.markdown import plain
from explorer.ui.components.sprite_sheet import images_of
from explorer.ui.jobs.progress import last_result
from explorer.ui.shared.attack_controls import LINKED, step_values
from explorer.ui.shared.attack_request import AttackRequest, AttackResponse
from explorer.ui.shared.exports import ExportFile, download_buttons, file_name, page_link
from explorer.ui.shared.ladder_job import LadderState, ladder_of
from explorer.ui.shared.words import eight_bits

FILES = (
    ExportFile("Figure, PNG", "-triptych.png", "image/png"),
    ExportFile("Figure, PDF", "-triptych.pdf", "application/pdf"),
    ExportFile("Figure, SVG", "-triptych.svg", "image/svg+xml"),
    ExportFile("Adversarial image, PNG", ".png", "image/png"),
    ExportFile("Exact values, .npy", ".npy", "application/octet-stream"),
    ExportFile("Each step, CSV", "-trace.csv", "text/csv"),
    ExportFile("Recipe, JSON", "-recipe.json", "application/json"),
)
STEPS = (
    ExportFile("Steps, GIF", "-steps.gif", "image/gif"),
    ExportFile("Steps, WebP", "-steps.webp", "image/webp"),
    ExportFile("Steps, APNG", "-steps.png", "image/png"),
)
EPSILONS = (
    ExportFile("ε, GIF", "-epsilon.gif", "image/gif"),
    ExportFile("ε, WebP", "-epsilon.webp", "image/webp"),
    ExportFile("ε, APNG", "-epsilon.png", "image/png"),
)

PLACE = "triptych"  # of the attack whose ladder is on the page
_LINKS = "links to results"  # in the session's state, by the keys of the requests


def exports(response: AttackResponse) -> None:
    """The download buttons, the link that restores the page, and the command line."""
    report = response.report
    name = file_name(f"{response.request.picture.title} as {report.after.name}", "adversarial")
    download_buttons(FILES, partial(build, response), name, "export")
    st.caption(plain(eight_bits(report)))
    st.markdown("Moving pictures for slides, step by step or from ε to ε:")
    if response.sprite_sheet is not None:
        download_buttons(STEPS, partial(build, response), name, "steps export")
    state = ladder_of(response.request, PLACE)
    download_buttons(EPSILONS, partial(build_ladder, response, state), name, "ε export")
    st.caption(
        "WebP and APNG show every pixel as it is. A GIF has 256 colours, which change more than a "
        "small ε does."
    )
    st.markdown("Link to this result:")
    recipe = report.recipe
    link = st.session_state[_LINKS][response.request.key]
    st.code(_pinned(link, recipe), language=None, wrap_lines=True)
    if recipe.image.startswith(UPLOAD_PREFIX):
        st.caption("An uploaded picture can't be part of a link, which restores everything else.")
        recipe = replace(recipe, image=recipe.image.removeprefix(UPLOAD_PREFIX))
    if recipe.model.startswith(USER_PREFIX):
        st.caption("Link and command work only where this model of your own was added.")
    st.markdown("The same attack on the command line:")
    st.code(recipe.command(), language="bash", wrap_lines=True)


def remember_link(request: AttackRequest) -> None:
    """Keep the page's address as the one of ``request``, which its controls ask for now.

    The page also shows older responses, while an attack runs or after it failed. Call it before
    the attack.
    """
    links: dict[object, str] = st.session_state.setdefault(_LINKS, {})
    response: AttackResponse | None = last_result("attack")
    shown = None if response is None else response.request.key
    st.session_state[_LINKS] = {
        **{key: link for key, link in links.items() if key == shown},
        request.key: page_link(LINKED),
    }


def _pinned(link: str, recipe: Recipe) -> str:
    """``link`` with the precision that was used: another machine's "auto" may be another one.

    What Quick is may change with the version, so the link has the number of steps.
    """
    base, _, query = link.partition("?")
    values = dict(parse_qsl(query))
    if not recipe.effort and not recipe.is_fgsm:
        values |= step_values(recipe)
    if not recipe.is_fgsm:
        values["precision"] = recipe.precision
    return f"{base}?{urlencode(values)}"


def build(response: AttackResponse, ending: str) -> bytes:
    """The file with this ``ending``, one of :data:`FILES` or :data:`STEPS`."""
    from explorer.figures import export
    from explorer.figures.print_triptych import triptych

    report = response.report
    if ending == ".png":
        return export.adversarial_png(report)
    if ending == ".npy":
        return export.adversarial_npy(report)
    if ending == "-trace.csv":
        return export.trace_csv(report).encode()
    if ending == "-recipe.json":
        return export.recipe_json(report)
    if ending.startswith("-steps."):
        return _steps(response, ending)
    figure = triptych(report, response.classifier_title)
    return export.figure_bytes(figure, ending.rpartition(".")[2])


def build_ladder(response: AttackResponse, state: LadderState, ending: str) -> bytes:
    """The file with this ``ending``, one of :data:`EPSILONS`, of the ladder as it is when asked.

    Raises :class:`UserError` while the attacks with other ε are not finished.
    """
    from explorer.figures.animation import animation_bytes
    from explorer.figures.attack_animation import ladder_animation

    encoded = state.encoded or (None if state.job is None else state.job.result)
    if encoded is None:
        raise UserError("the attacks with other ε are not finished yet; try again when they are")
    ladder = encoded.ladder.with_report(response.report)
    animation = ladder_animation(ladder, response.classifier_title)
    return animation_bytes(animation, ending.rpartition(".")[2])


def _steps(response: AttackResponse, ending: str) -> bytes:
    from explorer.figures.animation import animation_bytes
    from explorer.figures.attack_animation import step_animation

    if response.sprite_sheet is None:
        raise ValueError("the images of the steps were not kept")
    images = images_of(response.sprite_sheet)
    animation = step_animation(response.report, images, response.classifier_title)
    return animation_bytes(animation, ending.rpartition(".")[2])
