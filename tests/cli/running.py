"""The command line as a person runs it, in this process."""

from __future__ import annotations

from pathlib import Path

from explorer.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    try:
        status = main(list(arguments))
    except SystemExit as stop:  # argparse ends the process for a mistake
        status = int(stop.code or 0)
    out, err = capsys.readouterr()
    return status, out, err
