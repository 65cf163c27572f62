"""Server, page set-up and navigation. Start the app with ``streamlit run explorer/Home.py``.

The server imports this file once, and the slow imports begin then: a visitor's browser takes a
second to ask for the first page. Each session runs it as its script.
"""

from __future__ import annotations

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))  # spelled as Streamlit spells it in sys.path
ROOT = os.path.dirname(HERE)

# Streamlit puts this folder first on sys.path: ``import explorer`` would fail, and a module in here
# could hide one of the standard library. So the repository goes first and this folder last; the
# folder of an installed explorer, site-packages, keeps its place. Without this folder in the list,
# Streamlit would insert it in front for each run of each session, and remove it afterwards, while
# other threads import.
# All sessions run this file in threads of one process. So only the first run changes the path, and
# it assigns a new list: a thread that is importing reads the old one to its end, and two first runs
# at once assign equal lists. Changing the list in place loses entries for good.
if sys.path[0] == HERE or ROOT not in sys.path:
    entries = tuple(entry for entry in tuple(sys.path) if entry != HERE)
    sys.path = [*(() if ROOT in entries else (ROOT,)), *entries, HERE]

import streamlit as st

from explorer.files import ASSETS, PAGES
from explorer.ui.jobs.progress import following_jobs
from explorer.ui.shared.imports import warm_up
from explorer.ui.shared.page_foot import large_type, page_foot
from explorer.ui.shared.wrong_settings import stop_on_wrong_settings

ICON = str(ASSETS / "icon.svg")


def navigation() -> st.Page:
    """The page that a visitor asked for, in the navigation of all.

    The titles are so short that all pages have a place beside a sidebar in a window 1440 pixels
    wide. The heading of each page has its whole name.
    """
    return st.navigation(
        [
            st.Page(
                PAGES / "overview.py", title="Overview", icon=":material/visibility:", default=True
            ),
            st.Page(PAGES / "attack.py", title="Attack", icon=":material/bolt:"),
            st.Page(PAGES / "compare.py", title="Compare", icon=":material/balance:"),
            st.Page(PAGES / "features.py", title="Features", icon=":material/search:"),
            st.Page(PAGES / "curves.py", title="Curves", icon=":material/show_chart:"),
            st.Page(PAGES / "datasets.py", title="Data sets", icon=":material/compare:"),
            st.Page(PAGES / "gaussians.py", title="Gaussians", icon=":material/scatter_plot:"),
            st.Page(PAGES / "lab.py", title="Lab", icon=":material/science:"),
            st.Page(PAGES / "models.py", title="Models", icon=":material/category:"),
        ],
        position="top",
    )


warm_up()
if __name__ == "__main__":  # a visitor's session runs this file as its script
    st.set_page_config(page_icon=ICON, layout="wide")
    stop_on_wrong_settings()
    st.logo(ICON, size="medium")
    page = navigation()
    is_tour = page.url_path == ""  # the overview, which has a switch for the projector itself
    if not is_tour:
        large_type()
    with following_jobs():
        page.run()
        page_foot(has_switch=not is_tour)
else:  # streamlit run imports it once, when the server starts
    from starlette.middleware import Middleware

    from explorer.ui.server import end_with_success, serving
    from explorer.ui.styled_pages import StyledPages

    end_with_success()
    app = st.App(__file__, lifespan=serving, middleware=[Middleware(StyledPages)])
