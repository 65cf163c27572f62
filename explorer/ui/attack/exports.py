"""Files of a result. Each is built when its button is clicked, without running the page again.

matplotlib, which draws the figures, is imported only then.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

import streamlit as st

from explorer.classifiers.entry import USER_PREFIX
from explorer.experiments.one_image.recipe import Recipe
from explorer.images.open import UPLOAD_PREFIX
from explorer.ui.components.errors import error_text
from explorer.ui.components.markdown import plain
from explorer.ui.jobs.progress import last_result
from explorer.ui.shared.attack_controls import LINKED
from explorer.ui.shared.attack_request import AttackRequest, AttackResponse
from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.words import eight_bits

FILES = (
    ("Triptych, PNG", "-triptych.png", "image/png"),
    ("Triptych, PDF", "-triptych.pdf", "application/pdf"),
    ("Triptych, SVG", "-triptych.svg", "image/svg+xml"),
    ("Adversarial image, PNG", ".png", "image/png"),
    ("Exact values, .npy", ".npy", "application/octet-stream"),
    ("Trace, CSV", "-trace.csv", "text/csv"),
    ("Recipe, JSON", "-recipe.json", "application/json"),
)

_LINKS = "links to results"  # in the session's state, by the keys of the requests


def exports(response: AttackResponse) -> None:
    """The download buttons, the link that restores the page, and the command line."""
    report = response.report
    name = _file_name(response)
    with st.container(horizontal=True, key="exports"):
        for label, ending, mime in FILES:
            st.download_button(
                label,
                partial(build, response, ending),
                f"{name}{ending}",
                mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"export {ending}",
            )
    st.caption(plain(eight_bits(report)))
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
        request.key: _link(),
    }


def _link() -> str:
    """The address with the value of every control: another version may have other defaults."""
    base = (st.context.url or "").split("?")[0]
    values = {key: st.session_state[key] for key in LINKED if st.session_state.get(key) is not None}
    texts = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in values.items()
    }
    return f"{base}?{urlencode(texts)}"


def _pinned(link: str, recipe: Recipe) -> str:
    """``link`` with the precision that was used: another machine's "auto" may be another one."""
    return link if recipe.is_fgsm else f"{link}&{urlencode({'precision': recipe.precision})}"


def build(response: AttackResponse, ending: str) -> bytes:
    """The file with this ``ending``, one of :data:`FILES`.

    An error has the text for the visitor, which Streamlit shows under the button.
    """
    try:
        return _build(response, ending)
    except Exception as error:
        raise RuntimeError(error_text(error)) from None


def _build(response: AttackResponse, ending: str) -> bytes:
    wait_for_imports("files")
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
        return report.recipe.to_json().encode()
    figure = triptych(report, response.classifier_title)
    return export.figure_bytes(figure, ending.rpartition(".")[2])


def _file_name(response: AttackResponse) -> str:
    """``cat-as-dog`` for a picture with the title cat that is called a dog after the attack."""
    text = f"{response.request.picture.title} as {response.report.after.name}"
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()[:80] or "adversarial"
