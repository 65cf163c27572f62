"""Read files made to break the readers: ``--count`` of them, the same for the same ``--seed``.

Prints every file that gave more than a value or a sentence, and ends with status 1 if there was
one. ``--only INDEX`` reads one of them again.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
import tempfile
import warnings
from pathlib import Path
from random import Random
from typing import Any

from tests.hostile.contract import KINDS, forbid_programs_and_connections, objection
from tests.hostile.weights import CANARY


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="tests.hostile", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--only", type=int, metavar="INDEX")
    options = parser.parse_args()
    faulthandler.enable()
    warnings.simplefilter("ignore")
    kinds = options.kind or list(KINDS)
    indices = range(options.count) if options.only is None else [options.only]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[CANARY] = str(folder / "canary")
        for kind in kinds:  # start what is started once
            _read(kind, _made(kind, options.seed, -1), folder)
        forbid_programs_and_connections()
        failures = 0
        for index in indices:
            kind = kinds[index % len(kinds)]
            print(f"\r{index} {kind}", end=" ", file=sys.stderr, flush=True)
            content = _made(kind, options.seed, index)
            for problem in _read(kind, content, folder):
                failures += 1
                print(f"\n--seed {options.seed} --kind {kind} --index {index}: {problem}")
    print(f"\n{len(indices)} files, {failures} failures")
    return 1 if failures else 0


def _made(kind: str, seed: int, index: int) -> Any:
    return KINDS[kind].make(Random(f"{seed} {kind} {index}"))


def _read(kind: str, content: Any, folder: Path) -> list[str]:
    problems = (objection(read, content, folder) for read in KINDS[kind].readers)
    return [problem for problem in problems if problem is not None]


if __name__ == "__main__":
    sys.exit(main())
