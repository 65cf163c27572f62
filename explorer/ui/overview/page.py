"""The overview below the text of its stop: what the stop computes and asks, and its words."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from explorer.ui.components.errors import report_errors
from explorer.ui.components.question_history import track_history
from explorer.ui.overview.places import Places
from explorer.ui.overview.stops import Stop
from explorer.ui.overview.tour import EVERY_KEY, LINKED
from explorer.ui.shared.link_words import name_wrong_settings


def overview_page(stop: Stop, places: Places) -> None:
    """Fill the page. A stop is imported when it is opened."""
    show: Callable[[Places], None] = import_module(f"{__package__}.{stop.module}").show
    with places.asked, report_errors():
        show(places)
    keys = (*LINKED, *stop.linked)
    name_wrong_settings(places.notice, *keys, others=EVERY_KEY, late=stop.linked)
    from explorer.ui.shared.glossary_words import glossary_words  # the picture comes before it

    with report_errors():
        glossary_words(stop.terms, "tour")
    track_history(keys, stop.number)
