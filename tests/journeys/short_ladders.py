"""The app with ladders of two rungs: whole ones take seconds of two cores for each attack."""

import sys
from pathlib import Path

from streamlit.web.cli import main

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    from explorer.experiments.one_image import ladder

    ladder.COARSE_TO_FINE = (4.0, 32.0)
    ladder.HALVINGS = 0
    ladder.FIRST_STEPS, ladder.RUNG_STEPS = 4, 2
    main(prog_name="streamlit")
