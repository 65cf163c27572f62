"""The sections of the features page, in their order. Only the chosen one computes anything.

To add one, write a module with a function from the request to the key of the question that it
answers (None while that is not on the page yet), and add it to :data:`SECTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from explorer.ui.features import (
    gradients_section,
    inversion_section,
    large_epsilon_section,
    layers_section,
    painting_section,
    synthesis_section,
)
from explorer.ui.features.controls import FeaturesRequest
from explorer.ui.features.gallery_check import CHECK


@dataclass(frozen=True)
class Section:
    """A section: the ``title`` on its button and in the address, and what draws it.

    ``linked`` are the keys whose values are in the address, and ``late`` those of them whose
    widgets come with the answer.
    """

    title: str
    draw: Callable[[FeaturesRequest], Hashable | None]
    linked: tuple[str, ...] = ()
    late: tuple[str, ...] = ()


SECTIONS = (
    Section("Gradients", gradients_section.draw, gradients_section.LINKED, (CHECK,)),
    Section("Large ε", large_epsilon_section.draw, large_epsilon_section.LINKED),
    Section("Layer by layer", layers_section.draw, layers_section.LINKED),
    Section(
        "Drawn from noise",
        synthesis_section.draw,
        synthesis_section.LINKED,
        (synthesis_section.JUDGE,),
    ),
    Section("Inverted", inversion_section.draw, inversion_section.LINKED),
    Section("Painting", painting_section.draw, painting_section.LINKED),
)
