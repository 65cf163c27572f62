"""The places of a stop that the page draws first, and the stop fills."""

from __future__ import annotations

from typing import NamedTuple

from streamlit.delta_generator import DeltaGenerator


class Places(NamedTuple):
    """Below the sentence the ``picture``, and below it the question that is ``asked``; beside the
    buttons the ``status``: progress bars; and above the title a ``notice`` on the page's address.
    """

    picture: DeltaGenerator
    asked: DeltaGenerator
    status: DeltaGenerator
    notice: DeltaGenerator
