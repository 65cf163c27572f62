"""The front door: page set-up and navigation, nothing else. Start it with ``streamlit run explorer/Home.py``."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent

# Streamlit puts the folder of this file on the path instead of the repository: ``import explorer`` would fail, and the
# packages in here would be found under the wrong names.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st

from explorer.ui.shared.imports import warm_up

warm_up()
st.set_page_config(page_icon=str(ROOT / "assets" / "icon.svg"), layout="wide")
st.logo(str(ROOT / "assets" / "icon.svg"), size="medium")
page = st.navigation(
    [
        st.Page(
            "../pages/overview.py", title="Overview", icon=":material/visibility:", default=True
        ),
        st.Page("../pages/attack.py", title="Attack an image", icon=":material/bolt:"),
        st.Page(
            "../pages/datasets.py", title="Robust and non-robust data", icon=":material/compare:"
        ),
        st.Page("../pages/models.py", title="Models", icon=":material/category:"),
    ],
    position="top",
)
page.run()
