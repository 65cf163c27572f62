"""The tests. With ``pytest -n 3`` they run in three processes, as many of them wait."""

import os

# Tests that look at a part in an ordinary run look at all of it with this variable.
EVERY_LOOK = os.environ.get("EXPLORER_EVERY_LOOK") == "1"
PROCESSES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if PROCESSES > 1:
    # OpenMP reads it when torch is imported. Threads that spin while they wait for each other, in
    # several processes on two cores, made some tests ten times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
