"""The foot of every page: large type for a projector, and a QR code to open it elsewhere."""

from __future__ import annotations

import io
import ipaddress
from urllib.parse import urlencode, urlsplit

import streamlit as st

LARGE = "large"  # the key of the switch, also in the address
_PIXELS = 6  # of a module of the QR code
# Streamlit's sizes are in rem, but the sidebar's width, in which names of classifiers would be cut,
# and those of charts, which it takes once, when it starts. Plotly measures letters in an element of
# its own. The tour has a switch of its own, which also hides all but the stop.
_USUAL_TYPE = "<style>/* usual type */</style>"
_LARGE_TYPE = """
<style>
:root { font-size: clamp(18px, 1.4vw, 28px) !important }
[data-testid=stSidebar][data-collapsed=false] { min-width: min(18.75rem, 100vw) }
:is(.js-plotly-plot, #js-plotly-tester) text { font-size: 0.75rem !important }
.js-plotly-plot :is(.g-xtitle, .g-ytitle) text { font-size: 0.875rem !important }
</style>
"""


def large_type() -> None:
    """Make the letters of this page as large as the switch at its foot says.

    Call it before the page is drawn: a chart measures its letters once, when it comes. The browser
    loads what draws a style with the first one, so that there always is one.
    """
    st.html(_LARGE_TYPE if is_large() else _USUAL_TYPE)


def is_large() -> bool:
    """Whether the switch at the foot of the pages is on; before it is drawn the address says so."""
    return bool(st.session_state.get(LARGE, st.query_params.get(LARGE) == "true"))


def page_foot(*, has_switch: bool) -> None:
    """Draw the foot; ``has_switch`` is False for a page with a switch for the projector itself."""
    with st.container(horizontal=True, vertical_alignment="center", key="page foot"):
        if has_switch:
            st.toggle(
                "Large type",
                key=LARGE,
                bind="query-params",
                persist_state="session",
                help="For a projector: all letters are larger, on this page and on the others.",
            )
        if can_be_opened_elsewhere(st.context.url):
            with st.popover("QR code", icon=":material/qr_code_2:", key="qr code"):
                address = page_address()
                st.image(qr_code(address), alt=f"QR code of {address}")
                st.caption("Scan it to open this page in the same state.")


def page_address() -> str:
    """The address of the page as it is, with the controls that are in it."""
    base = (st.context.url or "").split("?")[0]
    pairs = [(key, value) for key in st.query_params for value in st.query_params.get_all(key)]
    return f"{base}?{urlencode(pairs)}" if pairs else base


def can_be_opened_elsewhere(url: str | None) -> bool:
    """Whether another machine may reach this address: it does not name the machine itself."""
    host = urlsplit(url or "").hostname
    if not host or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return True


def qr_code(text: str) -> bytes:
    """A PNG of the QR code of ``text``, with the white margin that scanners need."""
    import segno  # 30 ms, and no page on this machine alone needs it

    buffer = io.BytesIO()
    segno.make(text, micro=False).save(buffer, kind="png", scale=_PIXELS, border=4)
    return buffer.getvalue()
