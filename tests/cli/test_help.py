"""``--help`` and mistakes that argparse finds come at once: they import no torch.

The other commands' modules still do, for the choices and defaults of their options.
"""

from __future__ import annotations

import json
import subprocess
import sys

from explorer.cli.export import FORMAT_NAMES
from explorer.datasets.constructed.export import FORMATS
from tests.cli.running import ROOT

AT_ONCE = ("app", "gallery", "download", "models", "export")
ASK = """
import contextlib, io, json, sys
from explorer.__main__ import main
seen = {}
for name in sys.argv[1:]:
    for option in ("--help", "--nosuch=1"):
        text = io.StringIO()
        with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
            try:
                status = main([name, option]) if option == "--help" or name != "app" else 2
            except SystemExit as stop:
                status = stop.code
        seen[f"{name} {option}"] = status, len(text.getvalue())
heavy = [each for each in ("torch", "torchvision", "matplotlib") if each in sys.modules]
print(json.dumps([seen, heavy]))
"""


def test_help_and_unknown_options_import_no_torch() -> None:
    command = [sys.executable, "-c", ASK, *AT_ONCE]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    seen, heavy = json.loads(result.stdout)
    assert heavy == []
    for name in AT_ONCE:
        status, length = seen[f"{name} --help"]
        assert (status or 0, length > 100) == (0, True), name
        assert seen[f"{name} --nosuch=1"][0] == 2, name


def test_export_offers_all_formats() -> None:
    assert tuple(FORMATS) == FORMAT_NAMES
