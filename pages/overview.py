"""The first page: a tour of seven stops; the first is a picture that is attacked as it opens."""

from explorer.ui.overview.tour import begin_stop
from explorer.ui.shared.imports import wait_for_imports

stop, places = begin_stop()
wait_for_imports("picture")

from explorer.ui.overview.page import overview_page  # noqa: E402, imports torch

overview_page(stop, places)
