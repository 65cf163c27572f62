"""The command line as a person runs it, in this process."""

from __future__ import annotations

from explorer.__main__ import main


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    try:
        status = main(list(arguments))
    except SystemExit as stop:  # argparse's way
        status = int(stop.code or 0)
    out, err = capsys.readouterr()
    return status, out, err
