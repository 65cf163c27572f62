"""``app``: start the pages, which open in the browser."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

HOME = Path(__file__).parents[1] / "Home.py"


def add(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "All other arguments go to streamlit run, such as --server.port 8600; "
        "streamlit run --help lists them."
    )
    parser.set_defaults(run=run, takes_more=True)


def run(options: argparse.Namespace) -> int:
    """Become the process of Streamlit's server, so that a signal reaches it alone."""
    # -P: the current folder may hold another copy of the explorer, or a module with a common name.
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(HOME), *options.more]
    if sys.platform != "win32":
        os.execv(sys.executable, command)
    with suppress(KeyboardInterrupt):  # the server gets it too
        return subprocess.call(command)
    return 0
