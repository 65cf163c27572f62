"""The sections of the features page, in their order. Only the chosen one computes anything.

To add one, write a module with a function from the request to the key of the question that it
answers (None while that is not on the page yet), and add it to :data:`SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from explorer.ui.features import gradients_section, large_epsilon_section, layers_section
from explorer.ui.features.controls import FeaturesRequest


@dataclass(frozen=True)
class Section:
    """A section: the ``title`` on its button and in the address, and what draws it.

    ``linked`` are the keys of its widgets whose values are in the address.
    """

    title: str
    draw: Callable[[FeaturesRequest], Hashable | None]
    linked: tuple[str, ...] = ()


SECTIONS = (
    Section("Gradients", gradients_section.draw, gradients_section.LINKED),
    Section("Large ε", large_epsilon_section.draw, large_epsilon_section.LINKED),
    Section("Layer by layer", layers_section.draw, layers_section.LINKED),
)
