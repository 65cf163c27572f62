"""Files of a result. Each is built when its button is clicked; the page does not run again for it.

matplotlib, which draws the figures, is imported only then.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

import streamlit as st

from explorer.images.open import UPLOAD_PREFIX
from explorer.ui.shared.attack_request import AttackResponse
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

# The keys of the widgets that make up the page: see explorer/ui/controls.py.
LINKED = (
    "model",
    "image",
    "norm",
    "linf",
    "l2",
    "method",
    "steps",
    "target",
    "label",
    "loss",
    "step_linf",
    "step_l2",
    "random",
    "restarts",
    "seed",
    "crop_x",
    "crop_y",
    "zoom",
)


def exports(answer: AttackResponse) -> None:
    """The download buttons, and the link that restores the page."""
    report = answer.report
    name = _file_name(answer)
    with st.container(horizontal=True, key="exports"):
        for label, ending, mime in FILES:
            st.download_button(
                label,
                partial(build, answer, ending),
                f"{name}{ending}",
                mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"export {ending}",
            )
    st.caption(eight_bits(report))
    st.markdown("A link that restores this page:")
    st.code(link(), language=None, wrap_lines=True)
    recipe = report.recipe
    if recipe.image.startswith(UPLOAD_PREFIX):
        st.caption("An uploaded picture can't be part of a link: it restores everything else.")
        recipe = replace(recipe, image=recipe.image.removeprefix(UPLOAD_PREFIX))
    st.markdown("The same attack on the command line:")
    st.code(recipe.command(), language="bash", wrap_lines=True)


def link() -> str:
    """The page's address with every control's value in it, defaults too: they may change with the version."""
    base = (st.context.url or "").split("?")[0]
    values = {key: st.session_state[key] for key in LINKED if st.session_state.get(key) is not None}
    texts = {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in values.items()
    }
    return f"{base}?{urlencode(texts)}"


def build(answer: AttackResponse, ending: str) -> bytes:
    """The file with this ``ending``, one of :data:`FILES`. Streamlit says so under the button when it can't be made."""
    wait_for_imports("files")
    from explorer.figures import export
    from explorer.figures.print_triptych import triptych

    report = answer.report
    makers: dict[str, Callable[[], str | bytes]] = {
        ".png": lambda: export.adversarial_png(report),
        ".npy": lambda: export.adversarial_npy(report),
        "-trace.csv": lambda: export.trace_csv(report),
        "-recipe.json": report.recipe.to_json,
    }
    if ending in makers:
        made = makers[ending]()
        return made if isinstance(made, bytes) else made.encode()
    return export.figure_bytes(triptych(report, answer.title), ending.rpartition(".")[2])


def _file_name(answer: AttackResponse) -> str:
    """Letters, digits and hyphens: ``cat-as-dog`` for a picture titled cat that is now called a dog."""
    text = f"{answer.question.picture.title} as {answer.report.after.name}"
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()[:80] or "adversarial"
