"""Files of a result. Each is built when its button is clicked; the page does not run again for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode

import streamlit as st

from explorer.figures import export
from explorer.images.source import UPLOAD_PREFIX
from explorer.ui.question import Answer
from explorer.ui.words import eight_bits

LINKED = (
    "model", "image", "norm", "linf", "l2", "method", "steps", "target", "label", "loss", "step_linf", "step_l2", "random",
    "restarts", "seed",
)  # fmt: skip


def exports(answer: Answer) -> None:
    """The download buttons, and the link that restores the page."""
    report = answer.report
    name = _file_name(answer)
    with st.container(horizontal=True, key="exports"):
        for format_, mime in (("png", "image/png"), ("pdf", "application/pdf"), ("svg", "image/svg+xml")):
            _button(f"Triptych, {format_.upper()}", f"{name}-triptych.{format_}", lambda f=format_: _plate(answer, f), mime)
        _button("Adversarial image, PNG", f"{name}.png", lambda: export.adversarial_png(report), "image/png")
        _button("Exact values, .npy", f"{name}.npy", lambda: export.adversarial_npy(report), "application/octet-stream")
        _button("Trace, CSV", f"{name}-trace.csv", lambda: export.trace_csv(report), "text/csv")
        _button("Recipe, JSON", f"{name}-recipe.json", report.recipe.to_json, "application/json")
    st.caption(eight_bits(report))
    st.markdown("A link that restores this page:")
    st.code(link(), language=None, wrap_lines=True)
    if report.recipe.image.startswith(UPLOAD_PREFIX):
        st.caption("An uploaded picture can't be part of a link: it restores everything else.")
    st.markdown("The same attack on the command line:")
    st.code(report.recipe.command(), language="bash", wrap_lines=True)


def link() -> str:
    """The page's address with every control's value in it, defaults too: they may change with the version."""
    base = (st.context.url or "").split("?")[0]
    values = {key: st.session_state[key] for key in LINKED if st.session_state.get(key) is not None}
    texts = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in values.items()}
    return f"{base}?{urlencode(texts)}"


def _button(label: str, file_name: str, build: Callable[[], str | bytes], mime: str) -> None:
    st.download_button(label, build, file_name, mime, on_click="ignore", icon=":material/download:", key=f"export {label}")


def _plate(answer: Answer, format_: str) -> bytes:
    from explorer.figures.plates import triptych  # matplotlib: not before somebody wants a file

    return export.figure_bytes(triptych(answer.report, answer.title), format_)


def _file_name(answer: Answer) -> str:
    """Letters, digits and hyphens: ``cat-as-dog`` for a picture titled cat that is now called a dog."""
    text = f"{answer.question.picture.title} as {answer.report.after.name}"
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()[:80] or "adversarial"
