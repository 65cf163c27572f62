"""The attack page's controls, as other pages and links know them: by the keys of their widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from explorer.ui.shared.address import open_page

# The keys of the widgets whose values are in the page's address and restore the page.
LINKED = (
    *("model", "source", "image", "crop_x", "crop_y", "zoom"),
    *("norm", "linf", "l2", "method", "effort", "steps", "rule", "target", "label"),
    *("loss", "step_linf", "step_l2", "random", "restarts", "seed"),
)


def open_attack_page(values: Mapping[str, str]) -> NoReturn:
    """Go to the attack page, whose controls begin with the samples and these values.

    All others begin with their defaults.
    """
    open_page("attack", {**dict.fromkeys(LINKED), **values}, {"source": "gallery"})
