"""The sections of the lab, in their order. Only the chosen one computes anything.

To add one, write a module with a function that draws it and returns the key of the question that
it answers (None while that is not on the page yet), and add it to :data:`SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from streamlit.delta_generator import DeltaGenerator

from explorer.ui.lab import dispute_section, patch_section, universal_section


@dataclass(frozen=True)
class Section:
    """A section: the ``title`` on its button and in the address, and what draws it into a place.

    ``linked`` are the keys of its widgets whose values are in the address.
    """

    title: str
    draw: Callable[[DeltaGenerator], Hashable | None]
    linked: tuple[str, ...] = ()


SECTIONS = (
    Section("Bugs or features?", dispute_section.draw, dispute_section.LINKED),
    Section("Universal perturbation", universal_section.draw, universal_section.LINKED),
    Section("Patch", patch_section.draw, patch_section.LINKED),
)
