"""The app as ``streamlit run`` starts it. On SIGUSR1 it writes to a file what all sessions share.

python tests/sessions/observed_app.py STATE.json run explorer/Home.py --server.port 8501
"""

from __future__ import annotations

import gc
import hashlib
import importlib.util
import json
import locale
import logging
import os
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

from streamlit.web.cli import main

LOGGERS = ("root", "explorer", "streamlit", "torch", "PIL", "matplotlib")


def process_state() -> dict[str, Any]:
    """The state of the process, as JSON can hold it. Call it in a thread that is new."""
    state: dict[str, Any] = {
        "importing": any(thread.name == "imports" for thread in threading.enumerate()),
        "sys.path": sys.path,
        "environment": dict(os.environ),
        "working directory": os.getcwd(),
        "locale": locale.setlocale(locale.LC_ALL),
        "umask": os.umask(0o022),
        "recursion limit": sys.getrecursionlimit(),
        "switch interval": sys.getswitchinterval(),
        "warning filters": len(warnings.filters),
        "garbage collection": [gc.isenabled(), *gc.get_threshold()],
        "logging": {name: _logger(name) for name in LOGGERS},
        # Both search sys.path, unless a session looked them up before.
        "idna": "bücher.example".encode("idna").decode(),
        "colorsys": getattr(importlib.util.find_spec("colorsys"), "origin", None),
    }
    os.umask(state["umask"])
    if "torch" in sys.modules:
        state["torch"] = _torch_state()
    return state


def _logger(name: str) -> list[Any]:
    logger = logging.getLogger(None if name == "root" else name)
    return [logger.level, len(logger.handlers), len(logger.filters), logger.propagate]


def _torch_state() -> dict[str, Any]:
    import torch

    return {
        "threads": torch.get_num_threads(),
        "interop threads": torch.get_num_interop_threads(),
        "dtype": str(torch.get_default_dtype()),
        "device": str(torch.get_default_device()),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matrix products": torch.get_float32_matmul_precision(),
        "oneDNN": torch.backends.mkldnn.is_available() and torch._C._get_mkldnn_enabled(),
        "random numbers": hashlib.sha256(torch.get_rng_state().numpy().tobytes()).hexdigest(),
    }


def write_state(path: Path) -> None:
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(process_state(), indent=1))
    os.replace(temporary, path)


if __name__ == "__main__":
    state_file = Path(sys.argv.pop(1))
    signal.signal(
        signal.SIGUSR1, lambda *_: threading.Thread(target=write_state, args=[state_file]).start()
    )
    main(prog_name="streamlit")
